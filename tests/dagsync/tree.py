"""Writes small monorepos and runs the command line on them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from dagsync.outcome import Report, SyncOptions
from dagsync.syncing import sync

JOB = 'def entrypoint(argv):\n    return 0\n\nJOB = (entrypoint, "A job")\n'


class Monorepo:
    """A folder of packages and the DAG folder made from it."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "packages"
        self.dags = folder / "dags"
        self.packages.mkdir(parents=True)

    def job(self, ref: str, source: str = JOB) -> Path:
        """Write ``package.job``, with the package around it, and return the module's path."""
        package, _, name = ref.partition(".")
        path = self.packages / package / "jobs" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.packages / package / "__init__.py").touch()
        path.write_text(dedent(source))
        return path

    def options(self, **changed: object) -> SyncOptions:
        return SyncOptions(self.packages, self.dags)._replace(**changed)  # pyright: ignore[reportArgumentType] - by the tests

    def sync(self, **changed: object) -> Report:
        return sync(self.options(**changed))

    def cli(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line in a process of its own, with the folders given by the environment."""
        given = {"ETL_PACKAGES_ROOT": str(self.packages), "AIRFLOW_DAGS_DIR": str(self.dags), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [sys.executable, "-m", "dagsync", *arguments],
            env=given | dict(environment or {}),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def files(self) -> dict[str, bytes]:
        """Return the content of every file Airflow would see."""
        return {path.name: path.read_bytes() for path in sorted(self.dags.glob("*.py"))}

    def dag_ids(self) -> set[str]:
        """Return the ids of the DAGs in the DAG folder."""
        lines = (line.strip() for content in self.files().values() for line in content.decode().splitlines())
        return {line.removeprefix("dag_id='").removesuffix("',") for line in lines if line.startswith("dag_id=")}
