"""What the pod of a job is given: nothing of Airflow's, everything as it is, and no right it could do without."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync.errors import JobFailedError
from dagsync.pods import place_of, pod_command, pod_environment, pod_name, verbatim
from tests.dagsync.tree import Monorepo
from tests.pods.kubelet import expanded

IMAGE = {"DAGSYNC_JOBS_IMAGE": "registry.example.com/airflow:1"}


@given(st.text(), st.dictionaries(st.text("AB"), st.text()))
def test_arguments_come_out_of_kubernetes_as_they_went_in(text: str, variables: dict[str, str]) -> None:
    *_, word = pod_command("p.j", [text], None, None)
    assert expanded(word, variables) == text


@pytest.mark.parametrize("text", ["$(A)", "$$(A)", "$$$(A", "$", "a$", "$(", "$(B)$(A)"])
def test_variables_are_not_put_into_arguments(text: str) -> None:
    assert expanded(verbatim(text), {"A": "x", "B": "$(A)"}) == text


@given(st.from_regex(r"\w{1,120}\.\w{1,120}", fullmatch=True))
def test_pods_have_names_that_hosts_may_have(job: str) -> None:
    assert re.fullmatch(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", pod_name(job))


def test_place_is_that_of_the_environment_and_the_jobs_own_image_wins() -> None:
    assert place_of(IMAGE, None).image == IMAGE["DAGSYNC_JOBS_IMAGE"]
    assert place_of(IMAGE, "sales:1").image == "sales:1"
    usual = place_of(IMAGE, None)
    assert (usual.namespace, usual.service_account, usual.image_pull_policy) == ("etl-jobs", "etl-jobs", None)
    given = {"DAGSYNC_JOBS_NAMESPACE": "a", "DAGSYNC_JOBS_SERVICE_ACCOUNT": "b", "DAGSYNC_JOBS_IMAGE_PULL_POLICY": "Always"}
    given |= {"DAGSYNC_JOBS_SECRET": "c", "DAGSYNC_JOBS_ON_FINISH_ACTION": "delete_succeeded_pod"}
    found = place_of(IMAGE | given, None)
    assert (found.namespace, found.service_account, found.image_pull_policy) == ("a", "b", "Always")
    assert (found.secret, found.on_finish_action) == ("c", "delete_succeeded_pod")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "DAGSYNC_JOBS_IMAGE is not set"),
        (IMAGE | {"DAGSYNC_JOBS_IMAGE_PULL_POLICY": "always"}, "expected one of Always, IfNotPresent, Never, found 'always'"),
        (IMAGE | {"DAGSYNC_JOBS_ON_FINISH_ACTION": "keep"}, "expected one of delete_pod, delete_succeeded_pod, keep_pod"),
    ],
)
def test_place_that_cannot_be_told_fails_the_task(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(JobFailedError, match=re.escape(reason)) as failed:
        place_of(environment, None)
    assert failed.value.fix


def test_pod_is_told_what_is_the_jobs_and_no_secret() -> None:
    told = {
        "ETL_DAY": "1",
        "AWS_REGION": "eu-central-1",
        "ETL_PRICE": "$(A)",
        "AIRFLOW_CTX_DAG_ID": "d",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
    }
    untold = {
        "AIRFLOW__CORE__FERNET_KEY": "x",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "ETL_PACKAGES_ROOT": "/somewhere/of/this/pod",
        "PATH": "x",
    }
    secrets = {"ETL_DB_PASSWORD": "x", "ETL_API_KEY": "x", "ETL_token": "x", "ETL_DATABASE": "postgresql://user:word@host/db"}
    given, held_back = pod_environment(told | untold | secrets)
    assert given == told | {"ETL_PRICE": "$$(A)"}
    assert held_back == sorted(secrets)


def test_job_in_a_pod_has_its_own_operator_in_its_file_alone(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", "JOB = (print, 'x', {'isolation': 'kubernetes', 'image': 'shop:1'})\n")
    monorepo.job("shop.tell", "JOB = (print, 'x')\n")
    monorepo.job("crm.load", "JOB = (print, 'x')\n")
    assert not monorepo.sync().problems
    text = monorepo.files()["shop_dags.py"].decode()
    assert "        JobPodOperator(task_id='load', job='shop.load', image='shop:1')\n" in text
    assert "        JobOperator(task_id='tell', job='shop.tell')\n" in text
    assert "JobPodOperator" not in monorepo.files()["crm_dags.py"].decode()
    # The record of the last sync keeps it.
    monorepo.job("shop.load", "JOB = (print, 'x', {'isolation': 'kubernetes', 'image': 3})\n")
    assert monorepo.sync().kept == ("shop.load",)
    assert monorepo.files()["shop_dags.py"].decode() == text


class Task(SimpleNamespace):
    """A ``JobPodOperator`` as the operator made of it sees it."""

    def __init__(self, **changed: Any) -> None:
        usual = {"task_id": "load", "job": "sales.load", "image": None, "options": (), "resources_of_job": None}
        super().__init__(**usual | {"execution_timeout": None, "log": logging.getLogger(__name__)} | changed)

    def operator(self, environment: dict[str, str], packages_root: Path | None = None, address: str = "") -> tuple[Any, Any]:
        """Return the operator that a task makes, with the context it runs in."""
        from dagsync.pod_operator import pod_operator

        bundle = SimpleNamespace(packages_root=packages_root, source_address=address)
        instance = SimpleNamespace(dag_id="sales_load", task_id="load", map_index=-1, try_number=1, bundle_instance=bundle)
        run = SimpleNamespace(conf={"args": ["--day", "1"]})
        context = {"ti": instance, "run_id": "r", "dag": None, "dag_run": run, "params": {"args": None}}
        return pod_operator(self, context, IMAGE | environment), context

    def pod(self, environment: dict[str, str], packages_root: Path | None = None, address: str = "") -> Any:
        """Return the pod Airflow would ask for."""
        operator, context = self.operator(environment, packages_root, address)
        return operator.build_pod_request_obj(context, dry_run=True)


@pytest.mark.parametrize("told_to_stop", [True, False])
def test_task_that_was_told_to_stop_is_no_success(monkeypatch: pytest.MonkeyPatch, told_to_stop: bool) -> None:
    """Airflow tries it again then, as where the node of the task's pod is drained."""
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    def ends(operator: KubernetesPodOperator, _: object) -> str:
        if told_to_stop:
            operator.on_kill()
        return "the end"

    monkeypatch.setattr(KubernetesPodOperator, "execute_sync", ends)
    operator, context = Task().operator({})
    if told_to_stop:
        with pytest.raises(JobFailedError, match="told to stop"):
            operator.execute_sync(context)
    else:
        assert operator.execute_sync(context) == "the end"


