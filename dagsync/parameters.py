"""From the declaration of a parser to typed params: what Airflow's trigger form shows, and how each becomes arguments."""

import ast
import contextlib
import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from dagsync.evaluation import NotConstantError
from dagsync.fields import Json, Kind, UnfitError, as_json, choices_of, fits, help_text, is_date, kind_of_type, kind_of_values
from dagsync.params import Parameter
from dagsync.parsers import Call, DeclaredArgument, DeclaredCommands, DeclaredParser, NotFollowedError
from dagsync.texts import Value

MAX_PARAMETERS = 100
MAX_DESCRIPTION = 1000

RAW = "args"
"""Key of the param that holds a whole command line."""

_ACTIONS = frozenset(
    {"append", "append_const", "count", "extend", "help", "store", "store_const", "store_false", "store_true", "version"}
)
_NARGS = {"OPTIONAL": "?", "ZERO_OR_MORE": "*", "ONE_OR_MORE": "+"}
_OPTION_STRING = re.compile(r"--?[^\s=-][^\s=]*")
_NEGATIVE_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


class Argument(NamedTuple):
    """One ``add_argument``, understood."""

    call: Call
    section: str
    flags: list[str]
    """Option strings; empty for a positional."""

    dest: str
    action: str
    nargs: str | int | None
    default: Value
    default_text: str | None
    """The default as written, where it is no constant."""

    required: bool
    flag: str
    """The option string that is used; empty for a positional."""


def parameters_of(parser: DeclaredParser) -> "list[tuple[Parameter, Argument | None]]":
    """Return the params of a parser, in the order of its arguments, each with its argument (``None``: a command).

    Raises ``NotFollowedError``.
    """
    found: list[tuple[Parameter, Argument | None]] = []
    keys = {RAW}
    for each in _level(parser, [], keys):
        found.append(each)
        if len(found) > MAX_PARAMETERS:
            raise NotFollowedError(parser.call.line, f"the parser has more than {MAX_PARAMETERS} arguments")
    return found


_Pairs = Iterator[tuple[Parameter, Argument | None]]


def _level(parser: DeclaredParser, path: list[str], keys: set[str]) -> _Pairs:
    arguments = [found for each in parser.arguments if (found := _argument(parser, each)) is not None]
    _check_positionals(arguments, parser.commands)
    seen: dict[str, int] = {}
    for argument in arguments:
        seen[argument.dest] = seen.get(argument.dest, 0) + 1
    strings: set[str] = set()
    for argument in arguments:
        if strings.intersection(argument.flags):
            raise NotFollowedError(argument.call.line, f"{argument.flag} is added twice")
        strings.update(argument.flags)
        if argument.call.scope.of_argparse(argument.call.keywords.get("help")) == "SUPPRESS" and not argument.required:
            continue
        key = _key(argument, path, keys)
        yield _parameter(argument, key, path, is_shared=seen[argument.dest] > 1), argument
    if parser.commands is not None:
        yield from _commands(parser.commands, path, keys)


def _key(argument: Argument, path: list[str], keys: set[str]) -> str:
    if argument.dest not in keys:
        keys.add(argument.dest)
        return argument.dest
    candidates = [argument.dest, argument.flag.lstrip("-").replace("-", "_")]
    candidates.append("_".join([*path[1::2], argument.dest]))
    key = next((each for each in candidates if each and each not in keys), argument.dest)
    while key in keys:
        key += "_"
    keys.add(key)
    return key


def _argument(parser: DeclaredParser, declared: DeclaredArgument) -> Argument | None:
    call = declared.call
    keywords = call.keywords
    action: Value = "store"
    if "action" in keywords:
        is_toggle = call.scope.of_argparse(keywords["action"]) == "BooleanOptionalAction"
        action = "toggle" if is_toggle else call.decided("action")
    if action in {"help", "version"}:
        return None
    if not isinstance(action, str) or action not in {*_ACTIONS, "toggle"}:
        raise NotFollowedError(call.line, f"action {action!r}")
    flags, dest = _names(call)
    flag = next((each for each in flags if each.startswith("--")), flags[0] if flags else "")
    nargs: Value = None
    if "nargs" in keywords:
        nargs = _NARGS.get(call.scope.of_argparse(keywords["nargs"]) or "") or call.decided("nargs")
    if not (nargs is None or nargs in ("?", "*", "+") or (isinstance(nargs, int) and nargs is not True and nargs >= 1)):
        raise NotFollowedError(call.line, f"nargs={nargs!r}")
    default, default_text = _default(parser, call, dest, {"store_true": False, "store_false": True}.get(action))
    required = ("required" in keywords and call.decided("required") is True) or (not flags and nargs not in ("?", "*"))
    return Argument(call, declared.section, flags, dest, action, nargs, default, default_text, required, flag)  # pyright: ignore[reportArgumentType] - nargs was checked


