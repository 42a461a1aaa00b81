"""What a codebook would change on stored history, put together once for CLI, API and console. Nothing is written.

The heads are learned here, every stored text is scored by them, and what follows is counted in memory: which posts gain
or lose a frame, the redrawn trend, and the past alerts that would appear or vanish.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import codebook as files
from schemas import wire_codebooks as wire
from schemas.codebook import Codebook
from services.analysis import redrawing
from services.analysis.alerting import Rule
from services.analysis.redrawing import Fired, Posts
from services.analysis.text import text_for_encoder
from services.classifier import Encoder, Heads, Stored, learn_codebook
from services.store import codebooks, counts, dry_run, feeds, previews, rules, vectors
from services.store.pool import Connection, Row, Store
from services.usecases.history import History, scored_history
from services.usecases.why import Borrow

FLIPS = 10
"""Posts told each way."""
DAY = timedelta(days=1)
APPLY_S, APPLY_POST_S = 8.0, 40e-6
"""What applying takes at least, and for each post (docs/measurements.md)."""

Told = Callable[[str, float], None]
"""Hears what is being done and how far it has come, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What every frame's preview needs."""

    tx: Connection
    history: History
    sources: dict[int, str]
    series: dict[timedelta, tuple[NDArray[np.float64], NDArray[np.float64]]]
    since: datetime
    until: datetime
    sources_heard: int
    rule: Rule
    sizes: tuple[int, int]
    """Frames of the codebook now and then."""


def preview(
    store: Store, borrow: Borrow, text: str, *, now: datetime, name: str = "codebook", rule: Rule | None = None,
    days: int = 30, told: Told = lambda *_: None,
) -> wire.Preview:  # fmt: skip
    """What applying a codebook (YAML) would change: posts, trends, and the alerts of the last `days` days.

    It is compared with the current version of the same codebook; frames are the same when their ids are. `borrow`
    lends the encoder, for the codebook's own posts alone; `rule` is the rule of the settings. Seconds over a million
    posts. Raises PermanentError(BAD_CODEBOOK) as `schemas.codebook.parse` and learning do, and what `borrow` raises.
    """
    began = time.monotonic()
    read = files.parse(text, name)
    told("learning the codebook", 0.0)
    with borrow() as encoder:
        heads, model = _heads(store, encoder, read), encoder.name
    with store.transaction() as tx:
        counts.one_snapshot(tx)
        current = next((v for v in codebooks.current_codebooks(tx) if v["codebook"] == read.codebook), None)
        history = scored_history(
            tx, heads, _model(tx, model), lambda share: told("scoring what is stored", share)
        )  # fmt: skip
        told("comparing", 0.0)
        before = _current_frames(tx, current, history)
        scene = _scene(tx, history, rule or Rule(), wall=now, days=days, sizes=(len(before), len(read.frames)))
        frames = _frames(scene, read, heads, before)
        moved = _moved(history, heads, before)
        told("comparing", 1.0)
    return wire.Preview(
        codebook=read.codebook, version=current["version"] if current else None, model=model,
        posts=len(history.posts), left_out=history.left_out, moved=moved, days=days, frames=tuple(frames),
        took_seconds=round(time.monotonic() - began, 2),
        apply_seconds=round(APPLY_S + APPLY_POST_S * len(history.posts), 1),
    )  # fmt: skip


def _heads(store: Store, encoder: Encoder, read: Codebook) -> Heads:
    """As workers will learn them when it is applied."""
    with store.transaction() as tx:
        heard = vectors.heard_texts(tx, encoder.name)
    return learn_codebook(encoder, read, text_for_encoder, Stored(*heard) if heard else None)


def _model(tx: Connection, name: str) -> int:
    found = previews.find_model(tx, name)
    return -1 if found is None else found


def _current_frames(
    tx: Connection, current: Row | None, history: History
) -> dict[str, tuple[Row, Posts, NDArray[np.float32]]]:
    """Each frame readers see now, with the posts that carry it, as far as they were looked at."""
    found = {}
    for frame in codebooks.list_frames(tx):
        if current and frame["version_id"] == current["version_id"]:
            posts, probabilities = previews.carrying_posts(tx, current["version_id"], frame["frame"])
            here = np.isin(posts.ids, history.posts.ids)
            found[frame["frame"]] = (frame, posts.part(here), probabilities[here])
    return found


def _scene(tx: Connection, history: History, rule: Rule, *, wall: datetime, days: int, sizes: tuple[int, int]) -> Scene:
    until = dry_run.floor_of(feeds.present(tx, wall), rule.step)
    heard_from = len({f["source"] for f in feeds.list_feeds(tx) if f["heard_until"]})
    return Scene(
        tx, history, previews.sources_of_posts(tx), {}, until - timedelta(days=days), until, heard_from, rule, sizes
    )


def _frames(scene: Scene, read: Codebook, heads: Heads, before: dict[str, Any]) -> list[wire.FramePreview]:
    nobody = redrawing.together([])
    found = []
    for column, frame in enumerate(read.frames):
        _, had, probabilities = before.get(frame.id, (None, nobody, np.empty(0, np.float32)))
        after = scene.history.carrying(column)
        told = frame.rule if isinstance(frame.rule, str | None) else frame.rule.model_dump(exclude_defaults=True)
        about: dict[str, Any] = {
            "frame": frame.id, "title": frame.title, "change": "kept" if frame.id in before else "added",
            "threshold": float(heads.band[column, 1]),
        }  # fmt: skip
        found.append(_frame(scene, about, (had, probabilities), (after, column), told))
    for frame_id, (frame_row, had, probabilities) in before.items():
        if frame_id not in heads.frames:
            about = {"frame": frame_id, "title": frame_row["title"], "change": "removed", "threshold": None}
            found.append(_frame(scene, about, (had, probabilities), (np.empty(0, np.int64), None), None))
    return found


