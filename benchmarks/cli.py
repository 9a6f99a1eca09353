"""``python -m benchmarks NAME...``: runs benchmarks, prints their tables and keeps them in the README if asked to."""

import os
import tempfile
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table as Grid

from benchmarks import bring_up, dag_processor, discover_sync, parse, preview, readme, render, start_up, task_start, watch
from benchmarks.machine import conditions, load
from benchmarks.measuring import BenchmarkError
from benchmarks.report import Report
from benchmarks.settings import Run

PIPED_WIDTH = 140


class Name(StrEnum):
    """What can be asked for."""

    START_UP = "start-up"
    DISCOVER_SYNC = "discover-sync"
    WATCH = "watch"
    TASK_START = "task-start"
    PARSE = "parse"
    DAG_PROCESSOR = "dag-processor"
    RENDER = "render"
    PREVIEW = "preview"
    BRING_UP = "bring-up"


BENCHMARKS: dict[Name, Callable[[Run], Report]] = {
    Name.START_UP: start_up.run,
    Name.DISCOVER_SYNC: discover_sync.run,
    Name.WATCH: watch.run,
    Name.TASK_START: task_start.run,
    Name.PARSE: parse.run,
    Name.DAG_PROCESSOR: dag_processor.run,
    Name.RENDER: render.run,
    Name.PREVIEW: preview.run,
    Name.BRING_UP: bring_up.run,
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def benchmark(
    names: Annotated[list[Name] | None, typer.Argument(help="Benchmarks to run.", show_default="all but bring-up")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds that count.", show_default="the benchmark's own")] = None,
    warm_ups: Annotated[int, typer.Option(min=0, help="Rounds before, which do not count.")] = 1,
    jobs: Annotated[
        list[int] | None, typer.Option(min=20, help="Jobs in the tree; may be repeated.", show_default="the benchmark's own")
    ] = None,
    dag_factory: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Measure this version of dag-factory too, in a venv thrown away.")
    ] = None,
    file_per_dag: Annotated[
        bool, typer.Option(help="Have dag-processor pass over a file per DAG too: two thirds of that benchmark's time.")
    ] = True,
    write_readme: Annotated[bool, typer.Option("--write-readme", help="Keep the tables in benchmarks/README.md.")] = False,
) -> None:
    """Measure what dagsync costs beside the alternatives, which take turns in one run.

    CPU is user and system time of a process and of the children it waited for. Figures are medians (least to most). No time
    is asserted: a missed target is said, and the exit code stays 0.
    """
    console, progress = Console(), Console(stderr=True)
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    for name in names or [name for name in BENCHMARKS if name is not Name.BRING_UP]:
        before = load()
        with tempfile.TemporaryDirectory(prefix="dagsync-benchmark-") as folder, progress.status(name) as status:
            run = Run(
                folder=Path(folder),
                rounds=rounds,
                warm_ups=warm_ups,
                jobs=tuple(jobs or ()),
                dag_factory=dag_factory,
                file_per_dag=file_per_dag,
                report=partial(_tell, status, name),
            )
            try:
                report = BENCHMARKS[name](run)
            except BenchmarkError as error:
                progress.print(f"{name}: {error}", style="red", markup=False)
                raise typer.Exit(1) from None
        lines = conditions(before)
        show(console, report, lines)
        if write_readme:
            given = [("--rounds", rounds), ("--dag-factory", dag_factory), *(("--jobs", number) for number in jobs or ())]
            options = [f"{option} {value}" for option, value in given if value is not None]
            if not file_per_dag:
                options.append("--no-file-per-dag")
            if warm_ups != 1:
                options.append(f"--warm-ups {warm_ups}")
            readme.write(report, " ".join(["python -m benchmarks", name, *options]), lines)


def _tell(status: Status, name: str, text: str) -> None:
    status.update(f"{name}: {text}")


def show(console: Console, report: Report, lines: list[str]) -> None:
    """Print a report and what it was measured on."""
    console.rule(report.name)
    for line in lines:
        console.print(line, style="dim", markup=False, highlight=False)
    for table in report.all_tables:
        grid = Grid(title=table.title, title_justify="left")
        for number, column in enumerate(table.columns):
            grid.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            grid.add_row(*row, style="yellow" if row[-1].startswith("missed") else None)
        console.print(grid)
    for note in report.notes:
        console.print(note, style="dim", markup=False)


def main() -> None:
    """Run the command line."""
    # Neither Airflow nor dag-factory tells anybody about a benchmark.
    os.environ |= {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "true"}
    app()
