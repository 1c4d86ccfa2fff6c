"""Schema of ``project.toml``: adversaries, barriers and how sight becomes detection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from watchline.config.table import Name, Table
from watchline.config.units import Duration, Length, Share, Speed

DEVICE_KINDS = ("camera", "thermal", "ptz", "panoramic", "observer")
Kind = Literal["camera", "thermal", "ptz", "panoramic", "observer"]


class GaitTable(Table):
    """A way in which the adversary moves; at every cell he takes what suits him."""

    name: Name = Field(description="Walking, running, crawling, driving …")
    speed: Speed = Field(gt=0, description="Speed on level, open ground.")
    target_height: Length = Field(1.7, gt=0, le=10, description="Height of what is seen of him.")
    by_slope: bool = Field(True, description="Whether slopes slow him (Tobler's rule).")
    steepest: Share | None = Field(
        None, gt=0, description="Slope, rise over run, above which he cannot go this way."
    )


class AdversaryTable(Table):
    """Who would cross, and how. Every path figure names its adversary."""

    name: Name = Field(description="His name in figures and reports.")
    direction: Literal["inward", "outward"] = Field(
        "inward", description="inward: from the zone's edge at the line to the far one."
    )
    gaits: list[GaitTable] = Field(min_length=1, description="How he can move.")
    tools: list[Name] = Field(
        default_factory=list, description="What he carries; a barrier's delay may depend on it."
    )
    grounds: dict[str, Annotated[float, Field(ge=0, le=2)]] = Field(
        default_factory=dict,
        description="Factor on his speed in an area or on the road; 0: he cannot go there.",
    )


class BarrierTable(Table):
    """A fence, ditch or wall along the line."""

    name: Name = Field(description="Its name.")
    distance: Length = Field(ge=0, description="Distance from the line, on the zone's side.")
    start: Length | None = Field(None, ge=0, description="Chainage of its start (default: zone).")
    end: Length | None = Field(None, gt=0, description="Chainage of its end (default: zone).")
    delay: Duration = Field(description="Time to cross it without a tool.")
    delays: dict[str, Duration] = Field(
        default_factory=dict, description="Time to cross it with a tool."
    )
    detection: Share = Field(
        0.0, lt=1, description="Probability that a sensor on it detects the crossing."
    )


class GradeTable(Table):
    """What a walk test says of devices from a pixel density on."""

    px_per_m: float = Field(gt=0, description="Least pixel density.")
    probability: Share = Field(gt=0, lt=1, description="Share of walkers detected.")
    within: Duration = Field(gt=0, description="Time in view in which they were.")
    kind: Kind | None = Field(None, description="Kind of device (default: every other kind).")


class DetectionTable(Table):
    """How sight becomes detection."""

    grades: list[GradeTable] = Field(min_length=1, description="What walk tests say.")
    communication: Share = Field(
        1.0, gt=0, description="Probability that a detection is judged rightly and gets through."
    )
    assessment: Duration = Field(0.0, description="Time until an operator has judged it.")
    availability: Share | None = Field(
        None, gt=0, description="Share of time that a device works (default: always)."
    )
    mtbf: Duration | None = Field(
        None, gt=0, description="Mean time between failures of a device, instead of availability."
    )
    mttr: Duration | None = Field(None, description="Mean time to repair it, with mtbf.")

    @model_validator(mode="after")
    def _one_way(self) -> DetectionTable:
        if (self.mtbf is None) != (self.mttr is None):
            raise ValueError("mtbf and mttr go together; give both, or availability")
        if self.mtbf is not None and self.availability is not None:
            raise ValueError("give either availability, or mtbf and mttr")
        return self


class LostTable(Table):
    """A stretch of the line whose mounts are without power or data."""

    start: Length = Field(ge=0, description="Chainage of its start.")
    end: Length = Field(gt=0, description="Chainage of its end.")

    @model_validator(mode="after")
    def _ordered(self) -> LostTable:
        if self.end <= self.start:
            raise ValueError(
                f"end ({self.end:g} m) is not after start ({self.start:g} m); swap them"
            )
        return self


class StateTable(Table):
    """A state that strikes many devices together: fog, a feeder, a trunk."""

    name: Name = Field(description="Its name.")
    probability: Share = Field(
        gt=0, lt=1, description="Share of time; what the states leave is the state 'normal'."
    )
    visibility: Length | None = Field(
        None, gt=0, description="Visibility (contrast falls to 2 %); else clear air."
    )
    factors: dict[Kind, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="Factor on the rate of detection of a kind of device."
    )
    lost: LostTable | None = Field(None, description="Where mounts are without power or data.")
    condition: str | None = Field(
        None, description="Condition in which devices must make out the walker (default: day)."
    )
    required: Share | None = Field(
        None, gt=0, lt=1, description="Probability of interruption asked for in this state alone."
    )

    @model_validator(mode="after")
    def _one_air(self) -> StateTable:
        if self.condition is not None and self.visibility is not None:
            raise ValueError("give either condition, which has a visibility, or visibility")
        return self
