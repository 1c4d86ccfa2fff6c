"""Schema of ``project.toml``: what fails, how often, and on which cables mounts hang."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from watchline.config.table import Name, Table
from watchline.config.units import Duration, Length, Share


class LifeTable(Table):
    """Mean times of one kind of element."""

    mtbf: Duration = Field(gt=0, description="Mean time from a repair to the next failure.")
    mttr: Duration = Field(ge=0, description="Mean time from a failure to the end of its repair.")


class DeviceLifeTable(LifeTable):
    """Mean times of a device, and what strikes all devices of its model at once."""

    common_cause: Share = Field(
        0.0, description="Share of its failures that strike all devices of its model (beta factor)."
    )


class CableTable(Table):
    """A power feeder or a data trunk in the road's trench, from which mounts are served."""

    name: Name = Field(description="Its name.")
    start: Length = Field(ge=0, description="Chainage of the first end of the cable.")
    end: Length = Field(gt=0, description="Chainage of its other end.")
    supply: Literal["start", "end", "both"] = Field(
        "start",
        description="Ends at which it is supplied; both: a mount is served as long as one way "
        "to a supply is whole (a ring).",
    )
    mtbf_km: Duration | None = Field(
        None, gt=0, description="Mean time between failures of a kilometre of it."
    )
    mttr: Duration = Field(0.0, ge=0, description="Mean time to repair the cable.")
    supply_mtbf: Duration | None = Field(
        None, gt=0, description="Mean time between failures of each supply (station, node)."
    )
    supply_mttr: Duration = Field(0.0, ge=0, description="Mean time to repair a supply.")

    @model_validator(mode="after")
    def _ordered(self) -> CableTable:
        if self.end <= self.start:
            raise ValueError(
                f"end ({self.end:g} m) is not after start ({self.start:g} m); swap them"
            )
        return self


class ResilienceTable(Table):
    """What fails and how often: for `watchline resilience`."""

    devices: DeviceLifeTable | None = Field(None, description="Every device that watches.")
    mounts: LifeTable | None = Field(
        None, description="Every mount: structure, cabinet, its own cable from the road."
    )
    stretch: Length = Field(
        100.0, gt=0, description="Length of the stretches of the zone whose sight is judged."
    )


class ResilienceTables(Table):
    """The tables on failures and cables."""

    resilience: ResilienceTable = ResilienceTable()
    feeders: list[CableTable] = Field(default_factory=list, description="Power cables.")
    trunks: list[CableTable] = Field(default_factory=list, description="Data cables.")

    @model_validator(mode="after")
    def _distinct_cables(self) -> ResilienceTables:
        names = [cable.name for cable in (*self.feeders, *self.trunks)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"feeders, trunks: the name '{twice[0]}' stands twice; rename one")
        return self
