"""Posts and comments of the Lemmy API as posts of ours. Pure; must not fetch."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.records import FetchedPost
from services.sources.items import MAX_ITEMS, join_text, native_id
from services.sources.mastodon.posts import opted_out
from services.sources.reading import at, make_post, word

_MAX_MARKUP = 200_000
_MARKUP = tuple(
    (re.compile(pattern, re.MULTILINE), kept)
    for pattern, kept in (
        (r"^[ \t]*(?:```|~~~|:::)[^\n]{0,200}$", ""),
        (r"^[ \t]{0,3}(?:[-*_][ \t]*){3,40}$", ""),
        (r"^[ \t]{0,3}(?:>[ \t]?){1,20}", ""),
        (r"^[ \t]{0,3}#{1,6}[ \t]+", ""),
        (r"!?\[([^\[\]\n]{0,2000})\]\([^()\s]{0,2000}(?:[ \t]+\"[^\"\n]{0,300}\")?\)", r"\1"),
        (r"<(https?://[^<>\s]{1,2000})>", r"\1"),
        (r"(\*\*|__|~~|`)(?=\S)([^\n]{1,2000}?\S?)\1", r"\2"),
        (r"(?<![\w*\\])\*(?=[^\s*])([^*\n]{0,2000}[^*\n\\])\*(?![\w*])", r"\1"),
        (r"(?<![\w_\\])_(?=[^\s_])([^_\n]{0,2000}[^_\n\\])_(?![\w_])", r"\1"),
        (r"\\([\\`*_{}\[\]()#+\-.!>~|^])", r"\1"),
    )
)


@dataclass(slots=True)
class Views:
    """What a list of posts or comments held."""

    posts: list[FetchedPost] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def read_views(views: Iterable[Any], part: str) -> Views:
    """The posts, or with `part` comment the comments, among `views`; at most MAX_ITEMS, the rest is counted."""
    found = Views()
    for number, view in enumerate(views):
        if number >= MAX_ITEMS:
            found.dropped["too_many"] += 1
        elif at(view, part, "deleted") is True or at(view, part, "removed") is True:
            found.deleted.append(native_id(word(view, part, "ap_id")))
        elif isinstance(read := _read(view, part), str):
            found.dropped[read] += 1
        else:
            found.posts.append(read)
    found.deleted = [gone for gone in found.deleted if gone]
    return found


def markdown_to_text(markup: str) -> str:
    """Markdown without its marks: links and pictures leave their words, code and quotations their text.

    Takes any text and never fails; what is no mark is kept.
    """
    text = markup[:_MAX_MARKUP]
    for pattern, kept in _MARKUP:
        text = pattern.sub(kept, text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _read(view: Any, part: str) -> FetchedPost | str:
    if word(view, "community", "visibility") not in ("", "Public", "public", "Unlisted", "unlisted"):
        return "not_public"
    if opted_out(word(view, "creator", "bio")):
        return "no_consent"
    said = at(view, part)
    body = markdown_to_text(word(said, "content") or word(said, "body"))
    identity = word(said, "ap_id")
    return make_post(
        identity,
        join_text(word(said, "name").strip(), body),
        published=word(said, "published") or word(said, "published_at"),
        url=identity,
        author=word(view, "creator", "actor_id") or word(view, "creator", "ap_id"),
    )
