"""Luminaires where they hang: aimed, with their factors, in the form that the kernel takes.

Aim as for every device: the azimuth and the tilt of the photometric axis (γ = 0), clockwise from
grid north and positive down from the horizon, so that a luminaire as it is measured has a tilt of
90°. `front_c_deg` says which C half-plane of the file is turned upwards, and so to the azimuth:
0° by default; 90° for most road luminaires.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.kernels.light_table import Lights, make_tables
from watchline.model.photometry import Photometry
from watchline.physics.photometry import direction_of, intensity_cd, pole_axes

FloatArray = npt.NDArray[np.float64]
NEAR_SIZES = 5.0
"""A luminaire is a point from five times its largest dimension on (CIE 43, from memory)."""
PART_SIZES = 10.0
"""Nearer than that it is cut into parts so small that each is ten times its size away."""


@dataclass(frozen=True)
class Luminaire:
    """One luminaire in its place.

    Attributes
    ----------
    photometry : Photometry
        What it sends where.
    x, y, z : float
        Where it hangs: CRS coordinates, and height above the datum, folded like the surface [m].
    azimuth_deg, tilt_deg : float
        Aim of its photometric axis; a tilt of 90° looks straight down.
    front_c_deg : float
        The C half-plane that is turned up and toward the azimuth.
    factor : float
        What multiplies its light: maintenance factor, dimming, number of luminaires.
    """

    photometry: Photometry
    x: float
    y: float
    z: float
    azimuth_deg: float = 0.0
    tilt_deg: float = 90.0
    front_c_deg: float = 0.0
    factor: float = 1.0


def luminaire_axes(azimuth_deg: float, tilt_deg: float, front_c_deg: float = 0.0) -> FloatArray:
    """Axes x, y, z of an aimed luminaire as rows of east, north, up.

    Parameters
    ----------
    azimuth_deg, tilt_deg : float
        Aim of the photometric axis −z.
    front_c_deg : float
        The C half-plane that is turned up and toward the azimuth.

    Returns
    -------
    float64 array, shape (3, 3)
        A rotation matrix: it takes world vectors into the luminaire's axes.
    """
    azimuth, tilt, front = np.radians([azimuth_deg, tilt_deg, front_c_deg])
    level = np.array([np.sin(azimuth), np.cos(azimuth), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    axis = np.cos(tilt) * level - np.sin(tilt) * up
    ahead = np.sin(tilt) * level + np.cos(tilt) * up
    beside = np.cross(-axis, ahead)
    return np.stack(
        [
            np.cos(front) * ahead - np.sin(front) * beside,
            np.sin(front) * ahead + np.cos(front) * beside,
            -axis,
        ]
    )


def tilt_factor(photometry: Photometry, tilt_deg: float) -> float:
    """Factor of TILT=INCLUDE for a luminaire's tilt: linear between the file's angles.

    The file counts how far the luminaire is turned from its measured position, 90° − tilt here;
    beyond its angles the last factor holds.
    """
    if not photometry.tilt_deg.size:
        return 1.0
    turned = abs(90.0 - tilt_deg)
    return float(np.interp(turned, photometry.tilt_deg, photometry.tilt_factor))


def pack_lights(luminaires: Sequence[Luminaire]) -> Lights:
    """Bring luminaires into the form that the kernel takes.

    Parameters
    ----------
    luminaires : sequence of Luminaire
        At least one.

    Returns
    -------
    Lights
        In the same order. Each photometry stands once, however many luminaires have it.
    """
    kinds: dict[int, int] = {}
    photometries: list[Photometry] = []
    for luminaire in luminaires:
        if id(luminaire.photometry) not in kinds:
            kinds[id(luminaire.photometry)] = len(photometries)
            photometries.append(luminaire.photometry)
    poles = [pole_axes(photometry) for photometry in photometries]
    which = [kinds[id(luminaire.photometry)] for luminaire in luminaires]
    frame = np.empty((len(luminaires), 3, 3))
    for k, luminaire in enumerate(luminaires):
        axes = luminaire_axes(luminaire.azimuth_deg, luminaire.tilt_deg, luminaire.front_c_deg)
        frame[k] = poles[which[k]] @ axes
    return Lights(
        np.array([luminaire.x for luminaire in luminaires], dtype=np.float64),
        np.array([luminaire.y for luminaire in luminaires], dtype=np.float64),
        np.array([luminaire.z for luminaire in luminaires], dtype=np.float64),
        frame,
        np.array(which, dtype=np.int64),
        np.array([one.factor * tilt_factor(one.photometry, one.tilt_deg) for one in luminaires]),
        make_tables([(one.azimuth_deg, one.polar_deg, one.intensity_cd) for one in photometries]),
    )


def aimed_intensity_cd(luminaire: Luminaire, vector: npt.ArrayLike) -> FloatArray:
    """Intensity of a luminaire along vectors of the world [cd], its factors applied.

    Parameters
    ----------
    luminaire : Luminaire
        Photometry, aim and factors.
    vector : array_like, shape (..., 3)
        From the luminaire outwards, as east, north, up, of any length.
    """
    axes = luminaire_axes(luminaire.azimuth_deg, luminaire.tilt_deg, luminaire.front_c_deg)
    own = np.asarray(vector, dtype=np.float64) @ axes.T
    factor = luminaire.factor * tilt_factor(luminaire.photometry, luminaire.tilt_deg)
    return intensity_cd(luminaire.photometry, own) * factor


def aimed_upward_share(photometry: Photometry, tilt_deg: float, front_c_deg: float = 0.0) -> float:
    """Share of the flux that an aimed luminaire sends above the horizon, 0–1.

    By sums over squares of half a degree of the sphere about the photometric axis; the azimuth
    does not matter.
    """
    polar, c = np.meshgrid(np.arange(0.25, 180.0, 0.5), np.arange(0.25, 360.0, 0.5), indexing="ij")
    own = direction_of(c, polar)
    light = intensity_cd(photometry, own) * np.sin(np.radians(polar))
    total = float(light.sum())
    up = (own @ luminaire_axes(0.0, tilt_deg, front_c_deg))[..., 2]
    return float(light[up > 1e-12].sum()) / total if total > 0 else 0.0


def near_parts(luminaire: Luminaire, nearest_m: float) -> tuple[Luminaire, ...]:
    """A luminaire cut into equal parts of its luminous area, so that each is small enough.

    A luminous area is no point from nearer than :data:`NEAR_SIZES` times its size. It is then cut
    into m × n parts, each :data:`PART_SIZES` times its size away or more, which send 1/mn of the
    light with the whole's distribution: exact for an even Lambertian area as the parts shrink, and
    a model for all others, since a file does not say which part of the area sends what.

    Parameters
    ----------
    luminaire : Luminaire
        With the size of its luminous area in the photometry.
    nearest_m : float
        Distance of the nearest receiver [m], above zero.

    Returns
    -------
    tuple of Luminaire
        The luminaire itself where it is a point already.
    """
    along_x, along_y, _ = luminaire.photometry.size_m
    if nearest_m >= NEAR_SIZES * max(along_x, along_y):
        return (luminaire,)
    parts_x, parts_y = (
        max(1, int(np.ceil(PART_SIZES * size / nearest_m))) for size in (along_x, along_y)
    )
    axes = luminaire_axes(luminaire.azimuth_deg, luminaire.tilt_deg, luminaire.front_c_deg)
    share = luminaire.factor / (parts_x * parts_y)
    made = []
    for i in range(parts_x):
        for j in range(parts_y):
            shift = axes[0] * along_x * ((i + 0.5) / parts_x - 0.5)
            shift = shift + axes[1] * along_y * ((j + 0.5) / parts_y - 0.5)
            x, y, z = np.array([luminaire.x, luminaire.y, luminaire.z]) + shift
            made.append(replace(luminaire, x=float(x), y=float(y), z=float(z), factor=share))
    return tuple(made)
