"""What the expressions of a job's code yield, as far as its parser is concerned; nothing else is evaluated."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from dagsync.conditions import refuse_building
from dagsync.frames import ARGUMENTS, TRACKED, Frame, Thing, Tracked
from dagsync.module_names import Function, ModuleNames
from dagsync.parser_calls import HARMLESS, PARSE, SHOWN_ONLY, build, parses_arguments
from dagsync.parsers import DeclaredCommands, DeclaredParser, Group, NotFollowedError, Scope, new_parser, noted

Given = tuple[Thing, ast.expr | None]
"""What a parameter of a function is given: something that is tracked, a constant, or something unknown."""


class ArgumentsParsed(Exception):  # noqa: N818 - no error: where the search ends
    def __init__(self, parser: DeclaredParser) -> None:
        super().__init__()
        self.parser = parser


class Expressions(ABC):
    """Follows expressions; what statements do is for who inherits from it to say."""

    def __init__(self, names: ModuleNames, scope: Scope) -> None:
        """``scope`` is that of the module called ``names``."""
        self.names = names
        self.module = Frame({}, scope)
        self.last_parser: DeclaredParser | None = None

    @abstractmethod
    def assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        """Let ``target`` stand for what ``value`` yields."""

    @abstractmethod
    def call(self, function: Function, given: Sequence[Given], named: Mapping[str, Given]) -> Thing:
        """Follow a function of the module and return what it returns."""

    def maybe(self, node: ast.AST, frame: Frame) -> None:
        """Look at code that may or may not run: it may parse, and may not build."""
        for parse in refuse_building(node, frame, in_function=frame is not self.module):
            self.called(parse, frame)

    def value(self, node: ast.expr, frame: Frame) -> Thing:
        """Return what an expression yields if that is tracked."""
        # The most frequent kinds first, by type: patterns are tried one after the other.
        if type(node) is ast.Name:
            return frame.things.get(node.id)
        if type(node) is ast.Call:
            return self.called(node, frame)
        match node:
            case ast.Constant() | ast.Lambda():
                return None
            case ast.Await(value=value):
                return self.value(value, frame)
            case ast.NamedExpr(target=target, value=value):
                self.assign(target, value, frame)
                return frame.things.get(target.id)
            case ast.Attribute(value=value, attr=attribute):
                thing = self.value(value, frame)
                if isinstance(thing, TRACKED) and attribute not in SHOWN_ONLY:
                    raise NotFollowedError(node.lineno, f"{ast.unparse(node)} is used")
            case ast.IfExp() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.maybe(node, frame)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr) and isinstance(self.value(child, frame), TRACKED):
                        raise NotFollowedError(child.lineno, f"the parser is used in {ast.unparse(node)[:60]}")
        return None

    def called(self, node: ast.Call, frame: Frame) -> Thing:
        """Return what a call yields if that is tracked."""
        function = node.func
        if type(function) is ast.Attribute:
            owner = function.value
            subject = frame.things.get(owner.id) if type(owner) is ast.Name else self.value(owner, frame)
            if isinstance(subject, TRACKED):
                return self._method(subject, function.attr, node, frame)
        if frame.scope.of_argparse(function) == "ArgumentParser":
            call = noted(node, frame.scope)
            self.last_parser = new_parser(call, self._parents(call.keywords, frame))
            return self.last_parser
        things = [self.value(each, frame) for each in node.args]
        named = {each.arg: (self.value(each.value, frame), each.value) for each in node.keywords}
        if type(function) is ast.Name and function.id in self.names.functions and function.id not in frame.things:
            return self._called_here(self.names.functions[function.id], node.args, things, named, frame)
        if _any_tracked(things) or _any_tracked([thing for thing, _ in named.values()]):
            raise NotFollowedError(node.lineno, f"the parser is given to {ast.unparse(function)}, which is not in this module")
        return None

    def _called_here(
        self,
        function: Function,
        nodes: Sequence[ast.expr],
        things: Sequence[Thing],
        named: Mapping[str | None, tuple[Thing, ast.expr]],
        frame: Frame,
    ) -> Thing:
        given: list[Given] = []
        for node, thing in zip(nodes, things, strict=True):
            if isinstance(node, ast.Starred):
                return None
            if frame.is_arguments(node):
                given.append((ARGUMENTS, None))
            else:
                given.append((thing, frame.constant(node) if thing is None else None))
        by_name = {
            name: (thing, frame.constant(value) if thing is None else None)
            for name, (thing, value) in named.items()
            if name is not None
        }
        return self.call(function, given, by_name)

    def _method(self, subject: Tracked, name: str, node: ast.Call, frame: Frame) -> Thing:
        parser = subject.parser if isinstance(subject, Group) else subject
        if isinstance(parser, DeclaredCommands):
            if name != "add_parser":
                raise NotFollowedError(node.lineno, f"{name} of the commands is called")
            call = noted(node, frame.scope)
            return parser.add(call, self._parents(call.keywords, frame))
        if name in PARSE:
            if not parses_arguments(node, frame):
                what = f"{ast.unparse(node)[:60]} does not parse the job's arguments as they are"
                raise NotFollowedError(node.lineno, what)
            raise ArgumentsParsed(parser)
        if name in HARMLESS:
            return None
        return build(subject if isinstance(subject, Group) else Group(parser, ""), name, node, frame.scope)

    def _parents(self, keywords: Mapping[str, ast.expr], frame: Frame) -> list[DeclaredParser]:
        node = keywords.get("parents")
        if node is None:
            return []
        items = frame.items(node)
        parents = [self.value(each, frame) for each in items or []]
        found = [each for each in parents if isinstance(each, DeclaredParser)]
        if items is None or len(found) != len(parents):
            raise NotFollowedError(node.lineno, "parents= is not a list of parsers of this module")
        return found


def _any_tracked(things: Iterable[Thing]) -> bool:
    return any(isinstance(thing, TRACKED) for thing in things)
