"""The form of an alert rule as it is written, saved and read. Names that it mentions are checked by who knows them."""

from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import PermanentError, Reason

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"


class RuleTerms(BaseModel):
    """Who is told of what; what is left out is as in the rule of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame: Annotated[str | None, Field(description="Id of the frame it is for; null: every frame.")] = None
    budget: Annotated[float | None, Field(gt=0, le=10_000, description="False alarms a week, over all frames.")] = None
    min_posts: Annotated[int | None, Field(ge=1, le=1_000_000, description="Posts behind a burst.")] = None
    min_authors: Annotated[int | None, Field(ge=1, le=1_000_000, description="Distinct authors behind it.")] = None
    min_units: Annotated[int | None, Field(ge=0, le=1_000_000, description="Independent voices behind it.")] = None
    min_share: Annotated[float | None, Field(ge=0, le=1, description="Part of all posts then, 0 to 1.")] = None
    min_promotes: Annotated[
        float | None, Field(ge=0, le=1, description="Part that promotes, of posts of known stance, 0 to 1.")
    ] = None
    one_source: Annotated[bool | None, Field(description="Whether one source alone is enough.")] = None
    factor: Annotated[float | None, Field(gt=1, le=100, description="Growth told again, as a factor: 2 is twice.")] = (
        None
    )
    more_voices: Annotated[int | None, Field(ge=1, le=1_000_000, description="Number of new voices told again.")] = None
    channels: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="Names of channels; null: every one.")
    ] = None
    quiet: Annotated[str | None, Field(max_length=80, description="`22:00-07:00 Europe/Berlin`.")] = None
    enabled: Annotated[bool, Field(description="Whether it is in force.")] = True

    @model_validator(mode="after")
    def _possible(self) -> "RuleTerms":
        if self.min_posts is not None:
            for name in ("min_authors", "min_units"):
                wanted = getattr(self, name)
                if wanted is not None and wanted > self.min_posts:
                    raise ValueError(f"{name} {wanted} cannot stand behind {self.min_posts} posts; raise min_posts")
        return self


def check(given: Any, where: str = "rule") -> RuleTerms:
    """A rule from what was given. Raises PermanentError(BAD_INPUT) naming each field and what it should be."""
    if not isinstance(given, dict):
        raise PermanentError(Reason.BAD_INPUT, f"{where}: give fields, such as min_posts: 10")
    try:
        return RuleTerms.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    raise PermanentError(Reason.BAD_INPUT, f"{where}: " + "; ".join(_worded(dict(e)) for e in found))


def parse(text: str, where: str = "rule") -> Any:
    """What a small YAML or JSON file holds. Raises PermanentError(BAD_INPUT) for what is neither."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        told = str(error).splitlines()[0]
        raise PermanentError(Reason.BAD_INPUT, f"{where}: this is neither YAML nor JSON: {told}") from error


def _worded(item: dict[str, Any]) -> str:
    field = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        named = field if field.isidentifier() and len(field) <= 30 else "one name"
        return f"{named} is not a field; known are: {', '.join(RuleTerms.model_fields)}"
    text = str(item["msg"]).removeprefix("Value error, ")
    return f"{field}: {text[:1].lower()}{text[1:]}" if field else text
