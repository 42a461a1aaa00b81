"""Posts of every day, which heads learn from beside a codebook's own: what a stream is full of and no frame is about.

A handful of background posts leaves most of what people say unlike anything learned, and then it is given to frames at
random. Some are written for this and come along; others the house has really heard. Encodes nothing, stores nothing.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WRITTEN = Path(__file__).parent / "data" / "everyday.txt"
"""In three languages, a post a line."""
MANY = 1_500
"""Posts of a codebook that tell enough of what is none of its frames."""
SCRIPTS = dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"), "CYRILLIC") | dict.fromkeys(
    ("ar", "ckb", "fa", "ps", "ug", "ur"), "ARABIC"
)
"""The scripts, other than Latin, that languages with everyday posts are mostly written in."""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Texts that were really heard, whatever they say, and what the encoder that will be asked made of them before."""

    texts: Sequence[str]
    """As it read them."""
    vectors: NDArray[np.float32]
    """One row a text."""


class Examples(Protocol):
    """What is needed to know of a frame."""

    @property
    def examples(self) -> Sequence[str]:
        """Posts that carry it."""


class Watching(Protocol):
    """What is needed to know of a codebook."""

    @property
    def languages(self) -> Sequence[str]:
        """BCP 47 tags of what it watches."""

    @property
    def frames(self) -> Sequence[Examples]:
        """Its frames."""


def everyday_posts(clean: Callable[[str], str], known: Container[str]) -> list[str]:
    """Those that come along, cleaned, without those the codebook itself knows."""
    cleaned = (clean(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines())
    return [text for text in dict.fromkeys(cleaned) if text.strip() and text not in known]


def heard_posts(stored: Stored, known: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Stored texts with letters of which nothing is known yet, and their vectors; none where MANY are known."""
    if len(known) > MANY:
        return {}
    heard = zip(stored.texts, stored.vectors, strict=True)
    return {text: vector for text, vector in heard if script_of(text) and text not in known}


def said_of_everyday(codebook: Watching, texts: Sequence[str]) -> dict[str, NDArray[np.int8]]:
    """They carry no frame; of one that has no example in their script they say nothing.

    Else the script itself would speak against the frame. And they say nothing of a frame that lacks examples in a
    language its codebook watches: there only meaning tells, and they make every frame harder to find.
    """
    watched = {SCRIPTS.get(language.partition("-")[0], "LATIN") for language in codebook.languages}
    scripts = [{script_of(text) for text in frame.examples} for frame in codebook.frames]
    strict = [of if watched <= of else set() for of in scripts]
    return {text: np.array([-(script_of(text) in of) for of in strict], np.int8) for text in texts}


def script_of(text: str) -> str:
    """The script most letters of a text are of, by Unicode's names (LATIN, CYRILLIC, ARABIC, …); "" without letters."""
    letters = Counter(unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha())
    return max(letters, key=letters.__getitem__, default="")
