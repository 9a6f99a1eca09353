"""A watching sync follows the tree at once, survives what goes wrong, answers probes and ends cleanly."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.dagsync.tree import Monorepo


def until(probe: Callable[[], object], seconds: float = 15) -> float:
    """Wait until ``probe`` is true and return how long it took."""
    started = time.monotonic()
    while not probe():
        assert time.monotonic() - started < seconds, "not in time"
        time.sleep(0.01)
    return time.monotonic() - started


@contextlib.contextmanager
def watching(monorepo: Monorepo, *arguments: str, log: Path | None = None) -> Generator[subprocess.Popen[str]]:
    """Run ``sync --watch`` and make sure it is gone afterwards."""
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    command = [sys.executable, "-m", "dagsync", "sync", "--watch", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status(port: int, path: str) -> int | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_new_changed_and_removed_jobs_are_followed_at_once(monorepo: Monorepo) -> None:
    for name in ("load", "a", "b"):
        monorepo.job(f"sales.{name}")
    with watching(monorepo):
        until(lambda: len(monorepo.dag_ids()) == 3)
        # The watch begins a moment after the first sync; the look it takes then is over when an early change is seen.
        monorepo.job("sales.first")
        until(lambda: "sales_first" in monorepo.dag_ids())
        monorepo.job("sales.added")
        assert until(lambda: "sales_added" in monorepo.dag_ids()) < 2
        monorepo.job("sales.added", 'JOB = (main, "Changed")')
        assert until(lambda: b"'Changed'" in monorepo.files()["sales_dags.py"]) < 2
        (monorepo.packages / "sales/jobs/added.py").unlink()
        assert until(lambda: "sales_added" not in monorepo.dag_ids()) < 2
        monorepo.job("brand_new.job")
        assert until(lambda: "brand_new_job" in monorepo.dag_ids()) < 3


def test_tree_is_looked_at_every_interval_even_if_no_change_is_announced(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    with watching(monorepo, "--interval", "0.5"):
        until(lambda: monorepo.dag_ids() == {"sales_load"})
        # Not announced: the watch is on the packages, not on the DAG folder.
        (monorepo.dags / "sales_dags.py").unlink()
        until(lambda: monorepo.dag_ids() == {"sales_load"})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_zero(monorepo: Monorepo, number: signal.Signals) -> None:
    monorepo.job("sales.load")
    with watching(monorepo) as process:
        until(monorepo.dag_ids)
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 3
        assert process.stdout is not None
        assert process.stdout.read() == "1 job: 1 DAG written, 0 unchanged, 0 removed; 0 problems, 0 notes\n"


def test_it_is_ready_once_the_first_sync_is_complete(monorepo: Monorepo, port: int) -> None:
    root, away = monorepo.packages, monorepo.packages.with_name("away")
    monorepo.job("sales.load")
    root.rename(away)
    with watching(monorepo, "--health-port", str(port), "--interval", "0.3") as process:
        until(lambda: status(port, "/healthz") == 200)
        assert status(port, "/readyz") == 503
        assert status(port, "/else") == 404
        away.rename(root)
        until(lambda: status(port, "/readyz") == 200)
        assert monorepo.dag_ids() == {"sales_load"}
        process.terminate()
        assert process.wait(10) == 0


def test_broken_job_does_not_end_it_and_is_said_once(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", "JOB = (")
    with watching(monorepo, "--interval", "0.2") as process:
        time.sleep(1.5)
        monorepo.job("sales.other")
        until(lambda: monorepo.dag_ids() == {"sales_other"})
        process.terminate()
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors.count("syntax error") == 2


def test_replaced_root_is_followed(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    with watching(monorepo) as process:
        until(monorepo.dag_ids)
        monorepo.packages.rename(monorepo.packages.with_name("old"))
        monorepo.packages.mkdir()
        monorepo.job("sales.load")
        monorepo.job("crm.sync")
        until(lambda: monorepo.dag_ids() == {"sales_load", "crm_sync"})
        assert process.poll() is None


def test_port_that_is_taken_is_one_clear_line(monorepo: Monorepo) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        done = monorepo.cli("sync", "--watch", "--health-port", str(taken.getsockname()[1]))
    assert done.returncode == 9
    assert "Address already in use\n  fix: give a free port" in done.stderr
