"""Devices, structures and prices that a plan may use."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

DeviceKind = Literal["camera", "thermal", "ptz", "panoramic", "observer"]
StructureKind = Literal["mast", "tower"]


@dataclass(frozen=True)
class Device:
    """One model of device that watches.

    Attributes
    ----------
    id, name : str
        Key in the catalogue and name for people.
    kind : {"camera", "thermal", "ptz", "panoramic", "observer"}
        What it is.
    width_px, height_px : int
        Image size of one sensor (0 for an observer).
    sensor_width_mm : float
        Width of the active sensor (0 for an observer).
    focal_min_mm, focal_max_mm : float
        Range of the lens; equal for a fixed lens (0 for an observer).
    sensors : int
        Number of equal sensors in one housing, spread evenly over ``sensors * spacing_deg``.
    spacing_deg : float
        Angle between neighbouring sensors' axes.
    acuity_arcmin : float
        For an observer: the smallest angle told apart, one "pixel" (already divided by the
        magnification of the optics).
    time_share : float
        Share of time, 0–1, during which a given cell in its field is really watched.
    range_m : float
        Largest distance at which it may be counted, whatever the pixel density (clear day).
    price : float
        Price of the device with its installation, in the catalogue's currency.
    power_w : float
        Electrical power.
    sources : dict of str to str
        For each value: its source, or ``"assumption"``.
    f_number, quantum_efficiency, read_noise_e : float
        F-number of the lens, electrons a photon of white light, read noise in electrons; 0 where
        the catalogue does not say: then it counts by daylight only.
    netd_mk : float
        Of a thermal camera: noise equivalent temperature difference, 0 where not stated.
    ir_intensity_w_sr, ir_wavelength_nm, ir_range_m, ir_quantum_efficiency : float
        Built-in infrared: radiant intensity, wavelength, range stated by the maker, and electrons a
        photon at that wavelength; 0 without.
    """

    id: str
    name: str
    kind: DeviceKind
    width_px: int
    height_px: int
    sensor_width_mm: float
    focal_min_mm: float
    focal_max_mm: float
    sensors: int
    spacing_deg: float
    acuity_arcmin: float
    time_share: float
    range_m: float
    price: float
    power_w: float
    sources: dict[str, str] = field(default_factory=dict)
    f_number: float = 0.0
    quantum_efficiency: float = 0.0
    read_noise_e: float = 0.0
    netd_mk: float = 0.0
    ir_intensity_w_sr: float = 0.0
    ir_wavelength_nm: float = 0.0
    ir_range_m: float = 0.0
    ir_quantum_efficiency: float = 0.0

    @property
    def is_person(self) -> bool:
        """Whether it is an observer, who needs a cabin."""
        return self.kind == "observer"

    def focal_px(self, focal_mm: float) -> float:
        """Focal length in pixels, ``W * f / w`` (IEC 62676-4 pinhole model)."""
        if self.is_person:
            return 1.0 / math.radians(self.acuity_arcmin / 60.0)
        return self.width_px * focal_mm / self.sensor_width_mm

    def sensor_fov_deg(self, focal_mm: float) -> tuple[float, float]:
        """Horizontal and vertical field of view of one sensor in degrees."""
        if self.is_person:
            return 360.0, 120.0
        focal = self.focal_px(focal_mm)
        return (
            2 * math.degrees(math.atan(self.width_px / (2 * focal))),
            2 * math.degrees(math.atan(self.height_px / (2 * focal))),
        )


@dataclass(frozen=True)
class Structure:
    """A mast or tower of one height that can carry devices.

    Attributes
    ----------
    id, name : str
        Key and name for people.
    kind : {"mast", "tower"}
        A tower has a cabin for a person.
    height_m : float
        Height of the devices above ground.
    capacity : int
        Most devices that it can carry.
    price : float
        Price with foundation and erection, in the catalogue's currency.
    sources : dict of str to str
        For each value: its source, or ``"assumption"``.
    """

    id: str
    name: str
    kind: StructureKind
    height_m: float
    capacity: int
    price: float
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Services:
    """Prices of power and data for a mount.

    Attributes
    ----------
    power_trench_per_m, data_trench_per_m : float
        Price of a metre of trench with cable from the road's trunk to the mount.
    connection : float
        Price of connecting one mount (cabinet, earthing, switch).
    sources : dict of str to str
        For each value: its source, or ``"assumption"``.
    """

    power_trench_per_m: float
    data_trench_per_m: float
    connection: float
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """All that a plan may buy, by key."""

    currency: str
    devices: dict[str, Device]
    structures: dict[str, Structure]
    services: Services
    qualities: dict[str, float]