def _names(call: Call) -> tuple[list[str], str]:
    names: list[str] = []
    for node in call.names:
        if type(node) is ast.Constant and isinstance(node.value, str):
            names.append(node.value)
            continue
        try:
            name = call.scope.constants.evaluate(node)
        except NotConstantError as error:
            raise NotFollowedError(call.line, f"the name of an argument is not a constant: {error}") from None
        if not isinstance(name, str):
            raise NotFollowedError(call.line, f"the name of an argument is {name!r}")
        names.append(name)
    dest: Value = None
    if "dest" in call.keywords:
        dest = call.decided("dest")
        if dest is not None and (not isinstance(dest, str) or not dest):
            raise NotFollowedError(call.line, f"dest={dest!r}")
    if len(names) < 2 and not any(name.startswith("-") for name in names):
        # A positional is named by dest= or by position, not by both.
        found = names[0] if names else dest
        if not found or (names and dest):
            raise NotFollowedError(call.line, "an argument has no name")
        return [], found
    for name in names:
        if name.startswith("--") and name[2:3].isalnum() and name.replace("-", "").replace("_", "").isalnum():
            continue
        if not _OPTION_STRING.fullmatch(name) or _NEGATIVE_NUMBER.fullmatch(name):
            raise NotFollowedError(call.line, f"the option {name!r}")
    long = next((name for name in names if name.startswith("--")), names[0])
    return names, dest or long.lstrip("-").replace("-", "_")


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


def _check_positionals(arguments: list[Argument], commands: DeclaredCommands | None) -> None:
    """Refuse positionals of which argparse, and not the value, decides where one ends and the next begins."""
    greedy = False
    for argument in arguments:
        if argument.flags:
            continue
        if argument.action not in {"store", "extend", "append"}:
            raise NotFollowedError(argument.call.line, f"action {argument.action!r} of a positional")
        if greedy and argument.nargs in ("?", "*", "+"):
            raise NotFollowedError(argument.call.line, f"{argument.dest} comes after a positional of any number of values")
        if commands is not None and (argument.nargs in ("?", "*", "+") or argument.call.line > commands.call.line):
            raise NotFollowedError(
                argument.call.line, f"{argument.dest} stands before a command, and where it ends is not certain"
            )
        greedy = greedy or argument.nargs in ("*", "+")


def _commands(commands: DeclaredCommands, path: list[str], keys: set[str]) -> _Pairs:
    call = commands.call
    unknown = call.keywords.keys() - {"dest", "description", "help", "metavar", "prog", "required", "title"}
    if unknown or not commands.parsers:
        raise NotFollowedError(
            call.line, f"{', '.join(sorted(unknown))}= of add_subparsers" if unknown else "no command is added"
        )
    dest = call.decided("dest")
    key = dest if isinstance(dest, str) and dest else "command"
    while key in keys:
        key += "_"
    keys.add(key)
    required = call.decided("required", False) is True
    names: list[Json] = [*commands.parsers, None]
    schema: dict[str, Json] = {"type": ["string", "null"], "enum": names, "title": key}
    _describe(schema, help_text(call, None), required, path, "")
    yield Parameter(key, None, schema, [key, "", "command", None, *path]), None
    for name, parser in commands.parsers.items():
        yield from _level(parser, [*path, key, name], keys)


def _parameter(argument: Argument, key: str, path: list[str], *, is_shared: bool) -> Parameter:
    if argument.action in {"store_true", "store_false", "store_const", "append_const"}:
        default, schema, shape, omitted = _flag(argument, is_shared)
    elif argument.action == "toggle":
        default, schema, shape, omitted = _toggle(argument)
    elif argument.action == "count":
        default, schema, shape, omitted = _count(argument)
    else:
        default, schema, shape, omitted = _valued(argument)
    if is_shared and shape not in {"flag", "append", "append-list"}:
        # The name's default is that of the first argument that sets it.
        default = omitted = None
        schema["type"] = _nullable(schema["type"])
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    title = argument.flag or key
    if argument.action == "store_false" and omitted is True:
        title = argument.dest
    schema["title"] = title
    shown = argument.default_text if argument.default_text is not None else str(argument.default)
    description = help_text(argument.call, shown) if "help" in argument.call.keywords else ""
    if default is None and not argument.required and argument.default_text and argument.default_text not in description:
        description = f"{description} (default: {argument.default_text})".strip()
    if title != argument.flag and argument.flag:
        description = f"{description} (off: {argument.flag})".strip()
    _describe(schema, description, argument.required, path, argument.section)
    return Parameter(key, default, schema, [key, argument.flag, shape, omitted, *path])


_Typed = tuple[Json, dict[str, Json], str, Json]


def _flag(argument: Argument, is_shared: bool) -> _Typed:
    plain = {"store_true": False, "store_false": True}
    if not is_shared and argument.action in plain and argument.default is plain[argument.action]:
        return argument.default, {"type": "boolean"}, "flag", argument.default
    return False, {"type": "boolean"}, "flag", False