def test_pod_that_nobody_watches_any_more_is_ended_after_its_timeout() -> None:
    assert Task().pod({}).spec.active_deadline_seconds is None
    assert Task(execution_timeout=timedelta(minutes=5)).pod({}).spec.active_deadline_seconds == 420


def test_secret_of_the_namespace_becomes_environment() -> None:
    (container,) = Task().pod({"DAGSYNC_JOBS_SECRET": "feeds"}).spec.containers
    assert container.env_from[0].secret_ref.name == "feeds"
    assert not Task().pod({}).spec.containers[0].env_from


VERSION = "0a" * 32


@pytest.mark.parametrize("in_bundle", [True, False])
def test_pod_fetches_the_packages_of_its_run(tmp_path: Path, in_bundle: bool) -> None:
    store = "s3://bucket/packages"
    folder = tmp_path / "versions" / VERSION
    (folder / "packages").mkdir(parents=True)
    (tmp_path / "current").symlink_to(folder)
    pod = (
        Task().pod({}, folder / "packages", store)
        if in_bundle
        else Task().pod({"DAGSYNC_SOURCE": store, "ETL_PACKAGES_ROOT": str(tmp_path / "current")})
    )
    assert pod.spec.containers[0].command == [
        *("dagsync", "run", "--source", store, "--version", VERSION, "--cache", "/tmp/packages"),
        *("sales.load", "--", "--day", "1"),
    ]


def test_pod_runs_the_packages_of_its_image_where_nothing_is_published(tmp_path: Path) -> None:
    folder = tmp_path / "versions" / VERSION / "packages"
    folder.mkdir(parents=True)
    assert Task().pod({}, folder, "/app/packages").spec.containers[0].command[:3] == ["dagsync", "run", "sales.load"]
    assert Task().pod({"ETL_PACKAGES_ROOT": str(tmp_path)}).spec.containers[0].command[:3] == ["dagsync", "run", "sales.load"]
