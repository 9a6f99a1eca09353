"""Where tests find the programs that ``make tools`` builds, and what becomes of the tests where they are not."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = REPOSITORY / ".tools" / "bin"


def _missing(names: Sequence[str]) -> str | None:
    """Return the sentence about the tools that are not there, ``None`` where all are."""
    absent = [name for name in names if not (BIN / name).exists()]
    return f"no {' and no '.join(absent)} in .tools/bin: run `make tools`" if absent else None


def built_tool(name: str) -> Path:
    """Return the program; fails where it is missing, since tests that may do without are skipped beforehand."""
    if reason := _missing([name]):
        pytest.fail(reason, pytrace=False)
    return BIN / name


def skip_without(names: Sequence[str], fixture: str, items: Iterable[pytest.Item]) -> None:
    """Skip the tests that use ``fixture`` where a tool is missing; with ``REQUIRE_TOOLS=1`` they run, and fail."""
    reason = _missing(names)
    if reason is None or os.environ.get("REQUIRE_TOOLS") == "1":
        return
    for item in items:
        if fixture in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=reason))
