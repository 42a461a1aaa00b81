"""Free TCP ports on the loopback address, and a file that remembers the one a server had last time."""

import random
import socket
from pathlib import Path

from schemas.errors import PermanentError, Reason
from services.embedded import files

LOOPBACK = "127.0.0.1"
_RANGE = range(20000, 30000)  # below the ports the kernel lends to outgoing connections


def choose(wanted: int, memory: Path) -> int:
    """`wanted` if it is not 0, else the port remembered in `memory` if nobody has it, else a free one.

    Raises PermanentError(BAD_CONFIG) when `wanted` is taken.
    """
    if wanted and not is_free(wanted):
        raise PermanentError(Reason.BAD_CONFIG, f"Port {wanted} is taken. Free it, or let framewatch choose another.")
    return wanted or free(recall(memory))


def free(preferred: int = 0) -> int:
    """`preferred` when nobody listens there, else a free port."""
    if preferred and is_free(preferred):
        return preferred
    for port in random.sample(_RANGE, 50):
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def recall(path: Path) -> int:
    """The port written in `path`, or 0."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def remember(path: Path, port: int) -> None:
    """Write the port to `path`."""
    if recall(path) != port:
        files.write_private(path, f"{port}\n")
