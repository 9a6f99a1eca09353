"""What runs on the node: the arguments of each program.

Paths are those inside the node (``cluster.paths``). What the API-server tests share is a function of what differs.
"""

from dataclasses import dataclass
from pathlib import PurePath

from cluster.paths import CONFIGURATION, LOGS, NODE, PKI, SOCKET, VOLUMES

Arguments = dict[str, object]

POD_NETWORK = "10.244.0.0/24"
"""Addresses of pods; the same in every cluster, as each is in a network namespace of its own."""

POD_GATEWAY = "10.244.0.1"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
API_PORT = 6443
ETCD_PORT, ETCD_PEER_PORT = 2379, 2380
PROVISIONER = "airflow-control-plane/local"
ISSUER = "https://kubernetes.default.svc"
PAUSE_IMAGE = "docker.io/airflow-control-plane/pause:1"
DNS_IMAGE = "docker.io/airflow-control-plane/coredns:1"

CONTROLLERS = ("kube-controller-manager", "kube-scheduler", "kube-proxy", "network-policies", "local-provisioner")
"""Clients of the API server, each with a kubeconfig of its name."""


@dataclass(frozen=True)
class Component:
    """One program of the node."""

    command: tuple[str, ...]
    """The program's name, then its arguments."""

    after: str | None = None
    """What must answer first: a socket's path, or ``address:port``."""


def etcd_arguments(data: PurePath, client_url: str, peer_url: str) -> Arguments:
    """Return what one etcd member alone needs; not what makes its writes survive a power cut."""
    return {
        "data-dir": data,
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"default={peer_url}",
        "unsafe-no-fsync": "true",
    }


def api_server_arguments(pki: PurePath, *, etcd_url: str, address: str, port: int) -> Arguments:
    """Return what an API server needs whose certificates are in ``pki``, RBAC on."""
    return {
        "etcd-servers": etcd_url,
        "bind-address": address,
        "secure-port": port,
        "tls-cert-file": pki / "kube-apiserver.crt",
        "tls-private-key-file": pki / "kube-apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "service-account-issuer": ISSUER,
        "service-account-key-file": pki / "service-accounts.key",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "service-cluster-ip-range": SERVICE_NETWORK,
        "authorization-mode": "RBAC",
        "allow-privileged": "true",
    }


def flags(arguments: Arguments) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in arguments.items())


def components(name: str, address: str) -> dict[str, Component]:
    """Return every program of the node ``name`` in the order they start."""
    api_server = f"{address}:{API_PORT}"
    etcd_url, peer_url = f"https://127.0.0.1:{ETCD_PORT}", f"https://127.0.0.1:{ETCD_PEER_PORT}"
    arguments: dict[str, tuple[Arguments, str | None]] = {
        "etcd": (etcd_arguments(NODE / "etcd", etcd_url, peer_url) | _etcd_certificates(), None),
        "kube-apiserver": (
            api_server_arguments(PKI, etcd_url=etcd_url, address="0.0.0.0", port=API_PORT)  # noqa: S104 - of the node's namespace
            | _api_server_of_a_node(address),
            f"127.0.0.1:{ETCD_PORT}",
        ),
        "containerd": ({"config": CONFIGURATION / "containerd.toml"}, None),
        "kube-controller-manager": (_controller_manager(), api_server),
        "kube-scheduler": (_scheduler(), api_server),
        "kubelet": (
            {
                "config": CONFIGURATION / "kubelet.json",
                "kubeconfig": CONFIGURATION / "kubelet.kubeconfig",
                "hostname-override": name,
                "node-ip": address,
                "root-dir": "/var/lib/kubelet",
            },
            str(SOCKET),
        ),
        "kube-proxy": ({"config": CONFIGURATION / "kube-proxy.json"}, api_server),
        "network-policies": ({"kubeconfig": CONFIGURATION / "network-policies.kubeconfig"}, api_server),
        "local-provisioner": (
            {
                "kubeconfig": CONFIGURATION / "local-provisioner.kubeconfig",
                "folder": VOLUMES,
                "provisioner": PROVISIONER,
            },
            api_server,
        ),
    }
    return {program: Component((program, *flags(given)), after) for program, (given, after) in arguments.items()}


def _etcd_certificates() -> Arguments:
    certificates = {"cert-file": PKI / "etcd.crt", "key-file": PKI / "etcd.key", "trusted-ca-file": PKI / "ca.crt"}
    peers = {f"peer-{name}": path for name, path in certificates.items()}
    return {**certificates, **peers, "client-cert-auth": "true", "peer-client-cert-auth": "true"}


def _api_server_of_a_node(address: str) -> Arguments:
    return {
        "advertise-address": address,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "etcd-cafile": PKI / "ca.crt",
        "etcd-certfile": PKI / "kube-apiserver-etcd.crt",
        "etcd-keyfile": PKI / "kube-apiserver-etcd.key",
        "kubelet-certificate-authority": PKI / "ca.crt",
        "kubelet-client-certificate": PKI / "kube-apiserver-kubelet.crt",
        "kubelet-client-key": PKI / "kube-apiserver-kubelet.key",
        "kubelet-preferred-address-types": "InternalIP",
        "proxy-client-cert-file": PKI / "front-proxy-client.crt",
        "proxy-client-key-file": PKI / "front-proxy-client.key",
        "requestheader-client-ca-file": PKI / "ca.crt",
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "audit-policy-file": CONFIGURATION / "audit.json",
        "audit-log-path": LOGS / "audit.log",
        "profiling": "false",
    }


def _controller_manager() -> Arguments:
    return {
        **_client("kube-controller-manager"),
        "service-account-private-key-file": PKI / "service-accounts.key",
        "root-ca-file": PKI / "ca.crt",
        "use-service-account-credentials": "true",
        "flex-volume-plugin-dir": NODE / "volume-plugins",
    }


def _scheduler() -> Arguments:
    return _client("kube-scheduler")


def _client(name: str) -> Arguments:
    """Return what a controller needs that speaks to the API server and shows its health on the node."""
    kubeconfig = CONFIGURATION / f"{name}.kubeconfig"
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1",
        "tls-cert-file": PKI / f"{name}-serving.crt",
        "tls-private-key-file": PKI / f"{name}-serving.key",
        "leader-elect": "false",
        "profiling": "false",
    }
