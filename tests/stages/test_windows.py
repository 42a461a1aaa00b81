"""What rollup keeps of the hours before the present is what is counted, whatever was added or erased meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from services.analysis.identities import identities
from services.store import counting, counts, feeds, folding, posts, readings, trends
from tests.api import seeded
from workers.stages.rollup import rollup

NOW = datetime(2026, 3, 5, 12, 2, tzinfo=UTC)
LENGTHS = tuple(timedelta(hours=h) for h in counting.HOURS)


@pytest.fixture
def version(store):
    """Two days of posts from few authors, many of them saying the same, and what rollup keeps of them."""
    version_id = seeded.add_codebook(store, seeded.SMALL, NOW)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=NOW, interval_s=60)
    told = []
    for i in range(160):
        about = {"author": f"a{i % 7}", "lang": ("en", "ru")[i % 3 == 0]}
        at = NOW - timedelta(minutes=i * 19, seconds=i)
        told.append(
            (seeded.post(f"p{i}", f"text {i % 11}", at, **about), [["one"], ["two"], ["one", "two"], []][i % 4])
        )
    seeded.add_posts(store, feed_id, told, source="rss", now=NOW)
    rollup(seeded.runtime(store, NOW))
    return version_id


def told(store, version_id, length):
    """What readers are told, and the same counted from nothing."""
    since, until = readings.last_hours(NOW, length)
    with store.transaction() as tx:
        period = {"version_id": version_id, "since": since, "until": until}
        found = counting.count_frames(tx, version_id, since, until, silent=False)
        before = counting.posts_before(tx, version_id, ["one", "two"], since=since, until=until)
        afresh = trends.count_frames(tx, ["one", "two"], **period)
        scored = trends.posts_scored(tx, version_id, since, until)
        earlier = trends.posts_between(
            tx, ["one", "two", "*"], version_id=version_id, since=since - length, until=since
        )
    wanted = {
        f: {"posts": c["posts"], "units": c["units"], "authors": c["authors"], "share": c["posts"] / scored}
        for f, c in afresh.items()
    }
    return (found, before), (wanted, earlier)


def kept(store, version_id, hours=24):
    with store.transaction() as tx:
        return trends.frame_windows(tx, version_id, hours, readings.last_hours(NOW, LENGTHS[0])[1])


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_kept_is_what_is_counted(store, version, length):
    assert set(kept(store, version)) == {"one", "two", "*"}
    found, wanted = told(store, version, length)
    assert found == wanted
    assert found[0]["one"]["authors"] > 1


@pytest.mark.parametrize("length", LENGTHS)
def test_little_that_changed_is_counted_by_who_asks(store, version, length):
    before, _ = told(store, version, length)
    with store.transaction() as tx:
        posts.delete_posts(tx, "rss", [f"p{i}" for i in range(0, 120, 2)], NOW)
    seeded.fold(store)
    found, wanted = told(store, version, length)
    assert found == wanted != before


def test_of_much_that_changed_posts_are_exact_and_voices_as_rollup_counted_them(store, version, monkeypatch):
    monkeypatch.setattr(trends, "AT_ONCE", 0)
    before, _ = told(store, version, LENGTHS[1])
    with store.transaction() as tx:
        posts.delete_posts(tx, "rss", [f"p{i}" for i in range(0, 60, 2)], NOW)
    seeded.fold(store)
    (found, earlier), (wanted, counted) = told(store, version, LENGTHS[1])
    assert earlier == counted
    for frame in ("one", "two"):
        assert found[frame]["posts"] == wanted[frame]["posts"] < before[0][frame]["posts"]
        assert found[frame]["share"] == wanted[frame]["share"]
        assert found[frame]["units"] == before[0][frame]["units"]
    rollup(seeded.runtime(store, NOW + counting.STALE / 2))
    assert kept(store, version)["one"]["changed"]
    rollup(seeded.runtime(store, NOW + counting.STALE))
    assert not kept(store, version)["one"]["changed"]
    assert told(store, version, LENGTHS[1])[0] == told(store, version, LENGTHS[1])[1]


def marks(store, version):
    return {(w["changed"], w["before_changed"]) for w in kept(store, version).values()}


@pytest.mark.parametrize(("ids", "marked"), [(range(4), (True, False)), (range(100, 104), (False, True))])
def test_what_comes_now_leaves_the_day_before_as_it_was_kept(store, version, ids, marked):
    assert marks(store, version) == {(False, False)}
    with store.transaction() as tx:
        posts.delete_posts(tx, "rss", [f"p{i}" for i in ids], NOW)
    seeded.fold(store)
    assert marks(store, version) == {marked}
    found, wanted = told(store, version, LENGTHS[1])
    assert found == wanted
    rollup(seeded.runtime(store, NOW + counting.STALE))
    assert marks(store, version) == {(False, False)}


def test_verify_sees_hours_that_are_not_what_they_were_counted_from(store, version):
    def drifted():
        with store.transaction() as tx:
            return {i.name: i.drift for i in identities(counts.identity_rows(tx))}["windows"]

    assert drifted() == 0
    for wrong in ("posts = posts + 1", "before = before + 1", "authors = authors + 1"):
        with store.transaction() as tx:
            tx.execute(f"update frame_windows set {wrong} where frame = 'one' and hours = 24")
        assert drifted() == 1, wrong
        with store.transaction() as tx:
            tx.execute("update frame_windows set until = 'epoch'")
        rollup(seeded.runtime(store, NOW))
        assert drifted() == 0


def test_other_hours_than_those_kept_are_counted(store, version):
    since, until = readings.last_hours(NOW - timedelta(minutes=30), LENGTHS[1])
    with store.transaction() as tx:
        assert trends.frame_windows(tx, version, 24, until) == {}
        found = counting.count_frames(tx, version, since, until, silent=False)
        counted = trends.count_frames(tx, ["one", "two"], version_id=version, since=since, until=until)
    assert {f: c["units"] for f, c in found.items()} == {f: c["units"] for f, c in counted.items()}


def test_nothing_is_kept_for_a_codebook_that_stepped_back(store, version):
    with store.transaction() as tx:
        tx.execute("update codebooks set state = 'retired'")
        folding.drop_windows(tx)
    assert kept(store, version) == {}


@pytest.mark.parametrize(("since", "until"), [(5, 50), (0, 60), (10, 60 * 26 + 5), (60, 60), (55, 65), (0, 60 * 24)])
def test_whole_hours_and_what_is_left_at_both_ends_are_all_posts(store, version, since, until):
    period = {
        "since": NOW.replace(minute=0) - timedelta(minutes=until),
        "until": NOW.replace(minute=0) - timedelta(minutes=since),
    }
    with store.transaction() as tx:
        found = trends.posts_between(tx, ["one", "*", "none"], version_id=version, **period)
        counted = tx.execute(
            "select frame, sum(posts)::int as posts from trend_points where bucket >= %(since)s and bucket < %(until)s group by 1",
            period,
        ).fetchall()
    counted = {r["frame"]: r["posts"] for r in counted}
    assert found == {name: counted.get(name, 0) for name in ("one", "*", "none")}
