"""Components under Pulumi's mocks: wiring, exact inputs, parentage."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc

from rendering import RecordedResource, render_stack


def plain(value: Any) -> Any:
    """Return a recorded input with secrets opened and whole numbers as such."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class Stack:
    """What a stack declares, to ask questions of."""

    resources: list[RecordedResource]

    def all(self, typ: str) -> list[RecordedResource]:
        """Return the resources whose type token ends in ``typ``."""
        return [resource for resource in self.resources if f":{resource.type}".endswith(f":{typ}")]

    def only(self, typ: str, name: str | None = None) -> dict[str, Any]:
        """Return the inputs of the one resource of a type, or of the one with a logical or Kubernetes name."""
        (found,) = [
            resource
            for resource in self.all(typ)
            if name is None or name in (resource.name, (resource.inputs.get("metadata") or {}).get("name"))
        ]
        return plain(found.inputs)

    def pods(self) -> dict[str, dict[str, Any]]:
        """Return every pod template in the stack by the name of what makes it."""
        makers = [*self.all("Deployment"), *self.all("StatefulSet"), *self.all("Job")]
        return {maker.inputs["metadata"]["name"]: plain(maker.inputs)["spec"]["template"] for maker in makers}

    def task_pod(self) -> dict[str, Any]:
        """Return the template KubernetesExecutor starts from."""
        return yaml.safe_load(self.only("ConfigMap", "airflow-pod-template")["data"]["pod-template.yaml"])

    def environment(self) -> dict[str, str]:
        """Return what every Airflow container reads from the ConfigMap."""
        return self.only("ConfigMap", "airflow-config")["data"]

    def containers(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Yield every container of every pod with a name to tell it by."""
        for pod, template in self.pods().items():
            spec = template["spec"]
            for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
                yield f"{pod}/{container['name']}", container


@pytest.fixture(scope="session")
def deploy() -> Callable[..., Stack]:
    """Return a function from a stack's name, or from other values for it, to what the program declares."""
    made: dict[str, Stack] = {}

    def declared(name: str, values: dict[str, Any] | None = None) -> Stack:
        if values is not None:
            return Stack(render_stack(name, values))
        if name not in made:
            made[name] = Stack(render_stack(name))
        return made[name]

    return declared


@pytest.fixture(scope="session")
def local(deploy: Callable[..., Stack]) -> Stack:
    """The local stack."""
    return deploy("local")


@pytest.fixture(scope="session")
def prod(deploy: Callable[..., Stack]) -> Stack:
    """The prod stack."""
    return deploy("prod")


@pytest.fixture(scope="session", params=["local", "dev", "prod"])
def every(request: pytest.FixtureRequest, deploy: Callable[..., Stack]) -> Stack:
    """Each stack in turn."""
    return deploy(request.param)
