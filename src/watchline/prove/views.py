"""Views per cell: how many mounts see a target there, surely and at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from watchline.model.condition import Condition
from watchline.physics.acquisition import Numbers, margin
from watchline.physics.lamp_light import sector_of
from watchline.physics.optics import apparent_rise_m
from watchline.physics.watch import watch_density
from watchline.prove.cells import Cells
from watchline.prove.devices import Perch, PlacedDevice, bearing_deg
from watchline.prove.heights import FloatArray, Relief
from watchline.prove.scene import FREE, UNKNOWN, Scene, build_scene, trace

WINDOW_M = 1000.0
"""Chainage that shares one mesh: memory follows it and the devices' range, not the line."""
DENSITY_SLACK = 1e-9
"""Relative: a density computed to equal what is asked, equals it."""


@dataclass(frozen=True)
class Views:
    """One mount's views of a window's cells, for one judge.

    Attributes
    ----------
    sure, most, dim : int64 array
        Numbers of the cells that it sees surely, at most, and would see but for the condition.
    best : float32 array [sure]
        Best density of its devices at the cells that it surely sees.
    """

    sure: npt.NDArray[np.int64]
    most: npt.NDArray[np.int64]
    dim: npt.NDArray[np.int64]
    best: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Judge:
    """One question that is asked of cells, and the views counted for it.

    Attributes
    ----------
    mask : bool array [cells]
        Cells that it is asked of.
    target_height_m : float
        Height of the target's top.
    px_per_m : float
        Least density of a view; 0 takes any sight.
    time_share : float
        Least share of time of a device that counts.
    condition : Condition or None
        Light and air under which it must be made out; None takes any.
    lamp_lx : float64 array [cells, sectors]
        Least illuminance by the planned lamps on the side that is turned to a camera in each
        sector (:mod:`watchline.physics.lamp_light`); ``[1, 1]`` where no lamps count.
    sure, most : uint16 array [cells]
        Mounts that see it surely, and at most (had every unknown line been free).
    dim : uint16 array [cells]
        Mounts that would surely see it, but for the light and the air of the condition.
    best : float32 array [cells]
        Best density of the sure views, 0 for none.
    seers : list of (str, int64 array, int64 array) or None
        Where each mount's own views are asked for: the mount, the cells that it surely sees, and
        those that it sees at most; a mount may stand there several times, with different cells.
    """

    mask: npt.NDArray[np.bool_]
    target_height_m: float
    px_per_m: float
    time_share: float
    condition: Condition | None
    lamp_lx: FloatArray
    sure: npt.NDArray[np.uint16]
    most: npt.NDArray[np.uint16]
    dim: npt.NDArray[np.uint16]
    best: npt.NDArray[np.float32]
    seers: list[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.int64]]] | None = None

    def add(self, views: Views) -> None:
        """Count one mount's views of a window."""
        self.sure[views.sure] += 1
        self.most[views.most] += 1
        self.dim[views.dim] += 1
        self.best[views.sure] = np.maximum(self.best[views.sure], views.best)

    def copy(self) -> Judge:
        """The same question with the same views, counted on by itself."""
        return replace(
            self,
            sure=self.sure.copy(),
            most=self.most.copy(),
            dim=self.dim.copy(),
            best=self.best.copy(),
            seers=None if self.seers is None else list(self.seers),
        )

    def clear(self, window: npt.NDArray[np.int64]) -> None:
        """Forget the views of a window's cells."""
        for counted in (self.sure, self.most, self.dim, self.best):
            counted[window] = 0

    def accepts(self, density: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether densities are enough."""
        return (density > 0) & (density >= self.px_per_m * (1.0 - DENSITY_SLACK))

    def makes_out(
        self,
        device: PlacedDevice,
        distance_m: FloatArray,
        at: npt.NDArray[np.int64],
        bearing_rad: FloatArray,
    ) -> npt.NDArray[np.bool_]:
        """Whether a device makes out the targets at cells under the judge's condition.

        Parameters
        ----------
        device : PlacedDevice
            The device.
        distance_m : float64 array [n]
            Slant distances to the targets' tops; NaN where a height is unknown, which speaks
            neither for nor against it.
        at : int64 array [n]
            Numbers of the cells.
        bearing_rad : float64 array [n]
            Bearings from the device to the cells.
        """
        if self.condition is None:
            return np.ones(len(at), dtype=bool)
        known = np.nan_to_num(distance_m)
        lamp_lx: Numbers = float(self.lamp_lx[0, 0]) if self.lamp_lx.size else 0.0
        if self.lamp_lx.size > 1:
            side = sector_of(bearing_rad + np.pi, self.lamp_lx.shape[1])
            lamp_lx = self.lamp_lx[at, side]
        found = margin(
            device.model,
            device.focal_mm,
            self.condition,
            self.px_per_m,
            known,
            lamp_lx,
        )
        return found >= 1.0 - DENSITY_SLACK


def make_judge(
    mask: npt.NDArray[np.bool_],
    target_height_m: float,
    px_per_m: float,
    time_share: float,
    *,
    by_mount: bool = False,
    condition: Condition | None = None,
    lamp_lx: FloatArray | None = None,
) -> Judge:
    """Begin to count: no views yet; with ``by_mount`` it is kept which mount has them."""
    size = mask.size
    return Judge(
        mask,
        target_height_m,
        px_per_m,
        time_share,
        condition,
        np.zeros((1, 1)) if lamp_lx is None else lamp_lx,
        np.zeros(size, np.uint16),
        np.zeros(size, np.uint16),
        np.zeros(size, np.uint16),
        np.zeros(size, np.float32),
        [] if by_mount else None,
    )


def count_views(
    relief: Relief,
    cells: Cells,
    ground_z: FloatArray,
    perches: tuple[Perch, ...],
    judges: tuple[Judge, ...],
    progress: Callable[[float], None] | None = None,
) -> None:
    """Count the views of all judges' cells; fills the judges' arrays.

    Parameters
    ----------
    relief : Relief
        The terrain.
    cells : Cells
        In order of chainage.
    ground_z : float64 array [cells]
        Height of the ground at the cells, NaN = unknown.
    perches : tuple of Perch
        The devices, in order of mount.
    judges : tuple of Judge
        The questions.
    progress : callable, optional
        Is told the share done, 0–1.
    """
    done = 0
    windows = list(windows_of(cells, judges))
    whole = sum(window.size for window in windows)
    for window in windows:
        near = [perch for perch in perches if may_reach(perch, cells, window, judges)]
        if near:
            scene = window_scene(
                relief, cells, ground_z, window, [(perch.x, perch.y) for perch in near]
            )
            for mount_id, mount in groupby(near, key=lambda perch: perch.mount_id):
                found = mount_views(scene, cells, ground_z, tuple(mount), judges, window)
                for judge, views in zip(judges, found, strict=True):
                    judge.add(views)
                    if judge.seers is not None:
                        judge.seers.append((mount_id, views.sure, views.most))
        done += window.size
        if progress is not None:
            progress(done / max(1, whole))


def windows_of(cells: Cells, judges: tuple[Judge, ...]) -> Iterator[npt.NDArray[np.int64]]:
    """Numbers of the cells that any judge asks, window by window of chainage."""
    asked = np.zeros(len(cells), dtype=bool)
    for judge in judges:
        asked |= judge.mask
    number = np.floor(cells.s / WINDOW_M).astype(np.int64)
    for window in np.unique(number[asked]):
        yield np.flatnonzero(asked & (number == window))


def window_scene(
    relief: Relief,
    cells: Cells,
    ground_z: FloatArray,
    window: npt.NDArray[np.int64],
    places: list[tuple[float, float]],
) -> Scene:
    """The surface under all lines from some places to a window's cells.

    Its middle depends on the cells alone, so that what one device sees does not depend, in the
    last bit of float32, on where the others stand. Places beyond the terrain need no mesh: their
    lines are unknown anyway.
    """
    x, y = cells.x[window], cells.y[window]
    rows, cols = relief.surface.shape
    col, row = relief.nodes(x.mean(), y.mean())
    node = relief.place(np.clip(np.rint(col), 0, cols - 1), np.clip(np.rint(row), 0, rows - 1))
    known = ground_z[window]
    known = known[np.isfinite(known)]
    middle = float(node[0]), float(node[1]), float(np.rint(np.median(known))) if known.size else 0.0
    eyes = np.array(places, dtype=np.float64).reshape(-1, 2)
    return build_scene(
        relief, np.concatenate([x, eyes[:, 0]]), np.concatenate([y, eyes[:, 1]]), middle
    )


def _floor(judges: tuple[Judge, ...], window: npt.NDArray[np.int64]) -> FloatArray:
    """Least density that any judge asks at the cells of a window; inf where none asks."""
    floor = np.full(window.size, np.inf)
    for judge in judges:
        floor = np.where(judge.mask[window], np.minimum(floor, judge.px_per_m), floor)
    return floor


def may_reach(
    perch: Perch, cells: Cells, window: npt.NDArray[np.int64], judges: tuple[Judge, ...]
) -> bool:
    """Whether any device of a perch can have the density for any cell of the window."""
    return reaches(perch, cells, window, least_density(judges, window))


def least_density(judges: tuple[Judge, ...], window: npt.NDArray[np.int64]) -> float:
    """Least density that any judge asks at any cell of a window."""
    return float(_floor(judges, window).min())


def reaches(perch: Perch, cells: Cells, window: npt.NDArray[np.int64], px_per_m: float) -> bool:
    """Whether any device of a perch can have a density at any cell of a window."""
    least = np.array([px_per_m])
    far = max(float(device.reach_m(least)[0]) for device in perch.devices)
    return bool(np.hypot(cells.x[window] - perch.x, cells.y[window] - perch.y).min() <= far)


def mount_views(
    scene: Scene,
    cells: Cells,
    ground_z: FloatArray,
    mount: tuple[Perch, ...],
    judges: tuple[Judge, ...],
    window: npt.NDArray[np.int64],
) -> tuple[Views, ...]:
    """What one mount sees of a window: at most one view per cell and judge.

    Parameters
    ----------
    scene : Scene
        Of the window, with the mount in it.
    cells, ground_z
        As in :func:`count_views`.
    mount : tuple of Perch
        The mount's perches that may reach the window.
    judges : tuple of Judge
        The questions.
    window : int64 array
        Numbers of the window's cells.

    Returns
    -------
    tuple of Views
        One a judge.
    """
    found: dict[int, Views] = {}
    for height in sorted({judge.target_height_m for judge in judges}):
        places = [k for k, judge in enumerate(judges) if judge.target_height_m == height]
        mine = tuple(judges[k] for k in places)
        floor = _floor(mine, window)
        sure = np.zeros((len(mine), window.size), dtype=bool)
        most = np.zeros((len(mine), window.size), dtype=bool)
        dim = np.zeros((len(mine), window.size), dtype=bool)
        best = np.zeros((len(mine), window.size), dtype=np.float32)
        for perch in mount:
            east, north = cells.x[window] - perch.x, cells.y[window] - perch.y
            bearing = np.arctan2(east, north)
            for device, index, density, distance, state in _perch_views(
                scene, cells, ground_z, perch, height, window, floor
            ):
                for k, judge in enumerate(mine):
                    if device.model.time_share < judge.time_share - DENSITY_SLACK:
                        continue
                    good = judge.mask[window[index]] & judge.accepts(density)
                    some = np.flatnonzero(good)
                    good[some] = judge.makes_out(
                        device, distance[some], window[index[some]], bearing[index[some]]
                    )
                    lost = some[~good[some]]
                    dim[k, index[lost]] |= state[lost] == FREE
                    free = good & (state == FREE)
                    sure[k, index] |= free
                    most[k, index] |= good & (state == UNKNOWN)
                    at = index[free]
                    best[k, at] = np.maximum(best[k, at], density[free])
        for k, place in enumerate(places):
            seen = np.flatnonzero(sure[k])
            found[place] = Views(
                window[seen],
                window[sure[k] | most[k]],
                window[dim[k] & ~sure[k]],
                best[k, seen],
            )
    return tuple(found[k] for k in range(len(judges)))


def _perch_views(
    scene: Scene,
    cells: Cells,
    ground_z: FloatArray,
    perch: Perch,
    height_m: float,
    window: npt.NDArray[np.int64],
    floor: FloatArray,
) -> Iterator[
    tuple[PlacedDevice, npt.NDArray[np.int64], FloatArray, FloatArray, npt.NDArray[np.int8]]
]:
    """What each device of a perch has in view, with the state of the sight lines.

    Yields
    ------
    device : PlacedDevice
    index : int64 array [n]
        Places in ``window``.
    density : float64 array [n]
        Density [px/m]; inf where the ground of an end is unknown and nothing can be said.
    distance_m : float64 array [n]
        Slant distance to the target's top; NaN where the ground of an end is unknown.
    state : int8 array [n]
        State of the sight lines.
    """
    east, north = cells.x[window] - perch.x, cells.y[window] - perch.y
    distance = np.hypot(east, north)
    feet_z = ground_z[window]
    feet = apparent_rise_m(feet_z - perch.z, distance, scene.relief.refraction)
    unknown = np.isnan(feet)
    bearing = bearing_deg(east, north)
    found = []
    wanted = np.zeros(window.size, dtype=bool)
    for device in perch.devices:
        index = np.flatnonzero(distance <= device.reach_m(floor))
        half = device.half_sector_deg()
        if half < 180.0:
            off = np.abs((bearing[index] - device.azimuth_deg + 180.0) % 360.0 - 180.0)
            # Right at the mast a bearing says nothing about a place 1 µm away.
            index = index[(off <= half + 1e-6) | (distance[index] < 1e-6)]
        density = watch_density(
            device.model,
            device.focal_mm,
            device.azimuth_deg,
            device.tilt_deg,
            east[index],
            north[index],
            feet[index] + height_m,
            feet[index],
        )
        density = np.where(unknown[index], np.inf, density)
        kept = (density > 0) & (density >= floor[index] * (1.0 - DENSITY_SLACK))
        index, density = index[kept], density[kept]
        wanted[index] = True
        found.append((device, index, density))
    state = np.zeros(window.size, dtype=np.int8)
    at = np.flatnonzero(wanted)
    if at.size:
        x, y = cells.x[window[at]], cells.y[window[at]]
        relief = scene.relief
        eye_z = float(relief.fold(perch.z, perch.x, perch.y))
        top_z = relief.fold(feet_z[at] + height_m, x, y)
        state[at] = trace(scene, (perch.x, perch.y, eye_z), x, y, top_z)
    for device, index, density in found:
        slant = np.hypot(distance[index], feet[index] + height_m)
        yield device, index, density, slant, state[index]