def _toggle(argument: Argument) -> _Typed:
    if not argument.flag.startswith("--"):
        raise NotFollowedError(argument.call.line, "BooleanOptionalAction without a long option")
    default = argument.default if isinstance(argument.default, bool) else None
    schema: dict[str, Json] = {"type": "boolean" if default is not None else ["boolean", "null"]}
    return default, schema, "toggle", None if argument.required else default


def _count(argument: Argument) -> _Typed:
    default = argument.default
    if default is None and argument.default_text is None:
        return None, {"type": ["integer", "null"], "minimum": 1}, "count", None
    if isinstance(default, bool) or not isinstance(default, int):
        raise NotFollowedError(argument.call.line, f"the default of {argument.flag}, which is counted, is not a whole number")
    return default, {"type": "integer", "minimum": default}, "count", default


def _valued(argument: Argument) -> _Typed:
    call = argument.call
    choices = choices_of(call)
    is_list = argument.nargs not in (None, "?") or argument.action in {"append", "extend"}
    defaults = argument.default if isinstance(argument.default, tuple | list) else [argument.default]
    known = choices or [each for each in defaults if each is not None]
    kind = kind_of_values(*kind_of_type(call), known)
    item = _item(kind, choices, "type" in call.keywords and is_date(call))
    if argument.action in {"append", "extend"}:
        return _repeated(argument, item)
    if is_list:
        return _listed(argument, item, kind)
    default: Json = None
    if argument.flags or argument.nargs == "?":
        try:
            default = None if argument.default is None else as_json(kind, argument.default)
        except UnfitError:
            default = None
        if len(item) > 1 and not fits(item, default):
            default = None
    if argument.nargs == "?" and argument.flags:
        item["type"] = [item["type"], "boolean"]
        if "enum" in item:
            item["enum"] = [*item["enum"], True]
    if default is None:
        item["type"] = _nullable(item["type"])
        if "enum" in item:
            item["enum"] = [*item["enum"], None]
    return default, item, "optional" if argument.nargs == "?" else "value", None if argument.required else default


def _listed(argument: Argument, item: dict[str, Json], kind: Kind) -> _Typed:
    schema = _array(item)
    if isinstance(argument.nargs, int):
        schema |= {"minItems": argument.nargs, "maxItems": argument.nargs}
    elif argument.nargs == "+":
        schema["minItems"] = 1
    default: Json = None
    if isinstance(argument.default, tuple | list) and (argument.flags or argument.nargs == "*"):
        try:
            default = [as_json(kind, each) for each in argument.default]
        except UnfitError:
            default = None
    if not argument.flags and argument.nargs == "*":
        if argument.default is None and argument.default_text is None:
            default = []
        if default != []:
            # No command line says "none at all" of a positional that has a default.
            schema["minItems"] = 1
    if not fits(schema, default):
        default = None
        schema["type"] = _nullable(schema["type"])
    return default, schema, "list", None if argument.required else default


def _repeated(argument: Argument, item: dict[str, Json]) -> _Typed:
    if not argument.flags:
        raise NotFollowedError(argument.call.line, f"action {argument.action!r} of a positional")
    if argument.action == "append" and argument.nargs is not None:
        if argument.nargs == "?":
            raise NotFollowedError(argument.call.line, "action 'append' with nargs='?'")
        inner: dict[str, Json] = {"type": "array", "items": item}
        if isinstance(argument.nargs, int):
            inner |= {"minItems": argument.nargs, "maxItems": argument.nargs}
        elif argument.nargs == "+":
            inner["minItems"] = 1
        return [], {"type": "array", "items": inner}, "append-list", []
    if argument.action == "extend" and argument.nargs not in ("*", "+"):
        raise NotFollowedError(argument.call.line, f"action 'extend' with nargs={argument.nargs!r}")
    return [], _array(item), "append", []


def _item(kind: Kind, choices: list[Value] | None, day: bool) -> dict[str, Json]:
    item: dict[str, Json] = {"type": kind}
    if choices is not None:
        with contextlib.suppress(UnfitError):
            item["enum"] = list(dict.fromkeys(as_json(kind, choice) for choice in choices))
    elif day:
        item["format"] = "date"
    return item


def _array(item: dict[str, Json]) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": "array", "items": item}
    if item["type"] == "string" and "enum" in item:
        # What makes Airflow's form offer them for selection.
        schema["examples"] = item["enum"]
    return schema


def _nullable(types: Json) -> list[str]:
    found = cast("list[str]", types) if isinstance(types, list) else [types]
    return found if "null" in found else [*found, "null"]


def _describe(schema: dict[str, Json], description: str, required: bool, path: list[str], section: str) -> None:
    text = f"Required. {description}".strip() if required else description
    if text:
        schema["description"] = text[:MAX_DESCRIPTION]
    if shown := " ".join([*path[1::2], section]).strip():
        schema["section"] = shown[:100].replace("\0", "")
