from pathlib import Path

import pytest

from tests.dagsync.tree import Monorepo


@pytest.fixture
def monorepo(tmp_path: Path) -> Monorepo:
    """An empty folder of packages beside a DAG folder that does not exist yet."""
    return Monorepo(tmp_path)
