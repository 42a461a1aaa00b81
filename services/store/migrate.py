"""Brings a database to this version's schema, one migrator at a time; never touches a schema it does not know."""

from datetime import UTC, datetime

import psycopg

from schemas import sql
from schemas.errors import PermanentError, Reason
from services.store.pool import unavailable

_LOCK = 7_266_391  # any number that nothing else in this database locks


def migrate(url: str) -> list[str]:
    """Apply the migrations that are missing and return their names.

    Raises TransientError when Postgres is away, PermanentError(BAD_CONFIG) when the schema is newer than
    this program.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
            return [_apply(connection, number) for number in _missing(connection)]
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


def _missing(connection: psycopg.Connection) -> list[int]:
    connection.execute(
        "create table if not exists schema_migrations"
        " (number integer primary key, name text not null, applied_at timestamptz not null)"
    )
    done = {number for (number,) in connection.execute("select number from schema_migrations")}
    known = {number for number, _, _ in sql.migrations()}
    if done - known:
        raise PermanentError(
            Reason.BAD_CONFIG,
            f"the database has schema {max(done)}, this framewatch knows up to {max(known)}: install the newer one",
        )
    return sorted(known - done)


def _apply(connection: psycopg.Connection, number: int) -> str:
    name, text = next((n, t) for i, n, t in sql.migrations() if i == number)
    with connection.transaction():
        connection.execute(text.encode())
        connection.execute(
            "insert into schema_migrations (number, name, applied_at) values (%s, %s, %s)",
            (number, name, datetime.now(UTC)),
        )
    return f"{number:04d}_{name}"
