"""Which words carried a text's answer: words are left out, the model is asked again, and its answer moves.

Pure but for the one callable that asks the model. It asks seldom and for many texts at once: in a short text every
word, pair and triple; in a long one stretches first, then the words of those that moved most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis.spans import Span, without, words

LOOKED_AT = 2_000
"""Characters of a post whose words are left out; the wording that heads read ends there, the encoder ends earlier."""
READ = 6_000
"""Characters of a post that are given to the model at all, so that one of megabytes costs no more than a long one."""
BUDGET = 24_000
"""Characters that the model is asked to read again in a round or two; about a processor second of the bundled one."""
DEAR = 1_100
"""Characters of a text after which it costs the encoder no more: its 256 tokens are full."""
FEWEST, MOST = 20, 96
"""Texts that are asked for, whatever the budget says."""
PHRASES = (1, 2, 3)
"""Words that are left out together."""
APART = 4
"""Characters between two words of a phrase: a blank and some punctuation, but no link."""
TOGETHER = 1.25
"""How many times what its parts count for a phrase must count for, to be told instead of them."""
ROUNDS = 3
LEAST = 0.5
"""Log odds: smaller moves are not told. The encoder's 8-bit arithmetic moves log odds by 0.2 (standard error against
32-bit floats, bundled model and codebook); from here on fewer than one sign in a hundred is wrong."""
EDGE = 12.0
"""Log odds are told between -EDGE and EDGE: beyond, no reader could tell them from never and always."""

Ask = Callable[[Sequence[str]], NDArray[Any]]
"""Texts as posted to log odds n × F, finite."""
_Window = tuple[int, int]
"""First word, and the word after the last."""


@dataclass(frozen=True, slots=True)
class Left:
    """A word or phrase, and what the text loses without it."""

    span: Span
    change: float
    """Log odds with it minus log odds without it: above 0, it speaks for the frame."""
    without: float
    """Log odds of the text without it."""


@dataclass(slots=True)
class Occlusion:
    """What was left out of one text, and the log odds of what remained."""

    text: str
    words: list[Span]
    odds: dict[_Window, tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    """Log odds (F) of the text, and of the text without the window, from one and the same call of the model."""

    def told(self, column: int) -> list[Left]:
        """What counted for one frame, strongest first, none overlapping another.

        A phrase is told instead of its words where it counts for more than they do one by one.
        """
        moves = {window: _change(*odds, column) for window, odds in self.odds.items()}
        taken: list[_Window] = []
        for window in sorted(moves, key=lambda w: (-abs(moves[w]), w)):
            free = all(window[1] <= first or last <= window[0] for first, last in taken)
            if free and abs(moves[window]) >= max(LEAST, TOGETHER * _of_parts(moves, window)):
                taken.append(window)
        return [Left(self._span(w), moves[w], float(self.odds[w][1][column])) for w in taken]

    def _span(self, window: _Window) -> Span:
        return self.words[window[0]][0], self.words[window[1] - 1][1]


def occlude(text: str, ask: Ask, columns: Sequence[int]) -> Occlusion:
    """Leave out what can be left out of `text`; where it is long, look closer at what moves one of `columns` (of F)."""
    text = text[:READ]
    found = Occlusion(text, words(text, LOOKED_AT))
    room = int(np.clip(BUDGET // max(min(len(text), DEAR), 1), FEWEST, MOST))
    windows = _first(found.words, room)
    for _ in range(ROUNDS):
        if not windows:
            break
        odds = ask([text, *(without(text, found._span(w)) for w in windows)])
        found.odds |= {window: (odds[0], of) for window, of in zip(windows, odds[1:], strict=True)}
        room -= len(windows)
        windows = _closer(found, columns, room)
    return found


def _first(spans: Sequence[Span], room: int) -> list[_Window]:
    """Every word, and phrases while there is room; stretches of a long text."""
    count = len(spans)
    if count > room:
        edges = np.linspace(0, count, room // 2 + 1).astype(int).tolist()
        return list(pairwise(edges))
    chosen: list[_Window] = []
    for length in PHRASES:
        more = [(i, i + length) for i in range(count - length + 1) if _close(spans[i : i + length])]
        if len(chosen) + len(more) > room:
            break
        chosen += more
    return chosen


def _close(spans: Sequence[Span]) -> bool:
    return all(after[0] - before[1] <= APART for before, after in pairwise(spans))


def _closer(found: Occlusion, columns: Sequence[int], room: int) -> list[_Window]:
    """Parts of the stretches that moved most, as far as there is room."""
    whole = [w for w in found.odds if w[1] - w[0] > 1 and not any(_inside(other, w) for other in found.odds)]
    strength = {w: max((abs(_change(*found.odds[w], c)) for c in columns), default=0.0) for w in whole}
    parts: list[_Window] = []
    for first, last in sorted(whole, key=lambda w: (-strength[w], w)):
        if strength[first, last] < LEAST or room - len(parts) < 2:
            break
        edges = np.linspace(first, last, min(last - first, 8, room - len(parts)) + 1).astype(int).tolist()
        new = [w for w in pairwise(edges) if w not in found.odds]
        parts += new
    return parts


def _of_parts(moves: dict[_Window, float], window: _Window) -> float:
    """The most that known parts of a window, none overlapping another, count for in the window's own direction."""
    sign = np.sign(moves[window])
    best = {window[0]: 0.0}
    for first, last in sorted((w for w in moves if _inside(w, window)), key=lambda w: (w[1], w[0])):
        before = max(value for end, value in best.items() if end <= first)
        best[last] = max([before + max(sign * moves[first, last], 0.0), *best.values()])
    return max(best.values())


def _inside(window: _Window, other: _Window) -> bool:
    return window != other and other[0] <= window[0] and window[1] <= other[1]


def _change(whole: NDArray[Any], rest: NDArray[Any], column: int) -> float:
    return float(whole[column]) - float(rest[column])
