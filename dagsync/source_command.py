"""``sync --source``, once or for good."""

import argparse
from pathlib import Path

from dagsync.cache import Cache
from dagsync.errors import EXIT_PROBLEMS, DagsyncError
from dagsync.outcome import Report, SyncOptions
from dagsync.s3 import S3Store
from dagsync.source_syncing import sync_source
from dagsync.sync_command import HANGS_AFTER_SECONDS, Rounds, show_failure, show_report

OUTDATED_AFTER_SECONDS = 300.0
"""How long the source may be away before a pod is no longer ready: it works, on a version that may not be current."""


def sync_once(parsed: argparse.Namespace, options: SyncOptions) -> int:
    """Fetch, sync and return the exit code.

    Raises what ``sync_source`` does, and why only an older version was synced; with ``--exit-zero`` that is only said, so that
    a pod can start while the source is away.
    """
    report, root, failure = sync_source(S3Store(parsed.source), _cache(parsed), options)
    show_report(parsed, report, root)
    if failure is not None:
        if not parsed.exit_zero:
            raise failure
        show_failure(parsed, failure)
    return EXIT_PROBLEMS if report.problems and not parsed.exit_zero else 0


def follow(parsed: argparse.Namespace, options: SyncOptions) -> int:
    """Fetch and sync at every interval, until SIGTERM or SIGINT, and return 0."""
    from dagsync.health import MISSED_INTERVALS, Health
    from dagsync.polling import poll
    from dagsync.watching import stopping_on_signals

    source, cache = S3Store(parsed.source), _cache(parsed)
    away: list[DagsyncError] = []
    told: list[str] = []
    complete: list[bool] = []

    def sync_now() -> tuple[Report, Path]:
        away.clear()
        report, root, failure = sync_source(source, cache, options)
        away.extend([failure] if failure else [])
        return report, root

    rounds = Rounds(parsed, sync_now)
    rounds.health = Health(HANGS_AFTER_SECONDS, max(MISSED_INTERVALS * parsed.interval, OUTDATED_AFTER_SECONDS))

    def run() -> None:
        rounds.run()
        if not complete:
            # Even without the source: Airflow need not wait for it to come back.
            complete.append(True)
            rounds.health.set_ready()
        if away:
            raise away[0]
        told.clear()

    def failed(error: DagsyncError) -> None:
        # Asked every few seconds, a source that is away for hours is said to be away once.
        if told != [str(error)]:
            told[:] = [str(error)]
            rounds.failed(error)

    with stopping_on_signals() as stop, rounds.served():
        poll(run, failed, parsed.interval, stop, rounds.health)
    return 0


def _cache(parsed: argparse.Namespace) -> Cache:
    return Cache(parsed.cache, parsed.keep, parsed.keep_hours * 3600)
