"""Follows a job's entrypoint, statement by statement and without running any, to the parser it gives its arguments to."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from dagsync.evaluation import Constants
from dagsync.expressions import ArgumentsParsed, Expressions, Given
from dagsync.frames import ARGUMENTS, Frame, Thing
from dagsync.module_names import FUNCTIONS, Function, ModuleNames
from dagsync.parser_calls import SHOWN_ONLY
from dagsync.parsers import DeclaredParser, NotFollowedError, Scope

MAX_DEPTH = 8
MAX_STATEMENTS = 5000


class _Returned(Exception):  # noqa: N818 - no error: how a function ends
    def __init__(self, thing: Thing) -> None:
        super().__init__()
        self.thing = thing


def followed_parser(names: ModuleNames, entrypoint: ast.expr) -> DeclaredParser | None:
    """Return the parser that ``entrypoint`` gives its arguments to, or ``None`` if it is not seen to use one.

    ``names`` are those of its module. Raises ``NotFollowedError``.
    """
    scope = Scope(Constants(names.bindings, names.docstring), names.argparse_names, names.functions)
    follower = _Follower(names, scope)
    try:
        if any(map(scope.makes_parser, names.made_by)):
            follower.run_module()
        follower.enter(entrypoint)
    except ArgumentsParsed as found:
        return found.parser
    except RecursionError:
        raise NotFollowedError(entrypoint.lineno, "the code is nested too deeply") from None
    if follower.parsed_at_import is not None:
        # A job is imported when sys.argv has its arguments.
        return follower.parsed_at_import
    if follower.last_parser is not None:
        raise NotFollowedError(follower.last_parser.call.line, "the parser is not seen to parse the job's arguments")
    return None


class _Follower(Expressions):
    _depth = 0
    _statements = 0
    parsed_at_import: DeclaredParser | None = None

    def run_module(self) -> None:
        """Follow the module; what is under a condition there is for when it is a script."""
        try:
            self._block([each for each in self.names.body if isinstance(each, _OF_MODULE)], self.module)
        except ArgumentsParsed as found:
            self.parsed_at_import = found.parser
        self.last_parser = None

    def enter(self, entrypoint: ast.expr) -> None:
        """Call the entrypoint with the arguments of the job."""
        found = self.module.scope.constants.resolve(entrypoint)
        if type(found) is ast.Name:
            if found.id in self.names.functions:
                self.call(self.names.functions[found.id], [(ARGUMENTS, None)], {})
            return
        match found:
            case ast.Attribute(value=owner, attr=name):
                self._enter_method(self.module.scope.constants.resolve(owner), name)
            case ast.Lambda(args=ast.arguments(posonlyargs=[], args=[ast.arg(arg=name), *_]), body=body):
                frame = self.module.inner()
                frame.bind(name, ARGUMENTS, None)
                self.value(body, frame)
            case _:
                pass

    def _enter_method(self, owner: ast.expr, name: str) -> None:
        """Call a method of a class of the module, or of an object that is made of one."""
        made_of = owner.func if isinstance(owner, ast.Call) else owner
        classes = (each for each in self.names.body if isinstance(each, ast.ClassDef))
        bodies = [each.body for each in classes if isinstance(made_of, ast.Name) and each.name == made_of.id]
        for method in (each for body in bodies for each in body):
            if isinstance(method, FUNCTIONS) and method.name == name:
                kind = [ast.unparse(each) for each in method.decorator_list]
                if kind == ["staticmethod"]:
                    self.call(method, [(ARGUMENTS, None)], {})
                elif kind == ["classmethod"] or (not kind and made_of is not owner):
                    self.call(method, [(None, None), (ARGUMENTS, None)], {})
                return

    def call(self, function: Function, given: Sequence[Given], named: Mapping[str, Given]) -> Thing:
        if self._depth >= MAX_DEPTH:
            return None
        frame = self.module.inner()
        frame.bind_parameters(function.args, given, named)
        self._depth += 1
        try:
            self._block(function.body, frame)
        except _Returned as returned:
            return returned.thing
        finally:
            self._depth -= 1
        return None

    def _block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        for statement in body:
            self._statements += 1
            if self._statements > MAX_STATEMENTS:
                raise NotFollowedError(statement.lineno, "the code is too long")
            follow = self._statement_of.get(type(statement))
            if follow is None:
                self.maybe(statement, frame)
            else:
                follow(self, statement, frame)

    def _expression(self, statement: ast.Expr, frame: Frame) -> None:
        if type(statement.value) is ast.Call:
            self.called(statement.value, frame)
        else:
            self.value(statement.value, frame)

    def _assignment(self, statement: ast.Assign, frame: Frame) -> None:
        if len(statement.targets) == 1:
            self.assign(statement.targets[0], statement.value, frame)
        else:
            self.maybe(statement, frame)

    def _annotated(self, statement: ast.AnnAssign, frame: Frame) -> None:
        if statement.value is None:
            self.maybe(statement, frame)
        else:
            self.assign(statement.target, statement.value, frame)

    def _return(self, statement: ast.Return, frame: Frame) -> None:
        raise _Returned(None if statement.value is None else self.value(statement.value, frame))

    def _with(self, statement: ast.With, frame: Frame) -> None:
        for item in statement.items:
            self.value(item.context_expr, frame)
        self._block(statement.body, frame)

    def _try(self, statement: ast.Try, frame: Frame) -> None:
        self._block(statement.body, frame)
        for conditional in (*statement.handlers, *statement.orelse, *statement.finalbody):
            self.maybe(conditional, frame)

    def _for(self, statement: ast.For, frame: Frame) -> None:
        items = None if statement.orelse else frame.items(statement.iter)
        if items is None:
            self.maybe(statement, frame)
            return
        for item in items:
            self.assign(statement.target, item, frame)
            self._block(statement.body, frame)

    def _if(self, statement: ast.If, frame: Frame) -> None:
        self.value(statement.test, frame)
        for conditional in (*statement.body, *statement.orelse):
            self.maybe(conditional, frame)

    def _import(self, statement: ast.Import | ast.ImportFrom, frame: Frame) -> None:  # noqa: ARG002 - as the others
        self.names.add_import(statement)

    def assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        # The most frequent kind first, by type: patterns are tried one after the other.
        if type(target) is ast.Name:
            self._name(target.id, value, frame)
            return
        match target:
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(targets, value, frame)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in frame.things:
                if attribute not in SHOWN_ONLY:
                    raise NotFollowedError(target.lineno, f"{name}.{attribute} is set")
            case _:
                if self.value(value, frame) is not None:
                    raise NotFollowedError(value.lineno, f"the parser is kept in {ast.unparse(target)}")

    def _name(self, name: str, value: ast.expr, frame: Frame) -> None:
        thing = ARGUMENTS if frame.is_arguments(value) else self.value(value, frame)
        if frame is not self.module or not frame.is_bound(name):
            frame.bind(name, thing, frame.constant(value) if thing is None else None)
        elif thing is not None:
            frame.things[name] = thing

    def _unpack(self, targets: Sequence[ast.expr], value: ast.expr, frame: Frame) -> None:
        match value:
            case ast.Tuple(elts=values) | ast.List(elts=values) if len(values) == len(targets):
                for each, given in zip(targets, values, strict=True):
                    self.assign(each, given, frame)
            case _:
                self.value(value, frame)
                for each in targets:
                    if isinstance(each, ast.Name):
                        frame.bind(each.id, None, None)

    # By type and not by pattern: looked up for every statement that every job runs.
    _statement_of: ClassVar[dict[type[ast.stmt], "Callable[[_Follower, Any, Frame], None]"]] = {
        ast.Expr: _expression,
        ast.Assign: _assignment,
        ast.AnnAssign: _annotated,
        ast.Return: _return,
        ast.With: _with,
        ast.Try: _try,
        ast.For: _for,
        ast.If: _if,
        ast.Import: _import,
        ast.ImportFrom: _import,
    }


_OF_MODULE = (ast.Assign, ast.AnnAssign, ast.Expr, ast.For)
