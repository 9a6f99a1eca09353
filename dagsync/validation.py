"""``validate``: whether the jobs of a tree can be read, rendered, and taken by Airflow."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dagsync.discovery import Discovery, discover
from dagsync.environments_command import read_locks
from dagsync.errors import AirflowMissingError
from dagsync.model import JobSpec, dag_file_name
from dagsync.outcome import Finding
from dagsync.presenting import problem_documents
from dagsync.rendering import render_files

TIMEOUT_SECONDS = 600.0
"""Airflow starts in some ten seconds and parses about a thousand DAGs in one."""

_NOTE = "Airflow is not installed here: its own parse of the DAG files was left out"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What Airflow made of the DAG files."""

    version: str
    dags: Mapping[str, Sequence[str]]
    """DAG ids by file name."""

    errors: Mapping[str, str]
    """What went wrong, often with a traceback, by file name."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What is wrong with the jobs of a tree."""

    jobs: int
    """Jobs that were read without a problem."""

    airflow: str | None
    """Version of the Airflow that parsed the DAG files, if any did."""

    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def validate(root: Path, skipped: Sequence[str], airflow: str, environment: Mapping[str, str]) -> Validation:
    """Read and render every job below ``root`` and have Airflow parse the result.

    ``airflow`` is ``auto``, ``require`` or ``never``. Raises ``PackagesRootError`` and ``AirflowMissingError``.
    """
    found = with_locks(discover(root, skipped), root, skipped)
    installed = airflow != "never" and importlib.util.find_spec("airflow") is not None
    if airflow == "require" and not installed:
        fix = "run validate with the Python of your Airflow, or without --airflow require"
        raise AirflowMissingError(f"{sys.executable}: expected Airflow to be installed, found none", fix)
    if not installed:
        left_out = (Finding(str(root), 0, _NOTE),) if airflow == "auto" else ()
        return Validation(len(found.jobs), None, found.problems, found.notes + left_out)
    files = render_files(found.jobs, "package")
    parsed = parse_with_airflow(files, environment)
    refused = tuple(refusals(found, files, parsed))
    return Validation(len(found.jobs), parsed.version, found.problems + refused, found.notes)


def with_locks(found: Discovery, root: Path, skipped: Sequence[str]) -> Discovery:
    """Return what was found with what is wrong with the dependencies that packages bring."""
    locks, problems = read_locks(root, skipped)
    own = {lock.package for lock in locks}
    inline = [
        Finding(
            spec.source, spec.line, "isolation='inline' runs in Airflow's environment, and its package brings its own", _ALONE
        )
        for spec in found.jobs
        if spec.package in own and spec.isolation == "inline"
    ]
    # What discovery says of the same file already is not said twice.
    told = {problem.path for problem in found.problems}
    new = [problem for problem in problems if not any(problem.path.startswith(str(root / path)) for path in told)]
    return replace(found, problems=(*found.problems, *new, *inline))


_ALONE = "leave out isolation, or move the job to a package without virtualenv"


def parse_with_airflow(files: Mapping[str, bytes], environment: Mapping[str, str]) -> Parsed:
    """Parse DAG files as the dag-processor does, away from any real Airflow. Raises ``AirflowMissingError``."""
    with tempfile.TemporaryDirectory(prefix="dagsync-validate-") as home:
        folder, result = Path(home, "dags"), Path(home, "result.json")
        folder.mkdir()
        # Without a file Airflow would write one, with keys it makes up.
        Path(home, "airflow.cfg").touch()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        command = [sys.executable, "-P", "-m", "dagsync.airflow_parsing", str(folder), str(result)]
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and every word is ours
                command, env=airflow_environment(environment, home), capture_output=True, text=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise AirflowMissingError(f"Airflow did not parse the DAG files in {TIMEOUT_SECONDS:.0f} s") from None
        if done.returncode != 0 or not result.exists():
            last = (done.stderr.strip() or f"it ended with exit code {done.returncode}").splitlines()[-1]
            raise AirflowMissingError(f"Airflow does not start: {last}", "mend the installation, or use --airflow never")
        return Parsed(**json.loads(result.read_text()))


def airflow_environment(environment: Mapping[str, str], home: str) -> dict[str, str]:
    """Return an environment that knows the executors and settings of this one, and none of its databases."""
    database = re.compile(r"AIRFLOW__DATABASE__|AIRFLOW_CONFIG$|_AIRFLOW_PARSING_CONTEXT")
    kept = {name: value for name, value in environment.items() if not database.match(name)}
    # Where this copy of dagsync is, wherever it was started from.
    search = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [environment.get("PYTHONPATH")])])
    return kept | {
        "AIRFLOW_HOME": home,
        # All frames, as the line of the DAG file tells whose job it is.
        "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "100",
        "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/none.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{home}/logs",
        "PYTHONPATH": search,
    }


def refusals(found: Discovery, files: Mapping[str, bytes], parsed: Parsed) -> Iterator[Finding]:
    """Yield one problem for each job whose DAG Airflow did not take."""
    by_file: dict[str, list[JobSpec]] = {}
    for spec in found.jobs:
        by_file.setdefault(dag_file_name(spec, "package"), []).append(spec)
    for name, specs in by_file.items():
        taken = set(parsed.dags.get(name, ()))
        missing = [spec for spec in specs if spec.dag_id not in taken]
        error = parsed.errors.get(name)
        if error is None:
            for spec in missing:
                yield Finding(spec.source, spec.line, f"Airflow found no DAG {spec.dag_id!r} in {name}", _REPORT)
            continue
        to_blame = dag_at_fault(error, name, files[name].decode(), {spec.dag_id for spec in specs})
        reason = _reason(error)
        for spec in specs if to_blame is None else [spec for spec in specs if spec.dag_id == to_blame]:
            yield Finding(spec.source, spec.line, f"Airflow does not take DAG {spec.dag_id!r}: {reason}", _REPORT)


_REPORT = "look at the options of its JOB; if they are right, report it as a bug of dagsync"


def dag_at_fault(error: str, name: str, text: str, dag_ids: set[str]) -> str | None:
    """Return the DAG in whose part of the file the error arose, or ``None`` if that cannot be told."""
    named = [dag_id for dag_id in dag_ids if re.search(rf"(?<!\w){re.escape(dag_id)}(?!\w)", error)]
    if len(named) == 1:
        return named[0]
    lines = re.findall(rf'{re.escape(name)}", line (\d+)|^Line (\d+),', error, re.MULTILINE)
    if not lines:
        return None
    at = int("".join(lines[-1]))
    starts = {dag_id: _first_line(text, repr(dag_id)) for dag_id in dag_ids}
    before = [(start, dag_id) for dag_id, start in starts.items() if start is not None and start <= at]
    return max(before)[1] if before else None


def _first_line(text: str, word: str) -> int | None:
    return next((number for number, line in enumerate(text.splitlines(), 1) if word in line), None)


def _reason(error: str) -> str:
    if issue := re.search(r"^Issue: (.+)$", error, re.MULTILINE):
        return issue[1]
    return next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "no reason given")


def validation_json(validation: Validation, root: Path) -> str:
    """Return the outcome for programs."""
    document = {
        "jobs": validation.jobs,
        "airflow": validation.airflow,
        "problems": problem_documents(validation.problems, root),
        "notes": problem_documents(validation.notes, root),
    }
    return json.dumps(document, indent=2)
