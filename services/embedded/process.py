"""One child process of ours: started through child.py, its output in a log, ended politely and then for good.

It starts and ends; when to start again is the supervisor's business.
"""

import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from services.embedded import child, files


class Process:
    """A child with its own session and its log; may be started again after it ended."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def spawn(
        self,
        argv: Sequence[str],
        *,
        death: signal.Signals,
        mode: str = child.PLAIN,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep: Collection[int] = (),
    ) -> None:
        """Start `argv`; it gets `death` when the calling thread ends, and the file descriptors in `keep`."""
        with files.open_log(self.log) as log:
            self._log_start = files.log_size(self.log)
            self.popen = subprocess.Popen(
                child.command(argv, death=death, mode=mode),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=cwd,
                pass_fds=keep,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """Process id of the running child, else None."""
        return self.popen.pid if self.popen is not None and self.running() else None

    def running(self) -> bool:
        """Whether the child lives; what a dead one left behind is killed when its death is noticed."""
        if self.popen is None or self.popen.returncode is not None:
            return False
        if self.popen.poll() is None:
            return True
        self._sweep()
        return False

    def said(self, lines: int = 12) -> str:
        """The last lines it wrote since it was started."""
        return files.tail(self.log, lines, self._log_start)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child, if it lives."""
        if self.popen is not None and self.running():
            self.popen.send_signal(number)

    def end(self, number: signal.Signals, *, grace: float) -> bool:
        """Send `number` and wait at most `grace` seconds; False when the child lives on."""
        if self.popen is None or not self.running():
            return True
        self.popen.send_signal(number)
        try:
            self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            return False
        self._sweep()
        return True

    def _sweep(self) -> None:
        """Kill the rest of the child's process group; only at once after its end, while its number is not reused."""
        if self.popen is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
