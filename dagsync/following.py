"""Follows a job's entrypoint, statement by statement and without running any, to the parser it gives its arguments to."""

import ast
import contextlib
from collections.abc import Mapping, Sequence

from dagsync.evaluation import NotConstantError
from dagsync.frames import ARGUMENTS, TRACKED, Frame, Thing, Tracked
from dagsync.parsers import Call, DeclaredCommands, DeclaredParser, Group, NotFollowedError, new_parser

MAX_DEPTH = 8
MAX_STATEMENTS = 5000

_PARSE = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"})
_HARMLESS = frozenset({"error", "exit", "format_help", "format_usage", "get_default", "print_help", "print_usage"})
_SHOWN_ONLY = frozenset({"description", "epilog", "formatter_class", "prog", "usage"})


_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
_RUNNING = (ast.Expr, ast.For)


class _Parsed(Exception):  # noqa: N818 - no error: where the search ends
    def __init__(self, parser: DeclaredParser) -> None:
        super().__init__()
        self.parser = parser


class _Returned(Exception):  # noqa: N818 - no error either
    def __init__(self, thing: Thing) -> None:
        super().__init__()
        self.thing = thing


def followed_parser(
    module: ast.Module, entrypoint: ast.expr, bindings: Mapping[str, ast.expr | None], docstring: str | None
) -> DeclaredParser | None:
    """Return the parser that ``entrypoint`` gives its arguments to, or ``None`` if it is not seen to use one.

    ``bindings`` and ``docstring`` are those of the module. Raises ``NotFollowedError``.
    """
    follower = _Follower(module, bindings, docstring)
    try:
        follower.enter(entrypoint)
    except _Parsed as parsed:
        return parsed.parser
    except RecursionError:
        raise NotFollowedError(entrypoint.lineno, "the code is nested too deeply") from None
    if follower.last_parser is not None:
        raise NotFollowedError(follower.last_parser.call.line, "the parser is not seen to parse the job's arguments")
    return None


