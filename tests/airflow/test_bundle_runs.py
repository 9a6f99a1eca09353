"""In a real Airflow, a run ends on the version it started with while another one is current."""

import json
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from dagsync.publishing import publish, rollback
from tests.airflow.server import Airflow, environment, until
from tests.dagsync.store.bucket import JOB, Bucket, bucket, s3_endpoint, write

__all__ = ["bucket", "s3_endpoint"]

DAG = "work_waits"
WAITS = """
import os
import time
from pathlib import Path

def entrypoint(argv):
    home = Path(os.environ["AIRFLOW_HOME"])
    (home / f"{argv[0]}.started").touch()
    deadline = time.monotonic() + 120
    while not (home / f"{argv[0]}.go").exists():
        if time.monotonic() > deadline:
            return 1
        time.sleep(0.1)
    # Only now, as the last step of a long job may.
    from work.answer import VALUE
    (home / f"{argv[0]}.result").write_text(VALUE)
    return 0

JOB = (entrypoint, "Waits to be told to go on", {"max_active_runs": 2})
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    root = tmp_path / "packages"
    write(root, {"work/__init__.py": "", "work/jobs/waits.py": WAITS, "work/answer.py": 'VALUE = "A"\n'})
    return root


@pytest.fixture
def airflow(tmp_path: Path, bucket: Bucket) -> Generator[Airflow]:
    """An Airflow whose only bundle is ours."""
    home = tmp_path / "home"
    home.mkdir()
    bundle = {
        "name": "packages",
        "classpath": "dagsync.bundle.PackagesBundle",
        "kwargs": {"source": bucket.url, "refresh_interval": 2},
    }
    given = environment(home, tmp_path / "nowhere", home / "no-dags") | bucket.environment
    given |= {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        # An unchanged file would be parsed again after an hour: what is seen at once is seen because of the bundle.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    }
    made = Airflow(home, given)
    migration = made.run("airflow", "db", "migrate")
    assert migration.returncode == 0, migration.stderr[-3000:]
    try:
        made.start()
        yield made
    finally:
        made.stop()


def wait_for_version(airflow: Airflow, version: str) -> None:
    def current() -> bool:
        found = airflow.client.get(f"/api/v2/dags/{DAG}")
        return found.is_success and found.json()["bundle_version"] == version

    until(current, f"{DAG} is of version {version[:8]}", airflow, 90)


def run(airflow: Airflow, name: str, *, go: bool = True) -> str:
    if go:
        (airflow.home / f"{name}.go").touch()
    return airflow.trigger(DAG, {"args": [name]})


def result(airflow: Airflow, name: str, run_id: str) -> str:
    assert airflow.finished(DAG, run_id) == "success", airflow.task_log(DAG, run_id, "waits")
    return (airflow.home / f"{name}.result").read_text()


@pytest.mark.timeout(600)
def test_run_ends_on_the_version_it_started_with(bucket: Bucket, packages: Path, airflow: Airflow) -> None:
    first = publish(packages, bucket.store).pointer.version
    wait_for_version(airflow, first)
    early = run(airflow, "early", go=False)
    until((airflow.home / "early.started").exists, "the run on A is under way", airflow, 60)

    # Only code that the DAG file does not show is different: the DAG itself stays as it is.
    write(packages, {"work/answer.py": 'VALUE = "B"\n', "work/jobs/fresh.py": JOB})
    second = publish(packages, bucket.store).pointer.version
    wait_for_version(airflow, second)
    until(lambda: airflow.client.get("/api/v2/dags/work_fresh").is_success, "the new job is known", airflow, 60)

    assert result(airflow, "late", run(airflow, "late")) == "B"
    (airflow.home / "early.go").touch()
    assert result(airflow, "early", early) == "A"

    # Tried again in a new process, on a machine that has lost version A, it is still a run of A.
    shutil.rmtree(airflow.home / "bundles" / "packages" / "versions" / first)
    (airflow.home / "early.result").unlink()
    clear = {"dry_run": False, "dag_run_id": early, "only_failed": False}
    assert airflow.client.post(f"/api/v2/dags/{DAG}/clearTaskInstances", json=clear).is_success
    until((airflow.home / "early.result").exists, "the run on A ran again", airflow, 60)
    assert result(airflow, "early", early) == "A"

    rollback(bucket.store)
    wait_for_version(airflow, first)
    assert result(airflow, "after", run(airflow, "after")) == "A"
    assert airflow.get("/importErrors")["total_entries"] == 0
