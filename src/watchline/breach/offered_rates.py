"""Rates of what is offered: how fast each pose that could be added would detect, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from watchline.breach.cuts import PathHazard
from watchline.breach.demands import states_of
from watchline.breach.ground import Strip
from watchline.breach.offers import OFFER_REACH_M, Offers
from watchline.breach.watch import WINDOW_ROWS_M, Sight, column_of, strike, views_of
from watchline.design.columns import Scene
from watchline.model.defence import Defence, DefenceState
from watchline.prove.devices import Perch, PlacedDevice
from watchline.prove.heights import Relief

FloatArray = npt.NDArray[np.float64]
Window = tuple[tuple[sparse.csr_array, ...], ...]
"""Rates in one window of cells, by kind and target height: [cells, poses], float32 [1/s]."""


@dataclass(frozen=True)
class Rates:
    """How fast every offered pose would detect at every cell within :data:`OFFER_REACH_M`.

    Windows along the line are traced when they are first asked for, and then once for all cuts.

    Attributes
    ----------
    heights_m : tuple of float
        Target heights.
    strikes : dict of str or None to (int, float64 array [poses])
        By state, None being the normal one: kind of the rates that hold in it, and what it leaves
        of those of each pose.
    cells, window_cells : int
        Cells of the zone, and of each window but the last.
    near : bool array [windows, poses]
        Whether a pose is within reach of some cell of a window.
    """

    heights_m: tuple[float, ...]
    strikes: dict[str | None, tuple[int, FloatArray]]
    cells: int
    window_cells: int
    near: npt.NDArray[np.bool_]
    _trace: Callable[[int], Window]
    _traced: dict[int, Window] = field(default_factory=dict)

    @property
    def traced(self) -> int:
        """Number of windows that have been asked for."""
        return len(self._traced)

    def at(self, kind: int, height: int, cells: npt.NDArray[np.int64]) -> sparse.csr_array:
        """Rates at some cells, rising numbers: csr_array [cells, poses]."""
        window = cells // self.window_cells
        parts = [
            self._window(w)[kind][height][cells[window == w] - w * self.window_cells]
            for w in np.unique(window).tolist()
        ]
        return sparse.vstack(parts, format="csr")

    def over_cells(self, kind: int, height: int, factor: FloatArray) -> FloatArray:
        """Sum of the rates of poses with these factors at every cell, float64 [cells]."""
        total = np.zeros(self.cells)
        for w in np.flatnonzero((self.near & (factor > 0)).any(axis=1)).tolist():
            part = slice(w * self.window_cells, min(self.cells, (w + 1) * self.window_cells))
            total[part] = self._window(w)[kind][height] @ factor
        return total

    def _window(self, number: int) -> Window:
        if number not in self._traced:
            self._traced[number] = self._trace(number)
        return self._traced[number]


def rates_of(scene: Scene, relief: Relief, strip: Strip, offers: Offers, sight: Sight) -> Rates:
    """How fast every offered pose would detect: nothing is traced before it is asked for.

    Parameters
    ----------
    scene : Scene
        The devices' catalogue.
    relief : Relief
        The terrain.
    strip : Strip
        The cells.
    offers : Offers
        The poses.
    sight : Sight
        Of all cells of the strip.
    """
    defence = scene.site.defence
    assert defence is not None
    kinds: dict[tuple[int, float], int] = {}
    strikes: dict[str | None, tuple[int, FloatArray]] = {}
    for state in states_of(defence):
        factor, reach = strike(defence, state, offers.kinds, offers.mount_s_m)
        kind = column_of(sight.conditions, state), float(reach)
        strikes[state and state.name] = kinds.setdefault(kind, len(kinds)), factor
    perches = _perches(scene, relief, offers)
    rows, cols = strip.shape
    tall = max(1, round(WINDOW_ROWS_M / strip.row_m))
    mounts = {perch.mount_id: k for k, perch in enumerate(perches)}
    of_pose = np.array([mounts[str(number)] for number in offers.poses["mount"]], dtype=np.int64)
    parts = [slice(f * cols, min(rows, f + tall) * cols) for f in range(0, rows, tall)]
    close = np.zeros((len(parts), len(perches)), dtype=bool)
    for w, part in enumerate(parts):
        x, y = strip.x.ravel()[part], strip.y.ravel()[part]
        close[w] = [np.hypot(x - p.x, y - p.y).min() <= OFFER_REACH_M for p in perches]

    def window(number: int) -> Window:
        part = parts[number]
        places = tuple(array.ravel()[part] for array in (strip.x, strip.y, strip.z))
        near = [perch for perch, here in zip(perches, close[number], strict=True) if here]
        return _window_rates(
            defence, relief, near, places, sight.part(part), tuple(kinds), len(offers.poses)
        )

    return Rates(sight.heights_m, strikes, rows * cols, tall * cols, close[:, of_pose], window)


def _window_rates(
    defence: Defence,
    relief: Relief,
    near: list[Perch],
    places: tuple[FloatArray, FloatArray, FloatArray],
    sight: Sight,
    kinds: tuple[tuple[int, float], ...],
    poses: int,
) -> Window:
    """Trace perches, whose devices bear the numbers of poses, to the cells of a window.

    ``kinds``: column of the rates and distance beyond which nothing counts, of each kind.
    """
    views: list[list[tuple[npt.NDArray, ...]]] = [[] for _ in sight.heights_m]
    for h, pose, index, rate, distance in views_of(defence, relief, near, *places, sight):
        close = distance <= OFFER_REACH_M
        index = index[close]
        views[h].append(
            (
                np.full(index.size, int(pose), np.int32),
                index.astype(np.int32),
                rate[close].astype(np.float32),
                distance[close].astype(np.float32),
            )
        )
    shape = places[0].size, poses
    found: list[list[sparse.csr_array]] = [[] for _ in kinds]
    for mine in views:
        joined = [np.concatenate(a) for a in zip(*mine, strict=True)] if mine else None
        for k, (column, reach) in enumerate(kinds):
            if joined is None:
                found[k].append(sparse.csr_array(shape, dtype=np.float32))
                continue
            pose, at, rate, distance = joined
            kept = (rate[:, column] > 0) & (distance <= reach)
            value = rate[kept, column]
            found[k].append(sparse.csr_array((value, (at[kept], pose[kept])), shape=shape))
    return tuple(tuple(by_height) for by_height in found)


def hazards_along(
    rates: Rates, state: DefenceState | None, terms: PathHazard
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Hazard that every offered pose would give up to the end of each move of a path.

    Parameters
    ----------
    rates : Rates
        Of the poses.
    state : DefenceState or None
        State in which the path is walked.
    terms : PathHazard
        The path.

    Returns
    -------
    poses : int64 array [n]
        Those that would detect on it, rising.
    hazard : float64 array [moves, n]
        Never falling along the moves.
    """
    kind, factor = rates.strikes[state and state.name]
    moves = terms.fixed.size
    total = sparse.csr_array((moves, factor.size))
    for h, height in enumerate(rates.heights_m):
        at = terms.height_m == height
        cells, place = np.unique(terms.cell[at], return_inverse=True)
        if cells.size:
            seconds = sparse.csr_array(
                (terms.seconds[at], (terms.move[at], place)), shape=(moves, cells.size)
            )
            total = total + seconds @ rates.at(kind, h, cells)
    poses = np.unique(total.indices[total.data > 0]).astype(np.int64)
    poses = poses[factor[poses] > 0]
    dense = total[:, poses].toarray() * factor[poses]
    return poses, np.cumsum(dense, axis=0)


