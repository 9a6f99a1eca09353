"""``importing_scanner.py ROOT OUT``: imports every job, reads ``JOB`` and writes one DAG file per job, in place.

The obvious way to do dagsync's work, and the one it replaces.
"""

import importlib
import logging
import sys
from pathlib import Path

TEMPLATE = '''"""DAG of {job}, generated."""

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

from {package}.jobs.{module} import JOB


def run(**context):
    code = JOB[0]((context["dag_run"].conf or {{}}).get("args", []))
    if code:
        raise RuntimeError(f"job exited with code {{code}}")


with DAG(
    dag_id={dag_id!r},
    description={description!r},
    schedule=None,
    catchup=False,
    tags=[{package!r}, "etl", "auto-generated"],
) as dag:
    PythonOperator(task_id={module!r}, python_callable=run)
'''


def main(root: Path, out: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    sys.path.insert(0, str(root))
    out.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for package in sorted(path.name for path in root.iterdir() if (path / "__init__.py").is_file()):
        for path in sorted((root / package / "jobs").glob("*.py")):
            if path.stem == "__init__":
                continue
            job = f"{package}.jobs.{path.stem}"
            try:
                _, description = importlib.import_module(job).JOB
            except Exception as error:
                logging.warning("cannot load %s: %s", job, error)
                continue
            dag_id = f"{package}_{path.stem}"
            text = TEMPLATE.format(job=job, package=package, module=path.stem, dag_id=dag_id, description=description)
            with (out / f"{dag_id}_dag.py").open("w") as stream:
                stream.write(text)
            written.add(f"{dag_id}_dag.py")
    for stale in out.glob("*_dag.py"):
        if stale.name not in written:
            stale.unlink()
    logging.info("synchronized %d DAGs", len(written))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
