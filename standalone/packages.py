"""The packages folder, seen through dagsync's command line."""

import ast
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ValidationError

from standalone.errors import ComponentError, PackagesError
from standalone.processes import python

DAGSYNC_SECONDS = 60
SHOWN_PROBLEMS = 3


class Job(BaseModel):
    """One job of ``discover --json``, as far as it matters here."""

    dag_id: str
    package: str
    job: str
    schedule: str | None = None
    after: tuple[str, ...] = ()

    def path(self, packages: Path) -> Path:
        """Return the job's module."""
        return packages / self.package / "jobs" / f"{self.job}.py"

    @property
    def full_name(self) -> str:
        return f"{self.package}.{self.job}"


class Problem(BaseModel):
    """A job dagsync could not read."""

    path: str
    line: int
    message: str

    @property
    def text(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class Discovery(BaseModel):
    """Answer of ``discover --json``."""

    jobs: tuple[Job, ...]
    problems: tuple[Problem, ...] = ()


def check(packages: Path) -> Path:
    """Return the absolute packages folder.

    Raises PackagesError if it is not there or no package in it has a ``jobs`` folder with a module.
    """
    root = packages.expanduser().resolve()
    if not root.is_dir():
        raise PackagesError(
            f"{root}: expected a folder of packages, found {'a file' if root.exists() else 'nothing'}",
            "Give the folder that holds your packages: make try PACKAGES=path/to/packages",
        )
    try:
        if not _has_jobs(root):
            raise PackagesError(f"{root}: expected jobs at <package>/jobs/<job>.py, found none", _where_jobs_are(root))
    except PermissionError as error:
        raise PackagesError(f"{root}: cannot be read: {error.strerror}", "Make it readable for this user.") from error
    return root


def none_healthy(root: Path, discovery: Discovery) -> PackagesError:
    """Return the error for a folder whose modules hold no job dagsync can read."""
    problems = "".join(f"\n    {problem.text}" for problem in discovery.problems[:SHOWN_PROBLEMS])
    return PackagesError(
        f"{root}: expected a JOB in at least one <package>/jobs/<job>.py, found none{problems}",
        'Add one: JOB = (main, "what it does"), with main(argv) -> int.',
    )


def _has_jobs(root: Path) -> bool:
    return any(module.stem != "__init__" for module in root.glob("*/jobs/*.py"))


def _where_jobs_are(root: Path) -> str:
    """Return the fix for a folder without jobs: the one just above or below that has some, or how to write one."""
    nearby = [child for child in sorted(root.iterdir()) if child.is_dir()]
    if (root / "jobs").is_dir():
        nearby.append(root.parent)
    if root.name == "jobs":
        nearby.append(root.parent.parent)
    if found := next(filter(_has_jobs, nearby), None):
        return f"Did you mean: make try PACKAGES={found}"
    return 'Point at the folder above your packages, or add a job that sets JOB = (main, "what it does").'


def discover(packages: Path, environment: Mapping[str, str]) -> Discovery:
    """Return the jobs dagsync finds in ``packages``; a broken one is a problem beside the healthy ones.

    Raises ComponentError if dagsync does not answer.
    """
    answer = _dagsync(environment, "discover", "--json", "--packages-root", str(packages))
    try:
        return Discovery.model_validate_json(answer.stdout)
    except ValidationError as error:
        raise ComponentError(
            f"dagsync discover failed on {packages}\n{answer.stderr.strip()}", "Run it by hand: airflow-control-plane discover"
        ) from error


def sync(environment: Mapping[str, str]) -> None:
    """Write the DAG files of all healthy jobs. Raises ComponentError if dagsync fails as a whole."""
    answer = _dagsync(environment, "sync", "--exit-zero")
    if answer.returncode != 0:
        raise ComponentError(f"dagsync sync failed\n{answer.stderr.strip()}", "Run it by hand: airflow-control-plane sync -v")


def _dagsync(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the command is ours
            python("dagsync", *arguments),
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=DAGSYNC_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ComponentError(
            f"dagsync {arguments[0]} found no end in {DAGSYNC_SECONDS} s", "Is the packages folder on a network disk?"
        ) from error


def missing_modules(job: Job, packages: Path) -> list[str]:
    """Return the top-level modules a job's file imports that neither this interpreter nor ``packages`` has."""
    try:
        tree = ast.parse(job.path(packages).read_bytes())
    except (OSError, SyntaxError):
        return []
    return sorted({name for name in _imported(tree) if not _is_there(name, packages)})


def _imported(tree: ast.Module) -> Iterator[str]:
    # Only what runs when the module is imported: not what stands inside functions or try blocks.
    for node in tree.body:
        match node:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case _:
                continue


def _is_there(name: str, packages: Path) -> bool:
    return (packages / name).is_dir() or (packages / f"{name}.py").is_file() or find_spec(name) is not None
