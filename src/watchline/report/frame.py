"""Frames: from the site's coordinates to those of a picture, turned so that the line runs along."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

FloatArray = npt.NDArray[np.float64]
LEAST_ELONGATION = 1.6


@dataclass(frozen=True)
class Frame:
    """A turned and scaled window on the site.

    Attributes
    ----------
    x, y : float
        Site coordinates of the picture's centre, in m.
    turn_deg : float
        Angle from east, counter-clockwise, of the direction that points right in the picture; also
        the angle, clockwise from the picture's top, at which north lies.
    scale : float
        Picture units per metre.
    width, height : float
        Size of the picture in its units.
    """

    x: float
    y: float
    turn_deg: float
    scale: float
    width: float
    height: float

    def to_picture(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Picture coordinates (right, down) of site coordinates."""
        cos, sin = self._turn()
        dx = np.asarray(x, dtype=np.float64) - self.x
        dy = np.asarray(y, dtype=np.float64) - self.y
        right = dx * cos + dy * sin
        up = -dx * sin + dy * cos
        return self.width / 2 + right * self.scale, self.height / 2 - up * self.scale

    def to_site(self, right: npt.ArrayLike, down: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Site coordinates of picture coordinates."""
        cos, sin = self._turn()
        along = (np.asarray(right, dtype=np.float64) - self.width / 2) / self.scale
        up = (self.height / 2 - np.asarray(down, dtype=np.float64)) / self.scale
        return self.x + along * cos - up * sin, self.y + along * sin + up * cos

    def direction(self, bearing_deg: float) -> tuple[float, float]:
        """Unit vector (right, down) of a bearing, degrees clockwise from grid north."""
        cos, sin = self._turn()
        east, north = math.sin(math.radians(bearing_deg)), math.cos(math.radians(bearing_deg))
        return east * cos + north * sin, east * sin - north * cos

    def _turn(self) -> tuple[float, float]:
        return math.cos(math.radians(self.turn_deg)), math.sin(math.radians(self.turn_deg))

    @property
    def metres_per_unit(self) -> float:
        """Metres in one picture unit."""
        return 1.0 / self.scale


def direction_deg(line: LineString) -> float:
    """Angle from east, counter-clockwise, that turns a long line so that it runs to the right.

    A line that is hardly longer than it is wide stays north up: 0.
    """
    box = line.minimum_rotated_rectangle
    if box.geom_type == "Polygon":
        corners = np.asarray(box.exterior.coords)[:3]
        sides = np.hypot(*np.diff(corners, axis=0).T)
        if sides.max() < LEAST_ELONGATION * max(sides.min(), 1e-9):
            return 0.0
        along = np.diff(corners, axis=0)[int(np.argmax(sides))]
    else:
        along = np.asarray(line.coords[-1][:2]) - np.asarray(line.coords[0][:2])
    chord = np.asarray(line.coords[-1][:2]) - np.asarray(line.coords[0][:2])
    if float(along @ chord) < 0:
        along = -along
    return math.degrees(math.atan2(along[1], along[0])) % 360.0


def fit(
    geometry: BaseGeometry,
    turn_deg: float,
    *,
    width: float,
    height: float,
    margin: float = 0.0,
) -> Frame:
    """Frame in which a geometry is centred and fills the picture up to a margin.

    Parameters
    ----------
    geometry : shapely geometry
        What must fit, in site coordinates.
    turn_deg : float
        As in :class:`Frame`.
    width, height, margin : float
        Size of the picture, and the margin on each side, in picture units.
    """
    left, right, low, high, centre = _extent(geometry, turn_deg)
    scale = min(
        (width - 2 * margin) / max(right - left, 1.0), (height - 2 * margin) / max(high - low, 1.0)
    )
    return Frame(centre[0], centre[1], turn_deg, scale, width, height)


def around(
    geometry: BaseGeometry, turn_deg: float, *, margin_m: float, least_aspect: float
) -> Frame:
    """Frame of one unit per metre round a geometry, no flatter than ``least_aspect``."""
    left, right, low, high, centre = _extent(geometry, turn_deg)
    width = math.ceil(right - left + 2 * margin_m)
    height = math.ceil(max(high - low + 2 * margin_m, width * least_aspect))
    return Frame(centre[0], centre[1], turn_deg, 1.0, float(width), float(height))


def _extent(
    geometry: BaseGeometry, turn_deg: float
) -> tuple[float, float, float, float, tuple[float, float]]:
    """Extent of a geometry in turned coordinates, and the site coordinates of its centre."""
    bare = Frame(0.0, 0.0, turn_deg, 1.0, 0.0, 0.0)
    x0, y0, x1, y1 = geometry.bounds
    if geometry.geom_type in ("Point", "MultiPoint"):
        x, y = np.array([x0, x1]), np.array([y0, y1])
    else:
        hull = geometry.convex_hull
        x, y = np.asarray(hull.exterior.coords if hull.geom_type == "Polygon" else hull.coords)[
            :, :2
        ].T
    right, down = bare.to_picture(x, y)
    left, rightmost = float(right.min()), float(right.max())
    low, high = float(-down.max()), float(-down.min())
    centre = bare.to_site((left + rightmost) / 2, -(low + high) / 2)
    return left, rightmost, low, high, (float(centre[0]), float(centre[1]))
