"""What a worker process needs, as values and callables; stages see only this, never a concrete room."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.codebook import Codebook
from schemas.records import Feed, Notice, Page
from schemas.stance import Stance
from services.analysis.alerting import Rule
from services.analysis.intake import Intake
from services.store.pool import Store
from services.store.vectors import Heard


class Source(Protocol):
    """A kind of place posts come from."""

    def fetch(self, feed: Feed, now: datetime) -> Page:
        """New posts and the next cursor, or TransientError / PermanentError."""
        ...


class Stream(Protocol):
    """A kind of place that can be listened to."""

    def listen(self, feed: Feed, now: Callable[[], datetime], stopping: Callable[[], bool]) -> Iterator[Page]:
        """Pages as they come, empty ones as heartbeats; ends, or raises TransientError / PermanentError."""
        ...


class Channel(Protocol):
    """A place messages go to."""

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Carry one message, or raise TransientError / PermanentError."""
        ...


class Encoder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """Model id and revision."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit-length row a text."""
        ...


class Heads(Protocol):
    """Vectors to probabilities and answers, frame by frame."""

    @property
    def frames(self) -> tuple[str, ...]:
        """Frame ids in the order of the columns."""
        ...

    def scores(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities, a row a vector and the text it was made of, and a column a frame."""
        ...

    def stored_scores(
        self, vectors: NDArray[Any], bins: NDArray[np.uint16], counts: NDArray[np.int64]
    ) -> NDArray[np.float32]:  # fmt: skip
        """The same to the last bit, from stored vectors, the bins of all texts in a row, and how many each has."""
        ...

    def answers(self, probabilities: NDArray[np.float32]) -> NDArray[np.int8]:
        """1 carries, 0 does not, 2 uncertain."""
        ...

    def to_bytes(self) -> bytes:
        """The heads as stored."""
        ...


class StanceReader(Protocol):
    """Vectors and texts to stances."""

    def stances(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> list[Stance]:
        """The stance of each text."""
        ...

    def to_bytes(self) -> bytes:
        """The reader as stored."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How stance is read."""

    lesson: str
    """Names what it is learned from."""
    learn: Callable[[Encoder], StanceReader]
    read: Callable[[bytes], StanceReader]
    """A reader as stored → the reader."""


Wordings = Callable[[Sequence[str]], list[bytes]]
"""The bins of each text's wording, as stored."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A way to ask a platform which posts it no longer shows."""

    ask: Callable[[Sequence[tuple[str, str]]], frozenset[str]]
    """Posts as (native_id, url) → the native_ids that are gone; raises TransientError / PermanentError."""
    billed: bool = False
    """Whether asking costs; then only posts that carry a frame are worth it."""


@dataclass(frozen=True, slots=True)
class Hubs:
    """How WebSub hubs are asked."""

    request: Callable[[str, str, str], bytes]
    """Topic, token and secret → the form that asks a hub to tell us at the callback of that token."""
    post: Callable[[str, bytes, Mapping[str, str]], int]
    """Address, body and headers → the status of the answer; raises TransientError / PermanentError."""
    word: Callable[[], str]
    """A new word that nobody can guess."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a stage may use."""

    store: Store
    source: Callable[[str], Source]
    stream: Callable[[str], Stream]
    gone: Callable[[str], Gone | None]
    """By kind of source; None when it cannot tell."""
    channel: Callable[[str, Mapping[str, Any]], Channel]
    encoder: Callable[[], Encoder]
    learn: Callable[[Encoder, Codebook, Heard | None], Heads]
    read_heads: Callable[[bytes], Heads]
    wordings: Wordings
    intake: Intake
    now: Callable[[], datetime]
    chance: Callable[[], float]
    """A number in [0, 1)."""
    sign: Callable[[int], str] = str
    """The number of a digest's reader → the token by which they can leave it."""
    lease: timedelta = timedelta(seconds=60)
    host_gap: timedelta = timedelta(0)
    """Time between two fetches from one host, whichever worker makes them."""
    hubs: Hubs | None = None
    """None where no hub could reach us."""
    stopping: Callable[[], bool] = lambda: False
    """Whether this process was asked to stop; whoever goes on for long looks now and then."""
    nudge: Callable[[str], None] = lambda _stage: None
    """Tells a stage that it has work, while another still runs."""
    rule: Rule = field(default_factory=Rule)
    keep_versions: int = 5
    """Versions of a codebook out of service whose scores are kept."""
    heads: dict[tuple[int, int], Heads] = field(default_factory=dict)
    """Heads already read, by (version_id, model_id): stored ones never change."""
    reading: Reading | None = None
    """None where stance is off."""
    readers: dict[int, tuple[int, StanceReader]] = field(default_factory=dict)
    """Readers of stance already read, and their numbers, by model_id: stored ones never change."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a stage did."""

    rows: int = 0
    failures: int = 0
    fenced_off: int = 0
    """Rows whose lease had gone to somebody else by the time they were to be settled."""
    again: bool = False
    """True when more of the same waits."""
    wake: tuple[str, ...] = ()
    """Stages that have work now."""
