"""The SQLite database: whether its schema fits the installed Airflow, told in milliseconds instead of a migration's seconds."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from packaging.version import Version
from pydantic import TypeAdapter, ValidationError

from standalone.errors import NewerSchemaError, StateFolderError
from standalone.state import write_private

SCHEMA_OWNERS = ("apache-airflow-core", "apache-airflow-providers-fab")
"""Distributions that bring migrations; the first is the Airflow whose version is compared."""

NEWER_SCHEMA = "Can't locate revision identified by"
"""What alembic says of a database that knows a migration this Airflow does not."""

Step = Literal["create", "migrate", "none"]
_STAMP = TypeAdapter(dict[str, str])


def installed_versions() -> dict[str, str]:
    """Return the version of each distribution that has migrations."""
    return {name: version(name) for name in SCHEMA_OWNERS}


def next_step(database: Path, stamp: Path, installed: Mapping[str, str]) -> Step:
    """Return what the database needs before ``installed`` can use it.

    The stamp says which versions migrated the database and to which revisions; if both still hold there is nothing to do.
    Raises NewerSchemaError if a newer Airflow wrote it: Airflow cannot go back by itself.
    """
    if not database.exists():
        return "create"
    try:
        recorded = _STAMP.validate_json(stamp.read_bytes())
    except (FileNotFoundError, ValidationError):
        return "migrate"
    airflow = SCHEMA_OWNERS[0]
    if Version(recorded.get(airflow, "0")) > Version(installed[airflow]):
        raise too_new(database, recorded[airflow], installed[airflow])
    return "none" if recorded == {**installed, **revisions(database)} else "migrate"


def write_stamp(database: Path, stamp: Path, installed: Mapping[str, str]) -> None:
    """Record that ``installed`` migrated the database."""
    write_private(stamp, json.dumps({**installed, **revisions(database)}, indent=2) + "\n")


def revisions(database: Path) -> dict[str, str]:
    """Return each alembic version table and the revisions in it.

    Raises StateFolderError if the file is not a SQLite database.
    """
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return dict(_version_tables(connection))
    except sqlite3.DatabaseError as error:
        raise StateFolderError(
            f"{database}: not a database Airflow can open: {error}", f"Delete {database.parent} to begin anew."
        ) from error


def _version_tables(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for (table,) in connection.execute("select name from sqlite_master where type='table' and name like 'alembic_version%'"):
        rows = connection.execute(f'select version_num from "{table}" order by 1')  # noqa: S608 - a table's own name
        yield table, ",".join(row[0] for row in rows)


def adopt(new: Path, database: Path) -> None:
    """Put a freshly created database in its place, whole: one that was interrupted never gets the name."""
    # What is still in the write-ahead log would stay behind under the old name.
    with closing(sqlite3.connect(new)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    new.replace(database)


def too_new(database: Path, found: str, installed: str) -> NewerSchemaError:
    return NewerSchemaError(
        f"{database}: written by Airflow {found}, newer than the installed {installed}, which cannot read it",
        f"Use that Airflow again, or delete {database.parent} to begin anew, or give another folder with --state.",
    )
