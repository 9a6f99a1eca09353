"""Every option of a job arrives in the objects Airflow makes of a generated file."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.server import Airflow

TREE = {
    "pyproject.toml": '[tool.dagsync]\nowner = "platform"\nretries = 2\n',
    "sales/pyproject.toml": '[tool.dagsync]\npool = "warehouse"\n',
    "sales/__init__.py": "",
    "sales/jobs/all.py": '''
        """Loads everything.

        Reads `this`, writes [that](x).
        """
        from datetime import timedelta
        from dagsync import Asset, Cron, Email, Job, Resources, Slack, Sns, Webhook

        JOB = Job(
            print, "All of it", schedule=Cron("30 2 * * *", timezone="Europe/Berlin"), start_date="2026-01-31", catchup=True,
            max_active_runs=4, consumes=[Asset("s3://bucket/in")], produces=[Asset("s3://bucket/out")], args=["--full"],
            retries=5, retry_delay=timedelta(minutes=2), timeout=timedelta(hours=1), deadline=timedelta(hours=2),
            pool="small", priority=7, owner="data", queue="large", executor="LocalExecutor", tags=["finance"],
            on_failure=[Slack("#etl"), Email("a@b.org")], on_success=[Sns("arn:x"), Webhook("hooks")],
            resources=Resources(cpu="500m", memory="1Gi"), isolation="inline",
        )
    ''',
    "sales/jobs/delta.py": 'JOB = (print, "x", {"schedule": {"hours": 6}})',
    "sales/jobs/asset.py": 'JOB = (print, "x", {"consumes": ["s3://bucket/out", "b"]})',
    "sales/jobs/pod.py": 'JOB = (print, "x", {"isolation": "kubernetes", "image": "r.example.com/sales:1", "timeout": 60})',
    "sales/jobs/plain.py": 'JOB = (print, "x")',
    "sales/jobs/read_me.py": '"""See README.md"""\nJOB = (print, "x")',
    "crm/__init__.py": "",
    "crm/jobs/extract.py": '"""Extracts."""\nJOB = (print, "x", {"group": "nightly", "schedule": "@daily", "args": ["-e"]})',
    "crm/jobs/load.py": 'JOB = (print, "x", {"group": "nightly", "after": ["crm.extract"], "retries": 0, "tags": ["t"]})',
    "crm/jobs/report.py": 'JOB = (print, "x", {"group": "nightly", "after": ["crm.load", "crm.extract"]})',
    "crm/jobs/mail.py": 'JOB = (print, "x", {"after": ["crm.report"]})',
}

LOAD = """
import json, sys, warnings
warnings.simplefilter("error", DeprecationWarning)
import airflow.sdk
before = set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
assert not [name for name in sys.modules if name.startswith(("airflow.providers.slack", "dagsync.model", "kubernetes"))]

def seconds(delta):
    return None if delta is None else delta.total_seconds()

def of_task(task):
    return {
        "operator": task.task_type, "owner": task.owner, "retries": task.retries, "retry_delay": seconds(task.retry_delay),
        "max_retry_delay": seconds(task.max_retry_delay), "backoff": task.retry_exponential_backoff,
        "timeout": seconds(task.execution_timeout), "pool": task.pool, "priority": task.priority_weight, "queue": task.queue,
        "executor": task.executor, "executor_config": task.executor_config, "resources": task.resources_of_job,
        "inlets": [each.uri for each in task.inlets], "outlets": [each.uri for each in task.outlets],
        "failure": len(task.on_failure_callback), "success": len(task.on_success_callback),
        "downstream": sorted(task.downstream_task_ids), "docs": task.doc_md,
        "args": (task.params or task.dag.params).get("args"), "own_params": list(task.params),
    }

def of_dag(dag):
    deadlines = dag.deadline or []
    serialized = DagSerialization.to_dict(dag)["dag"]
    DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return {
        "timetable": json.loads(json.dumps(serialized["timetable"], default=str)), "catchup": dag.catchup,
        "start_date": dag.start_date and dag.start_date.isoformat(), "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags), "docs": dag.doc_md, "description": dag.description,
        "deadlines": [[seconds(each.interval), type(each.reference).__name__, each.callback.path, each.callback.kwargs]
                      for each in deadlines],
        "params": list(dag.params), "tasks": {task.task_id: of_task(task) for task in dag.tasks},
    }

json.dump({dag.dag_id: of_dag(dag) for dag in bag.dags.values()}, open(sys.argv[2], "w"), default=str)
"""


@pytest.fixture(scope="module")
def folder(migrated: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DAG files of a tree that uses every option."""
    tree = tmp_path_factory.mktemp("everything")
    for name, source in TREE.items():
        path = tree / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in source.splitlines()) + "\n")
    done = migrated.run("dagsync", "sync", "--packages-root", str(tree / "packages"), "--dags-dir", str(tree / "dags"))
    assert done.returncode == 0, done.stderr
    return tree / "dags"


@pytest.fixture(scope="module")
def dags(migrated: Airflow, folder: Path) -> dict[str, Any]:
    """What Airflow makes of them, by DAG id."""
    result = folder.parent / "dags.json"
    done = migrated.run(sys.executable, "-c", LOAD, str(folder), str(result))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(result.read_text())


