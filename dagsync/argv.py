"""From the values of a job's typed params to its arguments: what the trigger form gives becomes a command line.

A DAG file hands over one row for each param: key, option string (empty for a positional), shape, the value for which nothing
is given because the parser has it as default, and for the params of a sub-command the path to it: key and name of each level.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

OptionRow = Sequence[Any]

_NEGATIVE_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


def argv_from(options: Sequence[OptionRow], values: Mapping[str, Any]) -> list[str]:
    """Return the arguments that give the job's parser these values.

    ``None`` and missing values give nothing. Raises ``ValueError`` for values that no command line can express, such as
    two values beginning with a dash for one option.
    """
    return _level(options, values, [])


def _level(options: Sequence[OptionRow], values: Mapping[str, Any], path: list[str]) -> list[str]:
    own = [tuple(row[:4]) for row in options if list(row[4:]) == path]
    named: list[_Given] = []
    positionals: list[str] = []
    skipped: str | None = None
    command: tuple[str, str] | None = None
    for key, flag, shape, omitted in own:
        value = values.get(key, omitted)
        nothing = value is None or (value == omitted and isinstance(value, bool) == isinstance(omitted, bool))
        if flag:
            if not nothing:
                named.extend(_option(key, flag, shape, omitted, value))
        elif shape == "command":
            command = None if nothing else (key, _text(key, value))
        elif nothing:
            skipped = key if shape == "optional" else skipped
        else:
            given = _texts(key, value) if shape == "list" else [_text(key, value)]
            if skipped is not None and shape in {"optional", "list"} and given:
                raise ValueError(f"{key}: can only be given together with {skipped}, which comes before it")
            positionals.extend(given)

    dashed = [text for text in positionals if text.startswith("-")]
    if "--" in dashed:
        raise ValueError("'--' cannot be given as a value")
    if command is None:
        # What follows an option that takes any number of values must not pass for another one.
        separated = dashed or (positionals and named and named[-1].is_open)
        return [*_flat(named), *(["--"] if separated else []), *positionals]
    named.sort(key=lambda given: not given.is_open)
    if dashed or (named and named[-1].is_open):
        culprit = dashed[0] if dashed else named[-1].texts[0]
        raise ValueError(f"{culprit!r} cannot be given before the command {command[1]!r}")
    return [*_flat(named), *positionals, command[1], *_level(options, values, [*path, *command])]


class _Given(NamedTuple):
    texts: list[str]
    is_open: bool = False
    """It would take what follows for one more value."""


def _flat(named: Sequence[_Given]) -> list[str]:
    return [text for given in named for text in given.texts]


def _option(key: str, flag: str, shape: str, omitted: Any, value: Any) -> list[_Given]:
    match shape:
        case "flag":
            return [_Given([flag])]
        case "toggle":
            return [_Given([flag if value else f"--no-{flag.removeprefix('--')}"])]
        case "truth":
            return [_Given([f"{flag}={'True' if value else ''}"])]
        case "count":
            return [_Given([flag])] * (int(_text(key, value)) - (omitted or 0))
        case "list":
            return [_listed(flag, _texts(key, value))]
        case "append":
            return [_Given([f"{flag}={text}"]) for text in _texts(key, value)]
        case "append-list":
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise ValueError(f"{key}: expected a list of lists, found {value!r}")
            return [_listed(flag, _texts(key, each)) for each in value]  # pyright: ignore[reportUnknownVariableType] - JSON
        case "optional" if value is True:
            return [_Given([flag], is_open=True)]
        case _:
            return [_Given([f"{flag}={_text(key, value)}"])]


def _listed(flag: str, texts: list[str]) -> _Given:
    if len(texts) == 1:
        return _Given([f"{flag}={texts[0]}"])
    for text in texts:
        if text.startswith("-") and not _NEGATIVE_NUMBER.fullmatch(text):
            raise ValueError(f"{flag}: {text!r} begins with a dash, so it can only be given alone")
    return _Given([flag, *texts], is_open=True)


def _texts(key: str, value: Any) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{key}: expected a list, found {value!r}")
    return [_text(key, each) for each in value]  # pyright: ignore[reportUnknownVariableType] - JSON


def _text(key: str, value: Any) -> str:
    match value:
        case bool():
            pass
        case str():
            return value
        case int():
            return str(value)
        case float():
            # JSON does not tell 5 from 5.0, and argparse takes -1e-05 for an option.
            return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
        case _:
            pass
    raise ValueError(f"{key}: expected a text or a number, found {value!r}")
