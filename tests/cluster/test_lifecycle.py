"""A cluster's life on a machine that nobody else uses: it comes up whole, and leaves nothing however it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.built_tools import REPOSITORY
from tests.cluster.machine import KILLED

MACHINE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


def live(scenario: str, folder: Path) -> dict[str, Any]:
    """Run a scenario as process 1 of a machine of its own and return what it saw."""
    command = [*MACHINE, sys.executable, "-m", "tests.cluster.machine", scenario, str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_two_clusters_at_once_do_not_meet_and_leave_the_machine_as_it_was(cluster_folder: Path, tmp_path: Path) -> None:
    seen = live("two", tmp_path)
    done = seen["done"]
    assert "is up already" in done["again"]
    assert done["modes"] == ["0o700", "0o600"]
    for name, other in (("one", "two"), ("two", "one")):
        assert f"namespace/only-{name}" in done["namespaces"][name]
        assert f"namespace/only-{other}" not in done["namespaces"][name]
    assert seen["after"] == seen["before"]


@pytest.mark.parametrize("moment", KILLED)
def test_after_a_kill_of_everything_at_any_moment_down_leaves_nothing(
    moment: str, cluster_folder: Path, tmp_path: Path
) -> None:
    seen = live(moment, tmp_path)
    assert seen["done"]["met"], f"the start never got to {moment}"
    assert seen["after"] == seen["before"]


def test_an_interrupted_start_removes_what_it_made_and_keeps_its_logs(cluster_folder: Path, tmp_path: Path) -> None:
    seen = live("interrupted", tmp_path)
    assert seen["done"]["code"] == 130, seen["done"]["output"]
    assert "interrupted: what was started is removed again" in seen["done"]["output"]
    assert seen["done"]["kept"]
    assert seen["after"] == seen["before"]
