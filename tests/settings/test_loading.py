"""What a stack file may say, and what it is told when it may not."""

import json

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import SettingsError, load_settings

LOCAL = {"airflow-control-plane:image": json.dumps({"reference": "registry.example.com/airflow:1"})}
EKS = {"airflow-control-plane:platform": "eks", "aws:region": "eu-west-1"}


def refused(values: dict[str, str], stack: str = "test") -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(values, stack=stack)
    return str(caught.value)


def section(name: str, **values: object) -> dict[str, str]:
    return {f"airflow-control-plane:{name}": json.dumps(values)}


def test_an_error_prints_without_a_traceback():
    """Pulumi prints the text of a RunError alone."""
    assert issubclass(SettingsError, pulumi.RunError)


def test_all_problems_are_told_at_once():
    text = refused(
        EKS
        | section("airflow", paralelism=3, scheduler={"cpu": "abc"})
        | section("nework", zones=2)
        | section("image", reference="airflow:latest")
        | {"airflow-control-plan:tags": "{}"}
    )
    assert "5 problems" in text
    for key in ("airflow.paralelism", "airflow.scheduler.cpu", "nework", "image.reference", "airflow-control-plan:tags"):
        assert f"\n  {key}: " in text


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        (section("airflow", paralelism=3), "airflow.parallelism"),
        (section("airflow", scheduler={"replica": 2}), "airflow.scheduler.replicas"),
        (section("databse", multiAz=True), "database"),
        (section("database", multiAZ=True), "database.multiAz"),
    ],
)
def test_an_unknown_key_is_answered_with_the_one_that_was_meant(values: dict[str, str], meant: str):
    assert f"did you mean {meant}?" in refused(LOCAL | values)


@pytest.mark.parametrize(
    ("values", "key", "value", "fix"),
    [
        (section("network", nat="dual"), "network.nat", "'dual'", "network.nat single"),
        (section("airflow", parallelism="many"), "airflow.parallelism", "'many'", "airflow.parallelism 8"),
        (section("airflow", scheduler={"memory": "2GB"}), "airflow.scheduler.memory", "'2GB'", "airflow.scheduler.memory 1Gi"),
        (section("dags", delivery="cron"), "dags.delivery", "'cron'", "dags.delivery sidecar"),
        ({"airflow-control-plane:protect": "maybe"}, "protect", "'maybe'", "protect false"),
        ({"airflow-control-plane:platform": "gke"}, "platform", "'gke'", "platform kubernetes"),
    ],
)
def test_a_wrong_value_is_told_with_key_value_and_a_command_that_mends_it(
    values: dict[str, str], key: str, value: str, fix: str
):
    text = refused(LOCAL | values)
    assert f"{key}: {value}; allowed: " in text
    assert fix in text.partition("fix: pulumi config set --path ")[2]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "image.reference: not set"),
        ({"airflow-control-plane:platform": "eks"}, "aws:region: not set"),
        (section("image", reference="airflow"), "image.reference: 'airflow'"),
        (LOCAL | section("airflow", dagProcessor={"replicas": 2}), "airflow.dagProcessor.replicas: 2"),
        (LOCAL | section("airflow", scheduler={"replicas": 2}), "airflow.scheduler.replicas: 2"),
        (LOCAL | section("dags", source="s3"), "dags.url: not set"),
        (LOCAL | section("dags", url="s3://bucket/packages"), "dags.url: 's3://bucket/packages'"),
        (LOCAL | section("dags", credentialsSecret="s3"), "dags.credentialsSecret: 's3'"),
        (LOCAL | section("logs", endpointUrl="http://minio:9000"), "logs.endpointUrl: 'http://minio:9000'"),
        (EKS | section("dags", source="s3", url="s3://bucket/packages"), "dags.url: 's3://bucket/packages'"),
        (EKS | section("logs", url="s3://bucket/logs"), "logs.url: 's3://bucket/logs'"),
        (
            LOCAL
            | section("dags", source="s3", delivery="bundle", url="s3://bucket/packages", endpointUrl="http://minio:9000")
            | section("logs", url="s3://bucket/logs"),
            "logs.endpointUrl: not set",
        ),
        (LOCAL | section("jobs", namespace="airflow"), "jobs.namespace: 'airflow'"),
        (LOCAL | section("database", multiAz=True), "database.multiAz: true"),
        (LOCAL | section("database", storageGib=500), "database.maxStorageGib: 100"),
        (
            EKS | {"airflow-control-plane:protect": "true"} | section("database", backupRetentionDays=0),
            "database.backupRetentionDays: 0",
        ),
        (
            EKS | section("cluster", endpoint="private", publicAccessCidrs=["192.0.2.0/24"]),
            "cluster.publicAccessCidrs: ['192.0.2.0/24']",
        ),
        (EKS | section("network", cidr="10.0.0.0/24"), "network.cidr: '10.0.0.0/24'"),
    ],
)
def test_a_combination_that_cannot_work_is_refused_with_its_reason_and_fix(values: dict[str, str], told: str):
    text = refused(values)
    assert "1 problem:" in text
    assert f"\n  {told}; " in text
    assert "\n      fix: " in text


