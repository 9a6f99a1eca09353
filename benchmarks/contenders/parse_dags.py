"""``parse_dags.py FOLDER [FILE DAG_ID]``: what Airflow pays for parsing DAG files, as JSON on the last line.

With a folder alone all files of it are parsed once, as the dag-processor's bag does. With the rest, that one file is parsed
as a worker does when it starts a task of DAG_ID. Airflow's own imports are over before.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag, DagBag

CONTEXT = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
WARM_UP = """
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseOperator, Param, get_parsing_context

with DAG("warm_up", schedule=None, params={"args": Param([], type="array")}):
    PythonOperator(task_id="warm_up", python_callable=print)
"""


def timed(parse: Callable[[], DagBag]) -> tuple[float, float, DagBag]:
    """Return CPU and wall seconds and what was parsed."""
    cpu, wall = time.process_time(), time.perf_counter()
    bag = parse()
    return time.process_time() - cpu, time.perf_counter() - wall, bag


def main(folder: Path, file: str | None = None, dag_id: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as warm:
        (Path(warm) / "warm_up.py").write_text(WARM_UP)
        # dag-factory's import is Airflow's plugin loading as much as its own, and no cost of a pass.
        if any("dagfactory" in path.read_text() for path in folder.glob("*.py")):
            (Path(warm) / "factory.py").write_text("# airflow dag\nimport dagfactory\n")
        DagBag(warm, bundle_path=Path(warm))
    if file is None:
        cpu, wall, bag = timed(lambda: DagBag(folder, bundle_path=folder))
    else:
        assert dag_id is not None
        os.environ[CONTEXT] = dag_id
        path = folder / file
        # As task_runner.parse calls it.
        cpu, wall, bag = timed(
            lambda: BundleDagBag(path, safe_mode=False, load_op_links=False, bundle_path=folder, bundle_name="dags")
        )
        if dag_id not in bag.dags:
            sys.exit(f"{file}: {dag_id} is not there: {bag.import_errors}")
    if bag.import_errors:
        sys.exit(f"import errors: {bag.import_errors}")
    print(json.dumps({"cpu_seconds": cpu, "wall_seconds": wall, "dags": len(bag.dags)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
