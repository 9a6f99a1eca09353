"""``make up STACK=local`` as a person types it: from nothing to a finished run, seen, changed by nothing, and removed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from stack.errors import NotUpError
from stack.state import REPOSITORY
from standalone.rest import AirflowApi
from tests.ports import free_port

UP_SECONDS = 900
NOT_COPIED = (".git", ".venv", ".tools", ".airflow", ".cluster", ".pulumi-state", "__pycache__", ".*_cache", ".hypothesis")


class Checkout:
    """A copy of the repository, so that neither its state nor its cluster are those of the developer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(REPOSITORY, root, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        for shared in (".venv", ".tools"):
            (root / shared).symlink_to(REPOSITORY / shared)

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *arguments]
        # Without KUBECONFIG, so that a cluster is made.
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(Path.home()), "COLUMNS": "200"}
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=UP_SECONDS, check=False
        )


@pytest.fixture
def checkout(cluster_folder: Path, tmp_path: Path) -> Generator[Checkout]:
    made = Checkout(tmp_path / "checkout")
    yield made
    made.run("stack", "down", "--yes")
    stopped = made.run("cluster", "stop")
    assert stopped.returncode == 0, stopped.stderr


@pytest.mark.timeout(2 * UP_SECONDS)
def test_a_stack_from_nothing_to_a_finished_run_and_back(checkout: Checkout) -> None:
    port = free_port()
    up = checkout.run("stack", "up", "--port", str(port), "--job", "sales.load_orders")
    print(up.stdout)
    assert up.returncode == 0, up.stdout + up.stderr
    assert "stand-ins for the provider plugins" in up.stdout
    assert re.search(r"first run .* sales_load_orders", up.stdout)
    password = re.search(r"password +(\S+)", up.stdout)
    assert password
    with AirflowApi(f"http://127.0.0.1:{port}") as api:
        api.log_in("admin", password[1])
        assert api.import_errors() == []
        assert "sales_load_orders" in api.dags()

    again = checkout.run("stack", "up")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing changed" in again.stdout
    preview = checkout.run("stack", "preview")
    assert "Nothing would change" in preview.stdout, preview.stdout + preview.stderr

    status = checkout.run("stack", "status", "--json")
    assert status.returncode == 0, status.stdout + status.stderr
    report = json.loads(status.stdout[status.stdout.index("{") :])
    assert report["healthy"]
    assert not report["import_errors"]
    assert {pod["restarts"] for pod in report["pods"]} == {0}
    logs = checkout.run("stack", "logs", "scheduler", "--lines", "200")
    assert "sales_load_orders" in logs.stdout, logs.stderr

    refused = checkout.run("stack", "down")
    assert (refused.returncode, "nothing was removed" in refused.stderr) == (18, True), refused.stdout
    down = checkout.run("stack", "down", "--yes")
    assert down.returncode == 0, down.stdout + down.stderr
    assert checkout.run("stack", "status").returncode == NotUpError.exit_code
    state = checkout.root / ".pulumi-state"
    assert password[1] not in "".join(path.read_text(errors="replace") for path in state.rglob("*") if path.is_file())
