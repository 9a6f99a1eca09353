"""Whether what was asked for and what AWS has are the same, and what a resource's inputs are where they are not."""

import json
from collections.abc import Mapping
from typing import Any

from doubles import wire
from doubles.wire import is_list, is_object


def inputs_as_found(inputs: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``inputs``, marks of secrecy kept, with what AWS has in place of what differs from it."""
    return {key: _kept(value, found[key]) if key in found else value for key, value in inputs.items()}


def _kept(value: Any, there: Any) -> Any:
    if agree(wire.plain(value), wire.plain(there)):
        return value
    return wire.secret(wire.plain(there)) if wire.has_secret(value) or wire.has_secret(there) else there


def agree(one: Any, other: Any) -> bool:
    """Compare as the provider does: documents by what they say, and nothing is the same as an empty thing."""
    if is_object(one) and is_object(other):
        return all(agree(one.get(key), other.get(key)) for key in one.keys() | other.keys())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(agree(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str) and one != other:
        return _is_document(one) and _is_document(other) and json.loads(one) == json.loads(other)
    return one == other or (not one and not other)


def _is_document(text: str) -> bool:
    try:
        return is_object(json.loads(text))
    except ValueError:
        return False
