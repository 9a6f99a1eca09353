"""Generated DAG files are plain Airflow: no import error, no warning, nothing that changes from parse to parse."""

import json
import sys
from pathlib import Path

import pytest

from tests.airflow.server import Airflow

LOAD = """
import json, sys, warnings
warnings.simplefilter("error", DeprecationWarning)
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
dags = {
    dag.dag_id: {
        "description": dag.description, "tags": sorted(dag.tags), "catchup": dag.catchup,
        "tasks": [task.task_id for task in dag.tasks], "retries": [task.retries for task in dag.tasks],
        "args": dag.params["args"],
    }
    for dag in bag.dags.values()
}
json.dump({"dags": dags, "errors": bag.import_errors}, open(sys.argv[2], "w"))
"""


def load(airflow: Airflow, folder: Path, result: Path) -> dict[str, dict[str, object]]:
    done = airflow.run(sys.executable, "-c", LOAD, str(folder), str(result))
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(result.read_text())
    assert found["errors"] == {}
    return found["dags"]


@pytest.mark.parametrize("group_by", ["package", "job"])
def test_every_job_is_a_dag_without_import_errors(migrated: Airflow, tmp_path: Path, group_by: str) -> None:
    folder = tmp_path / "dags"
    assert migrated.run("dagsync", "sync", "--dags-dir", str(folder), "--group-by", group_by).returncode == 0
    dags = load(migrated, folder, tmp_path / "dags.json")
    assert sorted(dags) == sorted(
        ["chain_downstream", "chain_echo", "chain_nightly", "chain_upstream"]
        + [f"ends_{job}" for job in ("exits_two", "is_flaky", "needs_what_is_missing", "raises", "returns_three")]
    )
    assert dags["chain_echo"] == {
        "description": 'It\'s "quoted"\nand {braced} %s',
        "tags": ["auto-generated", "chain", "etl"],
        "catchup": False,
        "tasks": ["echo"],
        "retries": [1],
        "args": ["--default"],
    }
    assert dags["ends_is_flaky"]["retries"] == [1]


def test_airflow_finds_nothing_unstable_in_the_dag_files(migrated: Airflow) -> None:
    code = (
        "import sys\nfrom airflow.utils.dag_version_inflation_checker import check_dag_file_stability\n"
        "for path in sys.argv[1:]:\n    found = check_dag_file_stability(path)\n"
        "    assert not found.warnings, found.warnings\n    assert found.check_level.name == 'error'\n"
    )
    files = sorted(map(str, Path(migrated.environment["AIRFLOW_DAGS_DIR"]).glob("*.py")))
    assert files
    done = migrated.run(sys.executable, "-c", code, *files)
    assert done.returncode == 0, done.stderr[-2000:]


def test_airflow_builds_only_the_dag_it_asks_for(migrated: Airflow, tmp_path: Path) -> None:
    # The variable behind get_parsing_context(), which Airflow sets when it starts a task.
    asking = Airflow(migrated.home, dict(migrated.environment, _AIRFLOW_PARSING_CONTEXT_DAG_ID="chain_echo"))
    dags = load(asking, Path(migrated.environment["AIRFLOW_DAGS_DIR"]), tmp_path / "dags.json")
    assert list(dags) == ["chain_echo"]
