"""The way in through an Ingress controller that is there already: nginx, Traefik, or any other."""

import pulumi_kubernetes as k8s

from components.front import Front
from settings import Settings
from settings.ingress import CERT_MANAGER

TLS_SECRET = "airflow-tls"  # noqa: S105 - the name of one


def controller_front(settings: Settings) -> Front | None:
    """Return what the controller of a class makes of the Ingress; None where settings name no host."""
    ingress = settings.ingress
    if ingress.host is None:
        return None
    namespace = k8s.meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": ingress.controller_namespace or ""})
    return Front(
        ingress_name="airflow",
        class_name=ingress.class_name,
        annotations={**ingress.annotations, **({CERT_MANAGER: ingress.issuer} if ingress.issuer else {})},
        tls_secret=ingress.tls_secret or TLS_SECRET,
        peers=[k8s.networking.v1.NetworkPolicyPeerArgs(namespace_selector=namespace)],
        # The addresses of its pods change; beside Airflow's own, network policies let no others reach the port.
        trusted=["*"],
        tells_address=False,
    )
