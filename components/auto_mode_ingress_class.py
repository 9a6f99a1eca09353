"""Ingress class of EKS Auto Mode, whose controller makes load balancers and runs outside the cluster."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

GROUP = "eks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class AutoModeIngressClassArgs:
    name: str
    namespace: str
    """The one namespace whose Ingresses may have the class: whoever has it makes load balancers on AWS."""


class AutoModeIngressClass(pulumi.ComponentResource):
    """A class that Auto Mode answers to. Source: EKS user guide, "Create an IngressClass"."""

    ingress_class: pulumi.Resource

    def __init__(self, name: str, args: AutoModeIngressClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AutoModeIngressClass", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        parameters = k8s.apiextensions.CustomResource(
            name,
            api_version=f"{GROUP}/v1",
            kind="IngressClassParams",
            metadata=k8s.meta.v1.ObjectMetaArgs(name=args.name),
            spec={"namespaceSelector": namespace_selector(args.namespace)},
            opts=child,
        )
        self.ingress_class = k8s.networking.v1.IngressClass(
            name,
            metadata=k8s.meta.v1.ObjectMetaArgs(name=args.name),
            spec=k8s.networking.v1.IngressClassSpecArgs(
                controller=f"{GROUP}/alb",
                parameters=k8s.networking.v1.IngressClassParametersReferenceArgs(
                    api_group=GROUP, kind="IngressClassParams", name=args.name
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[parameters]),
        )
        self.register_outputs({})


def namespace_selector(namespace: str) -> dict[str, object]:
    """Return what selects one namespace, by the label Kubernetes gives it."""
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
