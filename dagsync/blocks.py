"""Parses modules, and what several of them have in common once: the jobs of a large tree follow a few patterns.

A block is what lies between two empty lines and the next two, as between functions. A module is taken apart only at blocks
that were seen before at the same line, and its parts are statements only if each of them is by itself. Two that are
statements one after the other are the same statements as one: what can go on, an open bracket, text or line, a decorator, or
an ``if`` whose ``else`` comes later, leaves one of the two that is no statement by itself.
"""

import ast
from collections.abc import Iterator

_BORDER = b"\n\n\n"
_LEAST_BYTES = 100
"""Of a block. To look for a shorter one takes longer than to parse it."""

_MAX_SEEN = 50_000
"""Hashes, which take four megabytes."""

_MAX_KEPT_BYTES = 250_000
"""Of blocks of which the statements are kept, which take about forty times as much."""

_Part = tuple[int, int, list[ast.stmt]]


class Blocks:
    """The blocks of the modules parsed so far."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        """Hashes of blocks, and of those seen again with their lines, which take longer to count."""

        self._kept: dict[tuple[int, bytes], list[ast.stmt] | None] = {}
        """The statements of a block at a line, ``None`` if it is none by itself."""

        self._kept_bytes = 0

    def statements(self, data: bytes) -> list[ast.stmt]:
        """Return the statements of a module with source ``data``: those of ``ast.parse``, which raises the same.

        Other modules may have some of them too: they must not be changed.
        """
        shared = list(self._shared(data))
        if not shared:
            return ast.parse(data).body
        statements: list[ast.stmt] = []
        rest = 0
        try:
            for start, end, of_block in shared:
                statements += _parsed(data, rest, start)
                statements += of_block
                rest = end
            statements += _parsed(data, rest, len(data))
        except (SyntaxError, ValueError):
            return ast.parse(data).body
        return statements

    def _shared(self, data: bytes) -> Iterator[_Part]:
        """Yield from where to where a block lies that other modules have at the same line, and its statements."""
        first, *blocks = data.split(_BORDER)
        if b"\r" in data or b"coding" in first:
            # Lines may end in other ways than are counted here, and bytes may mean something else.
            return
        end = len(first)
        for block in blocks:
            start = end + len(_BORDER)
            end = start + len(block)
            if len(block) < _LEAST_BYTES or self._is_first(hash(block)):
                continue
            key = data.count(b"\n", 0, start), block
            if key not in self._kept:
                if self._is_first(hash(key)) or self._kept_bytes + len(block) > _MAX_KEPT_BYTES:
                    continue
                self._kept_bytes += len(block)
                self._kept[key] = _by_itself(data, start, end)
            statements = self._kept[key]
            if statements is not None:
                yield start, end, statements

    def _is_first(self, number: int) -> bool:
        """Return whether a hash is seen for the first time, and note that it was."""
        if number in self._seen:
            return False
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        self._seen.add(number)
        return True


def _by_itself(data: bytes, start: int, end: int) -> list[ast.stmt] | None:
    try:
        return _parsed(data, start, end)
    except (SyntaxError, ValueError):
        return None


def _parsed(data: bytes, start: int, end: int) -> list[ast.stmt]:
    # With as many lines before it as there are, which their positions count.
    return ast.parse(b"\n" * data.count(b"\n", 0, start) + data[start:end]).body
