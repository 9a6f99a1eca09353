"""Between protobuf structs, as the engine sends them, and plain Python values."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

UNKNOWN = rpc.UNKNOWN
# The SDK has no public names for the marks of the engine's protocol.
_SIGNATURE = rpc._special_sig_key  # pyright: ignore[reportPrivateUsage]
_SECRET = rpc._special_secret_sig  # pyright: ignore[reportPrivateUsage]
_OUTPUT = rpc._special_output_value_sig  # pyright: ignore[reportPrivateUsage]
_RESOURCE = rpc._special_resource_sig  # pyright: ignore[reportPrivateUsage]


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def struct_in(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the object at ``key``, an empty one where there is none."""
    return value.get(key) or {}


def list_in(value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the list of objects at ``key``, an empty one where there is none."""
    return value.get(key) or []


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the struct as a dict, with whole numbers as ``int``: an API server refuses ``80.0`` as a port."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def secret(value: Any) -> dict[str, Any]:
    """Return ``value`` marked as secret, as the engine wants it."""
    return {_SIGNATURE: _SECRET, "value": value}


def is_secret(value: Any) -> bool:
    return is_object(value) and value.get(_SIGNATURE) == _SECRET


def has_secret(value: Any) -> bool:
    """Tell whether anything inside ``value`` is marked as secret."""
    if is_object(value):
        return is_secret(value) or any(has_secret(item) for item in value.values())
    return is_list(value) and any(has_secret(item) for item in value)


def resource_reference(urn: str, resource_id: str) -> dict[str, Any]:
    return {_SIGNATURE: _RESOURCE, "urn": urn, "id": resource_id, "packageVersion": ""}


def plain(value: Any) -> Any:
    """Return ``value`` without marks of secrecy, outputs as what they hold, and whole numbers as such."""
    if is_object(value):
        match value.get(_SIGNATURE):
            case sig if sig == _SECRET:
                return plain(value["value"])
            case sig if sig == _OUTPUT:
                return plain(value["value"]) if "value" in value else UNKNOWN
            case _:
                return {key: plain(item) for key, item in value.items()}
    if is_list(value):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def without_outputs(value: Any) -> Any:
    """Return ``value`` with output values replaced by secrets, unknowns or plain values: what a resource's inputs may hold."""
    if is_object(value):
        if value.get(_SIGNATURE) == _OUTPUT:
            inner = without_outputs(value["value"]) if "value" in value else UNKNOWN
            return secret(inner) if value.get("secret") else inner
        return {key: without_outputs(item) for key, item in value.items()}
    if is_list(value):
        return [without_outputs(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    if is_object(value):
        return any(has_unknown(item) for item in value.values())
    if is_list(value):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN


def merged(base: Mapping[str, Any], additions: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``additions`` laid over it, dict into dict."""
    result = dict(base)
    for key, value in additions.items():
        old = result.get(key)
        result[key] = merged(old, value) if is_object(old) and is_object(value) and _SIGNATURE not in old else value
    return result
