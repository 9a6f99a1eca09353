"""What stands between people and the API server, whichever controller makes it of an Ingress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.attachments import Attachments


@dataclass(frozen=True, kw_only=True)
class Front:
    """A reverse proxy that ends TLS and says who asked, and how, in ``X-Forwarded-*`` headers."""

    ingress_name: str
    """Name of the Ingress. Another name is another proxy, made before the old one goes."""

    class_name: str | None
    """Ingress class; ``None`` is the cluster's default one."""

    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    tls_secret: str | None = None
    """Secret with the certificate, where the proxy has it from the cluster."""

    peers: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs]
    """Where its requests come from, for network policies."""

    trusted: Sequence[pulumi.Input[str]]
    """Addresses and ranges whose ``X-Forwarded-*`` headers are believed; ``*`` is whoever reaches the port."""

    tells_address: bool
    """Whether its controller writes an address into the status of the Ingress, which is then waited for."""

    protect: bool = False
    """Whether it refuses deletion."""

    ready: Sequence[pulumi.Resource] = ()
    """What must exist before the Ingress, and until it is gone."""


def trusting(front: Front | None) -> Attachments:
    """Return what has the API server believe ``front``, and send cookies back by TLS alone.

    Uvicorn reads whom to believe, where ``--proxy-headers`` switches it on. The scheme it learns reaches Airflow's login pages
    too, so [fab] enable_proxy_fix stays off: it would also believe X-Forwarded-Host and -Prefix, which a load balancer of AWS
    hands on from whoever wrote them.
    """
    if front is None:
        return Attachments()
    return Attachments(
        environment=(
            k8s.core.v1.EnvVarArgs(name="FORWARDED_ALLOW_IPS", value=pulumi.Output.all(*front.trusted).apply(",".join)),
            k8s.core.v1.EnvVarArgs(name="AIRFLOW__FAB__COOKIE_SECURE", value="True"),
        )
    )
