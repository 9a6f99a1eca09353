"""The VPC that is made: its ways out, its addresses for AWS's services, and what is recorded of it."""

import json
from typing import Any

import pytest

from tests.components.conftest import Stack
from tests.components.test_brought import ACCOUNT, values

PRIVATE = {"nat": "none", "interfaceEndpoints": True, "endpointServices": ["sqs"]}


@pytest.fixture(scope="module")
def private(deploy: Any) -> Stack:
    return deploy("dev", ACCOUNT | {"airflow-control-plane:network": PRIVATE})


def interface_endpoints(stack: Stack) -> list[dict[str, Any]]:
    return [one.inputs for one in stack.all("VpcEndpoint") if one.inputs["vpcEndpointType"] == "Interface"]


def test_without_nat_no_private_subnet_has_a_way_out(private: Stack):
    assert not private.all("NatGateway")
    assert not private.all("Eip")
    (public,) = private.all("ec2/route:Route")
    assert public.inputs["routeTableId"] == "${network-public.id}"


def test_every_service_has_its_own_name_in_every_zone(private: Stack):
    services = {one["serviceName"].removeprefix("com.amazonaws.${region}.") for one in interface_endpoints(private)}
    assert services == {"ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sqs"}
    for endpoint in interface_endpoints(private):
        assert endpoint["privateDnsEnabled"] is True
        assert endpoint["subnetIds"] == ["${network-private-0.id}", "${network-private-1.id}"]
        assert endpoint["securityGroupIds"] == ["${network-endpoints.id}"]


def test_endpoints_let_the_private_subnets_in_by_https_and_nobody_else(private: Stack):
    rules = [one.inputs for one in private.all("SecurityGroupIngressRule") if "cidrIpv4" in one.inputs]
    assert {(rule["securityGroupId"], rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) for rule in rules} == {
        ("${network-endpoints.id}", "10.0.0.0/19", 443, 443),
        ("${network-endpoints.id}", "10.0.64.0/19", 443, 443),
    }


def test_layers_of_images_come_from_s3_by_its_gateway(private: Stack):
    (gateway,) = [one.inputs for one in private.all("VpcEndpoint") if one.inputs["vpcEndpointType"] == "Gateway"]
    assert gateway["serviceName"] == "com.amazonaws.${region}.s3"
    assert gateway["routeTableIds"] == ["${network-private-0.id}", "${network-private-1.id}"]


@pytest.mark.parametrize("groups", [{}, {"main": {"instanceTypes": ["m7i.large"]}}])
def test_nothing_runs_in_the_cluster_before_its_nodes_can_call_aws(deploy: Any, groups: dict[str, Any]):
    given = {"airflow-control-plane:network": PRIVATE, "airflow-control-plane:cluster": {"nodeGroups": groups}}
    stack = deploy("dev", ACCOUNT | given)
    endpoints = {one.urn for one in stack.all("VpcEndpoint") if one.inputs["vpcEndpointType"] == "Interface"}
    (provider,) = stack.all("pulumi:providers:kubernetes")
    for waits in [provider, *stack.all("eks/nodeGroup:NodeGroup")]:
        assert endpoints <= set(waits.dependencies), waits.urn


def test_dev_pays_for_no_endpoint_and_no_record(deploy: Any):
    dev = deploy("dev")
    assert interface_endpoints(dev) == []
    assert not dev.all("FlowLog")
    assert len(dev.all("NatGateway")) == 1


def test_prod_keeps_all_flows_and_refuses_to_lose_them(prod: Stack):
    log = prod.only("FlowLog")
    assert (log["vpcId"], log["trafficType"], log["maxAggregationInterval"]) == ("${network.id}", "ALL", 600)
    assert log["logDestination"] == "${network-flow-logs.arn}"
    assert prod.only("LogGroup") == {"retentionInDays": 90, "deletionProtectionEnabled": True}
    (group,) = prod.all("LogGroup")
    assert (group.protect, group.retain_on_delete) == (True, True)


def test_flow_logs_are_written_by_aws_s_service_for_this_account_alone(prod: Stack):
    (statement,) = json.loads(prod.only("iam/role:Role", "network-flow-logs")["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/*"},
    }
    (may,) = json.loads(prod.only("RolePolicy", "network-flow-logs")["policy"])["Statement"]
    assert may["Resource"] == ["${network-flow-logs.arn}", "${network-flow-logs.arn}:*"]


def test_single_endpoints_can_be_had_beside_nat(deploy: Any):
    stack = deploy("dev", values(network={"endpointServices": ["kms"]}))
    assert [one["serviceName"] for one in interface_endpoints(stack)] == ["com.amazonaws.${region}.kms"]
    assert len(stack.all("NatGateway")) == 1
