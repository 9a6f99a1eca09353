"""Choosing the job that proves a start."""

from pathlib import Path

import pytest

from standalone import first_run
from standalone.errors import PackagesError
from standalone.packages import Discovery, Job
from tests.standalone.laptop import write_job


def job(name: str, schedule: str | None = None, after: tuple[str, ...] = ()) -> Job:
    return Job(package="shop", job=name, dag_id=f"shop_{name}", schedule=schedule, after=after)


def test_a_job_that_waits_for_another_is_never_chosen(packages: Path) -> None:
    found = first_run.pick(Discovery(jobs=(job("a", after=("shop.b",)), job("b"))), packages)
    assert found == job("b")


def test_a_job_without_schedule_comes_first(packages: Path) -> None:
    assert first_run.pick(Discovery(jobs=(job("a", schedule="@daily"), job("b"))), packages) == job("b")


def test_a_job_whose_imports_are_not_installed_is_not_chosen(packages: Path) -> None:
    write_job(packages, "shop", "a", imports="surely_not_installed")
    write_job(packages, "shop", "b", imports="greeting.jobs.hello")
    assert first_run.pick(Discovery(jobs=(job("a"), job("b"))), packages) == job("b")
    assert first_run.pick(Discovery(jobs=(job("a"),)), packages) is None


def test_the_job_asked_for_is_run_whatever_it_is(packages: Path) -> None:
    discovery = Discovery(jobs=(job("a"), job("b", after=("shop.a",))))
    assert first_run.pick(discovery, packages, "shop.b") == job("b", after=("shop.a",))


def test_a_job_that_is_not_there_is_refused_naming_those_that_are(packages: Path) -> None:
    with pytest.raises(PackagesError, match=r"(?s)shop\.c: not a job.*shop\.a, shop\.b"):
        first_run.pick(Discovery(jobs=(job("a"), job("b"))), packages, "shop.c")
