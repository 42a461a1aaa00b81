"""Units through the real pipeline: near copies, reposts, two intakes at once, deletes, and what verify says of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from schemas.records import FetchedPost, Page
from services.analysis.duplicates import unit_key
from services.store import alerts, units
from services.store.pool import Connection
from services.store.taking_in import take_in
from tests.stages.conftest import World, drift, page, post
from tests.waiting import wait
from workers.stages.classify import classify
from workers.stages.collect import collect
from workers.stages.rollup import rollup
from workers.stages.upkeep import upkeep

LONG = "The theatre of Palmyra stands empty, and state television shows the army among the ruins of the old city"
NEAR = f"BREAKING: {LONG} — more soon"


@pytest.fixture
def ready(world: World) -> World:
    world.apply()
    world.add_feed()
    return world


def hear(world: World, *posts: FetchedPost, **more: object) -> None:
    world.due()
    world.source.pages = [page(*posts, **more)]
    collect(world.rt)
    classify(world.rt)
    rollup(world.rt)


def unit_of(world: World, name: str) -> bytes:
    unit = world.one("select unit_key from posts where native_id = %s", name)
    assert isinstance(unit, bytes)
    return unit


def voices(world: World) -> tuple[int, int, int]:
    found = world.rows("select posts, units, authors from trend_points where frame = 'staged-theatrics'")[0]
    return found["posts"], found["units"], found["authors"]


def intake(world: World, tx: Connection, *posts: FetchedPost) -> None:
    rows = world.rt.intake.rows("rss", posts, world.clock())
    about = {"feed_id": 1, "source": "rss", "gone_authors": ()}
    take_in(tx, Page(tuple(posts)), rows, **about, received_at=world.clock())


def test_near_copies_by_many_accounts_are_one_voice(ready: World) -> None:
    hear(
        ready,
        post(1, LONG),
        post(2, NEAR),
        post(3, "Another theatre in Aleppo has opened its doors to everybody today"),
    )
    hear(ready, post(4, LONG.upper() + " theatre"))
    assert voices(ready) == (4, 2, 4)
    assert drift(ready) == {}


def test_a_repost_counts_with_its_original_although_cut(ready: World) -> None:
    hear(ready, post(1, LONG))
    hear(ready, post(2, "theatre of…", repost_of="1"), post(3, "theatre", repost_of="1"))
    assert unit_of(ready, "2") == unit_of(ready, "3") == unit_of(ready, "1")
    assert voices(ready) == (3, 1, 3)
    assert drift(ready) == {}


def test_reposts_of_what_never_came_are_one_unit_and_the_original_joins_it(ready: World) -> None:
    hear(ready, post(2, "theatre, cut…", repost_of="1"))
    hear(ready, post(3, "theatre, cut elsewhere…", repost_of="1"), post(4, "other theatre", repost_of="9"))
    assert unit_of(ready, "2") == unit_of(ready, "3") != unit_of(ready, "4")
    hear(ready, post(1, LONG))
    assert unit_of(ready, "1") == unit_of(ready, "2")
    assert drift(ready) == {}


def test_an_edit_changes_the_unit_and_the_counts_follow(ready: World) -> None:
    hear(ready, post(1, LONG), post(2, "A quite different theatre in a quite different town, said by somebody else"))
    assert voices(ready) == (2, 2, 2)
    hear(ready, post(2, NEAR))
    assert unit_of(ready, "2") == unit_of(ready, "1")
    assert voices(ready) == (2, 1, 2)
    assert drift(ready) == {}


def test_of_two_intakes_at_once_the_second_joins_the_first(ready: World) -> None:
    def second() -> None:
        with ready.store.transaction() as tx:
            intake(ready, tx, post(2, NEAR))

    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with ready.store.transaction() as tx:
            intake(ready, tx, post(1, LONG))
            done = pool.submit(second)
            wait(lambda: ready.one(waiting), 15)
        done.result(15)
    assert unit_of(ready, "1") == unit_of(ready, "2")
    names = ready.rows("select distinct native_id from near_bands join post_keys using (post_id)")
    assert [r["native_id"] for r in names] == ["1"]


def test_pages_that_cross_each_other_do_not_stand_in_each_others_way(ready: World) -> None:
    texts = [f"{LONG}, part {i} of the story of the theatre and what {'abcdefghij'[i] * 9} was" for i in range(6)]

    def some(numbers: range, place: str) -> None:
        with ready.store.transaction() as tx:
            intake(ready, tx, *(post(f"{place}-{i}", texts[i]) for i in numbers))

    with ThreadPoolExecutor(4) as pool:
        orders = [range(6), range(5, -1, -1)] * 6
        for done in [pool.submit(some, order, str(i)) for i, order in enumerate(orders)]:
            done.result(30)
    assert ready.one("select count(*) from posts") == 72
    assert ready.one("select count(distinct unit_key) from posts") <= 6


def test_a_deleted_text_finds_no_copies_and_the_next_takes_its_place(ready: World) -> None:
    hear(ready, post(1, LONG))
    hear(ready, deleted=("1",))
    hear(ready, post(2, NEAR))
    assert unit_of(ready, "2") == unit_key(NEAR)
    names = ready.rows("select distinct native_id from near_bands join post_keys using (post_id)")
    assert "2" in [r["native_id"] for r in names]
    hear(ready, post(3, LONG))
    assert unit_of(ready, "3") == unit_of(ready, "2")
    assert drift(ready) == {}


def test_a_text_is_forgotten_a_fortnight_after_its_last_copy(ready: World) -> None:
    hear(ready, post(1, LONG))
    ready.rows("update near_bands set used_on = used_on - 10 returning 1")
    hear(ready, post(2, NEAR))
    today = datetime.now(UTC).date()
    assert ready.one("select max(used_on) from near_bands") == today
    ready.rows("update near_bands set used_on = %s returning 1", today - units.MEMORY - timedelta(days=1))
    hear(ready, post(3, NEAR + " and more of it"))
    assert unit_of(ready, "3") != unit_of(ready, "1")
    old = "select count(*) from near_bands where used_on < %s"
    upkeep(ready.rt)
    assert ready.one(old, today - units.MEMORY) == 0
    assert ready.one("select count(*) from near_bands") > 0
    assert drift(ready) == {}


def test_a_page_that_is_known_is_not_looked_at_again(ready: World) -> None:
    hear(ready, post(1, LONG))
    ready.rows("delete from near_bands returning 1")
    hear(ready, post(1, LONG))
    assert ready.one("select count(*) from near_bands") == 0


def test_publishers_of_an_alert_are_registrable_domains(ready: World) -> None:
    hear(
        ready,
        post(1, "theatre https://news.bbc.co.uk/a", url="https://www.rt.com/1"),
        post(2, "theatre https://www.bbc.co.uk/b https://t.co/x", url="https://deutsch.rt.com/2"),
    )
    now = ready.clock()
    with ready.store.transaction() as tx:
        version_id = ready.one("select version_id from codebooks")
        period = {"since": now - timedelta(days=1), "until": now + timedelta(hours=1)}
        counts = alerts.alert_counts(tx, version_id=version_id, frame="staged-theatrics", **period)
    assert counts == {"posts": 2, "texts": 1, "units": 1, "authors": 2, "publishers": 2}
