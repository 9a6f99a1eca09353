"""What a person or a pod meets: exit codes, messages and output that can be relied on."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagsync import errors
from tests.dagsync.tree import Monorepo

COMMANDS = ["discover", "generate", "sync", "plan", "heartbeat"]


@pytest.fixture
def shop(monorepo: Monorepo) -> Monorepo:
    """Three jobs, one of them broken."""
    monorepo.job("sales.load", 'JOB = (main, "Load", {"schedule": "@daily"})')
    monorepo.job("sales.report", 'JOB = (main, describe(), {"after": ["sales.load"]})')
    monorepo.job("crm.sync", 'JOB = (main, "Sync", {"retry": 2})')
    return monorepo


def test_sync_writes_the_healthy_jobs_and_reports_the_others(shop: Monorepo) -> None:
    done = shop.cli("sync", "-v")
    assert done.returncode == errors.EXIT_PROBLEMS
    assert done.stdout.splitlines() == [
        "create    sales_dags.py",
        "2 jobs: 2 DAGs written, 0 unchanged, 0 removed; 1 problem, 1 note",
    ]
    assert done.stderr.splitlines() == [
        f"note: {shop.packages}/sales/jobs/report.py:1: description left empty: describe() is not a constant expression",
        "  fix: use a literal or a constant of this module",
        f"problem: {shop.packages}/crm/jobs/sync.py:1: unknown option 'retry'",
        "  fix: did you mean 'retries'?",
    ]
    again = shop.cli("sync")
    assert again.stdout == "2 jobs: 0 DAGs written, 2 unchanged, 0 removed; 1 problem, 1 note\n"
    assert (again.returncode, again.stderr) == (1, done.stderr)


def test_what_mends_several_at_once_is_said_once(monorepo: Monorepo) -> None:
    for job in ("load", "report"):
        monorepo.job(f"sales.{job}", "import click\nJOB = (main, '')")
    monorepo.job("sales.store", "import os\nJOB = (main, describe())")
    said = monorepo.cli("sync").stderr.splitlines()
    assert [line.partition(":")[0].strip() for line in said] == ["note", "note", "fix", "note", "fix"]


def test_options_win_over_the_environment(shop: Monorepo) -> None:
    arguments = ("sync", "--packages-root", str(shop.packages), "--dags-dir", str(shop.dags), "--exit-zero")
    elsewhere = {"ETL_PACKAGES_ROOT": "/nowhere", "AIRFLOW_DAGS_DIR": "/nowhere"}
    assert shop.cli(*arguments, environment=elsewhere).returncode == 0
    assert shop.dag_ids() == {"sales_load", "sales_report"}


def test_exit_zero_reports_problems_all_the_same(shop: Monorepo) -> None:
    done = shop.cli("sync", "--exit-zero")
    assert done.returncode == 0
    assert "unknown option 'retry'" in done.stderr


def test_exit_zero_hides_no_failure_of_the_whole(shop: Monorepo) -> None:
    assert shop.cli("sync", "--exit-zero", "--packages-root", "/nowhere").returncode == errors.PackagesRootError.exit_code


def test_no_jobs_are_said(monorepo: Monorepo) -> None:
    done = monorepo.cli("sync")
    assert done.returncode == 0
    assert f"no jobs found below {monorepo.packages}" in done.stderr
    assert done.stdout == "0 jobs: 0 DAGs written, 0 unchanged, 0 removed; 0 problems, 0 notes\n"


def test_discover_json_is_jobs_and_problems(shop: Monorepo) -> None:
    done = shop.cli("discover", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    assert list(found) == ["jobs", "problems"]
    assert found["jobs"][0] == {
        "package": "sales",
        "job": "load",
        "dag_id": "sales_load",
        "description": "Load",
        "schedule": "@daily",
        "retries": 1,
        "after": [],
        "args": [],
        "params": [],
        "tags": ["sales", "etl", "auto-generated"],
        "path": str(shop.packages / "sales/jobs/load.py"),
        "line": 1,
        "options": {"schedule": "@daily"},
        "notes": [],
    }
    assert found["jobs"][1]["notes"] == ["description left empty: describe() is not a constant expression"]
    assert found["problems"] == [
        {
            "path": str(shop.packages / "crm/jobs/sync.py"),
            "line": 1,
            "message": "unknown option 'retry'",
            "fix": "did you mean 'retries'?",
        }
    ]


def test_discover_prints_a_line_per_job_to_a_pipe(shop: Monorepo) -> None:
    done = shop.cli("discover")
    assert done.stdout == "sales_load\t@daily\tLoad\targs\nsales_report\tafter sales.load\t\targs\n"
    assert "2 jobs; 1 problem, 1 note" in done.stderr


def test_generate_writes_and_removes_nothing(shop: Monorepo) -> None:
    shop.cli("generate")
    (shop.packages / "sales/jobs/load.py").unlink()
    (shop.packages / "sales/jobs/report.py").unlink()
    done = shop.cli("generate", "--exit-zero")
    assert "0 removed" in done.stdout
    assert shop.dag_ids() == {"sales_load", "sales_report"}


def test_plan_shows_a_diff_and_check_says_by_its_exit_code_whether_there_is_any(shop: Monorepo) -> None:
    (shop.packages / "crm/jobs/sync.py").unlink()
    shop.cli("sync")
    assert shop.cli("plan", "--check").returncode == 0
    shop.job("sales.load", 'JOB = (main, "Load all", {"schedule": "@daily"})')
    done = shop.cli("plan")
    assert done.returncode == 0
    assert "-        description='Load'," in done.stdout.splitlines()
    assert "+        description='Load all'," in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == "0 to create, 1 to update, 0 to delete, 0 unchanged"
    checked = shop.cli("plan", "--check")
    assert checked.returncode == errors.PlanNotEmptyError.exit_code
    assert checked.stderr.splitlines()[-2:] == [
        f"error: {shop.dags}: the DAG files are not what the packages declare",
        "  fix: run sync",
    ]
    document = json.loads(shop.cli("plan", "--json").stdout)
    assert [(change["action"], change["file"]) for change in document["changes"]] == [("update", "sales_dags.py")]


def test_mass_removal_is_refused_with_the_option_that_allows_it(shop: Monorepo) -> None:
    shop.cli("sync")
    for name in ("load", "report"):
        (shop.packages / f"sales/jobs/{name}.py").unlink()
    for command in ("sync", "plan"):
        done = shop.cli(command)
        assert done.returncode == errors.MassRemovalError.exit_code
        assert "2 DAGs, more than half of all, would be removed: sales_load, sales_report" in done.stderr
        assert done.stderr.splitlines()[-1] == "  fix: if their jobs are really gone, add --allow-mass-removal"
    assert shop.cli("sync", "--allow-mass-removal", "--exit-zero").returncode == 0
    assert shop.files() == {}


def test_no_clean_keeps_the_dags_of_jobs_that_are_gone(shop: Monorepo) -> None:
    shop.cli("sync")
    (shop.packages / "sales/jobs/load.py").unlink()
    shop.cli("sync", "--no-clean")
    assert "sales_load" in shop.dag_ids()
    shop.cli("sync", "--clean")
    assert "sales_load" not in shop.dag_ids()


def test_packages_to_skip_can_be_chosen(shop: Monorepo) -> None:
    assert shop.cli("sync", "--skip-package", "crm").returncode == 0
    assert shop.cli("sync", environment={"DAGSYNC_SKIP_PACKAGES": "crm hr"}).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["sync", "--no-such-option"],
        ["sync", "--interval", "0", "--watch"],
        ["sync", "--interval", "soon", "--watch"],
        ["sync", "--health-port", "8080"],
        ["sync", "--watch", "--health-port", "99999"],
        ["sync", "--group-by", "colour"],
        ["sync", "extra"],
        ["heartbeat"],
        ["heartbeat", "WebserverJob"],
    ],
)
def test_wrong_usage_is_said_in_a_line_and_changes_nothing(shop: Monorepo, arguments: list[str]) -> None:
    done = shop.cli(*arguments)
    assert done.returncode == errors.EXIT_USAGE
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not shop.dags.exists()


def test_missing_root_names_the_option_to_give(shop: Monorepo) -> None:
    done = shop.cli("sync", "--packages-root", "/nowhere")
    assert done.returncode == errors.PackagesRootError.exit_code
    assert done.stderr.splitlines() == [
        "error: /nowhere: expected the folder of packages, found: No such file or directory",
        "  fix: give the folder by --packages-root or ETL_PACKAGES_ROOT",
    ]


def test_unwritable_target_is_one_clear_line(shop: Monorepo) -> None:
    done = shop.cli("sync", "--dags-dir", "/proc/dags")
    assert done.returncode == errors.TargetWriteError.exit_code
    assert done.stderr.startswith("error: /proc/dags")
    assert "Traceback" not in done.stderr


def test_unforeseen_failure_shows_no_traceback_unless_asked(shop: Monorepo) -> None:
    code = "import sys, dagsync.cli as c, dagsync.__main__ as m\nc.COMMANDS['sync'] = lambda *_: 1 / 0\nm.main()"
    for environment, expected in (({}, False), ({"DAGSYNC_TRACEBACK": "1"}, True)):
        done = subprocess.run([sys.executable, "-c", code, "sync"], env=environment, capture_output=True, text=True)
        assert ("Traceback" in done.stderr) is expected
    assert subprocess.run([sys.executable, "-c", code, "sync"], env={}, capture_output=True).returncode == errors.EXIT_BUG


def test_every_failure_has_an_exit_code_of_its_own() -> None:
    codes = [cause.exit_code for cause in errors.DagsyncError.__subclasses__()]
    # A probe knows 0 and 1 only.
    assert errors.NoHeartbeatError.exit_code == 1
    codes.remove(1)
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {0, errors.EXIT_PROBLEMS, errors.EXIT_USAGE, errors.EXIT_BUG}


def test_reader_that_stops_reading_is_no_failure(shop: Monorepo) -> None:
    command = f"{sys.executable} -m dagsync discover --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], env={"ETL_PACKAGES_ROOT": str(shop.packages)}, capture_output=True, text=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_explained(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", "dagsync", command, "--help"], env={}, capture_output=True, text=True)
    assert done.returncode == 0
    text = re.sub(r"\s+", " ", done.stdout)
    for option in re.findall(r"(--[a-z-]+)", text.partition("options:")[0]):
        assert re.search(rf"{option}(?: [A-Z_]+| \{{[a-z,]+\}}|, --[a-z-]+)* [a-z(]", text.partition("options:")[2]), option


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """Return what a command prints to a terminal."""
    leader, follower = pty.openpty()
    try:
        subprocess.run(arguments, env=environment, stdout=follower, stderr=subprocess.DEVNULL, timeout=60)
        os.close(follower)
        text = b""
        try:
            while chunk := os.read(leader, 65536):
                text += chunk
        except OSError:
            pass
        return text.decode()
    finally:
        os.close(leader)


def test_colours_are_for_terminals_that_want_them(shop: Monorepo) -> None:
    environment = {"ETL_PACKAGES_ROOT": str(shop.packages), "AIRFLOW_DAGS_DIR": str(shop.dags), "TERM": "xterm"}
    command = [sys.executable, "-m", "dagsync", "plan"]
    assert "\x1b[32m" in on_a_terminal(command, environment)
    assert "\x1b[32m" not in on_a_terminal(command, environment | {"NO_COLOR": "1"})
    assert "\x1b" not in subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    assert "sales_load" in on_a_terminal([sys.executable, "-m", "dagsync", "discover"], environment)


@pytest.mark.parametrize("arguments", [["--help"], ["sync"]])
def test_start_imports_nothing_heavy(monorepo: Monorepo, arguments: list[str]) -> None:
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    monorepo.job("sales.load")
    monorepo.sync()
    command = [sys.executable, "-X", "importtime", "-m", "dagsync", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert not imported & {"airflow", "sqlalchemy", "rich", "typer", "pydantic", "watchfiles", "asyncio", "http", "pulumi"}


def test_a_sync_that_finds_nothing_changed_imports_nothing_of_jobs(monorepo: Monorepo) -> None:
    """Most syncs are of this kind, and what makes and reads jobs takes longer to import than the comparison."""
    monorepo.job("sales.load")
    # The first may find the module too young to be sure of it.
    for _ in range(2):
        assert monorepo.cli("sync").returncode == 0
    environment = {"ETL_PACKAGES_ROOT": str(monorepo.packages), "AIRFLOW_DAGS_DIR": str(monorepo.dags)}
    command = [sys.executable, "-X", "importtime", "-m", "dagsync", "sync"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "1 unchanged" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "dagsync.syncing" in imported
    assert not imported & {"ast", "dataclasses", "datetime", "inspect", "shutil", "dagsync.model", "dagsync.applying"}


@pytest.mark.parametrize("name", ["airflow-control-plane", "dagsync"])
def test_both_commands_are_installed_and_name_themselves(name: str) -> None:
    done = subprocess.run([Path(sys.executable).with_name(name), "--help"], env={}, capture_output=True, text=True)
    assert done.stdout.startswith(f"usage: {name} ")
