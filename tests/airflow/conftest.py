"""One real Airflow for all tests of this level, with a small tree of jobs synced into it."""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.airflow.server import Airflow, environment

JOBS = {
    "ends/returns_three": """
        import logging

        def entrypoint(argv):
            print("three rows are missing")
            logging.getLogger(__name__).warning("the feed is late")
            return 3

        JOB = (entrypoint, "Returns 3")
    """,
    "ends/raises": """
        def entrypoint(argv):
            raise ValueError("the feed is empty")

        JOB = (entrypoint, "Raises", {"on_failure": [{"via": "slack", "channel": "#etl"}]})
    """,
    "ends/exits_two": """
        import sys

        def entrypoint(argv):
            print("wrong arguments")
            sys.exit(2)

        JOB = (entrypoint, "Calls sys.exit(2)")
    """,
    "ends/needs_what_is_missing": """
        import a_library_nobody_has

        JOB = (a_library_nobody_has.run, "Cannot be imported here")
    """,
    "ends/is_flaky": """
        import os
        from pathlib import Path
        from dagsync import Job

        def entrypoint(argv):
            marker = Path(os.environ["AIRFLOW_HOME"]) / "tried"
            if marker.exists():
                return 0
            marker.touch()
            return 1

        JOB = Job(entrypoint, "Succeeds the second time", retries=1)
    """,
    "chain/__init__": "",
    "chain/echo": """
        import json
        import os
        from pathlib import Path
        from chain.shared import out

        JOB = (lambda argv: out("echo", json.dumps(argv)), "It's \\"quoted\\"\\nand {braced} %s", {"args": ["--default"]})
    """,
    "chain/upstream": """
        from chain.shared import out

        def entrypoint(argv):
            return out("upstream", "done")

        JOB = (entrypoint, "Runs first")
    """,
    "chain/downstream": """
        from pathlib import Path
        from chain.shared import folder, out
        import dagsync

        def entrypoint(argv):
            return out("downstream", (folder() / "upstream").read_text())

        JOB = dagsync.Job(entrypoint, "Runs second", after=["chain.upstream"])
    """,
    "chain/nightly": """
        JOB = (print, "Runs by the clock", {"schedule": "30 2 * * mon-fri"})
    """,
}
SHARED = """
import os
from pathlib import Path

def folder():
    return Path(os.environ["AIRFLOW_HOME"])

def out(name, text):
    (folder() / name).write_text(text)
    return 0
"""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monorepo of jobs that end in every way a job can."""
    root = tmp_path_factory.mktemp("monorepo") / "packages"
    for name, source in JOBS.items():
        package, _, module = name.partition("/")
        path = root / package / "jobs" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = source.splitlines()
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in lines) + "\n")
        (root / package / "__init__.py").touch()
    (root / "chain" / "shared.py").write_text(SHARED)
    # How they end is what is looked at, not the half minute before they are tried again.
    (root / "ends" / "pyproject.toml").write_text("[tool.dagsync]\nretries = 0\n")
    return root


@pytest.fixture(scope="session")
def migrated(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """An Airflow with its database migrated and the DAG files written, not started."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    airflow = Airflow(home, environment(home, packages, dags))
    synced = airflow.run(sys.executable, "-m", "dagsync", "sync")
    assert synced.returncode == 0, synced.stderr
    migration = airflow.run("airflow", "db", "migrate")
    assert migration.returncode == 0, migration.stderr[-3000:]
    return airflow


@pytest.fixture(scope="session")
def airflow(migrated: Airflow) -> Generator[Airflow]:
    """A running Airflow; every process of it is ended afterwards."""
    try:
        migrated.start()
        yield migrated
    finally:
        migrated.stop()


@pytest.fixture(scope="session")
def runs(airflow: Airflow) -> dict[str, str]:
    """One run of every job that is started by hand, all under way at once, by DAG id."""
    conf = {"chain_echo": {"args": ["--date", "2026-01-01"]}}
    # The flaky one first: half a minute passes before its second attempt.
    by_hand = ["ends_is_flaky", "ends_returns_three", "ends_raises", "ends_exits_two", "ends_needs_what_is_missing"]
    by_hand += ["chain_upstream", "chain_echo"]
    from tests.airflow.server import until

    for dag_id in by_hand:
        until(lambda dag_id=dag_id: airflow.client.get(f"/api/v2/dags/{dag_id}").is_success, f"{dag_id} is known", airflow, 60)
    return {dag_id: airflow.trigger(dag_id, conf.get(dag_id)) for dag_id in by_hand}
