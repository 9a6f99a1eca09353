"""From an argument to the JSON schema of its param: which values the trigger form takes, and which one it shows first."""

import contextlib
from typing import NamedTuple, cast

from dagsync.declared_arguments import Argument
from dagsync.fields import (
    MAX_INTEGER,
    Json,
    Kind,
    UnfitError,
    as_json,
    choices_of,
    fits,
    is_date,
    is_truth,
    kind_of_type,
    kind_of_values,
)
from dagsync.parsers import Call, NotFollowedError
from dagsync.texts import Value

Schema = dict[str, Json]


class Typed(NamedTuple):
    """What the values of one argument are."""

    default: Json
    schema: Schema
    shape: str
    """How values become arguments (see ``argv``)."""

    omitted: Json
    """The value for which nothing is given, because the parser has it as default."""


def typed(argument: Argument, call: Call, *, is_shared: bool) -> Typed:
    """Return what the values of an argument are, which ``call`` adds; ``is_shared``: other arguments set the same name.

    Raises ``NotFollowedError``.
    """
    action = argument.action
    if action in {"store", "append", "extend"}:
        found = _valued(argument, call)
    elif action == "toggle":
        found = _toggle(argument, call)
    elif action == "count":
        found = _count(argument, call)
    else:
        found = _flag(argument, is_shared)
    if is_shared and found.shape not in {"flag", "append", "append-list"}:
        # The name's default is that of the first argument that sets it.
        return Typed(None, _with_none(found.schema), found.shape, None)
    return found


def _flag(argument: Argument, is_shared: bool) -> Typed:
    default = argument.default
    if not is_shared and argument.action in {"store_true", "store_false"} and default is (argument.action == "store_false"):
        return Typed(default, {"type": "boolean"}, "flag", default)
    return Typed(False, {"type": "boolean"}, "flag", False)


def _toggle(argument: Argument, call: Call) -> Typed:
    if not argument.names.flag.startswith("--"):
        raise NotFollowedError(call.line, "BooleanOptionalAction without a long option")
    default = argument.default if isinstance(argument.default, bool) else None
    schema: Schema = {"type": "boolean" if default is not None else ["boolean", "null"]}
    return Typed(default, schema, "toggle", None if argument.required else default)


def _truth(argument: Argument) -> Typed:
    """Return what ``type=bool`` takes: any text is true, even ``False``, and only an empty one is not."""
    default = None if argument.default is None else bool(argument.default)
    schema: Schema = {"type": ["boolean", "null"] if default is None else "boolean"}
    return Typed(default, schema, "truth", None if argument.required else default)


def _count(argument: Argument, call: Call) -> Typed:
    default = argument.default
    if default is None and argument.default_text is None:
        return Typed(None, {"type": ["integer", "null"], "minimum": 1}, "count", None)
    if isinstance(default, bool) or not isinstance(default, int) or abs(default) >= MAX_INTEGER:
        what = f"the default of {argument.names.flag}, which is counted, is not a whole number"
        raise NotFollowedError(call.line, what)
    return Typed(default, {"type": "integer", "minimum": default}, "count", default)


def _valued(argument: Argument, call: Call) -> Typed:
    nargs = argument.nargs
    choices = choices_of(call) if "choices" in call.keywords else None
    kind, certain = kind_of_type(call)
    if not certain:
        if argument.action == "store" and nargs is None and argument.names.flags and choices is None and is_truth(call):
            return _truth(argument)
        defaults = argument.default if isinstance(argument.default, tuple | list) else [argument.default]
        kind = kind_of_values(kind, certain, choices or [each for each in defaults if each is not None])
    item = _item(kind, choices, not certain and is_date(call))
    if argument.action != "store":
        return _repeated(argument, item, call.line)
    if nargs is not None and nargs != "?":
        return _listed(argument, item, kind)
    default: Json = None
    if argument.default is not None and (argument.names.flags or nargs == "?"):
        with contextlib.suppress(UnfitError):
            default = as_json(kind, argument.default)
        if len(item) > 1 and not fits(item, default):
            default = None
    if nargs == "?" and argument.names.flags:
        item["type"] = [kind, "boolean"]
        if "enum" in item:
            item["enum"] = [*item["enum"], True]
    schema = item if default is not None else _with_none(item)
    return Typed(default, schema, "value" if nargs is None else "optional", None if argument.required else default)


def _listed(argument: Argument, item: Schema, kind: Kind) -> Typed:
    schema = _array(item)
    if isinstance(argument.nargs, int):
        schema |= {"minItems": argument.nargs, "maxItems": argument.nargs}
    elif argument.nargs == "+":
        schema["minItems"] = 1
    default: Json = None
    if isinstance(argument.default, tuple | list) and (argument.names.flags or argument.nargs == "*"):
        try:
            default = [as_json(kind, each) for each in argument.default]
        except UnfitError:
            default = None
    if not argument.names.flags and argument.nargs == "*":
        if argument.default is None and argument.default_text is None:
            default = []
        if default != []:
            # No command line says "none at all" of a positional that has a default.
            schema["minItems"] = 1
    if not fits(schema, default):
        default = None
        schema = _with_none(schema)
    return Typed(default, schema, "list", None if argument.required else default)


def _repeated(argument: Argument, item: Schema, line: int) -> Typed:
    action, nargs = argument.action, argument.nargs
    if not argument.names.flags:
        raise NotFollowedError(line, f"action {action!r} of a positional")
    if action == "extend":
        if nargs not in ("*", "+"):
            raise NotFollowedError(line, f"action 'extend' with nargs={nargs!r}")
        return Typed([], _array(item), "append", [])
    if nargs is None:
        return Typed([], _array(item), "append", [])
    if nargs == "?":
        raise NotFollowedError(line, "action 'append' with nargs='?'")
    inner: Schema = {"type": "array", "items": item}
    if isinstance(nargs, int):
        inner |= {"minItems": nargs, "maxItems": nargs}
    elif nargs == "+":
        inner["minItems"] = 1
    return Typed([], {"type": "array", "items": inner}, "append-list", [])


def _item(kind: Kind, choices: list[Value] | None, day: bool) -> Schema:
    item: Schema = {"type": kind}
    if choices is not None:
        with contextlib.suppress(UnfitError):
            item["enum"] = list(dict.fromkeys(as_json(kind, choice) for choice in choices))
    elif day:
        item["format"] = "date"
    return item


def _array(item: Schema) -> Schema:
    schema: Schema = {"type": "array", "items": item}
    if item["type"] == "string" and "enum" in item:
        # What makes Airflow's form offer them for selection.
        schema["examples"] = item["enum"]
    return schema


def _with_none(schema: Schema) -> Schema:
    """Return the schema of values that may also be ``None``."""
    types = cast("list[str]", schema["type"]) if isinstance(schema["type"], list) else [schema["type"]]
    wider = {**schema, "type": types if "null" in types else [*types, "null"]}
    if "enum" in schema and None not in schema["enum"]:
        wider["enum"] = [*schema["enum"], None]
    return wider
