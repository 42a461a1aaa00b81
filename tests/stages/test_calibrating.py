"""The daily replay over all frames: stored, in force from that day on, published, and made once a day."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from services.analysis import budget
from services.store import calibrations
from tests.stages.conftest import World, post
from tests.stages.test_detect import T0, flow, hear, history
from workers.calibrating import calibrate

FRAMES, DAYS = 30, 40


def judged(world: World, until: datetime, wild: float) -> None:
    """Rows of verdicts of many frames, as detection would have left them; `wild`: share of hours far beyond theory."""
    rng = np.random.default_rng(2)
    version = world.one("select version_id from codebooks")
    hours = [until - timedelta(hours=h) for h in range(1, DAYS * 24 + 1)]
    for frame in range(FRAMES):
        spikes = np.where(
            rng.random(len(hours)) < wild, rng.uniform(10, 30, len(hours)), rng.exponential(1, len(hours))
        )
        world.rows(
            "insert into verdicts (version_id, frame, bucket, posts, units, state, spike, rise)"
            " select %s, %s, *, 0, 0, 'ok', 0, 0 from unnest(%s::timestamptz[]) returning 1",
            version, f"frame-{frame}", hours,
        )  # fmt: skip
        world.rows(
            "update verdicts v set spike = n.spike from unnest(%s::timestamptz[], %s::float8[]) n (at, spike)"
            " where v.bucket = n.at and v.frame = %s returning 1",
            hours, spikes.tolist(), f"frame-{frame}",
        )  # fmt: skip


@pytest.fixture
def heard(world: World) -> World:
    world.apply()
    world.add_feed(clock="feed")
    return world


def test_a_wild_past_lowers_the_threshold_from_that_day_on_and_is_published(heard: World) -> None:
    day = T0 + timedelta(days=9)
    hear(heard, history(), day + timedelta(hours=6))
    judged(heard, day, wild=0.003)
    flow(heard)
    row = heard.rows("select * from calibrations")[0]
    assert (row["holds_from"], row["series"], row["days"]) == (day, FRAMES, budget.DAYS)
    assert row["accepted"] < row["asked"] / 3
    assert row["alarms"] > row["held"]
    alphas: list[Any] = heard.rows("select bucket < %s as before, alpha from verdicts where alpha is not null", day)
    usual = {a["alpha"] for a in alphas if a["before"]}
    stricter = {a["alpha"] for a in alphas if not a["before"]}
    assert len(usual) == len(stricter) == 1
    assert stricter.pop() < usual.pop()
    with heard.store.transaction() as tx:
        told = calibrations.read_calibration(tx)
    assert told is not None
    assert (told.frames, told.days, told.threshold) == (FRAMES, budget.DAYS, row["accepted"])
    assert told.alarms_a_week is not None
    assert told.alarms_a_week <= told.budget


def test_it_is_made_once_a_day_and_never_from_what_came_later(heard: World) -> None:
    day = T0 + timedelta(days=9)
    hear(heard, history(), day + timedelta(hours=6))
    judged(heard, day + timedelta(days=3), wild=0.003)
    assert calibrate(heard.rt, day + timedelta(hours=1))
    assert not calibrate(heard.rt, day + timedelta(hours=20))
    first = heard.rows("select * from calibrations")
    heard.rows("update verdicts set spike = 50 where bucket >= %s returning 1", day)
    heard.rows("delete from calibrations returning 1")
    assert calibrate(heard.rt, day + timedelta(hours=5))
    again = heard.rows("select * from calibrations")
    assert [r["found"] for r in again] == [r["found"] for r in first]
    assert calibrate(heard.rt, day + timedelta(days=1))
    assert heard.one("select count(*) from calibrations") == 2


def test_before_there_is_a_past_theory_holds(heard: World) -> None:
    hear(heard, [post("a", "rain", at=T0)], T0 + timedelta(days=1))
    flow(heard)
    row = heard.rows("select * from calibrations")[0]
    assert row["accepted"] == row["asked"]
    with heard.store.transaction() as tx:
        told = calibrations.read_calibration(tx)
    assert told is not None
    assert told.alarms_a_week is None


def test_every_verdict_is_told_with_its_baseline_and_threshold(heard: World) -> None:
    hear(heard, history(), T0 + timedelta(days=10))
    flow(heard)
    rows = heard.rows("select bucket, learned_from, learned_s, alpha from verdicts order by bucket")
    assert rows[-1]["learned_from"] == T0
    assert rows[-1]["learned_s"] == pytest.approx(9 * 86_400, rel=0.01)
    assert all(r["alpha"] > 0 for r in rows)
