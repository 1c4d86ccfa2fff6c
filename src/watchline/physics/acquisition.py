"""What a device makes out under a condition: contrast, light and noise, at a distance.

A target is made out if two things hold besides sight and pixel density:

- *contrast*: what is left of its contrast is at least :data:`CONTRAST_LEAST`, the threshold at
  which the meteorological optical range is defined (WMO-No. 8);
- *noise*: the smallest detail that a picture of the asked density p holds, 2 × 2 of its pixels,
  stands out of the noise by Rose's factor of 5 (J. Opt. Soc. Am. 38, 196, 1948). Nearer than the
  density reaches, the detail has more pixels, 2 f/(d p) a side, and its signal to noise is that
  many times a pixel's.

By kind:

- Visible cameras see by the light of the scene (Koschmieder's contrast; electrons in a pixel) or by
  their own infrared (two ways through the air, with the light that the air throws back). The better
  of the two counts, never their sum. An exposure is at most :data:`EXPOSURE_MOST_S`, and so short
  that a walking person moves by one pixel.
- Thermal cameras see a difference of temperature over their noise (NETD) through the air.
- People see by contrast, from :data:`EYE_LEAST_LX` on.

Not in it: noise reduction, glare of lamps in the picture, lamp light scattered by fog, rain and
snow, wet or dirty windows, heat shimmer, and a target of the same tone as what lies behind it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import exp1, lambertw

from watchline.model.catalogue import Device
from watchline.model.condition import DAYLIGHT_LX, Condition
from watchline.physics.atmosphere import thermal_extinction_per_m
from watchline.physics.low_light import (
    infrared_photoelectrons,
    infrared_sensor_irradiance_w_m2,
    photoelectrons,
    sensor_illuminance_lx,
    signal_to_noise,
)
from watchline.physics.thermal import thermal_signal_to_noise
from watchline.physics.weather import KOSCHMIEDER_SHARE, infrared_extinction_per_m

FloatArray = npt.NDArray[np.float64]
Numbers = float | FloatArray

CONTRAST_LEAST = 0.05
"""Least contrast of a picture in which a target is made out."""
ROSE = 5.0
DETAIL_PX = 2.0
"""Side of the smallest detail that a picture holds: one line pair each way."""
EXPOSURE_MOST_S = 0.04
"""Longest exposure: 25 pictures a second."""
WALK_M_S = 1.5
"""Speed of a walking person, who may blur by one pixel."""
BLIND_LX = 50.0
"""Light from which a camera counts whose sensor is not described (the least that a maker's manual
of perimeter analytics asks for without infrared)."""
CLEAR_M = 10_000.0
"""Visibility from which a thermal camera counts whose noise is not stated."""
EYE_LEAST_LX = 2.0
"""Light from which a person who watches counts: isolated boundaries are lit to it (TM 5-811-1)."""
CROSSING_M = 2.0
"""Assumed distance from which a camera's picture lies in the beam of its illuminator."""
LIDAR_RATIO_SR = {"advection fog": 18.0, "radiation fog": 18.0, "rural": 50.0, "maritime": 25.0}
"""Extinction over backscatter of the air: droplets 18 sr (Pinnick et al., Appl. Opt. 22, 1983; from
memory), haze 50 sr, sea salt 25 sr (customary lidar ratios)."""
BISECTIONS = 50
NEAREST_M = 0.1
"""Distances below this are taken as this."""


def scene_lx(condition: Condition, lamp_lx: Numbers = 0.0) -> Numbers:
    """Illuminance on the target: ambient light, and the lamps' where the condition has them on.

    Lamps bring it to :data:`~watchline.model.condition.DAYLIGHT_LX` at most, and add nothing to
    what is brighter: leaving their light out is on the safe side.

    Parameters
    ----------
    condition : Condition
        The condition.
    lamp_lx : float or float64 array
        Illuminance by the planned lamps.
    """
    if not condition.by_lamps:
        return condition.ambient_lx
    return np.minimum(condition.ambient_lx + lamp_lx, DAYLIGHT_LX)


def exposure_s(px_per_m: float) -> float:
    """Exposure at which a walking person blurs by one pixel at a density, at most 1/25 s [s]."""
    return min(EXPOSURE_MOST_S, 1.0 / (WALK_M_S * px_per_m)) if px_per_m > 0 else EXPOSURE_MOST_S


