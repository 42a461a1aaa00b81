"""What the planner of Postgres is told where it guesses wrong. Holds no question of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.store.pool import Connection, run


@contextmanager
def bitmaps(connection: Connection) -> Iterator[None]:
    """Within this, rows are found by bitmaps: pages are read once and in order, and indexes laid over each other.

    The planner takes splitting a text into words to be a hundredth as dear as it is, and would read the texts of an
    hour one by one; thousands of scattered rows it would fetch in the order of their index, each page many times.
    """
    allow_index_scans(connection, "off")
    yield
    allow_index_scans(connection, "on")


def allow_index_scans(connection: Connection, said: str) -> None:
    """`off` or `on`, until the transaction ends or it is said otherwise."""
    run(connection, "planning", "allow_index_scans", said=said)
