"""Groups the posts that match no frame, and keeps what it finds as suggestions; for the stage and the command alike.

It claims one codebook with a lease, works with no transaction open, and settles in one that a stale fence cannot pass.
The transformer is never asked: the vectors are stored.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analysis import clustering, ranking, terms
from services.analysis.continuing import Continuation, Group, continue_groups
from services.analysis.naming import many
from services.analysis.remembering import next_state
from services.store import suggestions as rows
from services.store.pool import Connection, Row, Store
from services.store.unmatched import Material, read_material

WINDOW = timedelta(days=ranking.DAYS)
HOUR = timedelta(hours=3)
"""UTC, of the stream's present: when a day's groups are made."""
CANDIDATES = 200
"""Groups, the best ranked, that are compared with what was known before."""
OPEN = 30
"""Suggestions kept open, the best ranked."""
KEPT = 1_000
"""Units of a suggestion that are remembered, the likest."""
NEAR = 12
"""Near misses remembered."""
READ, CONTRASTED = 300, 4_000
"""Texts read of a suggestion, and of everything else, for the words that set it apart."""
FADED = timedelta(days=60)
"""How long a suggestion that is not seen any more keeps its id."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A group worth suggesting, by its number among all groups."""

    number: int
    standing: ranking.Standing
    group: Group


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A group that becomes a suggestion or goes on as one."""

    found: Found
    around: clustering.Around
    terms: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a run did."""

    codebook: str
    posts: int
    units: int
    grouped: int
    suggestions: int
    settled: bool
    """False when somebody else has done it meanwhile."""


def slot_of(present: datetime) -> date:
    """The day whose groups are made from its HOUR on."""
    return (present - HOUR).date()


def claim(store: Store, slot: date, lease: timedelta, codebook: str | None = None) -> Row | None:
    """A codebook that is due, or None."""
    with store.transaction() as tx:
        rows.add_runs(tx)
        return rows.claim_run(tx, slot, lease, codebook)


def suggest(store: Store, claimed: Row, *, present: datetime, now: datetime, tell: Tell = lambda _: None) -> Told:
    """Group what `claimed` stands for, as of `present`, and settle it. On one core: nobody waits for it, others may."""
    with _one_core():
        return _suggest(store, claimed, present=present, now=now, tell=tell)


def _one_core() -> AbstractContextManager[object]:
    """Several threads would wait for each other, spinning, where anything else runs beside them."""
    import sklearn.cluster  # noqa: F401 - what is not loaded yet cannot be held to anything
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def _suggest(store: Store, claimed: Row, *, present: datetime, now: datetime, tell: Tell) -> Told:
    tell("reading the posts that match no frame")
    material = read_material(store, claimed["version_id"], present - WINDOW, present)
    tell(f"grouping {many(material.count, 'text')}")
    points = clustering.centred(material.vectors, material.langs)
    material.forget_vectors()
    groups = clustering.cluster(points)
    found = _worth(material, points, groups, present)
    tell(f"looking at {many(len(found), 'group')}")
    with store.transaction() as tx:
        known = rows.known_suggestions(tx, claimed["codebook"], present - FADED)
    kin = continue_groups([f.group for f in found], {k["suggestion_id"]: _group(k, material) for k in known})
    kept = {g: _look(store, material, found[g], (points, groups)) for g in _chosen(found, kin)}
    slot = slot_of(present)
    told: dict[str, Any] = {
        "posts": len(material.at), "units": material.units, "grouped": int((groups >= 0).sum()),
    }  # fmt: skip
    with store.transaction() as tx:
        about = {"now": now, "since": present - WINDOW, "until": present}
        rows.lock_suggestions(tx)
        if not rows.settle_run(tx, claimed, slot, **about, **told):
            return Told(claimed["codebook"], suggestions=0, settled=False, **told)
        seen = _settle(tx, (claimed["codebook"], present), kept, kin, material)
    return Told(claimed["codebook"], suggestions=len(seen), settled=True, **told)


