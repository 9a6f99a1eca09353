"""Runs the example jobs as programs, each in a data folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "examples" / "packages"
IN_ORDER = (
    "sales.load_orders",
    "quality.check_orders",
    "finance.convert_orders",
    "sales.daily_revenue",
    "sales.archive_orders --month 2026-01",
    "catalog.check_supplier",
    "catalog.fetch_products",
    "catalog.load_products",
    "catalog.low_stock",
    "finance.product_margin",
    "customers.update_customers",
    "customers.segment_customers",
    "quality.profile_warehouse",
)
"""Every job that can run here, upstream first."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def run_in(data_dir: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    python_path = os.pathsep.join([str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "etl_core", *command.split()],
        cwd=data_dir,
        env={**os.environ, "ETL_DATA_DIR": str(data_dir), "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``"package.job --option value"`` on ``tmp_path`` and return the finished process."""

    def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_in(tmp_path, command, **environment)

    return run


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder all jobs have worked on once. Read only: copy it to change it."""
    data_dir = tmp_path_factory.mktemp("worked")
    for command in IN_ORDER:
        done = run_in(data_dir, command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    return data_dir
