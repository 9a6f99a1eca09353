"""What is mirrored to Secrets Manager is what the Secrets hold, follows a rotation, and is in plain text nowhere else."""

import json
from typing import Any

from tests.engine.account_contents import AccountContents, logical
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.leaks import leaks

EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
SECRET = "aws:secretsmanager/secret:Secret"


def mirrored(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    """Return what the account has for the current value of each copy, by the names in the program."""
    secrets = AccountContents.of(stack.cloud.account).secrets
    return {name: json.loads(secret.value or "null") for name, secret in secrets.items()}


def delivered(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    found = stack.cloud.of_type("kubernetes:core/v1:Secret").values()
    return {one["metadata"]["name"]: dict(one["stringData"]) for one in found}


def extracted(stack: DrivenStack) -> dict[str, dict[str, Any]]:
    """Return what the operator would find where the ExternalSecrets send it, by the names in the program."""
    manager, found = stack.cloud.account.client("secretsmanager"), dict[str, dict[str, Any]]()
    for one in stack.cloud.of_type(EXTERNAL).values():
        extract = one["spec"]["dataFrom"][0]["extract"]
        version = extract["version"].removeprefix("uuid/")
        told = manager.get_secret_value(SecretId=extract["key"], VersionId=version)
        found[logical(told["Name"])] = json.loads(told["SecretString"])
    return found


def test_external_secrets_name_a_version_and_no_secret_is_made_by_pulumi(drive: Drive) -> None:
    stack = drive("dev")
    stack.configure("cluster.identity", "irsa")
    external = {"mirror": True, "source": "external"}
    stack.configure("secrets", external)
    stack.up()
    assert stack.cloud.of_type("kubernetes:core/v1:Secret") == {}
    before = set(stack.cloud.of_type(EXTERNAL))
    assert len(before) == 5
    assert extracted(stack) == mirrored(stack)
    assert len(mirrored(stack)) == 5

    stack.configure("secrets", {**external, "fernet": {"generation": 2}})
    calls = len(stack.cloud.calls)
    stack.up()
    (gone,), (new,) = before - set(stack.cloud.of_type(EXTERNAL)), set(stack.cloud.of_type(EXTERNAL)) - before
    made = [(call.verb, call.type) for call in stack.cloud.calls[calls:]]
    rolled = [index for index, call in enumerate(made) if call == ("update", "kubernetes:apps/v1:Deployment")]
    assert made.index(("create", EXTERNAL)) < min(rolled)
    assert max(rolled) < made.index(("delete", EXTERNAL)), "pods that have not rolled still read the old one"
    pods = json.dumps([dict(one) for one in stack.cloud.of_type("kubernetes:apps/v1:Deployment").values()])
    assert new.rpartition("/")[2] in pods
    assert gone.rpartition("/")[2] not in pods
    assert stack.preview() == {}
    assert leaks(stack.stored_text(), stack.cloud.generated) == []
    stack.destroy()
    assert stack.cloud.live == {}


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
