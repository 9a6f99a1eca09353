"""What a rule sees of a resource, and what a rule is. Knows nothing of Pulumi's policy SDK."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

UNKNOWN = "(known after up)"
"""Stands for a property that nobody knows during a preview. No rule objects to it: the ``up`` that knows it is checked too."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as it would be made."""

    type: str
    """Pulumi type token."""

    name: str
    properties: Mapping[str, Any]
    """Plain values, ``UNKNOWN`` where there is none yet."""

    urn: str = ""
    protect: bool = False
    references: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Property to the URNs of the resources its value comes from."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with a resource, and what to do."""

    resource: Resource
    message: str


Check = Callable[[Resource], Iterator[str]]
"""Yields what is wrong with one resource."""

StackCheck = Callable[[Sequence[Resource]], Iterator[Finding]]
"""Yields what is wrong with a whole stack."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One guard rail; has a check of either kind."""

    name: str
    description: str
    """What holds, in one sentence."""

    check: Check | None = None
    stack_check: StackCheck | None = None
    advisory: bool = False
    """Whether a finding is told and stops nothing."""


def findings(rule: Rule, resources: Sequence[Resource]) -> Iterator[Finding]:
    """Yield what ``rule`` finds in a stack."""
    if rule.check is not None:
        for resource in resources:
            for message in rule.check(resource):
                yield Finding(resource=resource, message=message)
    if rule.stack_check is not None:
        yield from rule.stack_check(resources)


def is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a list, or the one object; nothing where there is none or nobody knows it."""
    if is_object(value):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:  # pyright: ignore[reportUnknownVariableType] - a list of whatever a resource takes
            yield from objects(item)


def inside(value: Mapping[str, Any], path: str) -> Any:
    """Return the property at ``path``, such as ``spec.template``; ``None`` where there is none, ``UNKNOWN`` if not known."""
    found: Any = value
    for part in path.split("."):
        if found == UNKNOWN:
            return UNKNOWN
        found = found.get(part) if is_object(found) else None
    return found


def object_at(value: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the object at ``path``, an empty one where there is none."""
    found = inside(value, path)
    return found if is_object(found) else {}


def may_be(value: Any, *expected: Any) -> bool:
    """Tell whether a value is one of those expected, or is not known yet."""
    return value == UNKNOWN or value in expected
