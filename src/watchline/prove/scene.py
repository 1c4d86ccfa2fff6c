"""Sight lines by ray tracing: Embree on the triangulated surface of one window.

The squares between four nodes are split into two triangles each. Where one node is unknown the
split leaves the triangle of the three known ones; all other triangles with an unknown node are
left out. Whether a line passes over such a hole is a question in the plane, answered by an exact
walk along the line in float64: a mesh of the holes would have to be hit by rays that run in its
own plane, or be built up into walls whose edges rays then graze.

Embree computes in float32. Coordinates are taken relative to a node in the window's middle, where
nodes are exact multiples of the cell, so that errors stay below 1 mm for windows of 10 km.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numba import njit
from scipy.spatial import ConvexHull, QhullError
from shapely.geometry.base import BaseGeometry

from watchline.prove.heights import SNAP, FloatArray, Relief, clip_to_tested

HIDDEN, FREE, UNKNOWN = 0, 1, 2
TOUCH_M = 1e-3
"""Lines are lifted by this much: one that touches is free, and float32 does not decide it."""
MARGIN_CELLS = 0.75
"""A square that a line passes over has its middle within half a diagonal, 0.71 cells, of it."""


@dataclass(frozen=True)
class Scene:
    """The surface of one window, ready for rays.

    Attributes
    ----------
    relief : Relief
        The whole terrain.
    embree : EmbreeScene or None
        The triangles; None where the window has none.
    shift_m : float64 array [3]
        What was subtracted from coordinates and folded heights.
    unknown : bool array [rows, cols] or None
        Unknown nodes of the window; None where there are none.
    first_col, first_row : int
        Node of the terrain that is the window's node (0, 0).
    triangles : int
        Size of the mesh.
    """

    relief: Relief
    embree: EmbreeScene | None
    shift_m: FloatArray
    unknown: npt.NDArray[np.bool_] | None
    first_col: int
    first_row: int
    triangles: int


def build_scene(
    relief: Relief,
    x: FloatArray,
    y: FloatArray,
    middle: tuple[float, float, float] | None = None,
) -> Scene:
    """Triangulate the surface under all lines between some places.

    Parameters
    ----------
    relief : Relief
        The terrain.
    x, y : float64 array [n]
        The places, at least one; only squares within their convex hull are taken.
    middle : tuple of float, optional
        What is subtracted from coordinates and folded heights; by default a node in the middle of
        the places. Scenes with one middle give one answer for a line that lies in both, to the
        last bit: the triangles that it meets are then the same in float32.

    Returns
    -------
    Scene
    """
    rows, cols = relief.surface.shape
    col, row = relief.nodes(x, y)
    left, right = _span(col, cols)
    top, bottom = _span(row, rows)
    surface = relief.surface[top : bottom + 1, left : right + 1]
    east, north = relief.place(np.arange(left, right + 1), np.arange(top, bottom + 1))
    wanted = _squares_in_hull(east, north, relief.cell_m, x, y)
    shift = np.array(middle or (east[east.size // 2], north[north.size // 2], 0.0))
    unknown = np.isnan(surface)
    corners, triangles = _triangulate(wanted, unknown)
    embree = None
    if len(triangles):
        at_row, at_col = np.divmod(corners, surface.shape[1])
        vertex = np.empty((corners.size, 3))
        vertex[:, 0], vertex[:, 1] = east[at_col], north[at_row]
        vertex[:, 2] = relief.fold(surface[at_row, at_col], vertex[:, 0], vertex[:, 1])
        if middle is None:
            shift[2] = float(np.median(vertex[:, 2]))
        embree = EmbreeScene(robust=True)
        TriangleMesh(embree, (vertex - shift).astype(np.float32), triangles.astype(np.int32))
    holes = unknown if unknown.any() else None
    return Scene(relief, embree, shift, holes, left, top, len(triangles))


def trace(
    scene: Scene,
    eye: tuple[float, float, float],
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
) -> npt.NDArray[np.int8]:
    """Whether the lines from an eye to targets are free.

    Parameters
    ----------
    scene : Scene
        A window that holds the eye and the targets.
    eye : tuple of float
        x, y and folded height of the eye in m.
    x, y, z : float64 array [n]
        Targets: coordinates and folded heights in m, NaN = unknown.

    Returns
    -------
    int8 array [n]
        :data:`HIDDEN`, :data:`FREE` or :data:`UNKNOWN`: the line passes over a hole in the data
        (wherever else it may be hidden), or an end's height is unknown or outside the terrain.
    """
    relief = scene.relief
    start_x, start_y = np.full(x.shape, eye[0]), np.full(y.shape, eye[1])
    first, last = clip_to_tested(relief, start_x, start_y, x, y)
    known = np.isfinite(z) & _inside(relief, x, y) & np.isfinite(eye[2])
    known &= bool(_inside(relief, eye[0], eye[1]))
    tested = known & (first < last)
    state = np.where(known, FREE, UNKNOWN).astype(np.int8)
    if scene.embree is not None and tested.any():
        start = np.array([eye[0], eye[1], eye[2] + TOUCH_M]) - scene.shift_m
        end = np.stack([x, y, z + TOUCH_M], axis=1)[tested] - scene.shift_m
        way = end - start
        origin = start + first[tested, None] * way
        direction = (last - first)[tested, None] * way
        hit = scene.embree.run(
            origin.astype(np.float32), direction.astype(np.float32), 1.0, query="OCCLUDED"
        )
        state[tested] = np.where(np.asarray(hit) >= 0, HIDDEN, FREE)
    if scene.unknown is not None and tested.any():
        col0, row0 = (float(a) for a in relief.nodes(eye[0], eye[1]))
        col1, row1 = relief.nodes(x[tested], y[tested])
        over = _over_holes(
            scene.unknown,
            col0 - scene.first_col,
            row0 - scene.first_row,
            col1 - scene.first_col,
            row1 - scene.first_row,
            first[tested],
            last[tested],
        )
        state[np.flatnonzero(tested)[over]] = UNKNOWN
    return state


def _inside(relief: Relief, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether places lie between the outermost nodes; a line between two such stays there."""
    rows, cols = relief.surface.shape
    col, row = relief.nodes(x, y)
    return (col >= -SNAP) & (col <= cols - 1 + SNAP) & (row >= -SNAP) & (row <= rows - 1 + SNAP)


