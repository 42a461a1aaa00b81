"""The embedded PostgreSQL: one private server per home, a foreground child that stops when its parent does.

It listens on 127.0.0.1 with a password and nowhere else. It must never weaken durability: a commit stays.
"""

import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psycopg

from schemas.errors import PermanentError, Reason, TransientError
from services.embedded import binaries, cluster, files, ports, privileges
from services.embedded.process import Process

DATABASE = "framewatch"
READY_SECONDS = 120.0
"""How long a start may take, recovery after a crash included."""
HANDOVER_SECONDS = 15.0
"""How long a killed predecessor may take to leave the data folder."""
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "huge_pages": "off",
    "jit": "off",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Parallel plans need more shared memory than a container's /dev/shm has.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "60s",
}
_SETTINGS_18 = {"io_method": "sync"}
_TAKEN = ("Address already in use", "could not create any TCP/IP sockets")
_HANDOVER = ("is still in use", "pre-existing shared memory", 'lock file "postmaster.pid"')


class Postgres:
    """A PostgreSQL in `home`; `port` 0 takes the one it had last time, or a free one.

    Start it from a thread that lives as long as the server should: it stops when that thread ends.
    """

    def __init__(self, home: Path, port: int = 0, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        """`settings` are the server's own, in place of what suits a small house."""
        self.home = home.resolve()
        self._settings = {**_SETTINGS, **settings}
        self.data = self.home / "postgres"
        self._wanted = port
        self._port = 0
        self._port_file = self.home / "postgres.port"
        self._process = Process(self.home / "logs" / "postgres.log")

    @property
    def url(self) -> str:
        """postgresql://… with the password; before a first start PermanentError(DATABASE_UNAVAILABLE)."""
        port = self._port or self._wanted or ports.recall(self._port_file)
        try:
            secret = cluster.password(self.data)
        except OSError as error:
            raise PermanentError(
                Reason.DATABASE_UNAVAILABLE,
                f"There is no embedded database in {self.home} ({error.strerror}: {error.filename}). Start"
                " one with `framewatch up`, or set FRAMEWATCH_DATABASE_URL.",
            ) from error
        return f"postgresql://{cluster.ROLE}:{secret}@{ports.LOOPBACK}:{port}/{DATABASE}?sslmode=disable"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The server's process, running or ended; None before the first start."""
        return self._process.popen

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._process.log

    def running(self) -> bool:
        """Whether the process lives (it may still be recovering)."""
        return self._process.running()

    def start(self) -> None:
        """Start and return when the database answers.

        Raises PermanentError(DATABASE_UNAVAILABLE) when it cannot run here, PermanentError(BAD_CONFIG) when
        the port asked for is taken, TransientError(DATABASE_UNAVAILABLE) when it is not ready in READY_SECONDS.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        began = time.monotonic()
        while cluster.server_pid(self.data) is not None and time.monotonic() - began < HANDOVER_SECONDS:
            time.sleep(_POLL_SECONDS)
        files.rotate_log(self.log)
        self.launch()
        while not self._ready():
            waited = time.monotonic() - began
            if not self.running():
                self._start_again(waited)
            elif waited > READY_SECONDS:
                self.stop()
                raise TransientError(
                    Reason.DATABASE_UNAVAILABLE,
                    f"PostgreSQL was not ready within {READY_SECONDS:.0f} s. Its log, {self.log}, ends:\n"
                    + self._process.said(),
                )
            time.sleep(min(0.5, _POLL_SECONDS + waited / 20))

    def launch(self) -> None:
        """Start the process and return at once; a second call keeps the port. Raises as `start` does."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        programs = binaries.find_postgres()
        identity = privileges.choose(programs.folder / "postgres", self.home)
        cluster.prepare(self.data, programs, identity)
        self._port = self._port or ports.choose(self._wanted, self._port_file)
        settings = {**self._settings, "port": str(self._port), **(_SETTINGS_18 if programs.major >= 18 else {})}
        argv = [str(programs.folder / "postgres"), "-D", str(self.data)]
        argv += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process.spawn(argv, death=signal.SIGINT, mode=identity.mode, env=cluster.ENVIRONMENT, cwd=Path("/"))

    def stop(self) -> None:
        """Stop the server cleanly; after STOP_SECONDS at once, which costs a recovery at the next start."""
        if not self._process.end(signal.SIGINT, grace=STOP_SECONDS):
            self._process.end(signal.SIGQUIT, grace=5) or self._process.end(signal.SIGKILL, grace=5)

    def _ready(self) -> bool:
        """Whether our database answers; makes it when the server does but has none."""
        if not self.running():
            return False
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if f'database "{DATABASE}" does not exist' in str(error):
                self._create_database()
            elif "password authentication failed" in str(error) and self._holds_port():
                self.stop()
                raise PermanentError(
                    Reason.DATABASE_UNAVAILABLE,
                    f"The password in {self.data} is not the one the database has. Put the old one back, or"
                    f" move {self.data} away to begin anew.",
                ) from error
            return False
        ports.remember(self._port_file, self._port)
        return True

    def _holds_port(self) -> bool:
        """Whether it is our server that answers: one that found its port taken ends within moments."""
        time.sleep(0.3)
        return self.running()

    def _create_database(self) -> None:
        programs = binaries.find_postgres()
        identity = privileges.choose(programs.folder / "createdb", self.home)
        argv: list[str | Path] = [
            programs.folder / "createdb",
            "-h",
            ports.LOOPBACK,
            "-p",
            str(self._port),
            "-U",
            cluster.ROLE,
        ]
        env = {**cluster.ENVIRONMENT, "PGPASSWORD": cluster.password(self.data), "PGSSLMODE": "disable"}
        cluster.run([*argv, "--maintenance-db=postgres", DATABASE], identity, env=env)

    def _start_again(self, waited: float) -> None:
        """Launch once more if it ended for a cause that passes; else raise with the end of its log."""
        said = self._process.said()
        if any(words in said for words in _TAKEN):
            self._port = 0
        elif not any(words in said for words in _HANDOVER) or waited > HANDOVER_SECONDS:
            raise PermanentError(
                Reason.DATABASE_UNAVAILABLE,
                f"PostgreSQL did not start. Its log, {self.log}, ends:\n{said}\n"
                "Mend the cause named there, or set FRAMEWATCH_DATABASE_URL to a server of your own.",
            )
        self.launch()
