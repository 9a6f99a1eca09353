"""An API server as the tests speak to it: apply, create, ask who may do what."""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

Manifest = Mapping[str, Any]


class RefusedError(AssertionError):
    """The API server said no; its status code and reason."""


class Cluster:
    """A client that raises what the server refuses, and what it only warns of too."""

    def __init__(self, client: httpx.Client, kubeconfig: Path) -> None:
        self._client = client
        self.kubeconfig = kubeconfig

    def apply(
        self, manifest: Manifest, *, dry_run: bool = False, manager: str = "tests", force: bool = False
    ) -> dict[str, Any]:
        """Server-side apply, every field checked by name. Returns what the server made of it.

        Raises RefusedError too where another ``manager`` owns a field with another value, unless by ``force``.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        if force:
            query["force"] = "true"
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}"
        content_type = {"Content-Type": "application/apply-patch+yaml"}
        return _accepted(self._client.patch(path, params=query, json=manifest, headers=content_type))

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> dict[str, Any]:
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        return _accepted(self._client.post(self._collection(manifest), params=query, json=manifest))

    def delete(self, manifest: Manifest) -> None:
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}"
        _accepted(self._client.request("DELETE", path, params={"propagationPolicy": "Background"}))

    def put_status(self, manifest: Manifest) -> None:
        """Write the status, as the object's controller would."""
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}/status"
        _accepted(self._client.put(path, json=manifest))

    def patch_status(self, manifest: Manifest, status: Manifest) -> None:
        """Merge into the status, as the object's controller would."""
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}/status"
        headers = {"Content-Type": "application/merge-patch+json"}
        _accepted(self._client.patch(path, json={"status": status}, headers=headers))

    def release(self, manifest: Manifest) -> None:
        """Take the finalizers off, as the garbage collector does; a namespace's too, as its controller does."""
        path = f"{self._collection(manifest)}/{manifest['metadata']['name']}"
        headers = {"Content-Type": "application/merge-patch+json"}
        if manifest["metadata"].get("finalizers"):
            _accepted(self._client.patch(path, json={"metadata": {"finalizers": None}}, headers=headers))
        if manifest["kind"] == "Namespace":
            _accepted(self._client.put(f"{path}/finalize", json={**manifest, "spec": {"finalizers": []}}))

    def all_of(self, api_version: str, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """Return the objects of a kind as the server keeps them, its defaults filled in."""
        found = _accepted(
            self._client.get(self._collection({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}))
        )
        return [{"apiVersion": api_version, "kind": kind, **item} for item in found["items"]]

    def token(self, namespace: str, account: str) -> str:
        """Return a token with which one is that service account for an hour."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return str(_accepted(self._client.post(path, json=body))["status"]["token"])

    def may(self, namespace: str, account: str, verb: str, resource: str, *, where: str) -> bool:
        """Tell whether an account of ``namespace`` may do ``verb`` on ``resource`` or ``resource/subresource`` in ``where``."""
        name, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "resource": name, "subresource": subresource, "namespace": where}
        user, groups = _identity(namespace, account)
        review = {"spec": {"user": user, "groups": groups, "resourceAttributes": attributes}}
        return self._review("SubjectAccessReview", review)["status"]["allowed"]

    def administrator_may(self, verb: str, resource: str, namespace: str) -> bool:
        attributes = {"verb": verb, "resource": resource, "namespace": namespace}
        return self._review("SelfSubjectAccessReview", {"spec": {"resourceAttributes": attributes}})["status"]["allowed"]

    def rules(self, namespace: str, account: str) -> set[str]:
        """Return everything a service account may do in its namespace, as RBAC adds it up, one rule a text."""
        user, groups = _identity(namespace, account)
        headers = [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]
        status = self._review("SelfSubjectRulesReview", {"spec": {"namespace": namespace}}, headers)["status"]
        assert not status["incomplete"]
        return {json.dumps(rule) for kind in ("resourceRules", "nonResourceRules") for rule in status[kind]}

    def _review(self, kind: str, review: Manifest, headers: list[tuple[str, str]] | None = None) -> dict[str, Any]:
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, **review}
        return _accepted(self._client.post(f"/apis/authorization.k8s.io/v1/{kind.lower()}s", json=body, headers=headers))

    def serves(self, manifest: Manifest) -> bool:
        """Tell whether the server knows the kind without any CustomResourceDefinition."""
        return manifest["kind"] in self._kinds(manifest["apiVersion"])

    @functools.cache  # noqa: B019 - one cluster lives as long as the session
    def _kinds(self, api_version: str) -> dict[str, tuple[str, bool]]:
        response = self._client.get(f"/{'apis' if '/' in api_version else 'api'}/{api_version}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return {}
        listed = _accepted(response)["resources"]
        return {one["kind"]: (one["name"], one["namespaced"]) for one in listed if "/" not in one["name"]}

    def _collection(self, manifest: Manifest) -> str:
        api_version = manifest["apiVersion"]
        name, namespaced = self._kinds(api_version)[manifest["kind"]]
        root = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
        namespace = (manifest.get("metadata") or {}).get("namespace")
        return f"{root}/namespaces/{namespace}/{name}" if namespaced and namespace else f"{root}/{name}"


def _identity(namespace: str, account: str) -> tuple[str, list[str]]:
    """Return user and groups of a service account."""
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    return f"system:serviceaccount:{namespace}:{account}", groups


def _accepted(response: httpx.Response) -> dict[str, Any]:
    body = response.json()
    if response.is_error:
        raise RefusedError(f"{response.status_code} {body.get('message', response.text)}")
    if warnings := response.headers.get_list("warning"):
        raise RefusedError(f"accepted with warnings: {warnings}")
    return body


def pod_templates(workload: Manifest) -> Iterator[Manifest]:
    """Yield the pod template of anything that makes pods."""
    match workload["kind"]:
        case "CronJob":
            yield workload["spec"]["jobTemplate"]["spec"]["template"]
        case "Deployment" | "StatefulSet" | "Job" | "DaemonSet":
            yield workload["spec"]["template"]
        case _:
            return


def pods_of(workload: Manifest) -> Iterator[dict[str, Any]]:
    """Yield the pods that the controllers would make, one per replica."""
    for template in pod_templates(workload):
        spec = dict(template["spec"])
        claims = workload["spec"].get("volumeClaimTemplates", [])
        for index in range(workload["spec"].get("replicas", 1)):
            owner = workload["metadata"]["name"]
            volumes = [
                {
                    "name": claim["metadata"]["name"],
                    "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{owner}-{index}"},
                }
                for claim in claims
            ]
            metadata = {
                **template.get("metadata", {}),
                "name": f"{owner}-{index}",
                "namespace": workload["metadata"]["namespace"],
            }
            metadata.pop("creationTimestamp", None)
            spec["volumes"] = [*spec.get("volumes", []), *volumes]
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(spec)}
            spec["volumes"] = template["spec"].get("volumes", [])
