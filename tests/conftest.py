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


@pytest.fixture(autouse=True)
def collected() -> Generator[None]:
    """Collect what a test leaves that ran the program, which switches that off.

    A program that was refused leaves a coroutine; ended while a later one runs in this process, it would end that one's too.
    """
    yield
    if not gc.isenabled():
        gc.collect()
        # What is left are the providers' SDKs: not to be gone through again after each test.
        gc.freeze()
        gc.enable()


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
