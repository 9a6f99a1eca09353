"""``tools/build`` where it cannot build: one sentence, the fix, no half-made binary."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.built_tools import REPOSITORY

USED = (
    *("awk", "bash", "cat", "chmod", "cut", "df", "dirname", "grep", "head"),
    *("ln", "mkdir", "mv", "rm", "sed", "sha256sum", "shasum", "sort", "uname"),
)
"""The commands that ``tools/build`` may use, beside Go."""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a folder of commands that hides this machine's Go, with a clone's worth of files beside it."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in USED:
        if found := shutil.which(name, path="/usr/bin:/bin"):
            (commands / name).symlink_to(found)
    tools = tmp_path / "clone" / "tools"
    tools.mkdir(parents=True)
    for entry in ("build", "etcd"):
        (tools / entry).symlink_to(REPOSITORY / "tools" / entry)
    return commands


def put(commands: Path, name: str, script: str) -> None:
    """Make the machine answer ``name`` with ``script``."""
    (commands / name).unlink(missing_ok=True)
    (commands / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (commands / name).chmod(0o755)


def build(commands: Path, *tools: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(commands), "HOME": str(commands.parent / "home"), "LC_ALL": "C"}
    program = commands.parent / "clone" / "tools" / "build"
    return subprocess.run([program, *tools], env=environment, capture_output=True, text=True, timeout=120, check=False)


def go(version: str, build_script: str = "exit 1") -> str:
    """Return a Go of ``version`` whose build does ``build_script``."""
    return f"""
    case "$1 $2" in
      "env GOVERSION") echo go{version} ;;
      "env GOPROXY") echo https://proxy.example ;;
      "env GOCACHE") echo "$HOME/go-build" ;;
      "build "*) {build_script} ;;
    esac"""


def test_an_unknown_tool_is_named_with_those_there_are(machine: Path) -> None:
    done = build(machine, "etcdd")
    assert done.returncode == 1
    assert "unknown tool 'etcdd', expected one of: pulumi etcd kube-apiserver" in done.stderr


def test_without_go_it_says_what_to_install(machine: Path) -> None:
    done = build(machine, "etcd")
    assert done.returncode == 1
    assert "`go` was not found\n  Install Go 1.25.0 or newer" in done.stderr


def test_an_old_go_is_told_both_versions(machine: Path) -> None:
    put(machine, "go", go("1.20.3"))
    assert "need 1.25.0 or newer, found 1.20.3" in build(machine, "etcd").stderr


def test_a_full_disk_is_noticed_before_minutes_are_spent(machine: Path) -> None:
    put(machine, "go", go("1.99.0"))
    put(machine, "df", "echo header; echo '/dev/x 100 1 2000000 1% /'")
    assert "building etcd needs 6 GB" in build(machine, "etcd").stderr


def test_a_broken_network_is_told_apart_from_a_broken_build(machine: Path) -> None:
    put(machine, "go", go("1.99.0", "echo 'dial tcp: lookup proxy: no such host' >&2; exit 1"))
    assert "modules could not be fetched" in build(machine, "etcd").stderr
    put(machine, "go", go("1.99.0", "echo 'undefined: x' >&2; exit 1"))
    assert "etcd: the build failed" in build(machine, "etcd").stderr


def test_a_finished_binary_is_built_once_and_a_failed_one_is_not_left(machine: Path) -> None:
    made = machine.parent / "clone" / ".tools" / "bin" / "etcd"
    put(machine, "go", go("1.99.0", 'while [ "$1" != -o ]; do shift; done; echo half > "$2/server"; exit 1'))
    assert build(machine, "etcd").returncode == 1
    assert not made.exists()
    put(machine, "go", go("1.99.0", 'while [ "$1" != -o ]; do shift; done; echo whole > "$2/server"; chmod 755 "$2/server"'))
    assert "built in" in build(machine, "etcd").stdout
    assert made.read_text() == "whole\n"
    assert "had already" in build(machine, "etcd").stdout
