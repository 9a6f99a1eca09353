"""What is brought is looked up and used, and nothing in its place is made."""

import base64
import json
from typing import Any

import pytest

from components.eks_cluster import kubeconfig
from components.existing_database import DatabaseSecretError, Login, login
from tests.engine.variants import EXISTING_VPC, SECRET

ACCOUNT = {"aws:region": "eu-west-1", "airflow-control-plane:platform": "eks"}


def values(**sections: dict[str, Any]) -> dict[str, Any]:
    image = {"airflow-control-plane:image": {"reference": "registry.example.com/airflow:1"}}
    return ACCOUNT | image | {f"airflow-control-plane:{name}": section for name, section in sections.items()}


NETWORK = {key.partition(".")[2]: value for key, value in EXISTING_VPC.items()}
DATABASE = {"endpoint": "pg.example.com:6432", "secretArn": SECRET, "name": "metadata"}


def test_a_vpc_that_exists_is_used_and_none_is_made(deploy: Any):
    stack = deploy("dev", values(network=NETWORK))
    assert not [r.type for r in stack.resources if r.type.startswith("aws:ec2/") and not r.type.endswith(":SecurityGroup")]
    assert stack.only("eks:index:Cluster")["privateSubnetIds"] == NETWORK["privateSubnetIds"]
    assert stack.only("SubnetGroup")["subnetIds"] == NETWORK["databaseSubnetIds"]
    assert stack.only("SecurityGroup")["vpcId"] == NETWORK["vpcId"]


def test_a_cluster_that_exists_is_used_and_none_is_made(deploy: Any):
    stack = deploy("dev", values(network=NETWORK, cluster={"name": "platform"}))
    assert not stack.all("eks:index:Cluster")
    assert not stack.all("kms/key:Key")
    # The engine of network policies is the owner's to switch on.
    assert not [r for r in stack.all("ConfigMap") if r.inputs["metadata"]["name"] == "amazon-vpc-cni"]
    (rule,) = stack.all("SecurityGroupIngressRule")
    assert rule.inputs["referencedSecurityGroupId"] == "${cluster.clusterSecurityGroupId}"
    assert {r.inputs["clusterName"] for r in stack.all("PodIdentityAssociation")} == {"${cluster.name}"}


def test_a_database_that_exists_is_used_with_the_login_of_its_secret(deploy: Any):
    stack = deploy("dev", values(database=DATABASE))
    assert not [r for r in stack.resources if r.type.startswith("aws:rds/")]
    urls = stack.only("Secret", "airflow-database")["stringData"]
    login_and_place = "%24%7Busername%7D:%24%7Bpassword%7D@pg.example.com:6432/metadata"
    assert login_and_place in urls["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert login_and_place in urls["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"]
    (rule,) = stack.only("NetworkPolicy", "airflow-dag-processor")["spec"]["egress"]
    assert rule["ports"] == [{"port": 6432, "protocol": "TCP"}]


def test_pods_reach_the_database_s_own_subnets_and_no_more_of_the_vpc(prod: Any):
    egress = prod.only("NetworkPolicy", "airflow-dag-processor")["spec"]["egress"]
    (rule,) = [rule for rule in egress if rule["ports"][0]["port"] == 5432]
    assert [peer["ipBlock"]["cidr"] for peer in rule["to"]] == ["10.0.40.0/21", "10.0.104.0/21", "10.0.168.0/21"]


def test_a_bucket_that_exists_is_used_as_it_is(deploy: Any):
    stack = deploy("dev", values(logs={"bucket": "company-airflow-logs"}))
    assert not [r for r in stack.resources if r.type.startswith("aws:s3/")]
    data = stack.only("ConfigMap", "airflow-config")["data"]
    assert data["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == "s3://${bucket.name}/task-logs"
    for policy in stack.all("RolePolicy"):
        assert "${bucket.arn}/task-logs/*" in policy.inputs["policy"]


def test_a_kubeconfig_holds_no_credentials_and_asks_for_a_token():
    authority = base64.b64encode(b"certificate").decode()
    arn = "arn:aws:eks:eu-west-1:1:cluster/platform"
    made = json.loads(
        kubeconfig("platform", arn=arn, endpoint="https://x", certificate_authority=authority, region="eu-west-1")
    )
    (user,) = made["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["args"] == [
        *("--region", "eu-west-1", "eks", "get-token", "--cluster-name", "platform", "--output", "json")
    ]
    assert made["clusters"][0]["cluster"] == {"server": "https://x", "certificate-authority-data": authority}
    (context,) = made["contexts"]
    assert (made["current-context"], context["context"]) == (arn, {"cluster": arn, "user": user["name"]})


def test_a_login_is_read_in_the_form_rds_writes():
    secret = json.dumps({"username": "air:flow", "password": "p@ss", "engine": "postgres", "port": 5432})
    assert login(secret, secret_arn=SECRET) == Login(username="air:flow", password="p@ss")


@pytest.mark.parametrize(
    "secret", ["", "hunter2", '"hunter2"', '{"password": "hunter2"}', '{"username": "", "password": "hunter2"}']
)
def test_a_secret_without_a_login_is_refused_without_being_quoted(secret: str):
    with pytest.raises(DatabaseSecretError, match="username and password") as caught:
        login(secret, secret_arn=SECRET)
    assert "hunter2" not in str(caught.value)
