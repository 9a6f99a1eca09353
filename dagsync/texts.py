"""Operations on strings whose cost is bounded before they are done: a short source must not make gigabytes."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

Value: TypeAlias = "str | int | float | bool | tuple[Value, ...] | list[Value] | dict[Value, Value] | None"

MAX_LENGTH = 100_000
"""Longest string, in characters, that is computed."""

METHODS = frozenset(
    {
        *("capitalize", "casefold", "format", "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix"),
        *("replace", "rpartition", "rsplit", "rstrip", "split", "splitlines", "strip", "swapcase", "title", "upper"),
    }
)
"""Methods of strings that may be called. Those that take a width are left out."""

# A width of four digits, one given by an argument, or attribute access inside a replacement field.
_COSTLY_FORMAT = re.compile(r"[0-9]{4,}|%[^a-zA-Z%]*\*|\{[^{}]*[{.\[]")


def joined(pieces: Sequence[str], separator: str = "") -> str:
    """Return the pieces in one. Raises ``ValueError`` if that is too long."""
    if sum(map(len, pieces)) + len(separator) * len(pieces) > MAX_LENGTH:
        raise _too_long()
    return separator.join(pieces)


def formatted(value: Value, conversion: str, spec: str) -> str:
    """Return one replacement field of an f-string. Raises ``ValueError`` if it cannot be or may be long."""
    if _COSTLY_FORMAT.search(spec):
        raise ValueError(f"format specification {spec[:40]!r}")
    if not _is_scalar(value):
        raise ValueError(f"a {type(value).__name__} in an f-string")
    match conversion:
        case "r":
            value = repr(value)
        case "s":
            value = str(value)
        case "a":
            value = ascii(value)
        case _:
            pass
    try:
        return format(value, spec)
    except TypeError as error:
        raise ValueError(str(error)) from None


def called(subject: str, method: str, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Return the result of a method of ``METHODS``, or of ``%``. Raises whatever the method does, and ``ValueError``."""
    match method, arguments:
        case "format", _:
            _check_format(subject, [*arguments, *named.values()])
        case "__mod__", [tuple() as values]:
            _check_format(subject, values)
        case "__mod__", _:
            _check_format(subject, arguments)
        case "replace", [str() as old, str() as new, *_] if subject.count(old) * len(new) > MAX_LENGTH:
            raise _too_long()
        case "join", [tuple() | list() as pieces]:
            return joined(_strings(pieces), subject)
        case _:
            pass
    return cast("Value", getattr(subject, method)(*arguments, **named))


def element_of(whole: Value, key: Value) -> Value:
    """Return ``whole[key]``. Raises ``LookupError`` and ``TypeError`` as Python does."""
    match whole, key:
        case dict(), _:
            return whole[key]
        case ((str() | tuple() | list()), int()):
            return whole[key]
        case _:
            raise TypeError(f"{type(whole).__name__} by {type(key).__name__}")


def slice_of(whole: Value, bounds: Sequence[Value]) -> Value:
    """Return ``whole[bounds]``, which is never larger than ``whole``. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(whole, str | tuple | list):
        raise TypeError(f"a slice of {type(whole).__name__}")
    start, stop, step = (each if isinstance(each, int) else _no_bound(each) for each in bounds)
    return whole[start:stop:step]


def _no_bound(value: Value) -> None:
    if value is not None:
        raise TypeError(f"{type(value).__name__} as a bound")


def shown(value: object) -> str:
    """Return a value as messages quote it."""
    try:
        text = repr(value)
    except ValueError:
        # Python prints no integer of more than 4300 digits.
        return "a very large number"
    return text if len(text) <= 60 else f"{text[:57]}..."


_INDENTED = re.compile(r"\n[^\S\n]")


def cleaned(docstring: str) -> str:
    """Return what ``inspect.cleandoc`` does, in a tenth of the time where no line is indented."""
    if "\t" in docstring or _INDENTED.search(docstring):
        return inspect.cleandoc(docstring)
    first, newline, rest = docstring.partition("\n")
    return f"{first.lstrip()}{newline}{rest}".strip("\n")


def is_storable(text: str) -> bool:
    """Return whether a database stores the text: it holds no NUL and no half of a surrogate pair.

    PostgreSQL stores neither, and one of them would make a whole DAG file an import error.
    """
    return storable(text) == text


def storable(text: str) -> str:
    """Return the text without what no database stores."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _check_format(text: str, inserted: Sequence[Value]) -> None:
    if _COSTLY_FORMAT.search(text) or not all(map(_is_scalar, inserted)):
        raise ValueError(f"format string {text[:40]!r}")


def _strings(pieces: Sequence[Value]) -> list[str]:
    strings = [piece for piece in pieces if isinstance(piece, str)]
    if len(strings) != len(pieces):
        raise TypeError("join of something that is not a string")
    return strings


def _is_scalar(value: Value) -> bool:
    # Nested containers may share parts, so that a short source prints as gigabytes.
    return isinstance(value, str | int | float | None)


def _too_long() -> ValueError:
    return ValueError(f"the text is longer than {MAX_LENGTH} characters")
