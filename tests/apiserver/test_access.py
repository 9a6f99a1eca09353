"""RBAC, asked of a real API server: each service account may do what its work needs, and nothing else."""

import time
from collections.abc import Callable

import pytest

from tests.apiserver.cluster import Cluster
from tests.apiserver.conftest import AppliedStack

SCHEDULER = "airflow-scheduler"


def eventually(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Tell whether ``holds`` becomes true: the authorizer sees a new binding a moment after it is made."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def accounts(applied: AppliedStack) -> list[str]:
    return [one["metadata"]["name"] for one in applied.kept("v1", "ServiceAccount")]


def test_no_account_may_do_more_than_one_that_nobody_gave_anything(applied: AppliedStack) -> None:
    """LocalExecutor runs tasks in the scheduler's own pod: no account needs the Kubernetes API."""
    nobody = applied.cluster.rules(applied.namespace, "nobody")
    assert SCHEDULER in accounts(applied)
    for account in accounts(applied):
        assert applied.cluster.rules(applied.namespace, account) == nobody, account


@pytest.mark.parametrize(
    ("verb", "resource"), [("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("create", "pods/exec")]
)
def test_no_account_reads_secrets_or_starts_pods(applied: AppliedStack, verb: str, resource: str) -> None:
    assert [one for one in accounts(applied) if applied.cluster.may(applied.namespace, one, verb, resource)] == []


def test_an_account_that_was_given_too_much_is_noticed(applied: AppliedStack) -> None:
    def reads_secrets() -> bool:
        return applied.cluster.may(applied.namespace, SCHEDULER, "get", "secrets")

    metadata = {"name": "seeded", "namespace": applied.namespace}
    api = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    subjects = [{"kind": "ServiceAccount", "name": SCHEDULER, "namespace": applied.namespace}]
    reference = {"apiGroup": api, "kind": "Role", "name": "seeded"}
    seeded = [{**role, "rules": rules}, {**role, "kind": "RoleBinding", "subjects": subjects, "roleRef": reference}]
    for one in seeded:
        applied.cluster.apply(one)
    try:
        assert eventually(reads_secrets)
        given = applied.cluster.rules(applied.namespace, SCHEDULER)
        assert given != applied.cluster.rules(applied.namespace, "nobody")
    finally:
        for one in seeded:
            applied.cluster.delete(one)
    assert eventually(lambda: not reads_secrets())


def test_no_pod_carries_a_token_of_the_kubernetes_api(applied: AppliedStack) -> None:
    mounting = {
        one["metadata"]["name"] for one in applied.kept("v1", "ServiceAccount") if one.get("automountServiceAccountToken", True)
    }
    for workload in applied.workloads():
        spec = workload["spec"]["template"]["spec"]
        account = spec.get("serviceAccountName", "default")
        assert spec.get("automountServiceAccountToken", account in mounting) is False, workload["metadata"]["name"]


def test_the_administrator_may_do_what_the_accounts_may_not(cluster: Cluster) -> None:
    """Without this, a server that refuses everybody would pass."""
    assert cluster.administrator_may("get", "secrets", "default")
