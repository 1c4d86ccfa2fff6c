"""What every table of ``project.toml`` has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f/\\]+$")]


class Table(BaseModel):
    """A table of the project file: unknown keys refused, values frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
