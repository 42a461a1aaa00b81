"""Hours, days and weeks say what the points below them say, whatever was added, edited or erased meanwhile."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.analysis.identities import identities
from services.store import counts, feeds, folding, posts, readings, trends
from tests.api import seeded
from workers.stages.rollup import rollup

START = datetime(2026, 3, 5, tzinfo=UTC)
NOW = START + timedelta(weeks=9)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


@pytest.fixture
def version(store):
    """Posts of three weeks in two languages, from few authors, many of them saying the same."""
    version_id = seeded.add_codebook(store, seeded.SMALL, START)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=START, interval_s=60)
    for source in ("rss", "push"):
        told = []
        for i in range(120):
            at = START + timedelta(minutes=i * i * 2 % 30_000, seconds=i)
            about = {"author": f"a{i % 7}", "lang": ("en", "ru")[i % 3 == 0]}
            told.append(
                (
                    seeded.post(f"{source}{i}", f"text {i % 11}", at, **about),
                    [["one"], ["two"], ["one", "two"], []][i % 4],
                )
            )
        seeded.add_posts(store, feed_id, told, source=source, now=START)
    return version_id


STEPS = (timedelta(minutes=15), HOUR, 6 * HOUR, DAY, 2 * DAY, WEEK, 3 * WEEK)


def compare(store, version_id):
    """Every question to the steps, beside the same question to the points."""
    asked = 0
    for frame, step, source, lang in product(("one", "two", "*"), STEPS, (None, "rss"), (None, "ru")):
        since, until = (readings.floor(START + sign * 5 * WEEK, step) for sign in (-1, 1))
        about = {"version_id": version_id, "frame": frame, "since": since, "until": until}
        about |= {"step": step, "source": source, "lang": lang}
        with store.transaction() as tx:
            kept, points = trends.trend(tx, **about), trends.trend_of_points(tx, **about)
            frames = {k: v for k, v in about.items() if k != "frame"}
            several = trends.trends(tx, [frame], **frames)
        assert kept == points, about
        at = {since + place * step: n for place, n in enumerate(several[frame].tolist()) if n}
        assert at == {r["at"]: r["posts"] for r in points}
        asked += len(points)
    assert asked > 50


def test_voices_of_a_step_that_nobody_keeps_are_unknown_where_they_are_many(store, version, monkeypatch):
    monkeypatch.setattr(trends, "VOICES", 30)
    about = {"version_id": version, "since": START, "until": START + 2 * DAY, "step": 6 * HOUR}
    with store.transaction() as tx:
        many, exact = (
            trends.trend(tx, frame="one", **about),
            trends.trend_of_points(tx, frame="one", source=None, lang=None, **about),
        )
        few = trends.trend(tx, frame="one", source="rss", **about)
    assert [(r["at"], r["posts"]) for r in many] == [(r["at"], r["posts"]) for r in exact]
    assert sum(r["posts"] for r in many) > 30 >= sum(r["posts"] for r in few)
    assert {(r["units"], r["authors"]) for r in many} == {(None, None)}
    assert all(r["units"] > 0 for r in few)


def counted(store):
    with store.transaction() as tx:
        return folding.count_steps(tx, START + 9 * WEEK, 10_000, now=NOW)


def test_steps_answer_as_points_do_before_and_after_their_voices_are_counted(store, version):
    compare(store, version)
    assert counted(store) > 20
    assert counted(store) == 0
    compare(store, version)


def test_what_changes_below_is_counted_again(store, version):
    counted(store)
    with store.transaction() as tx:
        posts.delete_posts(tx, "rss", [f"rss{i}" for i in range(0, 40, 3)], START)
        # Said over in another's words: the same points, other voices.
        tx.execute("update carried set unit_key = 'x', author = 'z' where source = 'push' and frame = 'one'")
        tx.execute(
            "insert into trend_deltas select version_id, frame, bucket, source, lang, n from carried,"
            " unnest(array[1, -1]) n where source = 'push' and frame = 'one'"
        )
    seeded.fold(store)
    compare(store, version)
    assert counted(store) > 10
    compare(store, version)


def test_verify_sees_a_step_that_is_not_what_its_points_add_up_to(store, version):
    def drifted():
        with store.transaction() as tx:
            return {i.name: i.drift for i in identities(counts.identity_rows(tx))}["trend steps"]

    assert drifted() == 0
    counted(store)
    assert drifted() == 0
    one = "(version_id, frame, step, bucket, source, lang) in (select version_id, frame, step, bucket, source, lang"
    one += " from trend_steps where units > 0 limit 1)"
    for wrong in ("posts = posts + 1", "units = units + 1", "authors = authors - 1"):
        with store.transaction() as tx:
            tx.execute(f"update trend_steps set {wrong} where {one}")
            assert {i.name: i.drift for i in identities(counts.identity_rows(tx))}["trend steps"] == 1, wrong
            tx.execute("delete from trend_steps where frame = 'one' and step = '1w'")
            assert {i.name: i.drift for i in identities(counts.identity_rows(tx))}["trend steps"] > 1
            tx.rollback()
    assert drifted() == 0


def test_verify_sees_frames_side_by_side_that_are_not_their_steps(store, version):
    def drifted():
        with store.transaction() as tx:
            return {i.name: i.drift for i in identities(counts.identity_rows(tx))}["side by side"]

    assert drifted() == 0
    for wrong in (
        "update trend_rows set posts[2] = posts[2] + 1 where bucket = (select min(bucket) from trend_rows)",
        "delete from trend_rows where step = '1w'",
    ):
        with store.transaction() as tx:
            tx.execute(wrong)
            assert {i.name: i.drift for i in identities(counts.identity_rows(tx))}["side by side"] > 1
            tx.rollback()


@pytest.fixture
def busy(store, version, monkeypatch):
    """A week that goes on, has more posts than readers count themselves, and was counted at NOW."""
    monkeypatch.setattr(trends, "AT_ONCE", 20)
    with store.transaction() as tx:
        assert folding.count_steps(tx, WITHIN, 10_000, now=NOW) > 10
    return version


WITHIN = START + timedelta(days=5)


def week(store, version_id, **narrow):
    about = {"source": None, "lang": None, **narrow, "version_id": version_id, "frame": "one", "step": WEEK}
    about |= {"since": START, "until": START + WEEK}
    with store.transaction() as tx:
        return trends.trend(tx, **about), trends.trend_of_points(tx, **about)


def said_by(store, version_id, author, sign, *, frame="one", count=1):
    """Posts of the week told as somebody else's, and `sign` of `count` deltas, as a change to scores would leave."""
    with store.transaction() as tx:
        tx.execute("update carried set author = %s where frame = %s", [author, frame])
        tx.execute(
            "insert into trend_deltas select version_id, frame, bucket, source, lang, %s from carried where frame = %s"
            " and published_at < %s limit %s",
            [sign, frame, START + timedelta(hours=9), count],
        )
    seeded.fold(store)


