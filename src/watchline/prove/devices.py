"""The plan's devices as the proof takes them: where each really is and what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj

from watchline.errors import PlanError
from watchline.model.catalogue import Device
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.physics.optics import distance_for_density, field_of_view_deg
from watchline.prove.heights import FloatArray, Relief


@dataclass(frozen=True)
class PlacedDevice:
    """One device with its aim."""

    device_id: str
    mount_id: str
    model: Device
    azimuth_deg: float
    tilt_deg: float
    focal_mm: float

    def reach_m(self, px_per_m: FloatArray) -> FloatArray:
        """Slant distance beyond which it cannot have a density anywhere in its image.

        A flat image stretches most in its corners, by ``1 / cos²`` of their angle off the axis.

        Parameters
        ----------
        px_per_m : float64 array
            Pixel density; 0 asks for nothing.
        """
        focal = self.model.focal_px(self.focal_mm)
        corner = np.hypot(self.model.width_px, self.model.height_px) / 2.0
        asked = np.where(px_per_m > 0, px_per_m, 1.0)
        far = distance_for_density(focal, asked) * (1.0 + (corner / focal) ** 2)
        return np.where(px_per_m > 0, np.minimum(far, self.model.range_m), self.model.range_m)

    def half_sector_deg(self) -> float:
        """Half of the azimuths, about its own, within which it can have anything in view."""
        if self.model.kind in ("observer", "ptz"):
            return 180.0
        focal = self.model.focal_px(self.focal_mm)
        fov = math.radians(float(field_of_view_deg(self.model.height_px, focal)))
        steepest = abs(math.radians(self.tilt_deg)) + fov / 2.0
        if steepest >= math.pi / 2.0:
            return 180.0
        # The image's corner nearest to the vertical is where bearings spread most.
        along = focal * math.cos(steepest) / math.cos(fov / 2.0)
        half = math.degrees(math.atan2(self.model.width_px / 2.0, along))
        spread = (self.model.sensors - 1) * self.model.spacing_deg / 2.0
        return min(180.0, half + spread)


@dataclass(frozen=True)
class Perch:
    """Devices of one mount that share one place, and therefore their sight lines.

    Attributes
    ----------
    mount_id : str
        Mount that carries them.
    x, y : float
        Where they really are, m.
    z : float
        Height above the datum, m, NaN where the ground is unknown.
    devices : tuple of PlacedDevice
        At least one.
    """

    mount_id: str
    x: float
    y: float
    z: float
    devices: tuple[PlacedDevice, ...]


def perches_of(site: Site, relief: Relief, plan: Plan) -> tuple[Perch, ...]:
    """Group the devices of a plan by place, in order of mount and place.

    Parameters
    ----------
    site : Site
        With the catalogue that the devices are looked up in.
    relief : Relief
        The terrain under them.
    plan : Plan
        The plan.

    Returns
    -------
    tuple of Perch

    Raises
    ------
    PlanError
        If the plan is in another CRS, or a device lacks a place, a mount, a model or an aim.
    """
    if plan.crs != site.crs and pyproj.CRS(plan.crs) != pyproj.CRS(site.crs):
        raise PlanError(
            f"the plan is in {plan.crs}, the site in {site.crs}",
            where=plan.name,
            mend=f"reproject the plan to {site.crs}",
        )
    mounts = set(plan.mounts["mount_id"].astype(str))
    groups: dict[tuple[str, float, float, float], list[PlacedDevice]] = {}
    for row in plan.devices.itertuples():
        device = _read_device(site, plan, mounts, row)
        key = (device.mount_id, row.geometry.x, row.geometry.y, float(row.height_m))
        groups.setdefault(key, []).append(device)
    keys = sorted(groups)
    ground = relief.ground_at([key[1] for key in keys], [key[2] for key in keys])
    return tuple(
        Perch(key[0], key[1], key[2], float(z) + key[3], tuple(groups[key]))
        for key, z in zip(keys, ground, strict=True)
    )


def bearing_deg(east_m: npt.ArrayLike, north_m: npt.ArrayLike) -> FloatArray:
    """Bearing of horizontal vectors, degrees clockwise from grid north."""
    return np.degrees(np.arctan2(east_m, north_m))


def _read_device(site: Site, plan: Plan, mounts: set[str], row: Any) -> PlacedDevice:
    """One row of the devices' table, checked."""
    device_id, mount_id, key = str(row.device_id), str(row.mount_id), str(row.model)
    where = f"{plan.name}: device {device_id}"
    if key not in site.catalogue.devices:
        raise PlanError(
            f"model '{key}' is not in the catalogue",
            where=where,
            mend="name one of " + ", ".join(sorted(site.catalogue.devices)),
        )
    if mount_id not in mounts:
        raise PlanError(
            f"mount '{mount_id}' is not in the plan", where=where, mend="name a mount of the plan"
        )
    if row.geometry is None or row.geometry.is_empty:
        raise PlanError("it has no place", where=where, mend="draw its point")
    model = site.catalogue.devices[key]
    aim = {"azimuth_deg": row.azimuth_deg, "tilt_deg": row.tilt_deg, "focal_mm": row.focal_mm}
    numbers = {name: math.nan if value is None else float(value) for name, value in aim.items()}
    free = {"observer": tuple(aim), "ptz": ("azimuth_deg", "tilt_deg")}.get(model.kind, ())
    for name, value in numbers.items():
        if math.isfinite(value):
            continue
        if name not in free:
            raise PlanError(f"{name} = {aim[name]}", where=where, mend=f"give {name} a number")
        numbers[name] = 0.0
    if not math.isfinite(float(row.height_m)):
        raise PlanError(
            f"height_m = {row.height_m}", where=where, mend="give its height above the ground"
        )
    if not model.is_person and numbers["focal_mm"] <= 0:
        raise PlanError(
            f"focal_mm = {row.focal_mm}", where=where, mend="give a focal length above zero"
        )
    return PlacedDevice(device_id, mount_id, model, **numbers)
