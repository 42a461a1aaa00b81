"""Reddit: login, walks down a listing that changes below them, removals, refusals, and the way without credentials."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources.base import Known, Means, Rechecking
from services.sources.reddit import RedditSource, parse, read_address
from services.sources.reddit.walk import Walk, read_walk, step
from tests.fetch.servers import Server, reply, serve
from tests.sources.kits import NOW, feed_of
from tests.sources.kits.reddit import KIT, TOKEN, listing
from tests.waiting import ended

MADE = 1_480_000_000


def post(number: int, **data):
    stated = {
        "name": f"t3_{number:06x}",
        "title": f"Post {number}",
        "selftext": "",
        "permalink": f"/r/test/comments/{number:06x}/post/",
        "author_fullname": "t2_someone",
        "created_utc": float(MADE + number),
    }
    return {"kind": "t3", "data": stated | data}


def comment(number: int, **data):
    stated = {"name": f"t1_{number:06x}", "link_id": "t3_00000a", "body": f"Comment {number}", "author": "someone"}
    return {"kind": "t1", "data": stated | data}


def one(thing):
    return parse(listing([thing]), address="r/test")


@dataclass
class Reddit:
    """Lists what it holds, newest first, and nothing at all below a post that it holds no more."""

    posts: list = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    asked: list[str] = field(default_factory=list)

    def fill(self, first: int, last: int, **data) -> None:
        self.posts[:0] = [post(n, **data) for n in range(last, first - 1, -1)]

    def remove(self, *names: str) -> None:
        self.posts = [p for p in self.posts if p["data"]["name"] not in names]

    def __call__(self, request: str, stream: socket.socket) -> None:
        if request.startswith("POST "):
            self.tokens += 1
            stream.sendall(TOKEN)
            return
        target = urlsplit(request.split(" ")[1])
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        self.asked.append(target.path)
        if target.path == "/api/info":
            found = [p for p in self.posts if p["data"]["name"] in query["id"].split(",")]
            stream.sendall(reply(200, listing(found)))
            return
        names = [p["data"]["name"] for p in self.posts]
        start = 0
        if "after" in query:
            start = names.index(query["after"]) + 1 if query["after"] in names else len(names)
        size = int(query["limit"])
        shown = self.posts[:1000][start : start + size]
        more = shown and start + size < min(len(names), 1000)
        body = listing(shown, shown[-1]["data"]["name"] if more else None)
        stream.sendall(reply(200, body, **self.headers))


@contextmanager
def reddit() -> Iterator[tuple[Reddit, Server, RedditSource]]:
    site = Reddit()
    with serve(site) as server:
        yield site, server, source(server)


def source(server: Server, **keys: str) -> RedditSource:
    means = Means(Fetcher(allow_networks=server.allowed), Path("/nonexistent"), keys=keys or KIT.keys)
    return RedditSource(means, api=server.url)


def feed_at(server: Server, address: str = "r/test", **changes):
    return feed_of("reddit", address, options={"api": server.url}, **changes)


def polled(source, feed, heard: set, *, stop_after: int = 99):
    """Fetch pages until none follows, as a worker does; the feed with the last stored cursor, and the last page."""
    for _ in range(stop_after):
        page = source.fetch(feed, NOW)
        feed = replace(feed, cursor=json.loads(json.dumps(page.cursor)))
        heard |= {p.native_id for p in page.posts}
        if not page.more:
            break
    return feed, page


def names(first: int, last: int) -> set[str]:
    return {f"t3_{n:06x}" for n in range(first, last + 1)}


def test_one_token_serves_every_fetch_and_every_thread():
    with reddit() as (site, server, reader):
        site.fill(1, 3)
        threads = [threading.Thread(target=reader.fetch, args=(feed_at(server), NOW)) for _ in range(4)]
        for thread in threads:
            thread.start()
        ended(*threads)
        assert (site.tokens, len(site.asked)) == (1, 4)
        login = next(r for r in server.requests if r.startswith("POST"))
    assert f"authorization: basic {base64.b64encode(b'id:secret').decode().lower()}" in login.lower()
    assert login.endswith("\r\n\r\ngrant_type=client_credentials")
    assert sum("bearer tok" in r for r in server.requests) == 4


def test_a_token_that_was_revoked_is_replaced_once():
    answers = [reply(401), reply(200, listing([post(1)]))]
    handler = lambda r, s: s.sendall(TOKEN if r.startswith("POST") else answers.pop(0))  # noqa: E731
    with serve(handler) as server:
        assert len(source(server).fetch(feed_at(server), NOW).posts) == 1
    assert sum(r.startswith("POST") for r in server.requests) == 2


@pytest.mark.parametrize("lasts", ["0", "-5", '"soon"', "null", "30"])
def test_a_token_of_unknown_or_short_life_is_not_kept(lasts):
    token = reply(200, f'{{"access_token": "tok", "expires_in": {lasts}}}'.encode())
    with serve(lambda r, s: s.sendall(token if r.startswith("POST") else reply(200, listing([])))) as server:
        reader = source(server)
        for _ in range(2):
            reader.fetch(feed_at(server), NOW)
    assert sum(r.startswith("POST") for r in server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_told_and_not_shown(status):
    with serve(reply(status, b'{"error": "x"}')) as server, pytest.raises(PermanentError, match="CLIENT_ID") as caught:
        source(server).fetch(feed_at(server), NOW)
    assert caught.value.reason is Reason.NO_ACCESS
    assert "secret" not in str(caught.value)


def test_half_of_the_credentials_are_asked_for():
    with serve(reply()) as server, pytest.raises(PermanentError, match="FRAMEWATCH_REDDIT_CLIENT_SECRET") as caught:
        source(server, reddit_client_id="id").fetch(feed_at(server), NOW)
    assert caught.value.reason is Reason.NO_CREDENTIALS


def test_the_first_fetch_takes_one_page_and_the_next_ones_miss_nothing():
    with reddit() as (site, server, reader):
        site.fill(1, 300)
        heard: set[str] = set()
        feed, page = polled(reader, feed_at(server), heard)
        assert (heard, page.complete, page.more) == (names(201, 300), True, False)
        site.fill(301, 555)
        heard.clear()
        feed, page = polled(reader, feed, heard)
        assert names(301, 555) <= heard
        assert (page.complete, page.more) == (True, False)
        again = reader.fetch(feed, NOW)
    assert {p.native_id for p in again.posts} <= names(456, 555)
    assert (again.complete, again.more) == (True, False)


def test_a_walk_that_is_broken_off_goes_on_where_it_stood():
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        feed, _ = polled(reader, feed_at(server), set())
        site.fill(51, 500)
        heard: set[str] = set()
        feed, second = polled(reader, feed, heard, stop_after=2)
        assert second.more
        reader.fetch(feed, NOW)  # the third page, lost with its worker
        site.fill(501, 510)
        feed, page = polled(source(server), feed, heard)
        assert names(51, 500) <= heard
        assert (page.complete, page.more) == (True, False)
        feed, page = polled(reader, feed, heard)
    assert names(51, 510) <= heard
    assert page.complete


def test_anchors_that_were_taken_away_stop_nothing():
    with reddit() as (site, server, reader):
        site.fill(1, 150)
        feed, _ = polled(reader, feed_at(server), set())
        site.remove(*names(120, 150))
        site.fill(151, 160)
        heard: set[str] = set()
        _, page = polled(reader, feed, heard)
    assert names(151, 160) <= heard
    assert (page.complete, page.more) == (True, False)


def test_the_post_to_go_on_after_may_be_taken_away_too():
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        feed, _ = polled(reader, feed_at(server), set())
        site.fill(51, 400)
        heard: set[str] = set()
        feed, _ = polled(reader, feed, heard, stop_after=1)
        site.remove(*names(301, 303))
        _, page = polled(reader, feed, heard)
    assert names(51, 400) - names(301, 303) <= heard
    assert page.complete


def test_a_pinned_post_is_no_known_ground():
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        site.fill(51, 51, stickied=True)
        feed, _ = polled(reader, feed_at(server), set())
        pinned = site.posts.pop(0)
        site.fill(52, 300)
        site.posts.insert(0, pinned)
        heard: set[str] = set()
        _, page = polled(reader, feed, heard)
    assert names(52, 300) <= heard
    assert page.complete


def test_what_fell_off_the_end_of_a_listing_is_told_as_a_gap():
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        feed, _ = polled(reader, feed_at(server), set())
        site.fill(51, 1200)
        heard: set[str] = set()
        feed, page = polled(reader, feed, heard)
        assert (heard, page.complete, page.more) == (names(201, 1200), False, False)
        site.fill(1201, 1210)
        _, page = polled(reader, feed, heard)
    assert page.complete
    assert names(1201, 1210) <= heard


def test_a_listing_that_is_suddenly_empty_is_a_gap_and_keeps_its_anchors():
    with reddit() as (site, server, reader):
        site.fill(1, 5)
        feed, _ = polled(reader, feed_at(server), set())
        held, site.posts = site.posts, []
        empty, page = polled(reader, feed, set())
        assert not page.complete
        site.posts = held
        _, page = polled(reader, empty, set())
    assert page.complete


def test_inside_a_walk_nothing_new_is_said_to_be_heard():
    earlier = NOW - timedelta(hours=2)
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        feed, _ = polled(reader, feed_at(server), set())
        site.fill(51, 200)
        first = reader.fetch(replace(feed, heard_until=earlier), NOW)
        last = reader.fetch(replace(feed, heard_until=earlier, cursor=first.cursor), NOW)
    assert (first.more, first.heard_until) == (True, earlier)
    assert (last.more, last.heard_until) == (False, None)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_order_of_posts_removals_and_crashes_loses_a_post(data):
    """Against a listing in memory: whenever a walk ends complete, every post that is still listed was heard."""
    held = list(range(20))
    number, heard = 20, set(held)
    walk = read_walk(step(Walk(), [f"t3_{n}" for n in held[:-6:-1]], fresh=True, last=False).cursor)
    for _ in range(data.draw(st.integers(1, 25))):
        held += range(number, number + data.draw(st.integers(0, 9)))
        number = held[-1] + 1
        for _ in range(data.draw(st.integers(0, 2))):
            held.remove(data.draw(st.sampled_from(held[-12:])))
        starts = [held.index(int(n[3:])) for n in walk.after if int(n[3:]) in held]
        page = [] if walk.after and not starts else held[: starts[0] if starts else None][::-1][:5]
        taken = step(walk, [f"t3_{n}" for n in page], fresh=False, last=not page)
        if data.draw(st.booleans()):  # else the page is lost with its worker
            walk = read_walk(taken.cursor)
            heard.update(page)
            if not taken.more:
                ground = {n for n in held if n <= int(walk.anchors[0][3:])}
                assert not taken.complete or ground <= heard
                heard |= ground


def test_the_rate_limit_is_heeded_before_and_after_it_bites():
    with reddit() as (site, server, reader):
        site.fill(1, 50)
        feed, _ = polled(reader, feed_at(server), set())
        site.fill(51, 300)
        site.headers = {"x_ratelimit_remaining": "0.0", "x_ratelimit_reset": "87"}
        page = reader.fetch(feed, NOW)
        assert (page.more, page.min_interval) == (False, timedelta(seconds=87))
        site.headers = {"x_ratelimit_remaining": "600.0", "x_ratelimit_reset": "87"}
        heard: set[str] = set()
        polled(reader, replace(feed, cursor=page.cursor), heard)
        assert names(51, 200) <= heard


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x_ratelimit_reset": "87"}, timedelta(seconds=87)),
        ({"x_ratelimit_reset": "87", "retry_after": "60"}, timedelta(minutes=1)),
        ({"x_ratelimit_reset": "99999999"}, timedelta(hours=24)),
        ({"x_ratelimit_reset": "nan"}, None),
        ({"x_ratelimit_reset": "-1"}, None),
        ({}, None),
    ],
)
def test_a_429_says_when_to_come_back(headers, wait):
    with serve(KIT.answer(reply(429, **headers))) as server, pytest.raises(TransientError) as caught:
        source(server).fetch(feed_at(server), NOW)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.RATE_LIMITED, wait)


@pytest.mark.parametrize(
    ("status", "why", "reason", "told"),
    [
        (403, "private", Reason.NO_ACCESS, "private"),
        (403, "quarantined", Reason.NO_ACCESS, "quarantined"),
        (404, "banned", Reason.NOT_FOUND, "banned"),
        (403, "", Reason.NO_ACCESS, "refuses access"),
        (401, "", Reason.NO_ACCESS, "token"),
    ],
)
def test_a_closed_place_is_told_in_words(status, why, reason, told):
    body = json.dumps({"reason": why, "message": "Forbidden", "error": status}).encode()
    with serve(KIT.answer(reply(status, body))) as server, pytest.raises(TransientError, match=told) as caught:
        source(server).fetch(feed_at(server), NOW)
    assert caught.value.reason is reason
    assert "raw_json" not in str(caught.value)


def test_a_place_that_does_not_exist_is_told_and_not_searched_for():
    found = listing([{"kind": "t5", "data": {"name": "t5_2qh33"}}])
    with serve(KIT.answer(reply(200, found))) as server, pytest.raises(TransientError, match="r/tset") as caught:
        source(server).fetch(feed_at(server, "r/tset"), NOW)
    assert caught.value.reason is Reason.NOT_FOUND


def test_a_submission_and_a_comment_become_posts():
    found = one(post(1, title="The fall", selftext="Tom &amp; Jerry said", author="someone")).posts[0]
    assert found.text == "The fall\n\nTom & Jerry said"
    assert found.url == "https://www.reddit.com/r/test/comments/000001/post/"
    assert (found.native_id, found.author, found.lang, found.repost_of) == ("t3_000001", "t2_someone", "", "")
    assert found.published_at == datetime.fromtimestamp(MADE + 1, UTC)
    said = one(comment(2)).posts[0]
    assert (said.native_id, said.text, said.author) == ("t1_000002", "Comment 2", "")
    assert said.url == "https://www.reddit.com/comments/00000a/_/000002"


def test_a_crosspost_is_a_repost_and_says_what_it_repeats():
    parent = {"name": "t3_00000f", "selftext": "The whole story."}
    found = one(post(1, title="Look", crosspost_parent="t3_00000f", crosspost_parent_list=[parent])).posts[0]
    assert (found.repost_of, found.text) == ("t3_00000f", "Look\n\nThe whole story.")


@pytest.mark.parametrize(
    "thing",
    [
        post(1, selftext="[removed]"),
        post(1, selftext="[deleted]", author="[deleted]"),
        post(1, selftext="still here", removed_by_category="moderator"),
        comment(1, body="[removed]", author="[deleted]"),
    ],
)
def test_what_was_taken_away_is_deleted_and_no_post(thing):
    page = one(thing)
    assert (page.posts, page.deleted) == ((), (thing["data"]["name"],))


def test_a_post_outlives_its_author():
    page = one(post(1, author="[deleted]", author_fullname=None, selftext="A text", removed_by_category=None))
    assert (page.deleted, page.posts[0].author) == ((), "")


@pytest.mark.parametrize("when", [1e300, -5, 0, True, [], {}, "soon"])
def test_an_impossible_moment_is_none(when):
    assert one(post(1, created_utc=when)).posts[0].published_at is None


def test_a_page_of_a_thread_is_read_with_its_comments_and_without_its_rest():
    more = {"kind": "more", "data": {"children": ["a"], "id": "b", "name": "t1_b"}}
    body = b"[" + listing([post(1)]) + b"," + listing([comment(2), more]) + b"]"
    page = parse(body, address="r/test")
    assert [p.native_id for p in page.posts] == ["t3_000001", "t1_000002"]
    assert dict(page.dropped) == {"no_post": 1}


def test_gone_is_what_reddit_lists_no_more_or_as_removed():
    with reddit() as (site, _server, reader):
        site.fill(1, 3)
        site.posts[0]["data"]["selftext"] = "[removed]"
        asked = [*sorted(names(1, 5)), "https://e.org/not-ours"]
        assert isinstance(reader, Rechecking)
        assert reader.gone([Known(name, "") for name in asked]) == names(3, 5)
        assert reader.gone([Known("https://e.org", "")]) == frozenset()
        assert site.asked == ["/api/info"]


def test_an_outage_makes_no_post_gone():
    with serve(KIT.answer(reply(503))) as server, pytest.raises(TransientError):
        source(server).gone([Known("t3_000001", "")])


ATOM = b"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>newest submissions</title>
<entry><author><name>/u/someone</name><uri>https://www.reddit.com/user/someone</uri></author>
<content type="html">&lt;!-- SC_OFF --&gt;&lt;div class="md"&gt;&lt;p&gt;A text&lt;/p&gt;&lt;/div&gt;&lt;!-- SC_ON --&gt;
 &amp;#32; submitted by &amp;#32; &lt;a href="https://www.reddit.com/user/someone"&gt; /u/someone &lt;/a&gt; &lt;br/&gt;
 &lt;span&gt;&lt;a href="https://e.org"&gt;[link]&lt;/a&gt;&lt;/span&gt; &amp;#32;
 &lt;span&gt;&lt;a href="https://e.org"&gt;[comments]&lt;/a&gt;&lt;/span&gt;</content>
<id>t3_000001</id><link href="https://www.reddit.com/r/test/comments/000001/post/"/>
<updated>2016-11-24T15:06:41+00:00</updated><published>2016-11-24T15:06:41+00:00</published><title>The fall</title></entry>
</feed>"""


