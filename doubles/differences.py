"""What changed between old and new inputs, path by path, as providers report it to the engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from doubles.wire import UNKNOWN, is_list, is_object

Path = tuple[str | int, ...]
_MISSING = object()


@dataclass(frozen=True)
class Difference:
    """One changed property."""

    path: Path
    kind: Literal["ADD", "DELETE", "UPDATE"]
    value: Any
    """The new value; ``None`` where there is none or nobody knows it yet."""

    old: Any = None
    """The old value, where one was changed into another."""

    def __str__(self) -> str:
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            elif any(sign in part for sign in '."[]'):
                text += f'["{part}"]'
            else:
                text += f".{part}" if text else part
        return text

    def touches(self, pattern: str) -> bool:
        """Tell whether the property at ``pattern``, such as ``spec.selector``, is the changed one, holds it or lies in it."""
        wanted = pattern.split(".")
        shared = min(len(wanted), len(self.path))
        if tuple(wanted[:shared]) != self.path[:shared]:
            return False
        inside: Any = self.value
        for part in wanted[shared:]:
            if not is_object(inside) or part not in inside:
                return False
            inside = inside[part]
        return True


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Yield every changed property, as deep as both sides have the same shape."""
    if is_object(old) and is_object(new):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key))
    elif is_list(old) and is_list(new):
        for index in range(max(len(old), len(new))):
            before, after = (side[index] if index < len(side) else _MISSING for side in (old, new))
            yield from differences(before, after, (*path, index))
    elif old is _MISSING:
        yield Difference(path, "ADD", None if new == UNKNOWN else new)
    elif new is _MISSING:
        yield Difference(path, "DELETE", None)
    elif old != new:
        yield Difference(path, "UPDATE", None if new == UNKNOWN else new, old)
