"""`framewatch verify` sees what does not add up: each identity is broken by hand, and only it is told."""

from datetime import timedelta

import pytest

from tests.stages.conftest import World, drift, post
from tests.stages.test_classify import gather
from tests.stages.test_rescore import settle

ALERT = """
insert into alerts (alert_id, kind, rule, state, onset, last_bucket, raised_at, evidence)
values ('a', 'outage', 'outage', 'firing', now(), now(), now(), '{}')
"""
BROKEN = {
    "fetched": "update intake set posts = posts + 1 where outcome = 'fetched'",
    "kept": "update intake set posts = posts + 1 where outcome in ('fetched', 'new')",
    "counted once": "update post_keys set post_id = default where native_id = '1'",
    "stored": "delete from scores where post_id in (select post_id from post_keys where native_id = '3')",
    "scores": "delete from scores where post_id in (select post_id from post_keys where native_id = '1')",
    "ghosts": "delete from posts where native_id = '3'",
    "trend": "update trend_points set posts = posts + 1 where frame = '*'",
    "trend points": "update trend_points set units = units + 1 where frame <> '*'",
    "trend steps": "update trend_steps set posts = posts + 1 where frame <> '*' and step = '1w'",
    "side by side": "update trend_rows set posts[1] = posts[1] + 1",
    "words": "delete from carrier_words where post_id = (select min(post_id) from carrier_words)",
    "words: left": "insert into carrier_words select version_id, 0, published_at, '' from carrier_words limit 1",
    "words: unmarked": "update carrier_words set words = strip(to_tsvector('simple', 'theatre'))",
    "words: of another frame": "update carrier_words set words = words_of_carrier(version_id, '{other}', published_at, '')",
    "alerts": ALERT,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_add_up_is_told_by_its_name(world: World, name: str) -> None:
    world.apply()
    world.add_feed()
    texts = ("theatre", "washington", "rain")
    gather(world, *(post(i, texts[i - 1], at=world.clock() - timedelta(minutes=30)) for i in (1, 2, 3)))
    settle(world)
    assert drift(world) == {}
    world.rows(f"with told as (select 1) {BROKEN[name]} returning 1")
    assert name.partition(":")[0] in drift(world)
