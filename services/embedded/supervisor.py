"""Keeps the processes of one machine running: starts them, starts them again when they die, stops them in order.

It holds the lock of its home and tells the world through run.json. It knows nothing of what the processes do, and
must be used from one thread that lives as long as they should: the kernel ends them with that thread.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from services.embedded import files, runfile
from services.embedded.ward import Program, ProgramServer, Server, Ward

POLL_SECONDS = 0.5
GRACE_SECONDS = 10.0
"""How long programs may take to end after SIGTERM, all together."""
_LOG_CHECK_SECONDS = 10.0


class Supervisor:
    """The processes of one home; a context manager that stops them all on leaving.

    `tell` gets a sentence for everything worth an operator's notice (default: a warning in the log).
    """

    def __init__(self, home: Path, tell: Callable[[str], None] | None = None) -> None:
        self.home = home.resolve()
        self._tell = tell or logging.getLogger(__name__).warning
        self._wards: list[Ward] = []
        self._addresses: dict[str, str] = {}
        self._lock: int | None = None
        self._logs_checked = 0.0

    def __enter__(self) -> Self:
        """Lock the home. Raises PermanentError(BAD_CONFIG) naming the process that has it."""
        self._lock = runfile.acquire(self.home)
        self._publish()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything and unlock the home."""
        self.stop()

    def add(self, name: str, server: Server | Program) -> None:
        """Start a server or program and look after it from now on; returns when a server is ready.

        A program's output goes to HOME/logs/NAME.log. Raises what starting it raises, and ValueError for a name
        that is taken.
        """
        if any(ward.name == name for ward in self._wards):
            raise ValueError(f"{name} is already supervised")
        if isinstance(server, Program):
            server = ProgramServer(server, self.home / "logs" / f"{name}.log")
        ward = Ward(name, server)
        try:
            ward.start(time.monotonic())
        except BaseException:  # Ctrl-C during a long start, too
            server.stop()
            raise
        self._wards.append(ward)
        self._publish()

    def announce(self, addresses: Mapping[str, str]) -> None:
        """Add addresses, by name, to run.json."""
        self._addresses |= addresses
        self._publish()

    def states(self) -> dict[str, runfile.ProcessState]:
        """What is known of each process, by name, in the order they were added."""
        return {ward.name: ward.state() for ward in self._wards}

    def run(self, until: threading.Event) -> None:
        """Look after the processes until the event is set; stops nothing."""
        while not until.wait(POLL_SECONDS):
            self.tend()

    def tend(self) -> None:
        """Look after every process once: restart the dead that are due, keep logs short, tell what is new."""
        now = time.monotonic()
        news = [words for ward in self._wards if (words := ward.tend(now)) is not None]
        for words in news:
            self._tell(words)
        if news:
            self._publish()
        if now - self._logs_checked > _LOG_CHECK_SECONDS:
            self._logs_checked = now
            for ward in self._wards:
                files.bound_log(ward.server.log)

    def stop(self) -> None:
        """Stop the programs, then the servers, last started first, and unlock the home; may be called twice.

        Programs get SIGTERM all at once and SIGKILL after GRACE_SECONDS.
        """
        servers = [ward.server for ward in reversed(self._wards)]
        programs = [server for server in servers if isinstance(server, ProgramServer)]
        for program in programs:
            program.ask_to_stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for program in programs:
            program.stop(max(0.0, deadline - time.monotonic()))
        for server in servers:
            if not isinstance(server, ProgramServer):
                server.stop()
        self._wards.clear()
        self._unlock()

    def _publish(self) -> None:
        addresses = dict(self._addresses)
        runfile.write(
            self.home,
            {"pid": os.getpid(), "home": str(self.home), "processes": self.states(), "addresses": addresses},
        )

    def _unlock(self) -> None:
        if self._lock is not None:
            runfile.remove(self.home)
            os.close(self._lock)
            self._lock = None