def added_rates(
    rates: Rates, state: DefenceState | None, chosen: npt.NDArray[np.int64]
) -> list[FloatArray]:
    """What some of the poses add to the rates at every cell in a state [1/s], by target height."""
    kind, factor = rates.strikes[state and state.name]
    mine = np.zeros(factor.size)
    mine[chosen] = factor[chosen]
    return [rates.over_cells(kind, h, mine) for h in range(len(rates.heights_m))]


def _perches(scene: Scene, relief: Relief, offers: Offers) -> list[Perch]:
    """Offered poses as devices, mount by mount; a device's key is its number among the poses."""
    devices = [scene.site.catalogue.devices[key] for key in scene.site.candidates.devices]
    mounts = offers.mounts
    ground = relief.ground_at(list(mounts["x"]), list(mounts["y"]))
    eye = dict(zip(mounts.index, ground + mounts["height_m"].to_numpy(), strict=True))
    perches = []
    for number, mine in offers.poses.groupby("mount"):
        mount = mounts.loc[number]
        placed = tuple(
            PlacedDevice(
                str(pose.Index),
                str(number),
                devices[pose.device],
                float(pose.azimuth_deg),
                float(pose.tilt_deg),
                float(pose.focal_mm),
            )
            for pose in mine.itertuples()
        )
        perches.append(
            Perch(str(number), float(mount["x"]), float(mount["y"]), float(eye[number]), placed)
        )
    return perches
