"""What each head gives to each point: sparse matrices, computed top by top within a reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from watchline.design.light_heads import Heads, as_luminaire
from watchline.design.light_points import Points
from watchline.kernels.curvature import curvature_drop_m, fold_curvature
from watchline.kernels.grid import Grid, make_grid
from watchline.kernels.light_pairs import pair_light
from watchline.kernels.light_ray import Pyramid, build_pyramid
from watchline.kernels.light_table import Lights
from watchline.model.lighting import LightingRules
from watchline.model.terrain import Terrain
from watchline.physics.light import (
    LARGEST_GLARE_ANGLE_DEG,
    LEAST_GLARE_ANGLE_DEG,
)
from watchline.physics.luminaires import Luminaire, pack_lights

FloatArray = npt.NDArray[np.float64]
REACH_M = 300.0
"""Lights farther than this from a point count as nothing toward what is asked."""
LIMIT_REACH_M = 1000.0
"""The same for limits; what lies beyond is added when the chosen lights are checked."""
TOPS_AT_ONCE = 64


@dataclass(frozen=True)
class Scene:
    """Folded surface and heads as the kernel takes them.

    Attributes
    ----------
    grid, pyramid
        The surface that blocks.
    lights : Lights
        All heads, top by top.
    lamp_of : int64 array [n]
        Which head each of the kernel's lights is.
    first_lamp : int64 array [tops + 1]
        Where the heads of a top begin in `lights`.
    """

    grid: Grid
    pyramid: Pyramid
    lights: Lights
    lamp_of: npt.NDArray[np.int64]
    first_lamp: npt.NDArray[np.int64]
    origin: tuple[float, float]
    refraction: float

    def fold(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Heights lowered by curvature less refraction."""
        return z - curvature_drop_m(x, y, self.origin, self.refraction)


def make_scene(terrain: Terrain, rules: LightingRules, heads: Heads) -> Scene:
    """Fold the surface and hang all heads."""
    x, y = terrain.x, terrain.y
    origin = terrain.local_origin
    surface = fold_curvature(terrain.surface, x, y[:, None], origin, terrain.refraction)
    grid = make_grid(surface, terrain.cell_m, *terrain.origin)
    foot = heads.places
    at = np.stack([foot["x"].to_numpy(), foot["y"].to_numpy(), foot["ground_z"].to_numpy()], axis=1)
    at[:, 2] -= curvature_drop_m(at[:, 0], at[:, 1], origin, terrain.refraction)
    order = np.argsort(heads.top, kind="stable")
    luminaires: list[Luminaire] = []
    for k in order:
        place = at[heads.place[k]] + [0.0, 0.0, heads.top_height_m[heads.top[k]]]
        luminaires.append(as_luminaire(rules.luminaires[heads.offer[k]], place, heads, int(k)))
    first = np.searchsorted(heads.top[order], np.arange(heads.top_place.size + 1))
    return Scene(
        grid,
        build_pyramid(grid),
        pack_lights(luminaires),
        order.astype(np.int64),
        first.astype(np.int64),
        origin,
        terrain.refraction,
    )


