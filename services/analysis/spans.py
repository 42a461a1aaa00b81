"""Where the words of a text lie, and the text in pieces around them. Pure; knows no model and no meaning.

A span is (start, end) in characters (Unicode code points) of the text it was found in.
"""

import re
import unicodedata
from collections.abc import Sequence

from services.analysis.text import LINK

Span = tuple[int, int]

_DENSE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts that put no blanks between words, or hang much on one: taken two characters at a time."""
_RUN = re.compile(
    rf"(?P<link>{LINK.pattern})|[{_DENSE}]{{1,2}}|(?:(?!https?://|www\.)[^\s—–…{_DENSE}]){{1,60}}|https?://|www\.",
    re.IGNORECASE,
)
_FIRST_OF_WORD = "#＃@"


def words(text: str, until: int) -> list[Span]:
    """The words that begin before `until`, in order: runs between blanks without the punctuation around them.

    Hashtags, handles, emoji and words with clitics or vowel signs stay whole. Links are no words: nobody reads them.
    """
    found = []
    for run in _RUN.finditer(text):
        if run.start() >= until:
            break
        start, end = _trimmed(text, *run.span())
        if start < min(end, until) and not run["link"]:
            found.append((start, end))
    return found


def without(text: str, span: Span) -> str:
    """`text` with the span left out."""
    return text[: span[0]] + text[span[1] :]


def pieces(text: str, spans: Sequence[Span]) -> list[tuple[str, int | None]]:
    """The whole text in order, cut at spans that do not overlap: (piece, place of its span in `spans` or None)."""
    found: list[tuple[str, int | None]] = []
    at = 0
    for number in sorted(range(len(spans)), key=lambda i: spans[i]):
        start, end = spans[number]
        found += [(text[at:start], None), (text[start:end], number)]
        at = end
    return [piece for piece in [*found, (text[at:], None)] if piece[0]]


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and _around(text[start]) and text[start] not in _FIRST_OF_WORD:
        start += 1
    while start < end and _around(text[end - 1]):
        end -= 1
    return start, end


def _around(character: str) -> bool:
    """Punctuation, or a character without a shape of its own."""
    kind = unicodedata.category(character)
    return kind[0] == "P" or kind == "Cf"
