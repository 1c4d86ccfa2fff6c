"""Who sees what, device by device: classes of cells that the same devices see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.model.plan import Plan
from watchline.model.site import Requirement, Site
from watchline.model.terrain import Terrain
from watchline.prove.cells import Cells, proof_cells
from watchline.prove.devices import perches_of
from watchline.prove.heights import relief_of
from watchline.prove.judges import requirement_judges
from watchline.prove.lamp_light import lamp_light
from watchline.prove.network import Network
from watchline.prove.views import count_views

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sightings:
    """Classes of cells: of one requirement, seen by the same devices.

    Attributes
    ----------
    requirements : tuple of Requirement
        The binding ones that can be judged.
    asked, whole : int64 array [requirements]
        Cells that each is asked of, and those on which the whole plan fulfils it.
    start : int64 array [classes + 1]
        Views of a class: from here to the next. Only classes that the whole plan fulfils.
    view, view_mount : int64 array [views]
        Device and mount of each view; those of one mount lie together.
    needed : int64 array [classes]
        Views from different mounts that are needed.
    cells : int64 array [classes]
        Number of cells.
    group : int64 array [classes]
        Requirement of each class.
    places : list of (float64 array, int64 array)
        For each requirement, chainages of its cells and their class; −1 where even the whole plan
        does not fulfil it.
    xy : list of (float64 array, float64 array)
        Where those cells are.
    cell_m : float
        Side of the cells.
    """

    requirements: tuple[Requirement, ...]
    asked: IntArray
    whole: IntArray
    start: IntArray
    view: IntArray
    view_mount: IntArray
    needed: IntArray
    cells: IntArray
    group: IntArray
    places: list[tuple[npt.NDArray[np.float64], IntArray]]
    xy: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
    cell_m: float

    @property
    def area_m2(self) -> float:
        """Ground of a cell."""
        return self.cell_m**2

    def views_of(self, k: int) -> IntArray:
        """Devices of a class."""
        return self.view[self.start[k] : self.start[k + 1]]


def judged_requirements(site: Site) -> tuple[Requirement, ...]:
    """Binding requirements, each under its own condition."""
    return tuple(r for r in site.requirements if r.binding)


def sightings_of(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    network: Network,
    cell_m: float,
    progress: Callable[[float], None] | None = None,
) -> Sightings:
    """Sure views of every device, by the rays of the proof, joined into classes.

    A cell that is unknown, or that only an unknown line of sight reaches, counts as not seen.
    """
    cells = proof_cells(site, cell_m)
    requirements = judged_requirements(site)
    seen = device_views(site, terrain, plan, cells, requirements, progress)
    number = {name: k for k, name in enumerate(network.device_ids)}
    classes: dict[tuple[int, bytes], int] = {}
    count: list[int] = []
    places, xy, asked, whole = [], [], [], []
    for r, (requirement, views) in enumerate(zip(requirements, seen, strict=True)):
        at = np.flatnonzero(cells.place(requirement.where))
        class_of = np.full(len(cells), -1, dtype=np.int64)
        cell, device = _pairs(views, number)
        # Views of one mount must lie together: sorted by cell, mount, device.
        order = np.lexsort((device, network.device_mount[device], cell))
        cell, device = cell[order], device[order]
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        last = np.append(first[1:], cell.size)
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            mine = device[a:b]
            if np.unique(network.device_mount[mine]).size < requirement.views:
                continue
            key = (r, mine.tobytes())
            k = classes.setdefault(key, len(classes))
            if k == len(count):
                count.append(0)
            count[k] += 1
            class_of[cell[a]] = k
        places.append((cells.s[at], class_of[at]))
        xy.append((cells.x[at], cells.y[at]))
        asked.append(at.size)
        whole.append(int((class_of[at] >= 0).sum()))
    views = [np.frombuffer(text, dtype=np.int64) for _, text in classes]
    group = np.array([r for r, _ in classes], dtype=np.int64)
    view = np.concatenate(views) if views else np.zeros(0, np.int64)
    return Sightings(
        requirements,
        np.array(asked, dtype=np.int64),
        np.array(whole, dtype=np.int64),
        np.concatenate([[0], np.cumsum([v.size for v in views])]).astype(np.int64),
        view,
        network.device_mount[view],
        np.array([requirements[r].views for r in group], dtype=np.int64),
        np.array(count, dtype=np.int64),
        group,
        places,
        xy,
        cell_m,
    )


def device_views(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    cells: Cells,
    requirements: tuple[Requirement, ...],
    progress: Callable[[float], None] | None = None,
) -> list[list[tuple[str, IntArray]]]:
    """For each requirement, cells that each device surely sees well enough."""
    relief = relief_of(terrain)
    # The proof counts views by mount; here every device is a mount of its own.
    perches = tuple(
        replace(perch, mount_id=device.device_id, devices=(device,))
        for perch in perches_of(site, relief, plan)
        for device in perch.devices
    )
    lamps = lamp_light(site, relief, plan.lighting)
    judges = requirement_judges(site, cells, requirements, lamps, by_mount=True)
    count_views(relief, cells, relief.ground_at(cells.x, cells.y), perches, judges, progress)
    return [[(name, sure) for name, sure, _ in judge.seers or ()] for judge in judges]


def _pairs(views: list[tuple[str, IntArray]], number: dict[str, int]) -> tuple[IntArray, IntArray]:
    """Cells and devices of all views."""
    if not views:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    cell = np.concatenate([sure for _, sure in views]).astype(np.int64)
    device = np.repeat([number[name] for name, _ in views], [sure.size for _, sure in views])
    return cell, device.astype(np.int64)
