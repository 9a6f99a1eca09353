"""RBAC, asked of a real API server: each service account may do what its work needs, and nothing else."""

import time
from collections.abc import Callable

import pytest

from tests.apiserver.cluster import Cluster
from tests.apiserver.conftest import AppliedStack

SCHEDULER, API_SERVER, TASK = "airflow-scheduler", "airflow-api-server", "airflow-task"
VERBS = ("create", "get", "list", "watch", "patch", "delete")
RESOURCES = ("pods", "pods/log", "pods/exec", "events", "secrets", "configmaps", "serviceaccounts/token")

EXECUTOR = {("pods", verb) for verb in ("create", "get", "list", "watch", "patch", "delete")} | {("pods/log", "get")}
LOG_READER = {("pods", "get"), ("pods", "list"), ("pods/log", "get")}
JOB_RUNNER = {("pods", verb) for verb in ("create", "get", "list", "patch", "delete")} | {
    ("pods/log", "get"),
    ("events", "list"),
}


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


def allowed(applied: AppliedStack, account: str, where: str) -> set[tuple[str, str]]:
    """Return everything of the table that ``account``, of Airflow's namespace, may do in the namespace ``where``."""
    return {
        (resource, verb)
        for resource in RESOURCES
        for verb in VERBS
        if applied.cluster.may(applied.namespace, account, verb, resource, where=where)
    }


def expected(applied: AppliedStack) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return account and namespace to what it may do there."""
    if applied.task_pod() is None:
        return {(SCHEDULER, applied.jobs_namespace): JOB_RUNNER}
    return {
        (SCHEDULER, applied.namespace): EXECUTOR,
        (API_SERVER, applied.namespace): LOG_READER,
        (TASK, applied.jobs_namespace): JOB_RUNNER,
    }


def test_each_account_may_do_what_its_work_needs_and_nothing_else(applied: AppliedStack) -> None:
    table = expected(applied)
    # The last of the bindings that the fixture made may not have reached the authorizer yet.
    for (account, where), needed in table.items():
        assert eventually(lambda account=account, where=where, needed=needed: allowed(applied, account, where) == needed)
    for account in accounts(applied):
        for where in (applied.namespace, applied.jobs_namespace):
            assert allowed(applied, account, where) == table.get((account, where), set()), f"{account} in {where}"


def test_no_account_may_do_anything_outside_the_table(applied: AppliedStack) -> None:
    """Rules on resources that the table does not name, on groups of the API beside the core, on paths."""
    nobody = applied.cluster.rules(applied.namespace, "nobody")
    given = {account for account, where in expected(applied) if where == applied.namespace}
    for account in accounts(applied):
        rules = applied.cluster.rules(applied.namespace, account) - nobody
        assert bool(rules) is (account in given), account
        assert all('"pods"' in rule or '"pods/log"' in rule for rule in rules), account


def test_pods_of_jobs_may_do_nothing(applied: AppliedStack) -> None:
    nobody = applied.cluster.rules(applied.jobs_namespace, "nobody")
    assert applied.cluster.rules(applied.jobs_namespace, "etl-jobs") == nobody


def test_an_account_that_was_given_too_much_is_noticed(applied: AppliedStack) -> None:
    def reads_secrets() -> bool:
        return ("secrets", "get") in allowed(applied, SCHEDULER, applied.namespace)

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
    finally:
        for one in seeded:
            applied.cluster.delete(one)
    assert eventually(lambda: not reads_secrets())


def test_a_token_of_the_kubernetes_api_is_only_where_the_account_may_use_it(applied: AppliedStack) -> None:
    callers = {account for account, _ in expected(applied)}
    for one in applied.kept("v1", "ServiceAccount"):
        assert one["metadata"]["name"] == "default" or one["automountServiceAccountToken"] is False, one["metadata"]["name"]
    for template in applied.templates():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, spec["serviceAccountName"]
        tokens = [volume["name"] for volume in spec.get("volumes", []) if "serviceAccountToken" in str(volume.get("projected"))]
        mounting = [
            container["name"]
            for container in [*spec.get("initContainers", []), *spec["containers"]]
            for mount in container.get("volumeMounts", [])
            if mount["name"] in tokens
        ]
        main = [spec["containers"][0]["name"]]
        assert mounting == (main if spec["serviceAccountName"] in callers else []), spec["serviceAccountName"]


def test_the_administrator_may_do_what_the_accounts_may_not(cluster: Cluster) -> None:
    """Without this, a server that refuses everybody would pass."""
    assert cluster.administrator_may("get", "secrets", "default")


@pytest.mark.parametrize("account", [SCHEDULER, TASK])
def test_nobody_is_let_in_by_a_name_from_another_namespace(applied: AppliedStack, account: str) -> None:
    for where in (applied.namespace, applied.jobs_namespace):
        assert not applied.cluster.may("default", account, "create", "pods", where=where)
