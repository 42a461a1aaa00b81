"""The embedded Redis: one private server per home, a foreground child that stops when its parent does.

It listens on 127.0.0.1 with a password and nowhere else. It holds nudges, whose loss costs seconds, so
it must always start: a file it cannot read is put aside, never deleted.
"""

import fcntl
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

import redis

from schemas.errors import PermanentError, Reason, TransientError
from services.embedded import binaries, files, ports
from services.embedded.process import Process

READY_SECONDS = 30.0
HANDOVER_SECONDS = 10.0
"""How long a predecessor in the same folder may take to end."""
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_CONFIG = """\
# Written by framewatch at every start.
bind 127.0.0.1
port {port}
requirepass {password}
daemonize no
databases 16
tcp-backlog 128
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
auto-aof-rewrite-min-size 16mb
maxmemory 256mb
maxmemory-policy noeviction
hz 4
activerehashing no
"""
_UNREADABLE = ("redis-check-aof", "Can't handle RDB", "Fatal error loading the DB", "RDB preamble")
_DATA = ("appendonly.aof", "appendonlydir", "dump.rdb")


class Redis:
    """A Redis in `home`; `port` 0 takes the one it had last time, or a free one.

    Start it from a thread that lives as long as the server should: it stops when that thread ends.
    """

    def __init__(self, home: Path, port: int = 0) -> None:
        self.home = home.resolve()
        self.data = self.home / "redis"
        self._wanted = port
        self._port = 0
        self._port_file = self.home / "redis.port"
        self._process = Process(self.home / "logs" / "redis.log")

    @property
    def url(self) -> str:
        """redis://… with the password; before a first start PermanentError(BROKER_UNAVAILABLE)."""
        port = self._port or self._wanted or ports.recall(self._port_file)
        try:
            secret = self._password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise PermanentError(
                Reason.BROKER_UNAVAILABLE,
                f"There is no embedded Redis in {self.home} ({error.strerror}: {error.filename}). Start"
                " one with `framewatch up`, or set FRAMEWATCH_REDIS_URL.",
            ) from error
        return f"redis://:{secret}@{ports.LOOPBACK}:{port}/0"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The server's process, running or ended; None before the first start."""
        return self._process.popen

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._process.log

    def running(self) -> bool:
        """Whether the process lives (it may still be loading its data)."""
        return self._process.running()

    def start(self) -> None:
        """Start and return when the server answers.

        Raises PermanentError(BROKER_UNAVAILABLE) when it cannot run here, PermanentError(BAD_CONFIG) when the
        port asked for is taken, TransientError(BROKER_UNAVAILABLE) when it is not ready in READY_SECONDS.
        """
        files.rotate_log(self.log)
        self.launch()
        began, again = time.monotonic(), 0
        while not self._ready():
            if not self.running():
                again += 1
                self._start_again(again)
            elif time.monotonic() - began > READY_SECONDS:
                self.stop()
                raise TransientError(
                    Reason.BROKER_UNAVAILABLE,
                    f"Redis was not ready within {READY_SECONDS:.0f} s. Its log, {self.log}, ends:\n"
                    + self._process.said(),
                )
            time.sleep(_POLL_SECONDS)

    def launch(self) -> None:
        """Start the process and return at once; a second call keeps the port. Raises as `start` does."""
        program = binaries.find_redis()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        lock = self._lock()
        try:
            self._set_unreadable_aside()
            self._port = self._port or ports.choose(self._wanted, self._port_file)
            config = self._write_config()
            self._process.spawn(
                [str(program), str(config)],
                death=signal.SIGTERM,
                env={"LC_ALL": "C"},
                cwd=self.data,
                keep=[lock],
            )
        finally:
            os.close(lock)

    def stop(self) -> None:
        """Stop the server, its data written; after STOP_SECONDS without."""
        if not self._process.end(signal.SIGTERM, grace=STOP_SECONDS):
            self._process.end(signal.SIGKILL, grace=5)

    @property
    def _password_file(self) -> Path:
        return self.data / "password"

    def _write_config(self) -> Path:
        if not self._password_file.exists():
            files.write_private(self._password_file, secrets.token_urlsafe(24) + "\n")
        password = self._password_file.read_text(encoding="utf-8").strip()
        config = self.data / "redis.conf"
        files.write_private(config, _CONFIG.format(port=self._port, password=password))
        return config

    def _lock(self) -> int:
        """A lock that the server holds through an inherited descriptor: two servers would spoil one file."""
        lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() - began > HANDOVER_SECONDS:
                    os.close(lock)
                    raise PermanentError(
                        Reason.BROKER_UNAVAILABLE,
                        f"Another Redis runs in {self.data}. Stop it, or choose another FRAMEWATCH_HOME.",
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return lock

    def _ready(self) -> bool:
        if not self.running():
            return False
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=None) as client:
                client.ping()
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        ports.remember(self._port_file, self._port)
        return True

    def _start_again(self, again: int) -> None:
        """Launch once more: on another port if that was the cause, else without data it could not read."""
        said = self._process.said()
        if "Address already in use" in said and again < 5:
            self._port = 0
        elif again > 1 or not any(words in said for words in _UNREADABLE):
            raise PermanentError(
                Reason.BROKER_UNAVAILABLE,
                f"Redis did not start. Its log, {self.log}, ends:\n{said}\n"
                "Mend the cause named there, or set FRAMEWATCH_REDIS_URL to a server of your own.",
            )
        self.launch()

    def _set_unreadable_aside(self) -> None:
        """Rename the data files to `<name>.<time>.unreadable` when the server ended because of them."""
        if self.process is None or not any(words in self._process.said() for words in _UNREADABLE):
            return
        for path in (self.data / name for name in _DATA):
            if path.exists():
                path.rename(path.with_name(f"{path.name}.{time.time_ns()}.unreadable"))
