from pathlib import Path

import pytest

from tests.dagsync.store.bucket import JOB, bucket, s3_endpoint, write

__all__ = ["bucket", "s3_endpoint"]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A small monorepo."""
    root = tmp_path / "packages"
    write(root, {"sales/__init__.py": "", "sales/jobs/load.py": JOB, "sales/shared.py": "RATE = 1\n"})
    return root
