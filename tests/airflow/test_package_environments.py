"""Two packages that cannot agree on a version of a library, in one Airflow."""

import sys
from pathlib import Path
from shutil import rmtree
from textwrap import dedent

from tests.airflow.server import Airflow, until
from tests.dagsync.wheels import lock_text

JOB = """
    import importlib.util
    import os
    from pathlib import Path
    import greeting
    from dagsync import Job

    def main(argv):
        assert importlib.util.find_spec("airflow") is None
        (Path(os.environ["AIRFLOW_HOME"]) / f"{__package__}.version").write_text(greeting.VERSION)
        print("greeting", greeting.VERSION)

    JOB = Job(main, "Tells which version it has", retries=0)
"""


def test_two_packages_have_two_versions_of_one_library(airflow: Airflow, packages: Path, tmp_path: Path) -> None:
    versions = {"early": "1.0", "late": "2.0"}
    try:
        for name, version in versions.items():
            (packages / name / "jobs").mkdir(parents=True)
            (packages / name / "__init__.py").touch()
            (packages / name / "pyproject.toml").write_text("[tool.dagsync]\nvirtualenv = true\n")
            (packages / name / "requirements.txt").write_text(lock_text(tmp_path, greeting=version))
            (packages / name / "jobs" / "tell.py").write_text(dedent(JOB))
        # Wrong on purpose: its task has to say so.
        (packages / "late" / "jobs" / "fail.py").write_text(
            'JOB = (print, "Not inline", {"isolation": "inline", "retries": 0})\n'
        )
        assert airflow.run(sys.executable, "-m", "dagsync", "sync").returncode == 0
        dag_ids = ["early_tell", "late_tell", "late_fail"]
        for dag_id in dag_ids:
            until(
                lambda dag_id=dag_id: airflow.client.get(f"/api/v2/dags/{dag_id}").is_success, f"{dag_id} is known", airflow, 60
            )
        runs = {dag_id: airflow.trigger(dag_id) for dag_id in dag_ids}
        for name, version in versions.items():
            run_id = runs[f"{name}_tell"]
            assert airflow.finished(f"{name}_tell", run_id) == "success", airflow.task_log(f"{name}_tell", run_id, "tell")
            log = airflow.task_log(f"{name}_tell", run_id, "tell")
            assert f"making the environment of package {name}" in log
            assert f"greeting {version}" in log
            assert (airflow.home / f"{name}.jobs.version").read_text() == version
        assert airflow.finished("late_fail", runs["late_fail"]) == "failed"
        assert "package late brings its own" in airflow.task_log("late_fail", runs["late_fail"], "fail")
    finally:
        for name in versions:
            rmtree(packages / name, ignore_errors=True)
        airflow.run(sys.executable, "-m", "dagsync", "sync")
