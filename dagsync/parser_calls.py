"""The methods of a parser, and of its groups, that a job calls: which of them build it, and how."""

import ast

from dagsync.evaluation import NotConstantError
from dagsync.frames import Frame, Thing
from dagsync.parsers import Call, DeclaredArgument, Group, NotFollowedError, Rivals, Scope, noted

PARSE = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"})

HARMLESS = frozenset({"error", "exit", "format_help", "format_usage", "get_default", "print_help", "print_usage"})
"""Methods that leave the parser as it is."""

SHOWN_ONLY = frozenset({"description", "epilog", "formatter_class", "prog", "usage"})
"""Attributes that change nothing of what a command line means."""


def build(group: Group, method: str, node: ast.Call, scope: Scope) -> Thing:
    """Do what ``method`` of the group, or of the parser as one without a title, does. Raises ``NotFollowedError``."""
    parser = group.parser
    if method == "add_argument":
        parser.arguments.append(DeclaredArgument(node, scope, group.section, group.rivals))
        return None
    call = noted(node, scope)
    match method:
        case "add_argument_group":
            return Group(parser, _title(call))
        case "add_mutually_exclusive_group":
            return Group(parser, group.section, Rivals(_is_required(call)))
        case "add_subparsers":
            return parser.add_commands(call)
        case "set_defaults":
            parser.set_defaults(call)
        case _:
            raise NotFollowedError(call.line, f"{method} of the parser is called")
    return None


def _title(call: Call) -> str:
    try:
        title = call.constant("title") if not call.names else call.scope.constants.evaluate(call.names[0])
    except NotConstantError:
        return ""
    return title if isinstance(title, str) else ""


def _is_required(call: Call) -> bool:
    try:
        return call.constant("required") is True
    except NotConstantError:
        return False


def parses_arguments(node: ast.Call, frame: Frame) -> bool:
    """Return whether a call of ``parse_args`` parses the arguments of the job, all of them and as they are."""
    if len(node.args) + len(node.keywords) > 1:
        return False
    if node.args:
        given = node.args[0]
    elif node.keywords:
        if node.keywords[0].arg != "args":
            return False
        given = node.keywords[0].value
    else:
        return True
    return (isinstance(given, ast.Constant) and given.value is None) or frame.is_arguments(given)
