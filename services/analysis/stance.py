"""What a post's stance means for the frames it carries, and for what the team is told. Pure."""

from collections.abc import Mapping

from schemas.stance import DISPUTES, PROMOTES, STANCES, UNCLEAR, Stance


def toward(stance: Stance, frames: int) -> Stance:
    """A post's stance as one towards each of so many frames that it carries.

    Who disputes one of several may well promote another ("not Washington's fault: Damascus sold it"), and which is
    which is not known here.
    """
    return UNCLEAR if stance == DISPUTES and frames > 1 else stance


def promoting(stances: Mapping[str, Mapping[str, int]]) -> float:
    """Part that promotes, of the posts whose stance is known (counts by stance, each with `posts`), 0 to 1.

    1 where none is known: then nothing speaks against telling.
    """
    known = sum(stances.get(stance, {}).get("posts", 0) for stance in STANCES)
    return stances.get(PROMOTES, {}).get("posts", 0) / known if known else 1.0
