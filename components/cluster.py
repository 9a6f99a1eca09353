"""EKS cluster in Auto Mode, and the Kubernetes provider everything inside it is made with.

Auto Mode brings nodes, pod networking with network policies, block storage, load balancing and the Pod Identity agent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s

from components.kubernetes_provider import kubernetes_provider
from components.network import Network
from components.options import stateful


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    network: Network
    version: str
    """Kubernetes minor version."""

    endpoint: Literal["public", "publicAndPrivate", "private"]
    """Where the Kubernetes API answers."""

    public_access_cidrs: Sequence[str]
    log_types: Sequence[str]
    protect: bool = False


class Cluster(pulumi.ComponentResource):
    """An EKS cluster with encrypted Secrets and access by EKS access entries only."""

    name: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    """Security group of the nodes and the control plane."""

    kubeconfig: pulumi.Output[str]
    """As JSON; secret."""

    provider: k8s.Provider

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
        cluster = eks.Cluster(
            name,
            version=args.version,
            vpc_id=args.network.vpc_id,
            private_subnet_ids=args.network.private_subnet_ids,
            public_subnet_ids=args.network.public_subnet_ids,
            auto_mode=eks.AutoModeOptionsArgs(enabled=True),
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=key.arn,
            endpoint_private_access=args.endpoint != "public",
            endpoint_public_access=args.endpoint != "private",
            public_access_cidrs=None if args.endpoint == "private" else list(args.public_access_cidrs),
            enabled_cluster_log_types=list(args.log_types),
            deletion_protection=args.protect,
            # Extended support is on by default and costs six times as much an hour.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            create_oidc_provider=False,
            # Auto Mode's nodes carry the security group that EKS makes, not one of pulumi-eks.
            skip_default_security_groups=True,
            opts=stateful(self, protect=args.protect),
        )
        self.name = cluster.eks_cluster.apply(lambda made: made.name)
        self.security_group_id = cluster.cluster_security_group_id
        self.kubeconfig = pulumi.Output.secret(cluster.kubeconfig_json)
        self.provider = kubernetes_provider(name, kubeconfig=self.kubeconfig, opts=child)
        # Auto Mode brings a network policy engine and leaves it off: without this, policies are accepted and ignored.
        k8s.core.v1.ConfigMap(
            f"{name}-network-policies",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="amazon-vpc-cni", namespace="kube-system"),
            data={"enable-network-policy-controller": "true"},
            opts=pulumi.ResourceOptions(parent=self, provider=self.provider),
        )
        self.register_outputs({"name": self.name})
