"""When an object counts as ready, and what annotations ask: as pulumi-kubernetes decides it."""

from typing import Any

import pytest

from doubles.live.annotations import AnnotationError, Asked
from doubles.live.readiness import has_endpoint, needs_endpoints, readiness


def deployment(**status: Any) -> dict[str, Any]:
    counts = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    available = [{"type": "Available", "status": "True"}]
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "generation": 2},
        "spec": {"replicas": 1},
        "status": {"conditions": available, **counts, **status},
    }


def job(condition: str) -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True", "message": "BackoffLimitExceeded"}]
    return {"kind": "Job", "metadata": {"name": "j"}, "spec": {}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        ({"observedGeneration": 1}, "not seen the change"),
        ({"updatedReplicas": 0}, "0 of 1 pods are new"),
        ({"replicas": 2}, "1 old pods are still there"),
        ({"availableReplicas": 0}, "0 of 1 pods are available"),
    ],
)
def test_a_deployment_is_ready_only_when_all_its_pods_are_new_and_available(status: dict[str, Any], missing: str) -> None:
    assert readiness(deployment()).ready
    verdict = readiness(deployment(**status))
    assert not verdict.ready
    assert missing in verdict.message


def test_a_deployment_past_its_progress_deadline_has_failed() -> None:
    progressing = {"type": "Progressing", "status": "False", "message": "exceeded its progress deadline"}
    verdict = readiness(deployment(conditions=[progressing]))
    assert verdict.failed
    assert "progress deadline" in verdict.message


def test_a_job_is_ready_when_complete_and_fails_with_its_own_reason() -> None:
    assert readiness(job("Complete")).ready
    failed = readiness(job("Failed"))
    assert failed.failed
    assert "BackoffLimitExceeded" in failed.message


def test_a_service_waits_for_an_endpoint_that_is_ready_if_it_selects_pods() -> None:
    assert needs_endpoints({"spec": {"selector": {"app": "a"}}})
    assert not needs_endpoints({"spec": {}})
    assert not has_endpoint([{"endpoints": [{"conditions": {"ready": False}}]}])
    assert has_endpoint([{"endpoints": [{"conditions": {"ready": True}}]}])


def asked(**annotations: str) -> Asked:
    return Asked.of({"metadata": {"annotations": {f"pulumi.com/{key}": value for key, value in annotations.items()}}})


def test_annotations_say_how_long_and_for_what_to_wait() -> None:
    wanted = asked(waitFor="jsonpath={.status.phase}=Running", timeoutSeconds="5", deletionPropagationPolicy="background")
    (condition,) = wanted.wait_for
    assert condition.holds({"status": {"phase": "Running"}})
    assert not condition.holds({"status": {"phase": "Pending"}})
    assert wanted.deadline_seconds(60) == 5
    assert wanted.propagation == "Background"
    assert asked().deadline_seconds(60) == 60


@pytest.mark.parametrize(
    "wrong", [{"skipAwait": "yes"}, {"timeoutSeconds": "5m"}, {"waitFor": "ready"}, {"deletionPropagationPolicy": "later"}]
)
def test_an_annotation_that_means_nothing_is_refused_with_what_is_allowed(wrong: dict[str, str]) -> None:
    with pytest.raises(AnnotationError, match="allowed"):
        asked(**wrong)
