"""The pictures of a stack on a cluster, taken anew where ``PICTURES`` names a folder: its DAGs, a form, a run and its log."""

import os
from pathlib import Path

import pytest

from stack import bringing_up
from tests.browser.form import TriggerForm
from tests.browser.pages import chromium, logged_in
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack
from tests.cluster.local_stack.object_store import ObjectStore

DAG_ID, TASK_ID = "proofs_in_a_pod", "in_a_pod"


@pytest.mark.timeout(3 * PATIENCE_SECONDS)
def test_pages_of_the_stack_show_a_run_that_was_a_pod_and_its_log(live: LiveStack, store: ObjectStore, tmp_path: Path) -> None:
    live.become(LAST.settings(store), store)
    run = live.trigger(DAG_ID, numbers=[40, 2])
    assert run.ends() == "success", run.log()
    live.kubernetes.wait(
        "the pods of the run are gone", lambda: not live.job_pods() and not live.pods("task"), PATIENCE_SECONDS
    )
    folder = Path(os.environ.get("PICTURES", tmp_path))
    with chromium() as browser:
        page = logged_in(browser, live.record.url, *bringing_up.admin(live.target, live.namespace))

        def take(name: str) -> None:
            page.screenshot(path=folder / f"cluster-{name}.png", animations="disabled")

        page.goto("/dags")
        page.get_by_text(DAG_ID).first.wait_for()
        take("dags")
        TriggerForm(page, DAG_ID)
        take("trigger-form")
        page.goto(f"/dags/{DAG_ID}/runs/{run.run_id}")
        page.get_by_text("Success").first.wait_for()
        page.get_by_role("link", name=TASK_ID).first.wait_for()
        take("run")
        page.goto(f"/dags/{DAG_ID}/runs/{run.run_id}/tasks/{TASK_ID}")
        page.get_by_text("the sum is 42").first.wait_for()
        take("task-log")
    assert len(list(folder.glob("cluster-*.png"))) == 4
