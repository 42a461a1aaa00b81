"""What a Bluesky feed's address says: everybody, some people, the people of a list, or some words.

Pure; it must not look anybody up.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from schemas.errors import PermanentError, Reason
from services.analysis.text import clean_line

MAX_ACTORS = 1000
MAX_HANDLES = 100
"""Each is looked up by a question of its own, before anything is heard."""
MAX_KEYWORDS = 100
_MAX_ADDRESS = 50_000
# https://atproto.com/specs/did and https://atproto.com/specs/handle
DID = re.compile(r"did:[a-z]{1,20}:[A-Za-z0-9._:%-]{1,240}(?<![:%])")
_HANDLE = re.compile(r"(?=.{3,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LIST = re.compile(r"at://([^/]{1,300})/app\.bsky\.graph\.list/([A-Za-z0-9._:~-]{1,512})")
_SCRIPTS_WITH_BLANKS = 0x590
"""Latin, Greek, Cyrillic and Armenian end here: a word begins after something that is no letter. Semitic scripts
put prefixes before a word, others know no blanks."""
_REMEDY = (
    "A bluesky feed is one of: all; @name.bsky.social (several with commas between them); did:plc:…; "
    "list:at://did:plc:…/app.bsky.graph.list/…; keyword:Palmyra,Пальмир; or the web address of a profile or list."
)


@dataclass(frozen=True, slots=True)
class Target:
    """What to listen for; all empty: everybody."""

    actors: tuple[str, ...] = ()
    """DIDs, and handles with an @ before them."""
    list_uri: str = ""
    keywords: tuple[str, ...] = ()


def read_target(address: str) -> Target:
    """What `address` asks for, in any of its forms. Raises PermanentError(BAD_ADDRESS) that shows them."""
    text = address.strip()
    if len(text) <= _MAX_ADDRESS:
        kind, _, rest = text.partition(":")
        if text.lower() == "all":
            return Target()
        if kind.lower() in ("http", "https"):
            text, kind, rest = _of_web_address(text)
        if kind.lower() == "keyword":
            return Target(keywords=_keywords(rest))
        if kind.lower() == "list":
            return Target(list_uri=_list(rest.strip()))
        if _LIST.fullmatch(text):
            return Target(list_uri=_list(text))
        if text:
            return Target(actors=_actors(text.split(",")))
    raise _bad(address)


def address_of(target: Target) -> str:
    """The one form in which `target` is kept."""
    if target.keywords:
        return f"keyword:{','.join(target.keywords)}"
    if target.list_uri:
        return f"list:{target.list_uri}"
    return ",".join(target.actors) or "all"


def matcher(keywords: Iterable[str]) -> re.Pattern[str] | None:
    """Finds any of `keywords` in a casefolded text, None without keywords. A keyword may be the beginning of a word."""
    patterns = [_pattern(word.casefold()) for word in keywords]
    return re.compile("|".join(patterns)) if patterns else None


def _pattern(word: str) -> str:
    first = re.escape(word[0])
    # Looking back after the first letter, not before it: so the search may leap to the letters it begins with.
    begins = rf"(?<!\w{first})" if word[0].isalnum() and ord(word[0]) < _SCRIPTS_WITH_BLANKS else ""
    return first + begins + r"\s+".join(re.escape(part) for part in word[1:].split(" "))


def _keywords(text: str) -> tuple[str, ...]:
    words = {word.casefold(): word for word in (clean_line(w, limit_bytes=200) for w in text.split(",")) if word}
    if not words or len(words) > MAX_KEYWORDS:
        raise PermanentError(
            Reason.BAD_ADDRESS, f"After keyword: stand 1 to {MAX_KEYWORDS} words, with commas between."
        )
    return tuple(words.values())


def _actors(names: Iterable[str]) -> tuple[str, ...]:
    actors = tuple(dict.fromkeys(_actor(name) for name in names if name.strip()))
    handles = sum(actor.startswith("@") for actor in actors)
    if not actors or len(actors) > MAX_ACTORS or handles > MAX_HANDLES:
        raise PermanentError(
            Reason.BAD_ADDRESS,
            f"A bluesky feed names 1 to {MAX_ACTORS} people, at most {MAX_HANDLES} of them by handle. "
            "Make a list of them on Bluesky and give its address.",
        )
    return actors


def _actor(name: str) -> str:
    text = name.strip().removeprefix("at://").removeprefix("@")
    if DID.fullmatch(text):
        return text
    if _HANDLE.fullmatch(text.lower()):
        return "@" + text.lower()
    raise _bad(name)


def _list(uri: str) -> str:
    match = _LIST.fullmatch(uri)
    if not match:
        raise _bad(uri)
    return f"at://{_actor(match[1]).removeprefix('@')}/app.bsky.graph.list/{match[2]}"


def _of_web_address(url: str) -> tuple[str, str, str]:
    """The address form that a page of bsky.app (or of another app with its paths) stands for."""
    try:
        parts = urlsplit(url)
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        words = parse_qs(parts.query).get("q", [""])[0]
    except ValueError:
        raise _bad(url) from None
    if path == ["search"] and words:
        return "", "keyword", words
    if len(path) == 2 and path[0] == "hashtag":
        return "", "keyword", f"#{path[1]}"
    if len(path) == 4 and (path[0], path[2]) == ("profile", "lists"):
        return "", "list", f"at://{path[1]}/app.bsky.graph.list/{path[3]}"
    if len(path) == 2 and path[0] == "profile":
        return path[1].replace(",", ""), "", ""
    raise _bad(url)


def _bad(address: str) -> PermanentError:
    return PermanentError(Reason.BAD_ADDRESS, f"{clean_line(address, limit_bytes=100)!r} is not understood. {_REMEDY}")
