"""Web feeds: RSS, RDF, Atom and JSON Feed at one address, asked for conditionally.

The cursor keeps the validators, when the feed was last read in full, what items are known by, fingerprints of the
last page's posts, by which a gap shows, and the feed's hub. Must not guess dates or trust a 304 for longer than a day.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, FetchedPost, Page
from services.analysis.links import web_link
from services.analysis.text import clean_line
from services.analysis.times import parse_time
from services.fetch import Response
from services.sources.base import Means, Mode
from services.sources.items import MAX_ITEMS, Document, fingerprint
from services.sources.rss.bytes import decode
from services.sources.rss.html import feed_links, is_html, not_a_feed
from services.sources.rss.identity import USUAL, Policy, absolute, as_cursor, judged, read_policy, words
from services.sources.rss.json import read_json
from services.sources.rss.markup import without_declarations
from services.sources.rss.posts import posts_of
from services.sources.rss.websub import hub_of
from services.sources.rss.xml import read_xml

MODES: tuple[Mode, ...] = ("poll",)
FULL_EVERY = timedelta(hours=24)
"""Some servers answer a wrong 304 for ever; so often nobody asks conditionally."""
LONGEST_MAX_AGE = timedelta(hours=1)
"""A Cache-Control beyond this says more about a cache than about the feed."""
_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_MAX_VALIDATOR = 1000
_UNSTABLE = (
    "The ids of its items repeat or change, so they are told apart by link or title: an edited title may be a new post."
)


def read_address(address: str) -> str:
    """An http(s) address; `feed://…` and a bare host are read as https. Raises PermanentError(BAD_ADDRESS)."""
    text = address.strip()
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() == "feed":
        text = f"https://{rest or text}"
    if not web_link(text):
        raise PermanentError(
            Reason.BAD_ADDRESS, f"{address[:200]!r} is no address of a feed: https://example.org/feed.xml is one."
        )
    return text


def parse(body: bytes, *, address: str, content_type: str = "", policy: Policy = USUAL) -> Page:
    """The posts of one feed document that came from `address`.

    `policy` says what its items were known by so far; the cursor holds what they are known by from now on.
    `as_of` is the document's own date. Raises PermanentError: UNSAFE_XML for declared entities, NOT_A_FEED with a
    remedy.
    """
    document = _read(decode(body, content_type), address)
    # A saved file has no address of its own, but most feeds name their page.
    base = address if web_link(address) or not web_link(document.link) else document.link
    policy = judged(policy, document.items, base)
    posts, dropped = posts_of(document.items, address=base, policy=policy)
    dropped += document.dropped + Counter(too_many=document.too_many)
    newest = max((p.published_at for p in posts if p.published_at), default=None)
    return Page(
        posts=tuple(posts),
        cursor={"seen": _seen(posts), **as_cursor(policy), **_hub(document, base)},
        dropped=dict(+dropped),
        as_of=document.updated or newest,
        ended=document.ended,
        title=clean_line(document.title, limit_bytes=300),
        min_interval=document.ttl,
    )


class RssSource:
    """Fetches web feeds."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The feed as it is now. Raises what Fetcher.get and parse raise."""
        cursor = feed.cursor if feed.cursor.get("address") == feed.address else _elsewhere(feed.cursor)
        asked = {} if _full_fetch_due(cursor, now) else cursor
        response = self._get(feed.address, _word(asked, "etag"), _word(asked, "last_modified"))
        page = _unchanged(cursor) if response.not_modified else _changed(response, cursor)
        page = replace(page, cursor={**page.cursor, **_validators(response), "address": feed.address})
        if not response.not_modified:
            page = replace(page, cursor={**page.cursor, "full_at": now.isoformat()})
        as_of = min(page.as_of, now) if page.as_of and feed.clock == "feed" else None
        return replace(
            page,
            as_of=as_of,
            min_interval=max(filter(None, (page.min_interval, _max_age(response))), default=None),
            moved_to=web_link(response.permanent_url),
            window=True,
            warning="" if read_policy(page.cursor).by == USUAL.by else _UNSTABLE,
        )

    def discover(self, address: str) -> list[tuple[str, str]]:
        """The feeds at `address`, each with its title: the feed itself, or those that a web page names.

        Raises what Fetcher.get and read_address raise, and PermanentError (UNSAFE_XML, NOT_A_FEED).
        """
        response = self._get(read_address(address))
        text = decode(response.body, response.headers.get("content-type", ""))
        if found := is_html(text) and feed_links(text, response.url):
            return found
        return [(response.permanent_url or address, clean_line(_read(text, response.url).title, limit_bytes=300))]

    def _get(self, address: str, etag: str = "", last_modified: str = "") -> Response:
        return self._fetcher.get(address, etag=etag, last_modified=last_modified, headers={"Accept": _ACCEPT})


def _read(text: str, address: str) -> Document:
    if text.lstrip()[:1] == "{":
        document = read_json(text)
    elif is_html(text):
        document = None
    else:
        document = read_xml(without_declarations(text))
    if document is None:
        raise not_a_feed(text, address)
    return document


def _elsewhere(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """What still holds of a cursor when the feed has another address: how its items are named, or all would be new."""
    return {"identity": cursor.get("identity"), "repeated": words(cursor, "repeated")}


def _unchanged(cursor: Mapping[str, Any]) -> Page:
    return Page(cursor=dict(cursor), as_of=parse_time(_word(cursor, "as_of")))


def _changed(response: Response, cursor: Mapping[str, Any]) -> Page:
    content_type = response.headers.get("content-type", "")
    page = parse(response.body, address=response.url, content_type=content_type, policy=read_policy(cursor))
    before, seen = words(cursor, "seen"), page.cursor["seen"]
    times = [t for t in (page.as_of, parse_time(_word(cursor, "as_of"))) if t]
    as_of = max(times, default=None)
    kept = {"seen": seen or before, "as_of": as_of.isoformat() if as_of else ""}
    renamed = read_policy(cursor).by != page.cursor["identity"]  # then nothing can have been seen before
    complete = not before or not seen or renamed or not set(before).isdisjoint(seen)
    hub = hub_of(response.headers.get("link", ""), response.url)
    return replace(page, cursor={**page.cursor, **hub, **kept}, complete=complete, as_of=as_of)


def _hub(document: Document, base: str) -> dict[str, str]:
    hub, topic = web_link(absolute(document.hub, base)), web_link(absolute(document.topic, base))
    return {"hub": hub, "topic": topic} if hub and topic else {}


def _full_fetch_due(cursor: Mapping[str, Any], now: datetime) -> bool:
    full_at = parse_time(_word(cursor, "full_at"))
    return full_at is None or not timedelta(0) <= now - full_at < FULL_EVERY


def _validators(response: Response) -> dict[str, str]:
    found = {"etag": response.etag, "last_modified": response.last_modified}
    return {name: value if len(value) <= _MAX_VALIDATOR else "" for name, value in found.items()}


def _max_age(response: Response) -> timedelta | None:
    stated = re.search(r"\bmax-age=\"?([0-9]{1,9})", response.headers.get("cache-control", ""))
    return min(timedelta(seconds=int(stated[1])), LONGEST_MAX_AGE) if stated and int(stated[1]) else None


def _seen(posts: Iterable[FetchedPost]) -> list[str]:
    return [*dict.fromkeys(fingerprint(p.native_id) for p in posts)][:MAX_ITEMS]


def _word(cursor: Mapping[str, Any], name: str) -> str:
    value = cursor.get(name)
    return value if isinstance(value, str) else ""
