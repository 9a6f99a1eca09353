"""A job with ``isolation="kubernetes"``: its task makes a pod, follows it, and ends as the job does."""

import json
import re
import time

import psutil

from tests.airflow.server import until
from tests.pods.conftest import Pods


def test_job_is_given_its_arguments_and_its_environment_as_they_are(pods: Pods) -> None:
    conf = {"day": "$(PATH) $$ 'ä", "tables": ["-a", "$(HOME)"]}
    run_id = pods.airflow.trigger("pods_tells", conf)
    assert pods.airflow.finished("pods_tells", run_id) == "success", pods.airflow.task_log("pods_tells", run_id, "tells")
    told = json.loads(pods.out.read_text())
    assert {name: told[name] for name in conf} == conf
    environment = told["environment"]
    assert environment["ETL_PRICE"] == "$$5 $(HOME)"
    assert environment["AIRFLOW_CTX_DAG_RUN_ID"] == run_id
    assert not [name for name in environment if name.startswith("AIRFLOW__") and "LOGGING" not in name]
    assert "ETL_PASSWORD" not in environment
    log = pods.airflow.task_log("pods_tells", run_id, "tells")
    assert '"told"' in log
    assert "ETL_PASSWORD looks like a secret" in log


def test_pod_is_the_jobs_own(pods: Pods) -> None:
    run_id = pods.airflow.trigger("pods_tells", {"args": []})
    assert pods.airflow.finished("pods_tells", run_id) == "success"
    assert json.loads(pods.out.read_text())["day"] == "$(HOME)"
    pod = pods.kubelet.pods[pods.of("tells")[-1]]
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "registry.example.com/pods/tells:1"
    asked = {"cpu": "250m", "memory": "64Mi"}
    assert container["resources"] == {"requests": asked, "limits": asked}
    labels = pod["metadata"]["labels"]
    assert (labels["package"], labels["job"], labels["dag_id"]) == ("pods", "tells", "pods_tells")
    assert pod["spec"]["serviceAccountName"] == "etl-jobs"
    # The server would have mounted one.
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["tmp"]


def test_failure_holds_the_jobs_last_lines_and_the_pod_is_gone(pods: Pods) -> None:
    run_id = pods.airflow.trigger("pods_fails")
    assert pods.airflow.finished("pods_fails", run_id) == "failed"
    log = pods.airflow.task_log("pods_fails", run_id, "fails")
    failure = next(line for line in log.splitlines() if "returned a failure" in line and "error_detail" in line)
    assert "three rows are missing" in failure
    assert "job pods.fails returned exit code 3" in failure
    (name,) = pods.of("fails")
    assert pods.kubelet.pods[name]["spec"]["containers"][0]["image"] == "registry.example.com/airflow:1"
    _gone(pods, name)


def test_timeout_ends_the_pod_of_a_job_that_ignores_sigterm(pods: Pods) -> None:
    run_id = pods.airflow.trigger("pods_stays")
    assert pods.airflow.finished("pods_stays", run_id) == "failed"
    assert "AirflowTaskTimeout" in pods.airflow.task_log("pods_stays", run_id, "stays")
    (name,) = pods.of("stays")
    assert "still at it" in pods.kubelet.log(name).read_text()
    _gone(pods, name)


def test_pod_goes_when_somebody_ends_its_task(pods: Pods) -> None:
    run_id = pods.airflow.trigger("pods_waits", {"args": ["never"]})
    name = _waiting(pods, 1)
    path = f"/api/v2/dags/pods_waits/dagRuns/{run_id}/taskInstances/waits"
    assert pods.airflow.client.patch(path, json={"new_state": "failed"}).is_success
    _gone(pods, name)
    assert pods.airflow.finished("pods_waits", run_id) == "failed"


def test_task_whose_process_was_lost_finds_its_pod_again(pods: Pods) -> None:
    before = len(pods.of("waits"))
    run_id = pods.airflow.trigger("pods_waits", {"args": ["flag"]})
    name = _waiting(pods, before + 1)
    scheduler = psutil.Process(pods.airflow.processes["scheduler"].pid)
    # As Airflow names it; that of the executor, which only watches it, has another name.
    (task,) = [each for each in scheduler.children(recursive=True) if re.match(r"airflow worker -- [-0-9a-f]{36}", each.name())]
    task.kill()
    again = f"/api/v2/dags/pods_waits/dagRuns/{run_id}/taskInstances/waits/logs/2?full_content=true"
    until(lambda: "Reusing existing pod" in pods.airflow.client.get(again).text, "it is tried again", pods.airflow, 120)
    pods.out.with_name("flag").touch()
    assert pods.airflow.finished("pods_waits", run_id) == "success"
    assert pods.of("waits")[before:] == [name]
    assert "done waiting" in pods.airflow.task_log("pods_waits", run_id, "waits", attempt=2)


def test_quota_is_said_by_the_task(pods: Pods) -> None:
    run_id = pods.airflow.trigger("pods_asks_too_much")
    assert pods.airflow.finished("pods_asks_too_much", run_id) == "failed"
    assert "exceeded quota: enough" in pods.airflow.task_log("pods_asks_too_much", run_id, "asks_too_much")
    assert pods.of("asks_too_much") == []


def _waiting(pods: Pods, count: int) -> str:
    """Wait until the pod of the job that waits is there, the latest of ``count``, and return its name."""

    def running() -> bool:
        found = pods.of("waits")
        return (
            len(found) == count
            and pods.kubelet.log(found[-1]).exists()
            and "waiting" in pods.kubelet.log(found[-1]).read_text()
        )

    until(running, "the job waits", pods.airflow, 60)
    return pods.of("waits")[-1]


def _gone(pods: Pods, name: str) -> None:
    deadline = time.monotonic() + 60
    while any(pod["metadata"]["name"] == name for pod in pods.cluster.all_of("v1", "Pod", "etl-jobs")) or pods.kubelet.lives(
        name
    ):
        assert time.monotonic() < deadline, f"pod {name} is still there"
        time.sleep(0.2)
