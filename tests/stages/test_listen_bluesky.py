"""Bluesky from its stream into the database: what is deleted goes, a restart doubles nothing, a gap stays one."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from services.fetch import Fetcher
from services.sources import Means, stream_for
from tests.sources.jetstream import Jetstream, account, micro, named, post, serve_jetstream
from tests.sources.kits import NOW
from tests.sources.kits.bluesky import DID
from tests.stages.conftest import World, drift
from workers.stages.listen import listen

OTHER = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"


def hear(world: World, stream: Jetstream) -> None:
    means = Means(Fetcher(allow_networks=stream.server.allowed), Path("/nonexistent"))
    world.due()
    listen(replace(world.rt, stream=lambda kind: stream_for(kind, means)))


def feed(world: World, stream: Jetstream, **more: object) -> None:
    world.add_feed("all", source="bluesky", mode="stream", options={"api": stream.server.url}, **more)


def kept(world: World) -> list[str]:
    return [r["native_id"] for r in world.rows("select native_id from posts order by native_id")]


def test_posts_deletes_and_a_restart(world: World) -> None:
    ago = (NOW - world.clock()).total_seconds()
    first = [post(n, ago=ago) for n in range(1, 4)] + [post(4, ago=ago, did=OTHER)]
    later = [
        post(5, ago=ago),
        post(6, ago=ago, rkey="r1", operation="delete", record=None),
        post(7, ago=ago, rkey="r2", operation="update", text="another text"),
        account(8, "deleted", did=OTHER, ago=ago),
    ]
    with serve_jetstream(*first) as stream:
        feed(world, stream)
        hear(world, stream)
        assert kept(world) == [named(n) for n in (1, 2, 3)] + [named(4, OTHER)]
        stream.events = (*first, *later)
        hear(world, stream)
        assert stream.cursors == [0, 4]
        hear(world, stream)
    assert kept(world) == [named(n) for n in (2, 3, 5)]
    assert world.one("select text from posts where native_id = %s", named(2)) == "another text"
    assert world.one("select count(*) from posts where native_id like %s", f"at://{DID}%") == 3
    assert drift(world) == {}


def test_what_the_server_has_forgotten_is_a_gap_in_what_was_heard(world: World) -> None:
    ago = (NOW - world.clock()).total_seconds()
    old = {"text": "an old post", "createdAt": "2016-12-11T12:00:00Z"}
    with serve_jetstream(post(9, ago=ago, record=old), floor=9) as stream:
        feed(world, stream)
        cursor = {"host": stream.server.url, "seq": 3, "time_us": micro(world.clock() - timedelta(hours=40))}
        world.rows(
            "update feeds set cursor = %s::text::jsonb, heard_until = %s returning 1",
            json.dumps(cursor),
            world.clock() - timedelta(hours=40),
        )
        hear(world, stream)
    assert kept(world) == [named(9)]
    heard = world.one("select coalesce(sum(ends_at - starts_at), interval '0') from heard_spans")
    assert heard < timedelta(minutes=1)
    assert drift(world) == {}
