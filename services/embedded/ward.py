"""One thing the supervisor looks after, and when it is started again: soon, then less and less often.

A ward is a server (`Postgres`, `Redis`) or a program of ours. It must not start what refused its configuration.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schemas.errors import FramewatchError
from services.embedded import files
from services.embedded.process import Process
from services.embedded.runfile import ProcessState

FIRST_DELAY, LAST_DELAY = 0.2, 10.0
"""Seconds before the first and before every later restart of something that keeps dying."""
HEALTHY_SECONDS = 30.0
"""A life that long makes the next delay the first again."""


class Server(Protocol):
    """What can be looked after."""

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process, running or ended."""

    @property
    def log(self) -> Path:
        """Where its output goes."""

    def start(self) -> None:
        """Start it and return when it is ready."""

    def launch(self) -> None:
        """Start it and return at once."""

    def running(self) -> bool:
        """Whether it lives."""

    def stop(self) -> None:
        """Stop it and return when it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command line to keep running; it is killed when the supervisor is."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None


class ProgramServer:
    """A Program with its process, in the shape of a Server."""

    def __init__(self, program: Program, log: Path) -> None:
        self.log = log
        self._program = program
        self._process = Process(log)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process, running or ended."""
        return self._process.popen

    def start(self) -> None:
        """Begin a new log and start the program; it is taken to be ready."""
        files.rotate_log(self.log)
        self.launch()

    def launch(self) -> None:
        """Start the program. Raises OSError when it cannot be run."""
        program = self._program
        # The kernel sends it once for each thread of ours that ends. Celery's handlers wait for each other for ever
        # when they are called within one another, and nothing is lost with a worker that is killed.
        self._process.spawn(program.argv, death=signal.SIGKILL, env=program.env, cwd=program.cwd)

    def running(self) -> bool:
        """Whether it lives."""
        return self._process.running()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        self._process.send(signal.SIGTERM)

    def stop(self, grace: float = 10.0) -> None:
        """Send SIGTERM, after `grace` seconds SIGKILL, and kill what it leaves behind."""
        if not self._process.end(signal.SIGTERM, grace=grace):
            self._process.end(signal.SIGKILL, grace=5)


class Ward:
    """A named server with its history."""

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self.server = server
        self.restarts = 0
        self.reason = ""
        self._state = "running"
        self._delay = FIRST_DELAY
        self._began = 0.0
        self._again_at = 0.0

    def start(self, now: float) -> None:
        """Start the server; `now` in monotonic seconds. Raises what the server raises."""
        self._began = now
        self.server.start()

    def tend(self, now: float) -> str | None:
        """Notice a death, or start again what is due; returns the news in words, or None when there are none."""
        if self._state == "refused" or (self._state == "running" and self.server.running()):
            return None
        if self._state == "running":
            return self._mourn(now)
        return self._start_again(now) if now >= self._again_at else None

    def state(self) -> ProcessState:
        """The ward as run.json tells it."""
        process = self.server.process
        pid = process.pid if process is not None and self._state == "running" else None
        return {
            "pid": pid,
            "state": self._state,
            "restarts": self.restarts,
            "log": str(self.server.log),
            "reason": self.reason,
        }

    def _mourn(self, now: float) -> str:
        status = self.server.process.returncode if self.server.process is not None else None
        self.reason = files.tail(self.server.log, 1)
        if status == os.EX_CONFIG:
            self._state = "refused"
            return f"{self.name} will not run: {self.reason}"
        if now - self._began >= HEALTHY_SECONDS:
            self._delay = FIRST_DELAY
        return self._wait(now, f"{self.name} {_ending(status)}")

    def _start_again(self, now: float) -> str:
        self._began = now
        self.restarts += 1
        try:
            self.server.launch()
        except (FramewatchError, OSError) as error:
            self.reason = str(error)
            return self._wait(now, f"{self.name} could not be started: {error}")
        self._state = "running"
        return f"{self.name} was started again"

    def _wait(self, now: float, news: str) -> str:
        delay, self._delay = self._delay, min(2 * self._delay, LAST_DELAY)
        self._state, self._again_at = "waiting", now + delay
        return f"{news}; starting it again in {delay:g} s (log: {self.server.log})"


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        return f"was ended by signal {-status} ({signal.strsignal(-status)})"
    return f"ended with status {status}"
