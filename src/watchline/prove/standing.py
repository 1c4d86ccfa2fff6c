"""A proof that stands while its plan is edited: only what changed is counted again.

The views of every mount are kept, window by window of chainage. After an edit the mounts whose
devices differ are traced again, in the windows that they reach or reached, and the judges of those
windows are filled anew from what is kept. The same functions as in the whole proof count, judge
and explain, over scenes with the same middles (:func:`watchline.prove.views.window_scene`), so
that the claims are those of :func:`watchline.prove.proof.prove_plan` to the last cell.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from watchline.model.plan import Plan
from watchline.model.proof import Claim, Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.claims import capacity_claim
from watchline.prove.devices import Perch, PlacedDevice, perches_of
from watchline.prove.explain import Asked, DeviceView, explain, order_views
from watchline.prove.proof import Questions, claims_of, proof_of, questions_of
from watchline.prove.scene import Scene, hull_of
from watchline.prove.views import (
    Judge,
    Views,
    least_density,
    may_reach,
    mount_views,
    reaches,
    window_scene,
    windows_of,
)

MOST_TRIANGLES = 8_000_000
"""Triangles of all scenes that are kept; those used longest ago are let go first."""
SPARE_M = 150.0
"""A scene that must grow grows by this much round the new place: the next drag finds it there."""
MOST_REASONS = 20_000
Mount = tuple[Perch, ...]


class SceneShelf:
    """The scenes of a terrain's windows, kept between edits and between plans."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], tuple[Scene, BaseGeometry]] = OrderedDict()
        self._lock = threading.Lock()

    def take(
        self,
        asked: Questions,
        window: npt.NDArray[np.int64],
        perches: Iterable[Perch],
    ) -> Scene:
        """The scene of a window in which some perches stand; safe between threads."""
        with self._lock:
            return self._take(asked, window, perches)

    def _take(
        self, asked: Questions, window: npt.NDArray[np.int64], perches: Iterable[Perch]
    ) -> Scene:
        key = int(window[0]), int(window.size)
        places = [(perch.x, perch.y) for perch in perches]
        found = self._kept.get(key)
        if found is not None:
            scene, hull = found
            outside = [place for place in places if not shapely.intersects_xy(hull, *place)]
            if not outside:
                self._kept.move_to_end(key)
                return scene
            rings = [Point(place).buffer(SPARE_M, quad_segs=3) for place in outside]
            grown = hull_of(shapely.get_coordinates([hull, *rings]))
            places = [(x, y) for x, y in shapely.get_coordinates(grown)]
        scene = window_scene(asked.relief, asked.cells, asked.ground_z, window, places)
        own = np.column_stack([asked.cells.x[window], asked.cells.y[window]])
        self._kept[key] = scene, hull_of(np.concatenate([own, np.array(places).reshape(-1, 2)]))
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._triangles() > MOST_TRIANGLES:
            self._kept.popitem(last=False)
        return scene

    def _triangles(self) -> int:
        return sum(scene.triangles for scene, _ in self._kept.values())


