"""``versions.py`` is the one place that says which Airflow: what cannot import it is held to it here."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.image.dockerfile import parse
from versions import AIRFLOW, AIRFLOW_IMAGE, POSTGRESQL, POSTGRESQL_IMAGE

ROOT = Path(__file__).parents[2]


def test_dockerfile_stands_on_it() -> None:
    arguments, _ = parse((ROOT / "image" / "Dockerfile").read_text())
    assert f"docker.io/{arguments['BASE_IMAGE']}" == AIRFLOW_IMAGE
    assert AIRFLOW_IMAGE.startswith(f"docker.io/apache/airflow:{AIRFLOW}-python3.")


def test_pyproject_asks_for_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["optional-dependencies"]["airflow"], *project["dependency-groups"]["airflow-image"]]
    found = [match[1] for word in asked if (match := re.fullmatch(r"apache-airflow(?:\[[\w,-]+\])?==(\S+)", word))]
    assert found == [AIRFLOW, AIRFLOW]


@pytest.mark.parametrize("lock", ["dev.txt", "airflow-image.txt"])
def test_locks_have_it(lock: str) -> None:
    assert re.search(rf"^apache-airflow=={re.escape(AIRFLOW)} ", (ROOT / "requirements" / lock).read_text(), re.M)


def test_both_databases_are_of_one_major_version() -> None:
    assert POSTGRESQL_IMAGE.rpartition(":")[2].split(".")[0] == POSTGRESQL
