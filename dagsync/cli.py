"""The command line: arguments in, text and exit codes out. What commands do is elsewhere."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagsync.errors import EXIT_PROBLEMS, DagsyncError, MassRemovalError, NoHeartbeatError, PlanNotEmptyError
from dagsync.model import DEFAULT_SKIPPED_PACKAGES, GroupBy

if TYPE_CHECKING:
    from dagsync.syncing import Report

app = typer.Typer(
    help="Turns the ETL jobs of a monorepo into Airflow DAGs.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help and errors: importing rich for them would double the start of every command.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

PackagesRoot = Annotated[
    Path,
    typer.Option("--packages-root", envvar="ETL_PACKAGES_ROOT", help="Folder that holds the packages."),
]
DagsDir = Annotated[
    Path,
    typer.Option("--dags-dir", envvar="AIRFLOW_DAGS_DIR", help="Folder Airflow reads DAG files from."),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        "--skip-package",
        envvar="DAGSYNC_SKIP_PACKAGES",
        help=f"Package to leave out; repeatable. Default: {', '.join(DEFAULT_SKIPPED_PACKAGES)}.",
    ),
]
Grouping = Annotated[
    GroupBy,
    typer.Option("--group-by", help="One DAG file per package, or per job (costs Airflow about ten times the CPU)."),
]
AllowMassRemoval = Annotated[
    bool, typer.Option("--allow-mass-removal", help="Remove DAGs even if they are more than half of all.")
]
Clean = Annotated[bool, typer.Option("--clean/--no-clean", help="Remove the DAGs of jobs that are gone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say what was done to each file.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Report problems of jobs, but exit with 0.")]

DEFAULT_ROOT = Path("/app/packages")
DEFAULT_DAGS = Path("/opt/airflow/dags")


@app.command()
def discover(packages_root: PackagesRoot = DEFAULT_ROOT, skip: Skip = None, as_json: AsJson = False) -> None:
    """List the jobs of all packages, and what is wrong with any."""
    from dagsync import discovery, presenting

    found = discovery.discover(packages_root, _skipped(skip))
    if as_json:
        typer.echo(presenting.discovery_json(found, packages_root))
    else:
        presenting.print_jobs(found.jobs)
        _complain(presenting.finding_lines("note", found.notes, packages_root))
        _complain(presenting.finding_lines("problem", found.problems, packages_root))
        jobs, problems = presenting.counted(len(found.jobs), "job"), presenting.counted(len(found.problems), "problem")
        _complain([f"{jobs}; {problems}, {presenting.counted(len(found.notes), 'note')}"])
    if found.problems:
        raise typer.Exit(EXIT_PROBLEMS)


@app.command()
def generate(
    packages_root: PackagesRoot = DEFAULT_ROOT,
    dags_dir: DagsDir = DEFAULT_DAGS,
    group_by: Grouping = "package",
    skip: Skip = None,
    verbose: Verbose = False,
    exit_zero: ExitZero = False,
) -> None:
    """Write the DAG files of all jobs and remove nothing."""
    _sync_once(packages_root, dags_dir, group_by, skip, clean=False, allow=False, verbose=verbose, exit_zero=exit_zero)


@app.command()
def sync(
    packages_root: PackagesRoot = DEFAULT_ROOT,
    dags_dir: DagsDir = DEFAULT_DAGS,
    clean: Clean = True,
    allow_mass_removal: AllowMassRemoval = False,
    group_by: Grouping = "package",
    skip: Skip = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and sync whenever the packages change.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds after which to sync anyway; with --watch.")] = 300,
    health_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve /healthz and /readyz on this port; with --watch.")
    ] = None,
    exit_zero: ExitZero = False,
    verbose: Verbose = False,
) -> None:
    """Make the DAG files match the packages: write what changed, remove what is gone."""
    if not watch:
        if health_port is not None:
            raise typer.BadParameter("only goes with --watch", param_hint="--health-port")
        _sync_once(
            packages_root, dags_dir, group_by, skip, clean=clean, allow=allow_mass_removal, verbose=verbose, exit_zero=exit_zero
        )
        return
    from contextlib import ExitStack

    from dagsync import health, syncing, watching
    from dagsync.planning import Rules

    options = syncing.SyncOptions(packages_root, dags_dir, Rules(group_by, clean, allow_mass_removal), _skipped(skip))
    said: set[str] = set()

    def run() -> None:
        report = syncing.sync(options)
        text = _report_text(report, packages_root, verbose=verbose)
        # An unchanged tree is looked at every interval for months: its problems are worth saying once.
        fresh = "\n".join(text[1])
        if report.written or report.removed or not said or fresh not in said:
            said.clear()
            said.add(fresh)
            _say(text)

    def failed(error: DagsyncError) -> None:
        _complain(error_lines(error))

    state = health.Health(stale_after_seconds=max(60.0, 3 * interval))
    with ExitStack() as stack:
        stop = stack.enter_context(watching.stopping_on_signals())
        if health_port is not None:
            stack.enter_context(health.serving(state, health_port))
        watching.watch(packages_root, run, failed, interval, stop, state)


@app.command()
def plan(
    packages_root: PackagesRoot = DEFAULT_ROOT,
    dags_dir: DagsDir = DEFAULT_DAGS,
    clean: Clean = True,
    allow_mass_removal: AllowMassRemoval = False,
    group_by: Grouping = "package",
    skip: Skip = None,
    check: Annotated[
        bool, typer.Option("--check", help=f"Exit with {PlanNotEmptyError.exit_code} if there is any change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a sync would create, update and delete, and change nothing."""
    from dagsync import presenting, syncing
    from dagsync.planning import Rules

    options = syncing.SyncOptions(packages_root, dags_dir, Rules(group_by, clean, allow_mass_removal), _skipped(skip))
    discovery, found = syncing.plan_sync(options)
    problems = discovery.problems + found.problems
    if as_json:
        typer.echo(presenting.plan_json(discovery, found, packages_root))
    else:
        for change in found.changes:
            for line in presenting.diff_lines(change):
                _say_diff(line)
        _complain(presenting.finding_lines("note", discovery.notes + found.notes, packages_root))
        _complain(presenting.finding_lines("problem", problems, packages_root))
        typer.echo(presenting.plan_line(found))
    if check and not found.is_empty:
        raise PlanNotEmptyError(f"{dags_dir}: the DAG files are not what the packages declare", "run sync")
    if found.refused:
        raise _mass_removal(found.refused, dags_dir)
    if problems:
        raise typer.Exit(EXIT_PROBLEMS)


