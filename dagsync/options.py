"""The options of a job: which there are, and what each may be."""

import ast
from dataclasses import replace

from dagsync.evaluation import Constants, NotConstantError
from dagsync.model import JobSpec
from dagsync.schedule import schedule_problem
from dagsync.texts import Value, shown

OPTIONS = ("after", "args", "retries", "schedule")
MAX_RETRIES = 100

NamedExpressions = list[tuple[str, ast.expr]]


class RefusalError(Exception):
    """A declaration that is understood, and is wrong."""

    def __init__(self, line: int, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.line, self.fix = line, fix


def with_options(spec: JobSpec, options: ast.expr | NamedExpressions | None, constants: Constants) -> JobSpec:
    if options is None:
        return spec
    if isinstance(options, ast.expr):
        value = _option_value("options", options, constants)
        if not isinstance(value, dict):
            raise RefusalError(options.lineno, f"the third element of JOB is {kind_of(options)}, expected a dict of options")
        found = [(key if isinstance(key, str) else shown(key), each, options.lineno) for key, each in value.items()]
    else:
        for name, node in options:
            _check_option_name(name, node.lineno)
        found = [(name, _option_value(name, node, constants), node.lineno) for name, node in options]
    for name, value, line in found:
        _check_option_name(name, line)
        spec = _with_option(spec, name, value, line)
    if spec.after and spec.schedule is not None:
        raise RefusalError(
            spec.line,
            f"schedule={spec.schedule!r} and after={list(spec.after)!r} cannot be combined",
            "keep one: after= starts the job when the others have succeeded, schedule= at a time",
        )
    return spec


def _option_value(name: str, node: ast.expr, constants: Constants) -> Value:
    try:
        return constants.evaluate(node)
    except NotConstantError as error:
        fix = "options may be literals, constants of this module, f-strings, +, %, or and string methods"
        raise RefusalError(error.line or node.lineno, f"{name}: {error}", fix) from None


def _check_option_name(name: str, line: int) -> None:
    if name not in OPTIONS:
        import difflib

        close = difflib.get_close_matches(name, OPTIONS, 1)
        fix = f"did you mean {close[0]!r}?" if close else f"options are {', '.join(OPTIONS)}"
        raise RefusalError(line, f"unknown option {name!r}", fix)


def _with_option(spec: JobSpec, name: str, value: Value, line: int) -> JobSpec:
    match name, value:
        case "schedule", None:
            return spec
        case "schedule", str():
            if problem := schedule_problem(value):
                raise RefusalError(line, f"schedule: {problem}")
            return replace(spec, schedule=value)
        case "retries", int() if not isinstance(value, bool) and 0 <= value <= MAX_RETRIES:
            return replace(spec, retries=value)
        case ("args", list() | tuple()) if all(isinstance(item, str) for item in value):
            args = tuple(str(item) for item in value)
            if any("\0" in item or not _is_encodable(item) for item in args):
                raise RefusalError(line, "args: found a NUL or half a surrogate pair, which no argument can hold")
            return replace(spec, args=args)
        case ("after", list() | tuple()) if all(isinstance(item, str) for item in value):
            return replace(spec, after=tuple(dict.fromkeys(str(item) for item in value)))
        case _:
            expected = {
                "schedule": "a preset, a cron expression or None",
                "retries": f"a whole number from 0 to {MAX_RETRIES}",
                "args": 'a list of strings such as ["--full"]',
                "after": 'a list of jobs such as ["sales.load"]',
            }[name]
            raise RefusalError(line, f"{name}: expected {expected}, found {_shown(value)}")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Value) -> str:
    if isinstance(value, tuple | list | dict) and any(isinstance(item, tuple | list | dict) for item in value):
        return f"a {type(value).__name__}"
    return shown(value)


def kind_of(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=value):
            return f"the constant {shown(value)}"
        case ast.Name(id=name):
            return f"the name {name!r}, which is no constant of this module"
        case ast.Call():
            return "a call"
        case _:
            return f"a {type(node).__name__.lower()}"
