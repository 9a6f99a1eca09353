"""EKS cluster, and the Kubernetes provider everything inside it is made with.

Auto Mode brings nodes, pod networking with network policies, block storage, load balancing and the Pod Identity agent;
without it, ``managed_nodes`` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s

from components.eks_cluster import EksCluster
from components.kubernetes_provider import kubernetes_provider
from components.managed_nodes import ManagedNodes, ManagedNodesArgs, NodeGroup
from components.options import stateful
from components.vpc import Vpc


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    vpc: Vpc
    version: str
    """Kubernetes minor version."""

    endpoint: Literal["public", "publicAndPrivate", "private"]
    """Where the Kubernetes API answers."""

    public_access_cidrs: Sequence[str]
    log_types: Sequence[str]
    node_groups: Mapping[str, NodeGroup]
    """Managed node groups by name; without any, Auto Mode makes nodes."""

    architecture: Literal["amd64", "arm64"]
    """Of the nodes in node groups."""

    oidc_provider: bool
    """Whether the account trusts the cluster's tokens, for IRSA."""

    administrators: Sequence[str] = ()
    """ARNs of IAM principals that may do everything."""

    viewers: Sequence[str] = ()
    """ARNs of IAM principals that may look at everything but Secrets."""

    protect: bool = False


class Cluster(pulumi.ComponentResource):
    """An EKS cluster with encrypted Secrets and access by EKS access entries only."""

    cluster: EksCluster

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Cluster", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        key = aws.kms.Key(
            f"{name}-secrets",
            description="Encrypts Kubernetes Secrets of the Airflow cluster",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=stateful(self, protect=args.protect),
        )
        auto_mode = not args.node_groups
        cluster = eks.Cluster(
            name,
            version=args.version,
            vpc_id=args.vpc.id,
            private_subnet_ids=args.vpc.private_subnet_ids,
            public_subnet_ids=args.vpc.public_subnet_ids or None,
            auto_mode=eks.AutoModeOptionsArgs(enabled=auto_mode, create_node_role=auto_mode),
            # Add-ons that pulumi-eks and EKS would install by themselves: managed_nodes does, with versions that are pinned.
            bootstrap_self_managed_addons=False,
            coredns_addon_options=None if auto_mode else eks.CoreDnsAddonOptionsArgs(enabled=False),
            kube_proxy_addon_options=None if auto_mode else eks.KubeProxyAddonOptionsArgs(enabled=False),
            use_default_vpc_cni=None if auto_mode else True,
            skip_default_node_group=None if auto_mode else True,
            create_instance_role=None if auto_mode else False,
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=key.arn,
            endpoint_private_access=args.endpoint != "public",
            endpoint_public_access=args.endpoint != "private",
            public_access_cidrs=None if args.endpoint == "private" else list(args.public_access_cidrs),
            enabled_cluster_log_types=list(args.log_types),
            deletion_protection=args.protect,
            # Extended support is on by default and costs six times as much an hour.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            create_oidc_provider=args.oidc_provider,
            # Nodes carry the security group that EKS makes, not one of pulumi-eks.
            skip_default_security_groups=True,
            opts=stateful(self, protect=args.protect),
        )
        kubeconfig = pulumi.Output.secret(cluster.kubeconfig_json)
        cluster_name = cluster.eks_cluster.apply(lambda made: made.name)
        self._access(name, cluster_name, args)
        ready: Sequence[pulumi.Resource] = ()
        if not auto_mode:
            nodes = ManagedNodesArgs(
                cluster_name=cluster_name,
                subnet_ids=args.vpc.private_subnet_ids,
                architecture=args.architecture,
                groups=args.node_groups,
                network=args.vpc.endpoints,
            )
            ready = ManagedNodes(f"{name}-nodes", nodes, opts=child).ready
        # Through the provider, everything in the cluster waits for nodes, network, DNS and volumes.
        provider = kubernetes_provider(
            name, kubeconfig=kubeconfig, opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.vpc.endpoints, *ready])
        )
        self._defaults(name, provider, auto_mode=auto_mode)
        self.cluster = EksCluster(
            name=cluster_name,
            security_group_id=cluster.cluster_security_group_id,
            oidc_issuer=cluster.oidc_issuer,
            oidc_provider_arn=cluster.oidc_provider_arn,
            kubeconfig=kubeconfig,
            provider=provider,
        )
        self.register_outputs({"name": self.cluster.name})

    def _access(self, name: str, cluster_name: pulumi.Output[str], args: ClusterArgs) -> None:
        partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition
        for policy, principals in (("AmazonEKSClusterAdminPolicy", args.administrators), ("AmazonEKSViewPolicy", args.viewers)):
            for principal in principals:
                # Named by the whole principal: roles of two accounts may have one name.
                entry = aws.eks.AccessEntry(
                    f"{name}-{principal}",
                    cluster_name=cluster_name,
                    principal_arn=principal,
                    opts=pulumi.ResourceOptions(parent=self),
                )
                aws.eks.AccessPolicyAssociation(
                    f"{name}-{principal}",
                    cluster_name=cluster_name,
                    principal_arn=entry.principal_arn,
                    policy_arn=pulumi.Output.format("arn:{0}:eks::aws:cluster-access-policy/{1}", partition, policy),
                    access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                    opts=pulumi.ResourceOptions(parent=self),
                )

    def _defaults(self, name: str, provider: k8s.Provider, *, auto_mode: bool) -> None:
        inside = pulumi.ResourceOptions(parent=self, provider=provider)
        if auto_mode:
            # Auto Mode brings a network policy engine and leaves it off: without this, policies are accepted and ignored.
            k8s.core.v1.ConfigMap(
                f"{name}-network-policies",
                metadata=k8s.meta.v1.ObjectMetaArgs(name="amazon-vpc-cni", namespace="kube-system"),
                data={"enable-network-policy-controller": "true"},
                opts=inside,
            )
        # EKS has made no default class since Kubernetes 1.30: a claim that names none would wait for ever.
        k8s.storage.v1.StorageClass(
            f"{name}-volumes",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name="gp3-encrypted", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
            ),
            provisioner="ebs.csi.eks.amazonaws.com" if auto_mode else "ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true"},
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            opts=inside,
        )
