"""Reads the declaration of a job out of the source of its module, which is never imported."""

import ast
import sys
from keyword import iskeyword
from typing import NamedTuple

from dagsync.blocks import Blocks
from dagsync.evaluation import Constants, NotConstantError
from dagsync.forms import USE_ARGPARSE, form_of, without_fields
from dagsync.model import MAX_DAG_ID_BYTES, JobSpec, name_problem
from dagsync.module_names import names_of
from dagsync.options import NamedExpressions, RefusalError, given_options, kind_of
from dagsync.outcome import Finding
from dagsync.texts import MAX_LENGTH, cleaned, storable

MAX_SOURCE_BYTES = 5_000_000
"""A larger module is refused rather than parsed."""

FORMS = 'JOB = (entrypoint, "description"), optionally with a dict of options as third element, or JOB = Job(...)'


class Reading(NamedTuple):
    """What one module turned out to be: a job, a broken job, or neither."""

    spec: JobSpec | None = None
    problems: tuple[Finding, ...] = ()
    """Reasons why this job has no DAG, or only its last good one."""

    notes: tuple[Finding, ...] = ()


NOT_A_JOB = Reading()

_SYNTAX_FIX = f"write what Python {sys.version_info[0]}.{sys.version_info[1]} takes, which reads the jobs here"


def read_job(data: bytes, package: str, name: str, path: str, blocks: Blocks | None = None) -> Reading:
    """Return what the module ``package.jobs.name`` with source ``data`` declares.

    ``path`` is only used in findings; ``blocks`` are those of the modules read before, which may have some in common with it.
    """
    if b"JOB" not in data:
        return NOT_A_JOB
    try:
        statements = (blocks or Blocks()).statements(data)
    except SyntaxError as error:
        return _broken(path, error.lineno or 0, f"syntax error: {error.msg}", _SYNTAX_FIX)
    except (ValueError, RecursionError, MemoryError) as error:
        return _broken(path, 0, f"cannot be parsed: {error or type(error).__name__}")
    names = names_of(statements)
    if names.job is None:
        return NOT_A_JOB
    line, value = names.job
    constants = Constants(names.bindings, names.docstring, names.aliases)
    try:
        if problem := name_problem("module", name):
            raise RefusalError(line, problem, f"rename {path}, for example to {_identifier(name)}.py")
        if value is None:
            raise RefusalError(
                line, "JOB is assigned in a way that cannot be read without running the module", f"write {FORMS}"
            )
        entrypoint, description, expressions = _declaration(constants.resolve(value), names.job_names, line)
        text, notes = _description(description, constants, path, line)
        options = given_options(expressions, constants, line)
        given = tuple(sorted(options))
        if names.docstring and "docs" not in options:
            if len(names.docstring) <= MAX_LENGTH:
                options["docs"] = storable(cleaned(names.docstring))
            else:
                notes = (*notes, Finding(path, 1, f"docs left empty: the docstring is longer than {MAX_LENGTH} characters"))
        if b"ArgumentParser" in data:
            options["parameters"], of_form = form_of(names, entrypoint, options, line, path)
            notes = (*notes, *of_form)
        elif names.other_parser is not None:
            why = f"{names.other_parser} is imported, and only parsers of argparse are read"
            notes = (*notes, without_fields(path, line, why, USE_ARGPARSE))
        spec = JobSpec(package, name, text, line, given, **options)
        if len(spec.dag_id.encode()) > MAX_DAG_ID_BYTES:
            raise RefusalError(line, f"DAG id would be longer than {MAX_DAG_ID_BYTES} bytes", "shorten the module's name")
        return Reading(spec, (), notes)
    except RefusalError as refusal:
        return _broken(path, refusal.line, str(refusal), refusal.fix)
    except RecursionError:
        return _broken(path, line, "the declaration is nested too deeply")


def _broken(path: str, line: int, message: str, fix: str = "") -> Reading:
    return Reading(problems=(Finding(path, line, message, fix),))


_Declaration = tuple[ast.expr, ast.expr | None, ast.expr | NamedExpressions | None]


def _declaration(node: ast.expr, job_names: set[str], line: int) -> _Declaration:
    """Return the expressions of the entrypoint, the description and the options."""
    match node:
        case ast.Tuple(elts=[entrypoint, description]):
            _check_entrypoint(entrypoint)
            return entrypoint, description, None
        case ast.Tuple(elts=[entrypoint, description, options]):
            _check_entrypoint(entrypoint)
            return entrypoint, description, options
        case ast.Tuple(elts=elements):
            raise RefusalError(line, f"JOB has {len(elements)} elements, expected 2 or 3", f"write {FORMS}")
        case ast.Call(func=ast.Name(id=name)) if name in job_names:
            return _call(node, line)
        case ast.Call(func=ast.Attribute(attr="Job")):
            return _call(node, line)
        case _:
            raise RefusalError(line, f"JOB is {kind_of(node)}, expected a tuple or Job(...)", f"write {FORMS}")


def _call(node: ast.Call, line: int) -> _Declaration:
    positional: dict[str, ast.expr] = dict(zip(("entrypoint", "description"), node.args, strict=False))
    if len(node.args) > 2 or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise RefusalError(line, "Job(...) takes an entrypoint and a description by position", "name the options: schedule=...")
    options: NamedExpressions = []
    for keyword in node.keywords:
        if keyword.arg is None:
            raise RefusalError(keyword.value.lineno, "Job(**...) cannot be read", "name each option: schedule=...")
        if keyword.arg in {"entrypoint", "description"}:
            positional[keyword.arg] = keyword.value
        else:
            options.append((keyword.arg, keyword.value))
    if "entrypoint" not in positional:
        raise RefusalError(line, "Job(...) has no entrypoint", f"write {FORMS}")
    _check_entrypoint(positional["entrypoint"])
    return positional["entrypoint"], positional.get("description"), options


_NO_ENTRYPOINT = (ast.Constant, ast.JoinedStr, ast.Tuple, ast.List, ast.Dict)


def _check_entrypoint(node: ast.expr) -> None:
    if isinstance(node, _NO_ENTRYPOINT):
        raise RefusalError(node.lineno, f"the entrypoint is {kind_of(node)}, expected a function", f"write {FORMS}")


_NONE = "it is None, as __doc__ is in a module without a docstring"


def _description(node: ast.expr | None, constants: Constants, path: str, line: int) -> tuple[str, tuple[Finding, ...]]:
    if node is None:
        return "", ()
    fix = "use a literal or a constant of this module"
    try:
        value = constants.evaluate(node)
    except NotConstantError as error:
        message = f"description left empty: {error}"
        return "", (Finding(path, error.line or line, message, fix),)
    if not isinstance(value, str):
        what = f"it is of type {type(value).__name__}" if value is not None else _NONE
        return "", (Finding(path, node.lineno, f"description left empty: {what}", fix),)
    clean = storable(value)
    notes = () if clean == value else (Finding(path, node.lineno, "description: characters no database stores were removed"),)
    return clean, notes


def _identifier(name: str) -> str:
    cleaned = "".join(character if character.isalnum() else "_" for character in name)
    return f"{cleaned}_job" if iskeyword(cleaned) else cleaned if cleaned.isidentifier() else f"job_{cleaned}"
