"""What is said about one combination of settings that cannot work."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RelationProblem:
    """One combination that cannot work."""

    keys: tuple[str, ...]
    """Top-level keys it depends on; it is not reported while one of them has a problem of its own."""

    where: str
    """The key to change, and its value."""

    reason: str
    """What is allowed, and why."""

    fix: str
    """What to do."""
