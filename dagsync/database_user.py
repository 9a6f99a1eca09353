"""Makes the PostgreSQL user that Airflow logs in as by IAM, and gives it Airflow's database.

It cannot be the administrator: RDS refuses the password of a user who may log in by token, and with it the way back.
"""

from collections.abc import Mapping
from typing import Any

from dagsync.database_login import connect_arguments
from dagsync.errors import DatabaseLoginError

LOGIN_BY_TOKEN = "rds_iam"  # noqa: S105 - a role
"""Role whose members log in by token. Source: Amazon RDS user guide, "Creating a database account using IAM authentication"."""


def make_database_user(url: str, user: str, environment: Mapping[str, str]) -> str:
    """Make ``user`` if there is none, let it log in by token, and give it what the administrator owns in the database.

    Logs in with the database's administrator. Returns one sentence on what was done; done again, nothing changes. Raises
    ``DatabaseLoginError`` if the server refuses.
    """
    # Here and not above: only this command needs it.
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=connect_arguments(environment))
        with engine.begin() as connection:
            made = _make(connection, sa.text, user)
    except SQLAlchemyError as error:
        # The whole message may quote the URL.
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise DatabaseLoginError(
            f"database user {user}: {reason}", "log in with the administrator of an RDS instance with IAM authentication"
        ) from None
    return f"database user {user}: {'made' if made else 'there already'}, logs in by IAM and owns the database"


def _make(connection: Any, text: Any, user: str) -> bool:
    quoted = connection.dialect.identifier_preparer.quote_identifier(user)
    exists = connection.execute(text("select 1 from pg_roles where rolname = :user"), {"user": user}).scalar()
    if not exists:
        connection.execute(text(f"create role {quoted} login"))
    connection.execute(text(f"grant {LOGIN_BY_TOKEN} to {quoted}"))
    # Whoever gives away must be a member of whom it is given to, and not for longer: a member of a member of rds_iam is one.
    connection.execute(text(f"grant {quoted} to current_user"))
    connection.execute(text(f"reassign owned by current_user to {quoted}"))
    connection.execute(text(f"revoke {quoted} from current_user"))
    return not exists
