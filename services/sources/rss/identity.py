"""What a feed's items are known by: guid, link, or title and date; a policy that is changed for cause and then stays.

Pure. It must not go back to a policy that was left: every flip makes all posts new.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

from services.analysis.links import normalise_link
from services.sources.items import Item, fingerprint, native_id

WATCHED = 30
"""Items of a page whose names are remembered until the next."""
PATIENCE = 2
"""So many pages running must contradict the policy before it changes: one may be a feed that moved house."""
POLICIES = ("guid", "link", "title")
_MAX_REPEATED = 500
_ALIKE = 3
"""On a page of fewer items, undated ones that read the same may well be different posts ("Good morning!")."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a feed's items are named, and what was seen of them last time."""

    by: str = "guid"
    """The first of a post's names that can be trusted: `guid`, `link` or `title`."""
    doubts: int = 0
    """Pages running in which names changed that should not have."""
    repeated: tuple[str, ...] = ()
    """Fingerprints of guids that say nothing, because several items share them."""
    watched: tuple[str, ...] = ()
    """`guid/link/title` of items of the last page, as fingerprints, a dash for what an item lacks."""


USUAL = Policy()
"""Where every feed begins."""


def read_policy(cursor: Mapping[str, Any]) -> Policy:
    """The policy a cursor holds; the usual one when it holds none."""
    by, doubts = cursor.get("identity"), cursor.get("doubts")
    return Policy(
        by=by if by in POLICIES else "guid",
        doubts=doubts if isinstance(doubts, int) and not isinstance(doubts, bool) else 0,
        repeated=tuple(words(cursor, "repeated")),
        watched=tuple(words(cursor, "watched")),
    )


def as_cursor(policy: Policy) -> dict[str, Any]:
    """`policy` as read_policy reads it."""
    return {
        "identity": policy.by,
        "doubts": policy.doubts,
        "repeated": list(policy.repeated),
        "watched": list(policy.watched),
    }


def judged(policy: Policy, items: Sequence[Item], address: str) -> Policy:
    """`policy` after a look at the next page of the feed at `address`."""
    repeated = [*dict.fromkeys([*sorted(repeated_guids(items)), *policy.repeated])][:_MAX_REPEATED]
    watched = _watched(items, address) if items else policy.watched
    needed = _needed(policy, watched) if items else ""
    doubts = policy.doubts if not needed else 0 if needed == policy.by else policy.doubts + 1
    by = needed if doubts >= PATIENCE else policy.by
    return Policy(by, 0 if by != policy.by else doubts, tuple(repeated), watched)


def identity_of(item: Item, address: str, policy: Policy) -> str:
    """What `item` is known by under `policy`; "" when it says nothing by which it could be known again."""
    guid = native_id(item.guid) if policy.by == "guid" else ""
    alone = not (guid and policy.repeated and fingerprint(item.guid) in policy.repeated)
    if guid and alone:
        return guid
    link = "" if policy.by == "title" else normalise_link(absolute(item.link, address))
    other = native_id(link) or _title_and_date(item)
    return other if alone else native_id(f"{guid} {link or other}")


def repeated_guids(items: Iterable[Item]) -> set[str]:
    """Fingerprints of the guids that items with different links (or, without links, titles) share."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.guid:
            seen[fingerprint(item.guid)].add(item.link.strip() or _title_and_date(item))
    return {guid for guid, others in seen.items() if len(others) > 1}


def absolute(link: str, address: str) -> str:
    """`link` as it is meant on the page at `address`; "" for none."""
    link = link.strip()
    if not link or link.startswith(("https://", "http://")):
        return link
    try:
        return urljoin(address, link)
    except ValueError:
        return ""


def words(cursor: Mapping[str, Any], name: str) -> list[str]:
    """The list of texts that a cursor holds as `name`; [] for anything else."""
    value = cursor.get(name)
    return [word for word in value if isinstance(word, str)] if isinstance(value, list | tuple) else []


def _title_and_date(item: Item) -> str:
    # Without a date the whole text stands in for it: two items may well share a headline.
    said = " ".join((item.title or item.body).split())
    when = item.date.strip() or " ".join(item.body.split())
    return "title:" + sha256(f"{said}\0{when}".encode("utf-8", "replace")).hexdigest()[:32] if said else ""


def _watched(items: Sequence[Item], address: str) -> tuple[str, ...]:
    named = [
        (
            item.guid.strip(),
            normalise_link(absolute(item.link, address)),
            _title_and_date(item) if item.date.strip() or len(items) >= _ALIKE else "",
        )
        for item in items[:WATCHED]
    ]
    # A name that several items share tells nothing about any of them.
    often = Counter((place, name) for names in named for place, name in enumerate(names))
    return tuple(
        "/".join(fingerprint(name) if name and often[place, name] == 1 else "-" for place, name in enumerate(names))
        for names in named
    )


def _needed(policy: Policy, watched: Sequence[str]) -> str:
    """The policy under which most items of the last page that are still there have kept their names.

    "" when no item of the last page can be recognised.
    """
    before, now = ([_Names(*word.split("/", 2)) for word in some if word.count("/") == 2] for some in (
        policy.watched, watched))  # fmt: skip
    first = POLICIES.index(policy.by)
    for by in POLICIES[first:-1]:
        verdict = _kept(by, before, now)
        if verdict is None:
            return "" if by == policy.by else by
        if verdict:
            return by
    return "title"


@dataclass(frozen=True, slots=True)
class _Names:
    guid: str
    link: str
    title: str

    def under(self, by: str) -> str:
        return self.title if by == "title" else self.link if by == "link" or self.guid == "-" else self.guid


def _kept(by: str, before: Sequence[_Names], now: Sequence[_Names]) -> bool | None:
    """Whether most items that a lesser name recognises have kept their name under `by`; None if none is recognised."""
    same = changed = 0
    known = {names.under(by) for names in before} - {"-"}
    others = {other: names.under(by) for names in before for other in _lesser(by, names)}
    for names in now:
        if names.under(by) in known:
            same += 1
        elif any(others.get(other, "-") != "-" for other in _lesser(by, names)) and names.under(by) != "-":
            changed += 1
    return None if not same + changed else changed <= same


def _lesser(by: str, names: _Names) -> list[str]:
    found = [names.link, names.title] if by == "guid" and names.guid != "-" else [names.title]
    return [name for name in found if name != "-"]
