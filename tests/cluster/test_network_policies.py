"""NetworkPolicy by flows: what a policy allows passes, and what it does not times out."""

import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cluster import Cluster
from cluster.components import API_SERVICE
from tests.cluster.kubernetes import Kubernetes, in_namespace, probe, server

DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "UDP", "port": 5353}],
}
FRIENDS = {"podSelector": {"matchLabels": {"role": "friend"}}}

ONLY_WEB = [{"port": "web"}]


class Flows:
    """A server with two ports, a friend and a stranger beside it, and a guest with the friend's labels in another namespace."""

    def __init__(self, kubernetes: Kubernetes, elsewhere: Kubernetes) -> None:
        self.kubernetes = kubernetes
        self._clients = {"friend": kubernetes, "stranger": kubernetes, "guest": elsewhere}
        kubernetes.apply(
            server("web"),
            probe("friend", "sleep 3600", labels={"role": "friend"}),
            probe("stranger", "sleep 3600", labels={"role": "stranger"}),
        )
        elsewhere.apply(probe("guest", "sleep 3600", labels={"role": "friend"}))
        for name in ("web", "friend", "stranger"):
            kubernetes.wait_for_pod(name)
        elsewhere.wait_for_pod("guest")
        self.address = self.address_of("web")

    def address_of(self, pod: str) -> str:
        return self._clients.get(pod, self.kubernetes).get("pod", pod)["status"]["podIP"]

    def reached(self, client: str, *ports: int, address: str | None = None) -> set[int]:
        """Return the ports that a client connects to within two seconds."""
        connect = f"timeout 2 nc {address or self.address} $port </dev/null >/dev/null 2>&1"
        script = f"for port in {' '.join(map(str, ports))}; do ({connect} && echo $port) & done; wait"
        return {int(port) for port in self._clients[client].shell(client, script).stdout.split()}

    def passing(self) -> set[tuple[str, int]]:
        """Return the flows to the server that pass, of every client to both ports."""
        with ThreadPoolExecutor() as at_once:
            found = at_once.map(lambda client: self.reached(client, 8080, 8081), self._clients)
            return {(client, port) for client, ports in zip(self._clients, found, strict=True) for port in ports}

    def apply(self, *, name: str = "policy", **spec: Any) -> None:
        self.kubernetes.apply(policy(name, **spec))

    def wait_for(self, *allowed: tuple[str, int]) -> None:
        """Wait until exactly these flows pass; and what is decided stays so."""
        self.kubernetes.wait(f"only {allowed} pass", lambda: self.passing() == set(allowed))
        assert self.passing() == set(allowed)


EVERY = tuple((client, port) for client in ("friend", "stranger", "guest") for port in (8080, 8081))


def policy(name: str, **spec: Any) -> Mapping[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }


@pytest.fixture(scope="module")
def pods(up: Cluster) -> Generator[Flows]:
    """The pods of all tests here, in two namespaces."""
    with in_namespace(up.kubeconfig) as kubernetes, in_namespace(up.kubeconfig) as elsewhere:
        yield Flows(kubernetes, elsewhere)


@pytest.fixture
def flows(pods: Flows) -> Generator[Flows]:
    """Return the pods without any policy."""
    yield pods
    pods.kubernetes.run("delete", "networkpolicies", "--all")
    pods.wait_for(*EVERY)


def test_without_a_policy_all_passes_and_what_is_denied_times_out(flows: Flows) -> None:
    flows.wait_for(*EVERY)
    flows.apply(policyTypes=["Ingress"])
    flows.wait_for()
    began = time.monotonic()
    done = flows.kubernetes.shell("stranger", f"timeout 4 nc {flows.address} 8080 </dev/null")
    assert done.returncode != 0
    assert time.monotonic() - began > 4, "refused, where a drop is silent"
    # The kubelet's probes go on.
    assert flows.kubernetes.get("pod", "web")["status"]["containerStatuses"][0]["ready"]
    flows.kubernetes.run("delete", "networkpolicy", "policy")
    flows.wait_for(*EVERY)


