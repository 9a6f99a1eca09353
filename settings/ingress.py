"""Settings of the address people open Airflow at."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import CertificateArn, Cidr, HostedZoneId, HostName, KubernetesName

ALB = "alb"
"""Class of Ingresses that become Application Load Balancers, on the ``eks`` platform."""


CERT_MANAGER = "cert-manager.io/cluster-issuer"
"""Annotation that has cert-manager make the Secret of an Ingress. Source: cert-manager documentation, "Annotated Ingress"."""


class IngressSettings(Section):
    """Where people open Airflow. The host alone gives its address, certificate, cookies, redirect and health check."""

    host: HostName | None = None
    """Host name of the page, all of it and without a path. None means no Ingress."""

    class_name: KubernetesName | None = None
    """Ingress class. None is alb on eks, a load balancer of AWS, and the cluster's default class elsewhere."""

    scheme: Literal["internal", "internet-facing"] = "internal"
    """Of class alb: in the private subnets, or in the public ones for sourceCidrs alone."""

    source_cidrs: tuple[Cidr, ...] = ()
    """Of class alb: ranges that may connect. None means the VPC's own, and with internet-facing they must be named."""

    zone_id: HostedZoneId | None = None
    """Of class alb: a Route 53 zone that exists. The host is entered in it, and without certificateArn its certificate made."""

    certificate_arn: CertificateArn | None = None
    """Of class alb: a certificate of ACM that exists, in the region of the stack. None is made then."""

    tls_secret: KubernetesName | None = None
    """Of other classes: the Secret with the certificate, in Airflow's namespace. None is airflow-tls with issuer."""

    issuer: KubernetesName | None = None
    """Of other classes: a ClusterIssuer of cert-manager that makes that Secret."""

    controller_namespace: KubernetesName | None = None
    """Of other classes: namespace of the controller's pods, the only ones let in beside Airflow's own."""

    annotations: dict[str, str] = Field(default_factory=dict[str, str])
    """Further annotations of the Ingress, for its controller."""

    def url(self) -> str | None:
        """Return the address that follows from the host."""
        return None if self.host is None else f"https://{self.host}"
