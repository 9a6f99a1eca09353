"""Waiting for objects: until they are ready, or gone, or time is up, or the engine wants no more."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from doubles.live.annotations import Asked
from doubles.live.objects import Objects
from doubles.live.readiness import READY, Readiness, has_endpoint, needs_endpoints, readiness
from doubles.live.reasons import LOG_LINES, reasons

LOOK_SECONDS = 0.5
SAY_SECONDS = 5
"""How often pods are asked what keeps them."""

Object = Mapping[str, Any]
Say = Callable[[str], None]


class NotReadyError(Exception):
    """An object that exists and did not become ready; one reason or more."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Waiting:
    """Waits on one API server. ``cancelled`` ends every wait."""

    def __init__(self, objects: Objects, cancelled: threading.Event) -> None:
        self._objects = objects
        self._cancelled = cancelled

    def until_ready(self, manifest: Object, asked: Asked, *, seconds: float, say: Say) -> dict[str, Any]:
        """Return the object once it is ready. Raises NotReadyError with the pods' reasons and last lines."""
        deadline, spoken = time.monotonic() + seconds, 0.0
        while True:
            found = self._objects.get(manifest)
            verdict = self.verdict(found, asked) if found else Readiness(False, "it was deleted by somebody else", failed=True)
            if found and verdict.ready:
                return found
            over = time.monotonic() > deadline
            if verdict.failed or over or self._cancelled.is_set():
                raise NotReadyError(self._problems(found or manifest, verdict, seconds, over=over))
            if time.monotonic() - spoken > SAY_SECONDS:
                spoken = time.monotonic()
                line = "; ".join([verdict.message, *reasons(self._objects, found or manifest, logs=1)])
                say(line)
            self._cancelled.wait(LOOK_SECONDS)

    def until_gone(self, manifest: Object, uid: str, *, seconds: float, say: Say) -> None:
        """Wait until the object, or at least the one with ``uid``, is no more. Raises NotReadyError."""
        deadline, last = time.monotonic() + seconds, ""
        while (found := self._objects.get(manifest)) and found["metadata"]["uid"] == uid:
            kept = ", ".join(found["metadata"].get("finalizers") or []) or "none"
            if self._cancelled.is_set():
                raise NotReadyError(["the wait for its deletion was cancelled"])
            if time.monotonic() > deadline:
                raise NotReadyError([f"still there after {seconds:.0f} s; its finalizers: {kept}"])
            if kept != last:
                say(f"being deleted; finalizers: {kept}")
                last = kept
            self._cancelled.wait(LOOK_SECONDS)

    def verdict(self, found: Object, asked: Asked) -> Readiness:
        """Return whether ``found`` is ready by its annotations, else by its kind."""
        if asked.skip_await:
            return READY
        if asked.wait_for:
            missing = [one.text for one in asked.wait_for if not one.holds(found)]
            return Readiness(False, f"waits for {', '.join(missing)}") if missing else READY
        verdict = readiness(found)
        if verdict.ready and found["kind"] == "Service" and needs_endpoints(found):
            labels = {"kubernetes.io/service-name": found["metadata"]["name"]}
            slices = self._objects.all_of(
                "discovery.k8s.io/v1", "EndpointSlice", found["metadata"]["namespace"], selector=labels
            )
            return READY if has_endpoint(slices) else Readiness(False, "no pod answers for it yet")
        if not verdict.ready and found["kind"] == "PersistentVolumeClaim" and self._binds_at_first_use(found):
            return READY
        return verdict

    def _binds_at_first_use(self, claim: Object) -> bool:
        name = claim["spec"].get("storageClassName")
        if not name:
            return False
        manifest = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        found = self._objects.get(manifest)
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _problems(self, found: Object, verdict: Readiness, seconds: float, *, over: bool) -> list[str]:
        what = f"{found['kind']} {found['metadata']['name']}"
        why = "the wait was cancelled" if self._cancelled.is_set() else f"not ready after {seconds:.0f} s"
        first = f"{what}: {verdict.message}" if verdict.failed else f"{what}: {why}: {verdict.message}"
        return [first, *reasons(self._objects, found, logs=LOG_LINES)]
