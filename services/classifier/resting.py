"""An encoder for a process that seldom needs one: loaded when first asked, let go after some idle minutes.

One asker at a time; those who wait too long are told to come back. It decides nothing about models.
"""

import ctypes
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from schemas.errors import Reason, TransientError
from services.classifier.encoder import Encoder

IDLE_S = 300.0
"""Seconds without a question after which the encoder is let go: 390 MB against a second to load it again."""
PATIENCE_S = 10.0
"""Seconds that a question waits for those before it."""


class Resting:
    """Lends the encoder that `load` gives; `load` is called again after a rest."""

    def __init__(self, load: Callable[[], Encoder], *, idle_s: float = IDLE_S, patience_s: float = PATIENCE_S) -> None:
        self._load, self._idle_s, self._patience_s = load, idle_s, patience_s
        self._turn = threading.Lock()
        self._encoder: Encoder | None = None
        self._timer: threading.Timer | None = None

    @contextmanager
    def __call__(self) -> Iterator[Encoder]:
        """The encoder, for one asker alone.

        Raises TransientError(TIMEOUT) when others keep it too long, and what `load` raises.
        """
        if not self._turn.acquire(timeout=self._patience_s):
            told = "the model is busy explaining other posts; ask again in a moment"
            raise TransientError(Reason.TIMEOUT, told, timedelta(seconds=self._patience_s))
        try:
            self._stop_timer()
            if self._encoder is None:
                self._encoder = self._load()
            yield self._encoder
        finally:
            self._start_timer()
            self._turn.release()

    def rest(self) -> None:
        """Let the encoder go now, and give its memory back to the system; the next question loads it again."""
        with self._turn:
            self._stop_timer()
            self._encoder = None
            gc.collect()
            _trim()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._idle_s, self.rest)
        self._timer.daemon = True
        self._timer.start()


def _trim() -> None:
    """Without this, glibc keeps what was freed (measured: 474 MB stay resident instead of 149)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    if trim is not None:
        trim(0)
