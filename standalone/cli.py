"""The command line, and the only place that prints or chooses an exit code."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from standalone import command_line, processes, starting, status
from standalone import logs as reading
from standalone.errors import InterruptedStartError, NotRunningError, StandaloneError
from standalone.interruption import interruptible
from standalone.preflight import StartOptions
from standalone.progress import Progress
from standalone.roster import COMPONENTS
from standalone.state import ADMIN_USERNAME, Run, StateFolder

REPOSITORY = Path(__file__).resolve().parent.parent
COLOURS = ("cyan", "magenta", "green", "yellow", "blue")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Real Airflow on this machine, with your jobs as DAGs.\n\n"
    "`start` brings it up and leaves it running, `status` and `logs` look at it, `stop` ends it.\n"
    "Everything it keeps (SQLite database, logs, passwords) is in the state folder; nothing listens beyond 127.0.0.1.",
)

StateOption = Annotated[
    Path, typer.Option("--state", help="Folder that keeps the database, logs and passwords.", show_default=".airflow")
]
DEFAULT_STATE = REPOSITORY / ".airflow"


@app.command()
def start(
    packages: Annotated[
        Path,
        typer.Option(help="Folder of your packages, each with jobs/*.py. Never written.", show_default="examples/packages"),
    ] = REPOSITORY / "examples" / "packages",
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port of the web page and the REST API.", show_default="8080")
    ] = None,
    state: StateOption = DEFAULT_STATE,
    first_run: Annotated[bool, typer.Option(help="Run one job at the end, to see it succeed.")] = True,
    job: Annotated[str | None, typer.Option(help="The job to run first, as package.job.", show_default="chosen")] = None,
) -> None:
    """Start Airflow, wait until it is healthy, run one job, and leave it up.

    Jobs run in this Python: a job whose imports are not installed here fails when it runs, and harms nothing else.

    Exit codes: 0 up; 10 port busy; 11 up with other packages; 12 no disk; 13 packages unusable; 14 state folder unusable;
    15 database of a newer Airflow; 16 a component died; 17 not healthy in time; 18 a job is no DAG (stays up);
    19 the first run failed (stays up); 20 another start or stop is under way; 130 Ctrl-C, everything stopped again.
    """
    console = _console()
    folder = StateFolder(state)
    options = StartOptions(packages=packages, port=port, first_run=first_run, job=job)
    console.print(f"[bold]Airflow on this machine[/], jobs from {escape(str(packages))}", highlight=False, soft_wrap=True)
    with interruptible():
        try:
            run = starting.start(folder, options, Progress(console))
        except KeyboardInterrupt as error:
            raise InterruptedStartError(
                "interrupted: what was started is stopped again", "Begin anew with: make try"
            ) from error
        except StandaloneError as error:
            # Its address is what one needs to look closer.
            if error.stays_up and (up := folder.read_run()):
                _summary(console, folder, up)
            raise
        _summary(console, folder, run)


@app.command()
def stop(state: StateOption = DEFAULT_STATE) -> None:
    """End every process of Airflow. What it knows stays for the next start."""
    folder = StateFolder(state)
    # Processes outlive a folder that was deleted under them.
    with folder.locked() if folder.is_ours() else nullcontext():
        run = folder.read_run()
        count = processes.stop(folder.root, run.components if run else ())
    _console().print(
        f"Stopped: {count} {'process' if count == 1 else 'processes'}." if count else "Nothing is running.", highlight=False
    )


@app.command("status")
def show_status(
    state: StateOption = DEFAULT_STATE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show each component, its memory, and whether Airflow is healthy.

    Exit codes: 0 healthy, 1 not healthy, 3 not running.
    """
    folder = StateFolder(state)
    report = status.look(folder)
    if as_json:
        typer.echo(report.to_json())
    else:
        status.show(report, _console())
    if not report.running:
        raise NotRunningError(f"{folder.root}: Airflow is not running", "Start it: make try")
    if not report.healthy:
        raise StandaloneError("Airflow is not healthy", "See why: make logs. Start it again: make try")


@app.command()
def logs(
    component: Annotated[str | None, typer.Argument(help=f"One of {', '.join(COMPONENTS)}.", show_default="all")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")] = 20,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Show the components' logs. Those of tasks are in Airflow's page, and under logs/tasks in the state folder."""
    if component is not None and component not in COMPONENTS:
        raise typer.BadParameter(f"{component}: expected one of {', '.join(COMPONENTS)}")
    folder = StateFolder(state)
    names = [component] if component else list(COMPONENTS)
    paths = {name: folder.component_log(name) for name in names}
    if not any(path.exists() for path in paths.values()):
        raise NotRunningError(f"{folder.logs}: no logs yet", "Start Airflow: make try")
    console = _console()
    added = reading.follow(paths)
    for name, path in paths.items():
        for line in reading.last_lines(path, lines):
            _print_line(console, name, line, alone=component is not None)
    if follow:
        try:
            for name, line in added:
                _print_line(console, name, line, alone=component is not None)
        except KeyboardInterrupt:
            return


def main() -> int:
    """Run the command line and return its exit code."""
    fix = "Is the disk full, or the folder gone? See: df -h"
    return command_line.run(app, StandaloneError, os_error_fix=fix, details_in=DEFAULT_STATE)


def _console() -> Console:
    return Console()


def _print_line(console: Console, name: str, line: str, *, alone: bool) -> None:
    if not alone:
        colour = COLOURS[COMPONENTS.index(name) % len(COLOURS)]
        console.print(f"[{colour}]{name:<14}[/]", end="")
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _summary(console: Console, folder: StateFolder, run: Run) -> None:
    password = folder.read_secrets().admin_password
    console.print(
        f"""
  [bold]Airflow is up:[/] {run.url}
  user      {ADMIN_USERNAME}
  password  {password}

  Add a job   write {escape(run.packages)}/<package>/jobs/<job>.py with JOB = (main, "what it does");
              it is a DAG a few seconds later. Its DAGs start paused.
  Look        make logs, make status
  End         make stop
""",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main())
