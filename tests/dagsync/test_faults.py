"""Killed at any instant or run many times at once, a sync leaves complete files, and the next one puts all right."""

import ast
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dagsync import storage
from dagsync.rendering import MARKER
from tests.dagsync.tree import Monorepo

KILLS = 30
COMMAND = [sys.executable, "-m", "dagsync", "sync", "--allow-mass-removal"]


def tree(monorepo: Monorepo, version: int) -> None:
    """Write 60 jobs in 12 packages, all of them different in every version."""
    for package in range(12):
        for job in range(5):
            monorepo.job(f"p{package}.j{job}", f"JOB = (main, 'version {version} ' * 40, {{'retries': {version % 5}}})")


class Reader(threading.Thread):
    """Parses every DAG file it sees, over and over, as the dag-processor does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.stop, self.partial, self.read = folder, threading.Event(), list[str](), 0

    def run(self) -> None:
        while not self.stop.is_set():
            for path in self.folder.glob("*.py"):
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                self.read += 1
                # Whole: the header, five DAGs, and an end that parses.
                if not content.startswith(MARKER.encode()) or content.count(b"with DAG(") != 5:
                    self.partial.append(path.name)
                try:
                    ast.parse(content)
                except SyntaxError:
                    self.partial.append(path.name)


def test_killed_at_any_instant_every_file_is_complete_and_the_next_sync_repairs(monorepo: Monorepo) -> None:
    tree(monorepo, 0)
    monorepo.sync()
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    reader = Reader(monorepo.dags)
    reader.start()
    chance = random.Random(7)
    killed = 0
    try:
        for version in range(1, KILLS + 1):
            tree(monorepo, version)
            process = subprocess.Popen(COMMAND, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.05, 0.3))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait()
            assert len(monorepo.files()) == 12
    finally:
        reader.stop.set()
        reader.join()
    assert killed >= 3, "too few syncs were under way when they were killed"
    assert reader.read > 100
    assert reader.partial == []

    report = monorepo.sync()
    assert (report.problems, report.removed) == ((), 0)
    fresh = Monorepo(monorepo.dags.parent / "fresh")
    tree(fresh, KILLS)
    fresh.sync()
    assert monorepo.files() == fresh.files()
    assert not list((monorepo.dags / ".dagsync").glob("*.tmp"))


def steps(monkeypatch: pytest.MonkeyPatch, die_at: int) -> None:
    """Make the process end, as if killed, at the ``die_at``-th change it makes to the file system."""
    done = 0

    def counted(original: object) -> object:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal done
            done += 1
            if done == die_at:
                os._exit(9)
            return original(*args, **kwargs)  # pyright: ignore[reportCallIssue, reportUnknownVariableType] - any function

        return call

    for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "open")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))


def test_ended_before_each_single_step_the_next_sync_completes_it(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    def before() -> None:
        for ref in ("a.x", "a.y", "b.x", "c.x", "d.x"):
            monorepo.job(ref)
        monorepo.sync(allow_mass_removal=True)

    def change() -> None:
        monorepo.job("a.x", 'JOB = (main, "Changed")')
        monorepo.job("e.x")
        monorepo.job("a.new")
        (monorepo.packages / "b/jobs/x.py").unlink(missing_ok=True)

    for die_at in range(1, 60):
        before()
        change()
        child = os.fork()
        if child == 0:
            steps(monkeypatch, die_at)
            monorepo.sync()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        for content in monorepo.files().values():
            ast.parse(content)
        # Broken right after the crash, a new job keeps the DAG it may just have got.
        new = {"e.x", "a.new"}
        got = {ref.replace(".", "_") for ref in new} & monorepo.dag_ids()
        for ref in new:
            monorepo.job(ref, "JOB = (")
        monorepo.sync()
        assert got <= monorepo.dag_ids()
        assert {"a_x", "a_y", "c_x", "d_x"} <= monorepo.dag_ids() <= {"a_x", "a_y", "c_x", "d_x", "e_x", "a_new"}
        assert b"Changed" in monorepo.files()["a_dags.py"]
        # Gone right after the crash, it leaves nothing behind.
        for ref in new:
            monorepo.job(ref).unlink()
        monorepo.sync(allow_mass_removal=True)
        assert monorepo.dag_ids() == {"a_x", "a_y", "c_x", "d_x"}
        if os.waitstatus_to_exitcode(status) == 0:
            assert die_at > 10
            return
    pytest.fail("the sync never ended")


def test_interrupted_write_leaves_the_old_file(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    before = monorepo.files()
    monorepo.job("sales.load", 'JOB = (main, "Changed")')

    class FullDiskError(OSError):
        pass

    def fails(descriptor: int) -> None:
        raise FullDiskError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", fails)
    with pytest.raises(storage.TargetWriteError, match="No space left on device"):
        monorepo.sync()
    assert monorepo.files() == before


def test_temporary_files_are_not_taken_for_dag_files(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    replace = Path.replace

    def spy(self: Path, target: Path) -> Path:
        seen.append(self.name)
        assert self.stat().st_dev == monorepo.dags.stat().st_dev
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", spy)
    monorepo.job("sales.load")
    monorepo.sync()
    assert seen
    assert not [name for name in seen if name.endswith(".py")]


def test_syncs_at_the_same_time_end_in_the_bytes_of_one(monorepo: Monorepo) -> None:
    tree(monorepo, 1)
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    processes = [subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * 8, ended
    alone = Monorepo(monorepo.dags.parent / "alone")
    tree(alone, 1)
    alone.sync()
    assert monorepo.files() == alone.files()
    assert sum(b"60 DAGs written" in output for (output, _), _ in ended) == 1


@pytest.mark.parametrize("fault", ["removed", "overwritten"])
@pytest.mark.parametrize("written", [True, False])
def test_file_somebody_touches_during_a_sync_is_mended_by_the_next(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch, fault: str, written: bool
) -> None:
    from dagsync import applying

    monorepo.job("a.x")
    monorepo.job("b.x")
    monorepo.sync()
    good = monorepo.files()
    monorepo.job("b.x", 'JOB = (main, "Changed")')
    victim = monorepo.dags / ("b_dags.py" if written else "a_dags.py")

    def interfere(folder: Path) -> None:
        if folder != monorepo.dags:
            pass
        elif fault == "removed":
            victim.unlink()
        else:
            victim.write_bytes(good["a_dags.py"].replace(b"a_x", b"z_x"))
        settle(folder)

    settle = applying.settle
    # As if the tree had been at rest for long, for only then does the next sync trust what this one remembers.
    monkeypatch.setattr(storage, "SETTLED_NS", -(10**15))
    with monkeypatch.context() as patched:
        # The last step before a sync remembers what it left.
        patched.setattr(applying, "settle", interfere)
        monorepo.sync()
    for _ in range(2):
        monorepo.sync()
    assert monorepo.files()["a_dags.py"] == good["a_dags.py"]
    assert b"'Changed'" in monorepo.files()["b_dags.py"]
