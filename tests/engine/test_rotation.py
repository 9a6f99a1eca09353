"""Keys of a stack are rotated through the real engine: step by step, each repeated without a change, none lost."""

import pytest

from doubles.provider import Call
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.leaks import leaks

JOB, DEPLOYMENT = "kubernetes:batch/v1:Job", "kubernetes:apps/v1:Deployment"


def step(stack: DrivenStack, key: str, **numbers: int) -> list[Call]:
    """Set the generations of a key and return what the ``up`` asked of providers; the next preview must ask nothing."""
    before = len(stack.cloud.calls)
    stack.configure("secrets", {key: numbers})
    stack.up()
    assert stack.preview() == {}
    return stack.cloud.calls[before:]


def fernet_keys(stack: DrivenStack) -> list[str]:
    return stack.cloud.of_type("kubernetes:core/v1:Secret")["airflow/airflow-fernet-key"]["stringData"][
        "AIRFLOW__CORE__FERNET_KEY"
    ].split(",")


def jobs(calls: list[Call]) -> list[tuple[str, str]]:
    return [(call.verb, call.inputs["metadata"]["name"]) for call in calls if call.type == JOB and "rotate" in call.name]


def test_a_fernet_key_is_announced_used_and_dropped_and_nothing_is_lost(drive: Drive) -> None:
    stack = drive("local")
    stack.up()
    (first,) = fernet_keys(stack)

    announced = step(stack, "fernet", newest=2)
    assert fernet_keys(stack)[0] == first
    second = fernet_keys(stack)[1]
    assert jobs(announced) == []

    used = step(stack, "fernet", generation=2)
    assert fernet_keys(stack) == [second, first]
    assert jobs(used) == [("create", "airflow-rotate-fernet-key-2")]
    rolled = [index for index, call in enumerate(used) if call.type == DEPLOYMENT]
    (reencrypted,) = [index for index, call in enumerate(used) if "rotate" in call.name]
    assert len(rolled) == 4
    assert max(rolled) < reencrypted

    before = len(stack.cloud.calls)
    stack.configure("image.reference", "docker.io/library/airflow-control-plane:next")
    stack.up()
    assert jobs(stack.cloud.calls[before:]) == [], "what is encrypted anew stays so"

    dropped = step(stack, "fernet", generation=2, oldest=2)
    assert fernet_keys(stack) == [second]
    assert jobs(dropped) == []
    assert not [call for call in dropped if call.verb == "delete" and call.type.startswith("random:")]

    step(stack, "fernet", generation=2, oldest=1)
    assert fernet_keys(stack) == [second, first], "a dropped key is taken back"
    assert leaks(stack.stored_text(), stack.cloud.generated) == []
    stack.destroy()
    assert stack.cloud.live == {}


@pytest.mark.parametrize("key", ["jwt", "api"])
def test_keys_of_tokens_and_sessions_change_no_database(drive: Drive, key: str) -> None:
    stack = drive("local")
    stack.up()
    calls = step(stack, key, generation=2)
    restarted = {call.inputs["metadata"]["name"] for call in calls if call.type == DEPLOYMENT}
    serving = {"airflow-api-server", "airflow-scheduler"}
    assert restarted == (serving if key == "jwt" else serving | {"airflow-triggerer"})
    assert [call.name for call in calls if call.type == JOB] == []
    assert leaks(stack.stored_text(), stack.cloud.generated) == []
