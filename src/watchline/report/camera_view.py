"""The terrain as a camera sees it: rays over the triangulated surface, shaded, with its lines.

A drawing for people, not a proof: the ground is coloured by its height and lit from the north-west,
haze takes as much contrast as the condition's air does, and what stands on the ground is as rough
as the terrain's cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from watchline.model.catalogue import Device
from watchline.physics.optics import (
    across_density,
    apparent_rise_m,
    camera_axes,
    observer_density,
    pixel_density,
    sensor_azimuths,
)
from watchline.prove.heights import Relief
from watchline.prove.scene import Scene, build_scene
from watchline.report.hillshade import horn_gradient, illumination

FloatArray = npt.NDArray[np.float64]
Projection = Literal["flat", "cylinder"]
NEAR_SQUARES = 600_000
"""Squares of the terrain at its full fineness; beyond them a coarser one is drawn."""
FAR_SQUARES = 250_000
FARTHEST_M = 15_000.0
LIGHT = -(2.0**-0.5), 2.0**-0.5
SKY = ((146, 178, 205), (222, 230, 234))
"""Overhead, and at the horizon."""
NIGHT_SKY = ((14, 20, 32), (46, 54, 68))
THERMAL_SKY = ((28, 28, 30), (52, 52, 55))
GROUND = np.array(
    [(150, 160, 116), (164, 160, 118), (172, 160, 126), (176, 158, 132), (180, 164, 146)]
)
STANDS = (120, 126, 118)
STANDS_M = 0.5
CLEAR_EXTINCTION_PER_M = 1.0 / 9_000.0
"""Haze of a clear day, by which the eye tells far from near."""
DENSITY_LINE = 0.8
LONGEST_PX = 240
SAMPLE_M = 2.0
OCCLUDED = 1.03, 1.5
"""A line is hidden where the ground before it is nearer by this factor and these metres."""


@dataclass(frozen=True)
class Ring:
    """A line of equal pixel density."""

    name: str
    px_per_m: float
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A geometry of the site that is drawn on the ground, or upright where it has a height."""

    shape: BaseGeometry
    colour: tuple[int, int, int]
    width_px: int = 2
    height_m: float = 0.0


