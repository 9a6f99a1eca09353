"""The address of a stack moves, through the real engine: what is new is there before what was goes."""

import pytest
from pulumi import automation as auto

from doubles.provider import Call
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.variants import INTERNET_FACING, ZONE

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
CERTIFICATE = "aws:acm/certificate:Certificate"
RECORD = "aws:route53/record:Record"


@pytest.fixture(scope="module")
def stack(drive: Drive) -> DrivenStack:
    """Return ``dev`` with an internal load balancer."""
    made = drive("dev")
    made.configure("ingress", ZONE)
    made.up()
    return made


def moved(stack: DrivenStack, **ingress: object) -> list[tuple[str, str, str]]:
    """Change the address and return what was asked for it, in order: verb, type, name."""
    before = len(stack.cloud.calls)
    for key, value in ingress.items():
        stack.configure(f"ingress.{key}", value)
    stack.up()
    assert stack.preview() == {}
    return [
        (call.verb, call.type, named(call))
        for call in stack.cloud.calls[before:]
        if call.type in (INGRESS, CERTIFICATE, RECORD)
    ]


def named(call: Call) -> str:
    if call.type == INGRESS:
        return call.inputs["metadata"]["name"]
    return call.inputs["domainName"] if call.type == CERTIFICATE else call.name


def test_another_scheme_is_another_load_balancer_that_the_host_leads_to_before_the_old_one_goes(stack: DrivenStack) -> None:
    assert moved(stack, **{key: INTERNET_FACING[key] for key in ("scheme", "sourceCidrs")}) == [
        ("create", INGRESS, "airflow-internet-facing"),
        ("update", RECORD, "airflow"),
        ("delete", INGRESS, "airflow-internal"),
    ]


def test_another_host_has_its_certificate_before_the_load_balancer_loses_the_old_one(stack: DrivenStack) -> None:
    calls = moved(stack, host="etl.example.com")
    made = calls.index(("create", CERTIFICATE, "etl.example.com"))
    used = calls.index(("update", INGRESS, "airflow-internet-facing"))
    gone = calls.index(("delete", CERTIFICATE, "airflow.example.com"))
    assert made < used < gone


def test_a_host_outside_of_its_zone_is_refused_before_anything_is_made(drive: Drive) -> None:
    stack = drive("dev")
    stack.configure("ingress", {**ZONE, "host": "airflow.example.org"})
    with pytest.raises(auto.CommandError, match=r"'airflow\.example\.org' is not in the zone of ingress\.zoneId"):
        stack.preview()
