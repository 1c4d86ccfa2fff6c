"""A second view of what a loss leaves unseen: more devices where structures have places free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.model.plan import Plan
from watchline.model.resilience import MendDevice
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.cells import Cells, proof_cells
from watchline.prove.claims import NO_WATCH_TARGET_M
from watchline.prove.devices import Perch, PlacedDevice, bearing_deg
from watchline.prove.heights import Relief, relief_of
from watchline.prove.network import Network
from watchline.prove.sightings import Sightings, judged_requirements
from watchline.prove.verdicts import judge_counts
from watchline.prove.views import count_views, make_judge

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
NEAREST = 6
"""Mounts that are tried: those nearest to the middle of what is lost."""
AIMED = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the lost cells, by bearing, at which aims are tried; and of them, by distance:"""
TILTED = (0.25, 0.6, 0.9)
MOST_DEVICES = 8


@dataclass(frozen=True)
class SecondView:
    """Devices that see what a loss leaves unseen.

    Attributes
    ----------
    devices : tuple of MendDevice
        With mount and aim.
    cost : float
        Their prices.
    lost_m2 : float
        Ground that the loss still costs.
    """

    devices: tuple[MendDevice, ...]
    cost: float
    lost_m2: float


@dataclass(frozen=True)
class _Lost:
    """Cells that a loss leaves short: of which requirement, how many views short, seen by whom."""

    cells: Cells
    requirement: IntArray
    short: IntArray
    left: list[frozenset[str]]


def second_view(
    site: Site, terrain: Terrain, plan: Plan, network: Network, sight: Sightings, lost: int
) -> SecondView | None:
    """Cheapest found set of more devices with which a loss is borne.

    Devices of the plan's own models and focal lengths are aimed from the nearest mounts that still
    work and have a place free; the proof's rays say what they see; aims from which anything of a
    no-watch area is seen are left out. They are taken greedily, by views gained for the price,
    until every requirement holds again. Not proven to be the cheapest.

    Parameters
    ----------
    site, terrain, plan
        Prices and capacity; the ground; what stands.
    network, sight
        What hangs on what, and who sees what.
    lost : int
        The element.

    Returns
    -------
    SecondView or None
        None where nothing is gained.
    """
    out = network.devices_out({lost})
    need = _lost_cells(sight, network, out)
    if not need.short.size:
        return None
    relief = relief_of(terrain)
    offered = _offered(site, plan, network, relief, need, out, lost)
    if not offered:
        return None
    sees, forbidden = _views(site, relief, need, offered)
    price = {key: device.price for key, device in site.catalogue.devices.items()}
    return _choose(site, plan, sight, need, offered, sees, forbidden, price)


def _lost_cells(sight: Sightings, network: Network, out: BoolArray) -> _Lost:
    """Every cell of every requirement that is short when some devices are out."""
    x, y, s, which, short, left = [], [], [], [], [], []
    for r, (at_s, class_of) in enumerate(sight.places):
        for k in np.unique(class_of[class_of >= 0]):
            views = sight.views_of(int(k))
            mounts = frozenset(
                network.mount_ids[network.device_mount[d]] for d in views[~out[views]]
            )
            missing = int(sight.needed[k]) - len(mounts)
            if missing <= 0:
                continue
            mine = class_of == k
            x.append(sight.xy[r][0][mine])
            y.append(sight.xy[r][1][mine])
            s.append(at_s[mine])
            which += [r] * int(mine.sum())
            short += [missing] * int(mine.sum())
            left += [mounts] * int(mine.sum())
    if not x:
        none = np.zeros(0)
        return _Lost(Cells(none, none, none, none, {}, {}, sight.cell_m), none.astype(int),
                     none.astype(int), [])  # fmt: skip
    all_s = np.concatenate(s)
    order = np.argsort(all_s, kind="stable")
    cells = Cells(
        np.concatenate(x)[order], np.concatenate(y)[order], all_s[order], np.zeros(order.size),
        {}, {}, sight.cell_m,
    )  # fmt: skip
    return _Lost(
        cells,
        np.array(which, dtype=np.int64)[order],
        np.array(short, dtype=np.int64)[order],
        [left[k] for k in order],
    )


def _offered(
    site: Site, plan: Plan, network: Network, relief: Relief, need: _Lost, out: BoolArray, lost: int
) -> list[tuple[str, Perch]]:
    """Mount and perch of each device that is tried."""
    mounts = plan.mounts.assign(mount_id=plan.mounts["mount_id"].astype(str))
    carried = plan.devices["mount_id"].astype(str).value_counts()
    element = network.elements[lost]
    lens = sorted(
        {
            (str(row.model), float(row.focal_mm))
            for row in plan.devices.itertuples()
            if not site.catalogue.devices[str(row.model)].is_person
        }
    )
    middle = float(np.median(need.cells.x)), float(np.median(need.cells.y))
    far = np.hypot(mounts.geometry.x - middle[0], mounts.geometry.y - middle[1])
    ground = relief.ground_at(need.cells.x, need.cells.y)
    found: list[tuple[str, Perch]] = []
    tried = 0
    for k in np.argsort(far.to_numpy(), kind="stable"):
        mount = mounts.iloc[int(k)]
        name = str(mount["mount_id"])
        at = network.mount_ids.index(name)
        own = out[network.device_mount == at]
        gone = element.kind == "mount" and element.name == name
        if gone or (own.size and own.all() and element.kind != "device"):
            continue
        structure = site.catalogue.structures[str(mount["structure"])]
        if structure.capacity - site.candidates.spare_capacity <= int(carried.get(name, 0)):
            continue
        x, y = float(mount.geometry.x), float(mount.geometry.y)
        z = float(relief.ground_at([x], [y])[0]) + float(mount["height_m"])
        for model, focal in lens:
            for azimuth, tilt in _aims(need.cells, ground, (x, y, z)):
                device = PlacedDevice(
                    f"new {len(found)}", name, site.catalogue.devices[model], azimuth, tilt, focal
                )
                found.append((name, Perch(device.device_id, x, y, z, (device,))))
        tried += 1
        if tried == NEAREST:
            break
    return found


