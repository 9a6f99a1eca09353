"""``validate`` tells what Airflow does not take, and whose job it is, without touching any Airflow there may be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagsync import validation
from dagsync.outcome import Finding
from tests.dagsync.tree import JOB, Monorepo


@pytest.fixture
def shop(tmp_path: Path) -> Monorepo:
    monorepo = Monorepo(tmp_path)
    for ref in ("sales.load", "sales.report", "crm.pull"):
        monorepo.job(ref)
    return monorepo


def test_sound_tree_passes_with_a_database_out_of_reach(shop: Monorepo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    given = {
        "ETL_PACKAGES_ROOT": str(shop.packages),
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@203.0.113.1/none",
    }
    command = [sys.executable, "-m", "dagsync", "validate", "--airflow", "require", "--json"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"jobs": 3, "airflow": "3.3.2", "problems": [], "notes": []}
    assert not home.exists()


def refused(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> tuple[Finding, ...]:
    """Return the problems of a tree whose rendered files have a text replaced."""
    render = validation.render_files

    def spoiled(*arguments: object) -> dict[str, bytes]:
        files: dict[str, bytes] = render(*arguments)  # pyright: ignore[reportArgumentType] - as it was called
        spoiled = {name: content.replace(before.encode(), after.encode()) for name, content in files.items()}
        return {name: content.replace(b"import timedelta", b"import datetime, timedelta") for name, content in spoiled.items()}

    monkeypatch.setattr(validation, "render_files", spoiled)
    return validation.validate(monorepo.packages, (), "require", os.environ).problems


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("dag_id='sales_report',", "dag_id='sales_report', no_such_option=1,", "unexpected keyword argument 'no_such_option'"),
        (
            "dag_id='sales_report',",
            "dag_id='sales_report', start_date=datetime.now(),",
            "runtime-varying",
        ),
        ("dag_id='sales_report',", "dag_id='sales_other',", "no DAG 'sales_report'"),
    ],
)
def test_what_airflow_refuses_is_a_problem_of_the_job_it_belongs_to(
    shop: Monorepo, monkeypatch: pytest.MonkeyPatch, before: str, after: str, reason: str
) -> None:
    (problem,) = refused(shop, monkeypatch, before, after)
    assert (problem.path, problem.line) == ("sales/jobs/report.py", 4)
    assert reason in problem.message


def test_file_that_breaks_as_a_whole_is_a_problem_of_all_its_jobs(shop: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(shop, monkeypatch, "from sales/jobs", "\n(from sales/jobs")
    assert [problem.path for problem in problems] == ["sales/jobs/load.py", "sales/jobs/report.py"]


def test_problems_of_jobs_are_told_beside_those_of_airflow(shop: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.job("crm.pull", JOB.replace('"A job"', '"A job", {"retry": 1}'))
    problems = refused(shop, monkeypatch, "dag_id='sales_load',", "dag_id=1,")
    assert [problem.path for problem in problems] == ["crm/jobs/pull.py", "sales/jobs/load.py"]
