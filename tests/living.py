"""A whole framewatch of its own: `framewatch up` as a process in a home of its own. Used by chaos tests and benchmarks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from services.embedded import runfile
from services.embedded.postgres import Postgres
from services.store.pool import Store
from tests.waiting import wait

READY_S, STOPPED_S = 60.0, 30.0


@dataclass
class Living:
    """A running house."""

    home: Path
    process: subprocess.Popen[bytes]
    env: Mapping[str, str]

    @property
    def run(self) -> dict[str, Any]:
        """run.json as it is now."""
        return dict(runfile.read(self.home) or {"processes": {}, "addresses": {}})

    def pid(self, name: str) -> int | None:
        """Process id of a supervised process, None while it is down."""
        found = self.run["processes"].get(name, {}).get("pid")
        return int(found) if found else None

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A framewatch command in this home."""
        argv = [sys.executable, "-m", "services.cli", *arguments]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=300)
        if check and done.returncode:
            raise AssertionError(f"framewatch {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done

    def store(self) -> Store:
        """Its database."""
        return Store(Postgres(self.home).url, size=2, name="watcher")

    def tree(self) -> list[psutil.Process]:
        """Every process of the house."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def memory(self) -> dict[str, int]:
        """Proportional set size in bytes by program (shared pages shared out), resident size where that is hidden."""
        sizes: dict[str, int] = {}
        for process in self.tree():
            with suppress(psutil.Error):
                words = process.cmdline()
                name = next((n for n, p in self.run["processes"].items() if p["pid"] == process.pid), words[0][-20:])
                full = process.memory_full_info()
                sizes[name] = sizes.get(name, 0) + int(getattr(full, "pss", full.rss))
        return sizes

    def cpu_seconds(self) -> float:
        """Processor time spent by the whole house so far."""
        total = 0.0
        for process in self.tree():
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total


@contextmanager
def living(home: Path, *options: str, **settings: str) -> Iterator[Living]:
    """Start a house and stop it at the end."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FRAMEWATCH_")}
    env |= {"FRAMEWATCH_HOME": str(home)} | {f"FRAMEWATCH_{k.upper()}": v for k, v in settings.items()}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.log").open("ab") as log:
        argv = [sys.executable, "-m", "services.cli", "up", *options]
        process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, start_new_session=True)
    house = Living(home, process, env)
    try:
        wait(lambda: "metrics" in house.run["addresses"] or process.poll() is not None, READY_S)
        if process.poll() is not None:
            raise AssertionError((home / "up.log").read_text())
        yield house
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPPED_S)
        except subprocess.TimeoutExpired as stuck:
            process.kill()
            raise AssertionError(
                f"it did not stop in {STOPPED_S:g} s:\n{(home / 'up.log').read_text()[-2000:]}"
            ) from stuck