def margin(
    device: Device,
    focal_mm: float,
    condition: Condition,
    px_per_m: float,
    distance_m: Numbers,
    lamp_lx: Numbers = 0.0,
) -> FloatArray:
    """How far above the threshold a target stands: made out where it is at least 1.

    Parameters
    ----------
    device : Device
        What watches.
    focal_mm : float
        Its focal length.
    condition : Condition
        Light and air.
    px_per_m : float
        Density at which it must be made out, above 0: sets the detail, and the exposure of cameras.
    distance_m : float or float64 array
        Slant distance.
    lamp_lx : float or float64 array
        Illuminance by the planned lamps on the target; counts where the condition has them on.

    Returns
    -------
    float64 array
        The lesser of contrast and signal over what is needed; falls with the distance, and never
        with more light.
    """
    asked = (device, focal_mm, condition, px_per_m, distance_m)
    if device.kind == "thermal":
        return thermal_margin(*asked)
    return np.maximum(
        scene_margin(*asked, np.asarray(scene_lx(condition, lamp_lx))), infrared_margin(*asked)
    )


def detail_px(device: Device, focal_mm: float, px_per_m: float, distance_m: Numbers) -> FloatArray:
    """Side of the smallest detail of the asked density, in pixels: ``2 f / (d p)``.

    Parameters
    ----------
    device, focal_mm, px_per_m, distance_m
        As in :func:`margin`.
    """
    distance = np.maximum(np.asarray(distance_m, dtype=np.float64), NEAREST_M)
    return np.asarray(DETAIL_PX * device.focal_px(focal_mm) / (distance * px_per_m))


