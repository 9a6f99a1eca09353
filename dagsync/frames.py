"""What the local names of a function stand for while its statements are followed."""

import ast
from collections.abc import Mapping, Sequence

from dagsync.evaluation import NotConstantError
from dagsync.parsers import DeclaredCommands, DeclaredParser, Group, Scope
from dagsync.texts import Value


class Arguments:
    """The argument list the entrypoint was called with."""


ARGUMENTS = Arguments()

Tracked = DeclaredParser | DeclaredCommands | Group
"""What builds the parser, and must not be lost from sight."""

# A tuple, because isinstance takes a union three times as long.
TRACKED = (DeclaredParser, DeclaredCommands, Group)

Thing = Tracked | Arguments | None


class Frame:
    """The names that one call of a function, or the module, can see."""

    def __init__(self, things: Mapping[str, Thing], scope: Scope) -> None:
        self.things = dict(things)
        self.scope = scope

    def inner(self) -> "Frame":
        """Return the frame of a function defined here, before anything is bound in it."""
        return Frame(self.things, self.scope)

    def is_bound(self, name: str) -> bool:
        """Return whether a name stands for a constant here, or for something unknown."""
        return name in self.scope.constants.bindings

    def bind(self, name: str, thing: Thing, node: ast.expr | None) -> None:
        """Let a name stand for a thing, for the constant expression ``node``, or for something unknown."""
        self.things.pop(name, None)
        if thing is not None:
            self.things[name] = thing
        if node is not None or self.is_bound(name):
            # Made anew, because calls that were seen keep the scope they saw.
            self.scope = self.scope._replace(constants=self.scope.constants.bound(name, node))

    def bind_parameters(
        self,
        declared: ast.arguments,
        given: "Sequence[tuple[Thing, ast.expr | None]]",
        named: "Mapping[str, tuple[Thing, ast.expr | None]]",
    ) -> None:
        """Let the parameters of a function stand for what a call gives them, by position and by name."""
        parameters = [*declared.posonlyargs, *declared.args] if declared.posonlyargs else declared.args
        names = [each.arg for each in parameters]
        if declared.defaults or declared.kwonlyargs:
            self._bind_defaults(names, declared)
            names += [each.arg for each in declared.kwonlyargs]
        for number, name in enumerate(names):
            if number < len(given):
                self.bind(name, *given[number])
            elif name in named:
                self.bind(name, *named[name])
            elif not self.is_bound(name):
                self.bind(name, None, None)

    def _bind_defaults(self, names: Sequence[str], declared: ast.arguments) -> None:
        for name, node in zip(reversed(names), reversed(declared.defaults), strict=False):
            self.bind(name, None, node)
        for each, node in zip(declared.kwonlyargs, declared.kw_defaults, strict=True):
            self.bind(each.arg, None, node)

    def is_tracked(self, name: str) -> bool:
        return isinstance(self.things.get(name), TRACKED)

    def constant(self, node: ast.expr) -> ast.expr | None:
        """Return a literal that means anywhere what ``node`` means here, or ``None`` if it is no constant."""
        if isinstance(node, ast.Constant):
            return node
        try:
            return _literal(self.scope.constants.evaluate(node))
        except NotConstantError:
            return None

    def items(self, node: ast.expr) -> Sequence[ast.expr] | None:
        """Return the elements of a tuple or list that is written out."""
        found = self.scope.constants.resolve(node)
        if isinstance(found, ast.Tuple | ast.List) and not any(isinstance(each, ast.Starred) for each in found.elts):
            return found.elts
        return None

    def is_arguments(self, node: ast.expr) -> bool:
        """Return whether an expression is the argument list of the job, as it is."""
        # By type and not by pattern: asked of every value that is assigned.
        if type(node) is ast.Name:
            return self.things.get(node.id) is ARGUMENTS
        if type(node) is ast.Call:
            function = node.func
            if type(function) is ast.Name and function.id in {"list", "tuple"} and len(node.args) == 1 and not node.keywords:
                return self.is_arguments(node.args[0])
            return False
        match node:
            case ast.BoolOp(op=ast.Or(), values=[first, *_]) | ast.IfExp(body=first):
                return self.is_arguments(first)
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id="sys"), attr="argv"), slice=ast.Slice(ast.Constant(value=1), None, None)
            ):
                return True
            case _:
                return False


def _literal(value: Value) -> ast.expr:
    match value:
        case tuple():
            return ast.Tuple([_literal(each) for each in value], ast.Load())
        case list():
            return ast.List([_literal(each) for each in value], ast.Load())
        case dict():
            return ast.Dict([_literal(each) for each in value], [_literal(each) for each in value.values()])
        case _:
            return ast.Constant(value)
