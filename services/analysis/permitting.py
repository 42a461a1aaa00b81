"""Who asks, and what that is enough for: deny by default. Pure; it reads no header and knows no route.

Reading needs `read` and everything else `admin`, unless a route itself says that less is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import PermanentError, Reason
from schemas.scopes import SCOPES, Scope, granted


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask: a name for what they do, and what is allowed."""

    name: str
    scopes: frozenset[Scope]
    key: str = ""
    """What requests are counted under; empty: not at all."""


EVERYTHING: frozenset[Scope] = frozenset(SCOPES)
LOCAL = Caller("local", EVERYTHING)
"""Whoever asks a house that is open, which only this machine can."""
OPERATOR = Caller("operator", EVERYTHING, "operator")
"""Whoever has FRAMEWATCH_API_TOKEN."""


def holder(token: Mapping[str, Any]) -> Caller:
    """Whoever has a token of ours, given as its row: name, scopes, token_id."""
    return Caller(token["name"], granted(tuple(token["scopes"])), token["token_id"])


def usual_scope(method: str) -> Scope:
    """What a method asks for where its route says nothing."""
    return "read" if method in ("GET", "HEAD") else "admin"


def check(caller: Caller | None, wanted: Scope) -> None:
    """Raises PermanentError(NO_ACCESS) unless a caller may do what asks for `wanted`."""
    if caller is None or wanted not in caller.scopes:
        told = f"this needs a token with the scope {wanted}; see: framewatch tokens create"
        raise PermanentError(Reason.NO_ACCESS, told)


def told_answers_of(caller: Caller, judge: str | None) -> str | None:
    """Whose labels a caller is told who asks for those of `judge` (None: everybody's); None: everybody's.

    Whoever judges is told of himself alone, lest others' answers sway him: raises PermanentError(NO_ACCESS).
    """
    if "admin" in caller.scopes:
        return judge
    if judge not in (None, caller.name):
        told = f"this token is told what {caller.name} answered; other judges' answers need one with the scope admin"
        raise PermanentError(Reason.NO_ACCESS, told)
    return caller.name
