"""Has Airflow parse a folder of DAG files: ``python -m dagsync.airflow_parsing FOLDER RESULT``.

The only module that imports Airflow; ``validation`` starts it in a process of its own and reads ``RESULT``.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def main(folder: Path, result: Path) -> None:
    """Do to each file what the dag-processor does, and write the Airflow version, DAG ids and errors by file as JSON."""
    from airflow import __version__
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.utils import dag_version_inflation_checker

    errors: dict[str, str] = {}
    dags: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.py")):
        if unstable := dag_version_inflation_checker.check_dag_file_stability(str(path)).format_warnings():
            errors[path.name] = unstable
            continue
        bag: Any = DagBag(str(path), bundle_path=folder, bundle_name="dags-folder")
        errors |= {Path(name).name: text for name, text in bag.import_errors.items()}
        for dag in bag.dags.values():
            try:
                DagSerialization.to_dict(dag)
            except Exception:
                errors[path.name] = f"DAG {dag.dag_id!r} cannot be serialized\n{traceback.format_exc()}"
            else:
                dags.setdefault(path.name, []).append(dag.dag_id)
    result.write_text(json.dumps({"version": __version__, "dags": dags, "errors": errors}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
