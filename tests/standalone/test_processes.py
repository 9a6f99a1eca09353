"""Ending everything that is ours, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from standalone import processes
from standalone.environment import MARKER
from standalone.state import Component, StateFolder
from tests.standalone.laptop import wait_until

DEADLINE_SECONDS = 20

SLEEP = "import time; time.sleep(600)"
QUIET = f"open('ready', 'w').close(); {SLEEP}"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {QUIET}"
# What Airflow's supervisor does to a task, and what a job's own subprocess may do.
SCATTERED = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
if os.fork() == 0:
    os.setpgid(0, 0)
    time.sleep(600)
open("ready", "w").close()
time.sleep(600)
"""


@pytest.fixture
def stranger() -> Generator[subprocess.Popen[bytes]]:
    """A process that is not ours."""
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as process:
        yield process
        process.kill()


def launch(folder: StateFolder, code: str) -> Component:
    environment = {**os.environ, MARKER: str(folder.root)}
    component, _ = processes.launch(
        "test", [sys.executable, "-c", code], environment=environment, log=folder.component_log("test")
    )
    wait_until((folder.logs / "ready").exists, DEADLINE_SECONDS)
    return component


def test_children_that_left_the_group_and_the_session_end_too(folder: StateFolder) -> None:
    component = launch(folder, SCATTERED)
    family = psutil.Process(component.pid).children(recursive=True)
    assert len({os.getpgid(process.pid) for process in family}) == 2
    assert processes.stop(folder.root, [component]) == 3
    assert not any(process.is_running() for process in family)


def test_orphans_are_found_when_the_record_is_lost_and_their_parent_dead(folder: StateFolder) -> None:
    component = launch(folder, SCATTERED)
    family = psutil.Process(component.pid).children(recursive=True)
    psutil.Process(component.pid).kill()
    psutil.Process(component.pid).wait(DEADLINE_SECONDS)
    assert processes.stop(folder.root, ()) == 2
    assert not any(process.is_running() for process in family)


def test_what_ignores_sigterm_is_killed_after_the_grace_period(folder: StateFolder) -> None:
    component = launch(folder, STUBBORN)
    assert processes.stop(folder.root, [component], grace_seconds=0.5) == 1
    assert processes.find(component, folder.root) is None


def test_a_recycled_pid_is_never_killed(folder: StateFolder, stranger: subprocess.Popen[bytes]) -> None:
    started = psutil.Process(stranger.pid).create_time()
    recycled = Component(name="scheduler", pid=stranger.pid, started=started - 3600)
    assert processes.find(recycled, folder.root) is None
    assert processes.stop(folder.root, [recycled]) == 0
    assert stranger.poll() is None


def test_another_state_folders_airflow_is_left_alone(folder: StateFolder, tmp_path: Path) -> None:
    component = launch(folder, QUIET)
    assert processes.stop(tmp_path / "elsewhere", ()) == 0
    assert processes.find(component, folder.root) is not None


def test_a_component_is_known_after_the_clock_was_set(folder: StateFolder) -> None:
    component = launch(folder, QUIET)
    moved = Component(name=component.name, pid=component.pid, started=component.started - 300)
    assert processes.find(moved, folder.root) is not None


def test_a_dead_component_nobody_waited_for_counts_as_dead(folder: StateFolder) -> None:
    component, process = processes.launch(
        "test",
        [sys.executable, "-c", ""],
        environment={**os.environ, MARKER: str(folder.root)},
        log=folder.component_log("test"),
    )
    wait_until(lambda: psutil.Process(component.pid).status() == psutil.STATUS_ZOMBIE, DEADLINE_SECONDS)
    assert processes.find(component, folder.root) is None
    assert not processes.ours(folder.root, [component])
    process.wait()


def test_a_component_survives_its_starters_group_and_terminal(folder: StateFolder) -> None:
    component = launch(folder, QUIET)
    assert os.getsid(component.pid) == os.getpgid(component.pid) == component.pid


def test_the_log_before_is_kept(folder: StateFolder) -> None:
    log = folder.component_log("test")
    for text in ("first", "second"):
        _, process = processes.launch("test", [sys.executable, "-c", f"print('{text}')"], environment=os.environ, log=log)
        process.wait()
    assert (log.read_text(), log.with_name("test.log.1").read_text()) == ("second\n", "first\n")
