"""Continuous refinement: devices are turned so that others become superfluous or cheaper.

The covering problem chooses among a list of poses. Here the devices of a found plan move over all
azimuths and tilts, on the exact directions to the cells, and one rule holds throughout: no row that
has its views loses one that it needs.

- A device gives way to a *cheaper* one on its mount whose best aim holds all rows that need it.
- A device is *dropped* if others, turned so that they keep what needs them, take over the rows that
  need it.
- In the end each device is *centred*: of all aims that hold every row it held, the one in the
  middle, so that both edges of its frame have room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.all_aims import offered, pose_table
from watchline.design.columns import Columns, Scene, mount_columns
from watchline.design.poses import POSE_COLUMNS, Lens
from watchline.design.pricing import Field, PricedAim, Sighting, best_aim, make_field, sighting

MUST = 1e4
"""Worth of a row that an aim must hold, in rows that it may hold."""
MOST_TAKERS = 12
"""Devices that are tried for taking over the rows of one that is to be dropped."""
PASSES = 2


@dataclass(frozen=True, eq=False)  # two devices may have one aim: each is its own
class Placed:
    """A device of the plan: its pose as a tuple of :data:`POSE_COLUMNS`, and the rows it covers."""

    pose: tuple
    rows: npt.NDArray[np.int32]

    @property
    def mount(self) -> int:
        """Number of its mount."""
        return int(self.pose[0])

    @property
    def cost(self) -> float:
        """Its price."""
        return float(self.pose[5])


class _Mounts:
    """Directions and lenses of the mounts in use, computed once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sights: dict[int, Sighting] = {}
        self.lenses: dict[int, list[tuple[Lens, npt.NDArray[np.bool_]]]] = {}
        self.fields: dict[tuple[int, int, float], Field] = {}

    def sight(self, mount: int) -> Sighting:
        """Rows in sight of a mount."""
        if mount not in self.sights:
            self.sights[mount] = sighting(self.scene.view(mount), self.scene.rows)
            self.lenses[mount] = offered(self.scene, mount, self.sights[mount])
        return self.sights[mount]

    def field(self, mount: int, number: int, focal_mm: float) -> Field | None:
        """A lens on a mount, None where it may not hang there."""
        sight = self.sight(mount)
        key = (mount, number, focal_mm)
        if key not in self.fields:
            for lens, near in self.lenses[mount]:
                if (lens.number, lens.focal_mm) == (number, focal_mm):
                    self.fields[key] = make_field(sight, lens, near)
        return self.fields.get(key)

    def placed(self, mount: int, aim: PricedAim) -> Placed | None:
        """A device with an aim and the rows that it covers exactly; None if it may not watch."""
        poses = pose_table([(mount, aim)])
        column = mount_columns(self.scene, self.scene.view(mount), poses)
        if not len(column.poses):
            return None
        return Placed(next(column.poses.itertuples(index=False, name=None)), column.indices)

    def aimed(
        self, mount: int, field: Field, must: npt.NDArray[np.int64], may: npt.NDArray[np.int64]
    ) -> Placed | None:
        """The lens with the aim that holds all rows of ``must`` and the most of ``may``."""
        sight = self.sight(mount)
        forced = np.isin(sight.row, must)
        if np.count_nonzero(forced & field.near) < len(must):
            return None
        worth = np.where(forced, MUST, np.isin(sight.row, may).astype(float)) * field.near
        aim, _ = best_aim(field, worth)
        if aim.most < MUST * len(must) or not aim.most > 0:
            return None
        made = self.placed(mount, aim)
        if made is None or len(np.setdiff1d(must, made.rows)):
            return None
        return made


class _Views:
    """Views of every row by the devices at hand, from different mounts."""

    def __init__(self, demand: npt.NDArray[np.int64], devices: list[Placed]) -> None:
        self.demand = demand
        self.by_mount: dict[int, npt.NDArray[np.int16]] = {}
        self.views = np.zeros(len(demand), dtype=np.int64)
        for device in devices:
            self.add(device)

    def add(self, device: Placed) -> None:
        """Count a device."""
        mine = self.by_mount.setdefault(device.mount, np.zeros(len(self.demand), dtype=np.int16))
        self.views[device.rows] += mine[device.rows] == 0
        mine[device.rows] += 1

    def remove(self, device: Placed) -> None:
        """Count a device no more."""
        mine = self.by_mount[device.mount]
        mine[device.rows] -= 1
        self.views[device.rows] -= mine[device.rows] == 0

    def needed(self, device: Placed) -> npt.NDArray[np.int64]:
        """Rows that have their views and would lose one that they need without the device."""
        rows = device.rows
        alone = self.by_mount[device.mount][rows] == 1
        return rows[alone & (self.views[rows] == self.demand[rows])].astype(np.int64)