def _worth(material: Material, points: clustering.Vectors, groups: NDArray[np.int64], present: datetime) -> list[Found]:
    """The groups that are several voices, best ranked first."""
    stream = material.stream(present)
    centres, coherence = clustering.middles(points, groups), clustering.coherence(points, groups)
    members = clustering.members(groups)
    posts = material.posts_of_groups(members)
    found = []
    for g, said in enumerate(posts):
        standing = ranking.standing(said, stream, present, float(coherence[g]))
        if standing.worth:
            units = frozenset(material.unit_keys[i] for i in members[g].tolist())
            found.append(Found(g, standing, Group(units, centres[g])))
    return sorted(found, key=lambda f: (-f.standing.parts.score, f.number))[:CANDIDATES]


def _group(known: Row, material: Material) -> Group:
    """A suggestion as it was; another model's middle says nothing."""
    same = known["model_id"] == material.model_id
    middle = np.frombuffer(known["vector"], "<f2").astype(np.float32) if same else np.zeros(0, np.float32)
    return Group(material.still(known["unit_keys"]), middle)


def _chosen(found: Sequence[Found], kin: Continuation) -> list[int]:
    """The best OPEN groups, and those of which something was known: what was dismissed must be recognised."""
    return [g for g in range(len(found)) if g < OPEN or g in kin.same or g in kin.split]


def _look(
    store: Store, material: Material, found: Found, among: tuple[clustering.Vectors, NDArray[np.int64]]
) -> Kept:  # fmt: skip
    """What is told of a group: its posts and near misses, and the words that set it apart."""
    points, groups = among
    around = clustering.around(points, groups, found.group.middle, found.number, (KEPT, NEAR))
    inside = [material.post_ids[i] for i in around.inside[:READ].tolist()]
    step = max(1, material.count // CONTRASTED)
    outside = [material.post_ids[i] for i in range(0, material.count, step) if groups[i] != found.number]
    with store.transaction() as tx:
        texts = rows.texts_of(tx, [*inside, *outside])
    ours, theirs = ([texts[i] for i in ids if i in texts] for ids in (inside, outside))
    return Kept(found, around, [t.plain() for t in terms.terms(ours, theirs)])


def _values(material: Material, kept: Kept, present: datetime) -> dict[str, Any]:
    s = kept.found.standing
    return {
        "model_id": material.model_id, "vector": kept.found.group.middle.astype("<f2").tobytes(),
        "first_seen": s.first, "until": present, "posts": s.posts, "units": s.units, "authors": s.authors,
        "publishers": s.publishers, "langs": dict(s.langs), "days": [{"posts": p, "units": u} for p, u in s.days],
        "terms": kept.terms, "score": round(s.parts.score, 4), "parts": s.parts.rounded(),
    }  # fmt: skip


def _settle(
    tx: Connection, about: tuple[str, datetime], groups: Mapping[int, Kept], kin: Continuation, material: Material
) -> list[int]:  # fmt: skip
    """Write what was found; the states are read anew: somebody may have decided meanwhile."""
    codebook, present = about
    known = {k["suggestion_id"]: k for k in rows.known_suggestions(tx, codebook, present - FADED)}
    numbers: dict[int, int] = {}
    for g, kept in groups.items():
        values = _values(material, kept, present)
        state = next_state(known.get(kin.same.get(g, kin.split.get(g, 0))), values["units"])
        if g in kin.same:
            numbers[g] = kin.same[g]
            rows.update_suggestion(tx, numbers[g], {**values, "state": state})
        else:
            numbers[g] = rows.add_suggestion(tx, codebook, {**values, "state": state, "split_from": kin.split.get(g)})
        rows.replace_members(tx, numbers[g], _members(material, kept.around))
    for number, g in kin.merged.items():
        if g in numbers:
            rows.merge_suggestion(tx, number, numbers[g])
    rows.fade_suggestions(tx, codebook, numbers.values())
    return list(numbers.values())


def _members(material: Material, around: clustering.Around) -> dict[str, list[Any]]:
    all_of_them = [*around.inside.tolist(), *around.near.tolist()]
    return {
        "unit_key": [material.unit_keys[i] for i in all_of_them],
        "post_id": [material.post_ids[i] for i in all_of_them],
        "inside": [True] * len(around.inside) + [False] * len(around.near),
        "likeness": around.likeness.tolist(),
        "lang": [material.langs[i] for i in all_of_them],
    }
