"""From recorded resources to YAML documents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import yaml
from pulumi.runtime import rpc

from rendering.recorder import RecordedResource

SECRET = "[secret]"  # noqa: S105 - what is printed instead of one


def documents(resources: Iterable[RecordedResource], *, kubernetes_only: bool = False) -> list[dict[str, Any]]:
    """Return one document per resource that providers make, in their order.

    Kubernetes objects are themselves. Others have ``apiVersion: pulumi``, their type token as ``kind`` and their inputs as
    ``spec``, so that every document has the same four places to look at. Secret values are masked.
    """
    result: list[dict[str, Any]] = []
    for resource in resources:
        if not (resource.custom or resource.remote) or resource.type.startswith("pulumi:"):
            continue
        inputs = masked(resource.inputs)
        if "apiVersion" in inputs:
            result.append({"apiVersion": inputs.pop("apiVersion"), "kind": inputs.pop("kind"), **inputs})
        elif not kubernetes_only:
            name = {"name": resource.name}
            result.append({"apiVersion": "pulumi", "kind": resource.type, "metadata": name, "spec": inputs})
    return result


def to_yaml(found: Iterable[Mapping[str, Any]]) -> str:
    """Return the documents as one multi-document YAML text."""
    return yaml.safe_dump_all([dict(document) for document in found], explicit_start=True, sort_keys=False, width=120)


def masked(value: Any) -> Any:
    """Return ``value`` with every secret in it replaced, and whole numbers as such."""
    if isinstance(value, Mapping):
        mapping = cast(Mapping[str, Any], value)
        if mapping.get(rpc._special_sig_key) == rpc._special_secret_sig:  # pyright: ignore[reportPrivateUsage] - no public name
            return _veiled(mapping["value"])
        return {key: masked(item) for key, item in sorted(mapping.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [masked(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - a list of whatever a resource takes
    # Numbers cross Pulumi's protocol as doubles.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _veiled(secret: Any) -> Any:
    """Return a secret with its shape left, since a Kubernetes Secret's data must stay a map to be valid."""
    if isinstance(secret, Mapping):
        return {key: _veiled(item) for key, item in sorted(cast(Mapping[str, Any], secret).items())}
    return SECRET
