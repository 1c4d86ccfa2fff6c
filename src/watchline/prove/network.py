"""What a plan hangs on: devices on mounts, mounts on feeders and trunks along the road.

A cable is cut at the mounts that hang on it, in order of chainage: every piece between two
neighbours is an element. A mount is served by a cable as long as all pieces on a way to a supply,
and that supply, are whole; where the cable is supplied at both ends, or several cables reach the
mount, one whole way is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from watchline.model.plan import Plan
from watchline.model.resilience import Cable, Element, Life, ResilienceRules
from watchline.physics.availability import (
    cable_unavailability,
    split_common_cause,
    unavailability,
)

BoolArray = npt.NDArray[np.bool_]
Way = frozenset[int]
NEAR_M = 1.0
"""Mounts nearer than this along a cable share a joint, and reach beyond its ends."""


@dataclass(frozen=True)
class Network:
    """Elements of a plan, and what needs which.

    Attributes
    ----------
    elements : tuple of Element
        Devices, then mounts, then cables.
    device_mount : int64 array [devices]
        Number of each device's mount among the mounts.
    device_ids, mount_ids, models : tuple of str
        Devices and mounts in order, and the devices' models.
    ways : tuple of tuple of tuple of frozenset of int
        For each mount, for each service that cables give it: ways to a supply, each the numbers of
        the elements that it needs.
    common : dict of str to float
        Probability that all devices of a model are out together.
    unserved : tuple of str
        Mounts that a kind of cable is told for in the project, but none reaches.
    """

    elements: tuple[Element, ...]
    device_mount: npt.NDArray[np.int64]
    device_ids: tuple[str, ...]
    mount_ids: tuple[str, ...]
    models: tuple[str, ...]
    ways: tuple[tuple[tuple[Way, ...], ...], ...]
    common: dict[str, float]
    unserved: tuple[str, ...]

    def devices_out(self, lost: set[int] | frozenset[int]) -> BoolArray:
        """Devices that are out when some elements are lost [devices]."""
        devices, mounts = len(self.device_ids), len(self.mount_ids)
        gone = np.array(
            [
                devices + k in lost
                or any(all(way & lost for way in service) for service in self.ways[k])
                for k in range(mounts)
            ],
            dtype=bool,
        )
        out = gone[self.device_mount] if devices else np.zeros(0, dtype=bool)
        out[[k for k in lost if k < devices]] = True
        return out

    def entangled(self) -> list[tuple[int, int]]:
        """Pairs that put out a mount together which neither puts out alone."""
        found: set[tuple[int, int]] = set()
        for services in self.ways:
            for ways in services:
                if len(ways) < 2:
                    continue
                everything = sorted(frozenset().union(*ways))
                hit = np.array([[k in way for k in everything] for way in ways])
                alone = hit.all(axis=0)
                for i in np.flatnonzero(~alone):
                    rest = hit[~hit[:, i]]
                    for j in np.flatnonzero(rest.all(axis=0) & ~alone):
                        if i < j:
                            found.add((everything[i], everything[int(j)]))
        return sorted(found)


def network_of(plan: Plan, rules: ResilienceRules) -> Network:
    """Elements of a plan with the cables that a project tells of.

    Parameters
    ----------
    plan : Plan
        Mounts and devices.
    rules : ResilienceRules
        Mean times and cables.
    """
    mounts = plan.mounts.assign(mount_id=plan.mounts["mount_id"].astype(str)).sort_values(
        ["s", "mount_id"], kind="stable"
    )
    mount_ids = tuple(mounts["mount_id"])
    s = mounts["s"].to_numpy(dtype=np.float64)
    number = {name: k for k, name in enumerate(mount_ids)}
    devices = plan.devices.assign(device_id=plan.devices["device_id"].astype(str))
    devices = devices.sort_values("device_id", kind="stable")
    mount = np.array([number[str(name)] for name in devices["mount_id"]], dtype=np.int64)
    models = tuple(str(model) for model in devices["model"])
    return lay_network(mount_ids, s, tuple(devices["device_id"]), mount, models, rules)


def lay_network(
    mount_ids: tuple[str, ...],
    s: npt.NDArray[np.float64],
    device_ids: tuple[str, ...],
    mount: npt.NDArray[np.int64],
    models: tuple[str, ...],
    rules: ResilienceRules,
) -> Network:
    """Elements of mounts and devices given by name.

    Parameters
    ----------
    mount_ids : tuple of str
        Mounts in order of chainage.
    s : float64 array [mounts]
        Their chainages.
    device_ids, models : tuple of str
        Devices and their models.
    mount : int64 array [devices]
        Number of each device's mount.
    rules : ResilienceRules
        Mean times and cables.
    """
    whole = _out(rules.devices)
    own, common = split_common_cause(whole, rules.common_cause)
    elements = [
        Element("device", name, float(s[at]), float(s[at]), own)
        for name, at in zip(device_ids, mount, strict=True)
    ]
    elements += [
        Element("mount", name, float(at), float(at), _out(rules.mounts))
        for name, at in zip(mount_ids, s, strict=True)
    ]
    ways: list[dict[str, list[Way]]] = [{} for _ in mount_ids]
    for cable in rules.cables:
        for at, found in _lay(cable, s, elements).items():
            ways[at].setdefault(cable.kind, []).extend(found)
    kinds = {cable.kind for cable in rules.cables}
    unserved = tuple(
        f"{name} ({kind})"
        for name, served in zip(mount_ids, ways, strict=True)
        for kind in sorted(kinds - set(served))
    )
    return Network(
        tuple(elements),
        mount,
        device_ids,
        mount_ids,
        models,
        tuple(tuple(tuple(found) for found in served.values()) for served in ways),
        dict.fromkeys(sorted(set(models)), common) if common > 0 else {},
        unserved,
    )


def _out(life: Life) -> float:
    return 0.0 if np.isinf(life.mtbf_h) else unavailability(life.mtbf_h, life.mttr_h)


def _lay(cable: Cable, s: npt.NDArray[np.float64], elements: list[Element]) -> dict[int, list[Way]]:
    """Append a cable's elements; ways of each mount on it."""
    on = np.flatnonzero((s >= cable.start_m - NEAR_M) & (s <= cable.end_m + NEAR_M))
    found: dict[int, list[Way]] = {int(k): [] for k in on}
    if not on.size:
        return found
    at_joint = np.clip(s, cable.start_m, cable.end_m)
    ends = {"start": (True, False), "end": (False, True), "both": (True, True)}[cable.supply]
    wanted = [cable.start_m] * ends[0] + sorted(at_joint[on]) + [cable.end_m] * ends[1]
    joints = np.array(_apart(wanted))
    first = len(elements)
    for a, b in pairwise(joints):
        out = 0.0
        if np.isfinite(cable.per_km.mtbf_h):
            out = cable_unavailability(cable.per_km.mtbf_h, cable.per_km.mttr_h, float(b - a))
        name = f"{cable.name}, {a:.0f}–{b:.0f} m"
        elements.append(Element(cable.kind, name, float(a), float(b), out))
    pieces = len(joints) - 1
    for there, side, at in zip(ends, ("start", "end"), (cable.start_m, cable.end_m), strict=True):
        if not there:
            continue
        supply = len(elements)
        kind = "feeder supply" if cable.kind == "feeder" else "trunk supply"
        name = cable.name if cable.supply != "both" else f"{cable.name}, {side}"
        elements.append(Element(kind, name, float(at), float(at), _out(cable.supply_life)))
        for k in on:
            joint = int(np.abs(joints - at_joint[k]).argmin())
            between = range(joint) if side == "start" else range(joint, pieces)
            found[int(k)].append(frozenset([supply, *(first + piece for piece in between)]))
    return found


def _apart(places: list[float]) -> list[float]:
    """Rising places without those that lie nearer than :data:`NEAR_M` to the one before."""
    found: list[float] = []
    for place in places:
        if not found or place - found[-1] >= NEAR_M:
            found.append(float(place))
    return found
