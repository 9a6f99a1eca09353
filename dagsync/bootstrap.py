"""Starts ``dagsync.child`` in an environment that has no dagsync: ``python -P bootstrap.py package.job -- ARGUMENTS``.

Makes this copy of dagsync importable, and nothing that lies beside it: that would be all of Airflow's packages.
"""

import importlib.util
import sys
from pathlib import Path


def _make_importable() -> None:
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location("dagsync", folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder}: expected dagsync")
    package = importlib.util.module_from_spec(spec)
    sys.modules["dagsync"] = package
    spec.loader.exec_module(package)


# Also when multiprocessing runs this file in the processes a job starts.
_make_importable()

if __name__ == "__main__":
    from dagsync.child import main

    sys.exit(main(sys.argv[1:]))
