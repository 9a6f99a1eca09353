"""Managed node groups, and the EKS add-ons that Auto Mode would have brought, in the order they need each other.

The network and the Pod Identity agent come before the nodes, which would not become ready without a network; DNS and volumes
come after them, since their pods need a node.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

import versions
from components.policies import node_trust, pod_identity_trust

NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""AWS's policies for nodes; the network's is on the network's own role. Source: EKS user guide, "Amazon EKS node IAM role"."""

NETWORK = {
    # Without this, network policies are accepted and ignored.
    "enableNetworkPolicy": "true",
    "nodeAgent": {"enablePolicyEventLogs": "true"},
}


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """How many nodes of which kind."""

    instance_types: Sequence[str]
    min_size: int
    max_size: int
    disk_gib: int
    capacity: Literal["onDemand", "spot"]


@dataclass(frozen=True, kw_only=True)
class ManagedNodesArgs:
    cluster_name: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    architecture: Literal["amd64", "arm64"]
    groups: Mapping[str, NodeGroup]
    network: Sequence[pulumi.Resource] = ()
    """What nodes reach AWS by, where they do not go over the internet."""


class ManagedNodes(pulumi.ComponentResource):
    """Node groups with encrypted disks and no way for pods to the node's credentials, and pinned add-ons."""

    ready: Sequence[pulumi.Resource]
    """What must exist before pods are made."""

    def __init__(self, name: str, args: ManagedNodesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:ManagedNodes", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition

        agent = self._addon("eks-pod-identity-agent", after=[])
        network = self._addon(
            "vpc-cni", after=[agent], configuration=NETWORK, policy="AmazonEKS_CNI_Policy", service_account="aws-node"
        )
        proxy = self._addon("kube-proxy", after=[])
        groups = self._groups(after=[*args.network, agent, network, proxy])
        dns = self._addon("coredns", after=groups)
        volumes = self._addon(
            "aws-ebs-csi-driver",
            after=groups,
            policy="service-role/AmazonEBSCSIDriverPolicy",
            service_account="ebs-csi-controller-sa",
        )
        self.ready = [*groups, dns, volumes]
        self.register_outputs({})

    def _addon(
        self,
        addon: str,
        *,
        after: Sequence[pulumi.Resource],
        configuration: Mapping[str, object] | None = None,
        policy: str | None = None,
        service_account: str = "",
    ) -> aws.eks.Addon:
        """Install an add-on; with an AWS managed ``policy``, its ``service_account`` has a role of its own."""
        associations: list[aws.eks.AddonPodIdentityAssociationArgs] | None = None
        waits = list(after)
        if policy is not None:
            role = aws.iam.Role(
                f"{self._name}-{addon}",
                description=f"EKS add-on {addon}",
                assume_role_policy=pod_identity_trust("kube-system", service_account),
                opts=self._child,
            )
            waits.append(self._attachment(f"{self._name}-{addon}", role, policy))
            associations = [aws.eks.AddonPodIdentityAssociationArgs(service_account=service_account, role_arn=role.arn)]
        return aws.eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self._args.cluster_name,
            addon_name=addon,
            addon_version=versions.EKS_ADDONS[addon],
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            pod_identity_associations=associations,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits),
        )

    def _attachment(self, name: str, role: aws.iam.Role, policy: str) -> aws.iam.RolePolicyAttachment:
        arn = pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", self._partition, policy)
        return aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=arn, opts=self._child)

    def _groups(self, *, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        role = aws.iam.Role(
            f"{self._name}-node",
            description="Nodes of the Airflow cluster",
            assume_role_policy=node_trust(),
            opts=self._child,
        )
        allowed = [self._attachment(f"{self._name}-{policy}", role, policy) for policy in NODE_POLICIES]
        return [self._group(name, group, role, [*after, *allowed]) for name, group in self._args.groups.items()]

    def _group(self, name: str, group: NodeGroup, role: aws.iam.Role, after: Sequence[pulumi.Resource]) -> aws.eks.NodeGroup:
        template = aws.ec2.LaunchTemplate(
            f"{self._name}-{name}",
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvda",
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3", volume_size=group.disk_gib, encrypted="true", delete_on_termination="true"
                    ),
                )
            ],
            # One hop ends at the node: its credentials never reach a pod, whatever the network policies say.
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(http_tokens="required", http_put_response_hop_limit=1),
            opts=self._child,
        )
        return aws.eks.NodeGroup(
            f"{self._name}-{name}",
            cluster_name=self._args.cluster_name,
            node_role_arn=role.arn,
            subnet_ids=list(self._args.subnet_ids),
            ami_type={"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}[self._args.architecture],
            capacity_type={"onDemand": "ON_DEMAND", "spot": "SPOT"}[group.capacity],
            instance_types=list(group.instance_types),
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(lambda number: str(number))
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=group.min_size, max_size=group.max_size, desired_size=group.min_size
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                # Whatever scales the group decides how many nodes there are between its limits.
                ignore_changes=["scalingConfig.desiredSize"],
            ),
        )
