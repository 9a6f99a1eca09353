"""Whether the database needs a migration, told without starting Airflow."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from standalone import database
from standalone.errors import NewerSchemaError, StateFolderError

INSTALLED = {"apache-airflow-core": "3.3.2", "apache-airflow-providers-fab": "3.10.2"}


@pytest.fixture
def migrated(tmp_path: Path) -> tuple[Path, Path]:
    """A database and its stamp, as a migration by INSTALLED leaves them."""
    path, stamp = tmp_path / "airflow.db", tmp_path / "schema.json"
    make(path, "d2f4e1b3c5a7")
    database.write_stamp(path, stamp, INSTALLED)
    return path, stamp


def make(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table alembic_version (version_num text)")
        connection.execute("insert into alembic_version values (?)", (revision,))
        connection.commit()


def test_nothing_is_done_twice(migrated: tuple[Path, Path]) -> None:
    assert database.next_step(*migrated, INSTALLED) == "none"


def test_a_missing_database_is_created(tmp_path: Path) -> None:
    assert database.next_step(tmp_path / "airflow.db", tmp_path / "schema.json", INSTALLED) == "create"


@pytest.mark.parametrize("name", INSTALLED)
def test_any_upgrade_that_may_bring_migrations_migrates(migrated: tuple[Path, Path], name: str) -> None:
    assert database.next_step(*migrated, INSTALLED | {name: "99.0.0"}) == "migrate"


def test_a_schema_changed_behind_our_back_migrates(migrated: tuple[Path, Path]) -> None:
    with closing(sqlite3.connect(migrated[0])) as connection:
        connection.execute("update alembic_version set version_num = '1d6611b6ab7c'")
        connection.commit()
    assert database.next_step(*migrated, INSTALLED) == "migrate"


def test_a_database_without_a_stamp_is_left_to_airflow_to_judge(migrated: tuple[Path, Path]) -> None:
    migrated[1].unlink()
    assert database.next_step(*migrated, INSTALLED) == "migrate"


def test_a_newer_airflows_database_is_refused_naming_both_versions(migrated: tuple[Path, Path]) -> None:
    with pytest.raises(NewerSchemaError, match=r"written by Airflow 3\.3\.2, newer than the installed 3\.3\.1"):
        database.next_step(*migrated, INSTALLED | {"apache-airflow-core": "3.3.1"})


def test_a_file_that_is_no_database_is_named(migrated: tuple[Path, Path]) -> None:
    migrated[0].write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(StateFolderError, match=r"airflow\.db: not a database"):
        database.next_step(*migrated, INSTALLED)


def test_a_created_database_is_adopted_with_what_its_log_still_holds(tmp_path: Path) -> None:
    new, final = tmp_path / "airflow.new", tmp_path / "airflow.db"
    with closing(sqlite3.connect(new)) as writer, closing(sqlite3.connect(new)) as reader:
        writer.execute("pragma journal_mode=wal")
        writer.execute("create table alembic_version (version_num text)")
        writer.execute("insert into alembic_version values ('d2f4e1b3c5a7')")
        writer.commit()
        reader.execute("select 1")
        assert (tmp_path / "airflow.new-wal").stat().st_size
        database.adopt(new, final)
    assert database.revisions(final) == {"alembic_version": "d2f4e1b3c5a7"}
