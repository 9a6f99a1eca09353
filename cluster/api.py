"""A cluster's API server, as far as starting one needs it: apply what belongs in it, and wait."""

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from cluster.components import API_PORT
from cluster.errors import NodeError
from cluster.paths import StateFolder

POLL_SECONDS = 0.1
FIELD_MANAGER = "airflow-control-plane"


class ApiServer:
    """A client that checks the server's certificate and shows its own."""

    def __init__(self, address: str, authority: Path, certificate: Path, key: Path) -> None:
        trust = ssl.create_default_context(cafile=str(authority))
        trust.load_cert_chain(certificate, key)
        self._client = httpx.Client(base_url=address, verify=trust, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def is_ready(self) -> bool:
        try:
            return self._client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def apply(self, manifest: Mapping[str, Any], path: str) -> None:
        """Apply an object server-side at ``path``. Raises NodeError if it is refused."""
        response = self._client.patch(
            path,
            params={"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": "true"},
            json=manifest,
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        if response.is_error:
            raise NodeError(
                f"{path}: {response.status_code} {response.text}", "This should not happen; see the API server's log."
            )

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object at ``path``, ``None`` if there is none or the server does not answer now."""
        try:
            response = self._client.get(path)
        except httpx.TransportError:
            return None
        return response.json() if response.is_success else None


def server_url(address: str) -> str:
    """Return the API server's URL on a node of ours."""
    return f"https://{address}:{API_PORT}"


def api_server_of(folder: StateFolder, address: str) -> ApiServer:
    """Return a client with the administrator's certificate."""
    pki = folder.pki
    return ApiServer(server_url(address), pki / "ca.crt", pki / "admin.crt", pki / "admin.key")


def path_of(manifest: Mapping[str, Any]) -> str:
    """Return where an object is, for the kinds whose plural is their name and an s."""
    api_version, metadata = manifest["apiVersion"], manifest["metadata"]
    root = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    plural = manifest["kind"].lower() + ("es" if manifest["kind"].endswith("s") else "s")
    return f"{root}{namespace}/{plural}/{metadata['name']}"


def condition(found: Mapping[str, Any] | None, kind: str) -> bool:
    """Tell whether the status of an object says ``True`` to a condition."""
    conditions: list[dict[str, Any]] = (found or {}).get("status", {}).get("conditions", [])
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def wait(holds: Callable[[], bool], seconds: float) -> bool:
    """Return whether ``holds`` became true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