def scene_margin(
    device: Device,
    focal_mm: float,
    condition: Condition,
    px_per_m: float,
    distance_m: Numbers,
    light_lx: Numbers,
) -> FloatArray:
    """Margin by the light of the scene.

    Air that is lit like the ground adds as much light as it takes, so that the mean signal S stays
    and only the contrast falls: ``C = C0 e^(−σd)``, noise ``√(S + r²)``.

    Parameters
    ----------
    device, focal_mm, condition, px_per_m, distance_m
        As in :func:`margin`.
    light_lx : float or float64 array
        Illuminance on the target.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    left = np.exp(-condition.extinction_per_m * distance)
    by_contrast = left * condition.contrast / CONTRAST_LEAST
    light = np.asarray(light_lx, dtype=np.float64)
    if _by_light_alone(device):
        return np.where(light >= _least_lx(device), by_contrast, 0.0)
    detail = detail_px(device, focal_mm, px_per_m, distance)
    by_noise = left * pixel_contrast(device, condition, px_per_m, light) * detail / ROSE
    return np.asarray(np.minimum(by_contrast, by_noise))


def _by_light_alone(device: Device) -> bool:
    """Whether there is no sensor to compute with."""
    return device.is_person or device.f_number <= 0


def _least_lx(device: Device) -> float:
    return EYE_LEAST_LX if device.is_person else BLIND_LX


def pixel_contrast(
    device: Device, condition: Condition, px_per_m: float, light_lx: Numbers
) -> FloatArray:
    """Signal of a target's contrast over a pixel's noise, air left aside: ``C0 S/√(S + r²)``.

    Parameters
    ----------
    device, condition, px_per_m
        As in :func:`margin`; the device's sensor must be known.
    light_lx : float or float64 array
        Illuminance on the target.
    """
    signal = photoelectrons(
        sensor_illuminance_lx(light_lx, condition.reflectance, device.f_number),
        device.sensor_width_mm * 1e-3 / device.width_px,
        exposure_s(px_per_m),
        device.quantum_efficiency,
    )
    return condition.contrast * signal_to_noise(signal, 0.0, device.read_noise_e)


def infrared_margin(
    device: Device, focal_mm: float, condition: Condition, px_per_m: float, distance_m: Numbers
) -> FloatArray:
    """Margin by the infrared light of the device itself; 0 without, and beyond its stated range.

    The air throws light back into the picture: per steradian ``β ∫ e^(−2σr)/r² dr`` of the
    illuminator's intensity, from :data:`CROSSING_M` on, with ``β = σ`` over
    :data:`LIDAR_RATIO_SR` (single scattering). The target gives ``ρ/π · e^(−2σd)/d²``. The lamp is
    taken to light the whole picture evenly.

    Parameters
    ----------
    device, focal_mm, condition, px_per_m, distance_m
        As in :func:`margin`.
    """
    distance = np.maximum(np.asarray(distance_m, dtype=np.float64), CROSSING_M)
    if device.ir_intensity_w_sr <= 0:
        return np.zeros(distance.shape)
    visibility = -math.log(KOSCHMIEDER_SHARE) / max(condition.extinction_per_m, 1e-300)
    sigma = float(infrared_extinction_per_m(visibility, device.ir_wavelength_nm))
    irradiance = infrared_sensor_irradiance_w_m2(
        device.ir_intensity_w_sr,
        distance,
        condition.reflectance,
        device.f_number,
        extinction_per_m=sigma,
    )
    back = sigma / LIDAR_RATIO_SR[condition.air] * _thrown_back(sigma, distance)
    target = condition.reflectance / math.pi * np.exp(-2.0 * sigma * distance) / distance**2
    target = np.maximum(target, 1e-300)
    pixel_m = device.sensor_width_mm * 1e-3 / device.width_px
    signal = infrared_photoelectrons(
        irradiance,
        device.ir_wavelength_nm,
        pixel_m,
        exposure_s(px_per_m),
        device.ir_quantum_efficiency,
    )
    veil = signal * back / target
    contrast = condition.contrast * target / (target + back)
    noise = condition.contrast * signal / np.sqrt(signal + veil + device.read_noise_e**2)
    detail = detail_px(device, focal_mm, px_per_m, distance)
    found = np.minimum(contrast / CONTRAST_LEAST, noise * detail / ROSE)
    return np.where(np.asarray(distance_m) <= device.ir_range_m, found, 0.0)


def _thrown_back(sigma_per_m: float, distance_m: FloatArray) -> FloatArray:
    """``∫ e^(−2σr)/r² dr`` from the crossing to a distance [1/m]."""
    twice = 2.0 * sigma_per_m

    def upper(r: Numbers) -> FloatArray:
        # The integral from r on: E₂(2σr)/r, with E₂(x) = e^(−x) − x E₁(x).
        x = twice * np.asarray(r)
        return np.asarray((np.exp(-x) - x * exp1(np.maximum(x, 1e-300))) / r)

    return np.maximum(upper(CROSSING_M) - upper(distance_m), 0.0)


def thermal_margin(
    device: Device, focal_mm: float, condition: Condition, px_per_m: float, distance_m: Numbers
) -> FloatArray:
    """Margin of a thermal camera, ``ΔT e^(−σd) / NETD`` of a detail over Rose's factor.

    Sampling is no part of it: the density asked must hold besides (Johnson's line pairs on the
    target are the classes ``johnson:detect`` and so on). A camera without a stated NETD counts in
    clear air only.

    Parameters
    ----------
    device, focal_mm, condition, px_per_m, distance_m
        As in :func:`margin`.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    if device.netd_mk <= 0:
        clear = condition.visibility_m >= CLEAR_M
        return np.full(distance.shape, np.inf if clear else 0.0)
    sigma = thermal_extinction_per_m(condition)
    ratio = thermal_signal_to_noise(condition.difference_k, distance, sigma, device.netd_mk * 1e-3)
    return np.asarray(ratio * detail_px(device, focal_mm, px_per_m, distance) / ROSE)


