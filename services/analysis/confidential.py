"""Takes out of a feed what only its owner should know, before it is told to anybody or goes into a file. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(
    r"(?:^|_)(?:api_?key|auth|authorization|bearer|cookie|credential|jwt|key|pass|passwd|password|secret|session|sig|"
    r"signature|token)s?(?:$|_)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]")
_LOGIN = re.compile(r"(?<=://)[^/?#\s@]*@")


def is_secret(name: str) -> bool:
    """Whether a value called `name` is, by its name, nobody else's business: `token`, `apiKey`, `X-Auth`, …"""
    return bool(_SECRET.search(_HUMP.sub("_", name).lower()))


def without_secrets(options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`options` without secrets at any depth, and the names of what was taken out; logins in addresses go too."""
    taken: list[str] = []
    return dict(_kept(options, taken)), taken


_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@/]+@")
_PARAMETER = re.compile(r"(?<=[?&])([^\s=&#?]+)=([^\s&#]+)")


def without_login(address: str) -> str:
    """`address` without the name and password that may stand before its host."""
    return _LOGIN.sub("", address)


def masked(text: str) -> str:
    """`text` with the passwords inside addresses hidden, and the values of parameters that are called like secrets."""
    return _PARAMETER.sub(_hidden, _PASSWORD.sub(r"\1***@", text))


def _hidden(parameter: re.Match[str]) -> str:
    name, _ = parameter.groups()
    return f"{name}=***" if is_secret(name) else parameter[0]


def feed_told(feed: Mapping[str, Any]) -> dict[str, Any]:
    """A feed's row as anybody may see it: no password in its address or in what failed, no secret among its options."""
    told: dict[str, Any] = {
        k: masked(v) for k in ("address", "title", "last_error", "warning", "moved_to") if (v := feed.get(k))
    }
    if options := feed.get("options"):
        told["options"] = {name: "***" if is_secret(name) else _kept(value, []) for name, value in options.items()}
    return {**feed, **told}


def holds_key(address: str) -> bool:
    """Whether a parameter of `address` is called like a secret; without it the address would be another one."""
    _, _, query = address.partition("?")
    return any(is_secret(pair.partition("=")[0]) for pair in query.split("&"))


def _kept(value: Any, taken: list[str]) -> Any:
    if isinstance(value, Mapping):
        taken += [name for name in value if is_secret(name)]
        return {name: _kept(inner, taken) for name, inner in value.items() if not is_secret(name)}
    if isinstance(value, list):
        return [_kept(inner, taken) for inner in value]
    return without_login(value) if isinstance(value, str) else value
