"""Why a post got its frames, put together once for CLI, API and console: rows from the store, sums from the heads.

It reads in one transaction, and asks the encoder with none open. It writes nothing and words nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import codebook as codebooks_file
from schemas import wire, wire_why
from schemas.codebook import Codebook
from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.stance import Stance
from services.analysis.stance import toward
from services.analysis.text import text_for_encoder
from services.classifier import Encoder, Heads, StanceReader
from services.classifier.codebook import taught_by
from services.classifier.occlusion import EDGE, LOOKED_AT, Left, Occlusion, occlude
from services.classifier.why import Neighbour, Sum, sums
from services.store import codebooks, listings, posts, readings, scores
from services.store.pool import Connection, Row, Store

NEAREST = 3
"""Texts told on either side."""
_ANSWERS: tuple[wire_why.Answer, ...] = ("does not", "carries", "uncertain")
"""In the order of the classifier's ABSENT, CARRIES, UNCERTAIN."""

Borrow = Callable[[], AbstractContextManager[Encoder]]
"""Gives an encoder for a while. Raises FramewatchError when there is none to be had."""


@contextmanager
def nobody() -> Iterator[Encoder]:
    """What lends where there is no encoder. Raises PermanentError(MODEL_UNAVAILABLE)."""
    raise PermanentError(Reason.MODEL_UNAVAILABLE, "this process has no model")
    yield


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A text and what judged it."""

    text: str
    book: Codebook
    heads: Heads
    model: str
    vector: NDArray[np.float32] | None = None
    """As stored; None when the text has to be encoded."""
    version: int | None = None
    post: wire.Post | None = None
    reader: StanceReader | None = None
    """Reads the stance of a text that is not stored; None where stance is off."""


def why_post(
    store: Store, borrow: Borrow, post_id: int, *, frame: str | None = None, codebook: str | None = None
) -> wire_why.Why:
    """Why a stored post got its frames under a current codebook (default: the first that has the frame).

    Raises PermanentError(NOT_FOUND) for a post, frame or codebook that is not there, and TransientError or
    PermanentError(MODEL_UNAVAILABLE) when the codebook has no heads that can be read.
    """
    with store.transaction() as tx:
        subject = _read(tx, post_id, frame, codebook)
    return explain(subject, borrow, frame)


def explain(subject: Subject, borrow: Borrow, frame: str | None = None) -> wire_why.Why:
    """Why a text got its frames; only the answers of words and of what is not stored need the encoder."""
    heads, clean = subject.heads, text_for_encoder(subject.text)
    if frame is not None and frame not in heads.frames:
        raise PermanentError(Reason.NOT_FOUND, f"there is no frame {frame} in the codebook {subject.book.codebook}")
    vector = _encoded(borrow, subject.model, clean) if subject.vector is None else subject.vector
    odds = heads.log_odds(vector[None, :], [clean])[0]
    answers = _answers(subject, heads.scores(vector[None, :], [clean]))
    answers = _sided(subject, answers, vector, clean)
    wanted = _wanted(answers, frame)
    words, missing = _words(subject, borrow, [heads.frames.index(a.frame) for a in wanted])
    parts = sums(heads, taught_by(subject.book, text_for_encoder), vector, clean)
    reasons = [_reasons(a, float(odds[heads.frames.index(a.frame)]), parts[a.frame]) for a in wanted]
    told = [_worded(r, words, heads.frames.index(r.frame)) for r in reasons] if words else reasons
    return wire_why.Why(
        post=subject.post, text=subject.text, codebook=subject.book.codebook, version=subject.version,
        model=subject.model, frames=tuple(answers), reasons=tuple(told), words_until=LOOKED_AT, words_missing=missing,
    )  # fmt: skip


def _read(tx: Connection, post_id: int, frame: str | None, codebook: str | None) -> Subject:
    current = {c["version_id"]: c for c in codebooks.current_codebooks(tx)}
    if not current:
        raise PermanentError(Reason.NOT_FOUND, "no codebook is current yet; apply one: framewatch codebook apply FILE")
    version = current[readings.current_frame(tx, frame or readings.EVERYTHING, codebook)["version_id"]]
    row = posts.read_post(tx, post_id, version["version_id"])
    if row is None:
        told = f"there is no post {post_id}, or no more: it may have been deleted; see: framewatch posts list"
        raise PermanentError(Reason.NOT_FOUND, told)
    learned = codebooks.heads_of_version(tx, version["version_id"], row["model_id"])
    if learned is None:
        told = f"the codebook {version['codebook']} has not been learned yet; the model worker does that"
        raise TransientError(Reason.MODEL_UNAVAILABLE, told)
    stored = scores.find_embeddings(tx, learned["model_id"], [row["text_hash"]]).get(row["text_hash"])
    return Subject(
        text=row["text"], book=codebooks_file.parse(version["body"], version["codebook"]),
        heads=Heads.from_bytes(learned["body"]), model=learned["name"], vector=_vector(stored),
        version=version["version"], post=listings.post_told(row),
    )  # fmt: skip


def _vector(stored: bytes | None) -> NDArray[np.float32] | None:
    return None if stored is None else np.frombuffer(stored, "<f2").astype(np.float32)


def _encoded(borrow: Borrow, model: str, clean: str) -> NDArray[np.float32]:
    with borrow() as encoder:
        _check(encoder, model)
        vector: NDArray[np.float32] = encoder.encode([clean])[0]
    return vector


def _check(encoder: Encoder, model: str) -> None:
    """Another runtime of the same weights will do: what is told is compared within one runtime alone."""
    if encoder.name.rpartition("/")[0] != model.rpartition("/")[0]:
        told = f"the post was judged by the model {model}, and the one at hand is {encoder.name}"
        raise PermanentError(Reason.MODEL_UNAVAILABLE, told)


def _answers(subject: Subject, probabilities: NDArray[np.float32]) -> list[wire_why.FrameAnswer]:
    heads, titles = subject.heads, {f.id: f.title for f in subject.book.frames}
    return [
        wire_why.FrameAnswer(
            frame=frame, title=titles[frame], answer=_ANSWERS[int(answer)], probability=float(probability),
            threshold=float(high), uncertain_from=float(low),
        )
        for frame, answer, probability, (low, high) in zip(
            heads.frames, heads.answers(probabilities)[0], probabilities[0], heads.band, strict=True
        )
    ]  # fmt: skip


def _sided(
    subject: Subject, answers: list[wire_why.FrameAnswer], vector: NDArray[np.float32], clean: str
) -> list[wire_why.FrameAnswer]:
    """The answers with the stance that is stored, or that is read now."""
    carried = [a.frame for a in answers if a.answer == "carries"]
    known: dict[str, Stance] = dict(subject.post.stances) if subject.post else {}
    if subject.reader is not None:
        (stance,) = subject.reader.stances(vector[None, :], [clean])
        known = dict.fromkeys(carried, toward(stance, len(carried)))
    return [a.model_copy(update={"stance": known.get(a.frame)}) for a in answers]


def _wanted(answers: Sequence[wire_why.FrameAnswer], frame: str | None) -> list[wire_why.FrameAnswer]:
    if frame is not None:
        return [a for a in answers if a.frame == frame]
    likely = sorted(answers, key=lambda a: -a.probability)
    return [a for a in likely if a.answer != "does not"] or likely[:1]


def _words(subject: Subject, borrow: Borrow, columns: Sequence[int]) -> tuple[Occlusion | None, str | None]:
    """What was left out and what that changed; or why that cannot be told."""
    try:
        with borrow() as encoder:
            _check(encoder, subject.model)
            return occlude(subject.text, lambda texts: _asked(encoder, subject.heads, texts), columns), None
    except FramewatchError as error:
        return None, str(error)


def _asked(encoder: Encoder, heads: Heads, texts: Sequence[str]) -> NDArray[np.float32]:
    """Log odds of texts as posted; each distinct one goes through the encoder once."""
    cleaned = [text_for_encoder(text) for text in texts]
    rows = {text: row for row, text in enumerate(dict.fromkeys(cleaned))}
    odds = heads.log_odds(encoder.encode(list(rows)), list(rows))
    found: NDArray[np.float32] = np.clip(odds, -EDGE, EDGE)[[rows[text] for text in cleaned]]
    return found


def _reasons(answer: wire_why.FrameAnswer, odds: float, of: Sum) -> wire_why.FrameReasons:
    (description,) = (n for n in of.neighbours if n.kind == "description")
    examples = [n for n in of.neighbours if n.kind == "example"]
    against = [n for n in of.neighbours if n.kind not in ("example", "description")]
    return wire_why.FrameReasons(
        **answer.model_dump(),
        log_odds=odds if np.isfinite(odds) else None,
        shares=wire_why.Shares(
            start=of.start, description=of.by_kind["description"], examples=of.by_kind["example"],
            counterexamples=of.by_kind["counterexample"], other_frames=of.by_kind["other frame"],
            background=of.by_kind["background"],
        ),
        description=_nearest(description),
        examples=tuple(map(_nearest, examples[:NEAREST])),
        counterexamples=tuple(map(_nearest, against[:NEAREST])),
        words=None,
    )  # fmt: skip


def _nearest(found: Neighbour) -> wire_why.Nearest:
    taught = found.taught
    frames = (taught.describes,) if taught.describes else taught.carries
    figures: Row = {name: round(getattr(found, name), 4) for name in ("meaning", "wording", "push")}
    return wire_why.Nearest(kind=found.kind, text=taught.text, frames=frames, **figures)


def _worded(reasons: wire_why.FrameReasons, words: Occlusion, column: int) -> wire_why.FrameReasons:
    return reasons.model_copy(update={"words": tuple(_word(words.text, left) for left in words.told(column))})


def _word(text: str, left: Left) -> wire_why.Word:
    start, end = left.span
    rest: Any = 1 / (1 + np.exp(-left.without))
    return wire_why.Word(start=start, end=end, text=text[start:end], change=left.change, without=float(rest))
