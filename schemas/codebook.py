"""A codebook: the frames a team watches for, read from one YAML file. Mistakes are told with line, frame and remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from schemas.errors import PermanentError, Reason
from schemas.rule import RuleTerms

ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Id = Annotated[str, Field(pattern=ID, max_length=80)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
Technique = Annotated[str, Field(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")]
"""Of the DISARM Red framework: T0023, or T0023.001 for a part of it."""

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it, or correct its name",
    "string_too_short": "write something, or remove it",
    "too_short": "give at least one",
    "string_type": "put the text in quotes",
    "value_error": "correct it",
    "union_tag_not_found": "give a saved rule's name, or fields such as min_posts: 10",
    "list_type": "write a list: one item a line, each after a hyphen",
    "greater_than": "give a probability between 0 and 1",
    "less_than": "give a probability between 0 and 1",
}


_FORMS = {
    "languages": "write the code of a language, such as en",
    "colour": 'write it as "#d55e00"',
    "disarm": "write T and four digits, such as T0023 or T0023.001",
}
_ID_FORM = "use small letters, digits and single hyphens, such as staged-theatrics"
_WHATS = {
    "string_pattern_mismatch": "is not in the right form",
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "union_tag_not_found": "is no rule",
}
FEW = 5
"""Examples below which a frame is said to have few."""


class InlineRule(RuleTerms):
    """What a burst of this one frame must have behind it, and who is told."""

    @model_validator(mode="after")
    def _of_its_frame(self) -> "InlineRule":
        if self.frame is not None:
            raise ValueError("frame is the one it stands in; leave it out")
        return self


def _form(rule: Any) -> str | None:
    return "name" if isinstance(rule, str) else "terms" if isinstance(rule, dict | InlineRule) else None


RuleName = Annotated[str, Field(pattern=ID, max_length=60)]
OwnRule = Annotated[Annotated[RuleName, Tag("name")] | Annotated[InlineRule, Tag("terms")], Discriminator(_form)]


class Frame(BaseModel):
    """One narrative frame, told by description and examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[Id, Field(description="Small letters, digits and hyphens; unique in the file, and kept for ever.")]
    title: Annotated[Text, Field(description="A few words, as readers see it.")]
    description: Annotated[Text, Field(description="A sentence or two; it is learned from like some examples.")]
    examples: Annotated[
        tuple[Text, ...], Field(min_length=1, description="Posts that carry the frame; 8 or more are best.")
    ]
    counterexamples: Annotated[tuple[Text, ...], Field(description="Near misses: posts that do not carry it.")] = ()
    languages: Annotated[tuple[Language, ...], Field(description="Languages it is told in, such as en, ru, ar.")] = ()
    threshold: Annotated[
        float | None,
        Field(gt=0, lt=1, description="Probability, 0 to 1, that carries it; left out: learned."),
    ] = None
    colour: Annotated[
        str | None, Field(pattern=r"^#[0-9A-Fa-f]{6}$", description='Of its line in charts, such as "#d55e00".')
    ] = None
    rule: Annotated[
        OwnRule | None,
        Field(description="Which alert rule decides for it: the name of a saved one, or terms of its own."),
    ] = None
    disarm: Annotated[tuple[Technique, ...], Field(description="DISARM techniques it serves, such as T0023.")] = ()
    owner: Annotated[str | None, Field(min_length=1, max_length=200, description="Who answers for it.")] = None
    note: Annotated[Text | None, Field(description="For the team; nothing is learned from it.")] = None


class Codebook(BaseModel):
    """A versioned set of frames."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codebook: Annotated[Id, Field(description="Its id; versions of it are numbered when applied.")]
    title: Annotated[Text, Field(description="A few words.")]
    languages: Annotated[tuple[Language, ...], Field(description="Languages it is for, such as en, ru, ar.")] = ()
    frames: Annotated[tuple[Frame, ...], Field(min_length=1, description="The frames, in the order of all lists.")]
    background: Annotated[tuple[Text, ...], Field(description="Posts that carry none of the frames.")] = ()


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


def notes(text: str, name: str = "codebook") -> list[str]:
    """What in a codebook that can be used is worth a second look: `name:line: frame: what, remedy`, in its order.

    Raises as `parse` does.
    """
    codebook, node = parse(text, name), _composed(text)
    return [f"{name}:{_line(node, where)}: frame {frame}: {what}" for where, frame, what in _doubtful(codebook)]


def places(text: str, name: str = "codebook") -> list[tuple[int, str, str]]:
    """(line, frame or "" for background, post) of every post in the file. Raises as `parse` does."""
    codebook, node = parse(text, name), _composed(text)
    found = [
        (_line(node, ("frames", i, field, j)), frame.id, post)
        for i, frame in enumerate(codebook.frames)
        for field in ("examples", "counterexamples")
        for j, post in enumerate(getattr(frame, field))
    ]
    return [*found, *((_line(node, ("background", j)), "", post) for j, post in enumerate(codebook.background))]


def _doubtful(codebook: Codebook) -> Iterator[tuple[Sequence[str | int], str, str]]:
    against = {text.strip(): frame.id for frame in codebook.frames for text in frame.counterexamples}
    for i, frame in enumerate(codebook.frames):
        if len(frame.examples) < FEW:
            yield ("frames", i, "examples"), frame.id, f"examples are few ({len(frame.examples)}); give 8 or more"
        if not frame.counterexamples:
            yield ("frames", i), frame.id, "no counterexamples; near misses make it sharper"
        told: set[str] = set()
        for j, example in enumerate(text.strip() for text in frame.examples):
            if example in told:
                yield ("frames", i, "examples", j), frame.id, "this example stands here twice; remove one"
            elif example in against:
                what = (
                    f"this example is a counterexample of {against[example]}; right only if it carries this one alone"
                )
                yield ("frames", i, "examples", j), frame.id, what
            told.add(example)


def _problem(name: str, node: yaml.Node, data: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    where: tuple[str | int, ...] = error["loc"]
    if len(where) > 3 and where[2] == "rule":
        where = where[:3] + where[4:]  # the third names the form, which the file does not
    remedy = _REMEDIES.get(error["type"], "see the format of a codebook in the README")
    if error["type"] == "string_pattern_mismatch":
        remedy = next((_FORMS[p] for p in where if p in _FORMS), _ID_FORM)
    field = ".".join(str(p + 1) if isinstance(p, int) else p for p in where if p != "frames")
    frame = ""
    if len(where) > 1 and where[0] == "frames" and isinstance(where[1], int):
        entry = data["frames"][where[1]]
        frame = f"frame {entry.get('id', where[1] + 1) if isinstance(entry, dict) else where[1] + 1}: "
        field = ".".join(str(p + 1) if isinstance(p, int) else p for p in where[2:]) or "frame"
    what = _WHATS.get(error["type"], error["msg"].removeprefix("Value error, ").lower())
    return f"{name}:{_line(node, where)}: {frame}{field} {what}; {remedy}"


def _composed(text: str) -> yaml.Node:
    return cast(yaml.Node, yaml.compose(text, Loader=yaml.CSafeLoader))


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


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a codebook, for editors and other programs."""
    told = Codebook.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **told, "title": "A framewatch codebook"}


def is_id(text: str) -> bool:
    """Whether a text can be an id."""
    return re.fullmatch(ID, text) is not None
