"""What pods of any stack rely on: they run, are restricted, find names and each other, and keep their data."""

import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from cluster import Cluster
from tests.cluster.kubernetes import Kubernetes, probe, server


def test_a_pod_runs_to_completion_and_its_log_is_read(kubernetes: Kubernetes) -> None:
    kubernetes.apply(probe("greeter", "echo hello from $HOSTNAME"), probe("failing", "echo alas; exit 3"))
    assert kubernetes.wait_for_end("greeter") == "Succeeded"
    assert kubernetes.run("logs", "greeter").stdout == "hello from greeter\n"
    assert kubernetes.wait_for_end("failing") == "Failed"
    assert kubernetes.get("pod", "failing")["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_privileged_pod_is_refused_and_the_refusal_is_told(kubernetes: Kubernetes, up: Cluster) -> None:
    pod = probe("privileged", "true")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kubernetes.apply(pod)
    told = subprocess.run(
        [sys.executable, "-m", "cluster", "refused", "--state", str(up.kubeconfig.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(rf" 403 admin create /api/v1/namespaces/{kubernetes.namespace}/pods.* violates PodSecurity", told.stdout)


def test_names_and_services_are_found_by_pods_and_node_ports_from_here(kubernetes: Kubernetes, up: Cluster) -> None:
    ports = [{"port": 80, "targetPort": "web"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": ports},
    }
    kubernetes.apply(service, server("web"), probe("client", "sleep 3600"))
    kubernetes.wait_for_pod("web")
    kubernetes.wait_for_pod("client")
    made = kubernetes.get("service", "web")["spec"]
    address, name = made["clusterIP"], f"web.{kubernetes.namespace}.svc.cluster.local"
    # A static busybox asks the DNS itself but cannot load what turns names into addresses for its other commands.
    kubernetes.wait(f"{name} is known", lambda: f"Address: {address}" in kubernetes.shell("client", f"nslookup {name}").stdout)
    # A Service follows its pods within a second or two.
    kubernetes.wait("the Service answers", lambda: kubernetes.fetch("client", address, 80) == "web")
    # Its own Service too, which comes back to it from the node.
    assert kubernetes.fetch("web", address, 80) == "web"
    assert "NXDOMAIN" in kubernetes.shell("client", "nslookup no.such.name").stdout
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{up.node_address}:{made['ports'][0]['nodePort']}/name", timeout=30) as response:
        assert response.read() == b"web\n"


def test_a_pod_reaches_a_program_on_this_machine(kubernetes: Kubernetes, up: Cluster) -> None:
    with socket.create_server((str(up.host_address), 0)) as listener:
        listener.settimeout(60)
        port = listener.getsockname()[1]
        kubernetes.apply(probe("client", f"echo hello | nc -w 5 {up.host_address} {port}"))
        connection, (address, _) = listener.accept()
        with connection:
            assert connection.recv(100) == b"hello\n"
    assert address == up.node_address, "pods leave the node with its address"


def test_a_claim_is_bound_and_its_data_outlives_the_pod(kubernetes: Kubernetes) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "kept"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}},
    }
    kubernetes.apply(claim, probe("writer", "echo kept > /data/file", claim="kept"))
    assert kubernetes.wait_for_end("writer") == "Succeeded"
    assert kubernetes.get("pvc", "kept")["status"]["phase"] == "Bound"
    kubernetes.run("delete", "pod", "writer")
    kubernetes.apply(probe("reader", "cat /data/file", claim="kept"))
    assert kubernetes.wait_for_end("reader") == "Succeeded"
    assert kubernetes.run("logs", "reader").stdout == "kept\n"


def test_commands_run_in_a_pod_and_ports_are_forwarded(kubernetes: Kubernetes) -> None:
    kubernetes.apply(server("web"))
    kubernetes.wait_for_pod("web")
    assert kubernetes.shell("web", "exit 7").returncode == 7
    forward = subprocess.Popen(kubernetes.command("port-forward", "pod/web", ":8080"), stdout=subprocess.PIPE, text=True)
    try:
        assert forward.stdout
        found = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
        assert found
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{found[1]}/name", timeout=30) as response:
            assert response.read() == b"web\n"
    finally:
        forward.kill()
        forward.communicate()
