"""What a person is told when it does not work: two sentences, the fix, and an exit code of its own."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from rich.console import Console

from standalone import cli, errors, processes, roster, starting
from standalone.environment import MARKER
from standalone.preflight import StartOptions
from standalone.progress import Progress
from standalone.state import Component, Run, StateFolder
from tests.ports import free_port
from tests.standalone.laptop import Outcome, processes_of, wait_until

Cli = Callable[..., Outcome]


def test_every_failure_has_an_exit_code_of_its_own() -> None:
    codes = [cause.exit_code for cause in errors.StandaloneError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2} & set(codes)


def test_a_busy_port_names_who_has_it_and_another_to_take(run_cli: Cli, folder: StateFolder, packages: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = run_cli("start", "--packages", packages, "--port", port, "--state", folder.root)
    assert outcome.code == errors.PortBusyError.exit_code
    assert f"port {port} of 127.0.0.1 is in use by" in outcome.err
    assert "(pid " in outcome.err
    assert "make try PORT=" in outcome.err
    assert processes_of(folder.root) == []


def test_missing_packages_are_named(run_cli: Cli, folder: StateFolder, tmp_path: Path) -> None:
    outcome = run_cli("start", "--packages", tmp_path / "nowhere", "--state", folder.root)
    assert outcome.code == errors.PackagesError.exit_code
    assert "nowhere: expected a folder of packages, found nothing" in outcome.err


def test_a_folder_without_jobs_says_where_jobs_are_looked_for(run_cli: Cli, folder: StateFolder, tmp_path: Path) -> None:
    (tmp_path / "empty" / "shop" / "jobs").mkdir(parents=True)
    (tmp_path / "empty" / "shop" / "jobs" / "__init__.py").touch()
    outcome = run_cli("start", "--packages", tmp_path / "empty", "--state", folder.root)
    assert outcome.code == errors.PackagesError.exit_code
    assert "<package>/jobs/<job>.py, found none" in outcome.err


@pytest.mark.parametrize("near", [".", "packages/greeting", "packages/greeting/jobs"])
def test_a_folder_one_level_off_is_told_the_right_one(run_cli: Cli, folder: StateFolder, packages: Path, near: str) -> None:
    outcome = run_cli("start", "--packages", packages.parent / near, "--state", folder.root)
    assert outcome.code == errors.PackagesError.exit_code
    assert f"make try PACKAGES={packages}" in outcome.err


def test_a_folder_whose_jobs_are_all_broken_is_told_where(run_cli: Cli, folder: StateFolder, packages: Path) -> None:
    job = packages / "greeting" / "jobs" / "hello.py"
    job.write_text("JOB = (main,\n")
    outcome = run_cli("start", "--packages", packages, "--state", folder.root, "--port", free_port())
    assert outcome.code == errors.PackagesError.exit_code
    assert f"{job}:1: " in outcome.err


def test_an_unknown_job_is_refused_before_anything_starts(run_cli: Cli, folder: StateFolder, packages: Path) -> None:
    arguments = ("start", "--packages", packages, "--state", folder.root, "--port", free_port(), "--job", "greeting.helo")
    outcome = run_cli(*arguments)
    assert outcome.code == errors.PackagesError.exit_code
    assert "greeting.helo: not a job" in outcome.err
    assert not folder.database.exists()


def test_a_full_disk_is_found_before_anything_starts(
    run_cli: Cli, folder: StateFolder, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=200 << 20))
    outcome = run_cli("start", "--packages", packages, "--state", folder.root, "--port", free_port())
    assert outcome.code == errors.DiskFullError.exit_code
    assert "expected 1 GB of free disk, found 0.2 GB" in outcome.err


def test_a_state_folder_that_cannot_be_written_is_named(run_cli: Cli, packages: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = run_cli("start", "--packages", packages, "--state", tmp_path / "file" / "state")
    assert outcome.code == errors.StateFolderError.exit_code
    assert "--state DIR" in outcome.err


def test_another_start_under_way_is_told(run_cli: Cli, folder: StateFolder, packages: Path) -> None:
    with folder.locked():
        outcome = run_cli("start", "--packages", packages, "--state", folder.root, "--port", free_port())
    assert outcome.code == errors.BusyError.exit_code


def test_a_component_that_dies_is_shown_with_its_last_words_and_nothing_stays(
    run_cli: Cli, folder: StateFolder, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.database.write_bytes(b"")
    monkeypatch.setattr(starting.database, "next_step", lambda *arguments: "none")
    # An api-server that only says why it cannot live; the others are real and are ended with it.
    monkeypatch.setitem(roster.COMMANDS, "api-server", ["no_such_module_here"])
    outcome = run_cli("start", "--packages", packages, "--state", folder.root, "--port", free_port())
    assert outcome.code == errors.ComponentError.exit_code
    assert "api-server ended with exit code 1" in outcome.err
    assert "No module named no_such_module_here" in outcome.err
    assert processes_of(folder.root) == []


@pytest.mark.parametrize(
    ("failure", "stays"),
    [
        (KeyboardInterrupt(), False),
        (httpx.ConnectError("refused"), False),
        (errors.ComponentError("scheduler ended", "fix"), False),
        (errors.FirstRunError("job failed", "fix"), True),
        (errors.JobsNotLoadedError("not a DAG", "fix"), True),
    ],
)
def test_airflow_stays_up_when_a_job_fails_and_only_then(
    folder: StateFolder, packages: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, stays: bool
) -> None:
    def bring_up(self: starting.Starting, options: StartOptions) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        processes.launch("test", command, environment=self.environment, log=folder.component_log("test"))

    def prove(*arguments: object) -> None:
        raise failure

    monkeypatch.setattr(starting.Starting, "bring_up", bring_up)
    monkeypatch.setattr(starting.Starting, "prove", prove)
    options = StartOptions(packages=packages, port=free_port())
    with pytest.raises(type(failure)):
        starting.start(folder, options, Progress(Console(quiet=True)))
    # The kernel shows the environment of a process a moment after it has started.
    if stays:
        wait_until(lambda: bool(processes_of(folder.root)), 60)
    else:
        assert not processes_of(folder.root)


def test_nothing_running_is_said_plainly(run_cli: Cli, tmp_path: Path) -> None:
    state = tmp_path / "never-made"
    assert run_cli("stop", "--state", state).code == 0
    assert run_cli("status", "--state", state).code == errors.NotRunningError.exit_code
    assert run_cli("logs", "--state", state).code == errors.NotRunningError.exit_code
    assert not state.exists()


def test_stop_finds_what_runs_although_the_state_folder_was_deleted(run_cli: Cli, folder: StateFolder) -> None:
    command = [sys.executable, "-c", "open('ready', 'w').close(); import time; time.sleep(600)"]
    environment = {**os.environ, MARKER: str(folder.root)}
    processes.launch("test", command, environment=environment, log=folder.component_log("test"))
    wait_until((folder.logs / "ready").exists, 20)
    shutil.rmtree(folder.root)
    assert run_cli("stop", "--state", folder.root).out == "Stopped: 1 process.\n"
    assert processes_of(folder.root) == []


def test_a_record_from_before_a_reboot_is_not_a_run(run_cli: Cli, folder: StateFolder) -> None:
    # pid 1 lives, and was not started by us.
    gone = tuple(Component(name=name, pid=1, started=1.0) for name in roster.COMPONENTS)
    folder.write_run(Run(packages="/p", port=8080, began=1.0, ready=True, components=gone))
    assert run_cli("status", "--state", folder.root).code == errors.NotRunningError.exit_code
    assert run_cli("stop", "--state", folder.root) == Outcome(0, "Nothing is running.\n", "")


def test_what_nobody_foresaw_is_one_sentence_too(run_cli: Cli, folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(starting, "start", broken)
    monkeypatch.setattr(cli, "DEFAULT_STATE", folder.root)
    outcome = run_cli("start", "--state", folder.root)
    assert outcome.code == 1
    assert "ZeroDivisionError: unforeseen" in outcome.err
    assert "Traceback" not in outcome.err


def test_logs_of_an_unknown_component_name_those_there_are(run_cli: Cli, folder: StateFolder) -> None:
    outcome = run_cli("logs", "webserver", "--state", folder.root)
    assert outcome.code == 2
    assert all(name in outcome.err for name in roster.COMPONENTS)


def test_help_names_every_exit_code_of_start(run_cli: Cli) -> None:
    text = run_cli("start", "--help").out
    used_elsewhere = {errors.NotRunningError, errors.StopError}
    for cause in set(errors.StandaloneError.__subclasses__()) - used_elsewhere:
        assert str(cause.exit_code) in text, cause.__name__
