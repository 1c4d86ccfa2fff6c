"""Schema of the tables of ``project.toml`` that speak of lights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from watchline.config.table import Name, Table
from watchline.config.units import (
    Angle,
    Illuminance,
    Intensity,
    Length,
    Luminance,
    Power,
    Share,
)

LIGHT_PLACES = ("line", "zone", "fence_strip", "road")


class LuminaireTable(Table):
    """A luminaire that is offered: its photometric file, its price, and the aims to try."""

    name: Name = Field(description="Its name in plans and reports.")
    file: str = Field(description="Photometric file: IES (LM-63) or EULUMDAT.")
    price: float = Field(ge=0, description="Price of one, with bracket and installation.")
    power: Power | None = Field(None, gt=0, description="Electrical power (default: the file's).")
    maintenance_factor: float = Field(
        0.8, gt=0, le=1, description="Share of the first day's light that is left when serviced."
    )
    front: Angle = Field(
        0.0, description="C half-plane that is turned up and toward the azimuth (often 0 or 90)."
    )
    azimuths: list[Angle] = Field(
        default=[0.0],
        min_length=1,
        max_length=24,
        description="Aims to try, from the direction toward the line, clockwise.",
    )
    tilts: list[Annotated[Angle, Field(ge=-90, le=90)]] = Field(
        default=[90.0],
        min_length=1,
        max_length=24,
        description="Tilts of the photometric axis to try, down from the horizon; 90 deg is as "
        "measured, straight down.",
    )


class PoleTable(Table):
    """A height of pole that is offered."""

    height: Length = Field(gt=0, le=100, description="Height of its luminaires above the ground.")
    price: float = Field(ge=0, description="Price with foundation, erection and connection.")


class LightingTable(Table):
    """Where lights may hang and what they cost besides their price."""

    poles: list[PoleTable] = Field(
        default_factory=list, description="Poles of their own that are offered."
    )
    spacing: Length = Field(30.0, ge=1, description="Spacing of the poles' places.")
    offsets: list[Length] = Field(
        default_factory=list,
        description="Distances of the rows of poles from the line, on the zone's side (default: "
        "beside the road).",
    )
    on_masts: bool = Field(
        True, description="Whether lights may hang on the plan's masts and towers too."
    )
    heads: int = Field(2, ge=1, le=12, description="Most luminaires on one pole.")
    mast_heads: int = Field(2, ge=1, le=12, description="Most luminaires on one mast or tower.")
    feeders: int = Field(
        2, ge=1, le=12, description="Feeders; neighbouring poles are wired to them in turn."
    )
    trench_per_m: float | None = Field(
        None,
        ge=0,
        description="Price of a metre of trench from a pole to the road (default: catalogue's).",
    )
    energy_price: float = Field(0.0, ge=0, description="Price of a kilowatt-hour.")
    hours_per_year: float = Field(4000.0, ge=0, le=8784, description="Hours that lights burn.")
    years: float = Field(10.0, ge=0, le=100, description="Years of energy that count as cost.")
    cell: Length | None = Field(
        None,
        ge=1,
        description="Spacing of the points at which the design judges light (default: "
        "0.2 · 5^log10(width of the place), as EN 12464 has it, at most 5 m).",
    )
    gap: Share = Field(0.01, description="Stop a stretch's search at this gap.")
    work: int = Field(
        200, ge=1, description="Most nodes of the search tree in one stretch of the line."
    )


class LightRequirementTable(Table):
    """How much light must fall where."""

    name: Name = Field(description="Its name in claims and reports.")
    where: str = Field(description="line, zone, fence_strip, road, or the name of an area.")
    plane: Literal["horizontal", "vertical"] = Field(
        "horizontal", description="On the ground, or on what stands there."
    )
    facing: Literal["zone", "line"] = Field(
        "zone",
        description="Of a vertical plane: which way its lit side looks. zone: away from the "
        "line, as guards and cameras in the zone see a person; line: toward the line.",
    )
    height: Length | None = Field(
        None,
        ge=0,
        le=20,
        description="Height of the plane above the ground (default: 0 m horizontal, 1.5 m "
        "vertical).",
    )
    minimum: Illuminance | None = Field(None, gt=0, description="Least maintained illuminance.")
    average: Illuminance | None = Field(
        None, gt=0, description="Least mean illuminance of every stretch."
    )
    uniformity: Share | None = Field(
        None, gt=0, le=1, description="Least over mean illuminance of every stretch (U0)."
    )
    stretch: Length = Field(
        100.0, gt=0, description="Length of line on which average and uniformity are judged."
    )
    survive: Literal["none", "pole", "feeder"] = Field(
        "none", description="The minimum must still hold when any one pole or feeder is out."
    )
    binding: bool = Field(True, description="False: reported only, not designed for.")

    @model_validator(mode="after")
    def _something(self) -> LightRequirementTable:
        if self.minimum is None and self.average is None and self.uniformity is None:
            raise ValueError("give minimum, average or uniformity; at least one is needed")
        if self.survive != "none" and self.minimum is None:
            raise ValueError("survive speaks of the minimum; give one")
        if self.binding and self.minimum is None and self.average is None:
            raise ValueError("uniformity alone holds in the dark; give minimum or average besides")
        return self


class LightLimitTable(Table):
    """What light must not do: spill, glare, light upwards."""

    name: Name = Field(description="Its name in claims and reports.")
    area: str | None = Field(None, description="Name of an area (also a no-watch area).")
    chainage: Length | None = Field(None, ge=0, description="Chainage of a place.")
    offset: Length | None = Field(None, description="Its offset, positive to the left.")
    across: Length | None = Field(
        None, ge=0, description="The strip's edge: all along the line, this far on its other side."
    )
    beyond: Length | None = Field(
        None, ge=0, description="All along the line, this far beyond the zone's outer edge."
    )
    height: Length = Field(1.5, ge=0, le=100, description="Height above the ground.")
    maximum: Illuminance | None = Field(
        None, gt=0, description="Most vertical illuminance, every luminaire taken head-on."
    )
    intensity: Intensity | None = Field(
        None, gt=0, description="Most intensity of any luminaire toward the place."
    )
    veil: Luminance | None = Field(
        None, gt=0, description="Most veiling luminance in an eye there that looks to `looking`."
    )
    looking: Angle | None = Field(
        None, description="Bearing of that eye's line of sight, clockwise from grid north."
    )
    upward_ratio: Share | None = Field(
        None, description="Most share of any luminaire's light above the horizon, as aimed."
    )
    binding: bool = Field(True, description="False: reported only, not designed for.")

    @model_validator(mode="after")
    def _one_kind(self) -> LightLimitTable:
        kinds = (self.maximum, self.intensity, self.veil, self.upward_ratio)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("give one of maximum, intensity, veil or upward_ratio")
        if (self.chainage is None) != (self.offset is None):
            raise ValueError("chainage and offset go together; give both")
        places = (self.area, self.chainage, self.across, self.beyond)
        count = sum(place is not None for place in places)
        if self.upward_ratio is not None and count:
            raise ValueError("upward_ratio speaks of every luminaire; leave the place out")
        if self.upward_ratio is None and count != 1:
            raise ValueError("say where: one of area, chainage with offset, across or beyond")
        if (self.veil is None) != (self.looking is None):
            raise ValueError("veil and looking go together; give both")
        return self


def light_names_differ(
    luminaires: list[LuminaireTable],
    requirements: list[LightRequirementTable],
    limits: list[LightLimitTable],
) -> None:
    """Refuse names that stand twice: claims are told apart by them.

    Raises
    ------
    ValueError
        A name stands twice among luminaires, or among requirements and limits.
    """
    claimed = [table.name for table in requirements] + [table.name for table in limits]
    for key, names in (
        ("luminaires", [table.name for table in luminaires]),
        ("light_requirements and light_limits", claimed),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{key}: the name '{twice[0]}' stands twice; rename one")
