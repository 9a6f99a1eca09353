"""Settings of the cluster, made or brought."""

from typing import Annotated, Literal

from pydantic import Field

import versions
from settings.section import Section
from settings.values import Cidr, ClusterName, InstanceType, NodeGroupName, PrincipalArn


class KubernetesSettings(Section):
    """Which cluster the kubernetes platform uses."""

    context: str | None = None
    """Context in the kubeconfig; none uses its current context."""

    api_server_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443, 6443, 8443)
    """Ports of the Kubernetes API as network policies see them, behind its Service: EKS, kubeadm and kind, minikube."""


class NodeGroupSettings(Section):
    """One managed node group."""

    instance_types: tuple[InstanceType, ...] = Field(min_length=1, max_length=20)
    """EC2 instance types, all of image.architecture; more than one lets spot find capacity."""

    min_size: int = Field(default=2, ge=1, le=100)
    """Nodes at least, and at first."""

    max_size: int = Field(default=4, ge=1, le=450)
    """Nodes at most."""

    disk_gib: int = Field(default=50, ge=20, le=16384)
    """Root volume, in GiB."""

    capacity: Literal["onDemand", "spot"] = "onDemand"
    """spot is cheaper, and taken away at two minutes' notice."""


class ClusterSettings(Section):
    """The EKS cluster of the ``eks`` platform."""

    name: ClusterName | None = None
    """An EKS cluster that exists, in network.vpcId. None is made then, and the other keys of this section mean nothing."""

    version: str = Field(default=versions.KUBERNETES, pattern=r"^1\.\d{2}$")
    """Kubernetes minor version."""

    endpoint: Literal["public", "publicAndPrivate", "private"] = "publicAndPrivate"
    """Where the Kubernetes API answers. With private, Pulumi must run inside the VPC."""

    public_access_cidrs: tuple[Cidr, ...] = ("0.0.0.0/0",)
    """Source ranges allowed to the public endpoint; every call is authenticated by IAM all the same."""

    log_types: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = (
        "api",
        "audit",
        "authenticator",
    )
    """Control-plane logs sent to CloudWatch."""

    node_groups: dict[NodeGroupName, NodeGroupSettings] = Field(default_factory=dict[str, NodeGroupSettings])
    """Managed node groups by name, each with instanceTypes, minSize, maxSize, diskGib, capacity. None means EKS Auto Mode."""

    administrators: tuple[PrincipalArn, ...] = ()
    """IAM roles and users that may do everything in the cluster, beside whoever made it."""

    viewers: tuple[PrincipalArn, ...] = ()
    """IAM roles and users that may look at everything in the cluster but Secrets."""

    identity: Literal["podIdentity", "irsa"] = "podIdentity"
    """How pods get AWS credentials: EKS Pod Identity, or an IAM OIDC provider of the cluster."""
