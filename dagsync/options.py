"""The options of a job, read from its declaration."""

import ast
from collections.abc import Mapping
from typing import Any

from dagsync.checks import CHECKS, UnfitError, checked
from dagsync.evaluation import Constants, NotConstantError, source_of
from dagsync.texts import Value, shown

FORMS_OF_OPTIONS = (
    "literals, constants of this module, f-strings, arithmetic, %, or, string methods, and calls of timedelta, date, Cron, "
    "Asset, Resources, Slack, Sns, Email and Webhook"
)

NamedExpressions = list[tuple[str, ast.expr]]


class RefusalError(Exception):
    """A declaration that is understood, and is wrong."""

    def __init__(self, line: int, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.line, self.fix = line, fix


def given_options(options: ast.expr | NamedExpressions | None, constants: Constants, line: int) -> dict[str, Any]:
    """Return the options a job is declared with, as ``JobSpec`` holds them.

    ``line`` is that of the declaration. Raises ``RefusalError``.
    """
    if options is None:
        return {}
    named = _named(constants.resolve(options)) if isinstance(options, ast.expr) else options
    if isinstance(options, ast.expr) and named is None:
        value = _option_value("options", options, constants)
        if not isinstance(value, dict):
            raise RefusalError(options.lineno, f"the third element of JOB is {kind_of(options)}, expected a dict of options")
        placed = [(key if isinstance(key, str) else shown(key), each, options.lineno) for key, each in value.items()]
    else:
        for name, node in named or ():
            _check_option_name(name, node.lineno)
        placed = [(name, _option_value(name, node, constants), node.lineno) for name, node in named or ()]
    given: dict[str, Any] = {}
    for name, value, at in placed:
        _check_option_name(name, at)
        try:
            given[name] = checked(name, value)
        except UnfitError as error:
            raise RefusalError(at, str(error)) from None
    if "consumes" in given and not given.keys() & {"schedule", "after", "group"}:
        given["schedule"] = given["consumes"] or None
    if problem := together(given):
        raise RefusalError(line, *problem)
    return given


def together(options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong with options that are each good, and how to mend it."""
    schedule, after = options.get("schedule"), options.get("after")
    # Within a group, which jobs are in it decides, and that is not known here.
    if after and schedule is not None and not options.get("group"):
        message = f"schedule={schedule!r} and after={list(after)!r} cannot be combined"
        return message, "keep one: after= starts the job when the others have succeeded, schedule= at a time"
    return None


def unknown_option(name: str) -> tuple[str, str] | None:
    """Return what is wrong with a name that is none of an option, and how to mend it."""
    if name in CHECKS:
        return None
    import difflib

    close = difflib.get_close_matches(name, CHECKS, 1)
    return f"unknown option {name!r}", f"did you mean {close[0]!r}?" if close else f"options are {', '.join(sorted(CHECKS))}"


def _named(node: ast.expr) -> NamedExpressions | None:
    """Return the options of a dict that is written out, each with its place."""
    if not isinstance(node, ast.Dict):
        return None
    found = [(key.value, value) for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)]
    named = [(key, value) for key, value in found if isinstance(key, str)]
    return named if len(named) == len(node.keys) else None


def _option_value(name: str, node: ast.expr, constants: Constants) -> Value:
    try:
        return constants.evaluate(node)
    except NotConstantError as error:
        raise RefusalError(error.line or node.lineno, f"{name}: {error}", f"options may be {FORMS_OF_OPTIONS}") from None


def _check_option_name(name: str, line: int) -> None:
    if problem := unknown_option(name):
        raise RefusalError(line, *problem)


_KINDS: dict[type[ast.expr], str] = {
    ast.Tuple: "a tuple",
    ast.List: "a list",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.Call: "a call",
}


def kind_of(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=value):
            return f"the constant {shown(value)}"
        case ast.Name(id=name):
            return f"the name {name!r}, which is no constant of this module"
        case _:
            return _KINDS.get(type(node)) or f"an expression, {source_of(node)}"
