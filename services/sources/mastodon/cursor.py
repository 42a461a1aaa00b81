"""Where reading a Mastodon timeline goes on. Pure; must not fetch.

`newest` is the highest id seen, `at` where a catch-up that is not through goes on. A post of another server is filed
under the time it was written, so some come in below `newest`: reading begins anew at `back`, a few posts before it,
and `seen` (id → time of its last edit) tells what is new there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.sources.mastodon.posts import order, own_id
from services.sources.reading import at, word

OVERLAP = 10
"""Posts before the newest that are looked at again."""
_MOST_SEEN = 100


def start_of(cursor: Mapping[str, Any]) -> str:
    """The id after which to ask; "" to ask for the newest page."""
    return word(cursor, "at") or word(cursor, "back") or word(cursor, "newest")


def unseen(cursor: Mapping[str, Any], listed: Sequence[Any]) -> list[Any]:
    """The statuses in `listed` that are new, or edited since."""
    seen = _seen(cursor)
    return [s for s in listed if not own_id(s) or seen.get(own_id(s)) != _edited(s)]


def after_page(cursor: Mapping[str, Any], listed: Sequence[Any], *, more: bool) -> dict[str, Any]:
    """The cursor after an answer; `more` when the next page is to follow it."""
    known = _seen(cursor) | {own_id(s): _edited(s) for s in listed if own_id(s)}
    ids = sorted(known, key=order, reverse=True)
    newest = max([word(cursor, "newest"), *ids[:1]], key=order)
    back = before_newest(ids) or word(cursor, "back")
    seen = {i: known[i] for i in ids[:_MOST_SEEN] if order(i) > order(back) or len(ids) <= OVERLAP}
    highest = max((own_id(s) for s in listed), key=order, default="")
    return {"newest": newest, "back": back, "seen": seen, "at": highest if more else ""}


def before_newest(ids: Iterable[str]) -> str:
    """The id OVERLAP posts before the newest of `ids`; the oldest of fewer, "" of none."""
    newest_first = sorted(ids, key=order, reverse=True)
    return newest_first[min(OVERLAP, len(newest_first) - 1)] if newest_first else ""


def _seen(cursor: Mapping[str, Any]) -> dict[str, str]:
    kept = at(cursor, "seen")
    return {i: e for i, e in kept.items() if isinstance(e, str)} if isinstance(kept, dict) else {}


def _edited(status: Any) -> str:
    found = word(status, "edited_at")
    return found if found.isascii() and found.isprintable() and len(found) <= 40 else "?"