def test_every_option_arrives_as_declared(dags: dict[str, Any]) -> None:
    found = dags["sales_all"]
    task = found["tasks"].pop("all")
    timetable = found.pop("timetable")
    assert timetable["__type"].endswith("CronTriggerTimetable")
    assert (timetable["__var"]["expression"], timetable["__var"]["timezone"]) == ("30 2 * * *", "Europe/Berlin")
    assert found == {
        "catchup": True,
        "start_date": "2026-01-31T00:00:00+00:00",
        "max_active_runs": 4,
        "tags": ["auto-generated", "etl", "finance", "sales"],
        "docs": "Loads everything.\n\nReads `this`, writes [that](x).",
        "description": "All of it",
        "deadlines": [
            [
                7200.0,
                "DagRunQueuedAtDeadline",
                "dagsync.notifying.deadline_missed",
                {
                    "dag_id": "sales_all",
                    "notifications": [
                        {"via": "slack", "channel": "#etl", "connection": "slack_api_default", "text": ""},
                        {"via": "email", "to": "a@b.org", "connection": "smtp_default", "text": ""},
                    ],
                },
            ]
        ],
        "params": found["params"],
        "tasks": {},
    }
    assert task == {
        "operator": "JobOperator",
        "owner": "data",
        "retries": 5,
        "retry_delay": 120.0,
        "max_retry_delay": 3600.0,
        "backoff": 2.0,
        "timeout": 3600.0,
        "pool": "small",
        "priority": 7,
        "queue": "large",
        "executor": "LocalExecutor",
        "executor_config": {},
        "resources": {"cpu": "500m", "memory": "1Gi"},
        "inlets": ["s3://bucket/in"],
        "outlets": ["s3://bucket/out"],
        "failure": 2,
        "success": 2,
        "downstream": [],
        "docs": None,
        "args": ["--full"],
        "own_params": [],
    }


def test_job_without_options_has_what_it_inherits_and_what_is_built_in(dags: dict[str, Any]) -> None:
    found = dags["sales_plain"]
    task = found["tasks"]["plain"]
    assert (found["catchup"], found["max_active_runs"], found["docs"], found["deadlines"]) == (False, 1, None, [])
    assert (task["retries"], task["retry_delay"], task["backoff"], task["max_retry_delay"]) == (2, 30.0, 2.0, 3600.0)
    assert (task["owner"], task["pool"], task["timeout"], task["executor"]) == ("platform", "warehouse", None, None)


def test_job_in_a_pod_has_what_every_job_has(dags: dict[str, Any]) -> None:
    task = dags["sales_pod"]["tasks"]["pod"]
    assert (task["operator"], task["retries"], task["timeout"], task["backoff"]) == ("JobPodOperator", 2, 60.0, 2.0)
    assert dags["sales_plain"]["tasks"]["plain"]["operator"] == "JobOperator"


def test_interval_and_assets_are_schedules(dags: dict[str, Any]) -> None:
    assert dags["sales_delta"]["timetable"] == {
        "__type": "airflow.timetables.trigger.DeltaTriggerTimetable",
        "__var": {"delta": 21600.0, "interval": 0.0},
    }
    assert "AssetTriggeredTimetable" in dags["sales_asset"]["timetable"]["__type"]
    assert "s3://bucket/out" in json.dumps(dags["sales_asset"]["timetable"])


def test_documentation_that_ends_like_a_file_name_is_no_file(dags: dict[str, Any]) -> None:
    assert dags["sales_read_me"]["docs"] == "See README.md\n"


def test_jobs_of_a_group_are_tasks_of_one_dag(dags: dict[str, Any]) -> None:
    group = dags["crm_nightly"]
    assert set(dags) & {"crm_extract", "crm_load", "crm_report"} == set()
    assert {name: task["downstream"] for name, task in group["tasks"].items()} == {
        "extract": ["load", "report"],
        "load": ["report"],
        "report": [],
    }
    assert group["description"] == "nightly: extract, load, report"
    assert (group["tags"], group["params"]) == (["auto-generated", "crm", "etl", "t"], [])
    assert "@daily" in json.dumps(group["timetable"]) or "0 0 * * *" in json.dumps(group["timetable"])
    tasks = group["tasks"]
    assert [tasks[name]["retries"] for name in ("extract", "load", "report")] == [2, 0, 2]
    assert [tasks[name]["outlets"] for name in ("extract", "load", "report")] == [[], [], ["crm.report"]]
    assert (tasks["extract"]["args"], tasks["load"]["args"], tasks["extract"]["docs"]) == (["-e"], [], "Extracts.")
    # The DAG has none: each task has its own.
    assert [tasks[name]["own_params"] for name in ("extract", "load", "report")] == [["args"]] * 3
    assert "crm.report" in json.dumps(dags["crm_mail"]["timetable"])


def test_run_stays_at_the_same_hour_of_its_place_when_clocks_change(migrated: Airflow) -> None:
    code = """
import pendulum
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
table = CronTriggerTimetable("30 4 * * *", timezone="Europe/Berlin")
last = DataInterval.exact(pendulum.datetime(2026, 3, 28, 3, 30))
for _ in range(2):
    info = table.next_dagrun_info(last_automated_data_interval=last, restriction=TimeRestriction(None, None, True))
    last = info.data_interval
    print(info.run_after.isoformat())
"""
    done = migrated.run(sys.executable, "-c", code)
    assert done.stdout.split()[-2:] == ["2026-03-29T02:30:00+00:00", "2026-03-30T02:30:00+00:00"], done.stderr[-2000:]


def test_airflow_finds_nothing_unstable_in_files_with_every_option(migrated: Airflow, folder: Path) -> None:
    code = (
        "import sys\nfrom airflow.utils.dag_version_inflation_checker import check_dag_file_stability\n"
        "for path in sys.argv[1:]:\n    found = check_dag_file_stability(path)\n"
        "    assert not found.warnings, found.warnings\n    assert found.check_level.name == 'error'\n"
    )
    done = migrated.run(sys.executable, "-c", code, *map(str, sorted(folder.glob("*.py"))))
    assert done.returncode == 0, done.stderr[-2000:]
