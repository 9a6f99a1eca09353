"""Options that jobs inherit: from ``[tool.dagsync]`` in the ``pyproject.toml`` of their package, and in that of the tree.

A job's own options win over its package's, those over the tree's (a ``pyproject.toml`` beside the packages or one folder above;
the nearer wins), those over what is built in. A job that would inherit something wrong is broken, and keeps its last good DAG:
a wrong schedule must not become none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

from dagsync.checks import CHECKS, OF_THE_DAG, OF_THE_JOB_ALONE, UnfitError, checked
from dagsync.model import JobSpec
from dagsync.options import unknown_option
from dagsync.outcome import Finding
from dagsync.requirements import virtualenv_problem
from dagsync.walking import SettingsFile

_EVERYTHING = frozenset(CHECKS)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What one file says."""

    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: tuple[Finding, ...] = ()

    unclear: frozenset[str] = frozenset()
    """Options of which it cannot be told what they should be."""


def read_defaults(root: Path, files: Iterable[SettingsFile]) -> dict[str, Defaults]:
    """Return the defaults of each package that has some, and under ``""`` those of the tree."""
    found: dict[str, Defaults] = {}
    for each in files:
        read = _read(root / each.path, each.path, each.package)
        nearer = found.get(each.package)
        found[each.package] = read if nearer is None else _under(nearer, read)
    return found


def inherited(defaults: Mapping[str, Defaults], package: str) -> Defaults:
    """Return what the jobs of a package inherit."""
    tree, own = defaults.get("", _NONE), defaults.get(package, _NONE)
    return _under(own, tree) if own is not _NONE else tree


def with_defaults(specs: Iterable[JobSpec], defaults: Mapping[str, Defaults]) -> tuple[list[JobSpec], dict[str, Finding]]:
    """Return the jobs with what they inherit, and one problem per job that would inherit something unclear."""
    specs = list(specs)
    if not defaults:
        return specs, {}
    by_package = {package: inherited(defaults, package) for package in {spec.package for spec in specs}}
    decided = _decided_in_groups(specs)
    found: list[JobSpec] = []
    problems: dict[str, Finding] = {}
    for spec in specs:
        given = {*spec.given, *decided.get(spec.dag_owner, ())}
        if spec.after:
            given.add("schedule")
        from_above = by_package[spec.package]
        found.append(spec._replace(**{name: each for name, each in from_above.options.items() if name not in given}))
        if unclear := from_above.unclear - given:
            cause = from_above.problems[0]
            what = "options" if unclear == _EVERYTHING else ", ".join(sorted(unclear))
            problems[spec.ref] = Finding(
                spec.source, spec.line, f"{what}: see {cause.path}, which this job inherits from", cause.fix
            )
    return found, problems


def _decided_in_groups(specs: Iterable[JobSpec]) -> dict[tuple[str, str | None], set[str]]:
    """Return, for each group, the options of its DAG that one of its jobs gives: the others must not inherit them."""
    decided: dict[tuple[str, str | None], set[str]] = {}
    for spec in specs:
        if spec.group:
            given = decided.setdefault(spec.dag_owner, set())
            given.update(name for name in spec.given if name in OF_THE_DAG)
    return decided


_NONE = Defaults()


def _under(nearer: Defaults, farther: Defaults) -> Defaults:
    return Defaults(
        {**farther.options, **nearer.options},
        nearer.problems + farther.problems,
        nearer.unclear | (farther.unclear - nearer.options.keys()),
    )


def _read(path: Path, shown: str, package: str) -> Defaults:
    try:
        data = path.read_bytes()
        # Most of these files are about other tools, and parsing one takes longer than reading all jobs of its package.
        if b"dagsync" not in data:
            return _NONE
        import tomllib

        document: Any = tomllib.loads(data.decode())
    except OSError as error:
        return _wrong(shown, f"cannot be read: {error.strerror}", "make it readable")
    except (ValueError, RecursionError) as error:
        return _wrong(shown, f"is no TOML: {error}", "mend it")
    table: Any = document.get("tool")
    table = table.get("dagsync", {}) if isinstance(table, dict) else {}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - TOML
    if not isinstance(table, dict):
        return _wrong(shown, "tool.dagsync: expected a table", "write [tool.dagsync]")
    options: dict[str, Any] = {}
    problems: list[Finding] = []
    unclear: list[str] = []
    for name, value in cast("dict[str, str | date | None]", table).items():
        if name == "virtualenv":
            problem = virtualenv_problem(value) if package else (f"{name} is for each package to say", "move it to the package")
            unclear += [name] if problem else []
            problems += [Finding(shown, 0, f"[tool.dagsync] {problem[0]}", problem[1])] if problem else []
            continue
        problem = unknown_option(name)
        if problem is None and name in OF_THE_JOB_ALONE:
            problem = f"{name} is for each job to say", f"declare {name} with the jobs"
        if problem is None:
            try:
                options[name] = checked(name, value)
            except UnfitError as error:
                problem = str(error), ""
        if problem is not None:
            problems.append(Finding(shown, 0, f"[tool.dagsync] {problem[0]}", problem[1]))
    wrong = {name for name in cast("dict[str, object]", table) if name in CHECKS} - options.keys() - OF_THE_JOB_ALONE
    return Defaults(options, tuple(problems), frozenset({*wrong, *unclear}))


def _wrong(shown: str, message: str, fix: str) -> Defaults:
    return Defaults(problems=(Finding(shown, 0, message, fix),), unclear=_EVERYTHING)