def test_without_credentials_the_same_posts_come_as_a_web_feed():
    with serve(reply(200, ATOM, etag='"1"')) as server:
        page = source(server, other="x").fetch(feed_at(server), NOW)
        assert server.requests[0].startswith("GET /r/test/new/.rss?limit=100 ")
        source(server, other="x").fetch(feed_at(server, cursor=page.cursor), NOW)
    found = page.posts[0]
    assert (found.native_id, found.text) == ("t3_000001", "The fall\n\nA text")
    assert found.url == "https://www.reddit.com/r/test/comments/000001/post/"
    assert 'If-None-Match: "1"' in server.requests[1]
    assert parse(ATOM, address="r/test").posts == page.posts


@pytest.mark.parametrize("status", [403, 429])
def test_a_refused_web_feed_names_the_way_out(status):
    with serve(reply(status, retry_after="60")) as server, pytest.raises(TransientError, match="Register an app") as e:
        source(server, other="x").fetch(feed_at(server), NOW)
    assert e.value.retry_after == timedelta(minutes=1)


def test_credentials_that_come_later_cannot_vouch_for_the_time_before():
    with reddit() as (site, server, reader):
        site.fill(1, 3)
        page = reader.fetch(feed_at(server, cursor={"etag": '"1"', "seen": ["a"]}), NOW)
    assert (len(page.posts), page.complete, page.more) == (3, False, False)


