"""Answers of X's API v2 and the posts in them. Pure; must not fetch."""

import html
from collections import Counter
from collections.abc import Iterator
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost, Page
from services.sources.items import MAX_ITEMS, native_id
from services.sources.reading import at, make_post, many, read_json, word

_POST = "https://x.com/i/web/status/"
_NO_LANGUAGE = ("und", "zxx", "art", "qam", "qct", "qht", "qme", "qst")
"""X's words for a text without a language of its own: links, hashtags, media."""
_OLD_CODES = {"in": "id", "iw": "he"}
GONE = ("resource-not-found", "not-authorized-for-resource")
"""Ends of the problem types that say that a post is no longer shown to everybody."""


def read_answer(body: bytes, place: str) -> Any:
    """The JSON object in `body`. Raises PermanentError(NOT_A_FEED), naming `place`, when it is none of X's."""
    value = read_json(body, place)
    if not isinstance(value, dict) or not any(name in value for name in ("data", "meta", "errors")):
        raise PermanentError(
            Reason.NOT_A_FEED, f"{place} answers with something else than a list of posts. Check the address."
        )
    return value


def page_of(answer: Any) -> Page:
    """The posts of an answer; versions that an edit has replaced are `deleted`."""
    items = posts_in(answer)
    posts: list[FetchedPost] = []
    deleted: list[str] = []
    dropped = Counter(too_many=max(len(items) - MAX_ITEMS, 0))
    for item in items[:MAX_ITEMS]:
        made = _post(item)
        if isinstance(made, str):
            dropped[made] += 1
        else:
            posts.append(made)
            deleted += _replaced(item)
    return Page(posts=tuple(posts), deleted=tuple(deleted), dropped=dict(+dropped))


def posts_in(answer: Any) -> list[Any]:
    """What an answer lists, one lookup's single post included."""
    one = at(answer, "data")
    return [one] if isinstance(one, dict) else many(answer, "data")


def billed(answer: Any) -> int:
    """How many posts X charges for an answer: those asked for and those it includes."""
    return len(posts_in(answer)) + len(many(answer, "includes", "tweets"))


def problems(answer: Any) -> Iterator[tuple[str, str]]:
    """The end of the type of each problem that an answer tells, and the id it is about."""
    for problem in many(answer, "errors"):
        subject = word(problem, "resource_id") or word(problem, "value")
        yield word(problem, "type").rpartition("/")[2], subject


def newest(answer: Any) -> str:
    """The highest id that an answer lists; "" when there is none."""
    ids = [word(item, "id") for item in posts_in(answer)]
    return max((one for one in [word(answer, "meta", "newest_id"), *ids] if is_id(one)), key=int, default="")


def is_id(value: str) -> bool:
    """Whether `value` can be the id of a post: up to 19 digits."""
    return value.isascii() and value.isdigit() and len(value) <= 19


def _post(item: Any) -> FetchedPost | str:
    identity, lang = word(item, "id"), word(item, "lang")
    # Their texts are escaped as in HTML: &amp; &lt; &gt;.
    return make_post(
        identity,
        html.unescape(word(item, "note_tweet", "text") or word(item, "text")),
        published=word(item, "created_at"),
        url=_POST + identity if identity else "",
        author=word(item, "author_id"),
        lang="" if lang in _NO_LANGUAGE else _OLD_CODES.get(lang, lang),
        repost_of=_reposted(item),
    )


def _reposted(item: Any) -> str:
    """The post that this one repeats; a quotation says something of its own and repeats nothing."""
    found = (word(one, "id") for one in many(item, "referenced_tweets") if word(one, "type") == "retweeted")
    return next(found, "")


def _replaced(item: Any) -> list[str]:
    versions = [native_id(word({"id": one}, "id")) for one in many(item, "edit_history_tweet_ids")]
    own = native_id(word(item, "id"))
    return [one for one in versions[: versions.index(own)] if one] if own in versions else []
