"""What a token may be good for: a closed list, and what each includes. It knows no route."""

from typing import Literal, get_args

Scope = Literal["read", "write", "push", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
MEANING: dict[Scope, str] = {
    "read": "ask for anything but what judges answered; exports included",
    "write": "say what is to become of alerts and suggestions, judge posts, see one's own answers; includes read",
    "push": "send posts, and nothing else",
    "admin": "change feeds, rules, channels and codebooks, see every judge's answers; includes all the others",
}
_INCLUDED: dict[Scope, tuple[Scope, ...]] = {"write": ("read",), "admin": ("read", "write", "push")}


NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,58}[A-Za-z0-9])?"
RESERVED = ("local", "operator")
"""Names that say who did something without a token of ours."""


def granted(scopes: tuple[Scope, ...]) -> frozenset[Scope]:
    """All that these scopes allow, what they include among it."""
    return frozenset(scopes) | {inner for scope in scopes for inner in _INCLUDED.get(scope, ())}
