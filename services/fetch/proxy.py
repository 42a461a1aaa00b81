"""A tunnel through the operator's proxy (CONNECT, RFC 9110, 9.3.6): to an address that the guard has checked.

The proxy is told an address and never a name, so that it cannot resolve one to somewhere else. It must not know HTTP
beyond the few lines that open a tunnel.
"""

import base64
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpcore

from schemas.errors import PermanentError, Reason, TransientError
from services.fetch.addresses import Address

_MAX_HEAD = 16_384
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where tunnels begin, and the login it wants (b"" for none)."""

    host: str
    port: int
    login: bytes = b""


def read_proxy(text: str) -> Proxy | None:
    """`http://[name:password@]host:port`; None for "". Raises PermanentError(BAD_CONFIG), without the password."""
    if not text.strip():
        return None
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme != "http":
        raise PermanentError(Reason.BAD_CONFIG, "FRAMEWATCH_PROXY must be like http://proxy.example.org:3128")
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode() if parts.username else b""
    return Proxy(host, port, login)


def open_tunnel(stream: httpcore.NetworkStream, proxy: Proxy, address: Address, port: int) -> None:
    """Have the proxy at the other end of `stream` connect it to `address`.

    Raises PermanentError(BAD_CONFIG) when the proxy wants another login, TransientError(UNREACHABLE) when it refuses,
    and httpcore's errors.
    """
    place = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.login:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.login).decode()}")
    stream.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while b"\r\n\r\n" not in head:
        # A byte at a time: what follows the head belongs to the tunnel.
        piece = stream.read(1)
        if not piece or len(head) >= _MAX_HEAD:
            raise TransientError(Reason.UNREACHABLE, "The proxy closed the connection. Check FRAMEWATCH_PROXY.")
        head += piece
    status = _STATUS.match(head)
    said = int(status[1]) if status else 0
    if said == 407:
        raise PermanentError(Reason.BAD_CONFIG, "The proxy wants another name and password (FRAMEWATCH_PROXY).")
    if not 200 <= said < 300:
        raise TransientError(Reason.UNREACHABLE, f"The proxy refuses to connect to {place} (status {said or 'none'}).")
