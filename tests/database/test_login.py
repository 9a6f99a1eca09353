"""Airflow logs in to a real PostgreSQL with tokens, and with a password that changes while it runs."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cluster.certificates import Authority
from components.database_connection import database_urls
from components.database_login import CONNECT_ARGS
from dagsync import database_login
from dagsync.cli import run
from dagsync.database_login import ASYNC, PAUSES, SYNC, SecretSource, TokenSource, source
from dagsync.errors import DatabaseLoginError
from tests.database.servers import OF_PROXY, OF_RDS, Gate, PostgreSQL, gate, is_token

ACCESS_KEY, SECRET_KEY, REGION = "AKIAIOSFODNN7EXAMPLE", "an example of a secret key", "eu-west-1"
IN_AIRFLOW = """
import asyncio, json
from airflow import settings
import sqlalchemy as sa

settings.initialize()
who = sa.text("select current_user")
with settings.Session() as session:
    sync = session.scalar(who)

async def ask():
    async with settings.AsyncSession() as session:
        return await session.scalar(who)

print("found", json.dumps([sync, asyncio.run(ask()), settings.engine.url.password]))
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Give this process credentials of AWS and no login yet, and forget what an earlier test asked for."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "DAGSYNC_DATABASE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    database_login._source.cache_clear()
    yield monkeypatch
    database_login._source.cache_clear()


@pytest.fixture
def doors() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def urls(door: Gate, authority: Authority, username: str | None) -> Any:
    certificate = str(authority.certificate)
    return database_urls(
        host="localhost", port=door.port, name="airflow", username=username, password=None, certificate_authority=certificate
    )


def token_door(doors: ExitStack, server: PostgreSQL, authority: Authority) -> Gate:
    """Open a gate that takes tokens of IAM for members of ``rds_iam``, and for nobody else."""

    def check(user: str, password: str) -> bool:
        member = server.execute(f"select pg_has_role('{user}', 'rds_iam', 'usage')") == [(True,)]
        return member and is_token(password, user=user, host="localhost", port=door.port, secret_key=SECRET_KEY)

    door = doors.enter_context(gate(server, authority.server("database"), check))
    return door


def by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSYNC_DATABASE_LOGIN", "iam")
    monkeypatch.setenv("DAGSYNC_DATABASE_REGION", REGION)


def who(url: str) -> str:
    with sa.create_engine(url, poolclass=NullPool, connect_args=SYNC).connect() as connection:
        return connection.scalar(sa.text("select current_user"))


async def who_asynchronously(url: str) -> str:
    async with create_async_engine(url, poolclass=NullPool, connect_args=ASYNC).connect() as connection:
        return await connection.scalar(sa.text("select current_user"))


def in_a_loop_of_its_own(work: Any) -> Any:
    """``asyncio.run`` would leave this thread without a loop, and Pulumi's mocks need the one it has."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@pytest.fixture
def token_user(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the user as the migration Job does, logged in as the administrator."""
    url = f"postgresql+psycopg2://airflow@127.0.0.1:{server.port}/airflow"
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", url)
    assert run(["database-user", "airflow_iam"], os.environ) == 0
    return "airflow_iam"


