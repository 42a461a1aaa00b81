"""Units: which independent voice a post that comes belongs to, chosen once and stored with the post."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from schemas.records import StoredPost
from services.analysis.duplicates import letters_of
from services.analysis.grouping import PLACES, Grouping, Newcomer, Owner, Place, bands_of, copies, group
from services.store.pool import Connection, rows, run

MEMORY = timedelta(days=14)
"""How long a text is remembered after its last near copy. Later only an equal text joins its unit."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Posts with their units, and what is to be remembered of them once they are stored."""

    posts: Sequence[StoredPost]
    newcomers: Sequence[Newcomer]
    told: Grouping


def choose_units(connection: Connection, posts: Sequence[StoredPost], source: str, today: date) -> Chosen:
    """Give each post its unit. For posts that are new or changed, before they are stored."""
    newcomers = [Newcomer(source, p.native_id, p.unit_key, p.letters, p.repost_of) for p in posts]
    if not newcomers:
        return Chosen((), (), Grouping())
    keys = bands_of(newcomers)
    owners = find_owners(connection, sorted({band for bands in keys.values() for band in bands}), today)
    settled = _settled(connection, newcomers, source)
    told = group(newcomers, keys, owners, settled)
    _agree(connection, [p for p in newcomers if p.repost_of not in settled], told.units, source, today)
    units = told.units
    given = [p if units[p.native_id] == p.unit_key else replace(p, unit_key=units[p.native_id]) for p in posts]
    return Chosen(given, newcomers, told)


def remember(connection: Connection, chosen: Chosen, source: str, today: date) -> None:
    """Let later near copies find these posts. In the transaction that stored them, and the last of it that can wait:
    of two transactions with near copies the second waits here for the first, and joins its unit."""
    told = chosen.told
    kept = keep_bands(connection, told.made, source, today)
    lost = {place: owner for place, owner in told.made.items() if place not in kept}
    if lost:
        theirs = find_owners(connection, [band for band, _ in lost], today)
        moved = _moved(chosen, lost, theirs)
        names = [name for name, unit in told.units.items() if unit in moved]
        if names:
            move_units(connection, source, {name: moved[told.units[name]] for name in names})
            drop_bands(connection, [place for place in kept if told.made[place].native_id in names])
    touch_bands(connection, told.used, today)


def find_fresh(connection: Connection, source: str, hashes: Mapping[str, bytes]) -> set[str]:
    """Of posts given as native_id → content hash, those that are new here or changed."""
    values = {"native_id": list(hashes), "content_hash": list(hashes.values())}
    return {r["native_id"] for r in rows(connection, "units", "find_fresh", source=source, **values)}


def find_owners(connection: Connection, bands: Sequence[int], today: date) -> dict[Place, Owner]:
    """Whose the places of each band are; those of posts that are gone are free from now on."""
    found: dict[Place, Owner] = {}
    gone: list[Place] = []
    if bands:
        about = {"band": _array(bands), "since": today - MEMORY, "places": PLACES}
        for r in rows(connection, "units", "find_owners", **about):
            places = list(zip(r["bands"], r["places"], strict=True))
            if r["text"] is None:
                gone += places
            else:
                owner = Owner(r["unit_key"], r["source"], r["native_id"], letters_of(r["text"]))
                found |= dict.fromkeys(places, owner)
    if gone:
        drop_bands(connection, gone)
    return found


def keep_bands(connection: Connection, made: Mapping[Place, Owner], source: str, today: date) -> set[Place]:
    """Take places for posts that are stored, and say which: the others were somebody else's by then."""
    if not made:
        return set()
    names = {name: i for i, name in enumerate(dict.fromkeys(o.native_id for o in made.values()), start=1)}
    values = {"native_id": list(names), "post": _array(names[o.native_id] for o in made.values()), **_places(made)}
    found = rows(connection, "units", "keep_bands", source=source, today=today, since=today - MEMORY, **values)
    return {(r["band"], r["place"]) for r in found}


