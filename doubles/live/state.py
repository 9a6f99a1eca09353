"""What a resource's state holds: the live object, with secret what was secret, and without the server's bookkeeping."""

from collections.abc import Mapping
from typing import Any

from doubles import wire

FIELD_MANAGER = "__fieldManager"
BOOKKEEPING = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
SECRET_FIELDS = ("data", "stringData")


def comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what changes by itself."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in BOOKKEEPING}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def outputs(inputs: Mapping[str, Any], found: Mapping[str, Any], manager: str) -> dict[str, Any]:
    """Return the state of ``found``, made from ``inputs`` as the engine sent them, their secrets marked."""
    metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
    # Secrets are written as stringData and kept as data; programs may read both.
    written = {key: inputs[key] for key in ("stringData",) if key in inputs}
    state: dict[str, Any] = _marked(inputs, {**written, **found, "metadata": metadata})
    if found["kind"] == "Secret":
        state |= {key: wire.secret(wire.plain(state[key])) for key in SECRET_FIELDS if key in state}
    return {
        **state,
        FIELD_MANAGER: manager,
        "__initialApiVersion": found["apiVersion"],
        "__initialKind": found["kind"],
    }


def overlaid(inputs: Any, found: Any) -> Any:
    """Return ``inputs`` with what ``found`` has in the same places: what a refresh takes for the new inputs."""
    if wire.is_secret(inputs):
        return wire.secret(overlaid(wire.plain(inputs), found))
    if wire.is_object(inputs) and wire.is_object(found):
        # What the server keeps elsewhere, as it does stringData, stays as it was written.
        return {key: overlaid(value, found.get(key, value)) for key, value in inputs.items()}
    if wire.is_list(inputs) and wire.is_list(found) and len(inputs) == len(found):
        return [overlaid(value, there) for value, there in zip(inputs, found, strict=True)]
    return found


def _marked(inputs: Any, found: Any) -> Any:
    """Return ``found`` with marks of secrecy wherever ``inputs`` has them."""
    if wire.is_secret(inputs):
        return wire.secret(wire.plain(found))
    if wire.is_object(inputs) and wire.is_object(found):
        return {key: _marked(inputs[key], value) if key in inputs else value for key, value in found.items()}
    if wire.is_list(inputs) and wire.is_list(found) and len(inputs) == len(found):
        return [_marked(value, there) for value, there in zip(inputs, found, strict=True)]
    # A list the server added to cannot be told apart item by item.
    return wire.secret(found) if wire.is_list(inputs) and wire.has_secret(inputs) else found
