"""What the build is given: everything the Dockerfile copies, and neither history, state nor environments."""

from pathlib import Path

import pytest

from components.image_content import ignore_patterns, ignored

ROOT = Path(__file__).parents[2]
PATTERNS = ignore_patterns(ROOT)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "etl/.venv/bin/python",
        ".airflow/airflow.db",
        ".tools/pulumi",
        ".pulumi/stacks/dev.json",
        "Pulumi.prod.yaml",
        "examples/packages/sales/jobs/__pycache__/load_orders.cpython-312.pyc",
        ".env",
        "etl/.env.production",
        "tests/image/test_dockerfile.py",
        "examples/.ruff_cache/x",
    ],
)
def test_stays_out(path: str) -> None:
    assert ignored(path, PATTERNS)


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "requirements/uv.txt",
        "requirements/dagsync.txt",
        "requirements/dev.txt",
        "dagsync/__main__.py",
        "dagsync/py.typed",
        "examples/packages/sales/jobs/load_orders.py",
        "examples/packages/sales/data/orders.csv",
        "examples/packages/etl_core/data/products.json",
        "etl/packages/docs/jobs/tests.py",
    ],
)
def test_goes_in(path: str) -> None:
    assert not ignored(path, PATTERNS)
