"""Cleans text at the edge, turns HTML into text, and makes the one form of a text that the encoder reads.

Pure. Every function takes any `str` at all (U+0000, lone surrogates, megabytes) and never raises; running
time is linear in the length. It must not decide what a post means.
"""

import hashlib
import html
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TEXT_BYTES = 64 * 1024
"""Longest text kept of one post, in UTF-8 bytes."""
_MAX_DEPTH = 64
_MAX_INTEGER_BITS = 1024
_MAX_ROUNDS = 8
_JOINER = "\u200d"

_MARKS = "".join(chr(c) for c in range(0x300, 0x1E950) if unicodedata.combining(chr(c)))
_CLEANING = (
    ("", re.compile(r"\r\n?|[\x0b\x0c\x85]"), "\n"),
    ("nul", re.compile(r"\x00"), ""),
    ("control", re.compile(r"[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"), ""),
    ("surrogate", re.compile(r"[\ud800-\udfff]"), "\ufffd"),
)
_COMMON_MARKS = "".join(mark for mark in _MARKS if len(mark.encode()) < 4)
_MARK = re.compile(f"[{_COMMON_MARKS}\U00010000-{_MARKS[-1]}]")
"""A mark, or one of the rarer scripts that have some: a class without their many gaps is ten times faster."""
# Unicode's stream-safe form (UAX #15) allows 30 marks in a row; without a limit normalising is quadratic.
_TOO_MANY_MARKS = (("marks", re.compile(f"([{_MARKS}]{{30}})[{_MARKS}]+"), r"\1"),)
"""Looked for only where there is a mark at all: it is slow, and most texts have none."""

_BLOCK = re.compile(
    "address|article|aside|blockquote|br|d[dlt]|div|fig(?:caption|ure)|footer|h[1-6r]|header|li|main|nav|[ou]l|p|pre|"
    "section|table|t[dhr]"
)
_SECTION_END = {
    "<!--": re.compile("-->"),
    "<![cdata[": re.compile("]]>"),
    **{n: re.compile(f"</{n}[^<>]*>", re.IGNORECASE) for n in ("script", "style", "template", "noscript")},
}
# An attribute value may hold ">" but no "<": that keeps the search linear on hostile input.
_TAG = re.compile(r"""<!--|<!\[CDATA\[|</?([a-zA-Z][^\s/<>]*+)(?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+>|<[!?][^<>]*>""")
# Only white space that changes: single blanks, which are nearly all of it, are no matches.
_WHITE, _SPACES = re.compile(r"\s{2,}|[^\S ]"), re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_LINE_BREAKS = re.compile(r" ?\n\s*")

_NOT_IN_LINK = r"\s<>\"'«»“”\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef"
LINK = re.compile(
    rf"https?://[^{_NOT_IN_LINK}]+"
    rf"|(?<![\w.@-])(?:www\.|(?:[a-z0-9-]{{1,63}}\.){{1,8}}[a-z]{{2,24}}/)[^{_NOT_IN_LINK}]+"
    r"|(?<!\w)https?(?::/{0,2})?…",
    re.IGNORECASE,
)
"""Web links, with or without scheme, also the stump that a truncated copy ends with."""
REPOST_PREFIX = re.compile(r"(?:\s*RT\s+@[\w.@-]+(?:\s*:|(?=\s|$)))+\s*", re.IGNORECASE)
"""One or more leading `RT @name:`; use with `match`."""
HANDLE = re.compile(r"(?<![\w@])@\w(?:[\w.-]{0,62}\w)?(?:@\w(?:[\w.-]{0,252}\w)?)?")
"""`@name`, `@name.example.org`, `@name@server.example`; no mail address."""
_LINK_HINT = re.compile(r"/|http|www\.", re.IGNORECASE)
"""Every link has one of these, and they are found in a fifth of the time."""
_MORE_TO_DO = re.compile(r"@(?!user(?![\w.@-]))|[#＃/]|http|www\.|^RT ", re.IGNORECASE)
"""Every text that a second round of `_for_encoder` could change has one of these."""
_HASHTAG = re.compile(r"(?<![#＃])[#＃]++(\w+)")
# Zero-width characters that carry no meaning; the joiners of emoji and Persian (U+200C, U+200D) stay.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean_text(text: str, *, limit_bytes: int = MAX_TEXT_BYTES) -> tuple[str, frozenset[str]]:
    """The text as any database and JSON will take it, and what had to be changed.

    Line ends become "\\n"; changes are named `nul`, `control`, `surrogate`, `marks` (more than 30 combining
    marks in a row), `normalised` (to NFC) and `cut` (to `limit_bytes` of UTF-8, never inside a character).
    Cleaning a cleaned text changes nothing.
    """
    if len(text) <= limit_bytes and text.isascii() and text.isprintable():
        return text, frozenset()
    changes = {"cut"} if len(text) > 2 * limit_bytes else set()
    text = text[: 2 * limit_bytes]  # a character has at least one byte: the rest could never be kept
    for name, pattern, replacement in (*_CLEANING, *(_TOO_MANY_MARKS if _MARK.search(text) else ())):
        text, count = pattern.subn(replacement, text)
        changes |= {name} if count else set()
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        changes.add("normalised")
    if len(text.encode()) > limit_bytes:
        text = _cut(text, limit_bytes)
        changes.add("cut")
    return text, frozenset(changes - {""})


