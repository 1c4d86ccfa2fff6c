"""What detection at places depends on besides devices and terrain: targets, air and lamps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from watchline.breach.ground import Strip
from watchline.model.condition import Condition
from watchline.model.lighting import Lighting
from watchline.model.site import Site
from watchline.physics.acquisition import reach_m
from watchline.physics.lamp_light import lamp_table, sector_of
from watchline.prove.devices import PlacedDevice
from watchline.prove.heights import Relief
from watchline.prove.lamp_light import lamp_light

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """What detection at places depends on besides devices and terrain.

    Attributes
    ----------
    heights_m : tuple of float
        Target heights.
    conditions : tuple of Condition
        Light and air of the states that name a condition.
    lamp_lx : dict of (str, float) to float64 array [places, sectors]
        By condition and target height: least light by the plan's lamps on the side that is turned
        to a device in each sector; without lamps there is no entry.
    """

    heights_m: tuple[float, ...]
    conditions: tuple[Condition, ...]
    lamp_lx: Mapping[tuple[str, float], FloatArray]
    _reach_m: dict[tuple[str, float, str, float], float] = field(default_factory=dict)

    def dark_reach_m(self, device: PlacedDevice, condition: Condition, px_per_m: float) -> float:
        """Distance to which a device makes out a walker without lamps; asked for every pose."""
        key = device.model.id, device.focal_mm, condition.name, px_per_m
        if key not in self._reach_m:
            far = reach_m(device.model, device.focal_mm, condition, px_per_m)
            self._reach_m[key] = float(far)
        return self._reach_m[key]

    def part(self, places: slice | npt.NDArray[np.int64]) -> Sight:
        """The same for some of the places."""
        return replace(self, lamp_lx={key: lux[places] for key, lux in self.lamp_lx.items()})

    def lamps_at(
        self,
        condition: Condition,
        height_m: float,
        at: npt.NDArray[np.int64],
        bearing_rad: FloatArray,
    ) -> FloatArray | None:
        """Light of the lamps on targets, seen by a device at bearings to them [lx], if any burn."""
        lux = self.lamp_lx.get((condition.name, height_m))
        if lux is None:
            return None
        return lux[at, sector_of(bearing_rad + np.pi, lux.shape[1])]


def sight_of(site: Site, relief: Relief, lighting: Lighting | None, strip: Strip) -> Sight:
    """What detection over the zone depends on, with the light of a plan's lamps on its cells.

    Raises
    ------
    PlanError
        The lights do not belong to the site.
    """
    defence = site.defence
    assert defence is not None
    heights = sorted({g.target_height_m for a in defence.adversaries for g in a.gaits})
    conditions = defence.conditions
    lamps = lamp_light(site, relief, lighting)
    x, y = strip.x.ravel(), strip.y.ravel()
    return Sight(
        tuple(heights),
        conditions,
        {
            (condition.name, height): lamp_table(lamps, condition, height, x, y)
            for condition in conditions
            for height in heights
            if lamps is not None and condition.by_lamps
        },
    )
