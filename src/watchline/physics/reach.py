"""How far a device serves a requirement: pixel density, its range, light and air together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.model.catalogue import Device
from watchline.model.condition import Condition
from watchline.model.site import Requirement, Site
from watchline.physics.acquisition import LIDAR_RATIO_SR, Numbers, reach_m
from watchline.physics.atmosphere import thermal_extinction_per_m

FloatArray = npt.NDArray[np.float64]
BRIGHT_LX = 1e5
"""More light than any lamp gives: where lamps may burn, they bind no reach beforehand."""


def serving_reach_m(
    device: Device,
    focal_mm: float,
    requirement: Requirement,
    condition: Condition,
    lamp_lx: Numbers = 0.0,
) -> FloatArray:
    """Slant distance to which a device serves a requirement, terrain and frame left aside [m].

    Parameters
    ----------
    device : Device
        The device.
    focal_mm : float
        Its focal length.
    requirement : Requirement
        What is asked.
    condition : Condition
        The requirement's condition.
    lamp_lx : float or float64 array
        Illuminance by the planned lamps on the target.

    Returns
    -------
    float64 array
        −1 where it never serves: too dark, or watched for too small a share of time.
    """
    if device.time_share < requirement.time_share:
        return np.full(np.shape(lamp_lx), -1.0)
    geometry = min(device.range_m, device.focal_px(focal_mm) / max(requirement.px_per_m, 1e-9))
    return np.minimum(geometry, reach_m(device, focal_mm, condition, requirement.px_per_m, lamp_lx))


def farthest_m(site: Site, requirement: Requirement) -> float:
    """Largest distance at which any offered device can serve a requirement [m].

    Lamps are taken as bright as needed where the condition has them on.
    """
    condition = site.condition(requirement.condition)
    return max(
        (
            float(serving_reach_m(device, device.focal_max_mm, requirement, condition, BRIGHT_LX))
            for device in (site.catalogue.devices[key] for key in site.candidates.devices)
        ),
        default=-1.0,
    )


def site_reach_m(site: Site) -> float:
    """Largest distance at which any offered device can serve any requirement [m]."""
    return max((farthest_m(site, requirement) for requirement in site.requirements), default=0.0)


def at_least_as_hard(hard: Condition, easy: Condition, *, lamps: bool) -> bool:
    """Whether everything that is made out under one condition is made out under another too.

    Every quantity that :func:`watchline.physics.acquisition.margin` uses is compared in the
    direction in which it is monotone, so that the answer holds for every device and distance.

    Parameters
    ----------
    hard, easy : Condition
        The two conditions.
    lamps : bool
        Whether lamps give any light.
    """
    less_light = hard.ambient_lx <= easy.ambient_lx and (not lamps or easy.lamps or not hard.lamps)
    thicker = (
        hard.extinction_per_m >= easy.extinction_per_m
        and hard.visibility_m <= easy.visibility_m
        and thermal_extinction_per_m(hard) >= thermal_extinction_per_m(easy)
        and LIDAR_RATIO_SR[hard.air] <= LIDAR_RATIO_SR[easy.air]
    )
    fainter = (
        hard.contrast <= easy.contrast
        and hard.reflectance <= easy.reflectance
        and hard.difference_k <= easy.difference_k
    )
    return less_light and thicker and fainter
