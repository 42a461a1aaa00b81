"""Mastodon (and servers that speak its API): hashtags, public timelines, lists and accounts, asked or listened to.

Posts are asked for forwards with `min_id`, so that no burst between two fetches is skipped; a few posts before the
newest are asked for again, because a post of another server is filed under the time it was written. Must not ask
with `since_id`, nor keep what its author has not agreed to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from schemas.errors import PermanentError, Reason
from schemas.records import Feed, Page
from services.sources.base import Known, Means, Mode
from services.sources.mastodon.cursor import after_page, start_of, unseen
from services.sources.mastodon.events import listen
from services.sources.mastodon.gone import find_gone
from services.sources.mastodon.places import Place, read_address, read_place
from services.sources.mastodon.posts import Statuses, order, own_id, read_consent, read_statuses
from services.sources.mastodon.server import Server, limit_left
from services.sources.reading import many, read_json, word

__all__ = ["MODES", "MastodonSource", "parse", "read_address"]

MODES: tuple[Mode, ...] = ("poll", "stream")
FULL = 20
"""A page of so many posts may have a next one; servers give 20 to 40."""


def parse(body: bytes, *, address: str, consent: str = "strict") -> Page:
    """The posts of one saved answer: a list of statuses, or one status.

    Raises PermanentError(NOT_A_FEED).
    """
    found = read_statuses(_listed(body, address), consent)
    return Page(posts=tuple(found.posts), dropped=dict(found.dropped))


class MastodonSource:
    """Asks, listens to, and re-checks posts on Mastodon servers."""

    def __init__(self, means: Means) -> None:
        self._fetcher = means.fetcher
        self._tokens = means.keys.get("mastodon_tokens", "")
        self._consent = read_consent(means.keys.get("consent", ""))

    def fetch(self, feed: Feed, now: datetime) -> Page:  # noqa: ARG002 - the shape of a Source
        """The newest page, or the posts after the cursor. Raises what Server.get and parse raise."""
        return self._page(read_place(feed.address), feed.cursor)[0]

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:  # noqa: ARG002
        """First what was missed, asked for; then the stream. Raises PermanentError(BAD_CONFIG) for an account."""
        place = read_place(feed.address)
        place.stream()
        server = Server(self._fetcher, self._tokens, place)
        return listen(server, feed.cursor, lambda cursor: self._page(place, cursor), self._consent, stopping)

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """The posts that their own server answers with 404 or 410. Raises as fetch does when no server answers."""
        return find_gone(posts, lambda place: Server(self._fetcher, self._tokens, place))

    def _page(self, place: Place, kept: Mapping[str, Any]) -> tuple[Page, Statuses]:
        server = Server(self._fetcher, self._tokens, place)
        cursor = kept if kept.get("address") == place.address else {}
        account = _account(server, place, cursor) if place.what == "account" else ""
        start = start_of(cursor)
        url = place.posts(account) + (f"&min_id={quote(start, safe='')}" if start else "")
        response = server.get(url)
        listed = _listed(response.body, place.host)
        if not listed:
            server.refuse_closed()
        found = read_statuses(unseen(cursor, listed), self._consent)
        highest = max((own_id(s) for s in listed), key=order, default="")
        more = bool(start) and len(listed) >= FULL and order(highest) > order(start)
        wait = limit_left(response)
        page = Page(
            posts=tuple(found.posts),
            cursor={**after_page(cursor, listed, more=more), "address": place.address, "account": account},
            dropped=dict(+found.dropped),
            more=more and wait is None,
            min_interval=wait,
            title=place.title,
        )
        return page, found


def _listed(body: bytes, place: str) -> list[Any]:
    found = read_json(body, place)
    if isinstance(found, dict) and "uri" in found and "account" in found:
        return [found]
    if not isinstance(found, list):
        raise PermanentError(
            Reason.NOT_A_FEED, f"{place} does not answer as a Mastodon server does. Check the address."
        )
    return many(found)


def _account(server: Server, place: Place, cursor: Mapping[str, Any]) -> str:
    if known := word(cursor, "account"):
        return known
    found = own_id(server.json(f"{place.base}/api/v1/accounts/lookup?acct={quote(place.name, safe='@')}"))
    if not found:
        raise PermanentError(Reason.NOT_A_FEED, f"{place.host} does not say who @{place.name} is. Check the address.")
    return found
