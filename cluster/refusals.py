"""What the API server refused, out of its audit log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFUSED = (401, 403, 422)
"""Not known, not allowed (RBAC, admission, Pod Security, quota), not valid."""


@dataclass(frozen=True)
class Refusal:
    """One request that was refused."""

    time: str
    """As the server writes it: RFC 3339, UTC."""

    code: int
    user: str
    verb: str
    uri: str
    reason: str

    def __str__(self) -> str:
        return f"{self.time} {self.code} {self.user} {self.verb} {self.uri}: {self.reason}"


def read(log: Path) -> list[Refusal]:
    """Return the refusals in the log, oldest first."""
    return [_refusal(event) for event in _events(log) if event.get("responseStatus", {}).get("code") in REFUSED]


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            # The line being written.
            continue


def _refusal(event: dict[str, Any]) -> Refusal:
    status = event["responseStatus"]
    return Refusal(
        time=event["requestReceivedTimestamp"],
        code=status["code"],
        user=event.get("user", {}).get("username", "unknown"),
        verb=event["verb"],
        uri=event["requestURI"],
        reason=status.get("message") or status.get("reason") or "no reason given",
    )
