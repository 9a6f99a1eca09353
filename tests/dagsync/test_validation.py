"""``validate`` where there is no Airflow, or one that does not start."""

import subprocess

import pytest

from dagsync import validation
from dagsync.errors import AirflowMissingError
from tests.dagsync.tree import Monorepo


def test_problems_of_jobs_are_those_of_validate(monorepo: Monorepo) -> None:
    monorepo.job("sales.load")
    monorepo.job("sales.report", 'JOB = (main, "x", {"retry": 1})')
    done = monorepo.cli("validate", "--airflow", "never")
    assert done.returncode == 1
    assert done.stdout == "1 job; 1 problem, 0 notes: read and rendered\n"
    assert "unknown option 'retry'" in done.stderr
    assert not monorepo.dags.exists()


def without_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation.importlib.util, "find_spec", lambda name: None)


def test_missing_airflow_is_a_note_unless_it_is_required(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monorepo.job("sales.load")
    without_airflow(monkeypatch)
    found = validation.validate(monorepo.packages, (), "auto", {})
    assert (found.jobs, found.airflow, found.problems) == (1, None, ())
    assert "Airflow is not installed here" in found.notes[0].message
    with pytest.raises(AirflowMissingError, match="expected Airflow to be installed"):
        validation.validate(monorepo.packages, (), "require", {})


def test_airflow_that_does_not_start_is_no_success(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "Traceback:\nImportError: no sqlalchemy\n")

    monorepo.job("sales.load")
    monkeypatch.setattr(validation.subprocess, "run", broken)
    with pytest.raises(AirflowMissingError, match="Airflow does not start: ImportError: no sqlalchemy"):
        validation.validate(monorepo.packages, (), "auto", {})


def test_parse_knows_the_executors_of_its_environment_and_not_the_database() -> None:
    given = {"AIRFLOW__CORE__EXECUTOR": "X", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "cat secret", "AIRFLOW_CONFIG": "/x"}
    made = validation.airflow_environment(given, "/home")
    assert made["AIRFLOW__CORE__EXECUTOR"] == "X"
    assert made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "sqlite:////home/none.db"
    assert not made.keys() & {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "AIRFLOW_CONFIG"}


ERROR = 'Traceback\n  File "/tmp/x/sales_dags.py", line {}, in <module>\nTypeError: no'
FILE = "import x\n\nif requested in (None, 'sales_a'):\n    with DAG(\n        dag_id='sales_a',\n    ):\n        Job()\n\n"
FILE += FILE.replace("sales_a", "sales_b").removeprefix("import x\n\n")


@pytest.mark.parametrize(("line", "expected"), [(1, None), (3, "sales_a"), (7, "sales_a"), (9, "sales_b"), (13, "sales_b")])
def test_dag_at_fault_is_the_one_whose_lines_failed(line: int, expected: str | None) -> None:
    assert validation.dag_at_fault(ERROR.format(line), "sales_dags.py", FILE, {"sales_a", "sales_b"}) == expected
    assert validation.dag_at_fault("DAG 'sales_b' is bad", "sales_dags.py", FILE, {"sales_a", "sales_b"}) == "sales_b"
