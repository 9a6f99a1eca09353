"""``generate`` and ``sync``, once or for good."""

import argparse
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from dagsync.console import remark, tell
from dagsync.errors import EXIT_PROBLEMS, DagsyncError, MassRemovalError
from dagsync.outcome import Report, SyncOptions
from dagsync.reporting import error_lines, report_line, report_notes
from dagsync.syncing import sync

HANGS_AFTER_SECONDS = 300.0
"""A sync of ten thousand jobs takes some seconds; one that waits for another's lock gives up after two minutes."""


def sync_once(parsed: argparse.Namespace, options: SyncOptions) -> int:
    """Sync and return the exit code. Raises ``MassRemovalError`` and what ``sync`` does."""
    report = sync(options)
    show_report(parsed, report, options.packages_root)
    if parsed.exit_zero:
        return 0
    if report.refused:
        raise mass_removal(report.refused, options.dags_dir)
    return EXIT_PROBLEMS if report.problems else 0


def stay(parsed: argparse.Namespace, options: SyncOptions) -> int:
    """Sync whenever the packages change, until SIGTERM or SIGINT, and return 0."""
    from dagsync.watching import stopping_on_signals, watch

    rounds = Rounds(parsed, lambda: (sync(options), options.packages_root))
    with stopping_on_signals() as stop, rounds.served():
        watch(options.packages_root, rounds.run, rounds.failed, parsed.interval, stop, rounds.health, poll=parsed.poll)
    return 0


class Rounds:
    """The syncs of one process: each is counted, and told if there is anything new to tell."""

    def __init__(self, parsed: argparse.Namespace, sync_now: Callable[[], tuple[Report, Path]]) -> None:
        """``sync_now`` syncs and returns the report and the packages root it is about."""
        from dagsync.health import MISSED_INTERVALS, Health
        from dagsync.metrics import Metrics

        self.health = Health(HANGS_AFTER_SECONDS, MISSED_INTERVALS * parsed.interval)
        self._metrics = Metrics()
        self._parsed = parsed
        self._sync_now = sync_now
        self._said: object = None

    @contextmanager
    def served(self) -> Generator[None]:
        """Answer probes and Prometheus, if a port was given. Raises ``HealthPortError``."""
        from dagsync.health import serving

        if self._parsed.health_port is None:
            yield
            return
        with serving(self.health, self._metrics, self._parsed.health_host, self._parsed.health_port):
            yield

    def run(self) -> None:
        """Sync once. Raises what the sync does."""
        started = time.monotonic()
        report, root = self._sync_now()
        self._metrics.synced(report, time.time(), time.monotonic() - started)
        # An unchanged tree is looked at every interval for months: what is wrong with it is said once.
        state = (report.jobs, report.problems, report.notes, report.kept, report.refused)
        if report.written or report.removed or self._said != state:
            self._said = state
            show_report(self._parsed, report, root)
            sys.stdout.flush()

    def failed(self, error: DagsyncError) -> None:
        """Count and say that a sync failed as a whole."""
        self._metrics.failed()
        show_failure(self._parsed, error)
        sys.stdout.flush()


def show_report(parsed: argparse.Namespace, report: Report, root: Path) -> None:
    """Say what a sync did, in the format that was asked for."""
    if parsed.log_format == "json":
        from datetime import UTC, datetime

        from dagsync.log_records import report_records

        tell(report_records(report, root, datetime.now(UTC)))
        return
    remark(report_notes(report, root))
    if parsed.verbose:
        tell(f"{action:9} {name}" for action, name in report.files)
    tell([report_line(report)])


def show_failure(parsed: argparse.Namespace, error: DagsyncError) -> None:
    """Say why a sync failed as a whole, in the format that was asked for."""
    if parsed.log_format == "json":
        from datetime import UTC, datetime

        from dagsync.log_records import failure_record

        tell([failure_record(error, datetime.now(UTC))])
        return
    remark(error_lines(error))


def mass_removal(refused: tuple[str, ...], dags_dir: Path) -> MassRemovalError:
    shown = ", ".join(refused[:5]) + (", …" if len(refused) > 5 else "")
    return MassRemovalError(
        f"{dags_dir}: {len(refused)} DAGs, more than half of all, would be removed: {shown}",
        "if their jobs are really gone, add --allow-mass-removal",
    )
