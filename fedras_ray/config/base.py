"""What every section of an experiment shares: frozen, strict about names, helpful about typing errors."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fedras_ray.errors import excerpt

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]

# Strict: a text is no number and `true` is no 1, but a whole number may stand for a float.


class Section(BaseModel):
    """A part of the tree."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, values: Any) -> Any:
        """Refuse an unknown key with the nearest known one, which pydantic's own message lacks."""
        if not isinstance(values, dict):
            return values
        for name in values:
            if name not in cls.model_fields:
                raise ValueError(unknown(str(name), list(cls.model_fields)))
        return values


def unknown(name: str, known: list[str], what: str = "name") -> str:
    """What to say about a name that does not exist: the nearest that does, and all that do."""
    name = excerpt(name)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"unknown {what} '{name}'; {hint}(known: {', '.join(known)})"
