"""What may be brought instead of made, and what is told when it does not fit together."""

import json

import pytest

from settings import SettingsError, load_settings

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:airflow-AbCdEf"
VPC = "vpc-0123456789abcdef0"
TWO = ["subnet-0123456789abcde01", "subnet-0123456789abcde02"]
NETWORK = {"vpcId": VPC, "privateSubnetIds": TWO, "databaseSubnetIds": TWO}


def stack(platform: str = "eks", **sections: dict[str, object]) -> dict[str, str]:
    base = {
        "airflow-control-plane:platform": platform,
        "aws:region": "eu-west-1",
        "airflow-control-plane:image": json.dumps({"reference": "registry.example.com/airflow:1"}),
    }
    return base | {f"airflow-control-plane:{name}": json.dumps(values) for name, values in sections.items()}


@pytest.mark.parametrize(
    "sections",
    [
        {"network": NETWORK},
        {"network": {"vpcId": VPC, "databaseSubnetIds": TWO}, "cluster": {"name": "platform"}},
        {"network": {"vpcId": VPC, "privateSubnetIds": TWO}, "database": {"endpoint": "db:6432", "secretArn": SECRET}},
        {"database": {"endpoint": "db", "secretArn": SECRET, "name": "metadata", "cidr": "192.0.2.0/24"}},
        {"database": {"endpoint": "db", "secretArn": SECRET, "login": "secret"}},
        {"logs": {"bucket": "company-logs"}},
    ],
)
def test_what_exists_can_be_brought(sections: dict[str, dict[str, object]]):
    load_settings(stack(**sections), stack="test")


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"cluster": {"name": "platform"}}, "cluster.name: 'platform'"),
        ({"network": NETWORK | {"privateSubnetIds": TWO[:1]}}, f"network.privateSubnetIds: {TWO[:1]}"),
        ({"network": NETWORK | {"privateSubnetIds": [TWO[0], TWO[0]]}}, "network.privateSubnetIds: "),
        ({"network": {"vpcId": VPC, "privateSubnetIds": TWO}}, "network.databaseSubnetIds: []"),
        ({"network": {"publicSubnetIds": TWO}}, f"network.publicSubnetIds: {TWO}"),
        ({"network": NETWORK | {"zones": 3}}, "network.zones: 3"),
        ({"network": NETWORK | {"nat": "perZone"}}, "network.nat: 'perZone'"),
        ({"network": NETWORK | {"nat": "none"}}, "network.nat: 'none'"),
        ({"network": NETWORK | {"interfaceEndpoints": True}}, "network.interfaceEndpoints: True"),
        ({"network": NETWORK | {"endpointServices": ["sqs"]}}, "network.endpointServices: ['sqs']"),
        ({"network": NETWORK | {"flowLogs": 30}}, "network.flowLogs: 30"),
        ({"database": {"endpoint": "db", "secretArn": SECRET, "proxy": True}}, "database.proxy: True"),
        ({"network": NETWORK, "cluster": {"name": "platform", "version": "1.34"}}, "cluster.version: '1.34'"),
        ({"database": {"endpoint": "db"}}, "database.endpoint: 'db'"),
        ({"database": {"secretArn": SECRET}}, f"database.secretArn: '{SECRET}'"),
        ({"database": {"endpoint": "db", "secretArn": SECRET, "multiAz": True}}, "database.multiAz: True"),
        ({"database": {"name": "metadata"}}, "database.name: 'metadata'"),
        ({"database": {"endpoint": "db", "secretArn": SECRET, "login": "iam"}}, "database.login: 'iam'"),
        ({"logs": {"bucket": "company-logs", "retentionDays": 7}}, "logs.retentionDays: 7"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_its_reason_and_fix(sections: dict[str, dict[str, object]], told: str):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(**sections), stack="test")
    text = str(caught.value)
    assert "1 problem:" in text
    assert f"\n  {told}" in text
    assert "allowed: " in text
    assert "\n      fix: " in text


@pytest.mark.parametrize(
    ("section", "values", "told"),
    [
        ("network", {"vpcId": VPC}, "network.vpcId"),
        ("cluster", {"name": "platform"}, "cluster.name"),
        ("database", {"cidr": "192.0.2.0/24"}, "database.cidr"),
        ("database", {"login": "secret"}, "database.login"),
        ("database", {"proxy": True}, "database.proxy"),
        ("network", {"interfaceEndpoints": True}, "network.interfaceEndpoints"),
        ("network", {"flowLogs": 30}, "network.flowLogs"),
        ("logs", {"bucket": "company-logs"}, "logs.bucket"),
    ],
)
def test_a_stack_without_aws_brings_nothing_of_it(section: str, values: dict[str, object], told: str):
    with pytest.raises(SettingsError, match=f"{told}: .*which uses no AWS"):
        load_settings(stack("kubernetes", **{section: values}), stack="test")


def test_a_key_of_aws_that_cannot_be_one_is_told_with_an_example():
    with pytest.raises(SettingsError, match=r"network\.vpcId: 'main'; allowed: vpc-0123456789abcdef0"):
        load_settings(stack(network=NETWORK | {"vpcId": "main"}), stack="test")
