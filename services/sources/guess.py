"""Tells what kind of source an address a person gives belongs to, by its form alone. Pure; must not fetch."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from schemas.errors import PermanentError, Reason
from services.sources import SOURCES, read_address


class Form(NamedTuple):
    """A form that addresses of one kind have: the kind, a pattern of the whole address, an example."""

    kind: str
    pattern: str
    example: str


_WEB = r"(?:https?://)?(?:[\w-]+\.)*"
_END = r"(?:[:/?#].*)?"
FORMS = (
    Form("jsonl", r"[^?#]+\.(?:jsonl|ndjson)(?:\.gz)?(?:[?#].*)?", "posts.jsonl.gz"),
    Form("telegram", _WEB + r"(?:t\.me|telegram\.me|telegram\.org/s)" + _END, "t.me/channel"),
    Form("telegram", r"tg://.*", "tg://resolve?domain=channel"),
    Form("youtube", _WEB + r"(?:youtube\.com|youtu\.be)" + _END, "youtube.com/@channel"),
    Form("youtube", r"UC[\w-]{22}", "UCxxxxxxxxxxxxxxxxxxxxxx"),
    Form("reddit", _WEB + r"(?:reddit\.com|redd\.it)" + _END, "reddit.com/r/name"),
    Form("reddit", r"/?(?:r|u|user)/[\w-]+(?:/.*)?", "r/name"),
    Form("x", _WEB + r"(?:x|twitter)\.com" + _END, "x.com/name"),
    Form("bluesky", _WEB + r"(?:bsky\.app|bsky\.social)" + _END, "@name.bsky.social"),
    Form("bluesky", r"(?:(?:list:)?at://|did:(?:plc|web):|keyword:).*", "keyword:Palmyra,Tadmur"),
    Form("bluesky", r"@[\w-]+\.bsky\.social", "@name.bsky.social"),
    Form("nostr", r"wss?://.*", "wss://relay.example.org"),
    Form("nostr", r"(?:nostr:)?(?:npub|nprofile|note|nevent|naddr)1[02-9ac-hj-np-z]{20,}", "npub1…"),
    Form("hackernews", _WEB + r"(?:news\.ycombinator\.com|hn\.algolia\.com)" + _END, "news.ycombinator.com/newest"),
    Form("gdelt", _WEB + r"api\.gdeltproject\.org" + _END, "https://api.gdeltproject.org/api/v2/doc/doc?query=…"),
    Form("lemmy", r"![\w.-]+@[\w.-]+", "!community@lemmy.world"),
    Form("lemmy", r"(?:https?://)?lemmy\.[\w.-]+/[cu]/.*", "lemmy.world/c/community"),
    Form("mastodon", r"[@#]\w[\w.-]*@[\w-]+(?:\.[\w-]+)+", "@name@mastodon.social"),
    Form(
        "mastodon",
        r"(?:https?://)?(?:mastodon\.[\w.-]+|mstdn\.[\w.-]+|mas\.to)/(?!.*\.(?:rss|atom|json)$)(?:@|tags/|public).*",
        "mastodon.social/tags/name",
    ),
    Form(
        "rss",
        r"(?:(?:https?|feed)://\S+|[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}(?::\d+)?(?:[/?]\S*)?)",
        "https://example.org/feed.xml",
    ),
)
"""Forms of addresses, the surest first. What many kinds could mean (`@name`, `#word`, words) is in none."""
_FEED = re.compile(r"(?:https?|feed)://.*(?:\.(?:rss|xml|atom|rdf)|/(?:rss|feed|atom))/?(?:\?.*)?", re.IGNORECASE)
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = 2000


def recognise(address: str, kind: str = "") -> tuple[str, str]:
    """(kind, the one form in which the address is kept) of what a person gave, who may have named the `kind`.

    Raises PermanentError: UNKNOWN_KIND; BAD_ADDRESS, which names the forms that would do.
    """
    text = address.strip()
    if _UNUSABLE.search(text) or len(text) > _LONGEST:
        raise PermanentError(Reason.BAD_ADDRESS, f"{text[:80]!r} is no address: it is too long or holds odd characters")
    first: PermanentError | None = None
    # People leave https:// out of the address of a page; not every kind does without it.
    spellings = [text] if "://" in text else [text, f"https://{text}"]
    for candidate in [kind] if kind else _candidates(text):
        for spelling in spellings:
            try:
                return candidate, read_address(candidate, spelling)
            except PermanentError as error:
                first = first or error
    raise first or _unknown(text)


def _candidates(text: str) -> Iterator[str]:
    """The kinds whose forms `text` has, one after the other; a feed stays one wherever it lies."""
    fitting = dict.fromkeys(f.kind for f in FORMS if f.kind in SOURCES and re.fullmatch(f.pattern, text, re.IGNORECASE))
    found = next(iter(fitting), "")
    if found:
        yield found
    if found != "rss" and _FEED.fullmatch(text):
        yield "rss"


def _unknown(text: str) -> PermanentError:
    examples = {form.kind: form.example for form in reversed(FORMS) if form.kind in SOURCES}
    shown = ", ".join(f"{example} ({kind})" for kind, example in sorted(examples.items()))
    told = text[:200].partition("?")[0]
    return PermanentError(
        Reason.BAD_ADDRESS,
        f"{told!r} does not tell what kind of source it is. Give one such as {shown}; or name it: --kind KIND.",
    )
