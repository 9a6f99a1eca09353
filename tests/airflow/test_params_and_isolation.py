"""What is filled into the trigger form reaches the job, and what a job does in its own process reaches the task."""

import json
import sys
import time
from collections.abc import Generator
from pathlib import Path
from shutil import rmtree
from textwrap import dedent
from typing import Any

import pytest

from tests.airflow.server import Airflow, until

JOBS = {
    "typed": """
        import argparse
        import json
        import os
        from pathlib import Path
        from dagsync import Job

        def main(argv):
            parser = argparse.ArgumentParser()
            parser.add_argument("--day", required=True, help="Day to load")
            parser.add_argument("--limit", type=int, default=5, choices=range(1, 10))
            parser.add_argument("--dry-run", action="store_true")
            parser.add_argument("--args", dest="args", default="-")
            parser.add_argument("tables", nargs="*")
            given = vars(parser.parse_args(argv))
            secrets = [name for name in os.environ if name.startswith("AIRFLOW__DATABASE__") or "FERNET" in name]
            given |= {"cwd": os.getcwd(), "secrets": secrets, "dag": os.environ["AIRFLOW_CTX_DAG_ID"]}
            out = Path(os.environ["AIRFLOW_HOME"]) / "typed.json"
            out.write_text(json.dumps(given))

        JOB = Job(main, "Has typed params", args=["--day", "2026-01-01"])
    """,
    "stubborn": """
        import os
        import signal
        import time
        from pathlib import Path
        from dagsync import Job

        def main(argv):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.fork() == 0:
                os.setsid()
            with open(Path(os.environ["AIRFLOW_HOME"]) / "stubborn.pids", "a") as file:
                file.write(f"{os.getpid()}\\n")
            print("still at it", flush=True)
            time.sleep(600)

        JOB = Job(main, "Does not end", timeout=3, retries=0)
    """,
    "inline": """
        import os
        from pathlib import Path
        from dagsync import Job

        def main(argv):
            assert os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
            print("inline it is")
            return 4

        JOB = Job(main, "Runs in the task's process", isolation="inline", retries=0)
    """,
}


@pytest.fixture(scope="module")
def forms(airflow: Airflow, packages: Path) -> Generator[Airflow]:
    """The running Airflow with a package more."""
    folder = packages / "forms" / "jobs"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for name, source in JOBS.items():
        (folder / f"{name}.py").write_text(dedent(source))
    assert airflow.run(sys.executable, "-m", "dagsync", "sync").returncode == 0
    for name in JOBS:
        until(
            lambda name=name: airflow.client.get(f"/api/v2/dags/forms_{name}").is_success, f"forms_{name} is known", airflow, 60
        )
    yield airflow
    rmtree(packages / "forms")
    airflow.run(sys.executable, "-m", "dagsync", "sync")


def outcome(forms: Airflow, conf: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the typed job was given by a run."""
    run_id = forms.trigger("forms_typed", conf)
    assert forms.finished("forms_typed", run_id) == "success", forms.task_log("forms_typed", run_id, "typed")
    return json.loads((forms.home / "typed.json").read_text())


def test_form_shows_typed_fields(forms: Airflow) -> None:
    params = forms.get("/dags/forms_typed/details")["params"]
    assert list(params) == ["day", "limit", "dry_run", "args_", "tables", "args"]
    assert params["limit"]["value"] == 5
    assert params["limit"]["schema"]["type"] == "integer"
    assert params["limit"]["schema"]["enum"] == list(range(1, 10))
    assert params["day"]["value"] == "2026-01-01"
    assert params["day"]["description"] == "Required. Day to load"


def test_values_of_the_form_reach_the_job(forms: Airflow) -> None:
    conf = {"day": "-odd", "limit": 7, "dry_run": True, "args_": "x y", "tables": ["a", "-b"], "args": None}
    found = outcome(forms, conf)
    expected = {"day": "-odd", "limit": 7, "dry_run": True, "args": "x y", "tables": ["a", "-b"]}
    assert {name: found[name] for name in expected} == expected
    assert found["secrets"] == []
    assert found["dag"] == "forms_typed"
    assert not Path(found["cwd"]).exists()


def test_untouched_form_gives_the_declared_arguments(forms: Airflow) -> None:
    found = outcome(forms, None)
    assert (found["day"], found["limit"], found["dry_run"], found["args"], found["tables"]) == ("2026-01-01", 5, False, "-", [])


def test_raw_arguments_win_as_a_whole(forms: Airflow) -> None:
    found = outcome(forms, {"args": ["--day=x"], "limit": 7})
    assert (found["day"], found["limit"]) == ("x", 5)


@pytest.mark.parametrize("conf", [{"limit": "7"}, {"limit": 10}, {"dry_run": "yes"}, {"tables": "a"}])
def test_values_that_do_not_fit_are_refused_at_the_trigger(forms: Airflow, conf: dict[str, Any]) -> None:
    response = forms.client.post("/api/v2/dags/forms_typed/dagRuns", json={"logical_date": None, "conf": conf})
    assert response.status_code == 400
    assert next(iter(conf)) in response.text


def test_job_that_ignores_its_timeout_is_gone_and_its_last_lines_are_in_the_failure(forms: Airflow) -> None:
    run_id = forms.trigger("forms_stubborn")
    assert forms.finished("forms_stubborn", run_id, timeout_seconds=60) == "failed"
    pids = [int(pid) for pid in (forms.home / "stubborn.pids").read_text().split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "the job outlives its task"
        time.sleep(0.1)
    log = forms.task_log("forms_stubborn", run_id, "stubborn")
    assert "job forms.stubborn was ended by AirflowTaskTimeout" in log
    assert "its last lines:\\n  still at it" in log


def test_inline_job_runs_in_the_tasks_process(forms: Airflow) -> None:
    run_id = forms.trigger("forms_inline")
    assert forms.finished("forms_inline", run_id) == "failed"
    log = forms.task_log("forms_inline", run_id, "inline")
    assert "inline it is" in log
    assert "job forms.inline returned exit code 4" in log
