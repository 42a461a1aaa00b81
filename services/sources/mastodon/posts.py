"""Statuses of the Mastodon API as posts: consent, visibility, boosts, text. Pure; must not fetch."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.records import FetchedPost
from services.analysis.text import html_to_text
from services.sources.items import MAX_ITEMS, join_text, plain
from services.sources.reading import at, make_post, many, word

_OPEN = ("public", "unlisted")
_OPTED_OUT = re.compile(r"(?<!\w)[#＃]?(?:nobots?|noindex)(?!\w)", re.IGNORECASE)
_OWN_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_MAX_NOTE = 20_000


@dataclass(slots=True)
class Statuses:
    """What an answer, or a piece of a stream, held."""

    posts: list[FetchedPost] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    ids: dict[str, str] = field(default_factory=dict)
    """The server's own id of each kept post → its native_id."""

    def add(self, status: Any, consent: str) -> bool:
        """Take in one status, as a post or as a reason why it is none; whether it is one."""
        own = own_id(status)
        post = read_status(status, consent)
        if isinstance(post, str):
            self.dropped[post] += 1
            return False
        self.posts.append(post)
        self.ids[own] = post.native_id
        return True


def own_id(value: Any) -> str:
    """The id that the server itself gives to a status; "" when it has none that is a plain word."""
    found = word(value, "id")
    return found if _OWN_ID.fullmatch(found) else ""


def order(status_id: str) -> tuple[int, str]:
    """Sorts a server's ids by age: numbers that grow, or time-sortable words of one length."""
    return len(status_id), status_id


def read_consent(policy: str) -> str:
    """`strict` (also when nothing is set) or `normal`. Raises PermanentError(BAD_CONFIG) for anything else."""
    policy = policy.strip().lower() or "strict"
    if policy not in ("strict", "normal"):
        raise PermanentError(Reason.BAD_CONFIG, f"FRAMEWATCH_CONSENT is strict or normal, not {policy[:40]!r}.")
    return policy


def read_statuses(statuses: Iterable[Any], consent: str) -> Statuses:
    """The posts among `statuses`, at most MAX_ITEMS; the rest is counted."""
    found = Statuses()
    for number, status in enumerate(statuses):
        if number < MAX_ITEMS:
            found.add(status, consent)
        else:
            found.dropped["too_many"] += 1
    return found


def read_status(status: Any, consent: str) -> FetchedPost | str:
    """The post in `status`, or why it is none: `no_consent`, `not_public`, `no_identity`, `no_text`.

    A boost is a post of its own with the text of the original; both authors must consent, and both be public.
    """
    original = at(status, "reblog") or status
    for part in (status, original):
        if word(part, "visibility") not in (*_OPEN, ""):
            return "not_public"
        if not _may_keep(at(part, "account"), consent):
            return "no_consent"
    boosted = original is not status
    account = at(status, "account")
    return make_post(
        word(status, "uri"),
        join_text(word(original, "spoiler_text").strip(), plain(at(original, "content"))),
        published=word(status, "created_at"),
        url=word(original, "url") or word(original, "uri"),
        author=word(account, "uri") or word(account, "url"),
        lang=word(original, "language"),
        repost_of=word(original, "uri") if boosted else "",
    )


def _may_keep(account: Any, consent: str) -> bool:
    if at(account, "noindex") is True or _says_no(account):
        return False
    return consent == "normal" or at(account, "indexable") is True


def opted_out(about: str) -> bool:
    """Whether what somebody says about themselves (HTML or plain) asks not to be collected: #nobot, #noindex."""
    return bool(about) and bool(_OPTED_OUT.search(html_to_text(about[:_MAX_NOTE])))


def _says_no(account: Any) -> bool:
    said = [word(account, "note"), *(word(row, "value") for row in many(account, "fields")[:20])]
    return any(opted_out(text) for text in said)
