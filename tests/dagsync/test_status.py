"""What status says about a DAG folder, and that nobody holds it longer than they live."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from dagsync.errors import TargetLockedError
from dagsync.status import read_status
from dagsync.storage import lock_holder, locked
from tests.dagsync.tree import Monorepo

HOLD = "import sys, time\nfrom pathlib import Path\nfrom dagsync.storage import locked\nwith locked(Path(sys.argv[1])):\n"
HOLD += "    print('held', flush=True)\n    time.sleep(60)\n"


def holder(monorepo: Monorepo) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(monorepo.dags)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_folder_that_was_never_synced_is_stale(monorepo: Monorepo) -> None:
    done = monorepo.cli("status")
    assert done.returncode == 1
    assert done.stdout == f"{monorepo.dags}: no sync has left a record here\n"
    assert "no sync in the last 900 s" in done.stderr
    assert not monorepo.dags.exists()


def test_healthy_folder_is_told_in_three_lines(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.pull")
    monorepo.cli("sync")
    done = monorepo.cli("status")
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.splitlines()
    assert first == f"{monorepo.dags}: 2 DAGs in 2 files"
    assert second.startswith("last sync: ")
    assert second.endswith(f", of {monorepo.packages}")
    assert third == "2 jobs; 0 problems, 0 notes"


def test_problems_and_kept_dags_are_told_to_programs(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.cli("sync")
    monorepo.job("sales.load", "JOB = (")
    monorepo.cli("sync")
    (monorepo.dags / "sales_dags.py").write_text("# edited\n")
    done = monorepo.cli("status", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["kept"] == ["sales.load"]
    assert [problem["path"] for problem in found["problems"]] == [str(monorepo.packages / "sales/jobs/load.py")]
    assert (found["stale"], found["dags"], found["jobs"], found["altered"]) == (False, 1, 0, ["sales_dags.py"])
    assert found["files"] == ["sales_dags.py"]


def test_sync_that_changes_nothing_is_a_sync_too(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    time.sleep(0.06)
    monorepo.sync()
    monorepo.sync()
    long_ago = time.time() - 5000
    os.utime(monorepo.dags / ".dagsync/last.json", (long_ago, long_ago))
    assert monorepo.cli("status").returncode == 1
    assert monorepo.cli("status", "--max-age", "6000").returncode == 0
    monorepo.sync()
    assert not read_status(monorepo.dags).is_stale(datetime.now(UTC), 60)
    assert read_status(monorepo.dags).is_stale(datetime.now(UTC) + timedelta(seconds=61), 60)


def test_record_of_another_version_is_no_record(monorepo: Monorepo) -> None:
    from dagsync.storage import write_checked

    monorepo.job("sales.load")
    monorepo.sync()
    write_checked(monorepo.dags, "last.json", ['{"key": "of old", "report": [1, 2]}'])
    assert read_status(monorepo.dags).synced_at is None


def test_who_holds_the_folder_is_told_while_it_does(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    assert lock_holder(monorepo.dags) is None
    process = holder(monorepo)
    try:
        assert f"a sync is under way: process {process.pid} on " in monorepo.cli("status").stdout
        with pytest.raises(TargetLockedError, match=f"process {process.pid} on"), locked(monorepo.dags, 0.1):
            pass
    finally:
        process.kill()
        process.wait()


def test_lock_of_a_process_that_was_killed_holds_nobody_up(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    process = holder(monorepo)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lock_holder(monorepo.dags) is None
    with locked(monorepo.dags, 0):
        assert (monorepo.dags / ".dagsync/lock").read_text().startswith(f"process {os.getpid()} on ")
