"""A plan in terms of jobs, and as a comment on a pull request that nothing in the jobs can break."""

import json
import re

from dagsync.applying import plan_sync
from dagsync.changes import job_changes
from dagsync.markdown import MAX_MARKDOWN_BYTES, plan_markdown
from tests.dagsync.tree import Monorepo


def markdown(monorepo: Monorepo) -> str:
    discovery, plan = plan_sync(monorepo.options())
    return plan_markdown(plan, discovery.problems + plan.problems)


def test_jobs_added_changed_and_removed_are_named(monorepo: Monorepo) -> None:
    for ref in ("sales.load", "sales.report", "crm.pull", "crm.push", "crm.list"):
        monorepo.job(ref)
    monorepo.sync()
    monorepo.job("sales.load", 'JOB = (main, "Changed")')
    monorepo.job("sales.report", '\n\n\ndef main(argv): ...\n\nJOB = (main, "A job")')
    monorepo.job("sales.added")
    (monorepo.packages / "crm/jobs/pull.py").unlink()
    changes = job_changes(plan_sync(monorepo.options())[1])
    assert (changes.added, changes.changed, changes.removed) == (("sales.added",), ("sales.load",), ("crm.pull",))
    document = json.loads(monorepo.cli("plan", "--json").stdout)
    assert document["jobs"] == {"added": ["sales.added"], "changed": ["sales.load"], "removed": ["crm.pull"]}
    lines = monorepo.cli("plan").stdout.splitlines()
    assert lines[-4:-1] == ["+ sales.added", "~ sales.load", "- crm.pull"]


def test_pull_request_gets_jobs_problems_and_the_diff_of_each_file(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    monorepo.job("sales.load", 'JOB = (main, "Changed")')
    monorepo.job("crm.pull", 'JOB = (main, "x", {"retry": 1})')
    done = monorepo.cli("plan", "--markdown")
    assert done.returncode == 1
    assert done.stdout.startswith("### DAGs: 0 jobs added, 1 changed, 0 removed, 1 problem\n")
    assert "- `crm/jobs/pull.py:1`: `unknown option 'retry' (fix: did you mean 'retries'?)`" in done.stdout
    assert "**Changed**\n\n- `sales.load`\n" in done.stdout
    assert "<details><summary>sales_dags.py: update, 1 DAG</summary>" in done.stdout
    assert "\n+        description='Changed',\n" in done.stdout


def test_nothing_to_do_is_said(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.sync()
    assert "The DAG folder is what the packages declare." in markdown(monorepo)


def test_comment_is_never_longer_than_github_takes(monorepo: Monorepo) -> None:
    for package in range(30):
        for job in range(8):
            monorepo.job(f"p{package}.j{job}", f"JOB = (main, '{'é' * 300}')")
    for broken in range(400):
        monorepo.job(f"broken.j{broken}", "JOB = (main, 'x', {'" + "o" * 400 + "': 1})")
    text = markdown(monorepo)
    assert MAX_MARKDOWN_BYTES * 0.8 < len(text.encode()) <= MAX_MARKDOWN_BYTES
    assert "### DAGs: 240 jobs added, 0 changed, 0 removed, 400 problems" in text
    assert "left out for length" in text
    # Whatever was left out, nothing is left open.
    assert text.count("<details>") == text.count("</details>")
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0


def test_strings_of_jobs_cannot_leave_their_code_block(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", "JOB = (main, '\\n````\\n</details> @everybody <script>')")
    monorepo.job("sales.load2", "JOB = (main, 'x', {'`@everybody`': 1})")
    text = markdown(monorepo)
    fence = re.search(r"^(`{3,})diff\n", text, re.MULTILINE)
    assert fence is not None
    inside = text[fence.end() :].partition(f"\n{fence[1]}\n")[0]
    assert "````" in inside
    assert len(fence[1]) > 4
    assert "``unknown option '`@everybody`'" in text
