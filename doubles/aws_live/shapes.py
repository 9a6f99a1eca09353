"""Between the provider's names of properties and AWS's, by the AWS SDK's models."""

import json
import re
from collections.abc import Mapping
from typing import Any

from doubles.provider import RefusedError
from doubles.wire import is_list, is_object

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def provider_name(member: str) -> str:
    """Return how the provider calls a member: ``SSEAlgorithm`` is ``sseAlgorithm``."""
    first, *others = _WORD.findall(member)
    return "".join([first.lower(), *(word.capitalize() for word in others)])


def to_aws(shape: Any, value: Any) -> Any:
    """Return ``value`` with the names of ``shape``. Raises RefusedError for one that it does not have."""
    if is_list(value):
        return [to_aws(shape.member, item) for item in value]
    if not is_object(value) or shape.type_name != "structure":
        return value
    members = {provider_name(member): member for member in shape.members}
    if unknown := value.keys() - members.keys():
        raise RefusedError(f"{shape.name} of AWS has no {', '.join(sorted(unknown))}; expected some of {', '.join(members)}")
    return {members[key]: to_aws(shape.members[members[key]], item) for key, item in value.items()}


def from_aws(value: Any) -> Any:
    """Return an answer of AWS with the provider's names."""
    if is_list(value):
        return [from_aws(item) for item in value]
    if is_object(value):
        return {provider_name(key): from_aws(item) for key, item in value.items() if key != "ResponseMetadata"}
    return value


def tag_list(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in (tags or {}).items()]


def tag_map(tags: list[Mapping[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def as_text(document: Any) -> str:
    """Return a policy document as JSON; the SDK hands some out parsed."""
    return document if isinstance(document, str) else json.dumps(document)
