"""What a feed's items are known by when their names cannot be trusted: no collapse to one, no endless new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.sources.items import Item
from services.sources.rss import parse
from services.sources.rss.identity import USUAL, judged, read_policy
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, fetch, post
from tests.sources.kits.rss import encode

AT = "https://e.org/feed"


def rounds(pages, policy=USUAL):
    """The identities of each page in turn, and the last policy."""
    found = []
    for posts in pages:
        page = parse(encode(posts), address=AT, policy=policy)
        policy = read_policy(page.cursor)
        found.append([p.native_id for p in page.posts])
    return found, policy


def volatile_guids(turn, numbers=range(4)):
    return [post(n, id=f"session-{turn}-{n}") for n in numbers]


def volatile_links(turn, **changes):
    return [post(n, url=f"https://e.org/{n}?v={turn}", text=f"Headline {n}", **changes) for n in range(4)]


def test_guids_that_change_at_every_fetch_give_way_to_links():
    found, policy = rounds(volatile_guids(turn) for turn in range(9))
    assert policy.by == "link"
    assert found[2] == found[8] == [f"https://e.org/{n}" for n in range(4)]
    assert len({i for page in found for i in page}) == 12  # two pages that had to be seen, and then no more


def test_links_with_a_token_give_way_to_title_and_date():
    found, policy = rounds(volatile_links(turn, id=None) for turn in range(9))
    assert policy.by == "title"
    assert found[2] == found[8]
    assert len(set(found[8])) == 4


def test_guids_and_links_that_both_change_give_way_to_title_and_date():
    found, policy = rounds(volatile_links(turn, id=f"g-{turn}") for turn in range(6))
    assert policy.by == "title"
    assert found[2] == found[5]


def test_the_policy_never_goes_back():
    _, policy = rounds(volatile_guids(turn) for turn in range(3))
    steady = [volatile_guids(0, range(n, n + 4)) for n in range(5)]
    found, policy = rounds(steady, policy)
    assert policy.by == "link"
    assert found[4][0] == "https://e.org/4"


@pytest.mark.parametrize(
    "pages",
    [
        [[post(n) for n in range(turn, turn + 5)] for turn in range(9)],  # an ordinary feed
        [[post(n) for n in range(turn * 5, turn * 5 + 5)] for turn in range(9)],  # one that is read too seldom
        [[post(n, text=f"Edited {turn}") for n in range(5)] for turn in range(9)],
        [[post(n, url=f"https://e.org/{n}?t={turn}") for n in range(5)] for turn in range(9)],  # a steady guid
        [[post(n, id=f"new-{n}" if turn > 4 else f"old-{n}") for n in range(5)] for turn in range(9)],  # moved house
        [[post(n, text="Weather") for n in range(turn * 5, turn * 5 + 5)] for turn in range(9)],
        [[post(turn, text="Good morning!", published_at=None)] for turn in range(9)],
        [[post(n, id="same") for n in range(5)] for _ in range(9)],
        [[post(n, url="https://e.org/") for n in range(turn, turn + 5)] for turn in range(9)],  # all point at the start
        [[] for _ in range(9)],
    ],
)
def test_a_feed_without_that_fault_keeps_its_guids(pages):
    assert rounds(pages)[1].by == "guid"


def test_one_doubt_is_not_enough_and_is_forgotten():
    steady, odd = [post(n) for n in range(4)], volatile_guids(1)
    assert rounds([steady, odd, odd, odd, steady, steady, odd])[1].by == "guid"


def test_a_policy_survives_its_cursor_and_a_move_of_the_feed():
    turn = iter(range(99))
    with serve(lambda r, s: s.sendall(reply(body=encode(volatile_guids(next(turn)))))) as server:
        feed = feed_of("rss", server.url + "/a")
        for hour in range(4):
            page = fetch(server, feed, NOW + timedelta(hours=hour))
            feed = replace(feed, cursor=page.cursor)
        moved = fetch(server, replace(feed, address=server.url + "/b"), NOW + timedelta(hours=5))
    assert page.cursor["identity"] == moved.cursor["identity"] == "link"
    assert [p.native_id for p in moved.posts] == [p.native_id for p in page.posts]
    assert moved.complete


def test_any_cursor_makes_a_policy():
    for cursor in (
        {},
        {"identity": 3, "doubts": True, "watched": "x", "repeated": [1]},
        {"watched": ["a", "/", "a/b/c"]},
    ):
        policy = judged(read_policy(cursor), [Item(guid="g", link="/1", title="T")], AT)
        assert policy.by == "guid"