class _Follower:
    def __init__(self, module: ast.Module, bindings: Mapping[str, ast.expr | None], docstring: str | None) -> None:
        self._functions: dict[str, ast.FunctionDef] = {}
        self._argparse_names: dict[str, str] = {}
        self._depth = 0
        self._statements = 0
        self.last_parser: DeclaredParser | None = None
        running: list[ast.stmt] = []
        made: list[ast.expr] = []
        for statement in module.body:
            if type(statement) is ast.FunctionDef:
                self._functions[statement.name] = statement
            elif isinstance(statement, _IMPORTS):
                self._import(statement)
            elif isinstance(statement, _ASSIGNMENTS):
                running.append(statement)
                if type(statement.value) is ast.Call:
                    made.append(statement.value.func)
            elif isinstance(statement, _RUNNING):
                running.append(statement)
        self._global = Frame({}, bindings, docstring, self._argparse_names, self._functions)
        # A parser of the module's own; what is under a condition is for when the module is run as a script.
        if any(self._makes_parser(function) for function in made):
            with contextlib.suppress(_Parsed):
                self._block(running, self._global)
        self.last_parser = None

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            names = {each.asname or each.name: "" for each in statement.names if each.name == "argparse"}
        elif statement.module == "argparse":
            names = {each.asname or each.name: each.name for each in statement.names}
        else:
            return
        self._argparse_names |= names

    def enter(self, entrypoint: ast.expr) -> None:
        """Call the entrypoint with the arguments of the job."""
        match self._global.scope.constants.resolve(entrypoint):
            case ast.Name(id=name) if name in self._functions:
                self._call(self._functions[name], [ARGUMENTS], [None], {})
            case ast.Lambda(args=ast.arguments(posonlyargs=[], args=[ast.arg(arg=name), *_]), body=body):
                frame = self._global.inner()
                frame.bind(name, ARGUMENTS, None)
                self._value(body, frame)
            case _:
                pass

    def _call(
        self,
        function: ast.FunctionDef,
        things: Sequence[Thing],
        nodes: Sequence[ast.expr | None],
        named: Mapping[str, tuple[Thing, ast.expr | None]],
    ) -> Thing:
        if self._depth >= MAX_DEPTH:
            return None
        frame = self._global.inner()
        declared = function.args
        names = [each.arg for each in (*declared.posonlyargs, *declared.args)]
        if declared.defaults or declared.kwonlyargs:
            frame.bind_defaults(declared)
            names += (each.arg for each in declared.kwonlyargs)
        for number, name in enumerate(names):
            if number < len(things):
                frame.bind(name, things[number], nodes[number])
            elif name in named:
                frame.bind(name, *named[name])
            elif name not in frame.bindings:
                frame.bind(name, None, None)
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
            self._statement(statement, frame)

    def _statement(self, statement: ast.stmt, frame: Frame) -> None:
        self._statements += 1
        if self._statements > MAX_STATEMENTS:
            raise NotFollowedError(statement.lineno, "the code is too long")
        # The most frequent kinds first, by type: patterns are tried one after the other.
        if type(statement) is ast.Expr:
            self._value(statement.value, frame)
            return
        if type(statement) is ast.Assign and len(statement.targets) == 1:
            self._assign(statement.targets[0], statement.value, frame)
            return
        match statement:
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, frame)
            case ast.Return(value=value):
                raise _Returned(None if value is None else self._value(value, frame))
            case ast.With(items=items, body=body):
                for item in items:
                    self._value(item.context_expr, frame)
                self._block(body, frame)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._block(body, frame)
                for conditional in (*handlers, *orelse, *finalbody):
                    self._maybe(conditional, frame)
            case ast.For(target=target, iter=iterated, body=body, orelse=[]) if (items := frame.items(iterated)) is not None:
                for item in items:
                    self._assign(target, item, frame)
                    self._block(body, frame)
            case ast.If(test=test, body=body, orelse=orelse):
                self._value(test, frame)
                for conditional in (*body, *orelse):
                    self._maybe(conditional, frame)
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.FunctionDef():
                # Seen from outside it may be called at any time.
                self._maybe(statement, frame)
            case _:
                self._maybe(statement, frame)

    def _assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        match target:
            case ast.Name(id=name):
                thing = ARGUMENTS if frame.is_arguments(value) else self._value(value, frame)
                if frame is self._global and name in frame.bindings:
                    if thing is not None:
                        frame.things[name] = thing
                    return
                frame.bind(name, thing, frame.constant(value) if thing is None else None)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                match value:
                    case ast.Tuple(elts=values) | ast.List(elts=values) if len(values) == len(targets):
                        for each, given in zip(targets, values, strict=True):
                            self._assign(each, given, frame)
                    case _:
                        self._value(value, frame)
                        for each in targets:
                            if isinstance(each, ast.Name):
                                frame.bind(each.id, None, None)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in frame.things:
                if attribute not in _SHOWN_ONLY:
                    raise NotFollowedError(target.lineno, f"{name}.{attribute} is set")
            case _:
                if self._value(value, frame) is not None:
                    raise NotFollowedError(value.lineno, f"the parser is kept in {ast.unparse(target)}")

    def _value(self, node: ast.expr, frame: Frame) -> Thing:
        if type(node) is ast.Name:
            return frame.things.get(node.id)
        if type(node) is ast.Call:
            return self._called(node, frame)
        match node:
            case ast.Constant() | ast.Lambda():
                return None
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, value, frame)
                return frame.things.get(target.id)
            case ast.Attribute(value=value, attr=attribute):
                thing = self._value(value, frame)
                if isinstance(thing, TRACKED) and attribute not in _SHOWN_ONLY:
                    raise NotFollowedError(node.lineno, f"{ast.unparse(node)} is used")
            case ast.IfExp() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._maybe(node, frame)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr) and isinstance(self._value(child, frame), TRACKED):
                        raise NotFollowedError(child.lineno, f"the parser is used in {ast.unparse(node)[:60]}")
        return None

    def _called(self, node: ast.Call, frame: Frame) -> Thing:
        function = node.func
        if frame.scope.of_argparse(function) == "ArgumentParser":
            call = self._noted(node, frame)
            self.last_parser = new_parser(call, self._parents(call, frame))
            return self.last_parser
        if isinstance(function, ast.Attribute):
            subject = self._value(function.value, frame)
            if isinstance(subject, TRACKED):
                return self._method(subject, function.attr, node, frame)
        things = [self._value(each, frame) for each in node.args]
        named = {each.arg: (self._value(each.value, frame), each.value) for each in node.keywords}
        if isinstance(function, ast.Name) and function.id in self._functions and function.id not in frame.things:
            if any(isinstance(each, ast.Starred) for each in node.args):
                return None
            given = [frame.constant(each) if thing is None else None for thing, each in zip(things, node.args, strict=True)]
            by_name = {
                name: (thing, frame.constant(value) if thing is None else None)
                for name, (thing, value) in named.items()
                if name is not None
            }
            things = [ARGUMENTS if frame.is_arguments(each) else thing for each, thing in zip(node.args, things, strict=True)]
            return self._call(self._functions[function.id], things, given, by_name)
        if any(isinstance(thing, TRACKED) for thing in (*things, *(thing for thing, _ in named.values()))):
            raise NotFollowedError(node.lineno, f"the parser is given to {ast.unparse(function)}, which is not in this module")
        return None

    def _method(self, subject: Tracked, name: str, node: ast.Call, frame: Frame) -> Thing:
        parser = subject.parser if isinstance(subject, Group) else subject
        if isinstance(parser, DeclaredCommands):
            if name == "add_parser":
                call = self._noted(node, frame)
                try:
                    return parser.add(call, self._parents(call, frame))
                except NotConstantError as error:
                    raise NotFollowedError(node.lineno, f"the name of a command is not a constant: {error}") from None
            raise NotFollowedError(node.lineno, f"{name} of the commands is called")
        if name in _PARSE:
            if not self._parses_arguments(node, frame):
                raise NotFollowedError(node.lineno, f"{ast.unparse(node)[:60]} does not parse the job's arguments as they are")
            raise _Parsed(parser)
        if name in _HARMLESS:
            return None
        call = self._noted(node, frame)
        section = subject.section if isinstance(subject, Group) else ""
        match name:
            case "add_argument":
                parser.add(call, section)
            case "add_argument_group":
                return Group(parser, self._title(call))
            case "add_mutually_exclusive_group":
                return Group(parser, section)
            case "add_subparsers":
                return parser.add_commands(call)
            case "set_defaults":
                parser.set_defaults(call)
            case _:
                raise NotFollowedError(node.lineno, f"{name} of the parser is called")
        return None

    def _parses_arguments(self, node: ast.Call, frame: Frame) -> bool:
        if len(node.args) > 1 or any(each.arg != "args" for each in node.keywords):
            return False
        given = [*node.args, *(each.value for each in node.keywords)]
        if len(given) > 1:
            return False
        return not given or (isinstance(given[0], ast.Constant) and given[0].value is None) or frame.is_arguments(given[0])

    def _title(self, call: Call) -> str:
        try:
            title = call.constant("title") if not call.names else call.scope.constants.evaluate(call.names[0])
        except NotConstantError:
            return ""
        return title if isinstance(title, str) else ""

    def _noted(self, node: ast.Call, frame: Frame) -> Call:
        keywords: dict[str, ast.expr] = {}
        for each in node.keywords:
            if each.arg is None:
                raise NotFollowedError(node.lineno, "** in a call that builds the parser")
            keywords[each.arg] = each.value
        if any(isinstance(each, ast.Starred) for each in node.args):
            raise NotFollowedError(node.lineno, "* in a call that builds the parser")
        return Call(node.lineno, tuple(node.args), keywords, frame.scope)

    def _parents(self, call: Call, frame: Frame) -> list[DeclaredParser]:
        node = call.keywords.get("parents")
        if node is None:
            return []
        items = frame.items(node)
        parents = [self._value(each, frame) for each in items or []]
        found = [each for each in parents if isinstance(each, DeclaredParser)]
        if items is None or len(found) != len(parents):
            raise NotFollowedError(node.lineno, "parents= is not a list of parsers of this module")
        return found

    def _maybe(self, node: ast.AST, frame: Frame) -> None:
        """Look at code that may or may not run: it may parse, and may not build."""
        allowed: set[int] = set()
        for each in ast.walk(node):
            match each:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as used, attr=method)) if frame.is_tracked(name):
                    if method in _PARSE:
                        self._called(each, frame)
                    if method in _HARMLESS:
                        allowed.add(id(used))
                case ast.Attribute(value=ast.Name() as used, attr=attribute) if attribute in _SHOWN_ONLY:
                    allowed.add(id(used))
                case ast.Name(id=name) if id(each) not in allowed and frame.is_tracked(name):
                    raise NotFollowedError(each.lineno, f"{name} is used under a condition")
                case ast.Call(func=function) if frame.scope.of_argparse(function) == "ArgumentParser":
                    raise NotFollowedError(each.lineno, "the parser is built under a condition")
                case ast.Call(func=ast.Name(id=name)) if frame is not self._global and self._leads_to_parser(name):
                    raise NotFollowedError(each.lineno, f"{name}() is called under a condition")
                case _:
                    pass

    def _makes_parser(self, function: ast.expr) -> bool:
        if type(function) is ast.Name and self._leads_to_parser(function.id):
            return True
        return self._global.scope.of_argparse(function) == "ArgumentParser"

    def _leads_to_parser(self, name: str) -> bool:
        function = self._functions.get(name)
        if function is None:
            return False
        return any(
            isinstance(each, ast.Call) and self._global.scope.of_argparse(each.func) == "ArgumentParser"
            for each in ast.walk(function)
        )
