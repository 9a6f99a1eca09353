"""What a job's source says about its argparse parser: the calls that build it, with their arguments still unevaluated."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dagsync.evaluation import Constants, NotConstantError
from dagsync.module_names import Function
from dagsync.texts import Value


class NotFollowedError(Exception):
    """The parser is built in a way that cannot be told from the source."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class Call(NamedTuple):
    """A call as written, and the names it can see."""

    line: int
    names: Sequence[ast.expr]
    """Arguments given by position."""

    keywords: Mapping[str, ast.expr]
    scope: "Scope"

    def constant(self, keyword: str, default: Value = None) -> Value:
        """Return a keyword's value. Raises ``NotConstantError``."""
        node = self.keywords.get(keyword)
        if node is None:
            return default
        # What most of them are, or names of such; in a tree of ten thousand jobs it shows.
        if type(node) is ast.Name:
            node = self.scope.constants.resolve(node)
        if type(node) is ast.Constant and isinstance(node.value, str | int | float | None):
            return node.value
        return self.scope.constants.evaluate(node)

    def decided(self, keyword: str, default: Value = None) -> Value:
        """Return the value of a keyword that decides how the command line looks. Raises ``NotFollowedError``."""
        if keyword not in self.keywords:
            return default
        try:
            return self.constant(keyword, default)
        except NotConstantError as error:
            raise NotFollowedError(error.line or self.line, f"{keyword}= is not a constant: {error}") from None


class Scope(NamedTuple):
    """What names stand for at one place of the source."""

    constants: Constants
    argparse_names: Mapping[str, str]
    """Names for ``argparse`` itself (``""``) and for what was imported from it."""

    functions: Mapping[str, Function]

    def of_argparse(self, node: ast.expr | None) -> str | None:
        """Return the name an expression has in ``argparse``, or ``None`` if it is not of it."""
        # By type and not by pattern: asked of every call of every job.
        if type(node) is ast.Name:
            return self.argparse_names.get(node.id) or None
        if type(node) is ast.Attribute and type(node.value) is ast.Name and self.argparse_names.get(node.value.id) == "":
            return node.attr
        return None

    def makes_parser(self, function: ast.expr) -> bool:
        """Return whether a call of ``function`` certainly or possibly makes a parser."""
        if type(function) is ast.Name and self.leads_to_parser(function.id):
            return True
        return self.of_argparse(function) == "ArgumentParser"

    def leads_to_parser(self, name: str) -> bool:
        """Return whether the function of the module that is called ``name``, if there is one, makes a parser."""
        function = self.functions.get(name)
        if function is None:
            return False
        return any(
            isinstance(each, ast.Call) and self.of_argparse(each.func) == "ArgumentParser" for each in ast.walk(function)
        )


def noted(node: ast.Call, scope: Scope) -> Call:
    """Return a call that builds a parser. Raises ``NotFollowedError`` for one whose arguments are not written out."""
    keywords: dict[str, ast.expr] = {}
    for each in node.keywords:
        if each.arg is None:
            raise NotFollowedError(node.lineno, "** in a call that builds the parser")
        keywords[each.arg] = each.value
    for each in node.args:
        if type(each) is ast.Starred:
            raise NotFollowedError(node.lineno, "* in a call that builds the parser")
    return Call(node.lineno, node.args, keywords, scope)


@dataclass(slots=True, eq=False)
class Rivals:
    """One ``add_mutually_exclusive_group``."""

    required: bool


class DeclaredArgument(NamedTuple):
    """One ``add_argument``, looked at no closer than it takes to tell that: most jobs have those of other jobs."""

    node: ast.Call
    scope: Scope
    section: str = ""
    """Title of the argument group."""

    rivals: Rivals | None = None
    """Whose arguments it is not given together with."""


@dataclass(slots=True)
class DeclaredCommands:
    """One ``add_subparsers`` and the parsers added to it, by name."""

    call: Call
    parsers: dict[str, "DeclaredParser"] = field(default_factory=dict[str, "DeclaredParser"])

    def add(self, call: Call, parents: "list[DeclaredParser]") -> "DeclaredParser":
        try:
            name = call.scope.constants.evaluate(call.names[0]) if len(call.names) == 1 else None
        except NotConstantError as error:
            raise NotFollowedError(call.line, f"the name of a command is not a constant: {error}") from None
        if not isinstance(name, str) or not name or name.startswith("-") or name in self.parsers:
            raise NotFollowedError(call.line, "the name of a command is not a constant of its own")
        added = self.parsers[name] = new_parser(Call(call.line, (), call.keywords, call.scope), parents)
        return added


@dataclass(slots=True)
class DeclaredParser:
    """One ``ArgumentParser``."""

    call: Call
    arguments: list[DeclaredArgument] = field(default_factory=list[DeclaredArgument])
    defaults: dict[str, Call] = field(default_factory=dict[str, Call])
    """Calls of ``set_defaults``, by the names they set."""

    commands: DeclaredCommands | None = None

    def add_commands(self, call: Call) -> DeclaredCommands:
        if self.commands is not None or call.names:
            raise NotFollowedError(call.line, "add_subparsers is called twice, or with arguments by position")
        self.commands = DeclaredCommands(call)
        return self.commands

    def set_defaults(self, call: Call) -> None:
        self.defaults |= dict.fromkeys(call.keywords, call)


class Group(NamedTuple):
    """One ``add_argument_group`` or ``add_mutually_exclusive_group``."""

    parser: DeclaredParser
    section: str
    rivals: Rivals | None = None


# Anything else changes what a command line means, or is newer than what is known here.
_HARMLESS = frozenset(
    {
        *("add_help", "aliases", "allow_abbrev", "color", "deprecated", "description", "epilog", "exit_on_error"),
        *("formatter_class", "help", "parents", "prog", "suggest_on_error", "title", "usage"),
    }
)
_EXPECTED = {"prefix_chars": "-", "conflict_handler": "error", "fromfile_prefix_chars": None}


def new_parser(call: Call, parents: list[DeclaredParser]) -> DeclaredParser:
    """Return the parser made by ``ArgumentParser(...)`` or ``add_parser(...)``. Raises ``NotFollowedError``."""
    if len(call.names) > 4:
        raise NotFollowedError(call.line, "ArgumentParser has more than four arguments by position")
    for keyword in call.keywords:
        if keyword in _EXPECTED:
            if call.decided(keyword) != _EXPECTED[keyword]:
                raise NotFollowedError(call.line, f"{keyword}= of the parser")
        elif keyword == "argument_default":
            if call.scope.of_argparse(call.keywords[keyword]) != "SUPPRESS" and call.decided(keyword) is not None:
                raise NotFollowedError(call.line, f"{keyword}= of the parser")
        elif keyword not in _HARMLESS:
            raise NotFollowedError(call.line, f"{keyword}= of the parser")
    parser = DeclaredParser(call)
    for parent in parents:
        if parent.commands is not None:
            raise NotFollowedError(call.line, "parents= of a parser with commands")
        parser.arguments.extend(parent.arguments)
        parser.defaults |= parent.defaults
    return parser
