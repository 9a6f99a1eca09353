"""AWS refuses requests in the middle of an ``up``; the next ones end where one would have, with nothing made twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest
from pulumi import automation as auto

from components.airflow_image import lifecycle
from components.dag_bucket import DagBucket, DagBucketArgs
from components.log_bucket import LogBucket, LogBucketArgs
from components.policies import allowing, read_secret
from components.secret_mirror import SecretMirror, SecretMirrorArgs
from components.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from doubles.aws_live.account import Account
from doubles.aws_live.provider import SERVICES
from tests.engine.account_contents import AccountContents
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack

MOST_ATTEMPTS = 30
LATE = frozenset({"CreateRole", "GetSecretValue", "PutRolePolicy"})
"""Operations that a stack needs more often than three times."""


@contextmanager
def throttled(account: Account, refuses: Callable[[str, int], bool]) -> Iterator[list[str]]:
    """Refuse requests by operation and the number of times it has been asked; yield the operations that were, as they come."""
    refused: list[str] = []
    asked: Counter[str] = Counter()

    def answer(model: Any, **_: object) -> Any:
        asked[model.name] += 1
        if not refuses(model.name, asked[model.name]):
            return None
        refused.append(model.name)
        return SimpleNamespace(status_code=400), {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}

    events = [account.client(service).meta.events for service in SERVICES]
    for each in events:
        each.register("before-call", answer)
    yield refused
    for each in events:
        each.unregister("before-call", answer)


def platform() -> None:
    """Declare something of every service."""
    provider = aws.Provider("aws", region="eu-west-1", default_tags=aws.ProviderDefaultTagsArgs(tags={"stack": "dev"}))
    opts = pulumi.ResourceOptions(providers=[provider])
    LogBucket("task-logs", LogBucketArgs(retention_days=30), opts=opts)
    DagBucket("packages", DagBucketArgs(), opts=opts)
    password = random.RandomPassword("password", length=24)
    contents = {purpose: {"password": password.result} for purpose in ("admin", "database")}
    mirror = SecretMirror("airflow", SecretMirrorArgs(contents=contents, recovery_window_days=0), opts=opts)
    for purpose, copy in mirror.copies.items():
        reads = copy.arn.apply(lambda arn: allowing(read_secret(arn)))
        identity = WorkloadIdentityArgs(cluster_name="airflow", namespace="airflow", service_account=purpose, policy=reads)
        WorkloadIdentity(purpose, identity, opts=opts)
    repository = aws.ecr.Repository("airflow", opts=pulumi.ResourceOptions(provider=provider))
    aws.ecr.LifecyclePolicy(
        "airflow", repository=repository.name, policy=lifecycle(3), opts=pulumi.ResourceOptions(provider=provider)
    )


def up_until_it_passes(stack: DrivenStack) -> list[str]:
    """Return why attempts failed."""
    reasons: list[str] = []
    for _ in range(MOST_ATTEMPTS):
        try:
            stack.up()
        except auto.CommandError as error:
            reasons.append(str(error))
        else:
            return reasons
    pytest.fail(f"no end after {MOST_ATTEMPTS} attempts, the last: {reasons[-1]}")


def test_where_every_operation_is_refused_once_nothing_is_made_twice(drive: Drive) -> None:
    stack = drive("dev", platform)
    account = stack.cloud.account
    with throttled(account, lambda operation, time: time == 1) as refused:
        reasons = up_until_it_passes(stack)
    assert len(reasons) > 1
    assert [reason for reason in reasons if "Rate exceeded" not in reason] == []
    assert {"CreateBucket", "HeadBucket", "PutBucketTagging", "GetRole", "CreateSecret", "GetLifecyclePolicy"} <= set(refused)

    made = AccountContents.of(account)
    assert made.counts() == {"buckets": 2, "roles": 2, "repositories": 1, "secrets": 2}
    assert {bucket.tags["stack"] for bucket in made.buckets.values()} == {"dev"}
    assert stack.preview() == {}
    assert stack.refresh() == {}
    stack.destroy()
    assert AccountContents.of(account).counts() == {}


def test_a_stack_whose_up_fails_at_several_third_requests_is_whole_in_the_end(drive: Drive) -> None:
    stack = drive("dev")
    stack.configure("secrets", {"mirror": True})
    stack.configure("dags.source", "s3")
    with throttled(stack.cloud.account, lambda operation, time: operation in LATE and time == 3) as refused:
        assert up_until_it_passes(stack)
    assert set(refused) == LATE
    whole = {"buckets": 2, "roles": 7, "repositories": 1, "secrets": 5}
    assert AccountContents.of(stack.cloud.account).counts() == whole
    assert stack.preview() == {}
    assert stack.refresh() == {}
