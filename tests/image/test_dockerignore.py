"""What the build is given: everything the Dockerfile copies, and neither history, state nor environments."""

import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = [
    line for line in (ROOT / "image" / "Dockerfile.dockerignore").read_text().splitlines() if line and not line.startswith("#")
]


def ignored(path: str) -> bool:
    """Whether a pattern matches ``path`` or a folder above it; ``**/`` matches any folder, the top too."""
    parts = Path(path).parts
    for depth in range(1, len(parts) + 1):
        for pattern in PATTERNS:
            name, wanted = (
                ("/".join(parts[:depth]), pattern) if not pattern.startswith("**/") else (parts[depth - 1], pattern[3:])
            )
            if fnmatch.fnmatchcase(name, wanted) and name.count("/") == wanted.count("/"):
                return True
    return False


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
    assert ignored(path)


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
    assert not ignored(path)