class StandingProof:
    """The proof of one plan, kept up to date as the plan is edited.

    Attributes
    ----------
    asked : Questions
        The cells and the judges, with the views of the plan as it stands.
    plan : Plan
        The plan that is judged.
    perches : tuple of Perch
        Its devices.
    claims : tuple of Claim
        The claims on it, without those on its lights.

    Parameters
    ----------
    site, terrain, plan
        As in :func:`watchline.prove.proof.prove_plan`.
    shelf : SceneShelf, optional
        Scenes that other plans of the same site and terrain use too.
    cell_m : float, optional
        Side of the cells in m; by default half of the design's.
    progress : callable, optional
        Is told the share done of the first count, 0–1.

    Raises
    ------
    WatchlineError
        As :func:`watchline.prove.proof.prove_plan`.
    """

    def __init__(
        self,
        site: Site,
        terrain: Terrain,
        plan: Plan,
        *,
        shelf: SceneShelf | None = None,
        cell_m: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self.terrain = terrain
        self.asked = questions_of(site, terrain, plan, cell_m=cell_m)
        self.shelf = shelf or SceneShelf()
        self.windows = list(windows_of(self.asked.cells, self.asked.judges))
        self._least = [least_density(self.asked.judges, window) for window in self.windows]
        self._views: list[dict[str, tuple[Views, ...]]] = [{} for _ in self.windows]
        self._reasons: OrderedDict[tuple[object, ...], DeviceView] = OrderedDict()
        self.plan = plan
        self.perches: tuple[Perch, ...] = ()
        self.claims: tuple[Claim, ...] = ()
        self.update(plan, progress)

    def copy(self) -> StandingProof:
        """The same proof, to be kept up to date by itself; the scenes stay shared."""
        other = copy(self)
        asked = self.asked
        other.asked = replace(
            asked,
            wanted=tuple(judge.copy() for judge in asked.wanted),
            forbidden=tuple(judge.copy() for judge in asked.forbidden),
            table={height: judge.copy() for height, judge in asked.table.items()},
        )
        other._views = [dict(kept) for kept in self._views]
        other._reasons = self._reasons.copy()
        return other

    def update(self, plan: Plan, progress: Callable[[float], None] | None = None) -> set[str]:
        """Judge another plan of the same site with the same lights.

        Parameters
        ----------
        plan : Plan
            The plan after an edit.
        progress : callable, optional
            Is told the share done, 0–1.

        Returns
        -------
        set of str
            Mounts whose devices were traced again, or are gone.

        Raises
        ------
        PlanError
            The plan does not belong to the site; the proof stays as it was.
        """
        site = self.asked.site
        perches = perches_of(site, self.asked.relief, plan)
        capacity = capacity_claim(site, plan)
        before, after = _by_mount(self.perches), _by_mount(perches)
        changed = {
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        }
        for k, window in enumerate(self.windows):
            self._recount(k, window, changed, after)
            if progress is not None:
                progress((k + 1) / len(self.windows))
        if changed:
            self._name_seers()
        self.plan, self.perches = plan, perches
        self.claims = claims_of(self.asked, plan, self.explain, capacity)
        return changed

    def _recount(
        self,
        k: int,
        window: npt.NDArray[np.int64],
        changed: set[str],
        after: dict[str, Mount],
    ) -> None:
        """Trace the changed mounts that reach a window, and fill its judges anew."""
        asked, kept = self.asked, self._views[k]
        touched = {name for name in changed if name in kept}
        near: dict[str, Mount] = {}
        for name in changed & after.keys():
            reach = tuple(
                perch
                for perch in after[name]
                if reaches(perch, asked.cells, window, self._least[k])
            )
            if reach:
                near[name] = reach
        if not touched and not near:
            return
        for name in touched:
            del kept[name]
        if near:
            everyone = [perch for mount in near.values() for perch in mount]
            scene = self.shelf.take(asked, window, everyone)
            for name, mount in near.items():
                kept[name] = mount_views(
                    scene, asked.cells, asked.ground_z, mount, asked.judges, window
                )
        for judge in asked.judges:
            judge.clear(window)
        for name in sorted(kept):
            for judge, views in zip(asked.judges, kept[name], strict=True):
                judge.add(views)

    def _name_seers(self) -> None:
        """Which mount has which views, for the judges that keep it."""
        for number, judge in enumerate(self.asked.judges):
            if judge.seers is not None:
                judge.seers[:] = [
                    (name, kept[name][number].sure, kept[name][number].most)
                    for kept in self._views
                    for name in sorted(kept)
                ]

    def explain(self, x: float, y: float, wanted: Asked) -> tuple[DeviceView, ...]:
        """Why devices do or do not see a place; what was said of a device and a place is kept."""
        asked, known = self.asked, self._reasons
        views: list[DeviceView] = []
        fresh: list[Perch] = []
        for perch in self.perches:
            for device in perch.devices:
                key = (x, y, wanted, perch.x, perch.y, perch.z, *_figures(device))
                view = known.get(key)
                if view is None:
                    fresh.append(replace(perch, devices=(device,)))
                else:
                    known.move_to_end(key)
                    views.append(view)
        views += explain(asked.site, asked.relief, tuple(fresh), (x, y), wanted, asked.lamps)
        by_name = {(view.mount_id, view.device_id): view for view in views}
        for perch in fresh:
            (device,) = perch.devices
            key = (x, y, wanted, perch.x, perch.y, perch.z, *_figures(device))
            known[key] = by_name[device.mount_id, device.device_id]
        while len(known) > MOST_REASONS:
            known.popitem(last=False)
        return order_views(views)

    def proof(self) -> Proof:
        """The proof as :func:`watchline.prove.proof.prove_plan` gives it."""
        return proof_of(self.asked, self.terrain, self.plan, self.claims)

    def seen(self, device_id: str, judge: Judge) -> npt.NDArray[np.int64]:
        """Cells that one device surely sees, by the question of one judge of the same cells.

        Parameters
        ----------
        device_id : str
            The device.
        judge : Judge
            What is asked; its views are not counted.

        Returns
        -------
        int64 array
            Numbers of the cells; empty where the plan has no such device.
        """
        asked = self.asked
        alone = [
            replace(perch, devices=(device,))
            for perch in self.perches
            for device in perch.devices
            if device.device_id == device_id
        ]
        found = [np.zeros(0, np.int64)]
        for window in self.windows:
            near = tuple(p for p in alone if may_reach(p, asked.cells, window, (judge,)))
            if near:
                scene = self.shelf.take(asked, window, near)
                (views,) = mount_views(scene, asked.cells, asked.ground_z, near, (judge,), window)
                found.append(views.sure)
        return np.concatenate(found)


def _by_mount(perches: tuple[Perch, ...]) -> dict[str, Mount]:
    groups = groupby(perches, key=lambda perch: perch.mount_id)
    return {name: tuple(mount) for name, mount in groups}


def _figures(device: PlacedDevice) -> tuple[str | float, ...]:
    """A device as a key: models are known by their keys."""
    return (
        device.mount_id,
        device.device_id,
        device.model.id,
        device.azimuth_deg,
        device.tilt_deg,
        device.focal_mm,
    )
