"""The talk with a Nostr relay (NIP-01): one question at a time, read to its end, and listening on.

Must not judge events, keep anything between connections, or publish.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from services.analysis.text import clean_line
from services.fetch import WebSocket

SILENCE = 10.0
"""Seconds without a word after which a relay is taken to have nothing more to say, though it never said so."""
LONGEST_ANSWER = 30.0
"""Seconds that one answer may take: with connecting it stays below a worker's lease."""
MAX_EVENTS = 5000
"""Events of one answer after which a relay is taken to have no end."""
_LOGIN = ("auth-required", "restricted")


class Relay:
    """A relay that a connection is open to; for one thread."""

    def __init__(self, socket: WebSocket, name: str) -> None:
        self._socket = socket
        self._name = name
        self._notice = ""
        self._asked = 0

    def ask(self, wanted: Mapping[str, Any]) -> list[Any]:
        """Everything the relay has stored for the filter `wanted` and cares to send at once.

        Raises TransientError (TIMEOUT, TOO_LARGE, those of a closed question, those of WebSocket) or PermanentError.
        """
        question = self.subscribe(wanted)
        deadline = time.monotonic() + LONGEST_ANSWER
        events: list[Any] = []
        while (left := deadline - time.monotonic()) > 0 and len(events) < MAX_EVENTS:
            message = self._next(question, min(left, SILENCE))
            if message is None:
                raise self._silent()
            if message[0] == "EOSE":
                self._socket.send(json.dumps(["CLOSE", question]))
                return events
            events += [message[2]]
        if len(events) >= MAX_EVENTS:
            raise TransientError(Reason.TOO_LARGE, f"{self._name} sends events without end.")
        raise self._silent()

    def subscribe(self, *wanted: Mapping[str, Any]) -> str:
        """Ask for events without reading the answer; the name of the question."""
        self._asked += 1
        question = f"framewatch-{self._asked}"
        self._socket.send(json.dumps(["REQ", question, *wanted], ensure_ascii=False))
        return question

    def hear(self, question: str, seconds: float, most: int) -> Iterator[Any]:
        """The events that come to an open question within `seconds`, at most `most`. Raises as `ask` does."""
        deadline = time.monotonic() + seconds
        while most > 0 and (left := deadline - time.monotonic()) > 0:
            message = self._next(question, left)
            if message is None:
                return
            if message[0] == "EVENT":
                most -= 1
                yield message[2]

    def _next(self, question: str, timeout_s: float) -> list[Any] | None:
        """The next EVENT or EOSE that belongs to `question`; None when none came in time."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            frame = self._socket.receive(left)
            if frame is None:
                return None
            message = _read(frame)
            if message[0] == "NOTICE":
                self._notice = _said(message[1])
            elif message[0] == "CLOSED" and message[1] == question:
                raise self._closed(_said(message[2]) if len(message) > 2 else "")
            elif message[1] == question and (message[0] == "EOSE" or (message[0] == "EVENT" and len(message) > 2)):
                return message
        return None

    def _silent(self) -> TransientError:
        said = f' Its last words: "{self._notice}".' if self._notice else ""
        return TransientError(Reason.TIMEOUT, f"{self._name} did not finish its answer in time.{said}")

    def _closed(self, said: str) -> FramewatchError:
        why = said.partition(":")[0].strip().lower()
        if why in _LOGIN:
            return TransientError(
                Reason.NO_ACCESS,
                f'{self._name} is only for members, says the relay ("{said}"). Take another relay: most are open.',
            )
        if why == "rate-limited":
            return TransientError(Reason.RATE_LIMITED, f'{self._name} asks for fewer questions: "{said}".')
        if why in ("error", "duplicate", ""):
            return TransientError(Reason.SERVER_ERROR, f'{self._name} could not answer: "{said}". Usually it passes.')
        return PermanentError(
            Reason.REFUSED,
            f'{self._name} does not answer this question: "{said}". Ask for less, or take another relay.',
        )


def _read(frame: str | bytes) -> list[Any]:
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        message = None
    return message if isinstance(message, list) and len(message) > 1 else ["", ""]


def _said(value: Any) -> str:
    return clean_line(value, limit_bytes=200) if isinstance(value, str) else ""
