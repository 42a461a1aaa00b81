"""Where posts come from: each kind of source is one small file, named here and loaded when first asked for.

Must not know what any one kind does, store anything, or decide when to fetch again.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from urllib.parse import urlsplit

from schemas.errors import PermanentError, Reason
from schemas.records import Page
from services.sources.base import Discovering, Known, Means, Mode, Parse, ReadAddress, Rechecking, Source, Stream

__all__ = [
    "SOURCES", "Known", "Means", "Mode", "Source", "Stream", "discover", "host_of", "is_billed", "mode_of",
    "parse_file", "read_address", "rechecking", "source_for", "stream_for",
]  # fmt: skip

SOURCES: dict[str, str] = {
    "bluesky": "services.sources.bluesky:BlueskySource",
    "gdelt": "services.sources.gdelt:GdeltSource",
    "hackernews": "services.sources.hackernews:HackerNewsSource",
    "jsonl": "services.sources.jsonl:JsonlSource",
    "lemmy": "services.sources.lemmy:LemmySource",
    "mastodon": "services.sources.mastodon:MastodonSource",
    "nostr": "services.sources.nostr:NostrSource",
    "push": "services.sources.push:PushSource",
    "reddit": "services.sources.reddit:RedditSource",
    "rss": "services.sources.rss:RssSource",
    "telegram": "services.sources.telegram:TelegramSource",
    "x": "services.sources.x:XSource",
    "youtube": "services.sources.youtube:YoutubeSource",
}
"""Kind of source → the class that fetches it, made from Means.

Beside the class, its module has `parse` (one saved answer), `read_address` (what a person types) and MODES, the ways
of hearing it, the usual one first; HOST, where all feeds of the kind are asked of one host that no address names;
BILLED, where reading costs.
"""


def source_for(kind: str, means: Means) -> Source:
    """A source of `kind` to ask for pages. Raises PermanentError: UNKNOWN_KIND, BAD_CONFIG when it is never polled."""
    source = _build(kind, means)
    if not isinstance(source, Source):
        raise PermanentError(Reason.BAD_CONFIG, f"a {kind} feed cannot be polled; it is heard another way")
    return source


def stream_for(kind: str, means: Means) -> Stream:
    """A source of `kind` to listen to. Raises PermanentError: UNKNOWN_KIND, BAD_CONFIG when it is never streamed."""
    stream = _build(kind, means)
    if not isinstance(stream, Stream):
        raise PermanentError(Reason.BAD_CONFIG, f"a {kind} feed cannot be listened to; it is heard another way")
    return stream


def rechecking(kind: str, means: Means) -> Rechecking | None:
    """A source of `kind` to ask whether posts are still there; None when it cannot tell. Raises UNKNOWN_KIND."""
    source = _build(kind, means)
    return source if isinstance(source, Rechecking) else None


def discover(kind: str, means: Means, address: str) -> list[tuple[str, str]]:
    """(address, title) of the feeds behind an address; [] for a kind that has no pages. Raises as fetch does."""
    source = _build(kind, means)
    return source.discover(address) if isinstance(source, Discovering) else []


def mode_of(kind: str, wanted: str = "") -> Mode:
    """How a feed of `kind` is heard, as `wanted` or as usual.

    Raises PermanentError: UNKNOWN_KIND, BAD_CONFIG when this kind cannot be heard as wanted.
    """
    modes: tuple[Mode, ...] = _load(kind)[0].MODES
    for mode in modes:
        if wanted in ("", mode):
            return mode
    raise PermanentError(Reason.BAD_CONFIG, f"a {kind} feed cannot be heard by {wanted}, only by {' or '.join(modes)}")


def host_of(kind: str, address: str) -> str:
    """Whom a feed of `kind` troubles: the platform's host, or that of its address. Raises UNKNOWN_KIND."""
    fixed: str = getattr(_load(kind)[0], "HOST", "")
    try:
        return fixed or urlsplit(address).netloc.rpartition("@")[2].lower() or address
    except ValueError:
        return address


def is_billed(kind: str) -> bool:
    """Whether every post that a source of `kind` gives is paid for. Raises UNKNOWN_KIND."""
    billed: bool = getattr(_load(kind)[0], "BILLED", False)
    return billed


def read_address(kind: str, address: str) -> str:
    """The one form in which an address of `kind` is kept. Raises PermanentError: UNKNOWN_KIND, BAD_ADDRESS."""
    read: ReadAddress = _load(kind)[0].read_address
    return read(address)


def parse_file(kind: str, body: bytes, address: str) -> Page:
    """The posts in a saved answer of a source of `kind`; relative links are read against `address`.

    Raises PermanentError(UNKNOWN_KIND), and what the kind's own `parse` raises.
    """
    parse: Parse = _load(kind)[0].parse
    return parse(body, address=address)


def _build(kind: str, means: Means) -> object:
    module, name = _load(kind)
    build: Callable[[Means], object] = getattr(module, name)
    return build(means)


def _load(kind: str) -> tuple[ModuleType, str]:
    if kind not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        raise PermanentError(Reason.UNKNOWN_KIND, f"{kind!r} is not a kind of source; known are: {known}")
    path, _, name = SOURCES[kind].partition(":")
    return import_module(path), name
