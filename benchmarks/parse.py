"""Parsing all DAG files of a folder in one process."""

from benchmarks.airflow_side import BY_HAND, GROUPED, DagFiles, dag_files, parsed
from benchmarks.alternating import Contender
from benchmarks.report import Report, Table, Target, milliseconds, ratio
from benchmarks.settings import Run, take_turns

NAME = "parse"


def run(settings: Run) -> Report:
    """Measure 1,000 DAGs in one ``DagBag``: dagsync's files, the same written by hand, and dag-factory's."""
    files, jobs, notes = dag_files(settings)
    home = settings.folder / "home"

    def contender(each: DagFiles) -> Contender:
        return Contender(name=each.name, run=lambda: parsed(each, home, jobs))

    samples = take_turns(settings, [contender(each) for each in files], 7)
    rows = tuple(
        (
            each.name,
            f"{len(list(each.folder.glob('*.py'))):,}",
            milliseconds(samples[each.name].cpu),
            f"{samples[each.name].cpu.median * 1000 / jobs:.2f}",
            f"{ratio(samples, each.name, BY_HAND):.2f}",
        )
        for each in files
    )
    columns = ("", "files", "CPU ms", "CPU ms per DAG", f"CPU / {BY_HAND}")
    target = Target(what=f"parse: {GROUPED} / {BY_HAND}", measured=ratio(samples, GROUPED, BY_HAND), limit=1.10)
    own = "Imports of Airflow and dag-factory are over before; files by hand declare the same DAGs, read back from Airflow."
    return Report(
        name=NAME,
        tables=(Table(title=f"DagBag of {jobs:,} DAGs", columns=columns, rows=rows),),
        targets=(target,),
        notes=(own, *notes),
    )
