"""Addresses of Nostr feeds: a relay, and behind `#` what is wanted of it. Pure; must not connect."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from schemas.errors import PermanentError, Reason
from services.analysis.links import web_link
from services.sources.nostr import bech32

NOTES, DELETION, REPOSTS = 1, 5, (6, 16)
"""Kinds of events: text notes (NIP-01), deletion requests (NIP-09), reposts (NIP-18)."""
USUAL_KINDS = (NOTES, *REPOSTS)
KINDS = frozenset({*USUAL_KINDS, 9, 11, 20, 21, 22, 42, 1111, 1311})
"""Kinds whose content is what somebody says in public and never changes: chats, threads, pictures, videos, comments
besides. Profiles, private messages and what is replaced under the same name are none of them."""
_SCHEMES = {"wss": "https", "ws": "http", "https": "https", "http": "http"}
_HEX = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[^\s#&=,\x00-\x1f\ud800-\udfff]{1,100}")
_MOST = 200
_FORMS = "wss://relay.example.org#t=palmyra,syria or wss://relay.example.org#authors=npub1…&kinds=1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a feed wants of a relay: events of these kinds, and of these hashtags and authors where any are named."""

    kinds: tuple[int, ...] = USUAL_KINDS
    hashtags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    """Public keys, in lower-case hexadecimal."""

    def posts(self) -> dict[str, Any]:
        """The filter for posts (NIP-01)."""
        return {"kinds": [*self.kinds], **({"#t": [*self.hashtags]} if self.hashtags else {}), **self._by()}

    def deletions(self) -> dict[str, Any]:
        """The filter for deletion requests: they bear no hashtags."""
        return {"kinds": [DELETION], **self._by()}

    def _by(self) -> dict[str, Any]:
        return {"authors": [*self.authors]} if self.authors else {}


def read_address(address: str) -> str:
    """A relay as wss:// (or ws://) with its filter in one order and keys in hexadecimal.

    Raises PermanentError(BAD_ADDRESS).
    """
    relay, _, asked = address.strip().partition("#")
    scheme, separator, rest = relay.partition("://")
    plain = web_link(f"{_SCHEMES.get(scheme.lower(), '?')}://{rest}" if separator else f"https://{relay}")
    parts = urlsplit(plain)
    if not plain or not (separator or "." in (parts.hostname or "")):
        raise _refused(address)
    place = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
    place += f"?{parts.query}" if parts.query else ""
    return "#".join(filter(None, (place, _written(_read(asked, address)))))


def split_address(address: str) -> tuple[str, Wanted]:
    """The relay and the filter of an address in its stored form, or in one that read_address takes."""
    relay, _, asked = read_address(address).partition("#")
    return relay, _read(asked, address)


def _written(wanted: Wanted) -> str:
    kinds = ",".join(map(str, wanted.kinds)) if wanted.kinds != USUAL_KINDS else ""
    named = {"authors": ",".join(wanted.authors), "kinds": kinds, "t": ",".join(wanted.hashtags)}
    return "&".join(f"{name}={value}" for name, value in named.items() if value)


def _read(asked: str, address: str) -> Wanted:
    named: dict[str, set[str]] = {"authors": set(), "kinds": set(), "t": set()}
    for part in filter(None, unquote(asked).split("&")):
        name, separator, values = part.partition("=") if "=" in part else ("t", "=", part)
        if name not in named or not separator:
            raise _refused(address)
        named[name] |= {value.strip() for value in values.split(",") if value.strip()}
    keys = {_key(value) for value in named["authors"]}
    tags = {value.removeprefix("#").lower() for value in named["t"]}
    right = all(_HEX.fullmatch(key) for key in keys) and all(_TAG.fullmatch(tag) for tag in tags)
    if not right or not named["kinds"] <= {str(kind) for kind in KINDS} or len(keys | tags) > _MOST:
        raise _refused(address)
    kinds = {int(kind) for kind in named["kinds"]} or USUAL_KINDS
    return Wanted(tuple(sorted(kinds)), tuple(sorted(tags)), tuple(sorted(keys)))


def _key(text: str) -> str:
    data = bech32.decode("npub", text)
    return data.hex() if data else text.lower()


def _refused(address: str) -> PermanentError:
    return PermanentError(
        Reason.BAD_ADDRESS, f"{address[:200]!r} is no relay with hashtags or authors (npub1…); {_FORMS} is."
    )