@dataclass(frozen=True)
class View:
    """What is looked from, and how.

    Attributes
    ----------
    x, y, z : float
        The eye; z above the datum.
    device : Device
        What looks; its sensors and their pixels.
    azimuth_deg, tilt_deg, focal_mm : float
        Its aim.
    hfov_deg, vfov_deg : float
        What the picture spans.
    projection : {"flat", "cylinder"}
        A flat picture, or one unrolled from a cylinder for what looks far around.
    width, height : int
        Size of the picture.
    extinction_per_m : float
        Of the air.
    night, thermal : bool
        How it is coloured.
    """

    x: float
    y: float
    z: float
    device: Device
    azimuth_deg: float
    tilt_deg: float
    focal_mm: float
    hfov_deg: float
    vfov_deg: float
    projection: Projection
    width: int
    height: int
    extinction_per_m: float = 0.0
    night: bool = False
    thermal: bool = False

    def directions(self) -> FloatArray:
        """Unit vectors east, north, up of every pixel, float64 [rows, cols, 3]."""
        across = (np.arange(self.width) + 0.5) / self.width - 0.5
        down = (np.arange(self.height) + 0.5) / self.height - 0.5
        if self.projection == "flat":
            right, below, forward = camera_axes(self.azimuth_deg, self.tilt_deg)
            u = 2.0 * math.tan(math.radians(self.hfov_deg) / 2.0) * across
            v = 2.0 * math.tan(math.radians(self.vfov_deg) / 2.0) * down
            way = forward + u[None, :, None] * right + v[:, None, None] * below
        else:
            bearing = np.radians(self.azimuth_deg + self.hfov_deg * across)
            dip = np.radians(self.tilt_deg + self.vfov_deg * down)[:, None]
            way = np.stack(
                np.broadcast_arrays(
                    np.sin(bearing) * np.cos(dip), np.cos(bearing) * np.cos(dip), -np.sin(dip)
                ),
                axis=2,
            )
        return np.asarray(way / np.linalg.norm(way, axis=2, keepdims=True))

    def pixels(
        self, east: FloatArray, north: FloatArray, rise: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Where points fall in the picture [px]; NaN for what is behind."""
        if self.projection == "flat":
            vector = np.stack([east, north, rise])
            right, below, forward = camera_axes(self.azimuth_deg, self.tilt_deg) @ vector
            safe = np.where(forward > 0.1, forward, np.nan)
            u = right / safe / (2.0 * math.tan(math.radians(self.hfov_deg) / 2.0))
            v = below / safe / (2.0 * math.tan(math.radians(self.vfov_deg) / 2.0))
        else:
            off = np.degrees(np.arctan2(east, north)) - self.azimuth_deg
            u = ((off + 180.0) % 360.0 - 180.0) / self.hfov_deg
            dip = np.degrees(np.arctan2(-rise, np.hypot(east, north)))
            v = (dip - self.tilt_deg) / self.vfov_deg
        return (u + 0.5) * self.width, (v + 0.5) * self.height

    def density(self, east: FloatArray, north: FloatArray, rise: FloatArray) -> FloatArray:
        """Pixel density of the device's own sensor at points [px/m]."""
        distance = np.sqrt(east**2 + north**2 + rise**2)
        device = self.device
        if device.is_person:
            return observer_density(device.acuity_arcmin, distance)
        focal = device.focal_px(self.focal_mm)
        if device.kind == "ptz":
            return pixel_density(focal, distance)
        best = np.zeros(east.shape)
        bearing = np.degrees(np.arctan2(east, north))
        nearest = np.full(east.shape, np.inf)
        for azimuth in sensor_azimuths(self.azimuth_deg, device.sensors, device.spacing_deg):
            off = np.abs((bearing - azimuth + 180.0) % 360.0 - 180.0)
            mine = off < nearest
            nearest = np.where(mine, off, nearest)
            found = across_density(
                east, north, rise, azimuth_deg=azimuth, tilt_deg=self.tilt_deg, focal_px=focal
            )
            best = np.where(mine, found, best)
        return best


def draw_view(
    view: View, relief: Relief, drawn: Sequence[Drawn] = (), rings: Sequence[Ring] = ()
) -> npt.NDArray[np.uint8]:
    """Draw a picture.

    Parameters
    ----------
    view : View
        The camera.
    relief : Relief
        The terrain.
    drawn : sequence of Drawn
        What is drawn on the ground; later ones lie on top.
    rings : sequence of Ring
        Lines of equal pixel density.

    Returns
    -------
    uint8 array [height, width, 3]
    """
    # Heights as they appear from this eye: lines of sight are straight then.
    here = replace(relief, origin_m=(view.x, view.y))
    way = view.directions()
    distance = _cast(view, here, way.reshape(-1, 3)).reshape(way.shape[:2])
    hit = np.isfinite(distance)
    step = np.where(hit, distance, 0.0)[:, :, None] * way
    east, north, rise = step[:, :, 0], step[:, :, 1], step[:, :, 2]
    colours = _sky(view, way)
    colours[hit] = _ground(view, here, east[hit], north[hit])
    haze = np.exp(-(view.extinction_per_m or 0.0) * np.where(hit, distance, 0.0))
    if not view.thermal:
        haze *= np.exp(-CLEAR_EXTINCTION_PER_M * np.where(hit, distance, 0.0))
    if view.extinction_per_m > 0:
        haze[~hit] = np.exp(-view.extinction_per_m * FARTHEST_M)
    far = np.array(_sky_colours(view)[1], dtype=np.float64)
    colours = colours * haze[:, :, None] + far * (1.0 - haze[:, :, None])
    if rings:
        _draw_rings(view, colours, rings, hit, (east, north, rise))
    picture = np.clip(colours, 0, 255).astype(np.uint8)
    for one in drawn:
        _draw_shape(view, here, picture, distance, one)
    return picture


def _cast(view: View, relief: Relief, way: FloatArray) -> FloatArray:
    """Distance along each ray to the surface; infinite where it meets none."""
    near_m = min(FARTHEST_M, _reach_for(view, NEAR_SQUARES, relief.cell_m))
    stride = 1
    while _reach_for(view, FAR_SQUARES, relief.cell_m * stride) < FARTHEST_M:
        stride += 1
    found = np.full(len(way), np.inf)
    open_ = np.ones(len(way), dtype=bool)
    for coarse, reach, least in ((1, near_m, 0.0), (stride, FARTHEST_M, near_m * 0.98)):
        if coarse > 1 and near_m >= FARTHEST_M:
            break
        coarser = replace(
            relief,
            ground=relief.ground[::coarse, ::coarse],
            surface=relief.surface[::coarse, ::coarse],
            cell_m=relief.cell_m * coarse,
        )
        scene = build_scene(coarser, *_outline(view, reach))
        if scene.embree is None:
            continue
        away = _hits(scene, view, way[open_])
        away[away < least] = np.inf
        found[open_] = away
        open_ = ~np.isfinite(found)
    return found


def _reach_for(view: View, squares: int, cell_m: float) -> float:
    """How far a field of view reaches that holds a number of squares."""
    sector = math.radians(min(360.0, view.hfov_deg + 4.0))
    return math.sqrt(2.0 * squares * cell_m**2 / sector)


def _outline(view: View, reach_m: float) -> tuple[FloatArray, FloatArray]:
    """The eye and an arc before it: what lies between them is drawn."""
    half = min(180.0, view.hfov_deg / 2.0 + 2.0)
    bearing = np.radians(view.azimuth_deg + np.linspace(-half, half, 33))
    x = view.x + reach_m * np.concatenate([[0.0], np.sin(bearing)])
    y = view.y + reach_m * np.concatenate([[0.0], np.cos(bearing)])
    return x, y


def _hits(scene: Scene, view: View, way: FloatArray) -> FloatArray:
    eye = np.array([view.x, view.y, view.z]) - scene.shift_m
    origin = np.broadcast_to(eye.astype(np.float32), way.shape)
    assert scene.embree is not None
    found = scene.embree.run(
        np.ascontiguousarray(origin), way.astype(np.float32), query="INTERSECT", output=1
    )
    met = np.asarray(found["primID"]) >= 0
    return np.where(met, np.asarray(found["tfar"], dtype=np.float64), np.inf)


def _sky_colours(view: View) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    if view.thermal:
        return THERMAL_SKY
    return NIGHT_SKY if view.night else SKY


def _sky(view: View, way: FloatArray) -> FloatArray:
    over, low = (np.array(colour, dtype=np.float64) for colour in _sky_colours(view))
    share = np.clip(way[:, :, 2] * 3.0, 0.0, 1.0)[:, :, None]
    return low + share * (over - low)


def _ground(view: View, relief: Relief, east: FloatArray, north: FloatArray) -> FloatArray:
    """Colours of the ground at places before the eye, float64 [n, 3]."""
    x, y = view.x + east, view.y + north
    ground, surface = relief.ground_at(x, y), relief.surface_at(x, y)
    slope = horn_gradient(np.asarray(relief.surface, dtype=np.float64), relief.cell_m)
    col, row = relief.nodes(x, y)
    rows, cols = relief.surface.shape
    at = (
        np.clip(np.rint(row), 0, rows - 1).astype(np.int64),
        np.clip(np.rint(col), 0, cols - 1).astype(np.int64),
    )
    lit = illumination(slope[0][at], slope[1][at], *LIGHT)
    known = np.isfinite(surface)
    low, high = np.nanpercentile(relief.ground, [2.0, 98.0])
    tone = np.clip((np.where(known, surface, low) - low) / max(high - low, 1.0), 0.0, 1.0)
    place = tone * (len(GROUND) - 1)
    below = np.minimum(place.astype(np.int64), len(GROUND) - 2)
    part = (place - below)[:, None]
    colours = GROUND[below] * (1.0 - part) + GROUND[below + 1] * part
    stands = np.nan_to_num(surface - ground) > STANDS_M
    colours[stands] = STANDS
    flat = math.sin(math.radians(45.0))
    colours = (
        colours * np.clip(0.35 + 0.65 * np.nan_to_num(lit, nan=flat) / flat, 0.2, 1.35)[:, None]
    )
    # A grid of 100 m on the ground gives flat land its depth.
    away = np.hypot(east, north)
    grid = (np.abs((x + 50.0) % 100.0 - 50.0) < 0.001 * away + 0.1) | (
        np.abs((y + 50.0) % 100.0 - 50.0) < 0.001 * away + 0.1
    )
    colours[grid & (away < 1500.0)] *= 0.93
    if view.thermal:
        grey = colours @ np.array([0.30, 0.59, 0.11])
        return np.repeat((0.75 * grey + 20.0)[:, None], 3, axis=1)
    return np.asarray(colours * (0.28 if view.night else 1.0))


def _draw_rings(
    view: View,
    colours: FloatArray,
    rings: Sequence[Ring],
    hit: npt.NDArray[np.bool_],
    vector: tuple[FloatArray, FloatArray, FloatArray],
) -> None:
    """Lines where the density falls below each ring's."""
    density = np.where(hit, view.density(*vector), np.nan)
    flat = np.hypot(vector[0], vector[1])
    for ring in rings:
        inside = density >= ring.px_per_m
        edge = np.zeros(inside.shape, dtype=bool)
        # Only along ground that goes on: a ridge before a valley is no ring.
        down = hit[1:] & hit[:-1] & (np.abs(np.diff(flat, axis=0)) < 0.1 * flat[1:] + 2.0)
        side = hit[:, 1:] & hit[:, :-1] & (np.abs(np.diff(flat, axis=1)) < 0.1 * flat[:, 1:] + 2.0)
        edge[1:] |= down & (inside[1:] != inside[:-1])
        edge[:, 1:] |= side & (inside[:, 1:] != inside[:, :-1])
        edge[:-1] |= edge[1:]
        share = DENSITY_LINE
        colours[edge] = colours[edge] * (1.0 - share) + np.array(ring.colour) * share


def _draw_shape(
    view: View,
    relief: Relief,
    picture: npt.NDArray[np.uint8],
    distance: FloatArray,
    one: Drawn,
) -> None:
    """Draw a geometry where the ground does not hide it."""
    shape = one.shape
    lines = shape.boundary if shape.geom_type.endswith("Polygon") else shape
    for part in shapely.get_parts(lines):
        if part.is_empty:
            continue
        if part.geom_type == "Point":
            x, y = np.full(24, part.x), np.full(24, part.y)
            above = np.linspace(0.0, one.height_m, 24)
        else:
            places = shapely.get_coordinates(shapely.segmentize(part, SAMPLE_M))
            x, y = places[:, 0], places[:, 1]
            above = np.full(x.size, 0.05)
        east, north = x - view.x, y - view.y
        flat = np.hypot(east, north)
        rise = apparent_rise_m(relief.surface_at(x, y) + above - view.z, flat, relief.refraction)
        away = np.sqrt(flat**2 + rise**2)
        u, v = view.pixels(east, north, np.asarray(rise))
        u[~(flat < FARTHEST_M)] = np.nan
        _stroke(view, picture, distance, one, u, v, away)


def _stroke(
    view: View,
    picture: npt.NDArray[np.uint8],
    distance: FloatArray,
    one: Drawn,
    u: FloatArray,
    v: FloatArray,
    away: FloatArray,
) -> None:
    """Join points that follow each other by straight strokes, each pixel tested for its depth."""
    joined = np.isfinite(u[1:]) & np.isfinite(u[:-1])
    length = np.hypot(np.diff(u), np.diff(v))
    joined &= (length < LONGEST_PX) & (np.maximum(u[1:], u[:-1]) >= 0)
    joined &= (np.minimum(u[1:], u[:-1]) < view.width) & (np.maximum(v[1:], v[:-1]) >= 0)
    joined &= np.minimum(v[1:], v[:-1]) < view.height
    for k in np.flatnonzero(joined):
        share = np.linspace(0.0, 1.0, int(length[k]) + 2)
        col = np.floor(u[k] + share * (u[k + 1] - u[k])).astype(np.int64)
        row = np.floor(v[k] + share * (v[k + 1] - v[k])).astype(np.int64)
        depth = away[k] + share * (away[k + 1] - away[k])
        for shift in range(one.width_px):
            r, c = row + shift, col
            if one.height_m:
                r, c = row, col + shift
            inside = (r >= 0) & (r < view.height) & (c >= 0) & (c < view.width)
            seen = depth[inside] <= distance[r[inside], c[inside]] * OCCLUDED[0] + OCCLUDED[1]
            picture[r[inside][seen], c[inside][seen]] = one.colour
