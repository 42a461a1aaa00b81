"""Lemmy communities: their posts and comments, newest first, by the API that is called v3.

Lists have no way forwards: they are read backwards from the newest until something known comes, over several pages
if need be. A post's number on its server grows with its arrival, which tells what is known. Must not vote or log in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.sources.base import Known, Means, Mode
from services.sources.lemmy.posts import Views, read_views
from services.sources.mastodon.gone import find_gone
from services.sources.mastodon.server import Server
from services.sources.reading import at, many, read_json, word

MODES: tuple[Mode, ...] = ("poll",)
LIMIT = 50
"""Most that a server lists at once."""
MOST_PAGES = 20
"""A gap longer than so many pages is not read to its end."""
_SHORT = re.compile(r"!?([^@/\s]+)@([^@/\s]+)")
_PATH = re.compile(r"/c/(\w{1,100}(?:@[\w.:-]{1,250})?)/?", re.ASCII)
_HOST = re.compile(r"[a-z0-9\u00a1-\uffff][a-z0-9\u00a1-\uffff.-]*(?::\d{1,5})?")
_PARTS = ("post", "comment")


def read_address(address: str) -> str:
    """`https://host/c/community`, also from `!community@host`. Raises PermanentError(BAD_ADDRESS)."""
    text = address.strip()
    if short := _SHORT.fullmatch(text):
        text = f"https://{short[2]}/c/{short[1]}"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise _bad(address) from None
    host, path = parts.netloc.lower(), _PATH.fullmatch(unquote(parts.path))
    if len(text) > 1000 or parts.scheme not in ("http", "https") or not path or not _HOST.fullmatch(host):
        raise _bad(address)
    return f"{parts.scheme}://{host}/c/{path[1].lower().removesuffix('@' + host)}"


def parse(body: bytes, *, address: str) -> Page:
    """The posts and comments of one saved answer. Raises PermanentError(NOT_A_FEED)."""
    answer = read_json(body, address)
    if not any(isinstance(at(answer, f"{part}s"), list) for part in _PARTS):
        raise _no_server(address)
    read = [read_views(many(answer, f"{part}s"), part) for part in _PARTS]
    return _page(read, {})


class LemmySource:
    """Asks Lemmy servers for communities."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher

    def fetch(self, feed: Feed, now: datetime) -> Page:  # noqa: ARG002 - the shape of a Source
        """The newest posts and comments, or the next ones back. Raises what Fetcher.get and read_json raise."""
        cursor = feed.cursor if feed.cursor.get("address") == feed.address else {}
        read, scans = [], {}
        for part in _PARTS:
            scan = _Scan.of(at(cursor, part))
            if scan.at or not any(_Scan.of(at(cursor, other)).at for other in _PARTS):
                listed, after = self._list(feed.address, part, scan)
                fresh = [view for view in listed if scan.is_new(view, part)]
                read.append(read_views(fresh, part))
                scan = scan.after(listed, part, after)
            scans[part] = scan
        return _page(read, scans, feed.address)

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """The posts that their own server says are gone. Raises as fetch does when no server answers."""
        return find_gone(posts, lambda place: Server(self._fetcher, "", place))

    def _list(self, address: str, part: str, scan: "_Scan") -> tuple[list[Any], str]:
        """One page of the list, and where the next one is ("" after the last)."""
        base, _, name = address.partition("/c/")
        query = {"community_name": name, "sort": "New", "type_": "All", "limit": str(LIMIT)}
        if scan.at:
            query["page_cursor" if not scan.at.isdecimal() else "page"] = scan.at
        try:
            response = self._fetcher.get(f"{base}/api/v3/{part}/list?{urlencode(query)}")
        except TransientError as error:
            if error.reason is not Reason.REFUSED:
                raise
            raise TransientError(
                Reason.NOT_FOUND,
                f"{base} does not know the community {name}, or hides it. Check its address.",
            ) from error
        answer = read_json(response.body, base)
        if not isinstance(at(answer, f"{part}s"), list):
            raise _no_server(base)
        named = word(answer, "next_page")
        return many(answer, f"{part}s"), named if 0 < len(named) <= 200 else str(scan.pages + 2)


@dataclass(frozen=True, slots=True)
class _Scan:
    """How far one list is read: `floor` is the highest number known before this reading, `top` the highest met in
    it, `at` the page it goes on with ("" for anew), `edited` the last edit met."""

    floor: int = 0
    top: int = 0
    at: str = ""
    pages: int = 0
    edited: str = ""
    complete: bool = True

    @classmethod
    def of(cls, kept: Any) -> "_Scan":
        numbers = [int(word(kept, n)) if word(kept, n).isdecimal() else 0 for n in ("floor", "top", "pages")]
        return cls(numbers[0], numbers[1], word(kept, "at"), numbers[2], word(kept, "edited"))

    def is_new(self, view: Any, part: str) -> bool:
        """Whether `view` came, changed or went since the last reading."""
        changed = _edited(view, part) > self.edited or at(view, part, "deleted") is True
        return changed or at(view, part, "removed") is True or not 0 < _number(view, part) <= self.floor

    def after(self, listed: list[Any], part: str, following: str) -> "_Scan":
        """The scan after one more page; pinned posts stand first whatever their age, and tell nothing."""
        top = max([self.top, self.floor, *(_number(v, part) for v in listed)])
        plain = [v for v in listed if not _is_pinned(v, part)]
        known = not self.floor or any(0 < _number(v, part) <= self.floor for v in plain)
        edited = max([self.edited, *(_edited(v, part) for v in listed)])
        if known or len(listed) < LIMIT:
            return _Scan(floor=top, edited=edited)
        if self.pages + 1 >= MOST_PAGES:
            return _Scan(floor=top, edited=edited, complete=False)
        # Edits are compared with the last reading until this one is through.
        return _Scan(self.floor, top, following, self.pages + 1, self.edited)

    def kept(self) -> dict[str, Any]:
        """As the cursor keeps it."""
        return {"floor": self.floor, "top": self.top, "at": self.at, "pages": self.pages, "edited": self.edited}


def _page(read: Sequence[Views], scans: Mapping[str, _Scan], address: str = "") -> Page:
    dropped: dict[str, int] = {}
    for views in read:
        dropped = {reason: dropped.get(reason, 0) + views.dropped[reason] for reason in {*dropped, *views.dropped}}
    base, _, name = address.partition("/c/")
    return Page(
        posts=tuple(post for views in read for post in views.posts),
        deleted=tuple(gone for views in read for gone in views.deleted),
        dropped=dropped,
        cursor={"address": address, **{part: scan.kept() for part, scan in scans.items()}} if address else {},
        more=any(scan.at for scan in scans.values()),
        complete=all(scan.complete for scan in scans.values()),
        title=f"!{name} on {base.partition('://')[2]}" if address else "",
    )


def _number(view: Any, part: str) -> int:
    found = at(view, part, "id")
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 1 << 62 else 0


def _edited(view: Any, part: str) -> str:
    found = word(view, part, "updated")
    return found if found.isascii() and found.isprintable() and len(found) <= 40 else ""


def _is_pinned(view: Any, part: str) -> bool:
    return any(at(view, part, name) is True for name in ("featured_community", "featured_local"))


def _no_server(place: str) -> PermanentError:
    return PermanentError(Reason.NOT_A_FEED, f"{place} does not answer as a Lemmy server does. Check the address.")


def _bad(address: str) -> PermanentError:
    return PermanentError(
        Reason.BAD_ADDRESS,
        f"{address[:200]!r} is no Lemmy community: !community@host and https://host/c/community are.",
    )
