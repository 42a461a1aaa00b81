"""Who is signed in to the console, as rows: a random word in a cookie, its digest here. It knows no request.

A session ends when nobody used it for IDLE, at the latest after LASTS, when it is signed out, and with its token.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from services.store.pool import Connection, Row, row, run

IDLE = timedelta(hours=12)
"""How long a session stands unused: a shift."""
LASTS = timedelta(days=7)
"""How long it stands at all."""
TOUCHED_EVERY = timedelta(minutes=5)
"""How exactly its last use is known; each page writing a row would cost more than it tells."""


def add_session(connection: Connection, word: str, *, token_id: str | None, mark: bytes | None, now: datetime) -> None:
    """Keep a session of a token, or of the operator's (then by its mark), and forget those that are over."""
    forget_sessions(connection, now)
    run(connection, "sessions", "add_session", digest=_digest(word), token_id=token_id, mark=mark, now=now)


def find_session(connection: Connection, word: str, *, mark: bytes, now: datetime) -> Row | None:
    """token_id, name and scopes of the session of a word, its use noted; None where there is none.

    The operator's session has no token_id.
    """
    found = read_session(connection, word, mark=mark, now=now)
    if found is not None and now - found["used_at"] >= TOUCHED_EVERY:
        touch_session(connection, word, now)
    return found


def read_session(connection: Connection, word: str, *, mark: bytes, now: datetime) -> Row | None:
    """The row of a session in force."""
    about = {"mark": mark, "now": now, "made_after": now - LASTS, "used_after": now - IDLE}
    return row(connection, "sessions", "read_session", digest=_digest(word), **about)


def touch_session(connection: Connection, word: str, now: datetime) -> None:
    """It was used now."""
    run(connection, "sessions", "touch_session", digest=_digest(word), now=now)


def end_session(connection: Connection, word: str) -> None:
    """Sign out: the word is worth nothing any more."""
    run(connection, "sessions", "end_session", digest=_digest(word))


def forget_sessions(connection: Connection, now: datetime) -> None:
    """Delete those that are over."""
    run(connection, "sessions", "forget_sessions", made_after=now - LASTS, used_after=now - IDLE)


def _digest(word: str) -> bytes:
    # A word is 256 random bits: as with tokens, a slow hash would add nothing.
    return sha256(word.encode("utf-8", "replace")).digest()
