"""Puts a digest into the outbox: a message for each reader, with a way for them to leave, and one for each channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.records import Notice
from services.store import digests
from services.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Posting:
    """Whom a digest goes to, and what is written beside it."""

    digest: str
    channels: Sequence[str] | None
    """Names of channels, None for every one."""
    sign: Callable[[int], str]
    """A reader's number → the token by which they can leave."""
    slot: datetime | None = None
    """None for one that is sent out of turn."""
    silent: bool = False
    """Nobody is told: there is nothing to tell."""


def post_digest(connection: Connection, notice: Notice, posting: Posting, *, now: datetime) -> int:
    """Write the messages; how many will go out. One silenced row says why when none does."""
    about = {"digest": posting.digest, "slot": posting.slot, "subject": notice.subject, "now": now}
    if posting.silent:
        return _silenced(connection, notice, "nothing to tell", about)
    digests.add_readers(connection, posting.digest, posting.channels)
    known = digests.addressees(connection, posting.digest, posting.channels)
    wanted = [a for a in known if a["unsubscribed_at"] is None]
    for to in wanted:
        mine = _for_reader(notice, to, posting.sign)
        digests.add_delivery(
            connection, mine.message_id, **about, channel_id=to["channel_id"], reader=to["reader"], state="pending",
            reason=None, data=mine.data,
        )  # fmt: skip
    if not wanted:
        return _silenced(connection, notice, "everybody has left" if known else "no channel", about)
    return len(wanted)


def _for_reader(notice: Notice, to: dict[str, Any], sign: Callable[[int], str]) -> Notice:
    name = f"{notice.message_id}.{to['name']}"
    if to["reader_id"] is None:
        return replace(notice, message_id=name)
    leave = {"leave": sign(to["reader_id"])}
    return replace(notice, message_id=f"{name}.{to['reader_id']}", data={**notice.data, **leave})


def _silenced(connection: Connection, notice: Notice, reason: str, about: dict[str, Any]) -> int:
    digests.add_delivery(
        connection, f"{notice.message_id}.none", **about, channel_id=None, reader=None, state="silenced",
        reason=reason, data=notice.data,
    )  # fmt: skip
    return 0
