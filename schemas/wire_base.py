"""What every model of the API's answers is made from."""

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)
