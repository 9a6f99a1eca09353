"""What jobs inherit: the nearer wins, what is wrong is told with its path and key, and nobody else is touched."""

from datetime import timedelta

import pytest

from dagsync.declarations import Cron, Slack
from dagsync.discovery import Discovery, discover
from dagsync.model import JobSpec
from tests.dagsync.tree import JOB, Monorepo


def settings(monorepo: Monorepo, path: str, text: str) -> None:
    file = monorepo.packages / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'[project]\nname = "x"\n\n[tool.dagsync]\n{text}\n')


def jobs(monorepo: Monorepo) -> dict[str, JobSpec]:
    discovery = discover(monorepo.packages)
    assert discovery.problems == ()
    return {spec.ref: spec for spec in discovery.jobs}


def told(discovery: Discovery) -> list[str]:
    return [f"{problem.location}: {problem.message}" for problem in discovery.problems]


@pytest.mark.parametrize("tree", ["pyproject.toml", "../pyproject.toml"])
def test_job_wins_over_package_over_tree_over_built_in(monorepo: Monorepo, tree: str) -> None:
    settings(monorepo, tree, 'retries = 2\npool = "tree"\nowner = "tree"')
    settings(monorepo, "sales/pyproject.toml", 'retries = 3\npool = "package"')
    monorepo.job("sales.load", 'JOB = (main, "x", {"retries": 4})')
    monorepo.job("sales.other")
    monorepo.job("crm.sync")
    found = jobs(monorepo)
    assert [(found["sales.load"].retries, found["sales.load"].pool, found["sales.load"].owner)] == [(4, "package", "tree")]
    assert (found["sales.other"].retries, found["crm.sync"].retries, found["crm.sync"].priority) == (3, 2, 1)


def test_file_beside_the_packages_wins_over_the_one_above(monorepo: Monorepo) -> None:
    settings(monorepo, "../pyproject.toml", 'owner = "above"\nqueue = "above"')
    settings(monorepo, "pyproject.toml", 'owner = "beside"')
    monorepo.job("sales.load")
    load = jobs(monorepo)["sales.load"]
    assert (load.owner, load.queue) == ("beside", "above")


def test_value_of_a_job_wins_even_if_it_is_the_built_in_one(monorepo: Monorepo) -> None:
    settings(monorepo, "pyproject.toml", 'retries = 5\nschedule = "@daily"\npool = "x"')
    monorepo.job("sales.load", 'JOB = (main, "x", {"retries": 1, "schedule": None, "pool": None})')
    load = jobs(monorepo)["sales.load"]
    assert (load.retries, load.schedule, load.pool) == (1, None, None)


def test_inherited_schedule_gives_way_to_after_and_to_what_a_job_consumes(monorepo: Monorepo) -> None:
    settings(monorepo, "pyproject.toml", 'schedule = "@daily"')
    monorepo.job("sales.extract")
    monorepo.job("sales.load", 'JOB = (main, "x", {"after": ["sales.extract"]})')
    monorepo.job("sales.report", 'JOB = (main, "x", {"consumes": ["s3://sales/load"]})')
    found = jobs(monorepo)
    assert [found[f"sales.{name}"].schedule for name in ("extract", "load", "report")] == ["@daily", None, ("s3://sales/load",)]


def test_toml_has_a_form_for_every_kind_of_option(monorepo: Monorepo) -> None:
    settings(
        monorepo,
        "sales/pyproject.toml",
        'schedule = {cron = "0 4 * * *", timezone = "Europe/Berlin"}\nretry_delay = {minutes = 2}\ntimeout = 90\n'
        'start_date = 2026-01-31\non_failure = [{via = "slack", channel = "#etl"}]\nresources = {memory = "1Gi"}',
    )
    monorepo.job("sales.load")
    load = jobs(monorepo)["sales.load"]
    assert load.schedule == Cron("0 4 * * *", "Europe/Berlin")
    assert (load.retry_delay, load.timeout) == (timedelta(minutes=2), timedelta(seconds=90))
    assert load.start_date is not None
    assert load.start_date.isoformat() == "2026-01-31T00:00:00+00:00"
    assert load.on_failure == (Slack("#etl"),)
    assert load.resources is not None
    assert load.resources.memory == "1Gi"


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("retries = -1", "[tool.dagsync] retries: expected a whole number from 0 to 100, found -1", ""),
        ("retires = 1", "[tool.dagsync] unknown option 'retires'", "did you mean 'retries'?"),
        ('after = ["a.b"]', "[tool.dagsync] after is for each job to say", "declare after with the jobs"),
        ('schedule = "@dayly"', "[tool.dagsync] schedule: unknown preset '@dayly'", ""),
        ("retries = ", "is no TOML: ", "mend it"),
    ],
)
def test_problem_is_told_by_path_and_key_and_other_packages_are_untouched(
    monorepo: Monorepo, text: str, message: str, fix: str
) -> None:
    monorepo.job("sales.load")
    monorepo.job("crm.sync")
    settings(monorepo, "sales/pyproject.toml", text)
    discovery = discover(monorepo.packages)
    problem = next(each for each in discovery.problems if each.path == "sales/pyproject.toml")
    assert problem.message.startswith(message)
    assert problem.fix == fix
    assert "crm.sync" in {spec.ref for spec in discovery.jobs}


def test_job_that_would_inherit_something_wrong_keeps_its_last_good_dag(monorepo: Monorepo) -> None:
    settings(monorepo, "sales/pyproject.toml", 'schedule = "@daily"')
    monorepo.job("sales.load")
    monorepo.job("sales.own", 'JOB = (main, "x", {"schedule": "@hourly"})')
    monorepo.sync()
    before = monorepo.files()
    settings(monorepo, "sales/pyproject.toml", 'schedule = "@dayly"')
    report = monorepo.sync()
    assert report.kept == ("sales.load",)
    assert monorepo.files() == before
    assert any("schedule: see sales/pyproject.toml" in problem.message for problem in report.problems)
    settings(monorepo, "sales/pyproject.toml", 'schedule = "@weekly"')
    assert monorepo.sync().problems == ()
    assert b"schedule='@weekly'" in monorepo.files()["sales_dags.py"]


@pytest.mark.parametrize("path", ["sales/pyproject.toml", "pyproject.toml", "../pyproject.toml"])
def test_sync_notices_a_change_of_defaults(monorepo: Monorepo, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever is on disk has settled, so that a sync that sees no change looks at nothing else.
    monkeypatch.setattr("dagsync.storage.SETTLED_NS", -(10**12))
    monorepo.job("sales.load")
    monorepo.sync()
    settings(monorepo, path, "retries = 7")
    monorepo.sync()
    assert b"retries=7" in monorepo.files()["sales_dags.py"]
    settings(monorepo, path, "retries = 8")
    monorepo.sync()
    assert b"retries=8" in monorepo.files()["sales_dags.py"]
    (monorepo.packages / path).unlink()
    monorepo.sync()
    assert b"retries=8" not in monorepo.files()["sales_dags.py"]


def test_file_about_other_tools_is_not_parsed(monorepo: Monorepo) -> None:
    monorepo.job("sales.load", JOB)
    (monorepo.packages / "sales/pyproject.toml").write_text("[tool.ruff\n")
    assert list(jobs(monorepo)) == ["sales.load"]