def _frame(
    scene: Scene, about: dict[str, Any], now: tuple[Posts, NDArray[np.float32]],
    then: tuple[NDArray[np.int64], int | None], told: Any,
) -> wire.FramePreview:  # fmt: skip
    before, after = now[0], scene.history.posts.part(then[0])
    lost, gained = redrawing.differences(before, after)
    losers, winners = before.part(lost), after.part(gained)
    is_alert, was_alert = _alerts(scene, about, before, after, told)
    return wire.FramePreview(
        **about, before=len(before), after=len(after), gained=len(winners), lost=len(losers),
        sources=tuple(
            wire.SourceFlips(source=source, gained=up, lost=down)
            for source, up, down in _both(redrawing.by_source(winners), redrawing.by_source(losers), scene.sources)
        ),
        weeks=tuple(
            wire.WeekFlips(week=week, gained=up, lost=down)
            for week, up, down in _both(redrawing.by_week(winners), redrawing.by_week(losers))
        ),
        trend=_trend(before, after),
        gains=_flips(scene, winners, then[1], None),
        losses=_flips(scene, losers, then[1], now[1][lost]),
        alerts_appear=tuple(map(_alert, redrawing.unmatched(is_alert, was_alert))),
        alerts_vanish=tuple(map(_alert, redrawing.unmatched(was_alert, is_alert))),
    )  # fmt: skip


def _both(up: dict[Any, int], down: dict[Any, int], names: dict[Any, Any] | None = None) -> list[tuple[Any, int, int]]:
    told = [(names[k] if names else k, up.get(k, 0), down.get(k, 0)) for k in up.keys() | down.keys()]
    return sorted(told)


def _trend(before: Posts, after: Posts) -> tuple[wire.RedrawnPoint, ...]:
    was, is_ = ({p.at: p for p in redrawing.trend(posts, DAY)} for posts in (before, after))
    return tuple(
        wire.RedrawnPoint(
            at=at, posts_before=was[at].posts if at in was else 0, posts_after=is_[at].posts if at in is_ else 0,
            units_before=was[at].units if at in was else 0, units_after=is_[at].units if at in is_ else 0,
        )
        for at in sorted(was.keys() | is_.keys())
    )  # fmt: skip


def _flips(
    scene: Scene, posts: Posts, column: int | None, had: NDArray[np.float32] | None
) -> tuple[wire.Flip, ...]:  # fmt: skip
    """The posts nearest to the threshold, one a text."""
    history = scene.history
    rows = history.rows[np.searchsorted(history.posts.ids, posts.ids)]
    now = None if column is None else history.texts.probabilities[rows, column].astype(np.float64)
    nearness = np.zeros(len(posts)) if had is None else had.astype(np.float64)
    if now is not None:
        nearness = now if had is None else -now
    order = np.argsort(nearness, kind="stable")
    chosen = order[np.sort(np.unique(rows[order], return_index=True)[1])][:FLIPS].tolist()
    found = previews.posts_by_id(scene.tx, [int(posts.ids[i]) for i in chosen])
    return tuple(
        wire.Flip(
            **found[int(posts.ids[i])], before=None if had is None else float(had[i]),
            after=None if now is None else float(now[i]),
        )
        for i in chosen
    )  # fmt: skip


def _alerts(
    scene: Scene, about: dict[str, Any], before: Posts, after: Posts, told: Any
) -> tuple[list[Fired], list[Fired]]:  # fmt: skip
    """Alerts that would have been raised on the redrawn trend, and on the one readers see."""
    then = [] if about["change"] == "removed" else rules.deciding_as(scene.tx, about["frame"], told, scene.rule)
    now = [] if about["change"] == "added" else rules.deciding(scene.tx, about["frame"], scene.rule)
    return (
        [f for rule in then for f in _replayed(scene, after, rule, scene.sizes[1])],
        [f for rule in now for f in _replayed(scene, before, rule, scene.sizes[0])],
    )


def _replayed(scene: Scene, posts: Posts, rule: Rule, frames: int) -> list[Fired]:
    times = np.sort(scene.history.posts.times)
    if not len(posts) or not len(times):
        return []
    points = redrawing.trend(posts, rule.step)
    first = max(dry_run.floor_of(redrawing.moment(int(times[0])), rule.step), scene.since - dry_run.HISTORY)
    if first >= scene.until:
        return []
    if rule.step not in scene.series:
        scene.series[rule.step] = dry_run.heard_series(scene.tx, first, scene.until, rule.step)
    at = {p.at.timestamp(): {"posts": p.posts, "units": p.units} for p in points}
    verdicts = dry_run.judged_counts(at, scene.series[rule.step], rule=rule, frames=frames)

    def scored(since: datetime, until: datetime) -> int:
        within = redrawing.between(times, since, until)
        return int(within.stop) - int(within.start)

    return redrawing.fired(
        posts, rule, verdicts, since=scene.since, sources_heard=scene.sources_heard, scored=scored
    )  # fmt: skip


def _alert(fired: Fired) -> wire.RedrawnAlert:
    return wire.RedrawnAlert(**{name: getattr(fired, name) for name in wire.RedrawnAlert.model_fields})


def _moved(history: History, heads: Heads, before: dict[str, Any]) -> int:
    """Posts that would gain or lose any frame."""
    changed: Sequence[NDArray[np.int64]] = [
        np.setxor1d(
            before[frame][1].ids if frame in before else np.empty(0, np.int64),
            history.posts.ids[history.carrying(heads.frames.index(frame))] if frame in heads.frames else [],
        )
        for frame in {*heads.frames, *before}
    ]
    return len(set(np.concatenate(changed).tolist()))
