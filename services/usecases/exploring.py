"""What a description, or some posts, would have been as a frame: its history among stored posts, at once.

The encoder reads only what is asked; of stored posts the vectors are there. It writes nothing and words nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import wire
from schemas.errors import PermanentError, Reason
from services.analysis import bursts, likeness
from services.analysis.alerting import Rule
from services.analysis.digest import share
from services.analysis.likeness import Direction, Found
from services.analysis.text import text_for_encoder
from services.store import codebooks, feeds, readings, vectors
from services.store.pool import Connection, Row, Store
from services.usecases.why import Borrow

MOST = 60_000
"""Posts looked at; of more the newest."""
LIKEST, MARGIN = 12, 6
"""Posts shown: the likest, and those that only just count."""
HOUR = timedelta(hours=1)
Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look for."""

    like: tuple[str, ...]
    """A description, posts, or both; at least one."""
    unlike: tuple[str, ...] = ()
    days: int = 14
    strictness: str = "usual"


@dataclass(frozen=True, slots=True)
class Shown:
    """A post that is like it."""

    post: Row
    likeness: float


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found."""

    since: datetime
    until: datetime
    present: datetime
    looked_at: int
    cut_short: bool
    """Whether there were more posts than MOST: `since` is then where it stopped."""
    posts: int
    units: int
    cut: float
    points: tuple[wire.TrendPoint, ...]
    likest: tuple[Shown, ...]
    margin: tuple[Shown, ...]
    first: tuple[Shown, ...]
    frames: tuple[Row, ...]
    """Current frames that they carry already: codebook, frame, title, posts."""
    parts: dict[str, dict[str, int]]
    """Of the posts shown, by source and by language."""
    model: str


def explore(store: Store, borrow: Borrow, asked: Asked, *, rule: Rule, wall: datetime) -> Exploration:
    """Look through stored posts.

    Raises PermanentError(BAD_INPUT) when nothing is asked, PermanentError or TransientError(MODEL_UNAVAILABLE, TIMEOUT)
    when there is no encoder, or no vectors of its model.
    """
    like, unlike = (_clean(texts) for texts in (asked.like, asked.unlike))
    if not like:
        raise PermanentError(Reason.BAD_INPUT, "describe what to look for, or paste posts that say it")
    with borrow() as encoder:
        name, encoded = encoder.name, encoder.encode([*like, *unlike])
    with store.transaction() as tx:
        model = vectors.model_like(tx, name)
        if model is None:
            told = f"no stored post has a vector of the model at hand ({name}) yet; the model worker makes them"
            raise PermanentError(Reason.MODEL_UNAVAILABLE, told)
        return _explored(tx, asked, (encoded[: len(like)], encoded[len(like) :]), model=model, rule=rule, wall=wall)


def _clean(texts: Texts) -> list[str]:
    return list(dict.fromkeys(c for text in texts if (c := text_for_encoder(text)).strip()))


def _explored(
    tx: Connection, asked: Asked, encoded: tuple[NDArray[np.float32], NDArray[np.float32]], *, model: Row, rule: Rule,
    wall: datetime,
) -> Exploration:  # fmt: skip
    present = feeds.present(tx, wall)
    until = readings.floor(present, HOUR) + HOUR
    since = until - timedelta(days=asked.days)
    every = _read(tx, model["model_id"], (since, until), encoded)
    cut_short = len(every) >= MOST
    if cut_short:
        since = readings.floor(every[-1].at, HOUR) + HOUR
    cut = likeness.cut(np.array([f.likeness for f in every], np.float32), asked.strictness)
    matched = [f for f in every if f.likeness >= cut and f.at >= since]
    points = _points(tx, matched, every, period=(since, until), present=present, rule=rule)
    likest = likeness.distinct(sorted(matched, key=lambda f: -f.likeness), LIKEST)
    margin = likeness.distinct([f for f in sorted(matched, key=lambda f: f.likeness) if f not in likest], MARGIN)
    first = likeness.distinct(sorted(matched, key=lambda f: f.at), MARGIN)
    known = vectors.posts_with(tx, [f.post_id for f in (*likest, *margin, *first)])
    shown = {k: _shown(of, known) for k, of in (("likest", likest), ("margin", margin), ("first", first))}
    authors = len({f.author for f in matched})
    return Exploration(
        since=since, until=until, present=present, looked_at=len(every), cut_short=cut_short, posts=len(matched),
        units=min(len({f.unit_key for f in matched}), authors), cut=cut, points=points, model=model["name"],
        frames=tuple(vectors.frames_among(tx, [f.post_id for f in matched])),
        parts=_parts(vectors.posts_with(tx, [f.post_id for f in matched[:5000]])), **shown,
    )  # fmt: skip


def _read(
    tx: Connection, model_id: int, period: tuple[datetime, datetime],
    encoded: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> list[Found]:  # fmt: skip
    """Every post of the period with its likeness, newest first; the newest page says what the average post is."""
    found: list[Found] = []
    towards: Direction | None = None
    for page in vectors.newest_vectors(tx, model_id, *period, most=MOST):
        block = np.frombuffer(b"".join(r["vector"] for r in page), "<f2").reshape(len(page), -1).astype(np.float32)
        if towards is None:
            towards = likeness.direction(block.mean(axis=0), *encoded)
        said = towards.likeness(block).tolist()
        found += [
            Found(r["post_id"], r["published_at"], bytes(r["unit_key"]), r["author"], like)
            for r, like in zip(page, said, strict=True)
        ]
    return found


def _points(
    tx: Connection, matched: Sequence[Found], every: Sequence[Found], *, period: tuple[datetime, datetime],
    present: datetime, rule: Rule,
) -> tuple[wire.TrendPoint, ...]:  # fmt: skip
    """The trend as if it were a frame: judged by the same test, with the same gaps."""
    count = int((period[1] - period[0]) / HOUR)
    starts = [period[0] + i * HOUR for i in range(count)]
    heard = readings.heard(tx, starts, HOUR, present=present)
    hours, all_hours = likeness.by_step(matched, HOUR), likeness.by_step(every, HOUR)
    units = [hours[s].units if s in hours else 0 for s in starts]
    judged = bursts.judge(
        bursts.Series(
            np.array([s.timestamp() for s in starts]), HOUR.total_seconds(), np.array(units, float),
            np.array([np.nan if h is None else h for h in heard]),
        ),
        alpha=rule.alpha(len(codebooks.list_frames(tx)) + 1), learning_s=rule.learning.total_seconds(),
    )  # fmt: skip
    return tuple(
        _point(s, heard[i], hours.get(s), all_hours.get(s), said=_said(judged, i)) for i, s in enumerate(starts)
    )


def _said(judged: bursts.Verdicts, i: int) -> dict[str, Any]:
    expected, upper = float(judged.expected[i]), float(judged.upper[i])
    known = not (np.isnan(expected) or np.isnan(upper))
    return {"expected": expected if known else None, "upper": upper if known else None, "state": judged.state[i]}


def _point(
    at: datetime, heard: float | None, hour: likeness.Hour | None, every: likeness.Hour | None, *, said: dict[str, Any]
) -> wire.TrendPoint:
    hour, every = hour or likeness.Hour(), every or likeness.Hour()
    if heard == 0:
        nothing = dict.fromkeys(("posts", "units", "authors", "share"))
        return wire.TrendPoint.model_construct(at=at, coverage=heard, **nothing, **said)
    counts: dict[str, Any] = {"posts": hour.posts, "units": hour.units, "authors": hour.authors}
    return wire.TrendPoint.model_construct(
        at=at, coverage=heard, **counts, share=share(hour.posts, every.posts), **said
    )


def _shown(found: Sequence[Found], known: dict[int, Row]) -> tuple[Shown, ...]:
    return tuple(Shown(known[f.post_id], f.likeness) for f in found if f.post_id in known)


def _parts(known: dict[int, Row]) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {"source": {}, "lang": {}}
    for post in known.values():
        for by, of in told.items():
            of[post[by]] = of.get(post[by], 0) + 1
    return told
