"""Killed at any instant or run many times at once, a sync leaves complete files, and the next one puts all right."""

import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagsync import storage
from dagsync.rendering import MARKER
from docs.reliability import Row, median_and_longest
from tests.dagsync.tree import Monorepo
from tests.torture import KILLS

COMMAND = [sys.executable, "-m", "dagsync", "sync", "--allow-mass-removal"]
PACKAGES, JOBS, VERSIONS = 12, 5, 6
SYNCS_AT_ONCE = 20


def tree(monorepo: Monorepo, version: int) -> None:
    """Write 60 jobs in 12 packages, all of them different in every version, and a package only odd versions have."""
    extra = monorepo.packages / "extra"
    if extra.exists() and version % 2 == 0:
        shutil.rmtree(extra)
    for package in [f"p{number}" for number in range(PACKAGES)] + ["extra"] * (version % 2):
        for job in range(JOBS):
            monorepo.job(f"{package}.j{job}", f"JOB = (main, 'version {version} ' * 40, {{'retries': {version}}})")


def dag_ids(monorepo: Monorepo) -> list[str]:
    return re.findall(r"dag_id='(\w+)'", b"".join(monorepo.files().values()).decode())


class Reader(threading.Thread):
    """Parses every DAG file it knows of, over and over, as the dag-processor does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.stop, self.read = folder, threading.Event(), 0
        self.missing, self.partial = list[str](), list[str]()
        self.lasting = {f"p{number}_dags.py" for number in range(PACKAGES)}

    def run(self) -> None:
        while not self.stop.is_set():
            for name in self.lasting | {path.name for path in self.folder.glob("*.py")}:
                try:
                    content = (self.folder / name).read_bytes()
                except FileNotFoundError:
                    if name in self.lasting:
                        self.missing.append(name)
                    continue
                self.read += 1
                # Whole: the header, five DAGs, and an end that parses.
                if not content.startswith(MARKER.encode()) or content.count(b"with DAG(") != JOBS:
                    self.partial.append(name)
                try:
                    # Not ast.parse: two threads in that at once confuse CPython 3.11.
                    compile(content, name, "exec")
                except SyntaxError:
                    self.partial.append(name)


@contextmanager
def reading(folder: Path) -> Generator[Reader]:
    reader = Reader(folder)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop.set()
        reader.join()


def sync_in_a_child(monorepo: Monorepo) -> int:
    """Return the id of a process that syncs and ends with 0, or with 1 if that raised."""
    child = os.fork()
    if child == 0:
        # No Python cleanup: the parent's threads and pytest are not this process's business.
        code = 1
        try:
            monorepo.sync()
            code = 0
        finally:
            os._exit(code)
    return child


@pytest.mark.timeout(120 + 2 * KILLS)
def test_killed_at_any_instant_no_file_is_partial_no_dag_is_lost_and_the_next_sync_repairs(
    monorepo: Monorepo, tmp_path: Path, reliability: Callable[[str, Row], None]
) -> None:
    versions: list[dict[str, bytes]] = []
    for number in range(VERSIONS):
        fresh = Monorepo(tmp_path / f"version{number}")
        tree(fresh, number)
        fresh.sync()
        versions.append(fresh.files())
    lasting = {f"p{package}_j{job}" for package in range(PACKAGES) for job in range(JOBS)}
    tree(monorepo, 0)
    monorepo.sync()
    chance = random.Random(7)
    struck = Counter[str]()
    recoveries: list[float] = []
    took, version = 0.1, 0
    with reading(monorepo.dags) as reader:
        # One at least in the midst of writing, however few there are.
        while struck.total() < KILLS or not struck["between"]:
            before = monorepo.files()
            version = (version + 1) % VERSIONS
            tree(monorepo, version)
            started = time.monotonic()
            child = sync_in_a_child(monorepo)
            time.sleep(chance.uniform(0, 1.1 * took))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0
                took = 0.5 * took + 0.5 * (time.monotonic() - started)
                continue
            after = monorepo.files()
            new = {name for name, content in after.items() if content == versions[version].get(name)}
            struck["before" if after == before else "after" if after == versions[version] else "between"] += 1
            assert all(content == before.get(name) for name, content in after.items() if name not in new)
            assert lasting <= set(dag_ids(monorepo))
            assert len(dag_ids(monorepo)) == len(set(dag_ids(monorepo)))
            if not recoveries or chance.random() < 0.3:
                started = time.monotonic()
                report = monorepo.sync()
                recoveries.append(time.monotonic() - started)
                assert report.problems == ()
                assert monorepo.files() == versions[version]
                assert not list((monorepo.dags / ".dagsync").glob("*.tmp"))
    assert (reader.partial, reader.missing) == ([], [])
    assert reader.read > KILLS
    monorepo.sync()
    assert monorepo.files() == versions[version]
    row = Row(
        table="dagsync",
        fault="`kill -9` at a random instant of a sync that changes all of 60 DAGs and adds or removes 5",
        tried=f"{struck.total():,} kills: {struck['before']:,} before the first file changed, {struck['between']:,} between "
        f"the first and the last, {struck['after']:,} after it",
        seen=f"{reader.read:,} reads by a thread that parsed every file meanwhile; every file and DAG id after each kill; "
        f"{len(recoveries):,} times the next sync, whose files were those of a fresh one",
        lost=0,
        doubled=0,
        recovery_seconds=median_and_longest(recoveries),
        command="make torture",
    )
    reliability("dagsync-killed-sync", row)


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

    for owner, name in ((os, "open"), (os, "write"), (os, "fsync"), (os, "replace"), (Path, "unlink")):
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
    replace = os.replace

    def spy(source: str, target: str) -> None:
        seen.append(source)
        assert Path(source).stat().st_dev == monorepo.dags.stat().st_dev
        replace(source, target)

    monkeypatch.setattr(os, "replace", spy)
    monorepo.job("sales.load")
    monorepo.sync()
    assert seen
    assert not [name for name in seen if name.endswith(".py")]


@pytest.mark.timeout(300)
def test_syncs_at_the_same_time_end_in_the_bytes_of_one(
    monorepo: Monorepo, tmp_path: Path, reliability: Callable[[str, Row], None]
) -> None:
    tree(monorepo, 1)
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(COMMAND, env=environment, **pipes) for _ in range(SYNCS_AT_ONCE)]
    try:
        ended = [(process.communicate(timeout=120), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [code for _, code in ended] == [0] * SYNCS_AT_ONCE, ended
    alone = Monorepo(tmp_path / "alone")
    tree(alone, 1)
    alone.sync()
    assert monorepo.files() == alone.files()
    assert sum(b"65 DAGs written" in output for (output, _), _ in ended) == 1
    row = Row(
        table="dagsync",
        fault=f"{SYNCS_AT_ONCE} syncs of 65 jobs into one empty folder at the same time",
        tried=f"{SYNCS_AT_ONCE} processes",
        seen="every file, byte by byte beside those of one sync alone; how many of them wrote: 1",
        lost=0,
        doubled=0,
        command="make torture",
    )
    reliability("dagsync-syncs-at-once", row)


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
