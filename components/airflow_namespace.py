"""Namespace of Airflow and the rules that hold for everything in it.

Owns what no pod may do: run with privileges, go without limits, talk to anybody. What each pod may reach is declared with
the pod, in ``airflow_network_policies`` and ``postgresql``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.options import stateful
from components.pod_security import RESTRICTED


@dataclass(frozen=True, kw_only=True)
class AirflowNamespaceArgs:
    name: str
    """Name of the namespace. Changing it replaces everything inside."""

    protect: bool = False
    """Whether the namespace, whose deletion takes every volume in it along, refuses deletion."""

    quota: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further limits of its ResourceQuota, beside those on Services that open doors."""


DNS_PORTS = (53, 5353)
"""A policy sees the port of the pod behind the Service: CoreDNS listens on 53, without privileges or on OpenShift on 5353."""


class AirflowNamespace(pulumi.ComponentResource):
    """A namespace that enforces restricted Pod Security, limits and silence on the network."""

    name: pulumi.Output[str]
    """The namespace's name, known once it exists."""

    def __init__(self, name: str, args: AirflowNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowNamespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        modes = ("enforce", "audit", "warn")
        namespace = k8s.core.v1.Namespace(
            name,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.name,
                labels={f"pod-security.kubernetes.io/{mode}": RESTRICTED for mode in modes},
            ),
            opts=stateful(self, protect=args.protect),
        )
        self.name = namespace.metadata.name

        k8s.core.v1.LimitRange(
            f"{name}-limits",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="defaults", namespace=self.name),
            spec=k8s.core.v1.LimitRangeSpecArgs(
                limits=[
                    k8s.core.v1.LimitRangeItemArgs(
                        type="Container",
                        default={"cpu": "1", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                        default_request={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
                    )
                ]
            ),
            opts=child,
        )
        hard = {"services.loadbalancers": "0", "services.nodeports": "0", **args.quota}
        k8s.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="no-open-doors", namespace=self.name),
            spec=k8s.core.v1.ResourceQuotaSpecArgs(hard=hard),
            opts=child,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-default-deny",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="default-deny", namespace=self.name),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(),
                policy_types=["Ingress", "Egress"],
            ),
            opts=child,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-dns",
            metadata=k8s.meta.v1.ObjectMetaArgs(name="dns", namespace=self.name),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(),
                policy_types=["Egress"],
                egress=[
                    k8s.networking.v1.NetworkPolicyEgressRuleArgs(
                        ports=[
                            k8s.networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=port)
                            for protocol in ("UDP", "TCP")
                            for port in DNS_PORTS
                        ]
                    )
                ],
            ),
            opts=child,
        )
        self.register_outputs({"name": self.name})
