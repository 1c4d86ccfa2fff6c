"""What one mount sees: the cells in sight with their directions, for aiming and covering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.design.rows import Rows
from watchline.model.candidates import Candidates
from watchline.model.visibility import Visibility
from watchline.physics.optics import apparent_rise_m

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MountView:
    """Directions from one mount to the cells that it sees with a target of any asked height.

    Attributes
    ----------
    mount : int
        Number of the mount.
    cell : int64 array [n]
        Numbers of the cells.
    bearing, spread : float64 array [n]
        Bearing of the centre and half the angle that the cell takes up, rad.
    near_m, far_m : float64 array [n]
        Slant distance to the nearest and farthest place of the cell, m.
    top : float64 array [targets, n]
        Tangent of the elevation of the target's top, the highest over the cell (the lowest for
        cells of no-watch areas).
    feet : float64 array [n]
        Tangent of the elevation of the ground, the lowest (the highest) over the cell.
    seen : bool array [targets, n]
        Whether the target's top is in sight.
    demand : float64 array [requirements, n]
        1 where the cell has a row of the requirement.
    """

    mount: int
    cell: npt.NDArray[np.int64]
    bearing: FloatArray
    spread: FloatArray
    near_m: FloatArray
    far_m: FloatArray
    top: FloatArray
    feet: FloatArray
    seen: npt.NDArray[np.bool_]
    demand: FloatArray


@dataclass(frozen=True)
class Ground:
    """Cells and mounts as plain arrays, ready for directions."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    radius: FloatArray
    mount_xyz: FloatArray
    demand: FloatArray
    no_watch: npt.NDArray[np.bool_]
    refraction: float


def make_ground(candidates: Candidates, rows: Rows, refraction: float) -> Ground:
    """Take from the candidates what directions need."""
    cells, mounts = candidates.cells, candidates.mounts
    demand = np.zeros((len(rows.requirements), len(cells)))
    demand[rows.requirement, rows.cell] = 1.0
    return Ground(
        x=cells["x"].to_numpy(),
        y=cells["y"].to_numpy(),
        z=cells["ground_z"].to_numpy(),
        radius=cells["size_m"].to_numpy() * np.sqrt(0.5),
        mount_xyz=np.column_stack(
            [mounts["x"], mounts["y"], mounts["ground_z"] + mounts["height_m"]]
        ),
        demand=demand,
        no_watch=cells.filter(regex="^no_watch:").any(axis=1).to_numpy(),
        refraction=refraction,
    )


def mount_view(
    mount: int, ground: Ground, visibility: Visibility, *, no_watch: bool = False
) -> MountView:
    """Directions from a mount to the cells in sight that carry a row (or lie in no-watch areas).

    Parameters
    ----------
    mount : int
        Number of the mount.
    ground : Ground
        Cells and mounts.
    visibility : Visibility
        Who is in sight.
    no_watch : bool
        Look at the cells of no-watch areas instead of those with rows.
    """
    cell, seen = visibility.cells_of(mount), visibility.visible_at(mount)
    useful = ground.no_watch[cell] if no_watch else ground.demand[:, cell].any(axis=0)
    useful &= seen.any(axis=0)
    cell, seen = cell[useful], seen[:, useful]
    x, y, z = ground.mount_xyz[mount]
    dx, dy = ground.x[cell] - x, ground.y[cell] - y
    distance = np.hypot(dx, dy)
    # A cell at the mast's foot has no bearing: it is below every frame.
    clear = distance > 1.5 * ground.radius[cell]
    cell, seen = cell[clear], seen[:, clear]
    dx, dy, distance = dx[clear], dy[clear], distance[clear]
    radius = ground.radius[cell]
    dz = apparent_rise_m(ground.z[cell] - z, distance, ground.refraction)
    near, far = distance - radius, distance + radius

    def highest(rise: FloatArray) -> FloatArray:
        return np.where(rise > 0, rise / near, rise / far)

    def lowest(rise: FloatArray) -> FloatArray:
        return np.where(rise > 0, rise / far, rise / near)

    # A requirement needs the whole cell in the frame; a no-watch area is watched if any of it is.
    top_of, feet_of = (lowest, highest) if no_watch else (highest, lowest)
    top = np.stack([top_of(dz + height) for height in visibility.target_heights_m])
    return MountView(
        mount=mount,
        cell=cell,
        bearing=np.arctan2(dx, dy),
        spread=np.arctan2(radius, distance),
        near_m=np.hypot(near, dz),
        far_m=np.hypot(far, dz),
        top=top,
        feet=feet_of(dz),
        seen=seen,
        demand=ground.demand[:, cell],
    )
