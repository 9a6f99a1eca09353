"""``kill -9`` at any instant of a fetch leaves the old version or the new one, whole, for whoever reads meanwhile."""

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagsync.archive import pack
from dagsync.cache import Cache
from dagsync.fetching import add_version, fetch
from dagsync.holding import held
from dagsync.source_errors import VersionMissingError
from dagsync.store import Pointer, Seen, Stored
from docs.reliability import Row, median_and_longest
from tests.dagsync.store.bucket import write
from tests.torture import KILLS

VERSIONS = 4


class FolderStore:
    """A store in a folder, because a thousand children that import boto3 would take an hour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def address(self) -> str:
        return str(self.folder)

    def pointer(self, seen: Seen | None = None) -> Seen | None:
        version = (self.folder / "current").read_text()
        return seen if seen and seen.pointer.version == version else Seen(Pointer(version, "", 0), version)

    def move(self, pointer: Pointer, seen: Seen | None) -> Seen:
        (self.folder / "next").write_text(pointer.version)
        (self.folder / "next").replace(self.folder / "current")
        return Seen(pointer, pointer.version)

    def size_of(self, version: str) -> int | None:
        return (self.folder / version).stat().st_size

    def upload(self, version: str, archive: Path) -> None:
        shutil.copyfile(archive, self.folder / version)

    def download(self, version: str, archive: Path, max_bytes: int) -> None:
        try:
            shutil.copyfile(self.folder / version, archive)
        except FileNotFoundError:
            raise VersionMissingError("there is no such archive") from None

    def versions(self) -> list[Stored]:
        return [Stored(path.name, path.stat().st_size, datetime.now(UTC)) for path in self.folder.iterdir()]

    def delete(self, version: str) -> None:
        (self.folder / version).unlink()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Holds ``VERSIONS`` versions of a tree of forty modules."""
    made = FolderStore(tmp_path / "store")
    made.folder.mkdir()
    for number in range(VERSIONS):
        tree = tmp_path / "tree"
        write(tree, {f"p{index % 5}/jobs/m{index}.py": f"VALUE = {number}\n" * (index + 1) for index in range(40)})
        with (tmp_path / "archive").open("wb") as file:
            version = pack(tree, file).version
        made.upload(version, tmp_path / "archive")
        made.move(Pointer(version, "", 0), None)
    return made


@pytest.mark.timeout(120 + 2 * KILLS)
def test_killed_fetch_leaves_a_whole_version_and_the_next_one_repairs(
    store: FolderStore, tmp_path: Path, reliability: Callable[[str, Row], None]
) -> None:
    # As strict as can be, so that removals are killed too.
    cache = Cache(tmp_path / "cache", keep=1, keep_seconds=0)
    versions = [path.name for path in store.folder.iterdir() if path.name != "current"]
    fetch(store, cache)
    stop = threading.Event()
    read: list[str] = []
    wrong: list[str] = []

    def reader() -> None:
        while not stop.is_set():
            with held(cache.link) as root:
                try:
                    found = pack(root).version
                except Exception as error:
                    found = repr(error)
            (read if found == root.name else wrong).append(f"{root.name} holds {found}")

    thread = threading.Thread(target=reader)
    thread.start()
    chance = random.Random(7)
    struck = Counter[str]()
    recoveries: list[float] = []
    took = 0.05
    try:
        while struck.total() < KILLS or not struck["before"]:
            before, target = cache.current(), chance.choice(versions)
            store.move(Pointer(target, "", 0), None)
            started = time.monotonic()
            child = os.fork()
            if child == 0:
                # No Python cleanup: the parent's threads and pytest are not this process's business.
                code = 1
                try:
                    fetch(store, cache)
                    code = 0
                finally:
                    os._exit(code)
            time.sleep(chance.uniform(0, 1.2 * took))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            current = cache.current()
            assert current in {before, target}
            with held(cache.link) as root:
                assert pack(root).version == root.name
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0
                took = 0.5 * took + 0.5 * (time.monotonic() - started)
                continue
            struck["same" if before == target else "after" if current == target else "before"] += 1
            if not recoveries or chance.random() < 0.2:
                started = time.monotonic()
                assert fetch(store, cache).version == target
                recoveries.append(time.monotonic() - started)
                assert sorted(path.name for path in cache.folder.iterdir()) == ["current", "lock", "seen.json", "versions"]
    finally:
        stop.set()
        thread.join(timeout=120)
    assert not wrong, wrong[:3]
    assert len(set(read)) > 1
    fetch(store, cache)
    fetch(store, replace(cache, keep=1))
    assert {path.name for path in (cache.folder / "versions").iterdir() if path.is_dir()} == {cache.current()}
    row = Row(
        table="dagsync",
        fault="`kill -9` at a random instant while another version of the packages is fetched, unpacked, swapped in, and old "
        "ones are removed",
        tried=f"{struck.total():,} kills: {struck['before']:,} before the swap, {struck['after']:,} after it, "
        f"{struck['same']:,} with the current version asked for",
        seen=f"{len(read):,} reads of the whole tree by a thread, each with its content hash; the same after each kill; "
        f"{len(recoveries):,} times the next fetch, and what it leaves",
        lost=0,
        doubled=0,
        recovery_seconds=median_and_longest(recoveries),
        command="make torture",
    )
    reliability("dagsync-killed-swap", row)


def test_current_version_is_never_absent_while_it_changes(store: FolderStore, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    versions = [path.name for path in store.folder.iterdir() if path.name != "current"][:2]
    with cache.locked():
        for version in versions:
            add_version(store, cache, version)
            cache.switch(version)
    child = os.fork()
    if child == 0:
        try:
            for turn in range(1000):
                cache.switch(versions[turn % 2])
        finally:
            os._exit(0)
    seen: set[str] = set()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        for _ in range(1000):
            seen.add(str(cache.link.readlink()))
    assert seen == {f"versions/{version}" for version in versions}


def test_many_fetches_at_once_end_like_one(store: FolderStore, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    failures: list[Exception] = []

    def run() -> None:
        try:
            fetch(store, cache)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not failures
    assert pack(cache.link.resolve()).version == cache.current() == (store.folder / "current").read_text()
    assert not (cache.folder / "incoming").exists()
