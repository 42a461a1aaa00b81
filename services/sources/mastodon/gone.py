"""Asks Mastodon servers, and others like them, whether posts are still there. Must not delete anything."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from schemas.errors import FramewatchError, Reason
from services.analysis.links import web_link
from services.sources.base import Known
from services.sources.mastodon.places import Place
from services.sources.mastodon.server import Server
from services.sources.reading import at, word

MOST_PER_HOST = 30
"""Questions to one server in one go: a tenth of what Mastodon allows in five minutes."""
LONGEST = timedelta(seconds=60)
"""What is not asked by then is left for another day."""
_ANSWER = timedelta(seconds=10)
_STATUS = re.compile(r"/@[^/]+/([0-9]{1,30})/?")
_OBJECT, _STATUS_TYPE = "application/activity+json", "application/json"


def find_gone(posts: Sequence[Known], server_of: Callable[[Place], Server]) -> frozenset[str]:
    """The native_ids that their own server says are gone; what cannot be asked counts as still there.

    A server that refuses or fails once is not asked again. Raises its error when none of the servers answered.
    """
    asking = _Asking(server_of)
    gone = frozenset(post.native_id for post in posts if asking.is_gone(post))
    if asking.failed and len(asking.failed) == len(asking.asked):
        raise next(iter(asking.failed.values()))
    return gone


class _Asking:
    """One round of questions, and what it has learnt about each host."""

    def __init__(self, server_of: Callable[[Place], Server]) -> None:
        self._server_of = server_of
        self._alive: dict[str, bool] = {}
        self.failed: dict[str, FramewatchError] = {}
        self.asked: Counter[str] = Counter()
        self._until = time.monotonic() + LONGEST.total_seconds()

    def is_gone(self, post: Known) -> bool:
        """Whether `post` is gone for certain."""
        place, url = _where(post)
        if not place.host or place.host in self.failed or self.asked[place.host] >= MOST_PER_HOST:
            return False
        if time.monotonic() > self._until:
            return False
        self.asked[place.host] += 1
        server = self._server_of(place)
        try:
            accept = _STATUS_TYPE if "/api/v1/" in url else _OBJECT
            answer = server.get(url, accept=accept, timeout=_ANSWER)
        except FramewatchError as error:
            if error.reason is Reason.GONE:
                return True
            if error.reason is Reason.NOT_FOUND:
                return self._is_alive(server, place)
            self.failed[place.host] = error
            return False
        with suppress(ValueError, RecursionError):
            return word(json.loads(answer.body.decode("utf-8", "replace")), "type") == "Tombstone"
        return False

    def _is_alive(self, server: Server, place: Place) -> bool:
        """Whether the server still is one: a host that lost its server answers everything with 404."""
        if place.host not in self._alive:
            self._alive[place.host] = False
            with suppress(FramewatchError):
                found = server.json(f"{place.base}/.well-known/nodeinfo")
                self._alive[place.host] = isinstance(at(found, "links"), list)
        return self._alive[place.host]


def _where(post: Known) -> tuple[Place, str]:
    """The server to ask, and the address: the status on its own server, or else the object itself."""
    shown = urlsplit(web_link(post.url))
    if status := _STATUS.fullmatch(shown.path):
        base = f"{shown.scheme}://{shown.netloc.lower()}"
        return Place(base, "public", "public"), f"{base}/api/v1/statuses/{status[1]}"
    kept = urlsplit(web_link(post.native_id))
    base = f"{kept.scheme}://{kept.netloc.lower()}" if kept.netloc else ""
    return Place(base, "public", "public"), kept.geturl()
