"""Generations of keys: what the pods of a stack are given, and what encrypts anew."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from components.key_generations import Generations
from tests.components.conftest import plain
from tests.components.variants import eks, kubernetes


def given(stack: Any, secret: str) -> dict[str, str]:
    return stack.only("Secret", f"airflow-{secret}")["stringData"]


def fernet_keys(stack: Any) -> list[str]:
    return given(stack, "fernet-key")["AIRFLOW__CORE__FERNET_KEY"].split(",")


def accepted_ids(stack: Any) -> list[str]:
    return [key["kid"] for key in json.loads(given(stack, "jwt-keys")["jwks.json"])["keys"]]


def checksums(stack: Any) -> dict[str, str]:
    key = "airflow-control-plane/secrets-checksum"
    pods = {name: template["metadata"].get("annotations") or {} for name, template in stack.pods().items()}
    return {name: annotations[key] for name, annotations in pods.items() if key in annotations}


@pytest.mark.parametrize(
    ("generations", "accepted"),
    [
        (Generations(), [1]),
        (Generations(newest=2), [1, 2]),
        (Generations(current=2), [2, 1]),
        (Generations(current=3), [3, 2, 1]),
        (Generations(current=3, oldest=2, newest=4), [3, 4, 2]),
        (Generations(current=3, oldest=3), [3]),
    ],
)
def test_the_current_generation_comes_first_and_the_dropped_ones_are_not_accepted(
    generations: Generations, accepted: list[int]
):
    assert generations.accepted() == accepted
    assert set(accepted) <= set(generations.made())
    assert generations.made()[0] == 1, "a dropped key can be taken back"


def test_a_new_fernet_key_comes_before_the_old_one(deploy: Any):
    (old,) = fernet_keys(deploy("local", kubernetes()))
    new, kept = fernet_keys(deploy("local", kubernetes(secrets={"fernet": {"generation": 2}})))
    assert (kept, new != old) == (old, True)
    assert fernet_keys(deploy("local", kubernetes(secrets={"fernet": {"generation": 2, "oldest": 2}}))) == [new]
    assert fernet_keys(deploy("local", kubernetes(secrets={"fernet": {"newest": 2}}))) == [old, new]


def test_what_is_stored_is_encrypted_anew_when_every_pod_has_the_new_key(deploy: Any):
    stack = deploy("local", kubernetes(secrets={"fernet": {"generation": 3}}))
    (job,) = [one for one in stack.all("Job") if "rotate" in one.name]
    assert job.inputs["metadata"]["name"] == "airflow-rotate-fernet-key-3"
    assert {one.urn for one in stack.all("Deployment")} <= set(job.dependencies)
    spec = stack.pods()["airflow-rotate-fernet-key-3"]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["dumb-init", "--", "airflow", "rotate-fernet-key"]
    secrets = [source["secretRef"]["name"] for source in container["envFrom"] if "secretRef" in source]
    assert secrets == ["airflow-fernet-key", "airflow-database"]


def test_its_pod_may_reach_the_database_as_the_migration_s(deploy: Any):
    stack = deploy("local", kubernetes(secrets={"fernet": {"generation": 2}}))
    template = stack.pods()["airflow-rotate-fernet-key-2"]
    selected = stack.only("NetworkPolicy", "airflow-migrations")["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= template["metadata"]["labels"].items()
    assert template["spec"]["serviceAccountName"] == "airflow-migrations"


@pytest.mark.parametrize("secrets", [{}, {"fernet": {"newest": 2}}, {"jwt": {"generation": 2}}])
def test_nothing_is_encrypted_anew_without_a_new_generation(deploy: Any, secrets: dict[str, Any]):
    assert [one.name for one in deploy("local", kubernetes(secrets=secrets)).all("Job")] == ["airflow-migrations"]


def test_tokens_are_signed_by_one_generation_and_accepted_from_all(deploy: Any):
    stack = deploy("local", kubernetes(secrets={"jwt": {"generation": 2, "newest": 3}}))
    assert accepted_ids(stack) == ["2", "3", "1"]
    signing = load_pem_private_key(given(stack, "jwt-keys")["private-key.pem"].encode(), None)
    public = signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    (signs,) = [key for key in json.loads(given(stack, "jwt-keys")["jwks.json"])["keys"] if key["kid"] == "2"]
    assert base64.urlsafe_b64decode(signs["x"] + "=") == public
    for component in ("api-server", "scheduler"):
        (container,) = stack.pods()[f"airflow-{component}"]["spec"]["containers"]
        variables = {one["name"]: one.get("value") for one in container["env"]}
        (mount,) = [one for one in container["volumeMounts"] if one["name"] == "token-keys"]
        assert variables["AIRFLOW__API_AUTH__JWT_KID"] == "2"
        assert variables["AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH"] == f"{mount['mountPath']}/private-key.pem"
        assert variables["AIRFLOW__API_AUTH__TRUSTED_JWKS_URL"] == f"{mount['mountPath']}/jwks.json"


def test_the_set_of_accepted_keys_holds_no_private_one(deploy: Any):
    keys = json.loads(given(deploy("local", kubernetes()), "jwt-keys")["jwks.json"])["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "alg", "use", "kid", "x"}]


@pytest.mark.parametrize(
    ("secrets", "restarted"),
    [
        ({"jwt": {"newest": 2}}, {"airflow-api-server", "airflow-scheduler"}),
        ({"api": {"generation": 2}}, {"airflow-api-server", "airflow-scheduler", "airflow-triggerer"}),
    ],
)
def test_a_rotation_restarts_only_the_pods_that_read_the_key(deploy: Any, secrets: dict[str, Any], restarted: set[str]):
    before, after = checksums(deploy("local", kubernetes())), checksums(deploy("local", kubernetes(secrets=secrets)))
    assert {name for name in before if before[name] != after[name]} == restarted


def test_a_new_api_key_takes_the_place_of_the_old_one(deploy: Any):
    before, after = (
        given(deploy("local", kubernetes(secrets={"api": {"generation": number}})), "api-secret-key") for number in (1, 2)
    )
    assert set(before) == set(after) == {"AIRFLOW__API__SECRET_KEY"}
    assert before != after


@pytest.mark.parametrize(("protect", "days"), [(True, 30), (False, 0)])
def test_the_mirror_can_be_restored_for_a_month_where_data_is_protected(deploy: Any, protect: bool, days: int):
    stack = deploy("dev", eks(secrets={"mirror": True}, protect="true" if protect else "false"))
    windows = {one.name: plain(one.inputs)["recoveryWindowInDays"] for one in stack.all("secretsmanager/secret:Secret")}
    assert set(windows) == {f"airflow-{name}" for name in ("fernet-key", "api-secret-key", "jwt-keys", "database", "admin")}
    assert set(windows.values()) == {days}


def test_no_role_of_the_cluster_reads_the_mirror(deploy: Any):
    stack = deploy("dev", eks(secrets={"mirror": True}))
    for policy in stack.all("RolePolicy"):
        assert "secretsmanager" not in policy.inputs["policy"], policy.name


def test_external_secrets_are_read_by_a_role_for_the_copies_and_nothing_else(deploy: Any):
    external = {"mirror": True, "source": "external"}
    stack = deploy("dev", eks(secrets=external, cluster={"identity": "irsa"}))
    statements = json.loads(stack.only("RolePolicy", "airflow-external-secrets")["policy"])["Statement"]
    names = ("fernet-key", "api-secret-key", "jwt-keys", "database", "admin")
    assert {statement["Action"] for statement in statements} == {"secretsmanager:GetSecretValue"}
    assert {statement["Resource"] for statement in statements} == {f"${{airflow-{name}.arn}}" for name in names}
    (trust,) = json.loads(stack.only("iam/role:Role", "airflow-external-secrets")["assumeRolePolicy"])["Statement"]
    assert "system:serviceaccount:airflow:airflow-external-secrets" in trust["Condition"]["StringEquals"].values()
    store = stack.only("SecretStore")["spec"]["provider"]["aws"]
    assert store["auth"] == {"jwt": {"serviceAccountRef": {"name": "airflow-external-secrets"}}}
    account = stack.only("ServiceAccount", "airflow-external-secrets")
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "${airflow-external-secrets.arn}"}
    for secret in stack.all("ExternalSecret"):
        made = plain(secret.inputs)
        assert made["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
        assert made["spec"]["target"]["name"] == made["metadata"]["name"]
        assert made["spec"]["dataFrom"][0]["extract"]["version"].startswith("uuid/")
    assert not [one for one in stack.all("Secret") if one.type.startswith("kubernetes:core")]