def test_airflow_s_own_engines_log_in_by_token(
    server: PostgreSQL, authority: Authority, doors: ExitStack, token_user: str, tmp_path: Path
):
    door = token_door(doors, server, authority)
    found = urls(door, authority, token_user)
    given = {
        **os.environ,
        **CONNECT_ARGS,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": found.sync,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": found.asynchronous,
        "DAGSYNC_DATABASE_LOGIN": "iam",
        "DAGSYNC_DATABASE_REGION": REGION,
    }
    done = subprocess.run(
        [sys.executable, "-c", IN_AIRFLOW], env=given, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    (answer,) = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    assert json.loads(answer.removeprefix("found ")) == [token_user, token_user, None]
    assert {user for user, _ in door.asked} == {token_user}
    for _, token in door.asked:
        assert token not in done.stdout + done.stderr


def test_a_token_is_used_for_many_connections_until_it_is_old(
    server: PostgreSQL, authority: Authority, doors: ExitStack, token_user: str, monkeypatch: pytest.MonkeyPatch
):
    by_token(monkeypatch)
    door = token_door(doors, server, authority)
    found = urls(door, authority, token_user)
    assert [who(found.sync), who(found.sync)] == [token_user] * 2
    assert in_a_loop_of_its_own(who_asynchronously(found.asynchronous)) == token_user
    assert len({token for _, token in door.asked}) == 1


def test_a_token_is_signed_anew_when_five_minutes_of_it_are_left(monkeypatch: pytest.MonkeyPatch):
    now = [1000.0]
    monkeypatch.setattr("dagsync.database_login.time.monotonic", lambda: now[0])
    tokens = TokenSource(REGION)

    def token_of(access_key: str, after: float) -> str:
        # Its signature has the second in it, which may be the same; the key shows whether it was signed anew.
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
        now[0] += after
        return tokens.login(host="db", port=5432, user="airflow", renew=False).password

    boto3.DEFAULT_SESSION = None
    first = token_of("FIRST", 0)
    assert token_of("SECOND", 599) == first
    boto3.DEFAULT_SESSION = None
    assert "SECOND" in token_of("SECOND", 1)


@pytest.mark.parametrize("user", ["airflow", "airflow_iam"])
def test_a_token_opens_nothing_for_another_key_or_user(
    server: PostgreSQL, authority: Authority, doors: ExitStack, token_user: str, monkeypatch: pytest.MonkeyPatch, user: str
):
    """``airflow`` is the administrator, whom RDS takes no token from; the other has a token that somebody else signed."""
    by_token(monkeypatch)
    monkeypatch.setattr(database_login, "PAUSES", (None, 0.0))
    if user == token_user:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another key")
    door = token_door(doors, server, authority)
    with pytest.raises(sa.exc.OperationalError, match="authentication failed"):
        who(urls(door, authority, user).sync)
    assert len(door.asked) == 2


def test_the_user_owns_what_is_there_and_the_way_back_stays_open(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch):
    server.execute("create database way_back owner airflow")
    server.execute("create table if not exists made_before (id int)", user="airflow", database="way_back")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"postgresql+psycopg2://airflow@127.0.0.1:{server.port}/way_back")
    assert [run(["database-user", "airflow_iam"], os.environ) for _ in range(2)] == [0, 0]
    # A migration alters what an earlier one made, and makes more.
    server.execute(
        "alter table made_before add column if not exists name text",
        "create table if not exists made_later (id int)",
        user="airflow_iam",
        database="way_back",
    )
    # The administrator is no member, or RDS would refuse its password. These two statements of docs/aws.md make it one again.
    assert server.execute("select pg_has_role('airflow', 'rds_iam', 'usage')") == [(False,)]
    server.execute("revoke rds_iam from airflow_iam", "grant airflow_iam to airflow", user="airflow")
    server.execute("alter table made_later add column if not exists name text", user="airflow", database="way_back")
    assert server.execute("select pg_has_role('airflow', 'rds_iam', 'usage')") == [(False,)]
    server.execute("revoke airflow_iam from airflow", user="airflow")
    owners = "select distinct tableowner from pg_tables where tablename like 'made_%'"
    assert server.execute(owners, database="way_back") == [("airflow_iam",)]
    assert server.execute("select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = 'airflow_iam'") == [
        (False,)
    ]


@pytest.fixture
def kept_secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Keep the administrator's login in moto's Secrets Manager and return a function that rotates it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://{host}:{port}")
        client = boto3.client("secretsmanager", region_name=REGION)
        made = client.create_secret(Name=f"rds!{uuid.uuid4()}", SecretString="{}")
        monkeypatch.setenv("DAGSYNC_DATABASE_LOGIN", "secret")
        monkeypatch.setenv("DAGSYNC_DATABASE_SECRET_ARN", made["ARN"])

        def rotate(value: str) -> None:
            client.put_secret_value(SecretId=made["ARN"], SecretString=value)

        yield rotate
    finally:
        moto.stop()


