"""What every kind of channel shares: the protocol, what a channel is given, and the form of its config.

Knows no kind of channel, and must not send anything.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from schemas.records import Notice


class Channel(Protocol):
    """One configured way of telling the team something."""

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Hand `notice` over; returning means the other side took it, a repeat carries the same id.

        Raises TransientError when another try may help, PermanentError when somebody has to mend something.
        """


class Answer(Protocol):
    """What a channel needs to know of an HTTP response."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def retry_after(self) -> timedelta | None:
        """How long the other side asks us to wait, when it says so in a header."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""

    @property
    def body(self) -> bytes:
        """What it says, as far as it was read."""


class Poster(Protocol):
    """The guarded way out: refuses private addresses, follows no redirect, returns every status."""

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """POST `content` to `url`; raises TransientError or PermanentError when no status came back."""

    def put(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """PUT, as `post`."""

    def connect(self, host: str, port: int, *, timeout: timedelta) -> socket.socket:
        """A connection for a protocol that is not HTTP; errors as of `post`."""

    def check(self, host: str, port: int) -> None:
        """Raises PermanentError(BLOCKED_ADDRESS) when we may not go there, TransientError when nobody knows it."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the house gives to every channel, whether its kind needs it or not."""

    poster: Poster
    public_url: str


class ChannelConfig(BaseModel):
    """Base of each kind's Config: unknown keys are refused and values never appear in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)

    def leads_to(self) -> tuple[tuple[str, int], ...]:
        """The hosts and ports that notices will go to, as far as the config names them."""
        urls = [value.get_secret_value() for _, value in self if isinstance(value, SecretUrl)]
        parts = [urlsplit(url) for url in urls if url]
        return tuple((p.hostname, p.port or (80 if p.scheme == "http" else 443)) for p in parts if p.hostname)


class SecretUrl(SecretStr):
    """An address whose path is a password of its own; only scheme and host may be shown."""

    def shown(self) -> str:
        """The address as a listing or an error may name it."""
        scheme, _, rest = self.get_secret_value().partition("://")
        host = rest.replace("\\", "/").split("/")[0].split("?")[0].split("#")[0].rpartition("@")[2]
        return f"{scheme}://{host}/…" if host else "***"