def refine(
    scene: Scene, columns: Columns, chosen: npt.NDArray[np.int64], demand: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """A plan of at most the same cost with devices made cheaper and dropped where others can turn.

    Parameters
    ----------
    scene : Scene
        Mounts, cells and lenses.
    columns : Columns
        The poses on offer.
    chosen : int64 array
        The plan's poses.
    demand : int64 array [rows]
        Views that each row needs.

    Returns
    -------
    DataFrame
        Poses of the refined plan: columns :data:`POSE_COLUMNS`. Every row that had its views has
        them.
    """
    devices = _devices(columns, chosen)
    mounts, views = _Mounts(scene), _Views(demand, devices)
    for _ in range(PASSES):
        before = sum(device.cost for device in devices)
        count = len(devices)
        devices = _cheaper(mounts, views, devices)
        devices = _fewer(mounts, views, devices)
        if sum(device.cost for device in devices) >= before and len(devices) == count:
            break
    return pd.DataFrame([device.pose for device in devices], columns=list(POSE_COLUMNS))


def _devices(columns: Columns, chosen: npt.NDArray[np.int64]) -> list[Placed]:
    table = columns.poses[list(POSE_COLUMNS)].iloc[chosen]
    return [
        Placed(pose, columns.indices[columns.indptr[k] : columns.indptr[k + 1]])
        for k, pose in zip(chosen, table.itertuples(index=False, name=None), strict=True)
    ]


def _cheaper(mounts: _Mounts, views: _Views, devices: list[Placed]) -> list[Placed]:
    """Devices replaced by the cheapest lens on their mount that holds all that needs them."""
    result = []
    for device in devices:
        must = views.needed(device)
        mounts.sight(device.mount)
        lenses = [lens for lens, _ in mounts.lenses[device.mount]]
        for lens in sorted(lenses, key=lambda lens: lens.device.price):
            if lens.device.price >= device.cost or not len(must):
                break
            field = mounts.field(device.mount, lens.number, lens.focal_mm)
            made = mounts.aimed(device.mount, field, must, device.rows)
            if made is not None:
                views.remove(device)
                views.add(made)
                device = made
                break
        result.append(device)
    return result


def _fewer(mounts: _Mounts, views: _Views, devices: list[Placed]) -> list[Placed]:
    """The devices without those whose rows others can take over by turning; dearest first."""
    order = sorted(devices, key=lambda device: (-device.cost, len(device.rows), device.pose))
    left = list(devices)
    for victim in order:
        if all(victim is not device for device in left):  # it was turned meanwhile
            continue
        turned = _taken_over(mounts, views, left, victim)
        if turned is not None:
            left = turned
    return left


def _taken_over(
    mounts: _Mounts, views: _Views, devices: list[Placed], victim: Placed
) -> list[Placed] | None:
    """The devices without one, others turned for it; None (and nothing changed) if that fails."""
    open_rows = views.needed(victim)
    views.remove(victim)
    rest = [device for device in devices if device is not victim]
    done: list[tuple[Placed, Placed]] = []
    if len(open_rows):
        reach = []
        for number, device in enumerate(rest):
            field = mounts.field(device.mount, int(device.pose[1]), float(device.pose[2]))
            if field is None or field.sweep is None:
                continue
            sight = mounts.sight(device.mount)
            shared = np.count_nonzero(np.isin(sight.row[field.near], open_rows))
            if shared:
                reach.append((-shared, number, field))
        for _, number, field in sorted(reach, key=lambda item: item[:2])[:MOST_TAKERS]:
            device = rest[number]
            made = mounts.aimed(device.mount, field, views.needed(device), open_rows)
            if made is None:
                continue
            views.remove(device)
            views.add(made)
            done.append((device, made))
            rest[number] = made
            open_rows = open_rows[views.views[open_rows] < views.demand[open_rows]]
            if not len(open_rows):
                break
    if not len(open_rows):
        return rest
    for old, new in reversed(done):
        views.remove(new)
        views.add(old)
    views.add(victim)
    return None


def centre(scene: Scene, columns: Columns, chosen: npt.NDArray[np.int64]) -> Columns:
    """Chosen poses moved to the middle of the aims that hold every row they hold.

    Parameters
    ----------
    scene : Scene
        Mounts, cells and lenses.
    columns : Columns
        The poses on offer.
    chosen : int64 array
        The plan's poses.

    Returns
    -------
    Columns
        The same columns with the same rows; the aims of chosen poses hold these rows and perhaps
        more.
    """
    mounts = _Mounts(scene)
    poses = columns.poses.copy()
    for number, device in zip(chosen, _devices(columns, chosen), strict=True):
        field = mounts.field(device.mount, int(device.pose[1]), float(device.pose[2]))
        if field is None or field.sweep is None:
            continue
        made = mounts.aimed(device.mount, field, device.rows.astype(np.int64), np.empty(0, int))
        if made is not None:
            for name in ("azimuth_deg", "tilt_deg"):
                at = poses.columns.get_loc(name)
                poses.iat[number, at] = made.pose[POSE_COLUMNS.index(name)]
    return replace(columns, poses=poses)
