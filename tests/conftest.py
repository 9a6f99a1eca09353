"""What holds for every level."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from docs.reliability import Row
from tests.built_tools import built_tool, skip_without

# A busy machine is slow; that is no property of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# A shell starts what it puts in the background with Ctrl-C ignored, and every program that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_without(["pulumi"], "pulumi", items)


@pytest.fixture(scope="session")
def pulumi() -> Path:
    """Return the command that ``make tools`` builds."""
    return built_tool("pulumi")


@pytest.fixture
def reliability() -> Callable[[str, Row], None]:
    """Prints what a suite saw, and keeps it as ``<name>.json`` where ``RELIABILITY`` names a folder."""

    def record(name: str, row: Row) -> None:
        print("\n" + " | ".join(row.cells()))
        if folder := os.environ.get("RELIABILITY"):
            row.save(Path(folder), name)

    return record
