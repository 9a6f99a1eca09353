"""The cluster that is made: nodes, add-ons, who may do what in it, how pods get credentials."""

import json
from typing import Any

import pytest

import versions
from components.policies import irsa_trust, pod_identity_trust
from tests.components.test_brought import values

TEAM, ANALYSTS = "arn:aws:iam::123456789012:role/platform", "arn:aws:iam::123456789012:role/analysts"
GROUPS = {"main": {"instanceTypes": ["m7i.large"]}, "burst": {"instanceTypes": ["m7i.large"], "capacity": "spot"}}


@pytest.fixture(scope="module")
def nodes(deploy: Any) -> Any:
    return deploy("dev", values(cluster={"nodeGroups": GROUPS, "administrators": [TEAM], "viewers": [ANALYSTS]}))


def test_auto_mode_needs_no_add_on_and_no_node_group(prod: Any):
    assert prod.only("eks:index:Cluster")["autoMode"] == {"enabled": True, "createNodeRole": True}
    assert not prod.all("eks/addon:Addon")
    assert not prod.all("eks/nodeGroup:NodeGroup")


def test_with_node_groups_every_add_on_is_pinned_and_enforces_network_policies(nodes: Any):
    assert nodes.only("eks:index:Cluster")["autoMode"] == {"enabled": False, "createNodeRole": False}
    addons = {addon.inputs["addonName"]: addon.inputs for addon in nodes.all("eks/addon:Addon")}
    assert {name: addon["addonVersion"] for name, addon in addons.items()} == versions.EKS_ADDONS
    assert json.loads(addons["vpc-cni"]["configurationValues"])["enableNetworkPolicy"] == "true"
    assert addons["kube-proxy"]["addonVersion"].startswith(f"v{versions.KUBERNETES}.")


def test_an_add_on_that_calls_aws_has_a_role_of_its_own_for_its_service_account_alone(nodes: Any):
    accounts = {"vpc-cni": "aws-node", "aws-ebs-csi-driver": "ebs-csi-controller-sa"}
    for addon in nodes.all("eks/addon:Addon"):
        name = addon.inputs["addonName"]
        associated = addon.inputs.get("podIdentityAssociations") or []
        assert [one["serviceAccount"] for one in associated] == ([accounts[name]] if name in accounts else []), name
    for addon, account in accounts.items():
        (role,) = [role for role in nodes.all("iam/role:Role") if role.name == f"cluster-nodes-{addon}"]
        assert role.inputs["assumeRolePolicy"] == pod_identity_trust("kube-system", account)


def test_nodes_come_after_their_network_and_before_what_needs_nodes(nodes: Any):
    groups = {group.urn for group in nodes.all("eks/nodeGroup:NodeGroup")}
    addons = {addon.inputs["addonName"]: addon for addon in nodes.all("eks/addon:Addon")}
    assert len(groups) == 2
    for group in nodes.all("eks/nodeGroup:NodeGroup"):
        assert {addons[name].urn for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")} <= set(group.dependencies)
    for name in ("coredns", "aws-ebs-csi-driver"):
        assert groups <= set(addons[name].dependencies)


def test_everything_in_the_cluster_waits_for_nodes_dns_and_volumes(nodes: Any):
    (provider,) = nodes.all("providers:kubernetes")
    waited = {urn.rpartition("::")[2] for urn in provider.dependencies}
    assert {"cluster-nodes-main", "cluster-nodes-burst", "cluster-nodes-coredns", "cluster-nodes-aws-ebs-csi-driver"} <= waited


def test_a_node_s_disk_is_encrypted_and_its_credentials_are_out_of_reach_of_pods(nodes: Any):
    for template in nodes.all("LaunchTemplate"):
        assert template.inputs["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
        (disk,) = template.inputs["blockDeviceMappings"]
        assert disk["ebs"]["encrypted"] == "true"


def test_spot_is_asked_for_where_it_is_wanted(nodes: Any):
    capacity = {group.name: group.inputs["capacityType"] for group in nodes.all("eks/nodeGroup:NodeGroup")}
    assert capacity == {"cluster-nodes-main": "ON_DEMAND", "cluster-nodes-burst": "SPOT"}


@pytest.mark.parametrize(("stack", "provisioner"), [("prod", "ebs.csi.eks.amazonaws.com"), (None, "ebs.csi.aws.com")])
def test_volumes_are_encrypted_gp3_by_default(deploy: Any, nodes: Any, stack: str | None, provisioner: str):
    made = (deploy(stack) if stack else nodes).only("StorageClass")
    assert made["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert (made["provisioner"], made["parameters"]) == (provisioner, {"type": "gp3", "encrypted": "true"})
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"


def test_people_get_what_they_were_given_and_no_more(nodes: Any):
    given = {one.inputs["principalArn"]: one.inputs["policyArn"] for one in nodes.all("AccessPolicyAssociation")}
    assert given == {
        TEAM: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        ANALYSTS: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
    }


def test_with_irsa_the_service_account_names_its_role_and_nothing_else_binds_it(deploy: Any):
    stack = deploy("dev", values(cluster={"identity": "irsa"}))
    assert stack.only("eks:index:Cluster")["createOidcProvider"] is True
    assert not stack.all("PodIdentityAssociation")
    for component in ("api-server", "scheduler", "triggerer"):
        name = f"airflow-{component}"
        annotations = stack.only("ServiceAccount", name)["metadata"]["annotations"]
        assert annotations == {"eks.amazonaws.com/role-arn": f"${{{name}.arn}}"}
        (role,) = [role for role in stack.all("iam/role:Role") if role.name == name]
        trust = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]
        assert trust["Condition"]["StringEquals"]["${cluster.oidcIssuer}:sub"] == f"system:serviceaccount:airflow:{name}"


def test_with_pod_identity_no_annotation_wins_over_it(prod: Any):
    assert not [one.name for one in prod.all("ServiceAccount") if one.inputs["metadata"].get("annotations")]


def test_a_role_trusts_one_service_account_alone():
    bound = json.loads(pod_identity_trust("airflow", "airflow-scheduler"))["Statement"][0]
    assert bound["Condition"]["StringEquals"] == {
        "aws:RequestTag/kubernetes-namespace": "airflow",
        "aws:RequestTag/kubernetes-service-account": "airflow-scheduler",
    }
    trusted = json.loads(irsa_trust("arn:aws:iam::1:oidc-provider/x", "x", "airflow", "airflow-scheduler"))["Statement"][0]
    assert trusted["Condition"]["StringEquals"] == {
        "x:aud": "sts.amazonaws.com",
        "x:sub": "system:serviceaccount:airflow:airflow-scheduler",
    }
