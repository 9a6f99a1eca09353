"""Jobs of a group are tasks of one DAG; where they cannot be, all of them are refused and the DAG they had stays."""

import ast

import pytest

from dagsync.discovery import discover
from tests.dagsync.tree import Monorepo


def job(monorepo: Monorepo, ref: str, **options: object) -> None:
    monorepo.job(ref, f"JOB = (main, 'x', {options!r})")


def problems(monorepo: Monorepo) -> dict[str, str]:
    return {problem.path: f"{problem.message}\n{problem.fix}" for problem in discover(monorepo.packages).problems}


def edges(text: bytes) -> set[str]:
    return {line.strip() for line in text.decode().splitlines() if " >> " in line}


@pytest.mark.parametrize(("group_by", "name"), [("package", "sales_dags.py"), ("job", "sales_nightly_dag.py")])
def test_after_within_a_group_is_a_dependency_of_tasks(monorepo: Monorepo, group_by: str, name: str) -> None:
    job(monorepo, "sales.extract", group="nightly", schedule="@daily")
    job(monorepo, "sales.load", group="nightly", after=["sales.extract"])
    monorepo.sync(group_by=group_by)
    assert list(monorepo.files()) == [name]
    text = monorepo.files()[name]
    assert monorepo.dag_ids() == {"sales_nightly"}
    assert edges(text) == {"task_extract >> task_load"}
    assert b"schedule='@daily'" in text
    assert b"outlets" not in text
    ast.parse(text)


def test_job_that_gives_the_schedule_of_its_group_may_come_after_others_of_it(monorepo: Monorepo) -> None:
    job(monorepo, "p.a", group="g")
    job(monorepo, "p.b", group="g", after=["p.a"], schedule="@daily")
    assert problems(monorepo) == {}
    job(monorepo, "p.b", group="g", after=["p.free"], schedule="@daily")
    job(monorepo, "p.free")
    assert "schedule in p/jobs/b.py and after='p.free' in p/jobs/b.py cannot be combined" in problems(monorepo)["p/jobs/a.py"]


def test_after_across_groups_is_a_chain_of_dags(monorepo: Monorepo) -> None:
    job(monorepo, "sales.extract", group="a")
    job(monorepo, "sales.load", group="b", after=["sales.extract"])
    job(monorepo, "crm.extract", group="a", after=["sales.load"])
    assert problems(monorepo) == {}
    monorepo.sync()
    assert b"schedule=[Asset('sales.extract')]" in monorepo.files()["sales_dags.py"]
    assert b"schedule=[Asset('sales.load')]" in monorepo.files()["crm_dags.py"]
    assert edges(b"".join(monorepo.files().values())) == set()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            {"schedule": "@daily"},
            {"schedule": "@hourly"},
            "group 'g': schedule is '@daily' in p/jobs/a.py and '@hourly' in p/jobs/b.py\ngive schedule in one of them",
        ),
        ({"max_active_runs": 1}, {"max_active_runs": 2}, "max_active_runs is 1 in p/jobs/a.py and 2 in p/jobs/b.py"),
        (
            {"schedule": "@daily"},
            {"after": ["q.x"]},
            "schedule in p/jobs/a.py and after='q.x' in p/jobs/b.py cannot be combined",
        ),
        ({"catchup": True}, {}, "catchup: there is no start_date to catch up from"),
    ],
)
def test_conflict_in_a_group_names_both_and_refuses_all_of_it(
    monorepo: Monorepo, one: dict[str, object], other: dict[str, object], expected: str
) -> None:
    job(monorepo, "p.a", group="g", **one)
    job(monorepo, "p.b", group="g", **other)
    job(monorepo, "p.c", group="g")
    job(monorepo, "p.free")
    job(monorepo, "q.x")
    found = problems(monorepo)
    assert set(found) == {"p/jobs/a.py", "p/jobs/b.py", "p/jobs/c.py"}
    assert all(expected in message for message in found.values())
    assert {spec.ref for spec in discover(monorepo.packages).jobs} == {"p.free", "q.x"}


def test_group_called_as_a_job_is_refused_naming_both(monorepo: Monorepo) -> None:
    job(monorepo, "p.nightly")
    job(monorepo, "p.load", group="nightly")
    assert problems(monorepo) == {
        "p/jobs/load.py": "DAG id 'p_nightly' is also that of p/jobs/nightly.py\nrename one of the modules or groups",
        "p/jobs/nightly.py": "DAG id 'p_nightly' is also that of p/jobs/load.py\nrename one of the modules or groups",
    }


def test_groups_that_wait_for_each_other_are_refused_with_the_path(monorepo: Monorepo) -> None:
    job(monorepo, "p.a", group="g")
    job(monorepo, "p.b", group="g", after=["q.x"])
    job(monorepo, "q.x", after=["p.a"])
    job(monorepo, "q.free", after=["p.a"])
    found = problems(monorepo)
    assert set(found) == {"p/jobs/a.py", "p/jobs/b.py", "q/jobs/x.py"}
    assert all("p_g → q_x → p_g" in message or "q_x → p_g → q_x" in message for message in found.values())


def test_broken_job_of_a_group_keeps_its_task(monorepo: Monorepo) -> None:
    job(monorepo, "p.a", group="g", schedule="@daily")
    job(monorepo, "p.b", group="g", after=["p.a"])
    monorepo.sync()
    before = monorepo.files()
    monorepo.job("p.a", "JOB = (")
    report = monorepo.sync()
    assert report.kept == ("p.a",)
    assert monorepo.files() == before


def test_job_behind_one_that_never_worked_does_not_start_without_it(monorepo: Monorepo) -> None:
    monorepo.job("p.a", "JOB = (")
    job(monorepo, "p.b", group="g", after=["p.a"])
    monorepo.sync()
    assert b"schedule=[Asset('p.a')]" in monorepo.files()["p_dags.py"]


def test_job_that_leaves_a_group_is_no_removal_of_the_dag(monorepo: Monorepo) -> None:
    job(monorepo, "p.a", group="g")
    job(monorepo, "p.b", group="g")
    report = monorepo.sync()
    assert (report.jobs, report.written) == (2, 1)
    (monorepo.packages / "p/jobs/b.py").unlink()
    report = monorepo.sync()
    assert report.removed == 0
    assert b"task_id='b'" not in monorepo.files()["p_dags.py"]
    assert monorepo.dag_ids() == {"p_g"}
