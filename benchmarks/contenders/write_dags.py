"""``write_dags.py DAGSYNC_DIR OUT``: writes the DAGs that dagsync rendered as other people would have.

Reads them through Airflow, so that all contenders declare the same DAGs, and makes below OUT: ``grouped`` (by hand, as many
DAGs to a file as dagsync has), ``single`` (by hand, a file per DAG), ``factory-one`` and ``factory-many`` (dag-factory's
YAML, with one loader for all and with one loader per file).
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, BaseOperator

HEADER = """import datetime

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Param


def run(job, **context):
    package, _, module = job.partition(".")
    entrypoint = __import__(f"{package}.jobs.{module}", fromlist=["JOB"]).JOB[0]
    if code := entrypoint(context["params"]["args"]):
        raise RuntimeError(f"{job} ended with {code}")

"""
LOADER = """# airflow dag
from pathlib import Path

from dagfactory import load_yaml_dags

for path in sorted(Path(__file__).parent.glob({pattern!r})):
    load_yaml_dags(globals_dict=globals(), config_filepath=str(path))
"""
# Looked up by name, so that what dagsync starts to set is copied where it differs from Airflow's default.
DAG_OPTIONS = ("doc_md", "max_active_runs", "max_active_tasks", "dagrun_timeout", "is_paused_upon_creation")
TASK_OPTIONS = ("retries", "retry_delay", "retry_exponential_backoff", "max_retry_delay", "execution_timeout", "pool", "owner")


def by_hand(dag: DAG) -> str:
    """Return the ``with DAG(...)`` block a person would write."""
    tasks: list[str] = []
    for task in dag.tasks:
        options = "".join(f", {name}={value!r}" for name, value in task_options(task).items())
        job = f"{dag.dag_id.removesuffix('_' + task.task_id)}.{task.task_id}"
        tasks.append(f"    PythonOperator(task_id={task.task_id!r}, python_callable=run, op_args=[{job!r}]{options})\n")
    options = "".join(f"    {name}={value!r},\n" for name, value in dag_options(dag).items())
    return (
        f"with DAG(\n    dag_id={dag.dag_id!r},\n    description={dag.description!r},\n    schedule=None,\n    catchup=False,\n"
        f"    tags={sorted(dag.tags)!r},\n{options}    params={{{_params(dag)}}},\n):\n" + "".join(tasks)
    )


def dag_options(dag: DAG) -> dict[str, Any]:
    """Return what differs from Airflow's defaults."""
    usual = DAG("usual", schedule=None)
    return {name: getattr(dag, name) for name in DAG_OPTIONS if getattr(dag, name) != getattr(usual, name)}


def task_options(task: Any) -> dict[str, Any]:
    """Return what differs from Airflow's defaults."""
    usual = BaseOperator(task_id="usual")
    return {name: getattr(task, name) for name in TASK_OPTIONS if getattr(task, name) != getattr(usual, name)}


def _params(dag: DAG) -> str:
    texts: list[str] = []
    for name, param in ((name, dag.params.get_param(name)) for name in dag.params):
        schema = "".join(f", {key}={value!r}" for key, value in cast("dict[str, object]", param.schema).items())
        description = f", description={param.description!r}" if param.description else ""
        texts.append(f"{name!r}: Param({param.value!r}{description}{schema})")
    return ", ".join(texts)


def in_yaml(dag: DAG) -> dict[str, Any]:
    """Return what dag-factory reads."""
    (task,) = dag.tasks
    params = {name: dag.params.get_param(name) for name in dag.params}
    return {
        "description": dag.description,
        "schedule": None,
        "catchup": False,
        "tags": sorted(dag.tags),
        "params": {
            name: {"__type__": "airflow.sdk.Param", "default": param.value, **param.schema} for name, param in params.items()
        },
        "default_args": {"owner": "airflow", "start_date": "2026-01-01"},
        "tasks": [
            {
                "task_id": task.task_id,
                "operator": "airflow.providers.standard.operators.python.PythonOperator",
                "python_callable": "builtins.print",
                **_spelled(task_options(task)),
            }
        ],
        **_spelled(dag_options(dag)),
    }


def _spelled(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as dag-factory spells them in YAML, which has no spans of time."""
    return {
        name: {"__type__": "datetime.timedelta", "seconds": value.total_seconds()} if isinstance(value, timedelta) else value
        for name, value in options.items()
    }


def main(source: Path, out: Path) -> None:
    folders = {name: out / name for name in ("grouped", "single", "factory-one", "factory-many")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    bag = DagBag(source, bundle_path=source)
    if bag.import_errors:
        sys.exit(f"dagsync's files do not parse: {bag.import_errors}")
    for path in sorted(source.glob("*.py")):
        dags = [dag for dag in bag.dags.values() if Path(dag.fileloc) == path]
        (folders["grouped"] / path.name).write_text(HEADER + "\n".join(map(by_hand, dags)))
        for dag in dags:
            (folders["single"] / f"{dag.dag_id}.py").write_text(HEADER + by_hand(dag))
        # JSON is YAML, and libyaml reads it no slower.
        document = json.dumps({dag.dag_id: in_yaml(dag) for dag in dags}, indent=1)
        for kind in ("factory-one", "factory-many"):
            (folders[kind] / f"{path.stem}.yml").write_text(document)
        (folders["factory-many"] / path.name).write_text(LOADER.format(pattern=f"{path.stem}.yml"))
    (folders["factory-one"] / "loader.py").write_text(LOADER.format(pattern="*.yml"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
