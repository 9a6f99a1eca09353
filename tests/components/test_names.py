"""Names keep to AWS's limits, whatever people call their project, stack, namespaces, cluster and node groups."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doubles.aws_facts import NAME_LIMITS, NAME_PROPERTIES
from doubles.sdk_types import input_names
from rendering import RecordedResource, render_stack
from tests.components.variants import eks
from tests.engine.variants import EXISTING_VPC

SUFFIX = "-1234567"
"""What Pulumi adds to the name of a resource that is given none."""

INSIDE_OTHERS = {"aws:eks/cluster:Cluster", "aws:iam/policy:Policy"}
"""Types that pulumi-eks alone makes, inside the component that is checked instead."""

RDS = re.compile(r"[a-zA-Z](-?[a-zA-Z0-9])*")
GRAMMARS = {
    "aws:iam/role:Role": re.compile(r"[\w+=,.@-]+"),
    "aws:rds/instance:Instance": RDS,
    "aws:rds/proxy:Proxy": RDS,
    "aws:s3/bucket:Bucket": re.compile(r"[a-z0-9][a-z0-9.-]+[a-z0-9]"),
}
"""Type to what its names are made of, from the API references."""

DESCRIPTION = re.compile(r"[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]{0,255}")
"""Of a security group, which takes no apostrophe. Source: Amazon EC2 API reference, "CreateSecurityGroup"."""

STACKS = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}", fullmatch=True)
NAMESPACES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True) | st.just("n" * 63)
GROUPS = st.from_regex(r"[a-z][-a-z0-9]{0,29}[a-z0-9]", fullmatch=True) | st.just("g" * 31)
CLUSTERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", fullmatch=True)


def physical(resource: RecordedResource) -> str:
    """Return the name a resource has in AWS."""
    return resource.inputs.get(NAME_PROPERTIES.get(resource.type, "name")) or f"{resource.name}{SUFFIX}"


def too_long(resources: list[RecordedResource]) -> list[str]:
    found = [resource for resource in resources if resource.type in NAME_LIMITS]
    return [resource.urn for resource in found if len(physical(resource)) > NAME_LIMITS[resource.type]]


def rendered(project: str, stack: str, **sections: Any) -> list[RecordedResource]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rendering.program.PROJECT", project)
        return render_stack(stack, eks(**sections))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(project=STACKS, stack=STACKS, namespace=NAMESPACES, jobs=NAMESPACES, groups=st.sets(GROUPS, min_size=1, max_size=2))
def test_every_name_is_short_enough_and_well_formed(project: str, stack: str, namespace: str, jobs: str, groups: set[str]):
    """The stack has everything that has a name: node groups, roles for add-ons, a proxy with a secret, copies, flow logs."""
    made = rendered(
        project,
        stack,
        namespace=namespace,
        jobs={"namespace": jobs if jobs != namespace else f"j{jobs[1:]}j"[:63]},
        cluster={"nodeGroups": {name: {"instanceTypes": ["m7i.large"]} for name in groups}, "identity": "irsa"},
        database={"proxy": True},
        network={"flowLogs": 30, "interfaceEndpoints": True},
        secrets={"mirror": True, "source": "external"},
        dags={"source": "s3"},
        airflow={"executor": "KubernetesExecutor"},
    )
    assert too_long(made) == []
    types = {resource.type for resource in made}
    assert set(NAME_LIMITS) - types == INSIDE_OTHERS
    assert [one for one in types if one.startswith("aws:") and "name" in input_names(one) and one not in NAME_LIMITS] == []
    for resource in made:
        if grammar := GRAMMARS.get(resource.type):
            assert grammar.fullmatch(physical(resource)), resource.urn
        if resource.type == "aws:ec2/securityGroup:SecurityGroup":
            assert DESCRIPTION.fullmatch(resource.inputs["description"]), resource.urn
        # Two stacks of an account are told apart by the tag and by what Pulumi adds.
        if resource.type in NAME_LIMITS and len(stack) > 8:
            assert stack not in physical(resource), resource.urn


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cluster=CLUSTERS, namespace=NAMESPACES)
def test_names_beside_a_cluster_that_exists_are_short_enough(cluster: str, namespace: str):
    network = {key.partition(".")[2]: value for key, value in EXISTING_VPC.items()}
    namespaces = {"namespace": namespace, "jobs": {"enabled": False}}
    assert too_long(rendered("p", "s", network=network, cluster={"name": cluster}, **namespaces)) == []


def test_a_name_with_the_longest_stack_in_it_would_be_found():
    (role,) = [one for one in render_stack("s" * 100, eks()) if one.name == "airflow-api-server" and one.type.endswith(":Role")]
    assert too_long([role]) == []
    named = {**role.inputs, "name": f"{'s' * 100}-api-server"}
    assert too_long([RecordedResource(**{**vars(role), "inputs": named})]) == [role.urn]
