"""Tokens of the API as rows: made once, kept as digests, found by the identity in their own text.

A plain SHA-256 is enough: slow hashes are for what people choose, and 256 random bits cannot be tried through.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from schemas.errors import PermanentError, Reason
from schemas.scopes import Scope
from services.store.pool import Connection, Row, row, rows, run

SHAPE = re.compile(r"fw_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
"""An identity of 48 bits, which may be shown, and a secret of 256."""
TOUCHED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known; each request writing a row would cost more than it tells."""


def looks_ours(token: str) -> bool:
    """Whether a word has the shape of our tokens."""
    return SHAPE.fullmatch(token) is not None


def assemble(identity: bytes, secret: str) -> str:
    """The token of 6 random bytes and a secret of 32 random bytes in base64url, as its owner keeps it."""
    return f"fw_{identity.hex()}_{secret}"


def add_token(
    connection: Connection, token: str, *, name: str, scopes: Sequence[Scope], now: datetime,
    expires_at: datetime | None = None,
) -> str:  # fmt: skip
    """Keep a token's digest; its id. Raises PermanentError(BAD_INPUT) when a token in force has this name."""
    shape = SHAPE.fullmatch(token)
    assert shape is not None  # noqa: S101 - made by `assemble`
    retire_expired(connection, name, now)
    values = {"name": name, "scopes": list(scopes), "now": now, "expires_at": expires_at}
    if row(connection, "tokens", "add_token", token_id=shape[1], digest=_digest(token), **values) is None:
        told = f"there is a token named {name} already; revoke it first: framewatch tokens revoke {name}"
        raise PermanentError(Reason.BAD_INPUT, told)
    return shape[1]


def retire_expired(connection: Connection, name: str, now: datetime) -> None:
    """Free a name whose token has run out."""
    run(connection, "tokens", "retire_expired", name=name, now=now)


def find_token(connection: Connection, token: str, now: datetime) -> Row | None:
    """token_id, name and scopes of a token in force, its use noted; None for any other word."""
    shape = SHAPE.fullmatch(token)
    found = None if shape is None else read_token(connection, shape[1], now)
    if found is None or not hmac.compare_digest(bytes(found["digest"]), _digest(token)):
        return None
    if found["last_used_at"] is None or now - found["last_used_at"] >= TOUCHED_EVERY:
        touch_token(connection, found["token_id"], now)
    return found


def read_token(connection: Connection, token_id: str, now: datetime) -> Row | None:
    """The row of a token in force, with its digest."""
    return row(connection, "tokens", "read_token", token_id=token_id, now=now)


def touch_token(connection: Connection, token_id: str, now: datetime) -> None:
    """It was used now."""
    run(connection, "tokens", "touch_token", token_id=token_id, now=now)


def list_tokens(connection: Connection) -> list[Row]:
    """Every token ever made, oldest first, without its digest."""
    return rows(connection, "tokens", "list_tokens")


def revoke_token(connection: Connection, token: str, now: datetime) -> Row | None:
    """End a token by id or name, at once; token_id and name, None when none is in force under either."""
    return row(connection, "tokens", "revoke_token", token=token, now=now)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
