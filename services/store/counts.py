"""Counts over the whole house: identities, backlogs, what each stage did."""

from collections.abc import Callable
from datetime import date, datetime

from schemas.stance import ANSWERS
from services.store.pool import Connection, Row, one, run
from services.store.pool import rows as all_rows


def _untold(done: int, of: int | None) -> None:
    """For whoever does not listen."""


def database_clock(connection: Connection) -> datetime:
    """The database's own clock, aware UTC."""
    at: datetime = one(connection, "counts", "database_clock")["at"]
    return at


def record_run(
    connection: Connection, stage: str, *, rows: int, failures: int, fenced_off: int, seconds: float, now: datetime,
    error: str | None,
) -> None:  # fmt: skip
    """Add one run of a stage to its counters."""
    values = {"rows": rows, "failures": failures, "fenced_off": fenced_off, "seconds": seconds, "now": now}
    run(connection, "counts", "record_run", stage=stage, error=error, **values)


def stage_runs(connection: Connection) -> list[Row]:
    """What each stage did since the database was made."""
    return all_rows(connection, "counts", "stage_runs")


def intake_identity(connection: Connection) -> Row:
    """fetched, new, duplicate, dropped."""
    return one(connection, "counts", "intake_identity")


def intake_outcomes(connection: Connection) -> list[Row]:
    """Posts by what became of them at intake."""
    return all_rows(connection, "counts", "intake_outcomes")


def stored_identity(connection: Connection) -> Row:
    """stored, scored, pending, parked."""
    return one(connection, "counts", "stored_identity")


def keys_identity(connection: Connection) -> Row:
    """posts, both (with a living key), erased, strays (queued without a post)."""
    return one(connection, "counts", "keys_identity")


def trend_identity(connection: Connection) -> Row:
    """points, told, fact, drifted."""
    return one(connection, "counts", "trend_identity")


def steps_identity(connection: Connection) -> Row:
    """steps, drifted."""
    return one(connection, "counts", "steps_identity")


def rows_identity(connection: Connection) -> Row:
    """numbers, drifted."""
    return one(connection, "counts", "rows_identity")


def stances_identity(connection: Connection) -> Row:
    """numbers, drifted."""
    return one(connection, "counts", "stances_identity", stances=list(ANSWERS))


def windows_identity(connection: Connection) -> Row:
    """windows, drifted."""
    return one(connection, "counts", "windows_identity")


def words_identity(connection: Connection) -> Row:
    """carriers, drifted."""
    return one(connection, "counts", "words_identity")


def scores_identity(connection: Connection) -> Row:
    """scores_without_post, carried_without_score."""
    return one(connection, "counts", "scores_identity")


def alert_identity(connection: Connection) -> Row:
    """raised, delivered, pending, parked, silenced."""
    return one(connection, "counts", "alert_identity")


def identity_rows(connection: Connection, tell: Callable[[int, int | None], None] = _untold) -> dict[str, Row]:
    """The numbers of every identity, by the name of its query; `tell` hears how many of how many are known."""
    reads = (intake_identity, stored_identity, keys_identity, trend_identity, steps_identity, rows_identity,
             stances_identity, words_identity, windows_identity, scores_identity, alert_identity)  # fmt: skip
    found: dict[str, Row] = {}
    for read in reads:
        tell(len(found), len(reads))
        found[read.__name__] = read(connection)
    return found


def backlog(connection: Connection) -> list[Row]:
    """Rows waiting before each stage and the age of the oldest in seconds."""
    return all_rows(connection, "counts", "backlog")


def totals(connection: Connection) -> Row:
    """The few numbers that say how large and how healthy the house is."""
    return one(connection, "counts", "totals")


def delivery_states(connection: Connection) -> list[Row]:
    """Deliveries by state."""
    return all_rows(connection, "counts", "delivery_states")


def alert_states(connection: Connection) -> list[Row]:
    """Alerts by kind and state."""
    return all_rows(connection, "counts", "alert_states")


def last_partition_day(connection: Connection) -> date | None:
    """The last day that posts have a partition for."""
    value: date | None = one(connection, "counts", "last_partition_day")["day"]
    return value


def lock_migrations(connection: Connection) -> None:
    """Become the one migrator until the connection closes."""
    run(connection, "counts", "lock_migrations")


def make_migrations_table(connection: Connection) -> None:
    """The table that says which migrations were applied."""
    run(connection, "counts", "make_migrations_table")


def applied_migrations(connection: Connection) -> list[int]:
    """Numbers of the migrations this database has."""
    return [r["number"] for r in all_rows(connection, "counts", "applied_migrations")]


def note_migration(connection: Connection, number: int, name: str, now: datetime) -> None:
    """A migration was applied."""
    run(connection, "counts", "note_migration", number=number, name=name, now=now)


def one_snapshot(connection: Connection) -> None:
    """Let everything that follows in this transaction see one moment; must come first."""
    run(connection, "counts", "one_snapshot")