@pytest.mark.parametrize(
    "airflow",
    [
        {"scheduler": {"replicas": 2}, "executor": "KubernetesExecutor"},
        {"scheduler": {"replicas": 2}},
    ],
)
def test_several_schedulers_need_logs_that_none_of_them_serves(airflow: dict[str, object]):
    logs = {} if "executor" in airflow else section("logs", url="s3://bucket/logs")
    assert load_settings(LOCAL | section("airflow", **airflow) | logs, stack="test").airflow.scheduler.replicas == 2


@pytest.mark.parametrize(
    ("source", "delivery", "seconds", "waits_for"),
    [
        ("image", "init", 30, "rollout"),
        ("image", "sidecar", 30, "rollout"),
        ("image", "bundle", 30, "rollout"),
        ("s3", "init", 30, "rollout"),
        ("s3", "sidecar", 40, "publish"),
        ("s3", "bundle", 30, "publish"),
    ],
)
def test_how_long_a_new_job_takes_to_be_seen(source: str, delivery: str, seconds: int, waits_for: str):
    url = {"url": "s3://bucket/packages"} if source == "s3" else {}
    dags = load_settings(LOCAL | section("dags", source=source, delivery=delivery, **url), stack="test").dags
    assert (dags.worst_case_seconds(), dags.visible_after()) == (seconds, waits_for)


def test_a_stack_that_says_nothing_more_than_it_must_gets_the_defaults():
    settings = load_settings(LOCAL, stack="test")
    assert (settings.platform, settings.namespace, settings.airflow.executor) == ("kubernetes", "airflow", "LocalExecutor")


def test_naming_one_key_of_a_section_keeps_the_section_s_other_defaults():
    """The scheduler's default memory is more than a component's in general."""
    settings = load_settings(LOCAL | section("airflow", scheduler={"cpu": "1"}), stack="test")
    assert (settings.airflow.scheduler.cpu, settings.airflow.scheduler.memory) == ("1", "2Gi")


def test_settings_cannot_be_changed_once_read():
    settings = load_settings(LOCAL, stack="test")
    with pytest.raises(ValueError, match="frozen"):
        settings.namespace = "other"


def test_an_image_is_pinned_by_digest_or_by_tag():
    digest = "registry.example.com:5000/airflow@sha256:" + "0" * 64
    for reference in (digest, "registry.example.com:5000/airflow:1.2.3", "airflow:local"):
        assert load_settings(section("image", reference=reference), stack="test").image.reference == reference
    # The port is no tag.
    assert "image.reference: 'registry" in refused(section("image", reference="registry.example.com:5000/airflow"))


NAMES = st.sampled_from(["airflow", "database", "dags", "image", "network", "tags", "protect", "namespace", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_is_configured_ends_in_settings_or_in_one_error(values: dict[str, object]):
    given = {f"airflow-control-plane:{key}": json.dumps(value) for key, value in values.items()}
    try:
        load_settings(given, stack="test")
    except SettingsError as error:
        assert "cannot be used" in str(error)  # noqa: PT017 - any other exception fails the test
