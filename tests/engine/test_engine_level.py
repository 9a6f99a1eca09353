"""The proof is worth something only if it can fail: leaks are found, wrong settings and wrong names stop a preview."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s
import pulumi_random as random
import pytest
from pulumi import automation as auto
from pulumi.runtime.proto.engine_pb2 import LogRequest
from pulumi.runtime.proto.engine_pb2_grpc import EngineServicer, EngineStub, add_EngineServicer_to_server

from components.token_keys import private_key_pem
from doubles.aws_enums import ENUMS, unlisted
from doubles.sdk_types import unknown_inputs
from tests.engine.conftest import Drive
from tests.engine.driven_stack import CHANNEL_OPTIONS
from tests.engine.leaks import forms, leaks
from tests.ports import free_port


def test_a_secret_exported_in_plain_text_is_found_wherever_it_went(drive: Drive) -> None:
    def program() -> None:
        password = random.RandomPassword("password", length=24)
        plain = pulumi.Output.unsecret(password.result)
        hidden = plain.apply(lambda text: base64.b64encode(f"user:{text}@host".encode()).decode())
        k8s.core.v1.ConfigMap("settings", metadata={"name": "settings"}, data={"hidden": hidden})
        pulumi.export("plain", plain)

    stack = drive("local", program)
    stack.up()
    found = leaks(stack.stored_text(), stack.cloud.generated)
    state = ".pulumi/stacks/airflow-control-plane/local.json"
    assert f"secret 0 in state/{state}" in found
    assert {"secret 0 in outputs", "secret 0 in printed"} <= set(found)


@pytest.mark.parametrize("before", ["", "u", "us", "use"])
def test_base64_hides_no_secret_whatever_stands_before_it(before: str) -> None:
    text = base64.b64encode(f"{before}s3cr3t-with-some-length/+?and more".encode()).decode()
    assert any(form in text for form in forms("s3cr3t-with-some-length/+?"))


def test_a_private_key_made_of_a_secret_is_found_in_its_file() -> None:
    raw = bytes(range(200, 232))
    for seed in (base64.b64encode(raw).decode(), raw.hex()):
        assert leaks({"file": private_key_pem(base64.b64encode(raw).decode())}, [seed]) == ["secret 0 in file"]


def test_a_wrong_setting_stops_the_preview_with_its_fix_and_no_traceback(drive: Drive) -> None:
    stack = drive("local")
    stack.configure("dags.intervalSecond", 60)
    with pytest.raises(auto.CommandError) as refused:
        stack.preview()
    text = str(refused.value)
    assert "dags.intervalSecond: unknown key" in text
    assert "did you mean dags.intervalSeconds?" in text
    assert "Traceback" not in text
    assert stack.cloud.calls == []


def test_a_name_the_provider_does_not_know_stops_the_preview(drive: Drive) -> None:
    def program() -> None:
        aws.s3.BucketVersioning("versions", bucket="b", versioning_configuration={"status": "Enabled", "mfa": "no"})

    with pytest.raises(auto.CommandError, match=r"versioningConfiguration\.mfa.*unknown property"):
        drive("local", program).preview()


@pytest.mark.parametrize(
    ("word", "declare"),
    [
        ("status", lambda: aws.s3.BucketVersioning("v", bucket="b", versioning_configuration={"status": "On"})),
        ("imageTagMutability", lambda: aws.ecr.Repository("r", image_tag_mutability="CONSTANT")),
        ("authenticationMode", lambda: eks.Cluster("c", authentication_mode="ACCESS_ENTRIES")),
    ],
)
def test_a_word_that_no_enum_has_stops_the_preview(drive: Drive, word: str, declare: Callable[[], object]) -> None:
    """One of AWS's in a list of things, one of AWS's, one of Pulumi's."""

    def program() -> None:
        declare()

    with pytest.raises(auto.CommandError, match=rf"{word}.*is none of"):
        drive("local", program).preview()


@pytest.mark.parametrize(("token", "path"), [(token, path) for token, paths in ENUMS.items() for path in paths])
def test_every_enum_of_the_double_is_of_a_property_the_sdk_has_and_of_the_aws_sdk(token: str, path: str) -> None:
    value: Any = "?"
    for part in reversed(path.split(".")):
        value = {part: value}
    lists = {"auths", "blockDeviceMappings", "encryptionConfigurations", "rules", "enabledClusterLogTypes"}
    head = path.split(".")[0]
    inputs = {head: [value[head]]} if head in lists else value
    assert list(unknown_inputs(token, inputs)) == []
    assert [where for where, _ in unlisted(token, inputs)] == [path]


def test_a_job_whose_template_changes_is_deleted_and_made_again(drive: Drive) -> None:
    image = "a:1"

    def program() -> None:
        pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}}
        k8s.batch.v1.Job("migrate", metadata={"name": "migrate"}, spec={"template": pod})

    stack = drive("local", program)
    stack.up()
    image = "a:2"
    stack.up()
    assert [call.verb for call in stack.cloud.calls] == ["create", "delete", "create"]


def test_an_engine_is_reached_at_a_port_where_another_was_missed() -> None:
    address = f"127.0.0.1:{free_port()}"
    gone = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
    with pytest.raises(grpc.RpcError):
        EngineStub(gone).Log(LogRequest())

    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    add_EngineServicer_to_server(EngineServicer(), server)
    server.add_insecure_port(address)
    server.start()
    try:
        with grpc.insecure_channel(address, options=CHANNEL_OPTIONS) as channel, pytest.raises(grpc.RpcError) as answer:
            EngineStub(channel).Log(LogRequest())
    finally:
        server.stop(grace=None)
        gone.close()
    # The answer of a server that does nothing, and not that there is none.
    assert answer.value.code() == grpc.StatusCode.UNIMPLEMENTED
