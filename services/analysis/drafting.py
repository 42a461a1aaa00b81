"""Drafts a frame from what a group of posts says, for a person to edit. Pure; it words no opinion."""

import re
from collections.abc import Collection, Mapping, Sequence
from textwrap import shorten
from typing import Any

from schemas.codebook import Frame
from services.analysis.duplicates import letters_of, likeness
from services.analysis.text import without_wrapping

EXAMPLES, COUNTEREXAMPLES = 8, 4
TITLE_TERMS, ID_TERMS = 3, 3
TELLING = 2.0
"""Weight of a term from which it can stand in a title; two are needed."""
TITLE = 70
"""Characters of a title that is a post's beginning."""
LONGEST = 600
"""Characters of an example."""
SAME = 0.5
"""Examples that share more of their letters teach nothing new."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LATIN = re.compile(r"[a-z]+( [a-z]+)?")

Post = Mapping[str, Any]
"""post_id, lang, text; the likest come first."""


def draft(number: int, terms: Sequence[Mapping[str, Any]], posts: Sequence[Post], near: Sequence[Post],
          taken: Collection[str] = ()) -> Frame | None:  # fmt: skip
    """A frame with an id that is not `taken`; None when nothing of its posts is left."""
    examples = pick(posts, EXAMPLES)
    if not examples:
        return None
    against = pick(near, COUNTEREXAMPLES, told=examples)
    langs = [lang for lang in dict.fromkeys(p["lang"] for p in posts) if _LANGUAGE.fullmatch(lang) and lang != "und"]
    return Frame(
        id=_id(number, terms, taken),
        title=title(number, terms, posts[0]["text"]),
        description=describe(terms) or examples[0],
        examples=tuple(examples),
        counterexamples=tuple(against),
        languages=tuple(langs[:8]),
    )


def title(number: int, terms: Sequence[Mapping[str, Any]], typical: str = "") -> str:
    """A few words: the strongest terms of the language with most posts, or the beginning of a typical post."""
    first = [t["term"] for t in terms if t["lang"] == terms[0]["lang"] and t["weight"] >= TELLING][:TITLE_TERMS]
    named = ", ".join(first) if len(first) > 1 else shorten(readable(typical), TITLE, placeholder=" …")
    return named[:1].upper() + named[1:] if named else f"Suggestion {number}"


def describe(terms: Sequence[Mapping[str, Any]]) -> str:
    """The terms of every language, as a sentence; "" without terms."""
    by_lang: dict[str, list[str]] = {}
    for term in terms:
        by_lang.setdefault(term["lang"], []).append(term["term"])
    return f"Posts about {'; '.join(', '.join(said) for said in by_lang.values())}." if by_lang else ""


def pick(posts: Sequence[Post], count: int, told: Sequence[str] = ()) -> list[str]:
    """Texts of posts that differ, the languages in turn, each from its likest on; none that is like one of `told`."""
    by_lang: dict[str, list[str]] = {}
    for post in posts:
        by_lang.setdefault(post["lang"], []).append(readable(post["text"]))
    chosen: list[str] = []
    known = [letters_of(text) for text in told]
    while len(chosen) < count and any(by_lang.values()):
        for said in by_lang.values():
            new = next((text for text in said if _differs(text, known)), None)
            del said[: said.index(new) + 1 if new is not None else len(said)]
            if new is not None and len(chosen) < count:
                chosen.append(new)
                known.append(letters_of(new))
    return chosen


def readable(text: str) -> str:
    """A post as an example: without links and who was spoken to."""
    return " ".join(without_wrapping(text, handle="@user").split())[:LONGEST].strip()


def _differs(text: str, known: Sequence[str]) -> bool:
    letters = letters_of(text)
    return bool(letters) and all(likeness(letters, other) < SAME for other in known)


def _id(number: int, terms: Sequence[Mapping[str, Any]], taken: Collection[str]) -> str:
    telling = (t["term"] for t in terms if t["weight"] >= TELLING)
    latin = [term.replace(" ", "-") for term in telling if _LATIN.fullmatch(term)][:ID_TERMS]
    name = "-".join(dict.fromkeys("-".join(latin).split("-")))[:60].strip("-") if latin else f"suggestion-{number}"
    free = name
    while free in taken:
        free = f"{name}-{number}" if free == name else f"{free}-2"
    return free
