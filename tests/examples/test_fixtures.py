"""The committed data is what the committed script makes."""

import runpy

import pytest

from tests.examples.conftest import PACKAGES

FIXTURES: dict[str, str] = runpy.run_path(str(PACKAGES.parent / "make_fixtures.py"))["make_fixtures"]()


@pytest.mark.parametrize("name", FIXTURES)
def test_script_reproduces_the_committed_file_to_the_byte(name: str) -> None:
    assert (PACKAGES / name).read_bytes() == FIXTURES[name].encode()


def test_every_committed_data_file_comes_from_the_script() -> None:
    assert {str(path.relative_to(PACKAGES)) for path in PACKAGES.glob("*/data/*")} == set(FIXTURES)


def test_orders_have_the_defects_the_jobs_are_there_for() -> None:
    rows = [line.split(",") for line in FIXTURES["sales/data/orders.csv"].splitlines()[1:]]
    assert len(rows) == 3051
    assert len({row[0] for row in rows}) == 3000, "some orders come twice"
    assert sum(row[3] == "" for row in rows if row[-1] != "placed") == 29, "some have no country"
    assert {row[-1] for row in rows} == {"placed", "shipped", "cancelled"}
