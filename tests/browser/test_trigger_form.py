"""Every example job, started from Airflow's own form with other values than its defaults, runs with exactly those."""

import shlex
import shutil
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.form import TriggerForm
from tests.examples.conftest import PACKAGES, run_in

# What is filled in, and the arguments a job must get of it. {supplier} and {data} are known when the tests run.
FILLED: dict[str, tuple[Mapping[str, Any], list[str]]] = {
    "catalog.check_supplier": ({"base_url": "{supplier}", "page": 2}, ["--base-url={supplier}", "--page=2"]),
    "catalog.fetch_products": ({"base_url": "{supplier}"}, ["--base-url={supplier}"]),
    "catalog.load_products": ({"keep_listed": True}, ["--keep-listed"]),
    "catalog.low_stock": ({"days": 3}, ["--days=3"]),
    "customers.predict_churn": ({"churned_after": 30}, ["--churned-after=30"]),
    "customers.segment_customers": (
        {"as_of": "2026-02-01", "recent_days": 5, "champion_euros": 9, "only": ["active", "lapsing"]},
        ["--as-of=2026-02-01", "--recent-days=5", "--champion-euros=9", "--only", "active", "lapsing"],
    ),
    "customers.update_customers": ({"full": True}, ["--full"]),
    "finance.convert_orders": ({"rates": "{data}/the rates.csv"}, ["--rates={data}/the rates.csv"]),
    "finance.product_margin": ({"top": 3}, ["--top=3"]),
    "quality.check_orders": ({"max_bad_percent": 12.5, "min_orders": 7}, ["--max-bad-percent=12.5", "--min-orders=7"]),
    "quality.profile_warehouse": ({"tables": ["orders", "products"]}, ["orders", "products"]),
    "sales.archive_orders": ({"month": "2026-02", "level": 9}, ["--month=2026-02", "--level=9"]),
    "sales.daily_revenue": ({"date": "2026-01-31", "format": "json"}, ["--date=2026-01-31", "--format=json"]),
    "sales.load_orders": (
        {"source": "{data}/it's $HOME.csv", "date": "2026-01-31", "limit": "12"},
        ["--source={data}/it's $HOME.csv", "--date=2026-01-31", "--limit=12"],
    ),
}
FAILS = {"customers.predict_churn": "ModuleNotFoundError"}
"""Jobs that cannot run here, and why: that they were started as asked is seen all the same."""

MARK = "the same by hand: "


@pytest.fixture(scope="module")
def known(site: Site, supplier: str) -> dict[str, str]:
    shutil.copyfile(PACKAGES / "finance/data/rates.csv", site.data / "the rates.csv")
    export = PACKAGES / "sales/data/orders.csv"
    shutil.copyfile(export, site.data / "it's $HOME.csv")
    # There is another month to archive than the one of the examples.
    header, *lines = export.read_text().splitlines(keepends=True)
    february = [line.replace("2026-01", "2026-02").replace("O-", "F-", 1) for line in lines if ",2026-01-0" in line]
    (site.data / "february.csv").write_text("".join([header, *february]))
    run_in(site.data, f"sales.load_orders --source {site.data}/february.csv").check_returncode()
    return {"supplier": supplier, "data": str(site.data)}


def formatted(value: Any, known: Mapping[str, str]) -> Any:
    return value.format(**known) if isinstance(value, str) else value


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ref", FILLED)
def test_job_runs_with_what_was_filled_in(page: Page, site: Site, known: Mapping[str, str], ref: str) -> None:
    values, arguments = FILLED[ref]
    dag_id, task_id = ref.replace(".", "_"), ref.partition(".")[2]
    before = site.run_ids(dag_id)
    form = TriggerForm(page, dag_id)
    for key, value in values.items():
        form.fill(key, formatted(value, known))
    form.trigger()
    (run_id,) = site.run_ids(dag_id) - before
    state = site.ended(dag_id, run_id)
    said = site.said(dag_id, run_id, task_id)
    assert (state == "failed") == (ref in FAILS), said
    assert FAILS.get(ref, "") in "".join(said)
    (line,) = (line for line in said if line.startswith(MARK))
    expected = [formatted(argument, known) for argument in arguments]
    assert shlex.split(line.removeprefix(MARK)) == ["airflow-control-plane", "run", ref, "--", *expected]


def test_every_example_is_tried() -> None:
    modules = [path for path in PACKAGES.glob("*/jobs/*.py") if path.name != "__init__.py"]
    assert {f"{path.parents[1].name}.{path.stem}" for path in modules} == set(FILLED)
