"""One ``add_argument`` of a job, understood: its names, its action, how many values it takes, and its default."""

import ast
import functools
import re
from typing import NamedTuple

from dagsync.evaluation import NotConstantError, source_of
from dagsync.fields import MAX_INTEGER
from dagsync.parsers import Call, DeclaredParser, NotFollowedError
from dagsync.texts import Value, shown

ACTIONS = frozenset(
    {"append", "append_const", "count", "extend", "store", "store_const", "store_false", "store_true", "toggle"}
)
"""Those of ``argparse``, where ``toggle`` is ``BooleanOptionalAction``."""

_SHOW_AND_EXIT = ("help", "version")
_NARGS = {"OPTIONAL": "?", "ZERO_OR_MORE": "*", "ONE_OR_MORE": "+"}
_OPTION_STRING = re.compile(r"--?[^\s=-][^\s=]*")
_NEGATIVE_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


class Names(NamedTuple):
    """What an argument is called."""

    flags: tuple[str, ...]
    """Option strings; empty for a positional."""

    flag: str
    """The option string that is used; empty for a positional."""

    dest: str


class Argument(NamedTuple):
    """One ``add_argument``."""

    section: str
    names: Names
    action: str
    nargs: str | int | None
    default: Value
    default_text: str | None
    """The default as written, where it is no constant."""

    required: bool
    required_if: str = ""
    """What decides whether it is required, where that is no constant."""


def argument_of(parser: DeclaredParser, call: Call, section: str) -> Argument | None:
    """Return the argument that ``call`` adds to a group of the parser, which has the title ``section`` or none.

    ``None`` if it takes no value and only shows something. Raises ``NotFollowedError``.
    """
    keywords = call.keywords
    action = _action(call) if "action" in keywords else "store"
    if action in _SHOW_AND_EXIT:
        return None
    if action not in ACTIONS:
        raise NotFollowedError(call.line, f"action {shown(action)}")
    names = _names(call)
    nargs = _nargs(call) if "nargs" in keywords else None
    if "default" in keywords or parser.defaults:
        default, text = _default(parser, call, names.dest, _IMPLIED.get(action))
    else:
        default, text = _IMPLIED.get(action), None
    required, condition = not names.flags and nargs not in ("?", "*"), ""
    if "required" in keywords:
        try:
            required = required or call.constant("required") is True
        except NotConstantError:
            condition = source_of(keywords["required"])
    return Argument(section, names, action, nargs, default, text, required, condition)


_IMPLIED = {"store_true": False, "store_false": True}


def _action(call: Call) -> str:
    if call.scope.of_argparse(call.keywords["action"]) == "BooleanOptionalAction":
        return "toggle"
    action = call.decided("action")
    if not isinstance(action, str):
        raise NotFollowedError(call.line, f"action {shown(action)}")
    return action


def _nargs(call: Call) -> str | int | None:
    nargs = _NARGS.get(call.scope.of_argparse(call.keywords["nargs"]) or "") or call.decided("nargs")
    if nargs is None or (isinstance(nargs, str) and nargs in {"?", "*", "+"}):
        return nargs
    if isinstance(nargs, int) and nargs is not True and 1 <= nargs < MAX_INTEGER:
        return nargs
    raise NotFollowedError(call.line, f"nargs={shown(nargs)}")


def _names(call: Call) -> Names:
    given: list[str] = []
    for node in call.names:
        if type(node) is ast.Constant and isinstance(node.value, str):
            given.append(node.value)
        else:
            given.append(_name(call, node))
    dest: Value = None
    if "dest" in call.keywords:
        dest = call.decided("dest")
        if dest is not None and (not isinstance(dest, str) or not dest):
            raise NotFollowedError(call.line, f"dest={shown(dest)}")
    if len(given) < 2 and not (given and given[0].startswith("-")):
        # A positional is named by dest= or by position, not by both.
        found = given[0] if given else dest
        if not found or (given and dest):
            raise NotFollowedError(call.line, "an argument has no name")
        return Names((), "", found)
    try:
        return _of_option(tuple(given), dest)
    except ValueError as error:
        raise NotFollowedError(call.line, str(error)) from None


def _name(call: Call, node: ast.expr) -> str:
    try:
        name = call.scope.constants.evaluate(node)
    except NotConstantError as error:
        raise NotFollowedError(call.line, f"the name of an argument is not a constant: {error}") from None
    if not isinstance(name, str):
        raise NotFollowedError(call.line, f"the name of an argument is {shown(name)}")
    return name


@functools.lru_cache(maxsize=4096)
def _of_option(flags: tuple[str, ...], dest: str | None) -> Names:
    """Return the names of an option. Remembered, because the jobs of a tree have many in common."""
    for name in flags:
        if not _OPTION_STRING.fullmatch(name) or _NEGATIVE_NUMBER.fullmatch(name):
            raise ValueError(f"the option {shown(name)}")
    flag = next((each for each in flags if each.startswith("--")), flags[0])
    return Names(flags, flag, dest or flag.lstrip("-").replace("-", "_"))


def _default(parser: DeclaredParser, call: Call, dest: str, implied: Value) -> tuple[Value, str | None]:
    source = call if "default" in call.keywords else None
    node = call.keywords.get("default")
    setting = parser.defaults.get(dest)
    if setting is not None and (source is None or setting.line > call.line):
        source, node = setting, setting.keywords[dest]
    if source is None or node is None:
        return implied, None
    if source.scope.of_argparse(node) == "SUPPRESS":
        return implied if isinstance(implied, bool) else None, None
    try:
        return source.constant("default" if source is call else dest), None
    except NotConstantError:
        return None, ast.unparse(node)[:80]
