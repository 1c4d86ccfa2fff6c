"""Schema of ``project.toml``: posts, patrols and how fast a response comes."""

from __future__ import annotations

from pydantic import Field, model_validator

from watchline.config.adversary import (
    AdversaryTable,
    BarrierTable,
    DetectionTable,
    StateTable,
)
from watchline.config.table import Name, Table
from watchline.config.units import Duration, Length, Share, Speed


class PostTable(Table):
    """A manned station from which a response sets out."""

    name: Name = Field(description="Its name.")
    x: float | None = Field(None, description="Easting in the project's CRS.")
    y: float | None = Field(None, description="Northing in the project's CRS.")
    chainage: Length | None = Field(None, ge=0, description="Chainage, instead of x and y.")
    offset: Length | None = Field(
        None, description="Offset, positive to the left (default: on the road)."
    )

    @model_validator(mode="after")
    def _one_place(self) -> PostTable:
        by_xy = self.x is not None and self.y is not None
        if by_xy == (self.chainage is not None):
            raise ValueError("give either x and y, or chainage")
        if by_xy and self.offset is not None:
            raise ValueError("offset goes with chainage, not with x and y")
        return self


class PatrolTable(Table):
    """A unit that roves on a stretch of the road, anywhere as likely."""

    name: Name = Field(description="Its name.")
    start: Length = Field(ge=0, description="Start of the stretch, along the road itself.")
    end: Length = Field(gt=0, description="End of the stretch, along the road itself.")

    @model_validator(mode="after")
    def _ordered(self) -> PatrolTable:
        if self.end <= self.start:
            raise ValueError(
                f"end ({self.end:g} m) is not after start ({self.start:g} m); swap them"
            )
        return self


class SurfaceTable(Table):
    """A stretch of the road with another surface."""

    start: Length = Field(ge=0, description="Start of the stretch, along the road itself.")
    end: Length = Field(gt=0, description="End of the stretch, along the road itself.")
    speed: Speed = Field(gt=0, description="Speed there when level.")
    rolling: float = Field(0.02, ge=0, le=0.5, description="Rolling resistance there.")


class ResponseTable(Table):
    """How fast a response comes."""

    required: Share = Field(0.9, gt=0, lt=1, description="Probability of interruption asked for.")
    call_out: Duration = Field(description="From the judged alarm until a post's vehicle moves.")
    call_out_sd: Duration = Field(0.0, description="Its standard deviation.")
    patrol_call_out: Duration = Field(0.0, description="The same for a patrol.")
    patrol_call_out_sd: Duration = Field(0.0, description="Its standard deviation.")
    speed: Speed = Field(gt=0, description="Speed on the level road.")
    rolling: float = Field(
        0.02, ge=0, le=0.5, description="Rolling resistance: asphalt 0.015, gravel 0.02, sand 0.2."
    )
    power: float = Field(
        12.0, gt=0, description="Power at the wheels in W a kilogram: limits the speed uphill."
    )
    surfaces: list[SurfaceTable] = Field(
        default_factory=list, description="Stretches of the road that are otherwise."
    )
    cross_speed: Speed = Field(
        gt=0, description="Speed over the ground between road and exit, and post and road."
    )
    travel_spread: Share = Field(
        0.0, description="Standard deviation of the travel as a share of it."
    )
    post_cost: float | None = Field(
        None, ge=0, description="Price of one new post, in the project's currency."
    )
    path_cell: Length = Field(5.0, gt=0, description="Side of the cells on which paths are sought.")


class DefenceTables(Table):
    """The tables on adversaries, barriers, detection and response."""

    adversaries: list[AdversaryTable] = Field(default_factory=list)
    barriers: list[BarrierTable] = Field(default_factory=list)
    detection: DetectionTable | None = None
    states: list[StateTable] = Field(default_factory=list)
    response: ResponseTable | None = None
    posts: list[PostTable] = Field(default_factory=list)
    patrols: list[PatrolTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _together(self) -> DefenceTables:
        given = {
            "adversaries": bool(self.adversaries),
            "detection": self.detection is not None,
            "response": self.response is not None,
        }
        if any(given.values()) and not all(given.values()):
            lacking = " and ".join(name for name, there in given.items() if not there)
            raise ValueError(f"paths need adversaries, detection and response; add {lacking}")
        if not any(given.values()) and (self.barriers or self.states or self.posts or self.patrols):
            raise ValueError(
                "barriers, states, posts and patrols mean nothing without adversaries, detection "
                "and response; add these"
            )
        for key, tables in (
            ("adversaries", self.adversaries),
            ("barriers", self.barriers),
            ("states", self.states),
            ("posts", self.posts),
            ("patrols", self.patrols),
        ):
            names = [table.name for table in tables]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{key}: the name '{twice[0]}' stands twice; rename one")
        total = sum(state.probability for state in self.states)
        if total > 1.0 + 1e-9:
            raise ValueError(f"states: their probabilities sum to {total:g}; take at most 1")
        return self
