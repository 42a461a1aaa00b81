"""Connections and transactions; turns a database that is away into TransientError. Holds no queries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from schemas import sql
from schemas.errors import Reason, TransientError

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


class Store:
    """A pool of connections to one database. Make it after any fork, close it when done."""

    def __init__(self, url: str, *, size: int = 4, name: str = "framewatch", statement_timeout_s: int = 120) -> None:
        options = (
            f"-c statement_timeout={statement_timeout_s * 1000} -c idle_in_transaction_session_timeout=60000 "
            # Look-ups of some thousand keys seem dear to the planner; compiling them would cost more than running them.
            "-c lock_timeout=20000 -c timezone=UTC -c jit=off"
        )
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=0,
            max_size=size,
            timeout=5,
            open=False,
            max_idle=120,
            num_workers=1,
            reconnect_timeout=1,
            check=ConnectionPool.check_connection,
            kwargs={
                "row_factory": dict_row,
                "application_name": name,
                "options": options,
                "connect_timeout": 5,
                # Named prepared statements break behind transaction-mode poolers.
                "prepare_threshold": None,
            },
        )
        self._pool.open()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction, committed at the end; TransientError(DATABASE_UNAVAILABLE) when Postgres is away."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def unavailable(error: Exception) -> TransientError:
    """The one way to say that the database cannot be used now."""
    cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return TransientError(Reason.DATABASE_UNAVAILABLE, f"Postgres is not available: {cause}", timedelta(seconds=5))


def run(connection: Connection, topic: str, name: str, /, **values: Any) -> psycopg.Cursor[Row]:
    """Execute the query `name` of `topic` with named values."""
    query = sql.queries(topic)[name]
    return connection.execute(query.encode(), values, prepare=False)


def blobs(connection: Connection, topic: str, name: str, /, **values: Any) -> Row:
    """The single row of a query whose columns are bytes; b"" where it has none."""
    query = sql.queries(topic)[name]
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(query.encode(), values, prepare=False).fetchone()
    return {name: value or b"" for name, value in (found or {}).items()}


def rows(connection: Connection, topic: str, name: str, /, **values: Any) -> list[Row]:
    """All rows of a query."""
    return run(connection, topic, name, **values).fetchall()


def row(connection: Connection, topic: str, name: str, /, **values: Any) -> Row | None:
    """The first row of a query, None when there is none."""
    return run(connection, topic, name, **values).fetchone()


def one(connection: Connection, topic: str, name: str, /, **values: Any) -> Row:
    """The single row that a query always gives."""
    found = row(connection, topic, name, **values)
    if found is None:
        raise LookupError(f"{topic}.{name} gave no row")
    return found


def columns(records: list[Mapping[str, Any]], *names: str) -> dict[str, list[Any]]:
    """Records turned into one list a column, for unnest."""
    return {name: [record[name] for record in records] for name in names}
