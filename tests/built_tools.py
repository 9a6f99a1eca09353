"""Where tests find the programs that ``make tools`` builds."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def built_tool(name: str) -> Path:
    """Return the program, or skip the test that needs it; with ``REQUIRE_TOOLS=1`` its absence is a failure."""
    program = REPOSITORY / ".tools" / "bin" / name
    if program.exists():
        return program
    reason = f".tools/bin/{name} is not there: run `make tools`"
    if os.environ.get("REQUIRE_TOOLS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
