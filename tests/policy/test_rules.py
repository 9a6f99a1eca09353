"""Every rule finds what it is there for, finds nothing where that is mended, and nothing in the stacks of this repository."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from policy.model import UNKNOWN, Resource, findings
from policy.rules import RULES
from rendering.documents import masked
from rendering.program import render_stack
from tests.policy.stacks import SEEDED, Seeded, workload

TOLD = {"cluster-endpoint"}
"""What the stacks of this repository are told and go on with."""

RENDERED_WITHOUT = {"tagged"}
"""Needs what the provider adds to resources; ``tests/engine/test_policy_pack.py`` has it."""


def found(resources: Sequence[Resource]) -> list[str]:
    return [rule.name for rule in RULES for _ in findings(rule, resources)]


@pytest.mark.parametrize("seeded", SEEDED, ids=lambda seeded: seeded.what)
def test_a_seeded_violation_is_found_by_its_rule_alone(seeded: Seeded) -> None:
    assert found(seeded.broken) == [seeded.rule]
    assert found(seeded.sound) == []


def test_every_rule_has_a_seeded_violation() -> None:
    assert {seeded.rule for seeded in SEEDED} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES) >= 15


def test_every_rule_has_one_check_and_a_sentence() -> None:
    for rule in RULES:
        assert (rule.check is None) != (rule.stack_check is None), rule.name
        assert rule.description.endswith("."), rule.name


def everything_unknown(resource: Resource) -> Resource:
    properties = dict.fromkeys(resource.properties, UNKNOWN)
    return Resource(type=resource.type, name=resource.name, properties=properties, urn=resource.urn, protect=resource.protect)


@pytest.mark.parametrize("seeded", [one for one in SEEDED if len(one.broken) == 1], ids=lambda seeded: seeded.what)
def test_what_a_preview_does_not_know_breaks_no_rule(seeded: Seeded) -> None:
    (broken,) = seeded.broken
    assert found([everything_unknown(broken)]) == ([] if broken.properties else [seeded.rule])


@pytest.mark.parametrize("name", ["initContainers", "containers"])
def test_every_container_of_a_pod_is_looked_at(name: str) -> None:
    loose = {"name": "loose", "image": "busybox"}
    assert set(found([workload({name: [loose]})])) == {"image-pinned", "pod-resources", "pod-restricted"}


def with_unknowns(value: Any) -> Any:
    """Return rendered values with ``UNKNOWN`` where rendering writes a stand-in for what a provider computes."""
    if isinstance(value, Mapping):
        return {key: with_unknowns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_unknowns(item) for item in value]
    # IAM documents are text too, and worth reading with the stand-ins in their ARNs.
    return UNKNOWN if isinstance(value, str) and "${" in value and not value.startswith('{"') else value


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_stacks_of_this_repository_break_no_rule(stack: str) -> None:
    resources = [
        Resource(
            type=one.type,
            name=one.name,
            urn=one.urn,
            properties=with_unknowns(masked(one.inputs)),
            protect=one.protect,
            references=dict.fromkeys(("bucket", "vpcId"), frozenset(one.dependencies)),
        )
        for one in render_stack(stack)
    ]
    assert set(found(resources)) <= TOLD | RENDERED_WITHOUT
