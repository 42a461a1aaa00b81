"""Reads platforms' JSON without trusting it, and makes posts of what is there. Pure; must not fetch."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost
from services.analysis.links import web_link
from services.analysis.text import clean_line, clean_text
from services.analysis.times import parse_time
from services.sources.items import language, native_id
from services.sources.rss.html import is_html

MAX_NUMBER_DIGITS = 30


def read_json(body: bytes, place: str) -> Any:
    """The JSON value in `body`, whose depth and text may be anything.

    Raises PermanentError(NOT_A_FEED), naming `place`, when there is none.
    """
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        what = "a web page" if is_html(text) else "something else"
        raise PermanentError(
            Reason.NOT_A_FEED, f"{place} answers with {what} instead of JSON. Check the address in a browser."
        ) from None


def at(value: Any, *path: str) -> Any:
    """What stands at `path` inside nested objects; None where the way breaks off."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: Any, *path: str) -> str:
    """The text at `path`; a whole number as its digits; "" for anything else."""
    found = at(value, *path)
    if isinstance(found, str):
        return found
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**MAX_NUMBER_DIGITS:
        return str(found)
    return ""


def many(value: Any, *path: str) -> list[Any]:
    """The list at `path` ([] when there is none); without a path, `value` itself."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def make_post(
    identity: str,
    text: str,
    *,
    published: str | datetime = "",
    url: str = "",
    author: str = "",
    lang: str = "",
    repost_of: str = "",
) -> FetchedPost | str:
    """A post with every field cleaned and bounded, or why it is none: `no_identity`, `no_text`.

    `text` is plain text (markup already taken out), `published` a time or its text in one of the forms that
    parse_time reads, `author` the author's native id or address, which never changes when a name does.
    """
    kept = native_id(identity)
    if not kept:
        return "no_identity"
    cleaned, changes = clean_text(text)
    if not cleaned.strip():
        return "no_text"
    stated = isinstance(published, datetime)
    return FetchedPost(
        native_id=kept,
        text=cleaned.strip(),
        published_at=published if isinstance(published, datetime) else parse_time(published),
        published_raw="" if stated else clean_line(str(published), limit_bytes=100),
        url=web_link(url),
        author=clean_line(author, limit_bytes=200),
        lang=language(lang),
        repost_of=native_id(repost_of),
        cleaned=changes,
    )


def told_apart(found: Iterable[FetchedPost | str]) -> tuple[tuple[FetchedPost, ...], dict[str, int]]:
    """What make_post gave for each item: the posts, and how many are none, by reason."""
    posts: list[FetchedPost] = []
    dropped: Counter[str] = Counter()
    for one in found:
        if isinstance(one, str):
            dropped[one] += 1
        else:
            posts.append(one)
    return tuple(posts), dict(dropped)
