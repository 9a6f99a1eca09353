"""kubectl, as the tests use it: one namespace, probe pods, waiting with a deadline."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.built_tools import built_tool

PROBE_IMAGE = "docker.io/library/probe:1"
WAIT_SECONDS = 120
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}

Manifest = Mapping[str, Any]


class Kubernetes:
    """A cluster by kubectl, in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def command(self, *arguments: str) -> list[str]:
        return [str(built_tool("kubectl")), "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]

    def run(self, *arguments: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments), input=text, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done

    def apply(self, *manifests: Manifest) -> None:
        content = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.run("apply", "--filename", "-", text=json.dumps(content))

    def get(self, *arguments: str) -> dict[str, Any]:
        return json.loads(self.run("get", *arguments, "--output", "json").stdout)

    def make_namespace(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels}})
        # A controller makes it, and pods are refused before.
        self.wait("the default account", lambda: self.run("get", "serviceaccount", "default", check=False).returncode == 0)

    def remove_namespace(self) -> None:
        self.run("delete", "namespace", self.namespace, "--wait=false")

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"{what}: not so after {seconds} s"
            time.sleep(0.2)

    def wait_for_pod(self, name: str, *, condition: str = "Ready") -> None:
        done = self.run("wait", "pod", name, f"--for=condition={condition}", f"--timeout={WAIT_SECONDS - 10}s", check=False)
        assert done.returncode == 0, done.stderr + self.run("describe", "pod", name).stdout

    def phase(self, name: str) -> str:
        return self.get("pod", name)["status"]["phase"]

    def wait_for_end(self, name: str) -> str:
        """Return the phase a pod ended in."""
        self.wait(f"pod {name} ended", lambda: self.phase(name) in ("Succeeded", "Failed"))
        return self.phase(name)

    def fetch(self, pod: str, address: str, port: int, seconds: int = 10) -> str:
        """Return the name that a server pod tells a probe pod, nothing if it does not answer."""
        answer = self.shell(pod, f"printf 'GET /name HTTP/1.0\\r\\n\\r\\n' | timeout {seconds} nc {address} {port}").stdout
        return answer.splitlines()[-1] if "200 OK" in answer else ""

    def shell(self, pod: str, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in a probe pod; a script that failed is no error here."""
        return self.run("exec", pod, "--", "/busybox", "sh", "-c", script, check=False)


@contextmanager
def in_namespace(kubeconfig: Path) -> Generator[Kubernetes]:
    """Make a namespace under restricted Pod Security, and remove it with all that is in it."""
    client = Kubernetes(kubeconfig, f"test-{secrets.token_hex(4)}")
    client.make_namespace()
    yield client
    client.remove_namespace()


def probe(name: str, script: str, *, labels: Mapping[str, str] | None = None, claim: str | None = None) -> dict[str, Any]:
    """Return a pod that runs a busybox script as restricted Pod Security wants it; a claim is at ``/data``."""
    container = {
        "name": "probe",
        "image": PROBE_IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/busybox", "sh", "-c", script],
        "ports": [{"name": "web", "containerPort": 8080}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels or {"app": name})},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED,
            "containers": [container],
            "volumes": [{"name": "data", **volume}],
        },
    }


def server(name: str, *, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a pod that answers its own name over HTTP on port 8080 (``web``), and on 8081."""
    script = (f"echo {name} > /data/name; busybox httpd -p 8081 -h /data; exec busybox httpd -f -p 8080 -h /data").replace(
        "busybox", "/busybox"
    )
    pod = probe(name, script, labels=labels)
    pod["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/name", "port": "web"}, "periodSeconds": 1}
    return pod
