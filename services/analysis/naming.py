"""How people read what programs write as codes and counts: names of languages, words in the right number. Pure.

Names are CLDR's in English, as Babel brings them. JSON, CSV and metrics keep the codes: nothing here is for them.
"""

import re
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global

VOICE = "A voice is an independent one: near copies, reposts and one author's repetitions count once."
"""What people are told that the field `units` counts."""
UNDETERMINED = "undetermined"
_TAG = re.compile("[A-Za-z0-9]+(-[A-Za-z0-9]+)*")


@lru_cache(maxsize=1024)
def language(tag: str) -> str:
    """The English name of a BCP 47 tag: Russian, Serbian (Latin), Portuguese (Brazil); "undetermined" for `und`.

    What a name does not tell stands as it is behind it, so that two tags read as two; an unknown or odd tag is its own.
    """
    if not tag:
        return UNDETERMINED
    first, *rest = tag.split("-")
    name = _named(first.lower()) if _TAG.fullmatch(tag) else None
    if name is None:
        return tag
    private = next((i for i, part in enumerate(rest) if len(part) == 1), len(rest))
    about = [*map(_part, rest[:private]), *filter(None, ["-".join(rest[private:])])]
    return f"{name} ({', '.join(about)})" if about else name


def number(value: float | None) -> str:
    """A count or a measure: 12,345 or 6.2 or 0.025, for little is not nothing; a dash when there is none."""
    if value is None:
        return "–"
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:,.1f}".removesuffix(".0")


def many(count: float | None, word: str, words: str = "") -> str:
    """1 post, 2 posts, 1,000 posts: a count with its word; `words` where its plural is not `word` with an s."""
    told = number(count)
    return f"{told} {word if told == '1' else words or word + 's'}"


@cache
def _english() -> Locale:
    return Locale("en")


def _named(code: str) -> str | None:
    """A deprecated code has the name of the one that took its place; `und` has ours: CLDR says "Unknown language"."""
    if code == "und":
        return UNDETERMINED
    names = _english().languages
    found: str | None = names.get(code) or names.get(get_global("language_aliases").get(code, code))
    return found


def _part(part: str) -> str:
    """A script, a region or an extended language by its name; a variant, and what is unknown, as it is."""
    here = _english()
    known = {4: (here.scripts, part.title()), 3: (here.languages, part.lower())}.get(len(part))
    found: str | None = known[0].get(known[1]) if known else None
    return found or here.territories.get(part.upper()) or part