@pytest.mark.parametrize(
    ("typed", "kept", "path"),
    [
        ("r/Test", "r/test", "/r/test/new"),
        ("/r/test/", "r/test", "/r/test/new"),
        ("https://old.reddit.com/r/Test/new/?sort=new", "r/test", "/r/test/new"),
        ("r/a_b+cd", "r/a_b+cd", "/r/a_b+cd/new"),
        ("https://www.reddit.com/r/test/comments/", "r/test/comments", "/r/test/comments"),
        ("u/Some-One", "user/some-one", "/user/some-one/overview"),
        ("search: fall of  Palmyra", "search:fall of Palmyra", "/search"),
        ("https://www.reddit.com/r/test/search/?q=fall%20of&sort=top", "r/test/search:fall of", "/r/test/search"),
    ],
)
def test_a_place_has_one_address(typed, kept, path):
    assert read_address(typed) == kept
    assert read_address(kept) == kept
    with reddit() as (site, server, reader):
        reader.fetch(feed_at(server, kept), NOW)
    assert site.asked == [path]


@pytest.mark.parametrize(
    "typed", ["palmyra", "https://reddit.com.evil.org/r/test", "r/", "r/a b", "search:", "r/x/y", "https://[::1/r/test"]
)
def test_what_is_no_place_on_reddit_is_refused_with_the_forms(typed):
    with pytest.raises(PermanentError, match="r/NAME"):
        read_address(typed)


def test_a_gateway_must_have_an_address():
    with pytest.raises(PermanentError, match="api"):
        RedditSource(Means(Fetcher(), Path("/"), keys=KIT.keys)).fetch(
            feed_of("reddit", "r/test", options={"api": "file:///etc"}), NOW
        )


NAMES = ["name", "id", "body", "selftext", "title", "created_utc", "permalink", "crosspost_parent_list", "stickied"]
SCALARS = st.none() | st.booleans() | st.floats() | st.text(max_size=9)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), SCALARS | st.lists(SCALARS, max_size=2)), st.sampled_from(["t1", "t3", 5])
)
def test_any_thing_is_read_or_counted(data, kind):
    page = one({"kind": kind, "data": data})
    assert len(page.posts) + len(page.deleted) + sum(page.dropped.values()) == 1


@given(st.text(max_size=60))
def test_any_text_is_an_address_in_one_form_or_refused(typed):
    kept = ""
    with suppress(PermanentError):
        kept = read_address(typed)
    assert not kept or read_address(kept) == kept
