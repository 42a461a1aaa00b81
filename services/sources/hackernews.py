"""Hacker News by its documented search interface (hn.algolia.com/api), which gives up to 1,000 whole items a request.

The official interface (github.com/HackerNews/API) gives one item a request: it is only asked whether posts are
still there. Must not trust the search index to take back what was deleted.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, FetchedPost, Page
from services.analysis.links import web_link
from services.analysis.text import clean_line
from services.analysis.times import parse_time
from services.sources.base import Known, Means, Mode
from services.sources.items import join_text, plain
from services.sources.reading import at, make_post, many, read_json, told_apart, word
from services.sources.stretch import Stretch, heard_to, read_stretch

MODES: tuple[Mode, ...] = ("poll",)
SEARCH = "https://hn.algolia.com"
OFFICIAL = "https://hacker-news.firebaseio.com"
PAGE_SIZE = 500
"""Hits asked for at once. Beyond 1,000 the index answers nothing (algolia/hn-search#230), so pages go by time."""
_FORMS = "newest, comments, front, query:Palmyra, user:name or item:8863 (a story with its comments)"
_LISTS = {"newest": "story", "comments": "comment", "front": "front_page"}
_TAGS = {"query": "(story,comment)", "user": "(story,comment),author_{}", "item": "(story,comment),story_{}"}
_NAME = {"query": r".{1,400}", "user": r"[A-Za-z0-9_-]{1,40}", "item": r"[0-9]{1,12}"}
_PLACES = {"/": "front", "/news": "front", "/newest": "newest", "/newcomments": "comments"}
_PEOPLE = {"/user": "user", "/submitted": "user", "/threads": "user", "/item": "item"}


def read_address(address: str) -> str:
    """`newest`, `comments`, `front`, `query:…`, `user:…`, `item:…`, or a page of the site as it stands in a browser.

    Raises PermanentError(BAD_ADDRESS).
    """
    text = " ".join(_from_page(address.strip()).split())
    name, separator, value = text.partition(":")
    kept = f"{name.lower()}{separator}{value.strip()}"
    _tags(kept)
    return kept


def parse(body: bytes, *, address: str) -> Page:
    """The stories and comments of one answer of the search. Raises PermanentError(NOT_A_FEED)."""
    return _page(_hits(read_json(body, "The search of Hacker News"), address))


class HackerNewsSource:
    """Searches Hacker News by date."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page. Raises what Fetcher.get and parse raise, PermanentError (BAD_ADDRESS, BAD_CONFIG)."""
        stretch = read_stretch(feed.cursor if feed.cursor.get("address") == feed.address else {})
        if stretch.floor is None:
            stretch = Stretch(_since(feed))
        answer = read_json(self._fetcher.get(_url(feed, stretch)).body, "The search of Hacker News")
        hits = _hits(answer, feed.address)
        page = _page(hits)
        found = at(answer, "nbHits")
        full = len(hits) >= PAGE_SIZE or (isinstance(found, int) and found > len(hits))
        snapshot = feed.address == "front"  # a ranking: what left it again was never missed
        left, whole = stretch.after((p.published_at for p in page.posts if p.published_at), now, full=full)
        left = Stretch() if snapshot else left
        kept = {**left.cursor(), "address": feed.address}
        more = left.ceiling is not None
        heard = heard_to(feed, left.floor) if more else None
        whole = whole or snapshot
        return replace(page, cursor=kept, more=more, complete=whole, heard_until=heard, window=snapshot)

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """Those that the official interface says are deleted or dead. Raises what Fetcher.get raises."""
        return frozenset(p.native_id for p in posts if p.native_id.isdecimal() and self._is_gone(p.native_id))

    def _is_gone(self, native_id: str) -> bool:
        try:
            body = self._fetcher.get(f"{OFFICIAL}/v0/item/{native_id}.json").body
        except (TransientError, PermanentError) as error:
            if error.reason in (Reason.NOT_FOUND, Reason.GONE):
                return True
            raise
        item = read_json(body, "Hacker News")
        return item is None or at(item, "deleted") is True or at(item, "dead") is True


def _page(hits: Sequence[Any]) -> Page:
    posts, dropped = told_apart(map(_post, hits))
    return Page(posts=posts, dropped=dropped)


def _post(hit: Any) -> FetchedPost | str:
    title = plain(at(hit, "title"), markup=False)
    said = "\n".join(filter(None, (plain(at(hit, name)) for name in ("story_text", "comment_text"))))
    identity = word(hit, "objectID")
    return make_post(
        identity,
        join_text(title, said),
        published=word(hit, "created_at"),
        url=f"https://news.ycombinator.com/item?{urlencode({'id': identity}, errors='replace')}",
        author=word(hit, "author"),
    )


def _hits(answer: Any, address: str) -> list[Any]:
    if not isinstance(at(answer, "hits"), list):
        said = clean_line(word(answer, "message"), limit_bytes=200) or "nothing"
        raise PermanentError(
            Reason.NOT_A_FEED, f"The search of Hacker News gives no list for {address[:200]!r}. It says: {said}"
        )
    return many(answer, "hits")


def _url(feed: Feed, stretch: Stretch) -> str:
    tags, query = _tags(feed.address)
    asked: dict[str, str | int] = {"query": query, "tags": tags, "hitsPerPage": PAGE_SIZE}
    if stretch.begin and feed.address != "front":
        bounds = [f"created_at_i>={int(stretch.begin.timestamp())}"]
        bounds += [f"created_at_i<={int(stretch.ceiling.timestamp())}"] if stretch.ceiling else []
        asked["numericFilters"] = ",".join(bounds)
    base = word(feed.options, "api") or SEARCH
    return f"{base.rstrip('/')}/api/v1/search_by_date?{urlencode(asked)}"


def _since(feed: Feed) -> datetime | None:
    stated = word(feed.options, "since")
    since = parse_time(stated)
    if stated and (since is None or since < datetime(2000, 1, 1, tzinfo=UTC)):
        raise PermanentError(Reason.BAD_CONFIG, "The feed's option `since` is no date: 2026-11-01 is one.")
    return since


def _tags(address: str) -> tuple[str, str]:
    name, separator, value = address.partition(":")
    if not separator and name in _LISTS:
        return _LISTS[name], ""
    if separator and name in _TAGS and re.fullmatch(_NAME[name], value) and value.isprintable():
        return _TAGS[name].format(value), value if name == "query" else ""
    raise PermanentError(Reason.BAD_ADDRESS, f"{address[:200]!r} is none of {_FORMS}.")


def _from_page(text: str) -> str:
    if not web_link(text):
        return text
    parts = urlsplit(web_link(text))
    asked = parse_qs(parts.query)
    if parts.hostname == "hn.algolia.com":
        return f"query:{asked.get('q', asked.get('query', ['']))[0]}"
    if parts.hostname != "news.ycombinator.com":
        return text
    path = parts.path or "/"
    return f"{_PEOPLE[path]}:{asked.get('id', [''])[0]}" if path in _PEOPLE else _PLACES.get(path, text)
