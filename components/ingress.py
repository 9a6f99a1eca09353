"""Ingress of the API server: one host, all paths.

What the controller makes of it, and who may then reach the pods, is decided by the ``Front``.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_services import SERVICE_PORT, UNAWAITED
from components.front import Front
from components.object_metadata import object_metadata


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    namespace: pulumi.Input[str]
    host: str
    service: pulumi.Input[str]
    """Service of the API server."""

    api_server: pulumi.Resource
    """Deployment behind the Service: a load balancer without a pod to send to is not ready."""

    front: Front


class Ingress(pulumi.ComponentResource):
    """The way to Airflow's page by its host name."""

    load_balancer: pulumi.Output[str] | None
    """Host name of the load balancer; None where no controller is known to tell it."""

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Ingress", name, {}, opts)
        front = args.front
        annotations = front.annotations if front.tells_address else {**front.annotations, **UNAWAITED}
        backend = k8s.networking.v1.IngressBackendArgs(
            service=k8s.networking.v1.IngressServiceBackendArgs(
                name=args.service, port=k8s.networking.v1.ServiceBackendPortArgs(number=SERVICE_PORT)
            )
        )
        tls = [k8s.networking.v1.IngressTLSArgs(hosts=[args.host], secret_name=front.tls_secret)] if front.tls_secret else None
        ingress = k8s.networking.v1.Ingress(
            name,
            metadata=object_metadata(front.ingress_name, args.namespace, "api-server", annotations),
            spec=k8s.networking.v1.IngressSpecArgs(
                ingress_class_name=front.class_name,
                tls=tls,
                rules=[
                    k8s.networking.v1.IngressRuleArgs(
                        host=args.host,
                        http=k8s.networking.v1.HTTPIngressRuleValueArgs(
                            paths=[k8s.networking.v1.HTTPIngressPathArgs(path="/", path_type="Prefix", backend=backend)]
                        ),
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=front.protect, depends_on=[args.api_server, *front.ready]),
        )
        self.load_balancer = ingress.status.apply(_host_name) if front.tells_address else None
        self.register_outputs({"loadBalancer": self.load_balancer})


def _host_name(status: k8s.networking.v1.outputs.IngressStatus | None) -> str:
    balancer = status.load_balancer if status is not None else None
    addresses = (balancer.ingress if balancer is not None else None) or ()
    return next((address.hostname for address in addresses if address.hostname), "")