def _span(node: FloatArray, size: int) -> tuple[int, int]:
    """First and last node along one axis that the squares under some places need.

    One more on either side: a ray along the outermost edge of a mesh may slip past it.
    """
    first = int(np.clip(np.floor(node.min()) - 1, 0, size - 2))
    last = int(np.clip(np.ceil(node.max()) + 1, first + 1, size - 1))
    return first, last


def hull_of(places: FloatArray) -> BaseGeometry:
    """Convex hull of some places; a line where they lie on one.

    By Qhull: that of GEOS 3.14.1 is not convex for some sets of more than 50 places, and a mesh
    that lacks the ground between two places would let them see each other.

    Parameters
    ----------
    places : float64 array [n, 2]
        At least one.
    """
    try:
        corners = places[ConvexHull(places).vertices]
    except (QhullError, ValueError):  # fewer than three places, or all on one line
        order = np.lexsort(places.T)
        return shapely.LineString(places[order[[0, -1]]])
    return shapely.Polygon(corners)


def _squares_in_hull(
    east: FloatArray, north: FloatArray, cell_m: float, x: FloatArray, y: FloatArray
) -> npt.NDArray[np.bool_]:
    """Squares between the nodes that a line between two of the places may pass over."""
    hull = hull_of(np.column_stack([x, y])).buffer(MARGIN_CELLS * cell_m)
    shapely.prepare(hull)
    wanted = np.empty((north.size - 1, east.size - 1), dtype=bool)
    middle = (east[:-1] + east[1:]) / 2
    for k in range(north.size - 1):
        wanted[k] = shapely.contains_xy(hull, middle, (north[k] + north[k + 1]) / 2)
    return wanted


def _triangulate(
    wanted: npt.NDArray[np.bool_], unknown: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Known triangles of the wanted squares.

    Returns
    -------
    corners : int64 array [m]
        Flat node numbers that triangles use.
    triangles : int64 array [n, 3]
        Places in ``corners``.
    """
    row, col = np.nonzero(wanted)
    nw = row * unknown.shape[1] + col
    ne, sw, se = nw + 1, nw + unknown.shape[1], nw + unknown.shape[1] + 1
    hole = unknown.ravel()
    # The diagonal runs from north-west to south-east, unless just one of these two is unknown:
    # the other diagonal then keeps the triangle of the three known nodes.
    turn = hole[nw] ^ hole[se]
    third_a, third_b = np.where(turn, sw, se), np.where(turn, ne, nw)
    both = np.concatenate(
        [np.stack([nw, ne, third_a], axis=1), np.stack([third_b, se, sw], axis=1)]
    )
    both = both[~hole[both].any(axis=1)]
    used = np.zeros(hole.size, dtype=bool)
    used[both] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[both]


@njit(cache=True)
def _over_holes(unknown, col0, row0, col1, row1, first, last):  # noqa: ANN001, ANN202
    """Whether lines cross an edge between neighbouring nodes of which one is unknown.

    A line that enters a triangle with an unknown node crosses such an edge, and only such a line.
    """
    out = np.zeros(col1.size, dtype=np.bool_)
    for i in range(col1.size):
        out[i] = _crosses(
            unknown, False, col0, row0, col1[i], row1[i], first[i], last[i]
        ) or _crosses(unknown, True, row0, col0, row1[i], col1[i], first[i], last[i])
    return out


@njit(cache=True)
def _crosses(unknown, by_row, p0, q0, p1, q1, first, last):  # noqa: ANN001, ANN202
    """Test crossings with the lines of constant p, column or row, on the tested way."""
    if p0 == p1:
        return False
    low = min(p0 + first * (p1 - p0), p0 + last * (p1 - p0))
    high = max(p0 + first * (p1 - p0), p0 + last * (p1 - p0))
    size_p, size_q = unknown.shape[1], unknown.shape[0]
    if by_row:
        size_p, size_q = size_q, size_p
    begin = max(0, int(np.ceil(low - 1e-9)))
    end = min(size_p - 1, int(np.floor(high + 1e-9)))
    for p in range(begin, end + 1):
        q = q0 + (p - p0) * (q1 - q0) / (p1 - p0)
        node = min(max(int(np.floor(q)), 0), size_q - 2)
        share = q - node
        if share < 1.0 - 1e-9 and (unknown[p, node] if by_row else unknown[node, p]):
            return True
        if share > 1e-9 and (unknown[p, node + 1] if by_row else unknown[node + 1, p]):
            return True
    return False
