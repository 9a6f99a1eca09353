"""The pictures of the documents, taken anew: of the DAGs, of a form, of a run and of its log.

They are written where ``PICTURES`` names a folder, as ``make pictures`` does.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.form import TriggerForm

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DAG_ID, TASK_ID = "sales_daily_revenue", "daily_revenue"


@pytest.mark.timeout(1200)
def test_pictures_can_be_taken(page: Page, site: Site, tmp_path: Path) -> None:
    folder = Path(os.environ.get("PICTURES", tmp_path))

    def take(name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    site.client.patch(f"/api/v2/dags/{DAG_ID}", json={"is_paused": False}).raise_for_status()
    started = site.client.post(f"/api/v2/dags/{DAG_ID}/dagRuns", json={"logical_date": None, "conf": {"format": "json"}})
    run_id = started.raise_for_status().json()["dag_run_id"]
    assert site.ended(DAG_ID, run_id) == "success", site.said(DAG_ID, run_id, TASK_ID)
    page.goto("/dags")
    page.get_by_text("Archive a month of orders").or_(page.get_by_text("sales_archive_orders")).first.wait_for()
    take("dags")
    form = TriggerForm(page, "customers_segment_customers")
    form.field("only").first.scroll_into_view_if_needed()
    take("trigger-form")
    page.goto(f"/dags/{DAG_ID}/runs/{run_id}")
    page.get_by_text("Success").first.wait_for()
    page.get_by_role("link", name=TASK_ID).first.wait_for()
    take("run")
    page.goto(f"/dags/{DAG_ID}/runs/{run_id}/tasks/{TASK_ID}")
    page.get_by_text("the same by hand").first.wait_for()
    take("task-log")
    of_clusters = {path.name for path in IMAGES.glob("cluster-*")}
    assert {path.name for path in folder.glob("*.png")} | of_clusters == {path.name for path in IMAGES.iterdir()}


def test_documents_show_every_picture_and_none_is_large() -> None:
    shown = "".join((IMAGES.parents[1] / name).read_text() for name in ("README.md", "docs/dagsync.md", "docs/operations.md"))
    assert list(IMAGES.iterdir())
    for picture in IMAGES.iterdir():
        assert f"images/{picture.name}" in shown
        assert picture.stat().st_size < 200_000
