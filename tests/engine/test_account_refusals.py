"""What the account does not let go of, and what the double does not pretend to make."""

from collections.abc import Callable

import pulumi_aws as aws
import pytest
from pulumi import automation as auto

from components.dag_bucket import DagBucket, DagBucketArgs
from components.policies import allowing, node_trust, read_secret
from tests.engine.account_contents import AccountContents
from tests.engine.account_data import fill
from tests.engine.conftest import Drive


def test_what_is_in_use_is_not_deleted_unless_that_was_said_and_goes_once_it_is_free(drive: Drive) -> None:
    def program() -> None:
        aws.s3.Bucket("data", bucket="data-of-somebody")
        aws.iam.Role("worker", name="worker", assume_role_policy=node_trust())
        aws.ecr.Repository("images", name="images")

    stack = drive("dev", program)
    account = stack.cloud.account
    s3, iam, ecr = (account.client(service) for service in ("s3", "iam", "ecr"))
    stack.up()
    fill(account)
    iam.put_role_policy(RoleName="worker", PolicyName="by-hand", PolicyDocument=allowing(read_secret("*")))
    with pytest.raises(auto.CommandError) as refused:
        stack.destroy()
    assert "BucketNotEmpty" in str(refused.value)
    assert "DeleteConflict" in str(refused.value)
    assert "RepositoryNotEmptyException" in str(refused.value)
    assert AccountContents.of(account).counts() == {"buckets": 1, "roles": 1, "repositories": 1}

    s3.delete_object(Bucket="data-of-somebody", Key="kept/by-somebody")
    iam.delete_role_policy(RoleName="worker", PolicyName="by-hand")
    ecr.batch_delete_image(repositoryName="images", imageIds=[{"imageTag": "pushed"}])
    stack.destroy()
    assert AccountContents.of(account).counts() == {}


def test_a_secret_with_a_recovery_window_keeps_its_name_until_that_is_over(drive: Drive) -> None:
    def program() -> None:
        aws.secretsmanager.Secret("key", name="key", recovery_window_in_days=7)

    stack = drive("dev", program)
    stack.up()
    stack.destroy()
    (left,) = AccountContents.of(stack.cloud.account).secrets.values()
    assert left.deleted
    with pytest.raises(auto.CommandError, match="ResourceExistsException"):
        stack.up()


def test_a_protected_bucket_outlives_its_stack_with_its_objects_and_all_that_guards_it(drive: Drive) -> None:
    stack = drive("dev", lambda: DagBucket("packages", DagBucketArgs(protect=True)) and None)
    account = stack.cloud.account
    stack.up()
    fill(account)
    before = AccountContents.of(account)
    with pytest.raises(auto.CommandError, match="protected"):
        stack.destroy()
    stack.command("state", "unprotect", "--all", "--yes")
    stack.destroy()
    assert stack.resources() == []
    assert AccountContents.of(account) == before


@pytest.mark.parametrize(
    ("declare", "reason"),
    [
        (lambda: aws.iam.User("somebody"), "aws:iam/user:User is not made on the server"),
        (lambda: aws.s3.BucketObject("file", bucket="b", content="c"), "BucketObject is not made on the server"),
        (lambda: aws.ecr.RepositoryPolicy("r", repository="r", policy="{}"), "RepositoryPolicy is not made on the server"),
        (lambda: aws.secretsmanager.SecretRotation("r", secret_id="s"), "SecretRotation is not made on the server"),
        (lambda: aws.iam.Role("r", assume_role_policy=node_trust(), permissions_boundary="b"), "would not be carried out"),
        (lambda: aws.s3.get_object(bucket="b", key="k"), "getObject has no answer from the server"),
    ],
)
def test_what_nothing_carries_out_stops_the_preview(drive: Drive, declare: Callable[[], object], reason: str) -> None:
    def program() -> None:
        declare()

    with pytest.raises(auto.CommandError, match=reason):
        drive("dev", program).preview()
