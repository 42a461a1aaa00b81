"""Items of web feeds, and how they become posts: identity, text, language. Pure; must not parse XML or fetch."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from urllib.parse import urljoin

from schemas.records import FetchedPost
from services.analysis.links import normalise_link, web_link
from services.analysis.text import clean_line, clean_text, html_to_text
from services.analysis.times import parse_time

MAX_ITEMS = 2000
"""Items taken of one document; the rest is counted as `too_many`."""
MAX_ID_BYTES = 500
"""Longest native id kept as it is; longer ones become their SHA-256."""
_MAX_MARKUP = 1_000_000
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,3})")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed document: raw strings, "" where it says nothing; title and body already plain text."""

    guid: str = ""
    link: str = ""
    title: str = ""
    body: str = ""
    author: str = ""
    lang: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One feed document, whatever its format."""

    items: Sequence[Item]
    title: str = ""
    updated: datetime | None = None
    """The feed's own present."""
    ttl: timedelta | None = None
    ended: bool = False
    too_many: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def posts_of(items: Iterable[Item], *, address: str, repeated: Iterable[str]) -> tuple[list[FetchedPost], Counter[str]]:
    """The posts of `items`, and how many items could not become one, by reason.

    `repeated` are the fingerprints of guids that say nothing, because several items share them.
    """
    posts: list[FetchedPost] = []
    dropped: Counter[str] = Counter()
    known = frozenset(repeated)
    for item in items:
        identity = _identity(item, address, known)
        text = clean_text(join_text(item.title, item.body))[0].strip()
        if identity and text:
            posts.append(_post(item, identity, text, address))
        else:
            dropped["no_text" if identity else "no_identity"] += 1
    return posts, dropped


def repeated_guids(items: Iterable[Item]) -> set[str]:
    """Fingerprints of the guids that items with different links (or, without links, titles) share."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.guid:
            seen[fingerprint(item.guid)].add(_other_name(item))
    return {guid for guid, others in seen.items() if len(others) > 1}


def join_text(title: str, body: str) -> str:
    """Title and body as one text, without saying twice what the body begins with."""
    bare_title, bare_body = _bare(title), _bare(body)
    if bare_body.startswith(bare_title):
        return body if bare_body else title or body
    return title if bare_title.startswith(bare_body) else f"{title}\n\n{body}"


def plain(value: object, *, markup: bool = True) -> str:
    """A value of a feed document as plain text; "" for anything but a string."""
    if not isinstance(value, str):
        return ""
    return html_to_text(value[:_MAX_MARKUP]) if markup else value[:_MAX_MARKUP].strip()


def native_id(value: str) -> str:
    """An identifier as it can be kept: one clean line, or its SHA-256 when it is longer than MAX_ID_BYTES."""
    line = clean_line(value, limit_bytes=MAX_ID_BYTES + 4)
    if len(line.encode()) <= MAX_ID_BYTES and len(value) <= 2 * MAX_ID_BYTES:
        return line
    return "sha256:" + sha256(value.encode("utf-8", "replace")).hexdigest()


def language(value: str) -> str:
    """A BCP 47 tag with a lower-case language, e.g. `ru` or `en-GB`; "" for what is none."""
    match = _LANGUAGE.fullmatch(value.strip())
    return match[1].lower() + match[2].replace("_", "-") if match else ""


def fingerprint(value: str) -> str:
    """12 hexadecimal digits that stand for `value` in a cursor."""
    return blake2b(value.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _post(item: Item, identity: str, text: str, address: str) -> FetchedPost:
    return FetchedPost(
        native_id=identity,
        text=text,
        published_at=parse_time(item.date),
        published_raw=clean_line(item.date, limit_bytes=100),
        url=web_link(_absolute(item.link, address)),
        author=clean_line(item.author, limit_bytes=200),
        lang=language(item.lang),
    )


def _identity(item: Item, address: str, repeated: frozenset[str]) -> str:
    link = normalise_link(_absolute(item.link, address))
    guid = native_id(item.guid)
    if guid and fingerprint(item.guid) in repeated:
        return native_id(f"{guid} {link or _title_and_date(item)}".strip())
    if guid or link:
        return guid or native_id(link)
    return _title_and_date(item) if item.date.strip() and (item.title or item.body).strip() else ""


def _title_and_date(item: Item) -> str:
    said = " ".join((item.title or item.body).split())
    return "title:" + sha256(f"{said}\0{item.date.strip()}".encode("utf-8", "replace")).hexdigest()[:32]


def _other_name(item: Item) -> str:
    return item.link.strip() or _title_and_date(item)


def _absolute(link: str, address: str) -> str:
    try:
        return urljoin(address, link.strip()) if link.strip() else ""
    except ValueError:
        return ""


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .…")
