"""The warehouse: one SQLite file that all jobs share."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager

from etl_core.files import data_dir
from etl_core.job import DataError


@contextmanager
def warehouse() -> Generator[sqlite3.Connection]:
    """Yield a connection inside one transaction: committed when the block ends well, rolled back after an error."""
    path = data_dir() / "warehouse.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        # Takes the write lock now: a read lock upgraded later fails at once beside another writer, whatever the timeout.
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def require_table(connection: sqlite3.Connection, table: str, made_by: str) -> None:
    """Raise ``DataError``, naming the job to run first, unless ``table`` exists."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [table]).fetchone():
        raise DataError(f"warehouse: expected table {table}, found none\nrun {made_by} first")
