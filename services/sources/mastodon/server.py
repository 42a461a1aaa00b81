"""How one Mastodon server is asked: its token, its refusals in words, whether a feed is open, where its streams are.

A token goes to the server it was made for, and to the stream that server names. Must not keep answers.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlsplit

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.fetch import Fetcher, Response, parse_reset
from services.sources.mastodon.places import Place
from services.sources.reading import at, read_json, word

_LONGEST = timedelta(seconds=20)
_PULSE = timedelta(seconds=0.25)
_READING = {"tag": "hashtag_feeds", "public": "live_feeds"}


class Server:
    """The server of `place`, asked through `fetcher`; `tokens` is `host=token,host=token`."""

    def __init__(self, fetcher: Fetcher, tokens: str, place: Place) -> None:
        self._fetcher = fetcher
        self._place = place
        self._token = read_tokens(tokens).get(place.host, "")

    def get(self, url: str, *, accept: str = "application/json", timeout: timedelta = _LONGEST) -> Response:
        """The answer to a GET of `url` on this server. Raises as Fetcher.get does; NO_ACCESS says what to do."""
        try:
            return self._fetcher.get(url, headers=self._headers(accept), timeout=timeout)
        except TransientError as error:
            self._explain(error)

    def json(self, url: str) -> Any:
        """The JSON that `url` answers with. Raises as `get` and read_json do."""
        return read_json(self.get(url).body, self._place.host)

    @contextmanager
    def listen(self) -> Iterator[Iterator[bytes]]:
        """The bytes of the place's stream. Raises as Fetcher.listen does; NO_ACCESS says what to do."""
        url = self._stream_base() + self._place.stream()
        opened = self._fetcher.listen(url, headers=self._headers("text/event-stream"), pulse=_PULSE)
        with ExitStack() as stack:
            try:
                _, pieces = stack.enter_context(opened)
            except TransientError as error:
                self._explain(error)
            yield pieces

    def refuse_closed(self) -> None:
        """Return when an empty answer means that nothing was said; raise TransientError(NO_ACCESS) when this feed is
        switched off or shown only to those logged in (since Mastodon 4.5 such a feed may just be empty)."""
        setting, host = _READING.get(self._place.what, ""), self._place.host
        levels: set[str] = set()
        if not setting:
            return
        with suppress(FramewatchError):
            access = at(self._instance(), "configuration", "timelines_access", setting)
            levels = {word(access, side) for side in _sides(self._place)}
        if "disabled" in levels:
            raise TransientError(
                Reason.NO_ACCESS,
                f"{host} has switched this feed off (or a part of it), so that nothing comes, whoever asks. "
                "Hear it through another server.",
            )
        if "authenticated" in levels and not self._token:
            raise TransientError(Reason.NO_ACCESS, f"{host} shows this feed only to those logged in. {self._remedy()}")

    def _instance(self) -> Any:
        return self.json(f"{self._place.base}/api/v2/instance")

    def _stream_base(self) -> str:
        named = ""
        with suppress(FramewatchError):
            named = word(self._instance(), "configuration", "urls", "streaming")
        secure = self._place.base.startswith("https:")
        try:
            host = urlsplit(named).netloc.rpartition("@")[2]
        except ValueError:
            host = ""
        # Never plainer than the server itself: the token travels along.
        scheme = "https" if secure or named.startswith(("wss:", "https:")) else "http"
        return f"{scheme}://{host}" if host else self._place.base

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept, "Authorization": f"Bearer {self._token}" if self._token else ""}

    def _explain(self, error: TransientError) -> NoReturn:
        if error.reason is not Reason.NO_ACCESS:
            raise error
        host = self._place.host
        if self._token:
            said = (
                f"{host} does not accept its token for this. Make a new one with the scopes read:statuses, read:lists."
            )
        else:
            said = f"{host} shows this only to those logged in. {self._remedy()}"
        raise TransientError(Reason.NO_ACCESS, said, error.retry_after) from error

    def _remedy(self) -> str:
        return (
            f"Log in there, make a token under Preferences, Development (scope read), and set "
            f"FRAMEWATCH_MASTODON_TOKENS to {self._place.host}=TOKEN."
        )


def read_tokens(text: str) -> dict[str, str]:
    """Host → token. Raises PermanentError(BAD_CONFIG) that shows no token."""
    pairs = [entry.strip().partition("=") for entry in text.split(",") if entry.strip()]
    if any(not host.strip() or not token.strip() for host, _, token in pairs):
        raise PermanentError(
            Reason.BAD_CONFIG,
            "FRAMEWATCH_MASTODON_TOKENS is a list such as mastodon.example=TOKEN,social.example=TOKEN.",
        )
    return {host.strip().lower(): token.strip() for host, _, token in pairs}


def limit_left(response: Response) -> timedelta | None:
    """How long to stay away because no request is left in this period; None while some are."""
    headers: Mapping[str, str] = response.headers
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    return parse_reset(headers, response.date or datetime.now(UTC))


def _sides(place: Place) -> tuple[str, ...]:
    side = place.name.partition("/")[2] if place.what == "public" else ""
    return (side,) if side else ("local", "remote")
