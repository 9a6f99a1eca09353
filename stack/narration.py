"""What Pulumi does, told while it does it, and what went wrong, kept for the end."""

import time
from collections.abc import Mapping
from typing import Any

from pulumi.automation import EngineEvent

from standalone.progress import Progress

TOLD = frozenset({"Deployment", "Job", "StatefulSet", "DaemonSet", "Cluster", "Instance", "Image", "NatGateway"})
"""Kinds that take their time."""

DONE = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}
QUIET_SECONDS = 10
"""A resource that is not ready is not told of before that, nor more often."""


class Narration:
    """Listens to the engine's events; prints what takes time, and collects errors."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._began: dict[str, float] = {}
        self._spoke: dict[str, float] = {}
        self.errors: list[str] = []
        """What the engine, the program and the providers said went wrong, in order."""

        self.changes: dict[str, int] = {}
        """Operation to count, without what stayed the same."""

    def listen(self, event: EngineEvent) -> None:
        if (before := event.resource_pre_event) is not None:
            self._began[before.metadata.urn] = time.monotonic()
        elif (after := event.res_outputs_event) is not None:
            self._finished(after.metadata.urn, after.metadata.type, str(after.metadata.op.value))
        elif (said := event.diagnostic_event) is not None:
            self._said(said.urn or "", said.message, said.severity)
        elif (summary := event.summary_event) is not None:
            self.changes = _counts(summary.resource_changes)

    def _finished(self, urn: str, token: str, operation: str) -> None:
        kind = token.rpartition(":")[2]
        done = next((word for verb, word in DONE.items() if operation.startswith(verb)), None)
        if done and kind in TOLD and operation not in ("create-replacement", "delete-replaced"):
            seconds = time.monotonic() - self._began.get(urn, time.monotonic())
            self._progress.say(f"      [dim]{kind} {_name(urn)} {done}, {seconds:.1f} s[/]")

    def _said(self, urn: str, message: str, severity: str) -> None:
        text = _plain(message).strip()
        if not text:
            return
        if severity == "error":
            if text not in self.errors:
                self.errors.append(text)
        elif severity in ("warning", "info") and self._may_speak(urn, severity):
            self._progress.say_plain(f"      {_name(urn)}: {text}")

    def _may_speak(self, urn: str, severity: str) -> bool:
        now = time.monotonic()
        if severity == "info" and now - self._spoke.get(urn, self._began.get(urn, now)) < QUIET_SECONDS:
            return False
        self._spoke[urn] = now
        return True


def _counts(changes: Mapping[Any, int]) -> dict[str, int]:
    named = {str(getattr(operation, "value", operation)): count for operation, count in changes.items()}
    return {operation: count for operation, count in named.items() if operation not in ("same", "read") and count}


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _plain(text: str) -> str:
    """Return the engine's text without its colour tags such as ``<{%reset%}>``."""
    parts = text.split("<{%")
    return parts[0] + "".join(part.partition("%}>")[2] for part in parts[1:])


def described(changes: Mapping[str, int]) -> str:
    """Return the changes as a phrase: ``44 created``, ``2 updated, 1 replaced``, ``nothing changed``."""
    return ", ".join(f"{count} {DONE.get(verb, verb)}" for verb, count in changes.items()) or "nothing changed"
