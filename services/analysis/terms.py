"""Finds the words that set a group of texts apart from the rest, language by language. Pure; it knows no list of words.

Words are runs of letters in any script. What is common everywhere is found out by contrast: log-odds ratios with an
informative Dirichlet prior (Monroe, Colaresi and Quinn 2008), counted over texts, not over occurrences, and times how
rare a word is elsewhere (inverse document frequency, Spärck Jones 1972), so that no list of stop words is needed.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import log, sqrt
from typing import Any

from services.analysis.text import without_wrapping

MOST = 6
"""Terms told of a language."""
FEWEST_TEXTS = 2
"""Texts a term must stand in: a word of one text is nobody's story."""
PART = 0.15
"""Part of the group's texts in a language that a term must stand in."""
PRIOR = 200.0
"""Weight of the prior, in words."""
SURE = 1.0
"""Least weight that is told."""
SWALLOWED = 0.6
"""A pair of words replaces its words when it stands in this part of their texts."""
STEM = 5
"""Letters by which words are told apart: endings are many in Russian and Arabic, and mean little here."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_ARABIC_POINTS = re.compile("[\u0640\u064b-\u0652]")
"""What most people leave out, and the stroke that only stretches a word."""
_ARTICLE = re.compile(r"^[وف]?[بكل]?ال(?=\w{3})")
"""The Arabic article, and the one-letter words that are written together with it."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or two that follow each other, and how much it sets the group apart, in standard errors."""

    term: str
    lang: str
    weight: float

    def plain(self) -> dict[str, Any]:
        """For a row."""
        return {**asdict(self), "weight": round(self.weight, 2)}


def terms(inside: Iterable[tuple[str, str]], outside: Iterable[tuple[str, str]]) -> list[Term]:
    """The terms of (lang, text) pairs against others, language by language, the one of most texts first."""
    ours, theirs = _by_lang(inside), _by_lang(outside)
    langs = sorted(ours, key=lambda lang: (-len(ours[lang]), lang))
    return [t for lang in langs for t in _of_language(lang, ours[lang], theirs.get(lang, []))]


def words(text: str) -> list[str]:
    """The words of a text in one spelling: without links, handles, case and vowel points."""
    plain = unicodedata.normalize("NFKC", without_wrapping(text, handle=" ")).casefold()
    return _WORD.findall(_ARABIC_POINTS.sub("", plain))


def _stem(word: str) -> str:
    return _ARTICLE.sub("", word)[:STEM]


def _by_lang(texts: Iterable[tuple[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Of every text the stems of its words and pairs of words, and how they stand there."""
    found: dict[str, list[dict[str, str]]] = {}
    for lang, text in texts:
        said = words(text)
        pairs = {f"{_stem(a)} {_stem(b)}": f"{a} {b}" for a, b in pairwise(said)}
        found.setdefault(lang, []).append({**{_stem(w): w for w in said}, **pairs})
    return found


def _of_language(lang: str, ours: Sequence[dict[str, str]], theirs: Sequence[dict[str, str]]) -> list[Term]:
    counted = Counter(stem for text in ours for stem in text)
    usual = Counter(stem for text in theirs for stem in text)
    least = max(FEWEST_TEXTS, PART * len(ours))
    n_ours, n_theirs = counted.total(), usual.total()
    found = []
    for stem, count in counted.items():
        if count >= least:
            prior = PRIOR * (usual[stem] + 0.5) / (n_theirs + 1)
            weight = _odds(count, n_ours, prior) - _odds(usual[stem], n_theirs, prior)
            weight /= sqrt(1 / (count + prior) + 1 / (usual[stem] + prior))
            weight *= (log((len(theirs) + 2) / (usual[stem] + 1)) / log(len(theirs) + 2)) ** 2
            if weight >= SURE:
                found.append((weight, stem))
    found.sort(key=lambda f: (-f[0], f[1]))
    told = _distinct([stem for _, stem in found], counted)[:MOST]
    weights = {stem: weight for weight, stem in found}
    return [Term(_as_written(stem, ours), lang, weights[stem]) for stem in told]


def _as_written(stem: str, texts: Sequence[dict[str, str]]) -> str:
    forms = Counter(text[stem] for text in texts if stem in text)
    return min(forms, key=lambda form: (-forms[form], len(form), form))


def _odds(count: int, all_of_them: int, prior: float) -> float:
    return log((count + prior) / (all_of_them + PRIOR - count - prior))


def _distinct(found: Sequence[str], counted: Counter[str]) -> list[str]:
    """Without words that stand in a pair told anyway, and without pairs that add nothing to their words."""
    pairs = {
        stem for stem in found
        if " " in stem and all(counted[stem] >= SWALLOWED * counted[word] for word in stem.split())
    }  # fmt: skip
    swallowed = {word for pair in pairs for word in pair.split()}
    told: list[str] = []
    said: set[str] = set()
    for stem in found:
        parts = stem.split()
        if (len(parts) == 1 and stem not in swallowed) or (stem in pairs and not said & set(parts)):
            told.append(stem)
            said |= set(parts)
    return told
