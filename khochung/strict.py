"""What declarations are made of: models that refuse unknown keys, and texts in both languages."""

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Strict):
    """A text for people, in both languages."""

    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)
