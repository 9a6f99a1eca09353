"""Profile every table of the warehouse: rows and, per column, missing and distinct values."""

import argparse
import logging
import sqlite3

from etl_core.files import write_report
from etl_core.job import DataError, reports_data_errors
from etl_core.warehouse import warehouse

log = logging.getLogger(__name__)


@reports_data_errors
def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="quality.profile_warehouse", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="tables to profile (default: all)")
    options = parser.parse_args(argv)

    with warehouse() as connection:
        existing = [
            row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        if unknown := sorted(set(options.tables) - set(existing)):
            raise DataError(f"warehouse: expected tables among {', '.join(existing) or 'none'}; found {', '.join(unknown)}")
        rows = [row for table in options.tables or existing for row in profile(connection, table)]
    path = write_report("profile", rows, "json")
    log.info("%s: %d columns", path, len(rows))
    return 0


def profile(connection: sqlite3.Connection, table: str) -> list[dict[str, object]]:
    """Return one row per column of ``table``, which must be the name of an existing table."""
    columns = [row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", [table])]
    rows: list[dict[str, object]] = []
    for column in columns:
        query = f'SELECT count(*), count(*) - count("{column}"), count(DISTINCT "{column}") FROM "{table}"'  # noqa: S608 - names come from the catalog
        total, missing, distinct = connection.execute(query).fetchone()
        rows.append({"table": table, "column": column, "rows": total, "missing": missing, "distinct": distinct})
    return rows


JOB = (main, "Profile the tables of the warehouse: rows, missing and distinct values", {"schedule": "@weekly"})
