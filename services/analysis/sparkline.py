"""A series as one line of text: eight heights of a block, and a dot where nothing is known. Pure."""

from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
UNKNOWN = "·"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """`values` in at most `width` characters, each the greatest of its stretch, drawn from nought; "" of nothing."""
    if not values or width < 1:
        return ""
    cells = [_greatest(part) for part in _parts(values, min(width, len(values)))]
    top = max((c for c in cells if c is not None), default=0)
    return "".join(UNKNOWN if c is None else BLOCKS[_step(c, top)] for c in cells)


def _parts(values: Sequence[float | None], count: int) -> list[Sequence[float | None]]:
    edges = [round(i * len(values) / count) for i in range(count + 1)]
    return [values[a:b] for a, b in pairwise(edges)]


def _greatest(part: Sequence[float | None]) -> float | None:
    return max((v for v in part if v is not None), default=None)


def _step(value: float, top: float) -> int:
    """Nought is the lowest block, and nothing else is."""
    if value <= 0 or top <= 0:
        return 0
    return max(1, min(len(BLOCKS) - 1, round(value / top * (len(BLOCKS) - 1))))
