"""The whole life of one Airflow on this machine, by the command line a person uses, with nothing replaced."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import pytest

from standalone import errors, processes
from standalone.rest import AirflowApi
from standalone.state import StateFolder
from tests.ports import free_port
from tests.standalone.laptop import processes_of, wait_until, write_job

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 240
NEW_JOB_SECONDS = 120


class Laptop:
    """The command line on one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = free_port()

    def command(self, *arguments: object) -> list[str]:
        name, *options = map(str, arguments)
        return [sys.executable, "-m", "standalone", name, "--state", str(self.state), *options]

    def start_command(self, packages: Path, *options: str) -> list[str]:
        return self.command("start", "--packages", packages, "--port", self.port, *options)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=START_SECONDS)

    def interrupt_when(self, command: list[str], condition: Callable[[], bool]) -> subprocess.CompletedProcess[str]:
        """Run a command and press Ctrl-C as soon as ``condition`` holds."""
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            wait_until(condition, START_SECONDS)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=START_SECONDS)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def api(self) -> AirflowApi:
        api = AirflowApi(f"http://127.0.0.1:{self.port}")
        api.log_in("admin", json.loads((self.state / "passwords.json").read_text())["admin"])
        return api

    def pid(self, component: str) -> int | None:
        """Return the pid on record; a start writes them down one after the other."""
        run = StateFolder(self.state).read_run()
        return next((each.pid for each in run.components if each.name == component), None) if run else None


@pytest.fixture
def laptop(tmp_path: Path) -> Generator[Laptop]:
    laptop = Laptop(tmp_path / "state")
    yield laptop
    processes.stop(StateFolder(laptop.state).root, (), grace_seconds=5)


def content(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_life_from_first_start_to_stop(laptop: Laptop, tmp_path: Path) -> None:
    tree, other = tmp_path / "tree", tmp_path / "other"
    write_job(tree, "first", "needs_more", imports="surely_not_installed")
    write_job(tree, "greeting", "hello")
    write_job(other, "farewell", "goodbye")
    before = content(tree)

    cold = laptop.run(laptop.start_command(tree))
    assert cold.returncode == 0, cold.stdout + cold.stderr
    secrets = json.loads((laptop.state / "secrets.json").read_text())
    for promise in (f"http://127.0.0.1:{laptop.port}", "admin", secrets["admin_password"], "2 DAGs, no import errors"):
        assert promise in cold.stdout
    assert "first run: greeting.hello" in cold.stdout
    assert not any(secrets[name] in cold.stdout for name in ("fernet_key", "api_secret_key", "jwt_secret"))
    assert content(tree) == before

    status = laptop.run(laptop.command("status", "--json"))
    assert (status.returncode, json.loads(status.stdout)["healthy"]) == (0, True)
    again = laptop.run(laptop.start_command(tree))
    assert again.returncode == 0
    assert "up already, and healthy" in again.stdout
    assert laptop.run(laptop.start_command(other)).returncode == errors.AnotherRunError.exit_code

    write_job(tree, "greeting", "written_later")
    with laptop.api() as api:
        wait_until(lambda: "greeting_written_later" in api.dags(), NEW_JOB_SECONDS)

    found = laptop.pid("scheduler")
    assert found, "no scheduler on record"
    scheduler = psutil.Process(found)
    scheduler.kill()
    scheduler.wait(60)
    status = laptop.run(laptop.command("status"))
    assert status.returncode == 1
    assert "scheduler: not running" in status.stdout

    # A start ends what is left of a broken run, and Ctrl-C in the middle of it leaves nothing at all.
    interrupted = laptop.interrupt_when(
        laptop.start_command(tree), lambda: laptop.pid("scheduler") not in (None, scheduler.pid)
    )
    # Python ends by the signal itself if it struck while a dataclass was being made; a shell says 130 in both cases.
    assert interrupted.returncode in (errors.InterruptedStartError.exit_code, -signal.SIGINT), interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert processes_of(laptop.state) == []

    warm = laptop.run(laptop.start_command(other))
    assert warm.returncode == 0, warm.stdout + warm.stderr
    assert "database" not in warm.stdout, "a warm start has nothing to migrate"
    with laptop.api() as api:
        assert list(api.dags()) == ["farewell_goodbye"]
        assert api.import_errors() == []

    assert laptop.run(laptop.command("stop")).returncode == 0
    assert processes_of(laptop.state) == []
    assert laptop.run(laptop.command("status")).returncode == errors.NotRunningError.exit_code


@pytest.mark.slow
def test_ctrl_c_while_the_database_is_made_leaves_neither_a_process_nor_half_a_database(laptop: Laptop, packages: Path) -> None:
    migrating = laptop.state / "airflow.new"
    interrupted = laptop.interrupt_when(
        laptop.start_command(packages), lambda: migrating.exists() and migrating.stat().st_size > 0
    )
    # Python ends by the signal itself if it struck while a dataclass was being made; a shell says 130 in both cases.
    assert interrupted.returncode in (errors.InterruptedStartError.exit_code, -signal.SIGINT), interrupted.stderr
    assert processes_of(laptop.state) == []
    assert not (laptop.state / "airflow.db").exists()