def _aims(
    cells: Cells, ground_z: npt.NDArray[np.float64], eye: tuple[float, float, float]
) -> list[tuple[float, float]]:
    """Azimuths and tilts toward places among some cells."""
    known = np.isfinite(ground_z)
    east, north = cells.x[known] - eye[0], cells.y[known] - eye[1]
    if not east.size:
        return []
    bearing, flat = bearing_deg(east, north), np.hypot(east, north)
    # Bearings are ordered from that of the middle, so that a jump at ±180° lies behind.
    centre = float(bearing_deg(east.mean(), north.mean()))
    off = (bearing - centre + 180.0) % 360.0 - 180.0
    depression = np.degrees(np.arctan2(eye[2] - ground_z[known] - 0.85, np.maximum(flat, 1.0)))
    return [
        ((centre + float(np.quantile(off, a))) % 360.0, float(np.quantile(depression, 1.0 - b)))
        for a in AIMED
        for b in TILTED
    ]


def _views(
    site: Site, relief: Relief, need: _Lost, offered: list[tuple[str, Perch]]
) -> tuple[dict[str, IntArray], set[str]]:
    """Lost cells that each offered device sees, and the devices that see a no-watch area."""
    cells = need.cells
    binding = judged_requirements(site)
    perches = tuple(perch for _, perch in offered)
    judges = tuple(
        make_judge(
            need.requirement == k, r.target_height_m, r.px_per_m, r.time_share, by_mount=True
        )
        for k, r in enumerate(binding)
    )
    count_views(relief, cells, relief.ground_at(cells.x, cells.y), perches, judges)
    parts: dict[str, list[IntArray]] = {}
    for judge in judges:
        for name, sure, _ in judge.seers or ():
            parts.setdefault(name, []).append(sure)
    forbidden: set[str] = set()
    if site.no_watch:
        every = proof_cells(site, cells.cell_m)
        bans = tuple(
            make_judge(every.no_watch[area.name], NO_WATCH_TARGET_M, area.px_per_m, 0.0,
                       by_mount=True)
            for area in site.no_watch
        )  # fmt: skip
        count_views(relief, every, relief.ground_at(every.x, every.y), perches, bans)
        for judge in bans:
            forbidden |= {name for name, _, most in judge.seers or () if most.size}
    return {name: np.unique(np.concatenate(each)) for name, each in parts.items()}, forbidden


def _choose(
    site: Site, plan: Plan, sight: Sightings, need: _Lost, offered: list[tuple[str, Perch]],
    sees: dict[str, IntArray], forbidden: set[str], price: dict[str, float],
) -> SecondView | None:  # fmt: skip
    """Take devices greedily until every requirement holds."""
    carried = plan.devices["mount_id"].astype(str).value_counts()
    free = {
        name: site.catalogue.structures[str(key)].capacity
        - site.candidates.spare_capacity
        - int(carried.get(name, 0))
        for name, key in zip(
            plan.mounts["mount_id"].astype(str), plan.mounts["structure"], strict=True
        )
    }
    short = need.short.copy()
    # A view from a mount that sees the cell already is none more.
    fresh = {mount: np.array([mount not in left for left in need.left]) for mount, _ in offered}
    taken: list[tuple[str, PlacedDevice]] = []
    cost = 0.0
    while len(taken) < MOST_DEVICES and not _holds(sight, need, short):
        best: tuple[float, int] = (0.0, -1)
        for k, (mount, perch) in enumerate(offered):
            name = perch.mount_id
            if name in forbidden or free[mount] < 1 or name not in sees:
                continue
            cell = sees[name]
            gain = int((fresh[mount][cell] & (short[cell] > 0)).sum())
            worth = gain / price[perch.devices[0].model.id]
            if worth > best[0]:
                best = (worth, k)
        if best[1] < 0:
            break
        mount, perch = offered[best[1]]
        cell = sees[perch.mount_id]
        cell = cell[fresh[mount][cell]]
        short[cell] -= 1
        fresh[mount][cell] = False
        free[mount] -= 1
        cost += price[perch.devices[0].model.id]
        taken.append((mount, perch.devices[0]))
    if not taken:
        return None
    devices = tuple(
        MendDevice(mount, d.model.id, round(d.azimuth_deg, 2), round(d.tilt_deg, 2), d.focal_mm)
        for mount, d in taken
    )
    return SecondView(devices, round(cost, 2), float((short > 0).sum()) * sight.area_m2)


def _holds(sight: Sightings, need: _Lost, short: IntArray) -> bool:
    for k, requirement in enumerate(sight.requirements):
        good = int(sight.whole[k]) - int(((need.requirement == k) & (short > 0)).sum())
        count = int(sight.asked[k])
        if judge_counts(good, good, count, requirement.share).verdict == "fails":
            return False
    return True
