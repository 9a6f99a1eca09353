"""Fixtures of the standalone level: a state folder, a small tree of jobs, the command line, and nothing left running."""

import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from standalone import cli, processes
from standalone.state import StateFolder
from tests.standalone.laptop import Outcome, write_job


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a real Airflow; part of make test all the same")


@pytest.fixture
def folder(tmp_path: Path) -> Generator[StateFolder]:
    """A prepared state folder; whatever a test leaves running in it is ended."""
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    yield folder
    processes.stop(folder.root, (), grace_seconds=5)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A packages folder with one job that works anywhere."""
    return write_job(tmp_path / "packages", "greeting", "hello")


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``python -m standalone …`` in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["standalone", *map(str, arguments)])
        code = cli.main()
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run
