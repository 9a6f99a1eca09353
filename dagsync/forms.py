"""The typed params of a job: read from the parser its entrypoint uses, with the job's declared arguments as their values."""

import argparse
import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from dagsync.evaluation import NotConstantError
from dagsync.fields import Json, fits
from dagsync.following import followed_parser
from dagsync.module_names import ModuleNames
from dagsync.outcome import Finding
from dagsync.parameters import Pair, parameters_of
from dagsync.params import Parameter
from dagsync.parsers import NotFollowedError

FIX = "build the parser in the entrypoint or in functions of its module, with constants as names, nargs and actions"
USE_ARGPARSE = "read the arguments with argparse, or give the whole command line as args"
MISSING = "required, and runs that start by themselves are given none"
MISSING_FIX = "give it a default, or declare args=[...] with the job"


class Form(NamedTuple):
    """What the trigger form of a job can be."""

    parameters: tuple[Parameter, ...] = ()
    """Its typed fields; none if all it can take is a raw command line."""

    notes: tuple[Finding, ...] = ()


def form_of(names: ModuleNames, entrypoint: ast.expr, options: Mapping[str, Any], line: int, path: str) -> Form:
    """Return the form of a job and, where it has no typed fields, why that is so.

    ``names`` are those of its module, ``options`` what it is declared with; ``line`` and ``path`` are only used in findings.
    """
    args = options.get("args")
    try:
        parser = followed_parser(names, entrypoint)
        if parser is None:
            raise NotFollowedError(entrypoint.lineno, "the entrypoint is not seen to use the parser of this module")
        found = parameters_of(parser)
        if not args:
            parameters = tuple([parameter for parameter, _ in found])
            if options.get("schedule") is None and not options.get("after"):
                return Form(parameters)
            missing = [
                each.schema["title"] for each, argument in found if argument and argument.required and each.default is None
            ]
            notes = (Finding(path, line, f"{', '.join(missing)}: {MISSING}", MISSING_FIX),)
            return Form(parameters, notes if missing else ())
        try:
            return Form(tuple(_with_arguments(found, args)))
        except ValueError as error:
            raise NotFollowedError(parser.call.line, f"the parser does not take args={list(args)!r}: {error}"[:300]) from None
    except NotFollowedError as error:
        at, what = error.line, str(error)
    except NotConstantError as error:
        at, what = error.line, str(error)
    except (RecursionError, ValueError) as error:
        at, what = entrypoint.lineno, str(error) or type(error).__name__
    return Form((), (without_fields(path, at, what, FIX),))


def without_fields(path: str, line: int, why: str, fix: str) -> Finding:
    """Return the note that all a form can take is a raw command line."""
    return Finding(path, line, f"the trigger form has no typed fields, only raw args: {why}", fix)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _with_arguments(found: Sequence[Pair], args: Sequence[str]) -> list[Parameter]:
    """Return the params with the values that ``args`` give them. Raises ``ValueError`` if the parser would refuse them."""
    parser = _Parser("", add_help=False)
    _add(parser, found, [])
    values = vars(parser.parse_args(list(args)))
    parameters: list[Parameter] = []
    for parameter, _ in found:
        value: Json = values.get(parameter.key)
        if parameter.option[2] == "count" and value is not None:
            value += parameter.option[3] or 0
        if value is not None:
            if not fits(parameter.schema, value):
                raise ValueError(f"{parameter.schema['title']}: {value!r:.80}")
            parameter = parameter._replace(default=value)
        parameters.append(parameter)
    return parameters


def _add(parser: _Parser, found: Sequence[Pair], path: list[str]) -> None:
    for parameter, argument in found:
        key, _, shape, omitted, *below = parameter.option
        if below != path:
            continue
        if argument is None:
            commands = parser.add_subparsers(dest=key, parser_class=_Parser)
            for name in parameter.schema["enum"][:-1]:
                _add(commands.add_parser(name, prog="", add_help=False), found, [*path, key, name])
            continue
        given: dict[str, Any] = {"default": argparse.SUPPRESS}
        if argument.names.flags:
            given |= {"dest": key, "required": argument.required}
        match shape:
            case "flag":
                given |= {"action": "store_const", "const": not omitted}
            case "toggle":
                given["action"] = argparse.BooleanOptionalAction
            case "truth":
                given["type"] = bool
            case "count":
                given["action"] = "count"
            case _:
                given |= {"nargs": argument.nargs, "type": _converter(parameter.schema)}
                if argument.action in {"append", "extend"}:
                    given["action"] = argument.action
                if shape == "optional" and argument.names.flags:
                    given["const"] = True
        parser.add_argument(*(argument.names.flags or [key]), **given)


def _converter(schema: Mapping[str, Json]) -> Callable[[str], Json]:
    while "items" in schema:
        schema = schema["items"]
    kinds: list[str] = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]  # pyright: ignore[reportUnknownVariableType] - JSON
    return {"integer": int, "number": float}.get(kinds[0], str)