def clean_line(text: str, *, limit_bytes: int = 1000) -> str:
    """`clean_text` for names, ids and addresses: one line, without blanks at the ends."""
    cleaned, _ = clean_text(" ".join(text[: 8 * limit_bytes].split()), limit_bytes=limit_bytes)
    return " ".join(cleaned.split())


def clean_json(value: Any) -> Any:
    """A copy of JSON `value` that jsonb takes: strings and keys cleaned; null instead of NaN, infinity,
    integers beyond 1,024 bits and nesting beyond 64 levels; anything that is not JSON as its cleaned `str`."""
    return _clean_json(value, _MAX_DEPTH)


def html_to_text(markup: str) -> str:
    """The readable text of an HTML fragment: tags gone, blocks on lines of their own, references decoded,
    quotations kept, scripts and styles dropped. Plain text only loses surplus white space."""
    if "<" not in markup and "&" not in markup:
        return " ".join(markup.split())
    text = _SPACES.sub(" ", html.unescape("".join(_pieces(markup))))
    return _LINE_BREAKS.sub("\n", text).strip()


def text_for_encoder(text: str) -> str:
    """What the encoder reads of a post: no links, no leading `RT @name:`, handles masked as `@user`, hashtags
    as words, white space collapsed; emoji stay. Applying it again changes nothing; "" when nothing is left."""
    for _ in range(_MAX_ROUNDS):  # one, and one more for what the first has uncovered
        before, text = text, _for_encoder(text)
        if text == before or not _MORE_TO_DO.search(text):
            break
    return text


def text_hash(text: str) -> bytes:
    """SHA-256 (32 bytes) of `text_for_encoder(text)`: equal exactly for texts that embed equally."""
    return hash_of(text_for_encoder(text))


def hash_of(told: str) -> bytes:
    """SHA-256 (32 bytes) of what text_for_encoder gave."""
    return hashlib.sha256(told.encode("utf-8", "replace")).digest()


def without_wrapping(text: str, *, handle: str) -> str:
    """`text` without links, invisible characters and leading `RT @name:`, each handle replaced by `handle`."""
    text = _INVISIBLE.sub("", text)
    text = (LINK.sub(" ", text) if _LINK_HINT.search(text) else text).lstrip()
    repost = REPOST_PREFIX.match(text)
    return HANDLE.sub(handle, text[repost.end() :] if repost else text)


def _for_encoder(text: str) -> str:
    return " ".join(_HASHTAG.sub(_as_words, without_wrapping(text, handle="@user")).split())


def _as_words(hashtag: re.Match[str]) -> str:
    glued = hashtag.start() > 0 and hashtag.string[hashtag.start() - 1].isalnum()
    return f" {_words(hashtag[1])}" if glued else _words(hashtag[1])


def _words(tag: str) -> str:
    spaced = [" " + c if _starts_word(tag, i) else c for i, c in enumerate(tag)]
    return "".join(spaced).replace("_", " ").strip()


def _starts_word(tag: str, i: int) -> bool:
    here, before, after = tag[i], tag[max(i - 1, 0)], tag[i + 1 : i + 2]
    if here.isupper():  # stopWar, USArmy, 2016Aleppo, but neither USA nor 5G
        return before.islower() or (i > 0 and before.isalnum() and after.islower())
    return here.isdigit() and before.isalpha() and tag[i : i + 4].isdigit() and len(tag) >= i + 4  # a year


def _pieces(markup: str) -> Iterator[str]:
    at = 0
    exhausted: set[str] = set()  # sections whose end does not occur any more: never looked for twice
    while tag := _TAG.search(markup, at):
        yield _WHITE.sub(" ", markup[at : tag.start()])
        at = tag.end()
        kind = (tag[1] or tag[0]).lower()
        if _BLOCK.fullmatch(kind):
            yield "\n"
        if kind not in _SECTION_END or kind in exhausted or tag[0].startswith("</"):
            continue
        end = _SECTION_END[kind].search(markup, at)
        if end is None:
            exhausted.add(kind)
            continue
        if kind == "<![cdata[":
            yield _WHITE.sub(" ", markup[at : end.start()])
        at = end.end()
    yield _WHITE.sub(" ", markup[at:])


def _cut(text: str, limit_bytes: int) -> str:
    kept = text.encode()[:limit_bytes].decode("utf-8", "ignore")
    rest = text[len(kept) : len(kept) + 1]
    # Not between a letter and its marks, nor inside a joined emoji (at most the 31 of a stream-safe text).
    for _ in range(31):
        if not kept or not (_extends(rest) or kept[-1] == _JOINER):
            break
        kept, rest = kept[:-1], kept[-1]
    return kept


def _extends(character: str) -> bool:
    return character == _JOINER or unicodedata.category(character)[0] == "M"


def _clean_json(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_INTEGER_BITS else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | list | tuple):
        if depth == 0:
            return None
        if isinstance(value, Mapping):
            return {clean_text(str(k))[0]: _clean_json(v, depth - 1) for k, v in value.items()}
        return [_clean_json(v, depth - 1) for v in value]
    return clean_text(str(value))[0]
