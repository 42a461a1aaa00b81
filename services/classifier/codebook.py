"""From a codebook's words to heads: every text goes through the encoder once, then the arrays are learned from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.classifier.encoder import Encoder
from services.classifier.everyday import Stored, everyday_posts, heard_posts, said_of_everyday
from services.classifier.heads import Heads
from services.classifier.learning import Lesson, Material, learn, learned_from
from services.classifier.review import Doubt, doubts


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
    def languages(self) -> Sequence[str]:
        """BCP 47 tags of what it watches; may be empty."""

    @property
    def frames(self) -> Sequence[Frame]:
        """At least one."""

    @property
    def background(self) -> Sequence[str]:
        """Posts that carry none of the frames; may be empty."""


@dataclass(frozen=True, slots=True)
class Taught:
    """One text that heads were learned from, and what the codebook says of it."""

    text: str
    """As the codebook has it; of a description, title and description."""
    clean: str
    """What the encoder read."""
    describes: str = ""
    """The frame whose description it is, "" for a post."""
    carries: tuple[str, ...] = ()
    """Frames that list it among their examples."""
    against: tuple[str, ...] = ()
    """Frames that list it among their counterexamples."""
    background: bool = False
    """Whether it stands for everything else: the codebook's background, or a post of every day."""


def taught_by(codebook: Codebook, clean: Callable[[str], str]) -> list[Taught]:
    """The texts behind the anchors of the codebook's heads, in the anchors' order; needs no encoder."""
    said = list(_said(codebook, clean))
    written = {clean(text): text for text in reversed(list(_written(codebook)))}
    examples = {f.id: {clean(text) for text in f.examples} for f in codebook.frames}
    counterexamples = {f.id: {clean(text) for text in f.counterexamples} for f in codebook.frames}
    background = {clean(text) for text in codebook.background}
    posts = [
        Taught(written[t], t, "", _listing(examples, t), _listing(counterexamples, t), t in background) for t in said
    ]
    posts += [Taught(t, t, background=True) for t in everyday_posts(clean, {*said})]
    about = [Taught(_about(frame), clean(_about(frame)), frame.id) for frame in codebook.frames]
    return [posts[i] for i in learned_from(len(posts))] + about


def learn_codebook(
    encoder: Encoder, codebook: Codebook, clean: Callable[[str], str], stored: Stored | None = None
) -> Heads:  # fmt: skip
    """Heads for the codebook's frames on `encoder`'s vectors; `clean` is what posts go through before encoding.

    `stored` teaches what the house's stream is full of; it costs nothing when posts are scored.

    Raises PermanentError(BAD_CODEBOOK) when a frame has no example, or nothing to be told apart from.
    """
    return _learned(encoder, codebook, clean, stored)[1].heads


def review_codebook(encoder: Encoder, codebook: Codebook, clean: Callable[[str], str]) -> list[Doubt]:
    """What learning makes one doubt about the codebook: too few examples, contradictions, examples far off.

    Raises as `learn_codebook` does.
    """
    return doubts(*_learned(encoder, codebook, clean))


def _learned(
    encoder: Encoder, codebook: Codebook, clean: Callable[[str], str], stored: Stored | None = None
) -> tuple[Material, Lesson]:  # fmt: skip
    about = [clean(_about(frame)) for frame in codebook.frames]
    said = _said(codebook, clean)
    everyday = everyday_posts(clean, {*said})
    said |= said_of_everyday(codebook, everyday)
    kept = len(said)
    heard = heard_posts(stored, said) if stored else {}
    said |= said_of_everyday(codebook, list(heard))
    texts = list(said)
    distinct = list(dict.fromkeys([*texts[:kept], *about]))
    vectors = dict(zip(distinct, encoder.encode(distinct), strict=True)) | heard
    background = {clean(text) for text in codebook.background}
    material = Material(
        frames=[f.id for f in codebook.frames],
        descriptions=np.array([vectors[text] for text in about]),
        wordings=about,
        vectors=np.array([vectors[text] for text in texts]).reshape(-1, encoder.dimensions),
        texts=texts,
        said=np.array(list(said.values()), np.int8).reshape(-1, len(about)),
        background=np.array([text in background and 1 not in said[text] for text in texts], bool),
        everyday=np.arange(len(texts)) >= kept - len(everyday),
        stored=np.arange(len(texts)) >= kept,
        contradicted=_contradicted(codebook, clean, texts),
        thresholds=[f.threshold for f in codebook.frames],
    )
    return material, learn(material)


def _listing(texts: Mapping[str, set[str]], text: str) -> tuple[str, ...]:
    return tuple(frame for frame, of_frame in texts.items() if text in of_frame)


def _about(frame: Frame) -> str:
    return f"{frame.title}. {frame.description}"


def _written(codebook: Codebook) -> Iterator[str]:
    for frame in codebook.frames:
        yield from (*frame.examples, *frame.counterexamples)
    yield from codebook.background


def _contradicted(codebook: Codebook, clean: Callable[[str], str], texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which texts are an example of a frame and, cleaned, also its counterexample or background."""
    background = {clean(text) for text in codebook.background}
    found = [
        {clean(t) for t in f.examples} & (background | {clean(t) for t in f.counterexamples}) for f in codebook.frames
    ]
    return np.array([[text in of_frame for of_frame in found] for text in texts], bool).reshape(-1, len(found))


def _said(codebook: Codebook, clean: Callable[[str], str]) -> dict[str, NDArray[np.int8]]:
    """Every distinct post, and what is said of it frame by frame.

    Background carries no frame, and an example no frame that does not list it; of a counterexample nothing is
    known but its own frame. Where two sayings meet, the example wins.
    """
    count = len(codebook.frames)
    said: dict[str, NDArray[np.int8]] = {}
    for frame in codebook.frames:
        said |= {clean(text): np.full(count, -1, np.int8) for text in frame.examples}
    said |= {clean(text): np.full(count, -1, np.int8) for text in codebook.background}
    for f, frame in enumerate(codebook.frames):
        for text in map(clean, frame.counterexamples):
            said.setdefault(text, np.zeros(count, np.int8))[f] = -1
    for f, frame in enumerate(codebook.frames):
        for text in map(clean, frame.examples):
            said[text][f] = 1
    return said
