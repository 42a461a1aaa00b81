"""X: searches of the last seven days and users' timelines, by API v2 with a bearer token and a monthly budget.

Must not read a post that the budget does not cover.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Feed, Page
from services.analysis.links import web_link
from services.fetch import shown
from services.sources.base import Known, Means, Mode
from services.sources.reading import word
from services.sources.x.address import Place, place_of
from services.sources.x.api import KEY_REMEDY, BadParameterError, ask
from services.sources.x.budget import Budget
from services.sources.x.posts import GONE, billed, is_id, newest, page_of, posts_in, problems, read_answer
from services.sources.x.walk import Walk, read_walk, step, timeline_is_short

MODES: tuple[Mode, ...] = ("poll",)
HOST = "api.x.com"
BILLED = True
_API = "https://api.x.com"
_FIELDS = "author_id,created_at,edit_history_tweet_ids,lang,note_tweet,referenced_tweets"
_SIZES = (100, 10)
"""Posts a page: as many as there may be, or as few when the budget runs out."""
_TOKENS = frozenset({"next_token", "pagination_token"})


def read_address(address: str) -> str:
    """`@name`, `search:QUERY`; also `#hashtag` and links to such pages. Raises PermanentError(BAD_ADDRESS)."""
    return place_of(address).canonical


def parse(body: bytes, *, address: str) -> Page:
    """The posts of a saved answer. Raises PermanentError(NOT_A_FEED)."""
    return page_of(read_answer(body, shown(address)))


class XSource:
    """Reads X; thread-safe. `api` is the server of `gone`, for gateways; `clock` its time."""

    def __init__(
        self, means: Means, *, api: str = "", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._means = means
        self._budget = Budget(means)
        self._api = api or _API
        self._clock = clock

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """The next page.

        Raises PermanentError: NO_CREDENTIALS, BAD_CONFIG (no budget), BAD_ADDRESS (X does not understand the search),
        NO_ACCESS; TransientError: BUDGET_SPENT, NO_ACCESS, NOT_FOUND, and what Fetcher.get raises.
        """
        place, base = place_of(feed.address), _base(feed.options) or _API
        walk = read_walk(feed.cursor, now, window=bool(place.query))
        cursor = dict(feed.cursor)
        if place.name and not is_id(word(cursor, "user_id")):
            cursor["user_id"] = self._user(place.name, base, now)
        walk, answer = self._page(place, base, cursor, walk, now)
        return _page(feed, place, cursor, walk, answer)

    def gone(self, posts: Sequence[Known]) -> frozenset[str]:
        """Those of `posts` that X no longer shows to everybody; each that is still there is charged."""
        asked = sorted({post.native_id for post in posts if is_id(post.native_id)})
        if not asked:
            return frozenset()
        url = f"{self._api}/2/tweets?{urlencode({'ids': ','.join(asked)})}"
        answer = self._ask(lambda _: url, [len(asked)], self._clock())
        # An id is gone when X says so; one that X passes over in silence is not.
        told = {subject for kind, subject in problems(answer) if kind in GONE}
        return frozenset(told.intersection(asked).difference(word(item, "id") for item in posts_in(answer)))

    def _page(self, place: Place, base: str, cursor: Mapping[str, Any], walk: Walk, now: datetime) -> tuple[Walk, Any]:
        """The page at which `walk` stands; when X no longer takes its page or its end, the walk begun anew."""
        for _ in range(3):
            try:
                return walk, self._listed(place, base, cursor, walk, now)
            except BadParameterError as refusal:
                if walk.token and refusal.names & _TOKENS:
                    walk = walk.without_token()
                elif walk.since and "since_id" in refusal.names:
                    walk = walk.without_since()
                else:
                    raise
        raise TransientError(Reason.REFUSED, "X refuses every way of asking for this page. Usually it passes.")

    def _listed(self, place: Place, base: str, cursor: Mapping[str, Any], walk: Walk, now: datetime) -> Any:
        path, query, token = "/2/tweets/search/recent", {"query": place.query}, "next_token"
        if place.name:
            path, query, token = f"/2/users/{word(cursor, 'user_id')}/tweets", {}, "pagination_token"
        query |= {"tweet.fields": _FIELDS, "since_id": walk.since, token: walk.token}
        asked = urlencode({name: value for name, value in query.items() if value})
        return self._ask(lambda reads: f"{base}{path}?{asked}&max_results={reads}", _SIZES, now)

    def _user(self, name: str, base: str, now: datetime) -> str:
        answer = self._ask(lambda _: f"{base}/2/users/by/username/{name}", (1,), now)
        found = word(answer, "data", "id")
        if not is_id(found):
            raise _no_posts(Place(name=name), answer)
        return found

    def _ask(self, url: Callable[[int], str], sizes: Sequence[int], now: datetime) -> Any:
        token = self._means.key("x_token", KEY_REMEDY)
        with self._budget.reserve(sizes, now) as held:
            answer = ask(self._means.fetcher, url(held.reads), token, now)
            held.used = billed(answer)
        return answer


def _page(feed: Feed, place: Place, cursor: Mapping[str, Any], walk: Walk, answer: Any) -> Page:
    if not posts_in(answer) and "meta" not in answer and "data" not in answer:
        raise _no_posts(place, answer)
    listed = len(posts_in(answer))
    taken = step(walk, cursor, token=word(answer, "meta", "next_token"), newest=newest(answer), listed=listed)
    cut_off = bool(place.name) and not taken.more and timeline_is_short(walk.seen + listed)
    return replace(
        page_of(answer),
        cursor=taken.cursor,
        more=taken.more,
        complete=taken.complete and not cut_off,
        # Inside a walk nothing is heard without a gap beyond what was heard before it.
        heard_until=feed.heard_until if taken.more else None,
    )


def _no_posts(place: Place, answer: Any) -> TransientError:
    kinds = {kind for kind, _ in problems(answer)}
    if "not-authorized-for-resource" in kinds:
        return TransientError(Reason.NO_ACCESS, f"{place.canonical} is protected or suspended: X shows no posts of it.")
    return TransientError(Reason.NOT_FOUND, f"X knows no {place.canonical}. Check the name.")


def _base(options: Mapping[str, Any]) -> str:
    base = str(options.get("api") or "").rstrip("/")
    if base and not web_link(base):
        raise PermanentError(Reason.BAD_CONFIG, "The feed's option `api` is no http(s) address.")
    return base