def contributions(
    scene: Scene,
    points: Points,
    *,
    reach_m: float = REACH_M,
    cut_lx: float = 0.0,
    head_on: bool = False,
    doubt_counts: bool = False,
    extinction_per_m: float = 0.0,
) -> csr_matrix:
    """Illuminance of every point by every head, float32 [points, heads], CSR.

    Parameters
    ----------
    scene : Scene
        Surface and heads.
    points : Points
        Receivers.
    reach_m : float
        Pairs farther apart are left out.
    cut_lx : float
        Smaller values are left out: for what is asked, that is the safe side.
    head_on : bool
        True turns every receiver to each light.
    doubt_counts : bool
        True counts rays over unknown ground as clear, the safe side of limits; False counts them
        as dark, the safe side of what is asked.
    extinction_per_m : float
        Extinction of the air.
    """
    heads = scene.lamp_of.size
    z = scene.fold(points.x, points.y, points.z)
    known = np.flatnonzero(np.isfinite(z))
    receivers = tuple(np.ascontiguousarray(a[known]) for a in (points.x, points.y, z))
    normals = np.ascontiguousarray(points.normals[known])
    if not known.size:
        return csr_matrix((len(points), heads), dtype=np.float32)
    tree = cKDTree(np.column_stack(receivers[:2]))
    parts = []
    tops = np.flatnonzero(np.diff(scene.first_lamp))
    for begin in range(0, tops.size, TOPS_AT_ONCE):
        some = tops[begin : begin + TOPS_AT_ONCE]
        lamp = scene.first_lamp[some]
        feet = np.column_stack([scene.lights.x_m[lamp], scene.lights.y_m[lamp]])
        lists = tree.query_ball_point(feet, reach_m, return_sorted=True)
        counts = np.array([len(found) for found in lists])
        if not counts.any():
            continue
        pair_point = np.concatenate([np.asarray(f, dtype=np.int64) for f in lists])
        first_pair = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        chosen, first_lamp = _some_lights(scene, some)
        lux, first_out, doubtful = pair_light(
            scene.grid,
            scene.pyramid,
            chosen,
            first_lamp,
            first_pair,
            pair_point,
            receivers,
            normals,
            extinction_per_m=extinction_per_m,
            head_on=head_on,
        )
        for k, top in enumerate(some):
            lamps = np.arange(scene.first_lamp[top], scene.first_lamp[top + 1])
            block = lux[first_out[k] : first_out[k + 1]].reshape(-1, lamps.size)
            pairs = slice(first_pair[k], first_pair[k + 1])
            block = np.where(doubtful[pairs, None] & (not doubt_counts), 0.0, block)
            row, col = np.nonzero(block > cut_lx)
            parts.append(
                (known[pair_point[pairs]][row], scene.lamp_of[lamps[col]], block[row, col])
            )
    if not parts:
        return csr_matrix((len(points), heads), dtype=np.float32)
    rows, cols, values = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return csr_matrix(
        (values.astype(np.float32), (rows, cols)), shape=(len(points), heads), dtype=np.float32
    )


def _some_lights(scene: Scene, tops: npt.NDArray[np.int64]) -> tuple[Lights, npt.NDArray[np.int64]]:
    """The lights of neighbouring tops, and where each top's begin among them."""
    first, last = int(scene.first_lamp[tops[0]]), int(scene.first_lamp[tops[-1] + 1])
    lights = scene.lights
    arrays = (np.ascontiguousarray(a[first:last]) for a in lights[:-1])
    bounds = np.concatenate([scene.first_lamp[tops], [last]]) - first
    return Lights(*arrays, lights.tables), bounds.astype(np.int64)


def eye_contributions(
    scene: Scene, points: Points, kind: str, reach_m: float = LIMIT_REACH_M
) -> csr_matrix:
    """What every head within reach adds to a limit at every point, CSR [points, heads].

    Parameters
    ----------
    scene : Scene
        Surface and heads.
    points : Points
        Places of the limit; for a veil their normals are the line of sight.
    kind : {"illuminance", "veil"}
        Vertical illuminance, each light taken head-on [lx], or veiling luminance [cd/m²]. Rays
        that the surface blocks count nothing; rays over unknown ground count.
    reach_m : float
        Pairs farther apart are left out.
    """
    found = contributions(scene, points, reach_m=reach_m, head_on=True, doubt_counts=True).tocoo()
    lamp = np.stack([scene.lights.x_m, scene.lights.y_m, scene.lights.z_m], axis=1)
    lamp = lamp[np.argsort(scene.lamp_of)]
    eye = np.stack([points.x, points.y, scene.fold(points.x, points.y, points.z)], axis=1)
    away = lamp[found.col] - eye[found.row]
    distance = np.sqrt((away**2).sum(axis=1))
    if kind == "illuminance":
        weight = np.hypot(away[:, 0], away[:, 1]) / distance
    else:
        cosine = (away * points.normals[found.row]).sum(axis=1) / distance
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        weight = 10.0 * np.maximum(cosine, 0.0) / np.maximum(angle, LEAST_GLARE_ANGLE_DEG) ** 2
        weight *= angle <= LARGEST_GLARE_ANGLE_DEG
    values = found.data.astype(np.float64) * weight
    return csr_matrix((values, (found.row, found.col)), shape=found.shape)
