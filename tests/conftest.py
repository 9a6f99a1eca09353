"""What holds for every level."""

import gc
import os
import signal
from collections.abc import Callable, Generator
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


# Objects in cycles are collected between tests and never within one. A refused program leaves coroutines that run code as they
# end: within a later program they would end that one's server too, and within ``ast.parse`` Python 3.11 raises SystemError, as
# a traceback printed by then parses as well.
gc.disable()


@pytest.fixture(autouse=True)
def collected() -> Generator[None]:
    """Collect what the test left, but for what was there before: the providers' SDKs alone are a million objects."""
    yield
    gc.collect(1)


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