@pytest.mark.parametrize("narrow", [{}, {"source": "rss"}, {"source": "rss", "lang": "en"}])
def test_voices_of_a_busy_step_are_as_they_were_until_they_are_counted_again(store, busy, narrow):
    kept, points = week(store, busy, **narrow)
    assert kept == points
    assert kept[0]["posts"] > 20
    assert kept[0]["authors"] == 7
    said_by(store, busy, "all the same", 1)
    moved, _ = week(store, busy, **narrow)
    assert (moved[0]["authors"], moved[0]["units"]) == (kept[0]["authors"], kept[0]["units"])
    with store.transaction() as tx:
        soon, late = NOW + timedelta(minutes=4), NOW + timedelta(minutes=6)
        assert "1w" not in {r["step"] for r in folding.uncounted_steps(tx, WITHIN, 10, now=soon)}
        assert folding.count_steps(tx, WITHIN, 10, now=late) >= 2
    assert week(store, busy, **narrow)[0][0]["authors"] == 1


def test_voices_of_a_busy_step_are_counted_by_who_asks_once_much_is_new(store, busy):
    said_by(store, busy, "all the same", 1, count=9)
    kept, _ = week(store, busy)
    assert kept[0]["authors"] == 1


def test_voices_of_few_posts_are_counted_by_who_asks(store, busy, monkeypatch):
    said_by(store, busy, "all the same", 1)
    monkeypatch.setattr(trends, "AT_ONCE", 2_000)
    kept, _ = week(store, busy)
    assert kept[0]["authors"] == 1


def test_a_step_that_goes_on_is_left_to_readers(store, version):
    with store.transaction() as tx:
        open_until = START + timedelta(hours=5)
        chosen = folding.uncounted_steps(tx, open_until, 10_000, now=NOW)
    width = {"1h": HOUR, "1d": DAY, "1w": WEEK}
    assert chosen
    assert all(r["bucket"] + width[r["step"]] <= open_until for r in chosen)


def test_rollup_counts_them(store, version):
    outcome = rollup(seeded.runtime(store, START + 9 * WEEK))
    assert not outcome.again
    with store.transaction() as tx:
        assert folding.uncounted_steps(tx, START + 9 * WEEK, 10, now=NOW) == []


def test_a_forgotten_codebook_takes_its_steps_along(store, version):
    with store.transaction() as tx:
        tx.execute("delete from codebooks where version_id = %s", [version])
        for table in ("trend_steps", "trend_rows"):
            assert tx.execute(f"select count(*) as n from {table}").fetchone()["n"] == 0


def steps(store, version_id):
    with store.transaction() as tx:
        return tx.execute(
            "select frame, step, bucket, source, lang, posts from trend_steps where version_id = %s and posts <> 0"
            " order by 1, 2, 3, 4, 5",
            [version_id],
        ).fetchall()


def test_steps_built_at_once_are_those_that_followed(store, version):
    followed = steps(store, version)
    assert len(followed) > 100
    with store.transaction() as tx:
        tx.execute("update codebooks set state = 'building' where version_id = %s", [version])
        tx.execute("delete from trend_points where version_id = %s", [version])
        tx.execute("delete from trend_rows")
    assert steps(store, version) == []
    with store.transaction() as tx:
        folding.build_points(tx, version)
    assert steps(store, version) == followed
    compare(store, version)
