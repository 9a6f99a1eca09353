"""One whole pass of the real dag-processor over a folder of DAG files."""

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.airflow_side import FACTORY_MANY, FACTORY_ONE, GROUPED, SINGLE, DagFiles, dag_files, environment
from benchmarks.alternating import Contender
from benchmarks.measuring import BenchmarkError, Cost, cost_of
from benchmarks.report import Report, Table, Target, milliseconds
from benchmarks.settings import Run, take_turns

NAME = "dag-processor"
EMPTY = "empty folder"


def run(settings: Run) -> Report:
    """Measure ``airflow dag-processor --num-runs 1`` at 1,000 jobs, with a pristine SQLite each time."""
    files, jobs, notes = dag_files(settings)
    empty = settings.folder / "empty"
    empty.mkdir()
    pristine = _migrated(settings.folder / "pristine", empty, settings)
    files = [DagFiles(name=EMPTY, folder=empty), *(each for each in files if settings.file_per_dag or each.name != SINGLE)]
    samples = take_turns(settings, [_contender(each, settings.folder, pristine, jobs) for each in files], 2)
    start = samples[EMPTY].cpu.median
    net = {name: sample.cpu.median - start for name, sample in samples.items()}
    rows = tuple(
        (
            name,
            milliseconds(sample.cpu),
            milliseconds(sample.wall),
            f"{net[name]:.1f}",
            f"{net[name] / jobs * 1000:.1f}",
            f"{net[name] / net[GROUPED]:.2f}",
        )
        for name, sample in samples.items()
    )
    columns = ("", "CPU ms", "wall ms", "CPU s less start", "ms per DAG", f"/ {GROUPED}")
    targets: list[Target] = []
    if SINGLE in net:
        measured = net[SINGLE] / net[GROUPED]
        targets.append(Target(what=f"one pass: {SINGLE} / {GROUPED}", measured=measured, limit=8, at_least=True))
    if FACTORY_ONE in net:
        best = min(FACTORY_ONE, FACTORY_MANY, key=lambda name: net[name])
        targets.append(Target(what=f"one pass: {GROUPED} / {best}", measured=net[GROUPED] / net[best], limit=1))
    table = Table(title=f"One pass over {jobs:,} DAGs", columns=columns, rows=rows)
    own = f"The pass over an {EMPTY} is Airflow's start; the last three columns are without it."
    return Report(name=NAME, tables=(table,), targets=tuple(targets), notes=(own, *notes))


def _migrated(home: Path, empty: Path, settings: Run) -> Path:
    settings.report("migrating the database")
    home.mkdir()
    cost_of([Path(sys.executable).with_name("airflow"), "db", "migrate"], environment=environment(home, empty))
    return home / "airflow.db"


def _contender(files: DagFiles, folder: Path, pristine: Path, jobs: int) -> Contender:
    home = folder / "home-of-pass"

    def prepare() -> None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(pristine, home / "airflow.db")

    def one_pass() -> Cost:
        command = [files.python.with_name("airflow"), "dag-processor", "--num-runs", "1"]
        cost = cost_of(command, environment=environment(home, files.folder))
        with closing(sqlite3.connect(home / "airflow.db")) as database:
            (found,) = database.execute("SELECT count(*) FROM serialized_dag").fetchone()
            (errors,) = database.execute("SELECT count(*) FROM import_error").fetchone()
        expected = 0 if files.name == EMPTY else jobs
        if (found, errors) != (expected, 0):
            raise BenchmarkError(f"{files.name}: expected {expected} DAGs, found {found} and {errors} import errors")
        return cost

    return Contender(name=files.name, run=one_pass, prepare=prepare)
