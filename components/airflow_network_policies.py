"""Who may talk to whom among Airflow's pods, as network policy specs.

Everything else in the namespace is denied. The flows are Airflow 3's: tasks and log readers use the API server, and only
components with work in the database reach it.
"""

from collections.abc import Sequence

import pulumi_kubernetes as k8s

from components.airflow_environment import API_SERVER_PORT, TRIGGERER_LOG_PORT, WORKER_LOG_PORT
from components.labels import labels

INSTANCE_METADATA = "169.254.169.254/32"
"""EC2 instance metadata, which would hand a pod the node's credentials. Pod Identity answers on another address."""

ANYWHERE = k8s.networking.v1.NetworkPolicyPeerArgs(
    ip_block=k8s.networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=[INSTANCE_METADATA])
)

Egress = k8s.networking.v1.NetworkPolicyEgressRuleArgs
Ingress = k8s.networking.v1.NetworkPolicyIngressRuleArgs


def network_policies(
    *, database: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs], database_port: int, remote_logs: bool
) -> dict[str, k8s.networking.v1.NetworkPolicySpecArgs]:
    """Return one policy spec per component; ``remote_logs`` opens HTTPS to the log bucket where it is read or written."""
    to_database = Egress(to=list(database), ports=_ports(database_port))
    # The bucket's addresses are public and change, so HTTPS is opened by port, and port 80 for Pod Identity's credentials.
    to_bucket = [Egress(to=[ANYWHERE], ports=_ports(443, 80))] if remote_logs else []
    return {
        "api-server": _policy(
            "api-server",
            ingress=[Ingress(from_=[_airflow()], ports=_ports(API_SERVER_PORT))],
            egress=[
                to_database,
                Egress(to=[_component("scheduler")], ports=_ports(WORKER_LOG_PORT)),
                Egress(to=[_component("triggerer")], ports=_ports(TRIGGERER_LOG_PORT)),
                *to_bucket,
            ],
        ),
        "scheduler": _policy(
            "scheduler",
            ingress=[Ingress(from_=[_component("api-server")], ports=_ports(WORKER_LOG_PORT))],
            # With LocalExecutor jobs run here, and what they extract from cannot be known.
            egress=[to_database, Egress(to=[_component("api-server")], ports=_ports(API_SERVER_PORT)), Egress(to=[ANYWHERE])],
        ),
        "dag-processor": _policy("dag-processor", egress=[to_database]),
        "triggerer": _policy(
            "triggerer",
            ingress=[Ingress(from_=[_component("api-server")], ports=_ports(TRIGGERER_LOG_PORT))],
            # Triggers wait for things outside: an object in a bucket, an answer of an API.
            egress=[to_database, Egress(to=[ANYWHERE])],
        ),
        "migrations": _policy("migrations", egress=[to_database]),
    }


def _policy(
    component: str, *, ingress: Sequence[Ingress] = (), egress: Sequence[Egress] = ()
) -> k8s.networking.v1.NetworkPolicySpecArgs:
    return k8s.networking.v1.NetworkPolicySpecArgs(
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
        policy_types=["Ingress", "Egress"],
        ingress=list(ingress),
        egress=list(egress),
    )


def _component(name: str) -> k8s.networking.v1.NetworkPolicyPeerArgs:
    return k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(name)))


def _airflow() -> k8s.networking.v1.NetworkPolicyPeerArgs:
    selector = k8s.meta.v1.LabelSelectorArgs(match_labels={"app.kubernetes.io/name": "airflow"})
    return k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=selector)


def _ports(*numbers: int) -> list[k8s.networking.v1.NetworkPolicyPortArgs]:
    return [k8s.networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=number) for number in numbers]
