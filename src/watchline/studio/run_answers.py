"""What the studio answers on runs of the chain."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from watchline.studio.answers import Fault, Model, Noun

RunState = Literal["running", "stopping", "done", "stopped", "failed"]


class RunRequest(Model):
    """Run the chain: what is known already is taken from the cache."""

    start: Noun = Field(default="site", description="Where it begins.")
    again: bool = Field(
        default=False,
        description="Make the steps from ``start`` on again, even where the cache has them.",
    )
    time_s: float | None = Field(
        default=None, ge=1, le=86_400, description="Longest search for the least cost."
    )


class RunStep(Model):
    """One step of a run."""

    name: str
    detail: str
    share: float = Field(ge=0, le=1)
    seconds: float
    done: bool


class RunInfo(Model):
    """A run of the chain: where it stands."""

    id: str
    state: RunState
    start: Noun
    started: str
    seconds: float
    steps: list[RunStep]
    share: float = Field(description="Of the running step, 0-1.")
    seconds_left: float | None = Field(description="Of the running step, as far as known.")
    cost: float | None
    bound: float | None
    messages: list[str]
    fault: Fault | None = None
    holds: bool | None = Field(default=None, description="Of a run that is done.")
