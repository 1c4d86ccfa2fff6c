"""Photometry: how much light a luminaire sends into which direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
PhotometricType = Literal["A", "B", "C"]


@dataclass(frozen=True)
class Photometry:
    """Luminous intensity of one luminaire, measured round it; symmetries are written out.

    The luminaire's own axes are x, y, z: −z is the photometric axis (γ = 0, straight down in a
    luminaire that is not tilted), x points to C = 0° and y to C = 90°. All three systems of planes
    are one system of polar and azimuth angles about different poles:

    ====  ==========================================  ======  ===============  =========
    type  direction (x, y, z)                         pole    polar angle      azimuth
    ====  ==========================================  ======  ===============  =========
    C     (sin γ cos C, sin γ sin C, −cos γ)          −z      γ                C
    B     (cos H sin V, sin H, −cos H cos V)          +y      90° − H          V
    A     (sin V, cos V sin H, −cos V cos H)          +x      90° − V          H
    ====  ==========================================  ======  ===============  =========

    Between the angles the intensity is bilinear in both angles; outside them it is zero.

    Attributes
    ----------
    name, maker, number, lamp : str
        What the file says of the luminaire and its lamp.
    format : str
        ``LM-63-1986`` … ``LM-63-2019`` or ``EULUMDAT``.
    type : {"A", "B", "C"}
        System of planes.
    azimuth_deg : float64 array [planes]
        Azimuths, ascending. Where `closed`, the last is the first + 360°.
    polar_deg : float64 array [angles]
        Polar angles, ascending, within 0–180°.
    intensity_cd : float64 array [planes, angles]
        Intensity of the whole luminaire, every factor of the file applied [cd].
    closed : bool
        Whether the planes go all round.
    lamp_flux_lm : float
        Rated flux of all lamps [lm]; NaN in an absolute file, which measures the luminaire only.
    declared_flux_lm : float
        Flux of the luminaire that the file declares [lm]; NaN where it does not.
    power_w : float
        Electrical power with the ballast [W]; 0 where the file leaves it out.
    size_m : tuple of 3 float
        Luminous area along x and along y, and height [m]; 0 for a point.
    tilt_deg, tilt_factor : float64 array [k]
        Factors on the intensity by how far the luminaire is tilted from its measured position
        (TILT=INCLUDE); empty where there are none.
    warnings : tuple of str
        What a reader of the numbers must know.
    sha256 : str
        Hash of the file's bytes; empty where it was not read from one.
    """

    name: str
    maker: str
    number: str
    lamp: str
    format: str
    type: PhotometricType
    azimuth_deg: FloatArray
    polar_deg: FloatArray
    intensity_cd: FloatArray
    closed: bool
    lamp_flux_lm: float
    declared_flux_lm: float
    power_w: float
    size_m: tuple[float, float, float]
    tilt_deg: FloatArray
    tilt_factor: FloatArray
    warnings: tuple[str, ...] = ()
    sha256: str = ""

    def __post_init__(self) -> None:
        for values in (
            self.azimuth_deg, self.polar_deg, self.intensity_cd, self.tilt_deg, self.tilt_factor,
        ):  # fmt: skip
            values.setflags(write=False)
