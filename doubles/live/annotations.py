"""What ``pulumi.com/*`` annotations ask of the provider.

Names and meaning: https://www.pulumi.com/registry/packages/kubernetes/annotations/
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doubles.wire import list_in, struct_in

PREFIX = "pulumi.com/"
PROPAGATION = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
DEFAULT_TIMEOUT_SECONDS = 600
"""What the plugin waits where neither an annotation nor ``customTimeouts`` says otherwise."""


class AnnotationError(ValueError):
    """An annotation whose value means nothing."""


@dataclass(frozen=True)
class WaitFor:
    """One condition of ``pulumi.com/waitFor``."""

    text: str
    """As it was written."""

    path: tuple[str, ...] = ()
    """Of ``jsonpath=``: names and indices."""

    condition: str = ""
    """Of ``condition=``: a type in ``status.conditions``."""

    value: str | None = None
    """What must be found; ``None``: anything."""

    def holds(self, found: Mapping[str, Any]) -> bool:
        if self.condition:
            conditions: list[dict[str, Any]] = list_in(struct_in(found, "status"), "conditions")
            states = {one.get("type"): one.get("status") for one in conditions}
            return states.get(self.condition) == (self.value or "True")
        inside: Any = found
        for part in self.path:
            try:
                inside = inside[int(part) if isinstance(inside, list) else part]
            except (KeyError, IndexError, ValueError, TypeError):
                return False
        return inside is not None if self.value is None else _text(inside) == self.value


@dataclass(frozen=True)
class Asked:
    """All that one object's annotations ask."""

    skip_await: bool = False
    wait_for: tuple[WaitFor, ...] = ()
    timeout_seconds: float | None = None
    patch_force: bool = False
    field_manager: str | None = None
    replace_unready: bool = False
    propagation: str = "Foreground"

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> "Asked":
        """Read an object's annotations. Raises AnnotationError that names the one that cannot be."""
        annotations: Mapping[str, str] = struct_in(struct_in(inputs, "metadata"), "annotations")
        given = {key.removeprefix(PREFIX): str(text) for key, text in annotations.items() if key.startswith(PREFIX)}
        policy = given.get("deletionPropagationPolicy", "foreground").lower()
        if policy not in PROPAGATION:
            raise AnnotationError(f"{PREFIX}deletionPropagationPolicy: {policy!r}; allowed: {', '.join(PROPAGATION)}")
        return cls(
            skip_await=_truth(given, "skipAwait"),
            wait_for=_conditions(given["waitFor"]) if "waitFor" in given else (),
            timeout_seconds=_seconds(given.get("timeoutSeconds")),
            patch_force=_truth(given, "patchForce"),
            field_manager=given.get("patchFieldManager"),
            replace_unready=_truth(given, "replaceUnready"),
            propagation=PROPAGATION[policy],
        )

    def deadline_seconds(self, custom_timeout: float) -> float:
        """Return how long to wait; ``custom_timeout`` is the resource option, 0 where it is not given."""
        return self.timeout_seconds or custom_timeout or DEFAULT_TIMEOUT_SECONDS


def _truth(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
    if text not in ("true", "false"):
        raise AnnotationError(f"{PREFIX}{name}: {text!r}; allowed: true, false")
    return text == "true"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise AnnotationError(f"{PREFIX}timeoutSeconds: {text!r}; allowed: whole seconds, 1 or more")
    return float(text)


def _conditions(text: str) -> tuple[WaitFor, ...]:
    texts: list[str] = json.loads(text) if text.startswith("[") else [text]
    return tuple(_condition(one) for one in texts)


def _condition(text: str) -> WaitFor:
    if found := re.fullmatch(r"condition=([^=]+)(?:=(.+))?", text):
        return WaitFor(text, condition=found[1], value=found[2])
    if found := re.fullmatch(r"jsonpath=\{?((?:\.[\w-]+|\[\d+\])+)\}?(?:=(.+))?", text):
        return WaitFor(text, path=tuple(re.findall(r"[\w-]+", found[1])), value=found[2])
    raise AnnotationError(
        f"{PREFIX}waitFor: {text!r}; allowed: condition=TYPE[=STATUS], "
        "jsonpath={.path.to[0].field}[=VALUE], or a JSON list of these"
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
