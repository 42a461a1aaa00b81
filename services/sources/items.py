"""Items of web feeds as their documents give them, and the fields that every kind of source shares. Pure.

Must not parse documents or fetch.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b, sha256

from services.analysis.text import clean_line, html_to_text

MAX_ITEMS = 2000
"""Items taken of one document; the rest is counted as `too_many`."""
MAX_ID_BYTES = 500
"""Longest native id kept as it is; longer ones become their SHA-256."""
_MAX_MARKUP = 1_000_000
_C1 = {0x80 + n: character for n, character in enumerate(bytes(range(0x80, 0xA0)).decode("cp1252", "replace"))}
_CONTROL = re.compile("[\x80-\x9f]")
"""Nobody writes these control characters; they are Windows-1252 by the wrong name."""
_LETTERS = re.compile(r"\W+")
_COMPARED, _BEGINNING = 20_000, 40
"""Characters of a text that are compared, and letters by which an excerpt is recognised: its end is often another."""
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
    link: str = ""
    """The page whose feed it is, as written."""
    hub: str = ""
    topic: str = ""
    """WebSub: who distributes the feed, and the address by which the hub knows it; "" when it says nothing."""
    updated: datetime | None = None
    """The feed's own present."""
    ttl: timedelta | None = None
    ended: bool = False
    too_many: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def plain(value: object, *, markup: bool = True) -> str:
    """A value of a feed document as plain text; "" for anything but a string."""
    if not isinstance(value, str):
        return ""
    text = html_to_text(value[:_MAX_MARKUP]) if markup else value[:_MAX_MARKUP].strip()
    return text.translate(_C1) if _CONTROL.search(text) else text


def join_text(title: str, body: str) -> str:
    """Title and body as one text, without saying twice what the body begins with."""
    bare_title, bare_body = _bare(title), _bare(body)
    if bare_body.startswith(bare_title):
        return body if bare_body else title or body
    return title if bare_title.startswith(bare_body) else f"{title}\n\n{body}"


def with_summary(summary: str, body: str) -> str:
    """`body` after its `summary`, unless that is only how the body begins (or the other way round)."""
    short, long = (_LETTERS.sub("", text[:_COMPARED].casefold()) for text in (summary, body))
    if short[:_BEGINNING] in long:
        return body
    return summary if long[:_BEGINNING] in short else f"{summary}\n\n{body}"


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


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .…")
