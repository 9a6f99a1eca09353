"""The Application Load Balancer before the API server, as annotations of its Ingress.

Pure. One vocabulary for two controllers: that of EKS Auto Mode and the AWS Load Balancer Controller.
Source: AWS Load Balancer Controller documentation, "Ingress annotations"; EKS user guide, "Create an IngressClass".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi

PREFIX = "alb.ingress.kubernetes.io"
Scheme = Literal["internal", "internet-facing"]

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3 and 1.2, as AWS recommends."""

HEALTH_PATH = "/api/v2/version"
"""Answers without a login and without the database."""

IDLE_SECONDS = 110
"""Less than the 120 s that Airflow keeps an idle connection: the other way round, the load balancer would send requests into
connections that are being closed, and answer 502."""

DRAIN_SECONDS = 30
"""How long a pod that leaves may finish answers; AWS's default of 300 outlasts the pod."""

KEYS = (
    *("scheme", "target-type", "listen-ports", "ssl-redirect", "ssl-policy", "certificate-arn", "inbound-cidrs", "subnets"),
    *("healthcheck-path", "success-codes", "target-group-attributes", "load-balancer-attributes"),
)
"""Annotations that are decided here."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """What differs between one load balancer and another."""

    scheme: Scheme
    certificate_arn: pulumi.Input[str]
    source_cidrs: Sequence[pulumi.Input[str]]
    """Ranges its security group lets in."""

    subnet_ids: Sequence[pulumi.Input[str]] = ()
    """Without any, the controller looks for them by tag."""

    protect: bool = False
    """Whether AWS refuses to delete it."""


def annotations(balancer: LoadBalancer) -> dict[str, pulumi.Input[str]]:
    """Return the annotations of the Ingress that becomes ``balancer``."""
    attributes = {
        "idle_timeout.timeout_seconds": str(IDLE_SECONDS),
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "deletion_protection.enabled": str(balancer.protect).lower(),
    }
    values: dict[str, pulumi.Input[str]] = {
        "scheme": balancer.scheme,
        # Straight to pods: the Service stays ClusterIP, and no port of a node is opened.
        "target-type": "ip",
        "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "ssl-redirect": "443",
        "ssl-policy": TLS_POLICY,
        "certificate-arn": balancer.certificate_arn,
        "inbound-cidrs": _joined(balancer.source_cidrs),
        "healthcheck-path": HEALTH_PATH,
        "success-codes": "200",
        "target-group-attributes": f"deregistration_delay.timeout_seconds={DRAIN_SECONDS}",
        "load-balancer-attributes": ",".join(f"{key}={value}" for key, value in attributes.items()),
    }
    if balancer.subnet_ids:
        values["subnets"] = _joined(balancer.subnet_ids)
    return {f"{PREFIX}/{key}": value for key, value in values.items()}


def _joined(values: Sequence[pulumi.Input[str]]) -> pulumi.Output[str]:
    return pulumi.Output.all(*values).apply(",".join)
