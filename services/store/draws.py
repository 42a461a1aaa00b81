"""The weekly drawing of samples: reads the units of a period, has the pure part draw, writes each draw once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.analysis import sampling
from services.store import feeds, queue
from services.store.pool import Connection, Row, row, rows, run

WEEK = timedelta(weeks=1)
PATIENCE = timedelta(hours=6)
"""How long after its end a week's posts may wait to be scored before it is drawn without them."""
_SAMPLE = ("post_id", "unit_key", "stratum", "inclusion", "place")


def monday(at: datetime) -> date:
    """The first day of the ISO week of a moment, in UTC."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def draw_last_week(connection: Connection, wall: datetime, seed: int) -> int:
    """Draw the last whole ISO week of the stream for each current frame that lacks it; how many frames were drawn.

    It waits PATIENCE for posts of that week that are still to be scored. Whoever comes second draws nothing.
    """
    present = feeds.present(connection, wall)
    until = _start(monday(present))
    frames = undrawn_frames(connection, monday(present) - WEEK)
    if not frames:
        return 0
    waiting = queue.oldest_queued(connection, until - WEEK)
    if waiting is not None and waiting < until and present < until + PATIENCE:
        return 0
    return _draw(connection, frames, (until - WEEK, until), seed=seed, now=wall)


def draw_this_week(connection: Connection, wall: datetime, seed: int) -> int:
    """On demand: draw the running ISO week as far as it has come, for each current frame that lacks it.

    That is the week's one draw then: the rest of the week is not drawn from.
    """
    present = feeds.present(connection, wall)
    since = _start(monday(present))
    frames = undrawn_frames(connection, monday(present))
    return _draw(connection, frames, (since, present + timedelta(seconds=1)), seed=seed, now=wall) if frames else 0


def draw_now(connection: Connection, wall: datetime, seed: int) -> int:
    """On demand: the last whole week where it is not drawn yet, and the running one; how many frames were drawn."""
    return draw_last_week(connection, wall, seed) + draw_this_week(connection, wall, seed)


def undrawn_frames(connection: Connection, week: date) -> list[Row]:
    """Current frames (version_id, codebook, version, frame, position) without a draw of the week of this Monday."""
    return rows(connection, "draws", "undrawn_frames", week=week)


def carrying_units(connection: Connection, version_id: int, since: datetime, until: datetime) -> list[Row]:
    """Units that carry each frame in a period: frame, unit_key, post_id, probability."""
    return rows(connection, "draws", "carrying_units", version_id=version_id, since=since, until=until)


def uncertain_units(connection: Connection, version_id: int, since: datetime, until: datetime) -> list[Row]:
    """Units about which the model is not sure: frame, unit_key, post_id."""
    return rows(connection, "draws", "uncertain_units", version_id=version_id, since=since, until=until)


def shuffled_units(
    connection: Connection, version_id: int, since: datetime, until: datetime, *, seed: int, limit: int
) -> list[Row]:
    """The first `limit` units of a period in the seed's order: unit_key, post_id, and `units`, how many there are."""
    period = {"version_id": version_id, "since": since, "until": until}
    return rows(connection, "draws", "shuffled_units", **period, seed=seed, limit=limit)


def add_draw(connection: Connection, **draw: Any) -> bool:
    """Write a draw down; False when this frame and week were drawn before."""
    return row(connection, "draws", "add_draw", **draw) is not None


def add_samples(
    connection: Connection, *, codebook: str, frame: str, week: date, drawn: Sequence[sampling.Drawn]
) -> None:
    """Write down what was drawn; posts erased meanwhile are left out."""
    if drawn:
        values = {name: [getattr(d, name) for d in drawn] for name in _SAMPLE}
        run(connection, "draws", "add_samples", codebook=codebook, frame=frame, week=week, **values)


def _draw(
    connection: Connection, frames: Sequence[Row], period: tuple[datetime, datetime], *, seed: int, now: datetime
) -> int:
    done = 0
    for version_id in sorted({f["version_id"] for f in frames}):
        mine = [f for f in frames if f["version_id"] == version_id]
        # Of these at most as many can be left out as carry some frame or may: enough remain for every frame.
        shuffled = shuffled_units(connection, version_id, *period, seed=seed, limit=sampling.CANDIDATES)
        if not shuffled:
            continue
        carrying = _by_frame(carrying_units(connection, version_id, *period))
        uncertain = _by_frame(uncertain_units(connection, version_id, *period))
        for frame in mine:
            name = frame["frame"]
            week = sampling.Week(carrying.get(name, ()), uncertain.get(name, ()), shuffled, shuffled[0]["units"])
            done += _draw_frame(connection, frame, period, week=week, seed=seed, now=now)
    return done


def _draw_frame(
    connection: Connection, frame: Row, period: tuple[datetime, datetime], *, week: sampling.Week, seed: int,
    now: datetime,
) -> bool:  # fmt: skip
    found = sampling.draw(week, f"{seed}|{frame['codebook']}|{frame['frame']}")
    about = {"codebook": frame["codebook"], "frame": frame["frame"], "week": monday(period[0])}
    values = {"version": frame["version"], "since": period[0], "until": period[1], "seed": seed, "now": now}
    sizes = {str(name): units for name, units in found.sizes.items()}
    if not add_draw(connection, **about, **values, **sizes):
        return False
    add_samples(connection, **about, drawn=found.drawn)
    return True


def _by_frame(found: Sequence[Row]) -> Mapping[str, list[Row]]:
    frames: dict[str, list[Row]] = {}
    for unit in found:
        frames.setdefault(unit["frame"], []).append(unit)
    return frames


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
