"""Which Pulumi, which cluster and which port ``make up`` takes, and what a person is told where there is none."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from stack import address, cli, clusters, engine, errors, operations
from stack import state as kept
from stack.configuration import settings_of
from stack.state import Record, StateFolder
from standalone import health


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """Return an empty state folder that the command line uses too."""
    made = StateFolder(tmp_path / "state")
    monkeypatch.setattr(cli, "StateFolder", lambda: made)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stack", *arguments])
    return cli.main()


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_every_failure_has_an_exit_code_of_its_own() -> None:
    codes = [cause.exit_code for cause in errors.StackError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2} & set(codes)


def test_official_pulumi_is_taken_where_its_language_hosts_are(tmp_path: Path) -> None:
    official = program(tmp_path / "official" / "pulumi")
    built = program(tmp_path / "built" / "pulumi")
    found = engine.find("kubernetes", path=str(official.parent), built=built)
    assert (found.command, found.official) == (built, False), "a pulumi alone was built from source"
    program(official.parent / "pulumi-language-python")
    for platform in ("kubernetes", "eks"):
        found = engine.find(platform, path=str(official.parent), built=built)
        assert (found.command, found.official) == (official, True)


def test_stand_ins_are_for_clusters_only_and_are_named(tmp_path: Path) -> None:
    built = program(tmp_path / "pulumi")
    assert "stand-ins" in engine.find("kubernetes", path="/nowhere", built=built).sentence
    with pytest.raises(errors.NoPulumiError, match="eks needs its provider plugins"):
        engine.find("eks", path="/nowhere", built=built)
    with pytest.raises(errors.NoPulumiError, match="make tools"):
        engine.find("kubernetes", path="/nowhere", built=tmp_path / "none")


def test_backend_of_a_person_who_is_logged_in_is_theirs(tmp_path: Path) -> None:
    assert engine.logged_in({"PULUMI_BACKEND_URL": "s3://states"}, tmp_path)
    assert not engine.logged_in({}, tmp_path)
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://api.example.com"}))
    assert engine.logged_in({}, tmp_path)


def test_passphrase_is_made_once_for_this_user_alone(folder: StateFolder) -> None:
    folder.prepare()
    first = folder.passphrase_file().read_text()
    assert folder.passphrase_file().read_text() == first
    assert len(first) > 40
    assert folder.passphrase_file().stat().st_mode & 0o077 == 0
    assert folder.root.stat().st_mode & 0o077 == 0


def test_stack_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(errors.SettingsProblemError, match="no stack staging") as refused:
        settings_of("staging")
    assert "dev, local, prod" in str(refused.value)


def test_setting_that_is_wrong_is_named_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"config": {"airflow-control-plane:platform": "kubernetes", "airflow-control-plane:dags": {"delivry": "init"}}}
    (tmp_path / "Pulumi.wrong.yaml").write_text(yaml.safe_dump(given))
    monkeypatch.setattr("stack.configuration.stack_file", lambda _: given["config"])
    with pytest.raises(errors.SettingsProblemError, match=r"delivry.*delivery"):
        settings_of("wrong", tmp_path)


def test_context_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "contexts": [], "clusters": [], "users": []}))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with pytest.raises(errors.NoClusterError, match="elsewhere"):
        clusters.look(settings_of("local"), Record(namespace="airflow"), context="elsewhere")


def test_port_that_is_taken_names_who_listens_and_the_next_free_one_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(errors.PortBusyError, match=f"port {taken}"):
            address.choose_port(taken, None)
        assert address.choose_port(None, taken) != taken


def test_process_that_only_has_the_number_of_the_forwarder_is_never_ended() -> None:
    this = psutil.Process()
    recycled = Record(namespace="airflow", forward_pid=os.getpid(), forward_started=this.create_time() - 3600)
    assert address.forwarder(recycled) is None
    assert not address.stop(recycled)


@pytest.mark.parametrize("command", [("status",), ("logs",), ("down", "--yes"), ("update-image",)])
def test_stack_that_is_not_up_is_said_with_the_way_to_it(
    command: tuple[str, ...], folder: StateFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A stack is known by the record of its last `up` alone.
    monkeypatch.setattr(kept, "DEFAULT_STATE", folder.root)
    assert run(monkeypatch, *command, "--stack", "local") == errors.NotUpError.exit_code
    said = capsys.readouterr().err
    assert "make up STACK=local" in said
    assert "Traceback" not in said


def test_unknown_component_is_refused_with_the_known_ones(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "logs", "webserver") == 2
    assert "api-server" in capsys.readouterr().err


def test_a_lock_is_nobodys_once_its_process_was_killed_though_nobody_has_buried_it(folder: StateFolder) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        assert operations.lives(process.pid)
        process.kill()
        health.poll(lambda: operations.lives(process.pid), lambda lives: not lives, 60)
        assert psutil.pid_exists(process.pid), "it is a zombie as long as it is not waited for"
        assert not operations.lives(process.pid)
    finally:
        process.wait(60)
    assert not operations.lives(process.pid)


def test_the_state_has_no_file_that_a_kill_can_leave_half_written(folder: StateFolder, pulumi: Path, tmp_path: Path) -> None:
    folder.prepare()
    found = engine.Engine(pulumi, official=False)
    (tmp_path / "Pulumi.yaml").write_text("name: killed\nruntime: python\n")
    environment = {"PATH": "/usr/bin:/bin", **engine.environment(found, folder, own_backend=True)}
    command = [str(pulumi), "stack", "init", "one", "--non-interactive"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120, capture_output=True)
    names = [path.name for path in folder.backend.rglob("*") if path.is_file()]
    assert "one.json" in names
    assert not [name for name in names if name.endswith(".attrs")]
