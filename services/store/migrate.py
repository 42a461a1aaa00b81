"""Brings a database to this version's schema, one migrator at a time; never touches a schema it does not know."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg.rows import dict_row

from schemas import sql
from schemas.errors import PermanentError, Reason
from services.store import counts
from services.store.pool import Connection, unavailable
from services.store.posts import ensure_post_partitions


def _untold(name: str) -> None:
    """For whoever does not listen."""


def migrate(url: str, tell: Callable[[str], None] = _untold) -> list[str]:
    """Apply the migrations that are missing and return their names; `tell` hears each before it is applied.

    Raises TransientError when Postgres is away, PermanentError(BAD_CONFIG) when the schema is newer than
    this program.
    """
    try:
        with psycopg.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=10) as connection:
            counts.lock_migrations(connection)
            return [_apply(connection, number, tell) for number in _missing(connection)]
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


def prepare(url: str, today: date, tell: Callable[[str], None] = _untold) -> list[str]:
    """Migrate, and make the partitions of the days around `today`; names of the migrations applied.

    `tell` hears the name of each before it is applied: over many posts one can take minutes.
    """
    done = migrate(url, tell)
    with psycopg.connect(url, row_factory=dict_row, connect_timeout=10) as connection:
        ensure_post_partitions(connection, today - timedelta(days=1), today + timedelta(days=14))
    return done


def pending(connection: Connection) -> list[str]:
    """Names of the migrations this database lacks."""
    try:
        done = set(counts.applied_migrations(connection))
    except psycopg.errors.UndefinedTable:
        done = set()
    return [f"{number:04d}_{name}" for number, name, _ in sql.migrations() if number not in done]


def _missing(connection: Connection) -> list[int]:
    counts.make_migrations_table(connection)
    done = set(counts.applied_migrations(connection))
    known = {number for number, _, _ in sql.migrations()}
    if done - known:
        raise PermanentError(
            Reason.BAD_CONFIG,
            f"the database has schema {max(done)}, this framewatch knows up to {max(known)}: install the newer one",
        )
    return sorted(known - done)


def _apply(connection: Connection, number: int, tell: Callable[[str], None]) -> str:
    name, text = next((n, t) for i, n, t in sql.migrations() if i == number)
    tell(f"{number:04d}_{name}")
    with connection.transaction():
        connection.execute(text.encode())
        counts.note_migration(connection, number, name, datetime.now(UTC))
    return f"{number:04d}_{name}"
