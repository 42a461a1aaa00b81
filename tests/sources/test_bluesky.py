"""Bluesky through a Jetstream: what it says, where it takes up again, and how a gap is told."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import Means, parse_file, read_address, stream_for
from services.sources import bluesky as kind
from services.sources.base import Known
from services.sources.bluesky import session
from tests.sources.jetstream import account, json_answer, micro, named, post, serve_jetstream
from tests.sources.kits import NOW, feed_of
from tests.sources.kits.bluesky import DID

OTHER = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
EVERYBODY, SOMEBODY = "all", DID


@pytest.fixture
def quick(monkeypatch):
    """For servers that stay open in silence: a page every 0.2 seconds."""
    monkeypatch.setattr(session, "_GATHER", timedelta(seconds=0.2))


def listen(*streams, address=EVERYBODY, cursor=None, pages=1, now=lambda: NOW, options=None):
    """The first `pages` pages of a feed that those servers serve; cursors go through JSON, as the database does it."""
    options = {"api": ",".join(s.server.url for s in streams), "appview": streams[0].server.url} | (options or {})
    feed = feed_of("bluesky", address, cursor=json.loads(json.dumps(cursor or {})), options=options)
    fetcher = Fetcher(allow_networks=",".join(s.server.allowed for s in streams))
    found = []
    for page in stream_for("bluesky", Means(fetcher, Path("/nonexistent"))).listen(
        feed, now, lambda: len(found) >= pages
    ):
        found.append(page)
        if len(found) >= pages:
            break
    return found


def names(*pages):
    return [p.native_id for page in pages for p in page.posts]


def failure(*streams, **options):
    with pytest.raises(FramewatchError) as caught:
        listen(*streams, pages=99, **options)
    return caught.value


@pytest.mark.parametrize("version", [1, 2])
def test_posts_deletes_edits_and_accounts_are_told_in_both_versions(version):
    events = [
        post(1),
        post(2, text="as it was"),
        post(3, operation="delete", record=None),
        post(4, rkey="r2", operation="update", text="as it is"),
        post(5, did=OTHER),
        account(6, "deleted", did=OTHER),
        account(7, "deactivated", did="did:web:e.org"),
        account(8, "deleted", did="did:web:f.org") | {"account": {"active": True, "status": "deleted"}},
        post(9, collection="app.bsky.feed.like"),
        post(10, text=""),
        post(11, rkey="not a key"),
    ]
    with serve_jetstream(*events, version=version) as stream:
        page = listen(stream)[0]
    assert {p.native_id: p.text for p in page.posts} == {named(1): "Post 1", named(2): "as it is"}
    assert (page.deleted, page.deleted_authors) == ((named(3),), (OTHER,))
    assert dict(page.dropped) == {"no_text": 1, "no_identity": 1}
    first = page.posts[0]
    assert (first.author, first.lang, first.url) == (DID, "en", f"https://bsky.app/profile/{DID}/post/r1")
    assert (first.published_at, page.complete, page.heard_until) == (NOW, True, None)


def test_a_takedown_and_a_delete_overrule_what_came_before_them():
    with serve_jetstream(post(1), post(2), post(3, did=OTHER), post(4, rkey="r1", operation="delete")) as stream:
        page = listen(stream)[0]
        assert (names(page), page.deleted) == ([named(2), named(3, OTHER)], (named(1),))
    with serve_jetstream(post(1, operation="delete", record=None), post(2, rkey="r1")) as stream:
        page = listen(stream)[0]
        assert (names(page), page.deleted) == ([named(1)], ())
    with serve_jetstream(post(1), post(2, did=OTHER), account(3, "takendown")) as stream:
        page = listen(stream)[0]
        assert (names(page), page.deleted_authors) == ([named(2, OTHER)], (DID,))


def test_it_asks_for_posts_alone_and_begins_now_when_it_has_no_cursor():
    with serve_jetstream(post(1)) as stream:
        listen(stream)
        assert stream.queries == [{"collections": ["app.bsky.feed.post"]}]
    with serve_jetstream(post(1), version=1) as stream:
        listen(stream, address=f"{DID},{OTHER}")
        assert stream.queries[1] == {"wantedCollections": ["app.bsky.feed.post"], "wantedDids": [DID, OTHER]}


def test_the_returned_cursor_takes_up_exactly_where_it_was():
    with serve_jetstream(post(1), post(2)) as stream:
        first = listen(stream)[0]
        again = listen(stream, cursor=first.cursor)[0]
        assert (names(first), names(again)) == ([named(1), named(2)], [])
        assert stream.cursors == [0, 2]
        assert again.cursor == first.cursor
        stream.events = (*stream.events, post(3))
        assert names(listen(stream, cursor=first.cursor)[0]) == [named(3)]


def test_a_crash_between_pages_loses_and_doubles_nothing(monkeypatch):
    monkeypatch.setattr(session, "PAGE_EVENTS", 3)
    with serve_jetstream(*(post(n) for n in range(1, 12))) as stream:
        stored = listen(stream, pages=2)
        lost = listen(stream, cursor=stored[-1].cursor, pages=1)
        resumed = listen(stream, cursor=stored[-1].cursor, pages=2)
    assert names(*stored) == [named(n) for n in range(1, 7)]
    assert names(*lost) == names(resumed[0])
    assert names(*stored, *resumed) == [named(n) for n in range(1, 12)]


def test_another_server_is_asked_by_time_and_a_little_earlier():
    with serve_jetstream(post(1)) as one, serve_jetstream(post(701, rkey="r1"), post(702, rkey="r2")) as two:
        first = listen(one)[0]
        page = listen(two, cursor=first.cursor)[0]
        assert two.cursors == [micro(NOW) - 10_000_000]
        assert names(page) == [named(1), named(2)]
        assert page.cursor == {"host": two.server.url, "seq": 702, "time_us": micro(NOW)}


@pytest.mark.parametrize("advises", [True, False])
def test_a_cursor_that_is_too_old_is_a_gap_and_what_is_left_is_heard(monkeypatch, advises):
    monkeypatch.setattr(session, "PAGE_EVENTS", 1)
    events = [post(1, ago=9000), post(7, ago=20), post(8, ago=10)]
    with serve_jetstream(*events, floor=7, advises=advises) as stream:
        cursor = {"host": stream.server.url, "seq": 3, "time_us": micro(NOW - timedelta(hours=40))}
        pages = listen(stream, cursor=cursor, pages=3, address=SOMEBODY)
        assert stream.cursors == [3, micro(NOW - timedelta(hours=40)) - 10_000_000]
        assert names(*listen(stream, cursor=pages[0].cursor, pages=3)) == [named(7), named(8)]
    assert names(*pages) == [named(7), named(8)]
    assert [p.complete for p in pages] == [False, True, True]
    assert [p.heard_until for p in pages] == [NOW - timedelta(seconds=20), NOW - timedelta(seconds=20), None]


def test_a_time_that_is_too_old_is_a_gap(monkeypatch):
    monkeypatch.setattr(session, "PAGE_EVENTS", 1)
    with serve_jetstream(post(7), post(8), floor=7) as stream:
        cursor = {"time_us": micro(NOW - timedelta(hours=40))}
        assert [p.complete for p in listen(stream, cursor=cursor, pages=2)] == [False, True]
        assert [p.complete for p in listen(stream, cursor=cursor, pages=2, address=SOMEBODY)] == [False, True]


def test_a_server_that_counts_anew_is_asked_by_time():
    with serve_jetstream(post(1, ago=1), next=2) as stream:
        cursor = {"host": stream.server.url, "seq": 900, "time_us": micro(NOW - timedelta(seconds=5))}
        with pytest.raises(TransientError, match="our place"):
            listen(stream, cursor=cursor, pages=9)
        page = listen(stream, cursor=cursor)[0]
        assert (page.posts, page.cursor["seq"], page.complete) == ((), 0, True)
        assert names(listen(stream, cursor=page.cursor)[0]) == [named(1)]


def test_an_old_server_is_spoken_to_in_its_version_and_forgets_without_a_word():
    with serve_jetstream(post(1), version=1) as stream:
        cursor = {"time_us": micro(NOW - timedelta(seconds=5))}
        assert [p.complete for p in listen(stream, cursor=cursor)] == [True]
        assert stream.cursors == [micro(NOW) - 15_000_000] * 2
        cursor = {"time_us": micro(NOW - timedelta(hours=25))}
        assert [p.complete for p in listen(stream, cursor=cursor, address=SOMEBODY)] == [False]


def test_a_gap_is_as_long_as_it_is_whatever_posts_say_of_their_time(quick):
    old = {"text": "from long ago", "createdAt": "2001-01-01T00:00:00Z"}
    cursor = {"time_us": micro(NOW - timedelta(hours=40))}
    with serve_jetstream(post(7, ago=30, record=old), floor=7) as stream:
        gap, page = listen(stream, cursor=cursor, pages=2)
        assert (gap.posts, gap.complete, gap.heard_until) == ((), False, NOW - timedelta(seconds=30))
        assert (names(page), page.complete) == ([named(7)], True)
    with serve_jetstream(floor=7, ends=None) as stream:
        gap = listen(stream, cursor=cursor, address=SOMEBODY)[0]
        assert (gap.posts, gap.complete, gap.heard_until) == ((), False, None)


def test_a_stream_of_everybody_that_takes_up_a_minute_late_has_a_gap():
    with serve_jetstream(post(5)) as stream:
        for ago, complete in ((59, True), (62, False)):
            cursor = {"time_us": micro(NOW - timedelta(seconds=ago))}
            assert listen(stream, cursor=cursor)[0].complete is complete
        assert listen(stream, cursor=cursor, address=SOMEBODY)[0].complete
        assert listen(stream, cursor=cursor, options={"small": True})[0].complete


def test_while_catching_up_it_says_how_far_it_has_heard(monkeypatch):
    monkeypatch.setattr(session, "PAGE_EVENTS", 2)
    with serve_jetstream(*(post(n, ago=3000 - 1000 * n) for n in range(4))) as stream:
        for address in (EVERYBODY, SOMEBODY):
            cursor = {"time_us": micro(NOW - timedelta(seconds=3000))}
            first, second = listen(stream, cursor=cursor, pages=2, address=address)
            assert (first.heard_until, second.heard_until) == (NOW - timedelta(seconds=2000), None)


def test_silence_is_a_heartbeat_and_no_hearing_on_a_stream_of_everybody(quick):
    clock = iter(NOW + timedelta(seconds=20 * n) for n in range(99))
    with serve_jetstream(ends=None) as stream:
        pages = listen(stream, pages=3, now=lambda: next(clock))
        assert [p.posts for p in pages] == [(), (), ()]
        assert {p.heard_until for p in pages} == {NOW + timedelta(seconds=20)}
        cursor = {"time_us": micro(NOW - timedelta(minutes=5))}
        assert listen(stream, cursor=cursor)[0].heard_until == NOW - timedelta(minutes=5)


def test_silence_of_a_few_people_is_hearing_and_moves_the_place_on(quick):
    with serve_jetstream(ends=None) as stream:
        page = listen(stream, address=SOMEBODY)[0]
        assert (page.heard_until, page.cursor) == (None, {"host": "", "seq": 0, "time_us": micro(NOW) - 60_000_000})
        clock = iter([NOW] * 4 + [NOW + timedelta(minutes=59)] * 9)
        page = listen(stream, address=SOMEBODY, pages=2, now=lambda: next(clock))[-1]
        assert (page.heard_until, page.cursor["time_us"]) == (None, micro(NOW + timedelta(minutes=58)))


def test_a_few_people_are_not_taken_as_silent_while_the_server_may_still_be_looking(quick, monkeypatch):
    cursor = {"host": "x", "seq": 4, "time_us": micro(NOW - timedelta(hours=2))}
    with serve_jetstream(ends=None) as stream:
        page = listen(stream, address=SOMEBODY, cursor=cursor)[0]
        assert (page.cursor, page.heard_until) == (cursor, NOW - timedelta(hours=2))
        monkeypatch.setattr(session, "SETTLED", timedelta(seconds=0.1))
        page = listen(stream, address=SOMEBODY, cursor=cursor)[0]
        assert (page.cursor["time_us"], page.heard_until) == (micro(NOW) - 60_000_000, None)


def test_a_server_that_says_nothing_at_all_is_left_for_the_next(quick, monkeypatch):
    monkeypatch.setattr(session, "SILENCE", timedelta(seconds=0.1))
    with serve_jetstream(ends=None) as mute, serve_jetstream(post(1)) as stream:
        assert failure(mute).reason is Reason.SILENT
        assert names(*listen(mute, stream, pages=2)) == [named(1)]
        assert [len(p.posts) for p in listen(mute, pages=2, options={"small": True})] == [0, 0]


def test_it_stops_when_it_is_told_to(quick):
    with serve_jetstream(ends=None) as stream:
        asked = iter([False] * 5 + [True] * 5)
        feed = feed_of("bluesky", EVERYBODY, options={"api": stream.server.url})
        means = Means(Fetcher(allow_networks=stream.server.allowed), Path("/nonexistent"))
        assert 1 <= len([*stream_for("bluesky", means).listen(feed, lambda: NOW, lambda: next(asked))]) < 6


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_server_that_refuses_is_left_for_the_next(status):
    with serve_jetstream(refuses=json_answer({}, status)) as bad, serve_jetstream(post(1)) as good:
        assert names(*listen(bad, good)) == [named(1)]
        assert failure(bad).reason is (Reason.NO_ACCESS if status < 500 else Reason.SERVER_ERROR)
    with serve_jetstream(post(1)) as good:
        assert names(*listen(good, options={"api": f"http://127.0.0.1:1,{good.server.url}"})) == [named(1)]


def test_the_server_heard_last_is_asked_first():
    with serve_jetstream(post(1)) as one, serve_jetstream(post(2)) as two:
        page = listen(two)[0]
        listen(one, two, cursor=page.cursor)
        assert (one.queries, two.cursors) == ([], [0, 2])


def test_too_many_requests_end_the_round_of_servers():
    with serve_jetstream(refuses=json_answer({}, 429, **{"Retry-After": "60"})) as one, serve_jetstream() as two:
        found = failure(one, two)
        assert (found.reason, found.retry_after, two.queries) == (Reason.RATE_LIMITED, timedelta(minutes=1), [])


def test_what_was_heard_before_the_server_closed_is_given_first():
    with serve_jetstream(post(1), ends=1000) as stream:
        pages = listen(stream, pages=99)
        assert names(*pages) == [named(1)]
    with serve_jetstream(ends=1001) as one, serve_jetstream(post(1), ends=1012) as two:
        with pytest.raises(TransientError, match="1012"):
            listen(one, two, pages=99)
        assert len(two.queries) == 1


def test_a_server_that_opens_and_closes_was_not_heard():
    with serve_jetstream() as stream:
        feed = feed_of("bluesky", EVERYBODY, options={"api": stream.server.url})
        means = Means(Fetcher(allow_networks=stream.server.allowed), Path("/nonexistent"))
        with pytest.raises(TransientError) as caught:
            next(stream_for("bluesky", means).listen(feed, lambda: NOW, lambda: False))
        assert caught.value.reason is Reason.TRUNCATED


def test_a_server_that_drops_us_says_why():
    slow = json.dumps({"$type": "error", "error": "ConsumerTooSlow", "message": "read\0 faster"})
    with serve_jetstream(post(1), slow) as stream:
        found = failure(stream)
    assert found.reason is Reason.SERVER_ERROR
    assert "ConsumerTooSlow: read faster" in str(found)


def test_frames_that_say_nothing_are_counted():
    frames = [
        "",
        "null",
        "[]",
        "{}",
        '{"$type":"message"}',
        "\x00",
        '{"a":' * 9999,
        '{"kind":"commit"}',
        '{"kind":"new"}',
    ]
    with serve_jetstream(*frames, post(1)) as stream:
        page = listen(stream)[0]
    assert names(page) == [named(1)]
    assert dict(page.dropped) == {"bad_line": 7}


def test_words_are_found_where_they_begin_and_edits_are_always_told():
    events = [
        post(1, text="PALMYRA has fallen"),
        post(2, text="Пальмиру взяли"),
        post(3, text="unpalmyra"),
        post(4, text="سقوط وتدمر"),
        post(5, text="nothing of the kind"),
        post(6, text="#Palmyrene"),
        post(7, text="nothing any more", operation="update"),
        post(8, text=""),
        post(9, text="in the  old\ncity"),
    ]
    with serve_jetstream(*events) as stream:
        page = listen(stream, address="keyword:palmyr,Пальмир,تدمر,old city")[0]
    assert names(page) == [named(n) for n in (1, 2, 4, 6, 7, 9)]
    assert dict(page.dropped) == {}


def test_handles_and_lists_are_looked_up():
    resolve = "/xrpc/com.atproto.identity.resolveHandle?handle=some.bsky.social"
    members = "/xrpc/app.bsky.graph.getList?list=at%3A%2F%2F" + DID.replace(":", "%3A")
    members += "%2Fapp.bsky.graph.list%2F3k&limit=100"
    answers = {
        resolve: {"did": DID},
        members: {"items": [{"subject": {"did": DID}}, {}, {"subject": {"did": "x"}}], "cursor": "c"},
        f"{members}&cursor=c": {"items": [{"subject": {"did": OTHER}}]},
    }
    with serve_jetstream(post(1), post(2, did=OTHER), post(3, did="did:web:e.org"), answers=answers) as stream:
        assert names(*listen(stream, address="@some.bsky.social")) == [named(1)]
        page = listen(stream, address="list:at://some.bsky.social/app.bsky.graph.list/3k")[0]
        assert names(page) == [named(1), named(2, OTHER)]
        assert [query["dids"] for query in stream.queries] == [[DID], [DID, OTHER]]
        for address in ("@nobody.bsky.social", "list:at://nobody.bsky.social/app.bsky.graph.list/3k"):
            found = failure(stream, address=address)
            assert (found.reason, "nobody" in str(found)) == (Reason.NOT_FOUND, True)
        found = failure(stream, address=f"list:at://{OTHER}/app.bsky.graph.list/3k")
        assert found.reason is Reason.REFUSED


def test_a_long_list_is_sorted_out_here():
    many = ",".join([DID, *(f"did:web:e{n}.org" for n in range(200))])
    with serve_jetstream(post(1), post(2, did=OTHER)) as stream:
        assert names(*listen(stream, address=many)) == [named(1)]
        assert "dids" not in stream.queries[0]


def test_who_is_meant_is_looked_up_again_after_an_hour(quick):
    clock = iter([NOW] * 4 + [NOW + timedelta(hours=2)] * 50)
    resolve = "/xrpc/com.atproto.identity.resolveHandle?handle=some.bsky.social"
    with serve_jetstream(ends=None, answers={resolve: {"did": DID}}) as stream:
        listen(stream, address="@some.bsky.social", pages=2, now=lambda: next(clock))
        assert [path.partition("?")[0][-9:] for path in stream.server.paths] == ["lveHandle", "ibeEvents"] * 2


def test_posts_that_are_shown_no_more_are_found():
    uris = [named(n) for n in range(30)]
    query = "&".join("uris=" + uri.replace(":", "%3A").replace("/", "%2F") for uri in uris[:25])
    rest = "&".join("uris=" + uri.replace(":", "%3A").replace("/", "%2F") for uri in uris[25:])
    path = "/xrpc/app.bsky.feed.getPosts?"
    answers = {path + query: {"posts": [{"uri": uri} for uri in uris[1:25]]}, path + rest: {"posts": []}}
    with serve_jetstream(answers=answers) as stream:
        means = Means(Fetcher(allow_networks=stream.server.allowed), Path("/nonexistent"))
        source = kind.BlueskySource(means, stream.server.url)
        assert source.gone([Known(uri, "") for uri in uris]) == {uris[0], *uris[25:]}
        stream.answers[path + rest] = {"nothing": []}
        with pytest.raises(TransientError):
            source.gone([Known(uri, "") for uri in uris])


@pytest.mark.parametrize("api", ["x", "ftp://e.org", "https://e.org, javascript:1"])
def test_an_option_that_is_no_server_is_refused(api):
    with serve_jetstream() as stream:
        assert failure(stream, options={"api": api}).reason is Reason.BAD_CONFIG


def test_private_servers_are_out_of_reach():
    with serve_jetstream() as stream:
        feed = feed_of("bluesky", "all", options={"api": stream.server.url})
        pages = stream_for("bluesky", Means(Fetcher(), Path("/nonexistent"))).listen(feed, lambda: NOW, lambda: False)
        with pytest.raises(PermanentError) as caught:
            next(pages)
        assert (caught.value.reason, stream.queries) == (Reason.BLOCKED_ADDRESS, [])


@pytest.mark.parametrize(
    "cursor",
    [
        {"seq": 1},
        {"time_us": -1},
        {"time_us": "x"},
        {"host": 3, "seq": "a", "time_us": None},
        {"time_us": 10**30},
        {"seq": True},
    ],
)
def test_a_strange_cursor_is_none(cursor):
    with serve_jetstream(post(1)) as stream:
        assert names(*listen(stream, cursor=cursor)) == [named(1)]
        assert stream.cursors == [0]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" ALL ", "all"),
        (DID, DID),
        (f"at://{DID}", DID),
        ("Some.BSKY.social", "@some.bsky.social"),
        (f"@some.bsky.social, {DID},@some.bsky.social", f"@some.bsky.social,{DID}"),
        ("https://bsky.app/profile/some.bsky.social", "@some.bsky.social"),
        (f"https://bsky.app/profile/{DID}/", DID),
        (f"https://bsky.app/profile/{DID}/lists/3kx", f"list:at://{DID}/app.bsky.graph.list/3kx"),
        (f"at://{DID}/app.bsky.graph.list/3kx", f"list:at://{DID}/app.bsky.graph.list/3kx"),
        ("list: at://a.b/app.bsky.graph.list/3kx", "list:at://a.b/app.bsky.graph.list/3kx"),
        ("keyword: Palmyra , palmyra,Пальмир\n", "keyword:palmyra,Пальмир"),
        ("https://bsky.app/hashtag/Palmyra", "keyword:#Palmyra"),
        ("https://bsky.app/search?q=fall+of+Palmyra", "keyword:fall of Palmyra"),
    ],
)
def test_every_form_of_an_address_has_one_that_is_kept(typed, kept):
    assert read_address("bluesky", typed) == kept
    assert read_address("bluesky", kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("keyword:", "keyword: , ", "keyword:" + ",".join(map(str, range(101)))),
        *(",".join(f"did:web:e{n}.org" for n in range(1001)), ",".join(f"@e{n}.org" for n in range(101))),
        *("@", "@nodots", "@-a.b", "a.b" * 99, "did:plc:", ",,", "at://a.b/x/y"),
        *("list:", "list:at://x/app.bsky.feed.post/3", "list:at://nodots/app.bsky.graph.list/3"),
        *("https://bsky.app/", f"https://bsky.app/profile/{DID}/post/3k", "https://bsky.app/search", "https://["),
    ],
)
def test_what_is_no_address_is_refused_with_the_forms(typed):
    with pytest.raises(PermanentError) as caught:
        read_address("bluesky", typed)
    assert caught.value.reason is Reason.BAD_ADDRESS


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=60)
    | st.builds(
        "{}{}".format,
        st.sampled_from(["keyword:", "list:at://", "@", "did:", "https://e.org/profile/"]),
        st.text(max_size=40),
    )
)
def test_any_address_is_kept_in_one_form_or_refused(text):
    with suppress(PermanentError):
        kept = read_address("bluesky", text)
        assert read_address("bluesky", kept) == kept
        kept.encode()
        assert "\0" not in kept


def test_saved_frames_that_are_none_are_refused():
    for body in (b"<!DOCTYPE html><html></html>", b"1\n2\n"):
        with pytest.raises(PermanentError) as caught:
            parse_file("bluesky", body, "saved.jsonl")
        assert caught.value.reason is Reason.NOT_A_FEED
    assert parse_file("bluesky", b"\n\n", "saved.jsonl").posts == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("did", "seq", "time", "witnessedAt", "operation", "collection", "rkey", "record", "$type")


@settings(max_examples=150, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), values, max_size=4), outer=values)
def test_a_frame_may_hold_anything(changes, outer):
    event = post(1) | changes
    lines = [json.dumps({"$type": "message", "payload": event}), json.dumps({"$type": "message", "payload": outer})]
    page = parse_file("bluesky", "\n".join([*lines, json.dumps(outer), '{"kind": "identity"}', "{}"]).encode(), "x")
    assert all(p.native_id.startswith("at://did:") and p.text for p in page.posts)
