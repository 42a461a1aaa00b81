"""A codebook: the frames a team watches for, read from one YAML file. Mistakes are told with line, frame and remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import PermanentError, Reason

ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Id = Annotated[str, Field(pattern=ID, max_length=80)]

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it, or correct its name",
    "string_pattern_mismatch": "use small letters, digits and single hyphens, such as staged-theatrics",
    "string_too_short": "write something, or remove it",
    "too_short": "give at least one",
    "string_type": "put the text in quotes",
    "list_type": "write a list: one item a line, each after a hyphen",
    "greater_than": "give a probability between 0 and 1",
    "less_than": "give a probability between 0 and 1",
}


class Frame(BaseModel):
    """One narrative frame, told by description and examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    title: Text
    description: Text
    examples: Annotated[tuple[Text, ...], Field(min_length=1)]
    counterexamples: tuple[Text, ...] = ()
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None


class Codebook(BaseModel):
    """A versioned set of frames."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codebook: Id
    title: Text
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")], ...] = ()
    frames: Annotated[tuple[Frame, ...], Field(min_length=1)]
    background: tuple[Text, ...] = ()


def parse(text: str, name: str = "codebook") -> Codebook:
    """Read a codebook from YAML.

    Raises PermanentError(BAD_CODEBOOK) whose message has one line a mistake: `name:line: frame: what, remedy`.
    """
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise PermanentError(
            Reason.BAD_CODEBOOK, f"{name}{line}: this is not YAML: {problem}; mend this line"
        ) from error
    if not isinstance(data, dict) or node is None:
        raise PermanentError(
            Reason.BAD_CODEBOOK, f"{name}:1: a codebook starts with `codebook:`, `title:` and `frames:`"
        )
    try:
        codebook = Codebook.model_validate(data)
    except ValidationError as error:
        problems = [_problem(name, node, data, dict(e)) for e in error.errors()]
        raise PermanentError(Reason.BAD_CODEBOOK, "\n".join(problems)) from error
    problems = [f"{name}:{_line(node, where)}: {what}" for where, what in _contradictions(codebook)]
    if problems:
        raise PermanentError(Reason.BAD_CODEBOOK, "\n".join(problems))
    return codebook


def _contradictions(codebook: Codebook) -> Iterator[tuple[Sequence[str | int], str]]:
    seen: set[str] = set()
    background = {text.strip() for text in codebook.background}
    for i, frame in enumerate(codebook.frames):
        if frame.id in seen:
            yield ("frames", i, "id"), f"frame {frame.id}: this id is used twice; give each frame an id of its own"
        seen.add(frame.id)
        against = {text.strip() for text in frame.counterexamples}
        for j, text in enumerate(frame.examples):
            if text.strip() in against:
                yield (
                    ("frames", i, "examples", j),
                    f"frame {frame.id}: the same text is an example and a counterexample; keep it in one of them",
                )
            if text.strip() in background:
                yield (
                    ("frames", i, "examples", j),
                    f"frame {frame.id}: this example also stands in background; remove it there",
                )


def _problem(name: str, node: yaml.Node, data: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    where: tuple[str | int, ...] = error["loc"]
    remedy = _REMEDIES.get(error["type"], "see the format of a codebook in the README")
    field = ".".join(str(p + 1) if isinstance(p, int) else p for p in where if p != "frames")
    frame = ""
    if len(where) > 1 and where[0] == "frames" and isinstance(where[1], int):
        entry = data["frames"][where[1]]
        frame = f"frame {entry.get('id', where[1] + 1) if isinstance(entry, dict) else where[1] + 1}: "
        field = ".".join(str(p + 1) if isinstance(p, int) else p for p in where[2:]) or "frame"
    what = {"missing": "is missing", "extra_forbidden": "is not a known field"}.get(error["type"], error["msg"].lower())
    return f"{name}:{_line(node, where)}: {frame}{field} {what}; {remedy}"


def _line(node: yaml.Node, where: Sequence[str | int]) -> int:
    """The 1-based line of the deepest node on the way to `where`."""
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = next((v for k, v in node.value if k.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
        else:
            found = None
        if found is None:
            break
        node = found
    return cast(int, node.start_mark.line) + 1


def is_id(text: str) -> bool:
    """Whether a text can be an id."""
    return re.fullmatch(ID, text) is not None
