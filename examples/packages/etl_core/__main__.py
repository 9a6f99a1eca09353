"""Run one job without Airflow: ``python -m etl_core sales.load_orders --limit 10``."""

import logging
import sys
from importlib import import_module


def main(argv: list[str]) -> int:
    if not argv or argv[0].count(".") != 1:
        sys.stderr.write("usage: python -m etl_core PACKAGE.JOB [ARGUMENT ...]\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    package, job = argv[0].split(".")
    return import_module(f"{package}.jobs.{job}").main(argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
