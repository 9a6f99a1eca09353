"""The command line: arguments in, text and exit codes out. What commands do is elsewhere.

Each command imports what it needs when it runs, because start-up is most of the cost of an unchanged sync.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dagsync.arguments import parse
from dagsync.errors import EXIT_PROBLEMS, DagsyncError, MassRemovalError, NoHeartbeatError, PlanNotEmptyError
from dagsync.model import DEFAULT_SKIPPED_PACKAGES

if TYPE_CHECKING:
    from dagsync.model import Report, SyncOptions


def run(arguments: list[str], environment: Mapping[str, str], program: str = "dagsync") -> int:
    """Run one command and return its exit code. Raises ``DagsyncError``; a wrong usage raises ``SystemExit(2)``."""
    parsed = parse(arguments, environment, program)
    return COMMANDS[parsed.command](parsed, environment)


def error_lines(error: DagsyncError) -> list[str]:
    """Return what is printed for a failure: what is wrong, then what to do."""
    return [f"error: {error}", *([f"  fix: {error.fix}"] if error.fix else [])]


def _discover(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync import presenting, reporting
    from dagsync.discovery import discover

    root: Path = parsed.packages_root
    found = discover(root, _skipped(parsed, environment))
    if parsed.json:
        _print([presenting.discovery_json(found, root)])
    else:
        presenting.print_jobs(found.jobs)
        _complain(reporting.finding_lines("note", found.notes, root))
        _complain(reporting.finding_lines("problem", found.problems, root))
        _complain([presenting.counts_line(len(found.jobs), len(found.problems), len(found.notes))])
    return EXIT_PROBLEMS if found.problems else 0


def _generate(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    return _sync_once(parsed, _options(parsed, environment, clean=False, allow_mass_removal=False))


def _sync(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    options = _options(parsed, environment, clean=parsed.clean, allow_mass_removal=parsed.allow_mass_removal)
    if parsed.watch:
        return _watch(parsed, options)
    return _sync_once(parsed, options)


def _sync_once(parsed: argparse.Namespace, options: "SyncOptions") -> int:
    from dagsync.syncing import sync

    report = sync(options)
    _show_report(report, options.packages_root, verbose=parsed.verbose)
    if parsed.exit_zero:
        return 0
    if report.refused:
        raise _mass_removal(report.refused, options.dags_dir)
    return EXIT_PROBLEMS if report.problems else 0


def _watch(parsed: argparse.Namespace, options: "SyncOptions") -> int:
    from contextlib import ExitStack

    from dagsync import health, watching
    from dagsync.syncing import sync

    said: list[object] = []

    def run() -> None:
        report = sync(options)
        # An unchanged tree is looked at every interval for months: what is wrong with it is said once.
        state = (report.jobs, report.problems, report.notes, report.kept, report.refused)
        if report.written or report.removed or said != [state]:
            said[:] = [state]
            _show_report(report, options.packages_root, verbose=parsed.verbose)
            sys.stdout.flush()

    def failed(error: DagsyncError) -> None:
        _complain(error_lines(error))

    state = health.Health(stale_after_seconds=300.0)
    with ExitStack() as stack:
        stop = stack.enter_context(watching.stopping_on_signals())
        if parsed.health_port is not None:
            stack.enter_context(health.serving(state, parsed.health_port))
        watching.watch(options.packages_root, run, failed, parsed.interval, stop, state)
    return 0


def _plan(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync import presenting, reporting
    from dagsync.applying import plan_sync

    options = _options(parsed, environment, clean=parsed.clean, allow_mass_removal=parsed.allow_mass_removal)
    discovery, found = plan_sync(options)
    problems = discovery.problems + found.problems
    if parsed.json:
        _print([presenting.plan_json(discovery, found, options.packages_root)])
    else:
        presenting.print_diff(found.changes)
        _complain(reporting.finding_lines("note", discovery.notes + found.notes, options.packages_root))
        _complain(reporting.finding_lines("problem", problems, options.packages_root))
        _print([presenting.plan_line(found)])
    if parsed.check and not found.is_empty:
        raise PlanNotEmptyError(f"{options.dags_dir}: the DAG files are not what the packages declare", "run sync")
    if found.refused:
        raise _mass_removal(found.refused, options.dags_dir)
    return EXIT_PROBLEMS if problems else 0


def _heartbeat(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.heartbeat import CONNECTION_VARIABLE, check_heartbeat, default_hostname

    url = environment.get(CONNECTION_VARIABLE)
    if not url:
        raise NoHeartbeatError(f"{CONNECTION_VARIABLE} is not set", "give it the URL of Airflow's metadata database")
    hostname = parsed.hostname or default_hostname(environment)
    _print([check_heartbeat(url, parsed.job_type, hostname, parsed.threshold)])
    return 0


COMMANDS = {"discover": _discover, "generate": _generate, "sync": _sync, "plan": _plan, "heartbeat": _heartbeat}


def _options(
    parsed: argparse.Namespace, environment: Mapping[str, str], *, clean: bool, allow_mass_removal: bool
) -> "SyncOptions":
    from dagsync.model import SyncOptions

    return SyncOptions(
        packages_root=parsed.packages_root,
        dags_dir=parsed.dags_dir,
        group_by=parsed.group_by,
        clean=clean,
        allow_mass_removal=allow_mass_removal,
        skipped=_skipped(parsed, environment),
    )


def _skipped(parsed: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, ...]:
    given: list[str] | None = parsed.skip_package
    if given is None and "DAGSYNC_SKIP_PACKAGES" in environment:
        given = environment["DAGSYNC_SKIP_PACKAGES"].split()
    return DEFAULT_SKIPPED_PACKAGES if given is None else tuple(sorted(given))


def _show_report(report: "Report", root: Path, *, verbose: bool) -> None:
    from dagsync import reporting

    _complain(reporting.report_notes(report, root))
    if verbose:
        _print(f"{action:9} {name}" for action, name in report.files)
    _print([reporting.report_line(report)])


def _mass_removal(refused: tuple[str, ...], dags_dir: Path) -> MassRemovalError:
    shown = ", ".join(refused[:5]) + (", …" if len(refused) > 5 else "")
    return MassRemovalError(
        f"{dags_dir}: {len(refused)} DAGs, more than half of all, would be removed: {shown}",
        "if their jobs are really gone, add --allow-mass-removal",
    )


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(line + "\n" for line in lines)


def _complain(lines: Iterable[str]) -> None:
    sys.stderr.writelines(line + "\n" for line in lines)