def drop_bands(connection: Connection, places: Iterable[Place]) -> None:
    """These places are free again."""
    run(connection, "units", "drop_bands", **_places(places))


def touch_bands(connection: Connection, places: Iterable[Place], today: date) -> None:
    """These places were used today."""
    if used := sorted(places):
        run(connection, "units", "touch_bands", **_places(used), today=today)


def move_units(connection: Connection, source: str, units: Mapping[str, bytes]) -> None:
    """Posts, by native_id, that are of another unit than they were stored with."""
    values = {"native_id": list(units), "unit_key": list(units.values())}
    run(connection, "units", "move_units", source=source, **values)


def find_settled(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, bytes]:
    """The unit of each post that we have, or that was reposted before it came."""
    found = rows(connection, "units", "find_settled", source=source, native_id=list(native_ids))
    return {r["native_id"]: r["unit_key"] for r in found}


def find_reposted(connection: Connection, source: str, native_ids: Sequence[str]) -> dict[str, bytes]:
    """The unit that reposts gave to these posts before they came."""
    found = rows(connection, "units", "find_reposted", source=source, native_id=list(native_ids))
    return {r["native_id"]: r["unit_key"] for r in found}


def keep_reposted(connection: Connection, source: str, units: Mapping[str, bytes], today: date) -> dict[str, bytes]:
    """Remember the unit of originals that never came, and say which it is: the first repost's."""
    values = {"native_id": list(units), "unit_key": list(units.values())}
    found = rows(connection, "units", "keep_reposted", source=source, today=today, **values)
    return {r["native_id"]: r["unit_key"] for r in found}


def forget_bands(connection: Connection, today: date, limit: int) -> int:
    """Let go of places that nobody used within MEMORY; how many."""
    return run(connection, "units", "forget_bands", since=today - MEMORY, limit=limit).rowcount


def forget_reposted(connection: Connection, today: date) -> int:
    """Let go of originals that never came; how many."""
    return run(connection, "units", "forget_reposted", since=today - MEMORY).rowcount


def _settled(connection: Connection, posts: Sequence[Newcomer], source: str) -> dict[str, bytes]:
    known = find_reposted(connection, source, [p.native_id for p in posts])
    originals = {p.repost_of for p in posts if p.repost_of}
    return find_settled(connection, source, sorted(originals)) | known if originals else known


def _agree(
    connection: Connection, posts: Sequence[Newcomer], units: dict[str, bytes], source: str, today: date
) -> None:  # fmt: skip
    """Reposts of what has not come are of one unit, that of the first."""
    orphans = {p.repost_of: units[p.native_id] for p in posts if p.repost_of and p.repost_of not in units}
    if orphans:
        agreed = keep_reposted(connection, source, orphans, today)
        units |= {p.native_id: agreed[p.repost_of] for p in posts if p.repost_of in agreed}


def _moved(chosen: Chosen, lost: Mapping[Place, Owner], theirs: Mapping[Place, Owner]) -> dict[bytes, bytes]:
    """Units that are another's, because a near copy had taken the place: old → new."""
    moved: dict[bytes, bytes] = {}
    by_name = {p.native_id: p for p in chosen.newcomers}
    for name in {owner.native_id for owner in lost.values()}:
        bands = {band for (band, _), owner in lost.items() if owner.native_id == name}
        rivals = {o for (band, _), o in theirs.items() if band in bands and o.native_id != name}
        if like := copies(by_name[name], rivals):
            moved[chosen.told.units[name]] = like[0].unit_key
    return moved


def _places(places: Iterable[Place]) -> dict[str, str]:
    held = list(places)
    return {"band": _array(band for band, _ in held), "place": _array(place for _, place in held)}


def _array(numbers: Iterable[int]) -> str:
    # As Postgres writes an array: ten times quicker than a list, and there are some for each post.
    return "{" + ",".join(map(str, numbers)) + "}"
