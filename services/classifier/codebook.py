"""From a codebook's words to heads: every text goes through the encoder once, then the arrays are learned from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.encoder import Encoder
from services.classifier.heads import Heads
from services.classifier.learning import FrameExamples, learn


class Frame(Protocol):
    """What is needed to know of a codebook's frame."""

    @property
    def id(self) -> str:
        """Unique in its codebook."""

    @property
    def title(self) -> str:
        """A few words."""

    @property
    def description(self) -> str:
        """A sentence or two; may be empty."""

    @property
    def examples(self) -> Sequence[str]:
        """Posts that carry the frame, at least one."""

    @property
    def counterexamples(self) -> Sequence[str]:
        """Near misses that do not."""

    @property
    def threshold(self) -> float | None:
        """The probability from which a post carries the frame; None to have it chosen."""


class Codebook(Protocol):
    """What is needed to know of a codebook."""

    @property
    def frames(self) -> Sequence[Frame]:
        """At least one."""

    @property
    def background(self) -> Sequence[str]:
        """Posts that carry none of the frames; may be empty."""


def learn_codebook(encoder: Encoder, codebook: Codebook, clean: Callable[[str], str]) -> Heads:
    """Heads for the codebook's frames on `encoder`'s vectors; `clean` is what posts go through before encoding.

    Raises PermanentError(BAD_CODEBOOK) when a frame has no example, or nothing to be told apart from.
    """
    texts = list(dict.fromkeys(clean(text) for text in _texts(codebook)))
    rows = {text: row for row, text in enumerate(texts)}
    vectors = encoder.encode(texts)

    def of(wanted: Sequence[str]) -> NDArray[np.float32]:
        return vectors[[rows[text] for text in dict.fromkeys(map(clean, wanted))]]

    frames = [
        FrameExamples(f.id, of([_about(f)])[0], of(f.examples), of(f.counterexamples), f.threshold)
        for f in codebook.frames
    ]
    return learn(frames, of(codebook.background))


def _texts(codebook: Codebook) -> Iterator[str]:
    for frame in codebook.frames:
        yield from (_about(frame), *frame.examples, *frame.counterexamples)
    yield from codebook.background


def _about(frame: Frame) -> str:
    return f"{frame.title}. {frame.description}".strip()
