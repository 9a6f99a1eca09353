"""Settings of the VPC that is made."""

from typing import Any

import pytest

from settings import SettingsError, load_settings
from settings.network_relations import endpoint_services
from tests.settings.test_brought import stack

OF_NODES = ["ec2", "ecr.api", "ecr.dkr", "eks"]
PRIVATE = {"nat": "none", "interfaceEndpoints": True}
IN_ECR = {"reference": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/airflow:1"}


@pytest.mark.parametrize(
    ("sections", "services"),
    [
        ({"network": {}}, []),
        ({"network": {"endpointServices": ["sqs"]}}, ["sqs"]),
        ({"network": {"interfaceEndpoints": True}}, [*OF_NODES, "eks-auth"]),
        ({"network": {"interfaceEndpoints": True, "endpointServices": ["sts", "ec2"]}}, [*OF_NODES, "eks-auth", "sts"]),
        ({"network": {"interfaceEndpoints": True}, "cluster": {"identity": "irsa"}}, [*OF_NODES, "sts"]),
        (
            {
                "network": {"interfaceEndpoints": True},
                "cluster": {"identity": "irsa", "nodeGroups": {"main": {"instanceTypes": ["m7i.large"]}}},
            },
            [*OF_NODES, "eks-auth", "sts"],
        ),
        (
            {"network": {"interfaceEndpoints": True}, "database": {"login": "iam"}},
            [*OF_NODES, "eks-auth", "secretsmanager"],
        ),
        (
            {
                "network": {"interfaceEndpoints": True},
                "cluster": {"identity": "irsa"},
                "secrets": {"mirror": True, "source": "external"},
            },
            [*OF_NODES, "sts", "secretsmanager"],
        ),
    ],
)
def test_endpoints_are_of_what_nodes_and_pods_call(sections: dict[str, Any], services: list[str]):
    assert list(endpoint_services(load_settings(stack(**sections), stack="test"))) == services


@pytest.mark.parametrize("network", [PRIVATE, {"nat": "none", "endpointServices": [*OF_NODES, "eks-auth"]}])
def test_a_network_without_internet_has_an_address_for_all_it_calls(network: dict[str, object]):
    load_settings(stack(network=network, image=IN_ECR), stack="test")


@pytest.mark.parametrize(
    ("sections", "told", "fix"),
    [
        (
            {"network": {"nat": "none"}},
            "network.nat: 'none'; allowed: together with endpoints of all that nodes and pods call; "
            "there is none of ec2, ecr.api, ecr.dkr, eks, eks-auth\n",
            "network.interfaceEndpoints true",
        ),
        (
            {"network": {"nat": "none", "endpointServices": [*OF_NODES, "eks-auth"]}, "database": {"login": "secret"}},
            "network.nat: 'none'; allowed: together with endpoints of all that nodes and pods call; "
            "there is none of secretsmanager\n",
            "network.interfaceEndpoints true",
        ),
        (
            {"network": PRIVATE, "cluster": {"endpoint": "public"}},
            "cluster.endpoint: 'public'; ",
            "cluster.endpoint publicAndPrivate",
        ),
        (
            {"network": PRIVATE, "image": {"reference": "registry.example.com/airflow:1"}},
            "image.reference: 'registry",
            "copy it",
        ),
        (
            {"network": PRIVATE, "image": {"reference": IN_ECR["reference"].replace("eu-west-1", "us-east-1")}},
            "image.reference: '123456789012",
            "copy it",
        ),
    ],
)
def test_what_would_need_the_internet_is_refused_where_there_is_none(sections: dict[str, Any], told: str, fix: str):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(**{"image": IN_ECR, **sections}), stack="test")
    assert "1 problem:" in str(caught.value)
    assert f"\n  {told}" in str(caught.value)
    assert fix in str(caught.value).partition("fix: ")[2]


@pytest.mark.parametrize(("key", "value"), [("flowLogs", 31), ("endpointServices", ["com.amazonaws.eu-west-1/sts"])])
def test_what_aws_has_not_is_refused(key: str, value: object):
    with pytest.raises(SettingsError, match=rf"network\.{key}.*; allowed: "):
        load_settings(stack(network={key: value}), stack="test")
