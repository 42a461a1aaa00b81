"""Edits a codebook's YAML text: comments, quotes and order stay as they were written. It reads and writes no file."""

from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from schemas import codebook as files
from schemas.codebook import Codebook, Frame
from schemas.errors import PermanentError, Reason

_WIDEST = 1 << 30
"""Columns of a line: long texts stay on theirs."""


def add_frame(text: str, frame: Frame) -> str:
    """The codebook with one more frame, the last. Raises PermanentError(BAD_CODEBOOK), also when its id is taken."""

    def edit(book: CommentedMap) -> None:
        book["frames"].append(_told(frame))

    return _edited(text, edit)


def remove_frame(text: str, frame: str) -> str:
    """The codebook without a frame. Raises PermanentError(BAD_CODEBOOK), also when it is the only one."""

    def edit(book: CommentedMap) -> None:
        if len(book["frames"]) == 1:
            raise PermanentError(Reason.BAD_CODEBOOK, f"{frame} is the only frame; a codebook has at least one")
        book["frames"].remove(_frame(book, frame))

    return _edited(text, edit)


def set_threshold(text: str, frame: str, threshold: float | None) -> str:
    """The codebook with another threshold of a frame; None lets it be learned. Raises PermanentError(BAD_CODEBOOK)."""

    def edit(book: CommentedMap) -> None:
        told = _frame(book, frame)
        if threshold is None:
            told.pop("threshold", None)
        elif "threshold" in told:
            told["threshold"] = threshold
        else:
            # Before the first list that comes, so that no blank line or comment after a list is torn away from it.
            place = next((i for i, key in enumerate(told) if isinstance(told[key], CommentedSeq)), len(told))
            told.insert(place, "threshold", threshold)

    return _edited(text, edit)


def add_examples(
    text: str, frame: str, examples: Sequence[str] = (), *, counterexamples: Sequence[str] = ()
) -> str:  # fmt: skip
    """The codebook with more posts that carry a frame, or that do not; those it has already are not added again.

    Raises PermanentError(BAD_CODEBOOK), also for a post that would stand on both sides.
    """

    def edit(book: CommentedMap) -> None:
        told = _frame(book, frame)
        for name, posts in (("examples", examples), ("counterexamples", counterexamples)):
            known = {str(post).strip() for post in told.get(name) or ()}
            new = [post for post in dict.fromkeys(posts) if post.strip() not in known]
            if new and not told.get(name):
                told[name] = CommentedSeq()
            for post in new:
                told[name].append(DoubleQuotedScalarString(post))

    return _edited(text, edit)


def _edited(text: str, edit: Callable[[CommentedMap], None]) -> str:
    """The text after `edit`; what was no codebook before or is none afterwards raises."""
    before = files.parse(text)
    yaml, written = _yaml(text), StringIO()
    try:
        book = yaml.load(text)
        edit(book)
        yaml.dump(book, written)
    except YAMLError as error:
        told = f"this codebook cannot be edited by a program: {str(error).splitlines()[0]}; edit its file by hand"
        raise PermanentError(Reason.BAD_CODEBOOK, told) from error
    edited = written.getvalue()
    _check_rest(before, files.parse(edited))
    return edited


def _check_rest(before: Codebook, after: Codebook) -> None:
    """Raises PermanentError(BAD_CODEBOOK) when more than frames was changed: the two readers of YAML differ there."""
    if before.model_copy(update={"frames": after.frames}) != after:
        told = "this codebook cannot be edited by a program without changing other lines; put its texts in quotes"
        raise PermanentError(Reason.BAD_CODEBOOK, told)


def _yaml(text: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.allow_unicode = True
    hyphen = next((line for line in text.splitlines() if line.lstrip().startswith("- ")), "  - ")
    offset = len(hyphen) - len(hyphen.lstrip())
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _frame(book: CommentedMap, frame: str) -> Any:
    for told in book["frames"]:
        if told["id"] == frame:
            return told
    known = ", ".join(str(told["id"]) for told in book["frames"])
    raise PermanentError(Reason.BAD_CODEBOOK, f"the codebook has no frame {frame}; known are: {known}")


def _told(frame: Frame) -> CommentedMap:
    """A frame as it is written: what is left out stays out, texts in quotes."""
    told = CommentedMap()
    for key, value in frame.model_dump(mode="json", exclude_defaults=True).items():
        told[key] = value if key == "id" else _quoted(value)
    return told


def _quoted(value: Any) -> Any:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, list):
        return CommentedSeq([_quoted(item) for item in value])
    if isinstance(value, dict):
        return CommentedMap({key: _quoted(item) for key, item in value.items()})
    return value