def reach_m(
    device: Device,
    focal_mm: float,
    condition: Condition,
    px_per_m: float,
    lamp_lx: Numbers = 0.0,
) -> FloatArray:
    """Slant distance to which a target is made out: where :func:`margin` falls to 1.

    Light and air alone; pixel density and the device's ``range_m`` bind besides.

    Parameters
    ----------
    device, focal_mm, condition, px_per_m, lamp_lx
        As in :func:`margin`.

    Returns
    -------
    float64 array
        −1 where nothing is made out at any distance, inf where neither air nor noise ends it.
    """
    detail_m = DETAIL_PX * device.focal_px(focal_mm) / px_per_m
    if device.kind == "thermal":
        if device.netd_mk <= 0:
            return np.asarray(np.inf if condition.visibility_m >= CLEAR_M else -1.0)
        start = condition.difference_k / (device.netd_mk * 1e-3) * detail_m / ROSE
        return _noise_reach_m(start, thermal_extinction_per_m(condition))
    light = np.asarray(scene_lx(condition, lamp_lx), dtype=np.float64)
    sigma = condition.extinction_per_m
    by_contrast = _contrast_reach_m(condition.contrast / CONTRAST_LEAST, sigma)
    if _by_light_alone(device):
        return np.where(light >= _least_lx(device), by_contrast, -1.0)
    above = pixel_contrast(device, condition, px_per_m, light) * detail_m / ROSE
    by_scene = np.minimum(by_contrast, _noise_reach_m(above, sigma))
    return np.maximum(by_scene, _infrared_reach_m(device, focal_mm, condition, px_per_m))


def _contrast_reach_m(start: float, sigma_per_m: float) -> float:
    """Distance at which ``start · e^(−σd)`` is 1."""
    if start < 1.0:
        return -1.0
    return math.log(start) / sigma_per_m if sigma_per_m > 0 else math.inf


def _noise_reach_m(start_m: Numbers, sigma_per_m: float) -> FloatArray:
    """Distance at which ``start/d · e^(−σd)`` is 1: ``W(σ start)/σ`` with Lambert's W."""
    start = np.asarray(start_m, dtype=np.float64)
    thin = sigma_per_m * start
    # W(x) is x − x² …: for air so thin its loss is below the rounding of the distance.
    solved = lambertw(thin).real / (sigma_per_m or 1.0)
    far = np.where(thin > 1e-12, solved, start)
    return np.where(far >= NEAREST_M, far, -1.0)


def _infrared_reach_m(
    device: Device, focal_mm: float, condition: Condition, px_per_m: float
) -> float:
    """Distance to which a device's own infrared is enough, by bisection; −1 where nowhere."""

    def enough(distance_m: float) -> bool:
        return bool(infrared_margin(device, focal_mm, condition, px_per_m, distance_m) >= 1.0)

    near, far = 0.0, device.ir_range_m
    if device.ir_intensity_w_sr <= 0 or not enough(near):
        return -1.0
    if enough(far):
        return far
    for _ in range(BISECTIONS):
        middle = 0.5 * (near + far)
        near, far = (middle, far) if enough(middle) else (near, middle)
    return near


def shortfall(
    device: Device,
    focal_mm: float,
    condition: Condition,
    px_per_m: float,
    distance_m: float,
    lamp_lx: float = 0.0,
) -> str:
    """Why a target is not made out at a distance, in words; empty where it is.

    Parameters
    ----------
    device, focal_mm, condition, px_per_m, distance_m, lamp_lx
        As in :func:`margin`.
    """
    asked = (device, focal_mm, condition, px_per_m)
    if float(margin(*asked, distance_m, lamp_lx)) >= 1.0:
        return ""
    under = f"under '{condition.name}'"
    reach = float(reach_m(*asked, lamp_lx))
    to = f"it makes out a target to {reach:.0f} m" if reach > 0 else "it makes out none"
    at = f"at {distance_m:.0f} m; {to}"
    if device.kind == "thermal":
        if device.netd_mk <= 0:
            return f"does not count {under}: the catalogue does not state its NETD"
        return (
            f"too little warmth comes through the air {under}, {condition.difference_k:g} K over "
            f"{device.netd_mk:g} mK of noise, {at}"
        )
    sigma = condition.extinction_per_m
    if distance_m > _contrast_reach_m(condition.contrast / CONTRAST_LEAST, sigma):
        what = "fog" if "fog" in condition.air else "haze"
        return (
            f"too little contrast through {what} {under}, visibility {condition.visibility_m:g} m, "
            f"{at}"
        )
    light = float(np.asarray(scene_lx(condition, lamp_lx)))
    own = ", infrared too weak" if device.ir_intensity_w_sr > 0 else ""
    return f"too dark {under}, {light:.3g} lx on the target{own}, {at}"