@pytest.mark.parametrize("refusal", [OF_RDS, OF_PROXY])
def test_a_rotated_password_is_read_again_by_both_drivers(
    server: PostgreSQL, authority: Authority, doors: ExitStack, kept_secret: Any, refusal: str
):
    password = ["first"]
    pair = authority.server("database")
    door = doors.enter_context(gate(server, pair, lambda _, given: given == password[0], refusal))
    found = urls(door, authority, None)
    kept_secret(json.dumps({"username": "airflow", "password": "first"}))
    assert who(found.sync) == "airflow"
    for value, connect in (
        ("second", lambda: who(found.sync)),
        ("third", lambda: in_a_loop_of_its_own(who_asynchronously(found.asynchronous))),
    ):
        password[0] = value
        kept_secret(json.dumps({"username": "airflow", "password": value}))
        assert connect() == "airflow"
    # Each change costs one refused login and no more.
    assert [given for _, given in door.asked] == ["first", "first", "second", "second", "third"]


def test_a_password_the_secret_does_not_show_yet_is_waited_for(
    server: PostgreSQL, authority: Authority, doors: ExitStack, kept_secret: Any, monkeypatch: pytest.MonkeyPatch
):
    """RDS sets it on the server first."""
    kept_secret(json.dumps({"username": "airflow", "password": "old"}))

    def check(_: str, given: str) -> bool:
        if len(door.asked) == 2:
            kept_secret(json.dumps({"username": "airflow", "password": "new"}))
        return given == "new"

    door = doors.enter_context(gate(server, authority.server("database"), check))
    monkeypatch.setattr(database_login, "PAUSES", (None, 0.0, 0.1, 0.1))
    assert who(urls(door, authority, None).sync) == "airflow"
    assert [given for _, given in door.asked] == ["old", "old", "new"]


@pytest.mark.parametrize("value", ["s3cret", "[]", '{"username": "airflow"}'])
def test_a_secret_without_a_login_is_named_and_not_quoted(kept_secret: Any, value: str):
    kept_secret(value)
    with pytest.raises(DatabaseLoginError, match="does not hold a login") as refused:
        source(os.environ).login(host="db", port=5432, user="", renew=False)
    assert "s3cret" not in str(refused.value)


def test_a_secret_that_cannot_be_read_is_like_a_database_that_is_away(kept_secret: Any, monkeypatch: pytest.MonkeyPatch):
    """Airflow's processes retry then; anything else would end them."""
    monkeypatch.setenv("DAGSYNC_DATABASE_SECRET_ARN", f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none-AbCdEf")
    with pytest.raises(sa.exc.OperationalError, match="cannot be read"):
        who("postgresql+psycopg2://localhost:1/airflow")
    with pytest.raises(OSError, match="cannot be read"):
        in_a_loop_of_its_own(who_asynchronously("postgresql+asyncpg://localhost:1/airflow"))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "DAGSYNC_DATABASE_LOGIN"),
        ({"DAGSYNC_DATABASE_LOGIN": "token"}, "allowed: secret, iam"),
        ({"DAGSYNC_DATABASE_LOGIN": "iam"}, "DAGSYNC_DATABASE_REGION"),
        ({"DAGSYNC_DATABASE_LOGIN": "secret"}, "DAGSYNC_DATABASE_SECRET_ARN"),
    ],
)
def test_an_environment_that_does_not_say_how_to_log_in_is_refused(given: dict[str, str], named: str):
    with pytest.raises(DatabaseLoginError, match=named):
        source(given)


def test_a_rotation_is_given_several_seconds():
    assert sum(pause or 0 for pause in PAUSES) >= 5
    assert isinstance(source({"DAGSYNC_DATABASE_LOGIN": "secret", "DAGSYNC_DATABASE_SECRET_ARN": "arn"}), SecretSource)
