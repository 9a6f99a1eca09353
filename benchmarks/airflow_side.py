"""What the benchmarks that need Airflow share: its environment, the DAG files of all contenders, dag-factory's venv."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import BenchmarkError, Cost, cost_of
from benchmarks.settings import CONTENDERS, ENVIRONMENT, Run, sync
from benchmarks.tree import make_tree
from components.airflow_environment import AirflowEnvironmentArgs, airflow_environment

REPOSITORY = Path(__file__).parent.parent
DEFAULT_JOBS = 1_000
GROUPED, BY_HAND, SINGLE = "dagsync, file per package", "by hand, file per package", "by hand, file per DAG"
FACTORY_ONE, FACTORY_MANY = "dag-factory, one loader", "dag-factory, loader per package"


@dataclass(frozen=True, kw_only=True)
class DagFiles:
    """One contender's folder of DAG files."""

    name: str
    folder: Path
    python: Path = Path(sys.executable)
    """Interpreter whose Airflow parses them."""


def environment(home: Path, dags: Path) -> dict[str, str]:
    """Return the environment of an Airflow process of its own: what a pod gets, with SQLite in ``home``."""
    declared = airflow_environment(
        AirflowEnvironmentArgs(
            execution_api_server_url="http://127.0.0.1:1/execution/", dags_dir=str(dags), logs_dir=str(home / "logs")
        )
    )
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "true",
    }
    return ENVIRONMENT | declared | own


def dag_files(run: Run) -> tuple[list[DagFiles], int, tuple[str, ...]]:
    """Return the DAG files of all contenders, how many DAGs each declares, and what there is to say about them.

    dag-factory is among them if its version was given and can be installed.
    """
    jobs = run.jobs[0] if run.jobs else DEFAULT_JOBS
    run.report("making DAG files")
    tree = make_tree(run.folder / "packages", jobs, healthy=True)
    ours, theirs = run.folder / "dagsync", run.folder / "others"
    sync(tree.root, ours)
    home = run.folder / "home"
    home.mkdir()
    cost_of([sys.executable, CONTENDERS / "write_dags.py", ours, theirs], environment=environment(home, ours))
    found = [
        DagFiles(name=GROUPED, folder=ours),
        DagFiles(name=BY_HAND, folder=theirs / "grouped"),
        DagFiles(name=SINGLE, folder=theirs / "single"),
    ]
    if run.dag_factory is None:
        return found, jobs, ("dag-factory was left out: give its version by `--dag-factory`.",)
    run.report(f"installing dag-factory {run.dag_factory}")
    python = run.folder / "venv" / "bin" / "python"
    if (problem := _install(run.dag_factory, python.parent.parent)) is not None:
        return found, jobs, (f"dag-factory {run.dag_factory} was left out: {problem}.",)
    found += [
        DagFiles(name=FACTORY_ONE, folder=theirs / "factory-one", python=python),
        DagFiles(name=FACTORY_MANY, folder=theirs / "factory-many", python=python),
    ]
    return found, jobs, (f"dag-factory {run.dag_factory}, in a venv of its own with the same versions; its telemetry is off.",)


def _install(wanted: str, venv: Path) -> str | None:
    """Make a venv with dag-factory and this Airflow; return why it could not be made, if so."""
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", venv / "bin" / "python"]
    pins = [f"dag-factory=={wanted}", f"apache-airflow=={version('apache-airflow')}"]
    constraints = ["--constraint", REPOSITORY / "requirements" / "dev.txt"]
    for command in ([uv, "venv", "--quiet", "--python", sys.executable, venv], [*install, *constraints, *pins]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, env={**os.environ})
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"uv: {error}"
        if done.returncode != 0:
            return f"uv could not install it: {done.stderr.strip().splitlines()[0]}"
    return None


def parsed(files: DagFiles, home: Path, dags: int, *task: str) -> Cost:
    """Parse ``files`` with ``contenders/parse_dags.py`` and return the cost of parsing alone.

    ``task`` is file and DAG id for a worker's parse. Raises ``BenchmarkError`` if other than ``dags`` DAGs were found.
    """
    command = [files.python, CONTENDERS / "parse_dags.py", files.folder, *task]
    whole = cost_of(command, environment=environment(home, files.folder))
    told = json.loads(whole.output.splitlines()[-1])
    if told["dags"] != dags:
        raise BenchmarkError(f"{files.name}: expected {dags} DAGs, found {told['dags']}")
    return replace(whole, cpu_seconds=told["cpu_seconds"], wall_seconds=told["wall_seconds"], output="")
