"""The API server as the provider speaks to it: server-side apply, get, list, delete, logs. Objects are plain JSON."""
# The client has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3.exceptions
import yaml
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

Object = Mapping[str, Any]

TIMEOUT_SECONDS = 30
APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """The API server refused; its HTTP status and its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UnreachableError(ApiError):
    """No API server answered, or the kubeconfig leads to none."""

    def __init__(self, message: str) -> None:
        super().__init__(0, message)


@dataclass(frozen=True)
class Accepted:
    """An object as the server keeps it, and what it warned of."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()


class Objects:
    """Any object of one API server, by ``apiVersion``, ``kind``, namespace and name.

    Raises ApiError for what the server refuses, UnreachableError where there is none.
    """

    def __init__(self, api_client: Any) -> None:
        self._client = api_client
        self._collections: dict[tuple[str, str], tuple[str, bool]] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_kubeconfig(cls, kubeconfig: str | None = None, context: str | None = None) -> "Objects":
        """Open a kubeconfig: its text, a path, or with ``None`` where ``kubectl`` would look."""
        try:
            if kubeconfig and "\n" not in kubeconfig and not kubeconfig.lstrip().startswith("{"):
                return cls(config.new_client_from_config(config_file=str(Path(kubeconfig).expanduser()), context=context))
            if kubeconfig:
                return cls(config.new_client_from_config_dict(yaml.safe_load(kubeconfig), context=context))
            return cls(config.new_client_from_config(context=context))
        except (ConfigException, OSError, yaml.YAMLError) as error:
            raise UnreachableError(f"the kubeconfig cannot be used: {error}") from error

    @property
    def client(self) -> Any:
        """The ``kubernetes`` package's client behind it, for streams."""
        return self._client

    def version(self) -> str:
        """Return the server's version, such as ``v1.34.4``."""
        return str(self._request("GET", "/version").object["gitVersion"])

    def apply(self, manifest: Object, *, manager: str, force: bool = False, dry_run: bool = False) -> Accepted:
        """Server-side apply; the server's answer is the object, or with ``dry_run`` what it would be."""
        query = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        return self._request("PATCH", self.path(manifest), query, body=manifest, content_type=APPLY)

    def get(self, manifest: Object) -> dict[str, Any] | None:
        """Return the object that ``manifest`` names, ``None`` where there is none."""
        try:
            return self._request("GET", self.path(manifest)).object
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def delete(self, manifest: Object, *, propagation: str) -> bool:
        """Ask for deletion; tell whether there was anything. ``propagation``: Foreground, Background or Orphan."""
        try:
            self._request("DELETE", self.path(manifest), {"propagationPolicy": propagation})
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def all_of(self, api_version: str, kind: str, namespace: str, *, selector: Mapping[str, str] | None = None) -> list[Any]:
        """Return the objects of a kind in a namespace, those whose labels match."""
        labels = ",".join(f"{key}={value}" for key, value in (selector or {}).items())
        path = self.path({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}})
        return self._request("GET", path, {"labelSelector": labels} if labels else {}).object.get("items") or []

    def log(self, namespace: str, pod: str, container: str, *, lines: int, previous: bool = False) -> str:
        """Return a container's last lines; empty where there is no log."""
        query = {"container": container, "tailLines": str(lines), "previous": str(previous).lower()}
        try:
            return self._raw("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query, None, None)[0]
        except ApiError:
            return ""

    def path(self, manifest: Object) -> str:
        """Return the URL path of an object, of its collection where it has no name."""
        api_version, metadata = manifest["apiVersion"], manifest.get("metadata") or {}
        plural, namespaced = self._collection(api_version, manifest["kind"])
        parts = [f"/{'apis' if '/' in api_version else 'api'}/{api_version}"]
        if namespaced:
            parts.append(f"namespaces/{metadata.get('namespace') or 'default'}")
        return "/".join([*parts, plural, *([metadata["name"]] if metadata.get("name") else [])])

    def _collection(self, api_version: str, kind: str) -> tuple[str, bool]:
        with self._lock:
            if (api_version, kind) not in self._collections:
                root = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
                for one in self._request("GET", root).object["resources"]:
                    if "/" not in one["name"]:
                        self._collections[api_version, one["kind"]] = one["name"], one["namespaced"]
            if (api_version, kind) not in self._collections:
                raise ApiError(404, f'no matches for kind "{kind}" in version "{api_version}"')
            return self._collections[api_version, kind]

    def _request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, *, body: Any = None, content_type: str = ""
    ) -> Accepted:
        text, headers = self._raw(method, path, query or {}, body, content_type or None)
        warnings = headers.getlist("Warning") if hasattr(headers, "getlist") else []
        return Accepted(json.loads(text), tuple(one.split('"')[1] if '"' in one else one for one in warnings))

    def _raw(self, method: str, path: str, query: Mapping[str, str], body: Any, content_type: str | None) -> tuple[str, Any]:
        headers = {"Accept": "application/json", **({"Content-Type": content_type} if content_type else {})}
        try:
            response = self._client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=TIMEOUT_SECONDS,
            )
        except ApiException as error:
            if not error.status:
                raise UnreachableError(f"{self._client.configuration.host}: {error.reason}") from error
            raise ApiError(error.status, _message(error)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise UnreachableError(f"{self._client.configuration.host} does not answer: {reason}") from error
        return response.data.decode(errors="replace"), response.headers


def _message(error: Any) -> str:
    try:
        return json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
