"""Who may talk to whom among Airflow's pods, as network policy specs.

Everything else in the namespace is denied. The flows are Airflow 3's: tasks and log readers use the API server, and only
components with work in the database reach it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s

from components.airflow_environment import API_SERVER_PORT, TRIGGERER_LOG_PORT, WORKER_LOG_PORT
from components.executor import TASK, Executor, task_runner
from components.labels import labels

INSTANCE_METADATA = "169.254.169.254/32"
"""EC2 instance metadata, which would hand a pod the node's credentials. Pod Identity answers on another address."""

ANYWHERE = k8s.networking.v1.NetworkPolicyPeerArgs(
    ip_block=k8s.networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=[INSTANCE_METADATA])
)

Egress = k8s.networking.v1.NetworkPolicyEgressRuleArgs
Ingress = k8s.networking.v1.NetworkPolicyIngressRuleArgs


@dataclass(frozen=True, kw_only=True)
class NetworkPoliciesArgs:
    """What differs between the flows of one Airflow and another."""

    executor: Executor
    database: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs]
    """What pods connect to, be it a proxy."""

    migrations: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs]
    """What the migration Job connects to: the database itself."""

    database_port: int
    log_ports: Sequence[int] = ()
    """TCP ports of the object store of the task logs; none where they are on a volume."""

    package_ports: Sequence[int] = ()
    """TCP ports of the object store of the packages; none where they come with the image."""

    login_ports: Sequence[int] = ()
    """TCP ports of what a login to the database is asked of; none where pods are given a password."""

    kubernetes_ports: Sequence[int] = ()
    """TCP ports of the Kubernetes API."""

    front: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs] = ()
    """Where requests from outside come through; nobody where nothing is made for them."""


def network_policies(args: NetworkPoliciesArgs) -> dict[str, k8s.networking.v1.NetworkPolicySpecArgs]:
    """Return one policy spec per component."""
    to_database, to_migrate = (
        [Egress(to=list(peers), ports=_ports(args.database_port)), *_by_port(args.login_ports)]
        for peers in (args.database, args.migrations)
    )
    to_api_server = Egress(to=[_component("api-server")], ports=_ports(API_SERVER_PORT))
    # The addresses of a bucket and of the Kubernetes API are not known here and change, so they are opened by port.
    to_bucket, to_packages = _by_port(args.log_ports), _by_port(args.package_ports)
    to_kubernetes = _by_port(args.kubernetes_ports) if args.executor == "KubernetesExecutor" else []
    log_server = [Ingress(from_=[_component("api-server")], ports=_ports(WORKER_LOG_PORT))]
    policies = {
        "api-server": _policy(
            "api-server",
            ingress=[Ingress(from_=[_airflow(), *args.front], ports=_ports(API_SERVER_PORT))],
            egress=[
                *to_database,
                *([Egress(to=[_component("scheduler")], ports=_ports(WORKER_LOG_PORT))] if _in_scheduler(args) else []),
                Egress(to=[_component("triggerer")], ports=_ports(TRIGGERER_LOG_PORT)),
                *to_bucket,
                *to_kubernetes,
            ],
        ),
        "dag-processor": _policy("dag-processor", egress=[*to_database, *to_packages]),
        "triggerer": _policy(
            "triggerer",
            ingress=[Ingress(from_=[_component("api-server")], ports=_ports(TRIGGERER_LOG_PORT))],
            # Triggers wait for things outside: an object in a bucket, an answer of an API.
            egress=[*to_database, Egress(to=[ANYWHERE])],
        ),
        "migrations": _policy("migrations", egress=to_migrate),
    }
    # Jobs run where tasks do, and what they extract from cannot be known.
    if _in_scheduler(args):
        egress = [*to_database, to_api_server, Egress(to=[ANYWHERE])]
        return {**policies, "scheduler": _policy("scheduler", ingress=log_server, egress=egress)}
    return {
        **policies,
        "scheduler": _policy("scheduler", egress=[*to_database, *to_kubernetes]),
        TASK: _policy(TASK, egress=[to_api_server, Egress(to=[ANYWHERE])]),
    }


def _in_scheduler(args: NetworkPoliciesArgs) -> bool:
    return task_runner(args.executor) == "scheduler"


def _by_port(ports: Sequence[int]) -> list[Egress]:
    return [Egress(to=[ANYWHERE], ports=_ports(*ports))] if ports else []


def _policy(
    component: str, *, ingress: Sequence[Ingress] = (), egress: Sequence[Egress] = ()
) -> k8s.networking.v1.NetworkPolicySpecArgs:
    return k8s.networking.v1.NetworkPolicySpecArgs(
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
        policy_types=["Ingress", "Egress"],
        # None lets nobody in as well; the API server keeps no empty list, and would find another one asked for each time.
        ingress=list(ingress) or None,
        egress=list(egress),
    )


def _component(name: str) -> k8s.networking.v1.NetworkPolicyPeerArgs:
    return k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(name)))


def _airflow() -> k8s.networking.v1.NetworkPolicyPeerArgs:
    selector = k8s.meta.v1.LabelSelectorArgs(match_labels={"app.kubernetes.io/name": "airflow"})
    return k8s.networking.v1.NetworkPolicyPeerArgs(pod_selector=selector)


def _ports(*numbers: int) -> list[k8s.networking.v1.NetworkPolicyPortArgs]:
    return [k8s.networking.v1.NetworkPolicyPortArgs(protocol="TCP", port=number) for number in numbers]
