"""Decides which unit a post belongs to: that of what it reposts, of an earlier near copy, or its own. Pure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from services.analysis.duplicates import ALIKE, bands, likeness

PLACES = 4
"""Texts that may share a band without being alike: what looking a band up can bring is bounded."""

Place = tuple[int, int]
"""A band, and one of its places, from 0."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A text that a place of a band is taken by."""

    unit_key: bytes
    source: str
    native_id: str
    letters: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A post to be given a unit."""

    source: str
    native_id: str
    unit_key: bytes
    """Its own, by its text alone."""
    letters: str
    repost_of: str = ""


@dataclass(slots=True)
class Grouping:
    """What was decided: the unit of each post by native_id, the places newly taken, and those it was found by."""

    units: dict[str, bytes] = field(default_factory=dict)
    made: dict[Place, Owner] = field(default_factory=dict)
    used: set[Place] = field(default_factory=set)


def bands_of(posts: Sequence[Newcomer]) -> dict[str, tuple[int, ...]]:
    """The bands of each post by native_id."""
    found = bands([p.letters for p in posts])
    return {p.native_id: keys for p, keys in zip(posts, found, strict=True)}


def group(
    posts: Sequence[Newcomer], keys: Mapping[str, tuple[int, ...]], owners: Mapping[Place, Owner],
    settled: Mapping[str, bytes],
) -> Grouping:  # fmt: skip
    """Give every post a unit, in their order, reposts last.

    `owners` are those of the bands in `keys`; `settled` holds units known already, by native_id: of originals we have,
    and of what was reposted before it came itself.
    """
    told = Grouping()
    known: dict[int, dict[int, Owner]] = {}
    for (band, place), owner in owners.items():
        known.setdefault(band, {})[place] = owner
    for post in sorted(posts, key=lambda p: p.repost_of != ""):
        mine = keys[post.native_id]
        there = [known[band] for band in mine if band in known]
        like = copies(post, {owner for places in there for owner in places.values()}) if there else []
        given = settled.get(post.native_id) or told.units.get(post.repost_of) or settled.get(post.repost_of)
        unit = given or (like[0].unit_key if like else post.unit_key)
        told.units[post.native_id] = unit
        _take_places(told, known, mine, Owner(unit, post.source, post.native_id, post.letters), like)
    told.used &= owners.keys()
    return told


def _take_places(
    told: Grouping, known: dict[int, dict[int, Owner]], bands: Sequence[int], me: Owner, like: Sequence[Owner]
) -> None:  # fmt: skip
    """A place in each band in which no text like this one has one yet."""
    for band in bands:
        there = known.setdefault(band, {})
        used = [(band, place) for place, owner in there.items() if owner in like] if like else []
        told.used.update(used)
        if not used and len(there) < PLACES:
            free = next(place for place in range(PLACES) if place not in there)
            there[free] = told.made[band, free] = me


def copies(post: Newcomer, owners: Set[Owner]) -> list[Owner]:
    """The owners whose texts are near copies of the post's, the likest first."""
    likeness_of = {owner: _likeness(post, owner) for owner in owners}
    like = [(-value, o.unit_key, o.source, o.native_id, o) for o, value in likeness_of.items() if value >= ALIKE]
    return [found[-1] for found in sorted(like, key=lambda found: found[:-1])]


def _likeness(post: Newcomer, owner: Owner) -> float:
    return 1.0 if post.unit_key == owner.unit_key else likeness(post.letters, owner.letters)
