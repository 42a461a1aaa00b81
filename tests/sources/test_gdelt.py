"""GDELT: queries, its refusals in plain text, its broken JSON, windows that come back full, and its pace."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher
from services.sources import Means, parse_file, read_address
from services.sources.gdelt import FIRST, MAX_RECORDS, OVERLAP, STEP, GdeltSource
from services.sources.gdelt.words import mended
from tests.fetch.servers import reply, serve
from tests.sources.kits import NOW, feed_of, fetch

FORM = "%Y%m%d%H%M%S"


def article(number, seen, **fields):
    stated = {"url": f"https://news.example/{number}", "title": f"Article {number}", "domain": "news.example"}
    return {**stated, "seendate": f"{seen:%Y%m%dT%H%M%SZ}", "language": "English", **fields}


@contextmanager
def archive(articles):
    """A DOC 2.0 interface that keeps its rules: both ends of the window belong to it, the newest 250 come."""

    def answer(request, stream):
        asked = parse_qs(urlsplit(request.split(" ")[1]).query)
        first, last = asked["startdatetime"][0], asked["enddatetime"][0]
        found = [a for a in articles if first <= a["seendate"].replace("T", "").rstrip("Z") <= last]
        found = sorted(found, key=lambda a: a["seendate"], reverse=True)[: int(asked["maxrecords"][0])]
        stream.sendall(reply(body=json.dumps({"articles": found} if found else {}).encode()))

    with serve(answer) as server:
        yield server


def feed_at(server, **changes):
    return feed_of("gdelt", "query:Palmyra", options={"api": server.url, **changes.pop("options", {})}, **changes)


def read_on(server, feed, now=NOW):
    pages = []
    while not pages or pages[-1].more:
        pages.append(fetch(server, replace(feed, cursor=pages[-1].cursor if pages else feed.cursor), now))
        assert len(pages) < 60
    return pages


def names(pages):
    return [p.native_id for page in pages for p in page.posts]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Palmyra", "query:Palmyra"),
        ("  query:  Palmyra   sourcelang:english ", "query:Palmyra sourcelang:english"),
        ('(Palmyra OR Tadmur) near20:"white helmets" -domain:e.org', 'query:(Palmyra OR Tadmur) near20:"white helmets" -domain:e.org'),
        ('"what: a phrase"', 'query:"what: a phrase"'),
        ("https://api.gdeltproject.org/api/v2/doc/doc?query=Palmyra%20tone%3E5&mode=artlist", "query:Palmyra tone>5"),
    ],
)  # fmt: skip
def test_a_query_is_an_address(typed, kept):
    assert read_address("gdelt", typed) == kept


@pytest.mark.parametrize("typed", ["query:", "colour:red", "https://e.org/?query=x", "x" * 1001])
def test_other_addresses_are_refused_with_an_example(typed):
    with pytest.raises(PermanentError, match="query:Palmyra"):
        read_address("gdelt", typed)


def test_an_article_becomes_a_post():
    url = "https://WWW.news.example/a?id=1&utm_source=x#top"
    stated = article(1, NOW, url=url, title="Caf&#233; &amp; co : the fall", language="Russian", domain="news.example")
    other = {"url": "https://www.other.example/x", "title": "Untitled", "language": "Klingon"}
    page = parse_file("gdelt", json.dumps({"articles": [stated, other, {"title": "x"}, 5]}).encode(), "query:x")
    first, second = page.posts
    assert (first.native_id, first.text) == ("https://www.news.example/a?id=1", "Café & co : the fall")
    assert (first.author, first.lang, first.published_at) == ("news.example", "ru", NOW)
    assert (second.author, second.lang, second.published_at) == ("other.example", "", None)
    assert dict(page.dropped) == {"no_identity": 2}
    assert page.min_interval == STEP


def test_titles_with_stray_backslashes_and_line_breaks_are_read():
    body = b'{"articles": [{"url": "https://e.org/1", "title": "cnn.com\\impact \\"quoted\\" C:\\\\x \\u0441\n\ttwo\\x lines"}]}'
    assert parse_file("gdelt", body, "query:x").posts[0].text == 'cnn.com\\impact "quoted" C:\\x с two\\x lines'


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40) | st.integers() | st.dictionaries(st.text(), st.text()), max_size=4))
def test_mending_leaves_sound_json_as_it_is(value):
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        assert json.loads(mended(text.encode())) == json.loads(text)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Your query was too short or too long.", Reason.REFUSED),
        ("Queries containing OR'd terms must be surrounded by ().", Reason.REFUSED),
        ("Invalid/Unsupported Country.", Reason.REFUSED),
        ("Please limit requests to one every 5 seconds or contact someone for larger queries.", Reason.RATE_LIMITED),
        ("Timeout. Please try again.", Reason.SERVER_ERROR),
    ],
)
def test_a_refusal_in_plain_text_is_worded(said, reason):
    answer = reply(body=said.encode() + b"\n", content_type="text/html")
    with serve(answer) as server, pytest.raises(FramewatchError, match="GDELT") as caught:
        fetch(server, feed_at(server))
    assert caught.value.reason is reason
    assert reason is not Reason.REFUSED or said in str(caught.value)
    assert reason is not Reason.RATE_LIMITED or caught.value.retry_after == timedelta(minutes=1)


def test_what_is_asked_for():
    with archive([]) as server:
        page = fetch(server, feed_at(server))
    parts = urlsplit(server.requests[0].split(" ")[1])
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.path == "/api/v2/doc/doc"
    assert asked == {
        "query": "Palmyra", "mode": "ArtList", "format": "json", "sort": "DateDesc", "maxrecords": "250",
        "startdatetime": f"{NOW - FIRST:{FORM}}", "enddatetime": f"{NOW:{FORM}}",
    }  # fmt: skip
    assert (page.posts, page.complete, page.more, page.heard_until) == ((), True, False, None)


def test_a_quiet_query_costs_one_request_a_fetch_and_reads_an_hour_again():
    late = NOW - OVERLAP + timedelta(minutes=1)
    articles = [article(1, NOW - timedelta(hours=20))]
    with archive(articles) as server:
        feed = feed_at(server)
        first = read_on(server, feed)
        articles += [article(2, late)]
        second = read_on(server, replace(feed, cursor=first[-1].cursor), NOW + timedelta(minutes=15))
    assert (len(first), len(second)) == (1, 1)
    assert names(second) == ["https://news.example/2"]


def now_less(**time):
    return NOW - timedelta(**time)


def many_articles(count, begin, every):
    return [article(n, begin + every * n) for n in range(count)]


def test_full_windows_are_split_until_nothing_is_missing():
    articles = many_articles(1400, NOW - timedelta(hours=23), timedelta(minutes=1))
    with archive(articles) as server:
        pages = read_on(server, feed_at(server))
        again = read_on(server, feed_at(server, cursor=pages[-1].cursor))
    assert set(names(pages)) == {a["url"] for a in articles if a["seendate"] <= f"{NOW:%Y%m%dT%H%M%SZ}"}
    assert all(p.complete for p in pages)
    assert set(names(again)) <= set(names(pages))
    assert len(pages) < 14


def test_hearing_grows_with_the_windows():
    articles = many_articles(1400, NOW - timedelta(hours=23), timedelta(minutes=1))
    with archive(articles) as server:
        heard = [p.heard_until for p in read_on(server, feed_at(server))]
    assert heard[-1] is None
    assert heard[:-1] == sorted(heard[:-1])
    assert heard[0] == NOW - FIRST


def test_a_crash_between_two_windows_loses_nothing():
    articles = many_articles(1400, NOW - timedelta(hours=23), timedelta(minutes=1))
    with archive(articles) as server:
        feed = feed_at(server)
        stored = [fetch(server, feed)]
        for _ in range(3):
            stored.append(fetch(server, replace(feed, cursor=stored[-1].cursor)))
        fetch(server, replace(feed, cursor=stored[-1].cursor))  # stored by nobody
        rest = read_on(server, replace(feed, cursor=stored[-1].cursor))
    assert len(set(names([*stored, *rest]))) == len([a for a in articles if a["seendate"] <= f"{NOW:%Y%m%dT%H%M%SZ}"])


def test_a_feed_that_slept_too_long_goes_on_with_a_gap():
    ages = (now_less(days=200), now_less(days=2))
    cursor = {"address": "query:Palmyra", "from": ages[0].isoformat(), "steps": 9999}
    with archive([article(n, seen) for n, seen in enumerate(ages)]) as server:
        page = fetch(server, feed_at(server, cursor=cursor))
    assert names([page]) == ["https://news.example/1"]
    assert not page.complete


def test_what_was_heard_before_stays_heard():
    articles = many_articles(1400, NOW - timedelta(hours=23), timedelta(minutes=1))
    with archive(articles) as server:
        page = fetch(server, feed_at(server, heard_until=NOW - timedelta(minutes=15)))
    assert (page.more, page.heard_until) == (True, NOW - timedelta(minutes=15))


def test_a_step_that_cannot_be_split_is_told_as_a_gap_and_passed():
    full = NOW - timedelta(hours=3)
    articles = [article(n, full) for n in range(MAX_RECORDS + 50)] + [article(999, NOW - timedelta(hours=2))]
    with archive(articles) as server:
        pages = read_on(server, feed_at(server))
    assert [p.complete for p in pages].count(False) == 1
    assert "https://news.example/999" in names(pages)


def test_turns_are_taken_in_a_ledger_that_all_workers_share(monkeypatch):
    taken, slept = set(), []
    monkeypatch.setattr("time.sleep", slept.append)

    def ledger(name, units, limit):
        assert (units, limit) == (1, 1)
        free = name not in taken
        taken.add(name)
        return free

    with archive([]) as server:
        source = GdeltSource(Means(Fetcher(allow_networks=server.allowed), Path("/nonexistent"), ledger=ledger))
        for _ in range(3):
            source.fetch(feed_at(server), NOW)
        with pytest.raises(TransientError) as caught:
            source.fetch(feed_at(server), NOW)
    assert slept == [0, 5, 10]
    assert (caught.value.reason, caught.value.retry_after) == (Reason.RATE_LIMITED, timedelta(seconds=15))
    assert len(server.requests) == 3


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["from", "steps", "address"]), st.text() | st.integers() | st.none()))
def test_any_cursor_is_a_window(cursor):
    from services.sources.gdelt import _window

    feed = feed_of("gdelt", "query:x", cursor={"address": "query:x", **cursor})
    start, width, _ = _window(feed, NOW)
    assert start < NOW
    assert width >= STEP
