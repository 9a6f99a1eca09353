"""A watching sync follows the tree at once, survives what goes wrong, answers probes and ends cleanly."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from dagsync.health import Health
from dagsync.mounts import announces_changes
from tests.dagsync.tree import Monorepo
from tests.ports import free_port


def until(probe: Callable[[], object], seconds: float = 60) -> float:
    """Wait until ``probe`` is true and return how long it took, in seconds."""
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
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.fixture
def port() -> int:
    return free_port()


def test_new_changed_and_removed_jobs_are_followed_at_once(monorepo: Monorepo) -> None:
    for name in ("load", "a", "b"):
        monorepo.job(f"sales.{name}")
    with watching(monorepo):
        until(lambda: len(monorepo.dag_ids()) == 3)
        # The watch begins a moment after the first sync; the look it takes then is over when an early change is seen.
        monorepo.job("sales.first")
        until(lambda: "sales_first" in monorepo.dag_ids())
        monorepo.job("sales.added")
        until(lambda: "sales_added" in monorepo.dag_ids())
        monorepo.job("sales.added", 'JOB = (main, "Changed")')
        until(lambda: b"'Changed'" in monorepo.files()["sales_dags.py"])
        (monorepo.packages / "sales/jobs/added.py").unlink()
        until(lambda: "sales_added" not in monorepo.dag_ids())
        monorepo.job("brand_new.job")
        until(lambda: "brand_new_job" in monorepo.dag_ids())


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
        process.send_signal(number)
        assert process.wait(60) == 0
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
        assert process.wait(60) == 0


def test_broken_job_does_not_end_it_and_is_said_once(monorepo: Monorepo, port: int) -> None:
    monorepo.job("sales.load", "JOB = (")
    with watching(monorepo, "--interval", "0.2", "--health-port", str(port)) as process:
        until(lambda: status(port, "/readyz") == 200)
        until(lambda: metrics(port)['dagsync_syncs_total{result="problems"}'] >= 3)
        monorepo.job("sales.other")
        until(lambda: monorepo.dag_ids() == {"sales_other"})
        process.terminate()
        _, errors = process.communicate(timeout=60)
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


def metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = response.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def test_prometheus_sees_what_syncs_did(monorepo: Monorepo, port: int) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.pull")
    started = time.time()
    with watching(monorepo, "--health-port", str(port), "--interval", "0.3"):
        until(lambda: status(port, "/readyz") == 200)
        found = metrics(port)
        assert started < found["dagsync_last_success_timestamp_seconds"] < time.time()
        assert 0 < found["dagsync_last_sync_duration_seconds"] < 10
        assert (found["dagsync_jobs"], found["dagsync_problems"], found["dagsync_dag_files_written_total"]) == (2, 0, 2)
        monorepo.job("sales.load", "JOB = (")
        (monorepo.packages / "crm/jobs/pull.py").unlink()
        until(lambda: metrics(port)["dagsync_dag_files_removed_total"] == 1)
        until(lambda: metrics(port)["dagsync_kept_dags"] == 1)
        assert metrics(port)['dagsync_syncs_total{result="problems"}'] >= 1
        monorepo.packages.rename(monorepo.packages.with_name("away"))
        until(lambda: metrics(port)['dagsync_syncs_total{result="failure"}'] >= 1)
        assert metrics(port)["dagsync_jobs"] == 0


def test_it_is_not_ready_any_more_once_syncs_keep_failing(monorepo: Monorepo, port: int) -> None:
    away = monorepo.packages.with_name("away")
    monorepo.job("sales.load")
    with watching(monorepo, "--health-port", str(port), "--interval", "1"):
        until(lambda: status(port, "/readyz") == 200)
        monorepo.packages.rename(away)
        assert until(lambda: status(port, "/readyz") == 503) > 1.5
        assert status(port, "/healthz") == 200
        away.rename(monorepo.packages)
        until(lambda: status(port, "/readyz") == 200)


def test_probes_are_answered_on_the_address_asked_for_alone(monorepo: Monorepo, port: int) -> None:
    monorepo.job("sales.load")
    with watching(monorepo, "--health-port", str(port), "--health-host", "127.0.0.1"):
        until(lambda: status(port, "/readyz") == 200)
        assert f"0100007F:{port:04X}" in Path("/proc/net/tcp").read_text()
        assert f"00000000:{port:04X}" not in Path("/proc/net/tcp").read_text()
    done = monorepo.cli("sync", "--watch", "--health-port", str(port), "--health-host", "203.0.113.1")
    assert done.returncode == 9
    assert "an address of this machine by --health-host" in done.stderr


def test_pods_that_start_together_do_not_sync_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagsync import watching as module

    pauses: list[float] = []

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return 1000.0

    def ticks(*_: object, **__: object) -> Generator[bool]:
        yield from [True] * 50

    def measured(least: float, most: float) -> float:
        pauses.extend([least, most])
        return most

    monkeypatch.setattr(module, "_ticks", ticks)
    monkeypatch.setattr(module, "time", Clock)
    monkeypatch.setattr(module.random, "uniform", measured)
    runs: list[None] = []
    module.watch(Path(), lambda: runs.append(None), lambda _: None, 300, threading.Event(), Health(300))
    # Sooner only: the interval is a promise.
    assert set(pauses) == {0.9, 1}
    assert len(runs) == 50


def test_polling_needs_no_announcement(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagsync import watching as module

    def watch(*_: object, **__: object) -> None:
        raise AssertionError("the kernel was asked to announce changes")

    monkeypatch.setattr(module.watchfiles, "watch", watch)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    monorepo.job("sales.load")
    stop, reports = threading.Event(), list[object]()
    arguments = (lambda: reports.append(monorepo.sync()), reports.append, 300.0, stop, Health(300))
    thread = threading.Thread(target=module.watch, args=(monorepo.packages, *arguments), kwargs={"poll": True})
    thread.start()
    try:
        until(lambda: monorepo.dag_ids() == {"sales_load"})
        monorepo.job("sales.added")
        until(lambda: "sales_added" in monorepo.dag_ids())
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "announced"), [("ext4", True), ("overlay", True), ("nfs4", False), ("cifs", False), ("fuse.s3fs", False)]
)
def test_network_file_systems_are_polled_without_asking(tmp_path: Path, kind: str, announced: bool) -> None:
    folder = tmp_path / "my packages"
    folder.mkdir()
    mounts = tmp_path / "mounts"
    point = str(folder).replace(" ", "\\040")
    mounts.write_text(
        f"overlay / overlay rw 0 0\nefs /elsewhere nfs4 rw 0 0\nx {point} ext4 rw 0 0\nsource {point} {kind} rw 0 0\n"
    )
    assert announces_changes(folder / "sales", mounts) is announced
    assert announces_changes(tmp_path, mounts)
    assert announces_changes(folder, tmp_path / "no such table")


def test_sigterm_in_the_middle_of_a_sync_leaves_a_complete_tree(monorepo: Monorepo) -> None:
    for package in range(300):
        monorepo.job(f"p{package}.load")
    with watching(monorepo) as process:
        until(lambda: (monorepo.dags / ".dagsync/manifest.json").exists())
        process.terminate()
        assert process.wait(60) == 0
    assert len(monorepo.files()) == 300
    assert monorepo.cli("plan", "--check").returncode == 0


def test_json_logs_are_one_object_per_line(monorepo: Monorepo, port: int) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.pull", "JOB = (")
    with watching(monorepo, "--log-format", "json", "--interval", "0.3") as process:
        until(monorepo.dag_ids)
        monorepo.packages.rename(monorepo.packages.with_name("away"))
        assert process.stdout is not None
        records: list[dict[str, object]] = []
        while not records or records[-1]["kind"] != "failure":
            records.append(json.loads(process.stdout.readline()))
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert [record["kind"] for record in records[:3]] == ["problem", "file", "sync"]
    assert all({"timestamp", "level", "event", "logger"} <= record.keys() for record in records)
    problem, _, done, *_, failure = records
    assert (problem["path"], problem["level"]) == (str(monorepo.packages / "crm/jobs/pull.py"), "error")
    assert (done["jobs"], done["dags_written"], done["problems"]) == (1, 1, 1)
    assert (failure["exit_code"], failure["level"]) == (3, "error")


def test_json_logs_tell_a_failure_of_a_single_sync_too(monorepo: Monorepo) -> None:
    done = monorepo.cli("sync", "--packages-root", "/nowhere", environment={"DAGSYNC_LOG_FORMAT": "json"})
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["fix"] == "give the folder by --packages-root or ETL_PACKAGES_ROOT"


def test_port_that_is_taken_is_one_clear_line(monorepo: Monorepo) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        done = monorepo.cli("sync", "--watch", "--health-port", str(taken.getsockname()[1]))
    assert done.returncode == 9
    assert "Address already in use\n  fix: give a free port" in done.stderr
