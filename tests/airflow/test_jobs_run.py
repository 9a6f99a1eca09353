"""What a job does decides what becomes of its task, in a real Airflow."""

import json

import pytest

from tests.airflow.server import Airflow, until


@pytest.mark.parametrize(
    ("job", "said", "outcome"),
    [
        ("returns_three", ["three rows are missing", "the feed is late"], "job ends.returns_three returned exit code 3"),
        ("raises", ["the feed is empty"], "job ends.raises raised ValueError: the feed is empty"),
        ("exits_two", ["wrong arguments"], "job ends.exits_two called sys.exit: exit code 2"),
        ("needs_what_is_missing", ["a_library_nobody_has"], "job ends.needs_what_is_missing raised ModuleNotFoundError"),
    ],
)
def test_failing_job_fails_its_task_and_says_why(
    airflow: Airflow, runs: dict[str, str], job: str, said: list[str], outcome: str
) -> None:
    dag_id = f"ends_{job}"
    assert airflow.finished(dag_id, runs[dag_id]) == "failed"
    log = airflow.task_log(dag_id, runs[dag_id], job)
    for text in [*said, outcome]:
        assert text in log


def test_failure_is_told_and_a_provider_that_is_missing_is_said_in_the_log(airflow: Airflow, runs: dict[str, str]) -> None:
    assert airflow.finished("ends_raises", runs["ends_raises"]) == "failed"

    def told() -> bool:
        return "nobody is told by slack" in airflow.task_log("ends_raises", runs["ends_raises"], "raises")

    until(told, "the failure is told", airflow, 30)


def test_arguments_of_a_run_reach_the_job(airflow: Airflow, runs: dict[str, str]) -> None:
    assert airflow.finished("chain_echo", runs["chain_echo"]) == "success"
    assert json.loads((airflow.home / "echo").read_text()) == ["--date", "2026-01-01"]


def test_declared_arguments_are_those_of_a_run_without_any(airflow: Airflow, runs: dict[str, str]) -> None:
    airflow.finished("chain_echo", runs["chain_echo"])
    assert airflow.finished("chain_echo", airflow.trigger("chain_echo")) == "success"
    assert json.loads((airflow.home / "echo").read_text()) == ["--default"]


def test_arguments_that_are_no_strings_are_refused_at_the_trigger(airflow: Airflow) -> None:
    body = {"logical_date": None, "conf": {"args": [1]}}
    assert airflow.client.post("/api/v2/dags/chain_echo/dagRuns", json=body).status_code == 400


def test_chained_job_starts_when_its_upstream_has_succeeded(airflow: Airflow, runs: dict[str, str]) -> None:
    assert airflow.finished("chain_upstream", runs["chain_upstream"]) == "success"

    def downstream() -> str | None:
        found = airflow.get("/dags/chain_downstream/dagRuns")["dag_runs"]
        return str(found[0]["dag_run_id"]) if found else None

    run_id = until(downstream, "the downstream job is started", airflow, 60)
    assert airflow.finished("chain_downstream", run_id) == "success"
    assert (airflow.home / "downstream").read_text() == "done"


def test_scheduled_job_has_a_next_run(airflow: Airflow, runs: dict[str, str]) -> None:
    until(lambda: airflow.get("/dags/chain_nightly")["next_dagrun_run_after"], "chain_nightly has a next run", airflow, 30)


def test_retries_are_honoured(airflow: Airflow, runs: dict[str, str]) -> None:
    run_id = runs["ends_is_flaky"]
    assert airflow.finished("ends_is_flaky", run_id, timeout_seconds=150) == "success"
    (instance,) = airflow.get(f"/dags/ends_is_flaky/dagRuns/{run_id}/taskInstances")["task_instances"]
    assert instance["try_number"] == 2
    assert "job ends.is_flaky returned exit code 1" in airflow.task_log("ends_is_flaky", run_id, "is_flaky", attempt=1)


def test_component_of_this_host_has_a_heartbeat(airflow: Airflow) -> None:
    for job_type in ("SchedulerJob", "DagProcessorJob"):
        probe = airflow.run("dagsync", "heartbeat", job_type)
        assert probe.returncode == 0, probe.stderr
        assert job_type in probe.stdout
    missing = airflow.run("dagsync", "heartbeat", "TriggererJob")
    assert missing.returncode == 1
    assert "no running job" in missing.stderr