@pytest.mark.parametrize(
    ("peers", "ports", "allowed"),
    [
        ([FRIENDS], ONLY_WEB, {("friend", 8080)}),
        ([FRIENDS], None, {("friend", 8080), ("friend", 8081)}),
        (None, ONLY_WEB, {("friend", 8080), ("stranger", 8080), ("guest", 8080)}),
        ([{"namespaceSelector": {}, **FRIENDS}], ONLY_WEB, {("friend", 8080), ("guest", 8080)}),
        ([{"namespaceSelector": {}}], [{"port": 8081}], {("friend", 8081), ("stranger", 8081), ("guest", 8081)}),
        ([FRIENDS], [{"port": 8081, "endPort": 8090}], {("friend", 8081)}),
        ([FRIENDS], [{"port": 8080, "protocol": "UDP"}], set()),
    ],
    ids=["pods-named-port", "pods", "port", "pods-of-all-namespaces", "namespaces", "range", "protocol"],
)
def test_ingress_passes_by_peer_and_port(
    flows: Flows, peers: list[Any] | None, ports: list[Any] | None, allowed: set[tuple[str, int]]
) -> None:
    rule = {**({"from": peers} if peers else {}), **({"ports": ports} if ports else {})}
    flows.apply(podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"], ingress=[rule])
    flows.wait_for(*allowed)


def test_an_address_block_passes_but_for_its_exceptions(flows: Flows) -> None:
    block = {"cidr": "10.244.0.0/24", "except": [f"{flows.address_of('stranger')}/32"]}
    flows.apply(policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": block}]}])
    flows.wait_for(*(flow for flow in EVERY if flow[0] != "stranger"))


def test_policies_add_up(flows: Flows) -> None:
    flows.apply(policyTypes=["Ingress"])
    flows.apply(name="friends", policyTypes=["Ingress"], ingress=[{"from": [FRIENDS], "ports": ONLY_WEB}])
    flows.apply(name="all", policyTypes=["Ingress"], ingress=[{"ports": [{"port": 8081}]}])
    flows.wait_for(("friend", 8080), *(flow for flow in EVERY if flow[1] == 8081))


def test_egress_passes_by_peer_and_port_and_the_api_server_is_no_exception(flows: Flows) -> None:
    def resolves() -> bool:
        return "10.96.0.1" in flows.kubernetes.shell("friend", "timeout 5 nslookup kubernetes.default.svc.cluster.local").stdout

    assert resolves()
    assert flows.reached("friend", 443, address=API_SERVICE)
    only_friends = {"matchLabels": {"role": "friend"}}
    flows.apply(podSelector=only_friends, policyTypes=["Egress"])
    others = tuple(flow for flow in EVERY if flow[0] != "friend")
    flows.wait_for(*others)
    assert not resolves()
    assert not flows.reached("friend", 443, address=API_SERVICE)

    web = {"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": ONLY_WEB}
    flows.apply(podSelector=only_friends, policyTypes=["Egress"], egress=[DNS, web])
    flows.wait_for(("friend", 8080), *others)
    assert resolves()
    assert not flows.reached("friend", 443, address=API_SERVICE)


def test_a_pod_that_comes_later_is_under_the_policy_too(flows: Flows) -> None:
    flows.apply(podSelector={"matchLabels": {"app": "web"}}, policyTypes=["Ingress"], ingress=[{"from": [FRIENDS]}])
    flows.wait_for(("friend", 8080), ("friend", 8081))
    flows.kubernetes.run("delete", "pod", "web")
    flows.kubernetes.apply(server("web"))
    flows.kubernetes.wait_for_pod("web")
    flows.address = flows.address_of("web")
    flows.wait_for(("friend", 8080), ("friend", 8081))
