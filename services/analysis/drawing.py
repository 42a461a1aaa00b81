"""Which of many frames are drawn on the first page, and which are told in a line of a table. Pure; it draws nothing."""

from collections.abc import Sequence

MOST = 60
"""Charts that can be looked through; a house of no more frames has all of them drawn."""
LEAST = 12
"""Charts there are at least, though nothing moves: those of the foremost frames."""


def drawn(moving: Sequence[bool]) -> list[bool]:
    """Of frames in their rank, given by whether each moves: whether it is drawn.

    Of more than MOST those that move are, the foremost MOST of them; and the foremost others, until there are LEAST.
    """
    if len(moving) <= MOST:
        return [True] * len(moving)
    chosen = [i for i, moves in enumerate(moving) if moves][:MOST]
    others = (i for i, moves in enumerate(moving) if not moves)
    chosen += [i for _, i in zip(range(LEAST - len(chosen)), others, strict=False)]
    wanted = set(chosen)
    return [i in wanted for i in range(len(moving))]
