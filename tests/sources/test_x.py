"""X: walks that are resumed, ends that are too old, the budget of reads, refusals, and what a post says."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources.base import Known, Means, Rechecking
from services.sources.x import XSource, parse, read_address
from services.sources.x.walk import WINDOW, read_walk
from tests.fetch.servers import Server, reply, serve
from tests.sources.kits import NOW, feed_of
from tests.sources.kits.x import KIT, answer

EPOCH_MS = 1_288_834_974_657


def made(number: int, at: datetime = NOW) -> str:
    """The id of post `number` of the minute before `at`."""
    return str(((int(at.timestamp() * 1000) - 60_000 - EPOCH_MS) << 22) + number)


def post(number: int, at: datetime = NOW, **data):
    stated = {"id": made(number, at), "text": f"Post {number}", "author_id": "77", "created_at": at.isoformat()}
    return stated | data


def one(**data):
    return parse(answer([post(1, **data)]), address="search:x").posts[0]


class Ledger(Counter):
    """Counts as the house does, for one process."""

    def __call__(self, name: str, units: int, limit: int) -> bool:
        if units > 0 and self[name] + units > limit:
            return False
        self[name] += units
        return True


@dataclass
class X:
    """Holds posts, newest first, and pages them as recent search and timelines do."""

    posts: list = field(default_factory=list)
    now: datetime = NOW
    asked: list[str] = field(default_factory=list)
    refuse: list[bytes] = field(default_factory=list)

    def fill(self, first: int, last: int, at: datetime = NOW) -> None:
        self.posts[:0] = [post(n, at) for n in range(last, first - 1, -1)]

    def __call__(self, request: str, stream: socket.socket) -> None:
        target = urlsplit(request.split(" ")[1])
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        self.asked.append(f"{target.path} {query.get('since_id', '')} {query.get('max_results', '')}".strip())
        stream.sendall(self.refuse.pop(0) if self.refuse else self.page(target.path, query))

    def page(self, path: str, query: dict[str, str]) -> bytes:
        if path == "/2/users/by/username/someone":
            return reply(200, b'{"data": {"id": "77", "name": "Some One", "username": "someone"}}')
        if path == "/2/tweets":
            return self.lookup(query["ids"].split(","))
        token = "pagination_token" if path == "/2/users/77/tweets" else "next_token"
        since = int(query.get("since_id", 0))
        week_ago = (int((self.now - timedelta(days=7)).timestamp() * 1000) - EPOCH_MS) << 22
        if since and since < week_ago and token == "next_token":
            return bad("since_id", "'since_id' must be a tweet id created after a week ago.")
        top, start = (int(n) for n in query.get(token, f"{self.posts[0]['id'] if self.posts else 0}.0").split("."))
        found = [p for p in self.posts if since < int(p["id"]) <= top]
        size = int(query["max_results"])
        shown = found[start : start + size]
        meta = {"newest_id": shown[0]["id"], "oldest_id": shown[-1]["id"]} if shown else {}
        if start + size < len(found):
            meta["next_token"] = f"{top}.{start + size}"
        return reply(200, answer(shown, **meta))

    def lookup(self, ids: list[str]) -> bytes:
        held = {p["id"]: p for p in self.posts}
        problem = "https://api.x.com/2/problems/resource-not-found"
        missing = [{"resource_id": i, "resource_type": "tweet", "type": problem} for i in ids if i not in held]
        return reply(200, json.dumps({"data": [held[i] for i in ids if i in held], "errors": missing}).encode())


def bad(name: str, words: str) -> bytes:
    problem = {"errors": [{"parameters": {name: ["1"]}, "message": words}], "title": "Invalid Request"}
    return reply(400, json.dumps(problem).encode())


def problem(status: int, kind: str, title: str = "", **headers: str) -> bytes:
    body = {"type": f"https://api.x.com/2/problems/{kind}", "title": title, "detail": "No.", "status": status}
    return reply(status, json.dumps(body).encode(), **headers)


@contextmanager
def x(**keys: str) -> Iterator[tuple[X, Server, XSource, Ledger]]:
    site, ledger = X(), Ledger()
    with serve(site) as server:
        yield site, server, source(server, ledger, **keys), ledger


def source(server: Server, ledger=None, **keys: str) -> XSource:
    means = Means(Fetcher(allow_networks=server.allowed), Path("/nonexistent"), keys={**KIT.keys, **keys})
    return XSource(replace(means, ledger=Ledger() if ledger is None else ledger), api=server.url, clock=lambda: NOW)


def feed_at(server: Server, address: str = "search:palmyra", **changes):
    return feed_of("x", address, options={"api": server.url}, **changes)


def polled(source, feed, heard: list, *, now=NOW, stop_after: int = 99):
    """Fetch pages until none follows, as a worker does; the feed with the last stored cursor, and the last page."""
    for _ in range(stop_after):
        page = source.fetch(feed, now)
        feed = replace(feed, cursor=json.loads(json.dumps(page.cursor)))
        heard += [p.native_id for p in page.posts]
        if not page.more:
            break
    return feed, page


def ids(first: int, last: int, at: datetime = NOW) -> list[str]:
    return [made(n, at) for n in range(last, first - 1, -1)]


@pytest.mark.parametrize("address", ["search:palmyra", "@someone"])
def test_the_first_fetch_takes_one_page_and_the_next_ones_every_post_once(address):
    with x() as (site, server, reader, _):
        site.fill(1, 150)
        heard: list[str] = []
        feed, page = polled(reader, feed_at(server, address), heard)
        assert (heard, page.complete) == (ids(51, 150), True)
        site.fill(151, 420)
        heard.clear()
        feed, page = polled(reader, feed, heard)
        assert (heard, page.complete) == (ids(151, 420), True)
        assert feed.cursor["newest_id"] == made(420)
        quiet = reader.fetch(feed, NOW)
    assert (quiet.posts, quiet.more, quiet.complete) == ((), False, True)
    assert quiet.cursor == feed.cursor
    assert all("authorization: Bearer tok" in r or "Authorization: Bearer tok" in r for r in server.requests)


def test_a_walk_that_is_broken_off_loses_and_doubles_nothing():
    with x() as (site, server, reader, _):
        site.fill(1, 10)
        feed, _page = polled(reader, feed_at(server), [])
        site.fill(11, 420)
        heard: list[str] = []
        feed, second = polled(reader, feed, heard, stop_after=2)
        assert second.more
        assert feed.cursor["newest_id"] == made(10)
        reader.fetch(feed, NOW)  # the third page, lost with its worker
        site.fill(421, 430)
        feed, page = polled(source(server), feed, heard)
        assert (heard, page.complete) == (ids(11, 420), True)
        polled(reader, feed, heard)
    assert sorted(heard) == sorted(ids(11, 430))


def test_inside_a_walk_nothing_new_is_said_to_be_heard():
    earlier = NOW - timedelta(hours=2)
    with x() as (site, server, reader, _):
        site.fill(1, 10)
        feed, _page = polled(reader, feed_at(server), [])
        site.fill(11, 130)
        first = reader.fetch(replace(feed, heard_until=earlier), NOW)
        last = reader.fetch(replace(feed, heard_until=earlier, cursor=first.cursor), NOW)
    assert (first.more, first.heard_until, last.more, last.heard_until) == (True, earlier, False, None)


@pytest.mark.parametrize(("days", "complete"), [(6, True), (8, False), (300, False)])
def test_what_left_the_window_of_seven_days_is_told_as_a_gap(days, complete):
    then = NOW - timedelta(days=days)
    with x() as (site, server, reader, _):
        site.fill(1, 5, then)
        feed, _page = polled(reader, feed_at(server), [], now=then)
        site.posts, site.asked = [p for p in site.posts if days < 7], []
        site.fill(1, 120)
        heard: list[str] = []
        feed, page = polled(reader, feed, heard)
        assert (heard, page.complete) == (ids(1, 120), complete)
        _, page = polled(reader, feed, [])
    assert page.complete
    assert len(site.asked) == 3


def test_an_end_that_x_no_longer_takes_is_given_up_and_told_as_a_gap():
    with x() as (site, server, reader, _):
        site.fill(1, 5)
        feed, _page = polled(reader, feed_at(server), [])
        site.fill(6, 9)
        site.refuse = [bad("since_id", "'since_id' must be a tweet id created after …")]
        heard: list[str] = []
        _, page = polled(reader, feed, heard)
    assert (heard, page.complete, page.more) == (ids(1, 9), False, False)


def test_within_the_last_hour_of_the_window_nothing_is_lost_yet():
    walk = read_walk({"newest_id": made(1, NOW - WINDOW + timedelta(minutes=30))}, NOW, window=True)
    assert (walk.since, walk.gap, walk.fresh) == ("", False, False)


def test_a_timeline_has_no_window():
    old = made(1, NOW - timedelta(days=300))
    assert read_walk({"newest_id": old}, NOW, window=False).since == old


def test_a_page_that_x_no_longer_knows_starts_the_walk_anew():
    with x() as (site, server, reader, _):
        site.fill(1, 10)
        feed, _page = polled(reader, feed_at(server), [])
        site.fill(11, 300)
        feed, _page = polled(reader, feed, [], stop_after=1)
        site.refuse = [bad("next_token", "Invalid next_token")]
        heard: list[str] = []
        _, page = polled(reader, feed, heard)
    assert set(ids(11, 300)) <= set(heard)
    assert page.complete


def test_a_page_that_names_itself_ends_the_walk_with_a_gap():
    with serve(reply(200, answer([post(1)], next_token="same"))) as server:
        feed = feed_at(server, cursor={"newest_id": made(0)})
        feed, page = polled(source(server), feed, [])
    assert (page.complete, page.more, len(server.requests)) == (False, False, 2)


def test_a_search_that_x_does_not_understand_is_told_in_its_words():
    refusal = bad("query", "Reference to invalid operator 'bogus'")
    with serve(refusal) as server, pytest.raises(PermanentError, match="invalid operator 'bogus'") as caught:
        source(server).fetch(feed_at(server, "search:bogus:x"), NOW)
    assert caught.value.reason is Reason.BAD_ADDRESS
    assert len(server.requests) == 1


def test_an_account_is_looked_up_once():
    with x() as (site, server, reader, _):
        site.fill(1, 3)
        feed, page = polled(reader, feed_at(server, "@SomeOne"), [])
        polled(reader, feed, [])
    assert [a.split(" ")[0] for a in site.asked].count("/2/users/by/username/someone") == 1
    assert page.cursor["user_id"] == "77"


@pytest.mark.parametrize(
    ("kind", "reason", "told"),
    [
        ("resource-not-found", Reason.NOT_FOUND, "knows no @someone"),
        ("not-authorized-for-resource", Reason.NO_ACCESS, "protected"),
    ],
)
@pytest.mark.parametrize("cursor", [{}, {"user_id": "77"}])
def test_an_account_without_posts_for_us_is_told(kind, reason, told, cursor):
    body = json.dumps({"errors": [{"type": f"https://api.x.com/2/problems/{kind}", "value": "someone"}]}).encode()
    with serve(reply(200, body)) as server, pytest.raises(TransientError, match=told) as caught:
        source(server).fetch(feed_at(server, "@someone", cursor=cursor), NOW)
    assert caught.value.reason is reason


def test_a_timeline_that_may_have_been_cut_off_is_told_as_a_gap():
    with x(x_monthly_reads="9999") as (site, server, reader, _):
        site.fill(1, 5)
        feed, _page = polled(reader, feed_at(server, "@someone"), [])
        site.posts = []
        site.fill(1001, 4200)
        _, page = polled(reader, feed, [])
    assert not page.complete


def test_what_was_not_used_is_given_back_to_the_budget():
    with x() as (site, server, reader, ledger):
        site.fill(1, 30)
        feed, _page = polled(reader, feed_at(server), [])
        assert ledger == {"x:2026-11": 30}
        polled(reader, feed, [])
        assert ledger == {"x:2026-11": 30}
        site.refuse = [reply(503)]
        with pytest.raises(TransientError):
            polled(reader, feed, [])
    assert ledger == {"x:2026-11": 30}


def test_the_last_of_a_budget_is_read_in_small_pages_and_no_further():
    with x(x_monthly_reads="115") as (site, server, reader, ledger):
        site.fill(1, 3)
        feed, _page = polled(reader, feed_at(server), [])
        site.fill(4, 300)
        heard: list[str] = []
        feed, _page = polled(reader, feed, heard, stop_after=2)
        with pytest.raises(TransientError, match="FRAMEWATCH_X_MONTHLY_READS") as caught:
            polled(reader, feed, heard)
        assert [a.split(" ")[-1] for a in site.asked] == ["100", "100", "10"]
        assert (caught.value.reason, caught.value.retry_after) == (Reason.BUDGET_SPENT, timedelta(hours=24))
        assert (len(heard), ledger["x:2026-11"]) == (110, 113)
        later = datetime(2026, 12, 1, tzinfo=UTC)
        feed, page = polled(reader, feed, heard, now=later, stop_after=1)
    assert len(set(heard)) == len(heard) == 210
    assert ledger["x:2026-12"] == 100
    assert page.more


def test_a_spent_budget_returns_with_the_month():
    now = datetime(2026, 12, 31, 21, tzinfo=UTC)
    with serve(reply()) as server, pytest.raises(TransientError, match="1 January") as caught:
        source(server, lambda *_: False).fetch(feed_at(server), now)
    assert caught.value.retry_after == timedelta(hours=3)
    assert server.connections == 0


@pytest.mark.parametrize("reads", ["", "0", "many", "-5", "1e3"])
def test_without_a_budget_nothing_is_read(reads):
    with serve(reply()) as server, pytest.raises(PermanentError, match="FRAMEWATCH_X_MONTHLY_READS") as caught:
        source(server, x_monthly_reads=reads).fetch(feed_at(server), NOW)
    assert (caught.value.reason, server.connections) == (Reason.BAD_CONFIG, 0)


def test_without_a_token_nothing_is_read_or_reserved():
    ledger = Ledger()
    with serve(reply()) as server, pytest.raises(PermanentError, match="FRAMEWATCH_X_TOKEN") as caught:
        source(server, ledger, x_token="").fetch(feed_at(server), NOW)
    assert (caught.value.reason, server.connections, +ledger) == (Reason.NO_CREDENTIALS, 0, {})


@pytest.mark.parametrize(
    ("refusal", "error", "reason", "wait"),
    [
        (problem(401, "about:blank"), PermanentError, Reason.NO_ACCESS, None),
        (problem(403, "client-forbidden"), PermanentError, Reason.NO_ACCESS, None),
        (problem(402, "credits-depleted"), TransientError, Reason.BUDGET_SPENT, 3600),
        (problem(429, "usage-capped"), TransientError, Reason.BUDGET_SPENT, 3600),
        (problem(429, "", "UsageCapExceeded"), TransientError, Reason.BUDGET_SPENT, 3600),
        (reply(429, x_rate_limit_reset=str(int(NOW.timestamp()) + 900)), TransientError, Reason.RATE_LIMITED, 900),
        (reply(429, x_rate_limit_reset="99999999999"), TransientError, Reason.RATE_LIMITED, 86400),
        (reply(429, x_rate_limit_reset="1"), TransientError, Reason.RATE_LIMITED, 1),
        (reply(429, x_rate_limit_reset="soon"), TransientError, Reason.RATE_LIMITED, None),
    ],
)
def test_a_refusal_says_what_it_is_and_when_to_come_back(refusal, error, reason, wait):
    ledger = Ledger()
    with serve(refusal) as server, pytest.raises(error) as caught:
        source(server, ledger, x_token="s3cr3t").fetch(feed_at(server), NOW)
    assert caught.value.reason is reason
    assert getattr(caught.value, "retry_after", None) == (timedelta(seconds=wait) if wait else None)
    assert "s3cr3t" not in str(caught.value)
    assert +ledger == {}


def test_a_reset_is_read_by_the_clock_of_the_server():
    date, reset = "Sun, 22 Nov 2026 13:00:00 GMT", int(datetime(2026, 11, 22, 13, 5, tzinfo=UTC).timestamp())
    with serve(reply(429, date=date, x_rate_limit_reset=str(reset))) as server, pytest.raises(TransientError) as caught:
        source(server).fetch(feed_at(server), NOW)
    assert caught.value.retry_after == timedelta(minutes=5)


def test_gone_is_what_x_says_it_shows_no_more():
    with x() as (site, server, reader, ledger):
        site.fill(1, 2)
        assert isinstance(reader, Rechecking)
        found = reader.gone([Known(i, "") for i in [*ids(1, 4), "not-ours"]])
        assert reader.gone([Known("not-ours", "")]) == frozenset()
    assert found == set(ids(3, 4))
    assert ledger == {"x:2026-11": 2}
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [{"data": []}, {"errors": [{"type": "…/server-error", "resource_id": made(1)}]}])
def test_silence_about_a_post_is_no_deletion(body):
    with serve(reply(200, json.dumps(body).encode())) as server:
        assert source(server).gone([Known(made(1), "")]) == frozenset()


def test_partial_errors_leave_the_posts_alone():
    body = json.loads(answer([post(1)])) | {"errors": [{"type": "…/resource-not-found", "resource_id": "9"}]}
    assert len(parse(json.dumps(body).encode(), address="x").posts) == 1


def test_a_long_post_is_whole_and_unescaped():
    assert one(text="Cut…", note_tweet={"text": "The whole &amp; long"}).text == "The whole & long"
    assert one(text="a &lt;b&gt; &amp;amp;").text == "a <b> &amp;"


def test_a_repost_is_linked_and_a_quotation_is_a_post_of_its_own():
    refs = [{"type": "quoted", "id": "5"}, {"type": "retweeted", "id": "6"}, {"type": "replied_to", "id": "7"}]
    assert one(referenced_tweets=refs).repost_of == "6"
    assert one(referenced_tweets=refs[:1]).repost_of == ""


@pytest.mark.parametrize(
    ("said", "kept"), [("ru", "ru"), ("und", ""), ("qme", ""), ("in", "id"), ("iw", "he"), ("zh-TW", "zh-TW"), (5, "")]
)
def test_languages_are_the_words_of_everybody(said, kept):
    assert one(lang=said).lang == kept


def test_an_edited_post_replaces_its_earlier_versions():
    page = parse(answer([post(3, edit_history_tweet_ids=[made(1), made(2), made(3)])]), address="x")
    assert (page.deleted, page.posts[0].native_id) == ((made(1), made(2)), made(3))
    assert parse(answer([post(3, edit_history_tweet_ids=[made(3)])]), address="x").deleted == ()


def test_one_looked_up_post_is_a_page():
    found = parse(json.dumps({"data": post(1)}).encode(), address="x").posts
    assert [(p.native_id, p.url) for p in found] == [(made(1), f"https://x.com/i/web/status/{made(1)}")]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("@Some_One", "@some_one"),
        ("https://x.com/Some_One", "@some_one"),
        ("https://mobile.twitter.com/some_one/?lang=en", "@some_one"),
        ("search: palmyra  -is:retweet ", "search:palmyra -is:retweet"),
        ("#Palmyra", "search:#Palmyra"),
        ("https://x.com/search?q=palmyra%20lang%3Aen&src=typed_query", "search:palmyra lang:en"),
        ("https://x.com/hashtag/Palmyra", "search:#Palmyra"),
    ],
)
def test_a_place_has_one_address(typed, kept):
    assert read_address(typed) == kept
    assert read_address(kept) == kept


@pytest.mark.parametrize(
    "typed",
    ["palmyra", "@", "@name with blanks", "@a_name_that_is_too_long", "https://x.com/a/status/1", "https://e.org/a",
     "https://x.com/home", "search:", "https://[::1/a", "#"],
)  # fmt: skip
def test_what_is_no_place_on_x_is_refused_with_the_forms(typed):
    with pytest.raises(PermanentError, match="@name, #hashtag and search:QUERY"):
        read_address(typed)


def test_a_gateway_must_have_an_address():
    with serve(reply()) as server, pytest.raises(PermanentError, match="api"):
        source(server).fetch(feed_of("x", "@a", options={"api": "ftp://e.org"}), NOW)


@given(st.text(max_size=60))
def test_any_text_is_an_address_in_one_form_or_refused(typed):
    kept = ""
    with suppress(PermanentError):
        kept = read_address(typed)
    assert not kept or read_address(kept) == kept


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
FIELDS = ["id", "text", "created_at", "author_id", "lang", "note_tweet", "referenced_tweets", "edit_history_tweet_ids"]


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), VALUES | st.lists(VALUES | st.dictionaries(VALUES.map(str), VALUES))),
    st.dictionaries(st.sampled_from(["newest_id", "next_token"]), VALUES),
)
def test_any_answer_is_read_or_refused(item, meta):
    with suppress(FramewatchError):
        page = parse(json.dumps({"data": [item], "meta": meta}).encode(), address="x")
        assert len(page.posts) + sum(page.dropped.values()) == 1


@given(st.dictionaries(st.sampled_from(["newest_id", "user_id", "walk"]), VALUES | st.dictionaries(
    st.sampled_from(["token", "ceiling", "since", "gap", "seen"]), VALUES)))  # fmt: skip
def test_any_cursor_is_a_walk(cursor):
    read_walk(cursor, NOW, window=True)