@app.command()
def heartbeat(
    job_type: Annotated[str, typer.Argument(help="SchedulerJob, DagProcessorJob or TriggererJob.")],
    threshold: Annotated[float, typer.Option(min=0, help="Seconds the last heartbeat may be old.")] = 30,
    hostname: Annotated[str | None, typer.Option(help="Host of the component; default: this one, as Airflow names it.")] = None,
) -> None:
    """Exit with 0 if an Airflow component on this host sent a heartbeat lately, else with 1."""
    from dagsync import heartbeat as probe

    if job_type not in probe.JOB_TYPES:
        raise typer.BadParameter(f"expected one of {', '.join(probe.JOB_TYPES)}, found {job_type!r}", param_hint="JOB_TYPE")
    url = os.environ.get(probe.CONNECTION_VARIABLE)
    if not url:
        raise NoHeartbeatError(f"{probe.CONNECTION_VARIABLE} is not set", "give it the URL of Airflow's metadata database")
    typer.echo(probe.check_heartbeat(url, job_type, hostname or probe.default_hostname(), threshold))


def error_lines(error: DagsyncError) -> list[str]:
    """Return what is printed for a failure: what is wrong, then what to do."""
    return [f"error: {error}", *([f"  fix: {error.fix}"] if error.fix else [])]


def _sync_once(
    packages_root: Path,
    dags_dir: Path,
    group_by: GroupBy,
    skip: list[str] | None,
    *,
    clean: bool,
    allow: bool,
    verbose: bool,
    exit_zero: bool,
) -> None:
    from dagsync import syncing
    from dagsync.planning import Rules

    report = syncing.sync(syncing.SyncOptions(packages_root, dags_dir, Rules(group_by, clean, allow), _skipped(skip)))
    _say(_report_text(report, packages_root, verbose=verbose))
    if exit_zero:
        return
    if report.refused:
        raise _mass_removal(report.refused, dags_dir)
    if report.problems:
        raise typer.Exit(EXIT_PROBLEMS)


def _report_text(report: "Report", root: Path, *, verbose: bool) -> tuple[list[str], list[str]]:
    """Return the lines for standard output and for standard error."""
    from dagsync import presenting

    errors = [
        *presenting.finding_lines("note", report.notes, root),
        *presenting.finding_lines("problem", report.problems, root),
    ]
    if report.kept:
        errors.append(f"note: the last good DAG stays for {', '.join(report.kept)}")
    if report.refused:
        errors.append(f"note: {presenting.counted(len(report.refused), 'DAG')} of jobs that are gone left in place")
    if not report.jobs:
        errors.append(f"note: no jobs found below {root}")
    output = [f"{action:9} {name}" for action, name in report.files] if verbose else []
    return [*output, presenting.report_line(report)], errors


def _say(text: tuple[list[str], list[str]]) -> None:
    output, errors = text
    _complain(errors)
    for line in output:
        typer.echo(line)


def _complain(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)


def _say_diff(line: str) -> None:
    colours = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}
    plain = line.startswith(("+++", "---")) or "NO_COLOR" in os.environ
    typer.secho(line, fg=None if plain else colours.get(line[:1]))


def _skipped(skip: list[str] | None) -> tuple[str, ...]:
    return DEFAULT_SKIPPED_PACKAGES if skip is None else tuple(sorted(skip))


def _mass_removal(refused: tuple[str, ...], dags_dir: Path) -> MassRemovalError:
    shown = ", ".join(refused[:5]) + (", …" if len(refused) > 5 else "")
    return MassRemovalError(
        f"{dags_dir}: {len(refused)} DAGs, more than half of all, would be removed: {shown}",
        "if their jobs are really gone, add --allow-mass-removal",
    )
