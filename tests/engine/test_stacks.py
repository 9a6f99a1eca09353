"""Every stack lives through the real engine: plans, order, replacement, protection, secrets at rest, an end without remains."""

import pytest
from syrupy.assertion import SnapshotAssertion

from doubles.provider import Call
from tests.engine.conftest import Drive
from tests.engine.leaks import leaks
from tests.engine.lifecycle import KEPT, STATEFUL, Lifecycle
from tests.engine.resource_graph import GraphSnapshot, resource_graph

JOB = "kubernetes:batch/v1:Job"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVER = "kubernetes:apps/v1:StatefulSet"


@pytest.fixture(scope="module", params=["local", "dev", "prod"])
def life(request: pytest.FixtureRequest, drive: Drive) -> Lifecycle:
    """Return a whole life of one stack: the engine takes a few seconds a step, so its facts are gathered once."""
    lifecycle = Lifecycle(drive(request.param))
    lifecycle.run()
    return lifecycle


def test_the_resources_are_those_that_were_reviewed(life: Lifecycle, snapshot: SnapshotAssertion) -> None:
    graph = "".join(f"{line}\n" for line in resource_graph(life.resources))
    assert graph == snapshot(extension_class=GraphSnapshot)


def positions(calls: list[Call], verb: str, token: str) -> list[int]:
    found = [index for index, call in enumerate(calls) if call.verb == verb and call.type == token]
    assert found, f"no {verb} of {token}"
    return found


def following(life: Lifecycle, calls: list[Call], verb: str) -> list[int]:
    """Return when Deployments are made or changed that migrations come before.

    Beside a server of ours, the other two wait for its schema themselves, and replace no pod before the new one is ready.
    """
    wait = {"airflow-api-server", "airflow-triggerer"} if life.stack.name == "local" else set[str]()
    return [index for index in positions(calls, verb, DEPLOYMENT) if calls[index].name not in wait]


def test_a_first_preview_only_creates(life: Lifecycle) -> None:
    assert set(life.planned) == {"create"}


def test_up_makes_what_the_preview_said(life: Lifecycle) -> None:
    assert {call.verb for call in life.made} == {"create"}
    assert life.changed == life.planned


def test_a_preview_of_an_unchanged_stack_changes_nothing(life: Lifecycle) -> None:
    assert life.replanned == {}


def test_an_ordinary_setting_changes_something_and_replaces_nothing_that_holds_data(life: Lifecycle) -> None:
    assert life.retuned
    assert [call for call in life.retuned if call.verb != "update" and call.type.startswith(KEPT)] == []


def test_a_new_image_replaces_nothing_that_holds_data(life: Lifecycle) -> None:
    assert [call for call in life.reimaged if call.verb != "update" and call.type.startswith(KEPT)] == []


def test_no_change_takes_a_workload_down(life: Lifecycle) -> None:
    """A Deployment that is deleted and made again is an outage, and its tasks are killed."""
    deleted = {call.type for call in [*life.retuned, *life.reimaged] if call.verb == "delete"}
    assert deleted <= {JOB, "kubernetes:core/v1:ConfigMap"}


def test_the_database_is_migrated_before_workloads_exist(life: Lifecycle) -> None:
    (migration,) = positions(life.made, "create", JOB)
    after = following(life, life.made, "create")
    assert len(after) >= 2
    assert migration < min(after)


def test_a_database_of_the_account_exists_before_it_is_migrated_and_one_of_ours_before_what_does_not_wait(
    life: Lifecycle,
) -> None:
    if life.stack.name == "local":
        assert max(positions(life.made, "create", SERVER)) < min(following(life, life.made, "create"))
    else:
        assert max(positions(life.made, "create", "aws:rds/instance:Instance")) < min(positions(life.made, "create", JOB))


def test_a_pod_is_made_after_the_cloud_identity_it_runs_with(life: Lifecycle) -> None:
    """EKS injects credentials when a pod is made; one made before its binding never gets any."""
    bindings = [index for index, call in enumerate(life.made) if "podIdentityAssociation" in call.type]
    assert bool(bindings) == (life.stack.name != "local")
    assert all(binding < min(positions(life.made, "create", DEPLOYMENT)) for binding in bindings)


def test_a_new_image_migrates_anew_and_only_then_reaches_workloads_that_stop_before_they_start(life: Lifecycle) -> None:
    (gone,) = positions(life.reimaged, "delete", JOB)
    (migration,) = positions(life.reimaged, "create", JOB)
    assert gone < migration < min(following(life, life.reimaged, "update"))
    assert len(positions(life.reimaged, "update", DEPLOYMENT)) == len(positions(life.made, "create", DEPLOYMENT))


def test_no_resource_is_made_by_an_aws_provider_that_nobody_configured(life: Lifecycle) -> None:
    """A default provider has the region of its environment and none of the stack's tags."""
    assert [r["urn"] for r in life.resources if "pulumi:providers:aws::default" in r["urn"]] == []


def test_nothing_the_engine_stores_or_prints_holds_a_secret_in_plain_text(life: Lifecycle) -> None:
    assert life.stack.cloud.generated
    assert leaks(life.texts, life.stack.cloud.generated) == []


def test_destroy_leaves_nothing(life: Lifecycle) -> None:
    assert life.stack.cloud.live == {}
    assert life.stack.resources() == []
    assert life.left is not None
    assert life.left.counts() == {}


def test_prod_refuses_to_be_destroyed_and_stays_whole(life: Lifecycle) -> None:
    if life.stack.name == "prod":
        assert "protected" in life.refusal
        assert life.calls_of_refused_destroy == []
        assert life.filled is not None
        assert life.kept == life.filled
        assert all(bucket.objects for bucket in life.filled.buckets.values())
    else:
        assert not any(resource.get("protect") for resource in life.resources)


def test_in_prod_whatever_holds_data_is_protected_and_retained(life: Lifecycle) -> None:
    holding = [resource for resource in life.resources if resource["type"].startswith(STATEFUL)]
    kept = {resource["urn"]: (resource.get("protect", False), resource.get("retainOnDelete", False)) for resource in holding}
    assert holding
    expected = life.stack.name == "prod"
    assert {urn: flags for urn, flags in kept.items() if flags != (expected, expected)} == {}
