"""News articles that GDELT's DOC 2.0 interface finds for a query: their titles, as they were first seen.

A window of time is asked for; one that comes back full is halved, down to GDELT's own step of 15 minutes. Must not
ask more than once in five seconds, whatever the number of feeds and workers.
"""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, FetchedPost, Page
from services.analysis.links import domain, normalise_link, web_link
from services.analysis.text import html_to_text
from services.analysis.times import parse_time
from services.sources.base import Ledger, Means, Mode
from services.sources.gdelt.words import LANGUAGES, MAX_QUERY, mended, refusal, unknown_operator
from services.sources.reading import make_post, many, read_json, told_apart, word
from services.sources.stretch import heard_to

MODES: tuple[Mode, ...] = ("poll",)
API = "https://api.gdeltproject.org"
MAX_RECORDS = 250
"""Most articles of one answer (DOC 2.0, MAXRECORDS)."""
STEP = timedelta(minutes=15)
"""GDELT takes in articles, and dates them, every 15 minutes: a window of one step holds one batch, unsplittable."""
OVERLAP = timedelta(hours=1)
"""So far back is read again: articles of one step turn up in the index over some of the next."""
FIRST = timedelta(days=1)
"""How far back a new feed begins, without the option `since`."""
REACH = timedelta(days=85)
"""GDELT refuses windows that begin earlier than three months ago: a feed that slept for longer goes on from here."""
PACE = timedelta(seconds=5)
"""GDELT's own words: "limit requests to one every 5 seconds"."""
TURNS = 3
"""Longest queue for a turn, in PACE: with the request itself it stays below a worker's lease."""


def read_address(address: str) -> str:
    """`query:` and a query in GDELT's own language; also without `query:`, or a whole address of its interface.

    Raises PermanentError(BAD_ADDRESS).
    """
    text = address.strip()
    if urlsplit(web_link(text)).hostname == "api.gdeltproject.org":
        text = parse_qs(urlsplit(web_link(text)).query).get("query", [""])[0]
    name, separator, query = text.partition(":")
    query = " ".join((query if separator and name.lower() == "query" else text).split())
    unknown = unknown_operator(query)
    if not query or len(query) > MAX_QUERY or not query.isprintable() or unknown or "://" in query:
        raise PermanentError(
            Reason.BAD_ADDRESS,
            (f"`{unknown}:` is no operator of GDELT's. " if unknown else "")
            + "A gdelt feed is a query, such as query:Palmyra sourcelang:english or query:(Palmyra OR Tadmur).",
        )
    return f"query:{query}"


def parse(body: bytes, *, address: str) -> Page:  # noqa: ARG001 - a list names whole addresses
    """The articles of one answer; `{}` is an answer without any.

    Raises PermanentError (REFUSED with GDELT's own sentence, NOT_A_FEED) or TransientError (RATE_LIMITED,
    SERVER_ERROR).
    """
    posts, dropped = told_apart(map(_post, _articles(body)))
    return Page(posts=posts, dropped=dropped, min_interval=STEP)


class GdeltSource:
    """Asks GDELT for article lists, window after window."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher
        self._ledger = means.ledger

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next window. Raises what Fetcher.get and parse raise, TransientError(RATE_LIMITED) while others ask."""
        start, width, unbroken = _window(feed, now)
        end = min(start + width, now)
        _take_turn(self._ledger, now)
        page = parse(self._fetcher.get(_url(feed, start, end, now)).body, address=feed.address)
        found = len(page.posts) + sum(page.dropped.values())
        full = found >= MAX_RECORDS
        if full and end - start > STEP:
            half = STEP * max((end - start) // STEP // 2, 1)
            return replace(page, **_left(feed, start, half, heard=start), more=True, complete=unbroken)
        next_width = 2 * width if 2 * found < MAX_RECORDS else width
        page = replace(page, complete=unbroken and not full)
        if end < now:
            return replace(page, **_left(feed, end, next_width, heard=end), more=True)
        return replace(page, **_left(feed, now - OVERLAP, next_width))


def _window(feed: Feed, now: datetime) -> tuple[datetime, timedelta, bool]:
    """Where the next window begins, how wide it may be, and whether it begins where the last one ended."""
    cursor = feed.cursor if feed.cursor.get("address") == feed.address else {}
    left, steps = parse_time(word(cursor, "from")), word(cursor, "steps")
    begin = left or parse_time(word(feed.options, "since")) or now - FIRST
    forgotten = left is not None and left < now - REACH
    begin = now - REACH if forgotten else min(begin, now - STEP)
    width = int(steps) * STEP if steps.isdecimal() and len(steps) < 6 else now - begin + STEP
    return begin, max(width, STEP), not forgotten


def _left(feed: Feed, begin: datetime, width: timedelta, heard: datetime | None = None) -> dict[str, Any]:
    steps = min(max(width // STEP, 1), 9999)
    cursor = {"address": feed.address, "from": begin.isoformat(), "steps": steps}
    return {"cursor": cursor, "heard_until": heard_to(feed, heard)}


def _take_turn(ledger: Ledger, now: datetime) -> None:
    """Wait for the next five seconds that no other feed has taken, here or in another worker."""
    first = int(now.timestamp() // PACE.total_seconds())
    for turn in range(TURNS):
        if ledger(f"gdelt:{first + turn}", 1, 1):
            time.sleep(turn * PACE.total_seconds())
            return
    raise TransientError(
        Reason.RATE_LIMITED, "GDELT takes one request in 5 seconds and other feeds are before this one.", TURNS * PACE
    )


def _url(feed: Feed, start: datetime, end: datetime, now: datetime) -> str:
    last = end if end >= now else end - timedelta(seconds=1)
    asked = {
        "query": feed.address.removeprefix("query:"),
        "mode": "ArtList",
        "format": "json",
        "sort": "DateDesc",
        "maxrecords": MAX_RECORDS,
        "startdatetime": f"{start:%Y%m%d%H%M%S}",
        "enddatetime": f"{last:%Y%m%d%H%M%S}",
    }
    return f"{(word(feed.options, 'api') or API).rstrip('/')}/api/v2/doc/doc?{urlencode(asked)}"


def _articles(body: bytes) -> list[Any]:
    if refused := refusal(body):
        raise refused
    answer = read_json(mended(body), "GDELT")
    if not isinstance(answer, dict):
        raise PermanentError(Reason.NOT_A_FEED, "GDELT answers with something else than a list of articles.")
    return many(answer, "articles")


def _post(article: Any) -> FetchedPost | str:
    link = word(article, "url")
    return make_post(
        normalise_link(link),
        html_to_text(word(article, "title")),
        published=word(article, "seendate"),
        url=link,
        author=word(article, "domain") or domain(link),
        lang=LANGUAGES.get("".join(word(article, "language").lower().split()), ""),
    )
