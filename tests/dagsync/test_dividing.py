"""Work that is divided among processes comes to what one process makes of it, whatever becomes of the others."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from dagsync import dividing
from dagsync.dividing import divided, processors
from dagsync.storage import locked
from tests.dagsync.tree import Monorepo
from tests.dagsync.waiting import is_gone, until

REPOSITORY = Path(__file__).parents[2]
START = """
import os, signal, sys, time
from pathlib import Path
from dagsync import dividing

dividing.LEAST, dividing.processors, parent = 3, lambda: 3, os.getpid()
"""
LEFT = """
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no fork is left")
"""


def started(script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a script in a process without threads, which is where work is divided."""
    command = [sys.executable, "-c", START + script, *map(os.fspath, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def printed(script: str, *arguments: str | Path) -> list[str]:
    process = started(script, *arguments)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return output.splitlines()


def test_parts_come_in_order_from_a_process_each(tmp_path: Path):
    script = """
import atexit

# What is to be done once, by the parent.
atexit.register(lambda: Path(sys.argv[1], str(os.getpid())).touch())
parts = dividing.divided(lambda some: (list(some), os.getpid()), range(10))
print([each for some, _ in parts for each in some])
print(len({process for _, process in parts}))
"""
    assert printed(script + LEFT, tmp_path) == [str(list(range(10))), "3", "no fork is left"]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "end",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "raise MemoryError",
        "raise KeyboardInterrupt",
        "sys.exit(3)",
        # The end of it cannot be handed over, when megabytes have been.
        "return ['.' * 3_000_000, lambda: None]",
    ],
)
def test_the_part_of_a_fork_that_does_not_end_well_is_done_by_its_parent(end: str):
    script = f"""
def work(some):
    if os.getpid() != parent:
        {end}
    return list(some), os.getpid() == parent

print(dividing.divided(work, range(7)))
"""
    assert printed(script + LEFT) == ["[([0, 1, 2, 3], True), ([4, 5, 6], True)]", "no fork is left"]


def test_a_fork_that_is_killed_while_it_hands_over_leaves_its_part(tmp_path: Path):
    script = """
file = Path(sys.argv[1], "fork")

def state(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]

def work(some):
    if os.getpid() != parent:
        file.write_text(str(os.getpid()))
        return "." * 3_000_000
    if 0 in some:
        # It sleeps when the pipe is full.
        while not file.exists() or not file.read_text() or state(file.read_text()) != "S":
            time.sleep(0.01)
        os.kill(int(file.read_text()), signal.SIGKILL)
    return list(some)

print(dividing.divided(work, range(7)))
"""
    assert printed(script, tmp_path) == ["[[0, 1, 2, 3], [4, 5, 6]]"]


def test_an_error_of_the_parent_ends_its_forks():
    script = """
def work(some):
    if os.getpid() == parent:
        raise KeyboardInterrupt
    time.sleep(60)

try:
    dividing.divided(work, range(10))
except KeyboardInterrupt:
    print("interrupted")
"""
    assert printed(script + LEFT) == ["interrupted", "no fork is left"]


def test_a_fork_that_outlives_its_parent_keeps_neither_the_lock_nor_the_output(tmp_path: Path):
    os.mkfifo(tmp_path / "go on")
    script = """
from dagsync.storage import locked
folder = Path(sys.argv[1])

def work(some):
    if os.getpid() != parent:
        Path(folder, f"{os.getpid()}.fork").touch()
        return Path(folder, "go on").read_text()
    while len(list(folder.glob("*.fork"))) < 2:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

os.dup2(1, 200)
with locked(folder / "dags"):
    dividing.divided(work, range(10))
"""
    process = started(script, tmp_path)
    # Ends with the last that has the output open.
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    forks = [int(each.stem) for each in tmp_path.glob("*.fork")]
    assert len(forks) == 2
    assert not any(map(is_gone, forks))
    with locked(tmp_path / "dags", timeout_seconds=0.5):
        pass
    # Nobody reads what they found: they end by themselves.
    with (tmp_path / "go on").open("w") as stream:
        stream.write("on")
    until(lambda: all(map(is_gone, forks)), "the forks are gone", 30)


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dividing, "LEAST", 1)
    monkeypatch.setattr(dividing, "processors", lambda: 3)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert divided(lambda some: (list(some), os.getpid()), range(6)) == [(list(range(6)), os.getpid())]
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize(("files", "usable"), [(5, 3), (100, 1)])
def test_little_work_or_one_processor_is_one_part(files: int, usable: int):
    script = """
dividing.processors = lambda: int(sys.argv[2])
print(len(dividing.divided(list, range(int(sys.argv[1])))))
"""
    assert printed(script, str(files), str(usable)) == ["1"]


def test_without_room_for_another_process_all_is_done_here(monkeypatch: pytest.MonkeyPatch):
    def fork() -> NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(dividing, "LEAST", 2)
    monkeypatch.setattr(dividing, "processors", lambda: 3)
    monkeypatch.setattr(dividing, "_is_alone", lambda: True)
    monkeypatch.setattr(os, "fork", fork)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert divided(list, range(6)) == [[0, 1], [2, 3], [4, 5]]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", 8), ("100000 100000", 1), ("50000 100000", 1), ("250000 100000", 2), ("3200000 100000", 8), ("", 8)],
)
def test_a_container_with_a_limit_has_so_many_processors(
    quota: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    file = tmp_path / "cpu.max"
    file.write_text(f"{quota}\n")
    assert processors(file) == expected
    assert processors(tmp_path / "missing") == 8


def test_a_tree_is_read_in_parts_as_in_one(monorepo: Monorepo):
    for number in range(12):
        monorepo.job(f"sales.load_{number:02d}")
    monorepo.job("sales.broken", "JOB = (")
    monorepo.job(
        "sales.raw", "import argparse\nimport click\n\ndef main(): ...\n\nJOB = (main, argparse.x, {'schedule': '@daily'})\n"
    )
    monorepo.job("sales.none", "x = 1\n")
    script = """
from dagsync.discovery import discover
print(len(dividing.divided(list, range(15))))
divided = repr(discover(Path(sys.argv[1])))
dividing.LEAST = 1000
print(divided == repr(discover(Path(sys.argv[1]))), divided.count("JobSpec("), "broken.py" in divided)
"""
    assert printed(script, monorepo.packages) == ["3", "True 13 True"]
