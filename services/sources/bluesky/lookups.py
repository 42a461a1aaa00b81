"""Asks Bluesky's public interface who somebody is, who is on a list, and which posts are still there.

It must not listen to the stream or keep what it learns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from schemas.errors import Reason, TransientError
from services.fetch import Fetcher
from services.sources.bluesky.address import DID, Target, matcher
from services.sources.bluesky.events import Wanted
from services.sources.reading import at, many, read_json, word

APPVIEW = "https://public.api.bsky.app"
"""Answers without a login: https://docs.bsky.app/docs/advanced-guides/api-directory."""
MAX_MEMBERS = 10_000
"""The most people that are heard of one list; a Jetstream takes no more by name."""
_LIST_PAGE, _POSTS_PAGE = 100, 25
_TIMEOUT = timedelta(seconds=10)
_JSON = {"Accept": "application/json"}


class Lookups:
    """Questions to the XRPC server at `base`."""

    def __init__(self, fetcher: Fetcher, base: str = APPVIEW) -> None:
        self._fetcher = fetcher
        self._base = base.rstrip("/")

    def wanted(self, target: Target) -> Wanted:
        """Which posts `target` is about, handles and lists looked up. Raises what Fetcher.get raises, NOT_FOUND."""
        if target.list_uri:
            return Wanted(dids=frozenset(self._members(target.list_uri)))
        dids = frozenset(self._did(actor) for actor in target.actors)
        return Wanted(dids, matcher(target.keywords))

    def gone(self, uris: Sequence[str]) -> frozenset[str]:
        """The addresses among `uris` (at://…) that are shown no more. Raises what Fetcher.get raises."""
        left = iter(uris)
        missing: set[str] = set()
        while batch := list(islice(left, _POSTS_PAGE)):
            answer = self._ask("app.bsky.feed.getPosts", [("uris", uri) for uri in batch])
            if not isinstance(at(answer, "posts"), list):
                raise TransientError(Reason.SERVER_ERROR, f"{self._base} answers without a list of posts.")
            missing |= set(batch) - {word(post, "uri") for post in many(answer, "posts")}
        return frozenset(missing)

    def _did(self, actor: str) -> str:
        if not actor.startswith("@"):
            return actor
        try:
            answer = self._ask("com.atproto.identity.resolveHandle", [("handle", actor[1:])])
        except TransientError as error:
            if error.reason is not Reason.REFUSED:
                raise
            answer = None
        did = word(answer, "did")
        if not DID.fullmatch(did):
            raise TransientError(Reason.NOT_FOUND, f"Bluesky knows nobody named {actor}. Check the spelling.")
        return did

    def _members(self, uri: str) -> Iterable[str]:
        authority, _, rest = uri.removeprefix("at://").partition("/")
        authority = authority if DID.fullmatch(authority) else self._did(f"@{authority}")
        members = dict.fromkeys(islice(self._listed(f"at://{authority}/{rest}"), MAX_MEMBERS))
        if not members:
            raise TransientError(Reason.NOT_FOUND, f"The list {uri} is empty or was deleted. Check it in a browser.")
        return members

    def _listed(self, uri: str) -> Iterator[str]:
        cursor = ""
        for _ in range(MAX_MEMBERS // _LIST_PAGE):
            asked = [("list", uri), ("limit", str(_LIST_PAGE)), ("cursor", cursor)]
            answer = self._ask("app.bsky.graph.getList", [pair for pair in asked if pair[1]])
            found = (word(item, "subject", "did") for item in many(answer, "items"))
            yield from (did for did in found if DID.fullmatch(did))
            cursor, before = word(answer, "cursor"), cursor
            if not cursor or cursor == before:
                return

    def _ask(self, method: str, parameters: Sequence[tuple[str, str]]) -> Mapping[str, Any] | None:
        url = f"{self._base}/xrpc/{method}"
        response = self._fetcher.get(f"{url}?{urlencode(parameters)}", headers=_JSON, timeout=_TIMEOUT)
        found = read_json(response.body, url)
        return found if isinstance(found, dict) else None
