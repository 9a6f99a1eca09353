"""What a worker does first when it starts a task: parsing the task's DAG file."""

from benchmarks.airflow_side import BY_HAND, GROUPED, SINGLE, DagFiles, dag_files, parsed
from benchmarks.alternating import Contender
from benchmarks.report import Report, Table, Target, milliseconds, ratio
from benchmarks.settings import Run, take_turns
from benchmarks.tree import JOBS_PER_PACKAGE

NAME = "task-start"
PACKAGE, DAG_ID = "team_0000", "team_0000_load_10"


def run(settings: Run) -> Report:
    """Measure the parse of a package's file for one of its 20 DAGs, and of a hand-written file of that DAG alone."""
    found, _, _ = dag_files(Run(folder=settings.folder, jobs=(JOBS_PER_PACKAGE,), report=settings.report))
    folders = {each.name: each for each in found}
    home = settings.folder / "home"

    def contender(name: str, dags: int, files: DagFiles, file: str) -> Contender:
        return Contender(name=name, run=lambda: parsed(files, home, dags, file, DAG_ID))

    contenders = [
        contender(GROUPED, 1, folders[GROUPED], f"{PACKAGE}_dags.py"),
        contender(SINGLE, 1, folders[SINGLE], f"{DAG_ID}.py"),
        contender(BY_HAND, JOBS_PER_PACKAGE, folders[BY_HAND], f"{PACKAGE}_dags.py"),
    ]
    samples = take_turns(settings, contenders, 13)
    rows = tuple(
        (name, milliseconds(sample.cpu), milliseconds(sample.wall), f"{ratio(samples, name, SINGLE):.2f}")
        for name, sample in samples.items()
    )
    return Report(
        name=NAME,
        tables=(Table(title="One task's DAG file", columns=("", "CPU ms", "wall ms", f"CPU / {SINGLE}"), rows=rows),),
        targets=(Target(what=f"task start: {GROUPED} / {SINGLE}", measured=ratio(samples, GROUPED, SINGLE), limit=1.2),),
        notes=("Each parse is the first of its process, as a worker's is, and called as Airflow's task runner calls it.",),
    )
