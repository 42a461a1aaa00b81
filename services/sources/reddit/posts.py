"""Reddit's listings and what is a post in them: submissions, comments, markers of removal. Pure; must not fetch."""

import html
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost, Page
from services.sources.items import MAX_ITEMS, join_text, native_id
from services.sources.reading import at, make_post, many, read_json, word

_SITE = "https://www.reddit.com"
_MARKERS = ("[removed]", "[deleted]")
_KINDS = ("t1", "t3")
_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z."""
_NAME = re.compile(r"t[13]_([a-z0-9]{1,20})")
_FOOTER = re.compile(r"\s*submitted by\s+/?u/\S+(?:\s+to\s+/?r/\S+)?\s+\[link\]\s+\[comments\]\s*\Z")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a listing: its things in their order, and whether more follow."""

    things: list[Any]
    last: bool


def read_listing(body: bytes, place: str) -> Listing:
    """The listing in `body` (of a thread's page: its two listings, one after the other).

    Raises PermanentError(NOT_A_FEED), naming `place`, when `body` is no listing.
    """
    value = read_json(body, place)
    listings = value if isinstance(value, list) else [value]
    if not listings or not all(at(one, "kind") == "Listing" for one in listings):
        raise PermanentError(
            Reason.NOT_A_FEED, f"{place} answers with something else than a list of posts. Check the address."
        )
    things = [thing for one in listings for thing in many(one, "data", "children")]
    return Listing(things, last=not things or not word(listings[-1], "data", "after"))


def page_of(things: list[Any]) -> Page:
    """The posts among `things`, the names of those that were taken away, and what was neither, counted."""
    posts: list[FetchedPost] = []
    deleted: list[str] = []
    dropped = Counter(too_many=max(len(things) - MAX_ITEMS, 0))
    for thing in things[:MAX_ITEMS]:
        if is_gone(thing):
            deleted.append(name_of(thing))
            continue
        made = _post(thing)
        if isinstance(made, str):
            dropped[made] += 1
        else:
            posts.append(made)
    return Page(posts=tuple(posts), deleted=tuple(deleted), dropped=dict(+dropped))


def name_of(thing: Any) -> str:
    """The fullname of a thing, e.g. `t3_5gn8ru`; "" when it has none."""
    name, short = word(thing, "data", "name"), word(thing, "data", "id")
    return native_id(name or (short and f"{word(thing, 'kind')}_{short}"))


def is_gone(thing: Any) -> bool:
    """Whether a thing is only the shell of a post that its author or a moderator took away."""
    said = (word(thing, "data", "selftext") or word(thing, "data", "body")).strip()
    marked = said in _MARKERS or bool(word(thing, "data", "removed_by_category"))
    return marked and word(thing, "kind") in _KINDS and bool(name_of(thing))


def without_footer(text: str) -> str:
    """The text of an entry of Reddit's web feeds without the line of links below it."""
    return _FOOTER.sub("", text)


def _post(thing: Any) -> FetchedPost | str:
    data = at(thing, "data")
    if word(thing, "kind") not in _KINDS:
        return "no_post"
    parent = word(data, "crosspost_parent")
    parents = many(data, "crosspost_parent_list")
    body = word(data, "body") or word(data, "selftext") or (word(parents[0], "selftext") if parents else "")
    path = word(data, "permalink") or _short_path(thing)
    return make_post(
        name_of(thing),
        # Their markdown is full of references such as &#x200B; and &nbsp;.
        html.unescape(join_text(word(data, "title"), body)),
        published=_moment(at(data, "created_utc")),
        url=_SITE + path if path.startswith("/") else "",
        author=word(data, "author_fullname"),
        repost_of=parent,
    )


def _short_path(thing: Any) -> str:
    """The path of a thing without a permalink, as old comments are."""
    own, parent = _NAME.fullmatch(name_of(thing)), _NAME.fullmatch(word(thing, "data", "link_id"))
    if not own:
        return ""
    return f"/comments/{parent[1]}/_/{own[1]}" if parent else f"/comments/{own[1]}"


def _moment(value: Any) -> datetime | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LAST_SECOND:
        return datetime.fromtimestamp(value, UTC)
    return "" if value is None else str(value)[:100]
