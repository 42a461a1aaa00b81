"""Mastodon by asking: addresses, paging, consent, refusals, limits, what is gone."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import Means, parse_file, read_address, source_for
from services.sources.base import Known
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, always, feed_of, post
from tests.sources.kits.mastodon import ACCESS, status
from tests.sources.mastodon_instance import NOT_FOUND, instance


def source(server, **keys):
    return source_for("mastodon", Means(Fetcher(allow_networks=server.allowed), None, keys=keys))


def ask(server, cursor, path="/tags/news", **keys):
    feed = feed_of("mastodon", server.url + path, cursor=json.loads(json.dumps(cursor)))
    return source(server, **keys).fetch(feed, NOW)


def ask_all(server, cursor, **keys):
    pages = [ask(server, cursor, **keys)]
    while pages[-1].more and len(pages) < 50:
        pages.append(ask(server, pages[-1].cursor, **keys))
    return pages


def ids(*pages):
    return [p.native_id for page in pages for p in page.posts]


def numbered(start, end):
    return {f"id-{n}" for n in range(start, end)}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("#News@Social.Example", "https://social.example/tags/news"),
        (" https://social.example/tags/News/ ", "https://social.example/tags/news"),
        ("https://social.example/web/timelines/tag/news?x=1#y", "https://social.example/tags/news"),
        ("#новости@social.example", "https://social.example/tags/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"),
        ("https://social.example/tags/%D0%BD%D0%BE", "https://social.example/tags/%D0%BD%D0%BE"),
        ("@Jane@social.example", "https://social.example/@jane"),
        ("https://social.example/@jane@other.example", "https://social.example/@jane@other.example"),
        ("https://social.example/@jane@social.example", "https://social.example/@jane"),
        ("https://social.example/users/jane", "https://social.example/@jane"),
        ("social.example/public/local", "https://social.example/public/local"),
        ("https://social.example/public/remote", "https://social.example/public/remote"),
        ("https://social.example/public", "https://social.example/public"),
        ("https://social.example/lists/123", "https://social.example/lists/123"),
        ("http://127.0.0.1:8080/tags/x", "http://127.0.0.1:8080/tags/x"),
    ],
)
def test_what_a_person_types_becomes_one_address(typed, kept):
    assert read_address("mastodon", typed) == kept
    assert read_address("mastodon", kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "https://social.example/",
        "social.example",
        "#news",
        "@jane",
        "https://u:p@social.example/tags/x",
        "https://social.example/tags/a b",
        "https://social.example/tags/x/y",
        "https://[::1/tags/x",
        "https://social.example/@jane/123",
        "#a/b@social.example",
    ],
)
def test_what_is_no_feed_is_refused_with_the_forms_there_are(typed):
    with pytest.raises(PermanentError, match="#tag@host") as caught:
        read_address("mastodon", typed)
    assert caught.value.reason is Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/tags/%D0%BD", "/api/v1/timelines/tag/%D0%BD?limit=40"),
        ("/public", "/api/v1/timelines/public?limit=40"),
        ("/public/local", "/api/v1/timelines/public?local=true&limit=40"),
        ("/public/remote", "/api/v1/timelines/public?remote=true&limit=40"),
        ("/lists/12", "/api/v1/timelines/list/12?limit=40"),
    ],
)
def test_each_feed_is_asked_for_where_it_is_documented(path, asked):
    with instance() as (site, server):
        site.say(1)
        assert ids(ask(server, {}, path)) == ["id-1"]
    assert site.asked == [asked]


def test_the_first_fetch_takes_the_newest_page_and_the_next_all_that_came_since():
    with instance() as (site, server):
        for n in range(100):
            site.say(n)
        first = ask(server, {})
        assert set(ids(first)) == numbered(60, 100)
        assert not first.more
        for n in range(100, 230):
            site.say(n)
        pages = ask_all(server, first.cursor)
        assert set(ids(*pages)) >= numbered(100, 230)
        assert all(page.complete for page in pages)
        stored = ids(first, *pages)
        assert len(stored) == len(set(stored))
        last = ask_all(server, pages[-1].cursor)
    assert (len(last), ids(*last)) == (1, [])


def test_a_crash_between_pages_neither_loses_nor_doubles():
    with instance() as (site, server):
        site.say(0)
        first = ask(server, {})
        for n in range(1, 120):
            site.say(n)
        second = ask(server, first.cursor)
        third = ask(server, second.cursor)  # and is lost before it is stored
        after = ask_all(server, second.cursor)
    assert ids(third) == ids(after[0])
    stored = ids(first, second, *after)
    assert set(stored) == numbered(0, 120)
    assert len(stored) == 120


def test_a_server_that_gives_shorter_pages_is_read_to_the_end():
    with instance() as (site, server):
        site.limit = 20
        site.say(0)
        first = ask(server, {})
        for n in range(1, 90):
            site.say(n)
        assert set(ids(first, *ask_all(server, first.cursor))) == numbered(0, 90)


def test_a_server_that_pays_no_heed_to_paging_is_not_asked_for_ever():
    body = json.dumps([status(post(n), n) for n in range(40)]).encode()
    with serve(reply(body=body)) as server:
        first = ask(server, {})
        ask_all(server, first.cursor)
        assert server.connections <= 4


def test_a_post_that_comes_late_from_another_server_is_found():
    with instance() as (site, server):
        for n in range(100, 200, 2):
            site.say(n)
        first = ask(server, {})
        site.say(195)
        assert "id-195" in ids(ask(server, first.cursor))


def test_an_edit_of_a_late_post_is_found():
    with instance() as (site, server):
        for n in range(50):
            site.say(n)
        first = ask(server, {})
        for n in (45, 5):
            site.timeline[n] |= {"content": "mended", "edited_at": "2026-11-22T11:00:00Z"}
        second = ask(server, first.cursor)
        assert [(p.native_id, p.text) for p in second.posts] == [("id-45", "mended")]
        assert ask(server, second.cursor).posts == ()


@settings(max_examples=30, deadline=None)
@given(rounds=st.lists(st.sets(st.integers(0, 15), max_size=12), max_size=6), limit=st.sampled_from([20, 40]))
def test_however_posts_come_each_is_told_once(rounds, limit):
    """Posts of a round lie above all before, but for those filed among the last few."""
    with instance() as (site, server):
        site.limit = limit
        site.say(0)
        told, cursor, base, said = [], {}, 10, {"id-0"}
        for numbers in rounds:
            pages = ask_all(server, cursor)
            told, cursor = told + ids(*pages), pages[-1].cursor
            for n in {base + 2 * n for n in numbers} | {base - 5 if len(said) > 20 else base}:
                if f"id-{n}" not in said:
                    site.say(n)
                    said.add(f"id-{n}")
            base += 32
        told += ids(*ask_all(server, cursor))
    assert set(told) == said
    assert len(told) == len(said)


def test_a_feed_moved_to_another_server_begins_anew():
    with instance() as (site, server):
        site.say(1)
        cursor = dict(ask(server, {}).cursor, address="https://other.example/tags/news")
        assert ids(ask(server, cursor)) == ["id-1"]
    assert "min_id" not in site.asked[-1]


def test_an_account_is_looked_up_once():
    with instance() as (site, server):
        site.say(1)
        first = ask(server, {}, "/@jane")
        ask(server, first.cursor, "/@jane")
        with pytest.raises(TransientError) as caught:
            ask(server, {}, "/@nobody")
    assert [t.partition("?")[0].rpartition("/")[2] for t in site.asked] == ["lookup", "statuses", "statuses", "lookup"]
    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("account", "strict", "normal"),
    [
        ({"indexable": True}, True, True),
        ({"indexable": False}, False, True),
        ({"indexable": None}, False, True),
        ({}, False, True),
        ({"indexable": "true"}, False, True),
        ({"indexable": True, "noindex": True}, False, False),
        ({"indexable": True, "note": '<p>hi <a href="/tags/nobot">#<span>nobot</span></a></p>'}, False, False),
        ({"indexable": True, "note": "<p>please #NoIndex</p>"}, False, False),
        ({"indexable": True, "note": "<p>I like nobotany</p>"}, True, True),
        ({"indexable": True, "fields": [{"name": "x", "value": "#nobots"}]}, False, False),
    ],
)
def test_only_those_who_agreed_are_kept(account, strict, normal):
    with instance() as (site, server):
        site.say(1, account={"uri": "https://e.org/u", **account})
        pages = [ask(server, {}), ask(server, {}, consent="normal")]
    assert [bool(p.posts) for p in pages] == [strict, normal]
    assert [dict(p.dropped) for p in pages] == [{} if kept else {"no_consent": 1} for kept in (strict, normal)]


def test_a_refused_post_is_counted_once():
    with instance() as (site, server):
        for n in range(5):
            site.say(n, account={})
        first = ask(server, {})
        site.say(9)
        second = ask(server, first.cursor)
    assert [dict(first.dropped), dict(second.dropped), ids(second)] == [{"no_consent": 5}, {}, ["id-9"]]


def test_an_unknown_policy_is_refused_by_name():
    with serve(reply()) as server, pytest.raises(PermanentError, match="FRAMEWATCH_CONSENT"):
        source(server, consent="none")


@pytest.mark.parametrize(("visibility", "kept"), [("public", 1), ("unlisted", 1), ("private", 0), ("direct", 0)])
def test_only_public_posts_are_kept(visibility, kept):
    body = json.dumps([status(post(1), visibility=visibility)]).encode()
    page = parse_file("mastodon", body, "x")
    assert [len(page.posts), page.dropped.get("not_public", 0)] == [kept, 1 - kept]


def test_a_boost_is_a_post_of_its_own_with_the_text_of_the_original():
    original = status(post(1), language="ar", content="<p>said</p>")
    boost = status(post(2, url=None, text=""), 2, reblog=original, uri="https://e.org/activity")
    boost["account"] = {"uri": "https://b.org/booster", "indexable": True}
    found = parse_file("mastodon", json.dumps(boost).encode(), "x").posts[0]
    assert (found.native_id, found.repost_of, found.text) == ("https://e.org/activity", "id-1", "said")
    assert (found.author, found.lang, found.url) == ("https://b.org/booster", "ar", "https://e.org/1")
    for part in (boost, original):
        refused = json.loads(json.dumps(boost))
        (refused if part is boost else refused["reblog"])["account"] = {"indexable": False}
        assert parse_file("mastodon", json.dumps(refused).encode(), "x").dropped == {"no_consent": 1}


def test_the_warning_and_the_markup_become_text():
    said = status(
        post(1),
        spoiler_text="On <war>",
        content='<p>one<br>two <a href="https://e.org"><span class="invisible">https://</span>e.org</a></p><p>three</p>',
    )
    found = parse_file("mastodon", json.dumps([said]).encode(), "x").posts[0]
    assert found.text == "On <war>\n\none\ntwo https://e.org\nthree"


def test_a_refusal_says_how_to_get_in_and_a_token_opens():
    with instance() as (site, server):
        site.token = "s3cret"
        site.say(1)
        host = server.url.partition("://")[2]
        with pytest.raises(TransientError, match=f"{host}=TOKEN") as caught:
            ask(server, {})
        assert ids(ask(server, {}, mastodon_tokens=f"a.org=x, {host}=s3cret")) == ["id-1"]
        with pytest.raises(TransientError, match="does not accept its token") as wrong:
            ask(server, {}, mastodon_tokens=f"{host}=wr0ng")
    assert {caught.value.reason, wrong.value.reason} == {Reason.NO_ACCESS}
    assert "wr0ng" not in str(wrong.value)
    assert site.authorised == ["", "s3cret", "wr0ng"]


def test_a_token_stays_with_its_server():
    with instance() as (site, server), instance() as (other, second):
        site.say(1)
        other.say(1)
        keys = {"mastodon_tokens": f"{server.url.partition('://')[2]}=s3cret"}
        both = Means(Fetcher(allow_networks=f"{server.allowed},{second.allowed}"), None, keys=keys)
        for where in (server, second):
            source_for("mastodon", both).fetch(feed_of("mastodon", where.url + "/public"), NOW)
    assert (site.authorised, other.authorised) == (["s3cret"], [""])


@pytest.mark.parametrize("tokens", ["s3cret", "a.org=", "=s3cret"])
def test_unreadable_tokens_are_refused_without_being_shown(tokens):
    with serve(reply()) as server, pytest.raises(PermanentError, match="MASTODON_TOKENS") as caught:
        ask(server, {}, mastodon_tokens=tokens)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "access", "told"),
    [
        ("/public", {"live_feeds": {"local": "disabled", "remote": "disabled"}}, "switched this feed off"),
        ("/public/local", {"live_feeds": {"local": "disabled", "remote": "public"}}, "switched this feed off"),
        ("/public/remote", {"live_feeds": {"local": "disabled", "remote": "public"}}, ""),
        ("/public", {"live_feeds": {"local": "public", "remote": "authenticated"}}, "=TOKEN"),
        ("/tags/x", {"hashtag_feeds": {"local": "authenticated", "remote": "authenticated"}}, "=TOKEN"),
        ("/tags/x", {"live_feeds": {"local": "disabled", "remote": "disabled"}}, ""),
        ("/tags/x", ACCESS, ""),
        ("/tags/x", None, ""),
    ],
)
def test_an_empty_answer_is_quiet_only_where_the_feed_is_open(path, access, told):
    with instance() as (site, server):
        site.access = access
        if told:
            with pytest.raises(TransientError, match=told) as caught:
                ask(server, {}, path)
            assert caught.value.reason is Reason.NO_ACCESS
        else:
            assert ask(server, {}, path).posts == ()


def test_a_server_without_that_setting_is_quiet():
    with serve(lambda r, s: s.sendall(NOT_FOUND if "instance" in r else reply(body=b"[]"))) as server:
        assert ask(server, {}).posts == ()


def test_a_spent_limit_is_waited_for_and_loses_no_place():
    with instance() as (site, server):
        site.say(0)
        first = ask(server, {})
        for n in range(1, 90):
            site.say(n)
        site.headers = {
            "x_ratelimit_remaining": "0",
            "x_ratelimit_reset": "2026-11-22T12:04:00.000Z",
            "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        }
        second = ask(server, first.cursor)
        assert (second.more, second.min_interval) == (False, timedelta(minutes=4))
        site.headers = {}
        assert set(ids(first, second, *ask_all(server, second.cursor))) == numbered(0, 90)


def test_what_is_no_mastodon_server_is_told():
    with (
        serve(reply(body=b'{"hello": 1}')) as server,
        pytest.raises(PermanentError, match="does not answer as") as caught,
    ):
        ask(server, {})
    assert caught.value.reason is Reason.NOT_A_FEED


def test_posts_that_are_gone_are_told_and_only_those():
    with instance() as (site, server):
        site.gone = {"1": NOT_FOUND, "2": reply(410)}
        posts = [Known(f"{site.url}/users/j/statuses/{n}", f"{site.url}/@j/{n}") for n in (1, 2, 3)]
        assert source(server).gone(posts) == {posts[0].native_id, posts[1].native_id}


def test_an_object_of_another_kind_of_server_is_asked_for_itself():
    stone = reply(body=b'{"type":"Tombstone"}')
    pages = {"/objects/1": stone, "/objects/2": reply(body=b'{"type":"Note"}'), "/objects/3": reply(410)}
    with serve(lambda r, s: s.sendall(pages[r.split()[1]])) as server:
        posts = [Known(f"{server.url}/objects/{n}", "https://e.org/x") for n in (1, 2, 3)]
        assert source(server).gone([*posts, Known("id", "")]) == {posts[0].native_id, posts[2].native_id}


def test_a_lost_server_is_no_proof_that_its_posts_are_gone():
    with serve(always(NOT_FOUND)) as server:
        assert source(server).gone([Known("id", f"{server.url}/@j/{n}") for n in range(5)]) == frozenset()


def test_a_server_that_refuses_is_asked_no_more():
    with serve(reply(429, retry_after="60")) as server, pytest.raises(FramewatchError) as caught:
        source(server).gone([Known("id", f"{server.url}/@j/{n}") for n in range(5)])
    assert caught.value.reason is Reason.RATE_LIMITED
    assert server.connections == 1


def test_no_server_is_asked_more_than_its_share():
    with instance() as (site, server):
        source(server).gone([Known("id", f"{site.url}/@j/{n}") for n in range(90)])
        assert server.connections == 30


def test_ids_that_are_no_plain_words_move_no_cursor():
    body = json.dumps([status(post(1)) | {"id": "9\0\ud800" * 9}, status(post(2), 2)]).encode()
    with serve(reply(body=body)) as server:
        page = ask(server, {})
    assert page.cursor["newest"] == str(110000000000000002)
    assert replace(page, cursor={}).posts[0].native_id == "id-1"
