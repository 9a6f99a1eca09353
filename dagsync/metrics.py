"""What a watching sync counts, and how Prometheus reads it.

Written by hand, because ten lines of text are no reason for a library in every pod.
"""

import threading
from collections import Counter
from collections.abc import Iterator

from dagsync.outcome import Report

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus text format, https://prometheus.io/docs/instrumenting/exposition_formats/."""

RESULTS = ("success", "problems", "failure")
"""All healthy; some jobs have problems and the others were synced; the sync failed as a whole."""

METRICS = {
    "dagsync_last_success_timestamp_seconds": ("gauge", "When the last sync that did not fail ended, in seconds since 1970."),
    "dagsync_last_sync_duration_seconds": ("gauge", "How long that sync took."),
    "dagsync_jobs": ("gauge", "Jobs without a problem."),
    "dagsync_problems": ("gauge", "Problems of jobs and of files in the way."),
    "dagsync_kept_dags": ("gauge", "Last good DAGs that stay although their jobs have a problem."),
    "dagsync_refused_dags": ("gauge", "DAGs that stay although their jobs are gone, as they are more than half of all."),
    "dagsync_dag_files_written_total": ("counter", "DAG files created or updated."),
    "dagsync_dag_files_removed_total": ("counter", "DAG files removed."),
    "dagsync_syncs_total": ("counter", f"Syncs by result: {', '.join(RESULTS)}."),
}
"""Type and meaning of every metric, by name."""


class Metrics:
    """Written by the watching thread, read by the server's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._written = self._removed = 0
        self._syncs: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))

    def synced(self, report: Report, ended_at: float, duration_seconds: float) -> None:
        """Count a sync that ended at ``ended_at`` seconds since 1970."""
        with self._lock:
            self._last = {
                "dagsync_last_success_timestamp_seconds": ended_at,
                "dagsync_last_sync_duration_seconds": duration_seconds,
                "dagsync_jobs": report.jobs,
                "dagsync_problems": len(report.problems),
                "dagsync_kept_dags": len(report.kept),
                "dagsync_refused_dags": len(report.refused),
            }
            self._written += sum(action in {"create", "update"} for action, _ in report.files)
            self._removed += sum(action == "delete" for action, _ in report.files)
            self._syncs["problems" if report.problems else "success"] += 1

    def failed(self) -> None:
        """Count a sync that failed as a whole."""
        with self._lock:
            self._syncs["failure"] += 1

    def text(self) -> str:
        """Return all metrics in the text format. Gauges are left out until there was a sync to tell of."""
        with self._lock:
            samples: dict[str, list[tuple[str, float]]] = {name: [("", value)] for name, value in self._last.items()}
            samples["dagsync_dag_files_written_total"] = [("", self._written)]
            samples["dagsync_dag_files_removed_total"] = [("", self._removed)]
            samples["dagsync_syncs_total"] = [(f'{{result="{result}"}}', self._syncs[result]) for result in RESULTS]
        return "".join(_lines(samples))


def _lines(samples: dict[str, list[tuple[str, float]]]) -> Iterator[str]:
    for name, (kind, meaning) in METRICS.items():
        if name in samples:
            yield f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
            for labels, value in samples[name]:
                yield f"{name}{labels} {value!r}\n"
