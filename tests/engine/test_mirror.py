"""What is mirrored to Secrets Manager is what the Secrets hold, follows a rotation, and is in plain text nowhere else."""

import json
from typing import Any

from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.leaks import leaks

SECRET, VERSION = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"


def mirrored(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    """Return what the copies hold by the logical names of their secrets."""
    return {name.rpartition("-")[0]: json.loads(one["secretString"]) for name, one in versions(stack).items()}


def versions(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    return {str(one["secretId"]): dict(one) for one in stack.cloud.of_type(VERSION).values()}


def delivered(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    found = stack.cloud.of_type("kubernetes:core/v1:Secret").values()
    return {one["metadata"]["name"]: dict(one["stringData"]) for one in found}


def test_the_mirror_holds_what_the_pods_are_given_and_follows_a_rotation(drive: Drive) -> None:
    stack = drive("dev")
    stack.configure("secrets", {"mirror": True})
    stack.up()
    assert set(mirrored(stack)) == {
        f"airflow-{name}" for name in ("fernet-key", "api-secret-key", "jwt-keys", "database", "admin")
    }
    assert mirrored(stack) == delivered(stack)
    kept = set(stack.cloud.of_type(SECRET))

    stack.configure("secrets", {"mirror": True, "fernet": {"generation": 2}})
    stack.up()
    assert mirrored(stack) == delivered(stack)
    assert set(stack.cloud.of_type(SECRET)) == kept, "a new version of the same secret"
    assert stack.preview() == {}
    assert leaks(stack.stored_text(), stack.cloud.generated) == []
    stack.destroy()
    assert stack.cloud.live == {}
