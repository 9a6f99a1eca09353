"""A dag-processor, which has no threads, reads a bundle of many jobs in several processes, as the command does."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.airflow.server import Airflow, environment
from tests.dagsync.store.bucket import JOB, write

BUNDLE = """
import os
from pathlib import Path

from dagsync import dividing, forks
from dagsync.bundle import PackagesBundle

dividing.LEAST, dividing.processors = 3, lambda: 2


class Counted(forks.Fork):
    def __init__(self, work, part):
        with Path(os.environ["AIRFLOW_HOME"], "forks").open("a") as file:
            print(len(part), file=file)
        super().__init__(work, part)


forks.Fork = Counted
"""
JOBS = 9


@pytest.mark.timeout(600)
def test_dag_processor_reads_a_bundle_in_several_processes(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "packages"
    write(home, {"many_jobs.py": BUNDLE})
    write(root, {"work/__init__.py": ""} | {f"work/jobs/job_{number}.py": JOB for number in range(JOBS)})
    bundle = {"name": "packages", "classpath": "many_jobs.PackagesBundle", "kwargs": {"source": str(root)}}
    given = environment(home, tmp_path / "nowhere", home / "no-dags") | {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "PYTHONPATH": str(home),
    }
    airflow = Airflow(home, given)

    for command in (("db", "migrate"), ("dag-processor", "--num-runs", "1")):
        done = airflow.run("airflow", *command, timeout_seconds=240)
        assert done.returncode == 0, done.stderr[-3000:]

    with closing(sqlite3.connect(home / "airflow.db")) as database:
        (found,) = database.execute("select count(*) from serialized_dag").fetchone()
    assert found == JOBS
    assert (home / "forks").read_text() == "4\n"
