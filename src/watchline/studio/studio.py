"""The studio of one project: what the routes ask for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool

from watchline.errors import WatchlineError
from watchline.report.difference import compare_plans
from watchline.studio.along import strip_of
from watchline.studio.answers import (
    CatalogueInfo,
    Feature,
    FeatureCollection,
    LayerInfo,
    PlanEntry,
    ProjectInfo,
)
from watchline.studio.at_cell import cell_answer
from watchline.studio.camera import Camera, picture_of
from watchline.studio.desk import Desk, default_condition
from watchline.studio.edit_answers import EditAnswer, EditRequest
from watchline.studio.exports import export_plan
from watchline.studio.faults import NotThere
from watchline.studio.layers import PLAN, Layers
from watchline.studio.look_answers import CellAnswer, Difference, PictureInfo, SeenAnswer, Strip
from watchline.studio.opened import OpenPlan
from watchline.studio.overview import project_info
from watchline.studio.plan_answers import ClaimNews, PlanDetail, Saved
from watchline.studio.plans import COMPUTED, Plans
from watchline.studio.project import Project
from watchline.studio.runs import LOOK_EVERY_S, Runs
from watchline.studio.show import (
    catalogue_info,
    cells_feature,
    collection,
    device_infos,
    difference_info,
    mount_infos,
)
from watchline.studio.tiles import (
    SEEN_PALETTE,
    VIEWS_PALETTE,
    CellPlaces,
    CellTiles,
    Kept,
    TerrainTiles,
)


class Studio:
    """One project, open.

    Parameters
    ----------
    path : Path
        The project's folder.

    Raises
    ------
    WatchlineError
        Its files are not right, or another studio has it open.
    """

    def __init__(self, path: Path) -> None:
        self._project = Project(path)
        self._plans = Plans(self._project)
        self._desk = Desk(self._plans)
        self._lock = threading.RLock()
        self._seen = Kept(64)
        # One picture at a time: each takes some 70 MB, and dragging asks for many.
        self._painter = ThreadPoolExecutor(1, "painter")
        self.runs = Runs(self._project.folder, self._refresh)

    def warm(self) -> None:
        """Judge the computed plan before it is asked for, in the background."""

        def judge() -> None:
            # There may be none yet; what is wrong with it is told when it is asked for.
            with contextlib.suppress(WatchlineError), self._plans.using(COMPUTED) as found:
                found.ask_interruption(COMPUTED)

        threading.Thread(target=judge, daemon=True).start()

    def close(self) -> None:
        """Stop a run, save what is edited, let go."""
        self.runs.close()
        self._painter.shutdown(cancel_futures=True)
        self._plans.close()

    def _refresh(self) -> Project:
        """The project as its files stand now.

        Raises
        ------
        WatchlineError
            They are not right any more.
        """
        with self._lock:
            now = self._project
            if now.changed(self.runs.time_s):
                self._project = Project(now.folder, self.runs.time_s)
                self._plans.take_up(self._project)
            return self._project

    def project(self) -> ProjectInfo:
        """The project as the page needs it first."""
        project = self._refresh()
        return project_info(project, self._desk.entries())

    def catalogue(self) -> CatalogueInfo:
        """Devices and structures."""
        return catalogue_info(self._project.site.catalogue, self._project.site)

    def layers(self) -> list[LayerInfo]:
        """Layers of the map."""
        return self._layers().listed()

    def layer(self, name: str, plan: str | None) -> FeatureCollection:
        """One layer."""
        if name in PLAN or name == "posts":
            if plan is not None:
                self._plans.ready(plan)
            elif self._project.artefact("plan").file is not None:
                self._plans.ready(COMPUTED)
        with self._plans.lock:
            return self._layers().layer(name, plan)

    def _layers(self) -> Layers:
        def opened(name: str | None) -> OpenPlan | None:
            if name is not None:
                return self._plans.open(name)
            if self._project.artefact("plan").file is None:
                return None
            return self._plans.open(COMPUTED)

        return Layers(self._project, opened)

    def plans(self) -> list[PlanEntry]:
        """All plans."""
        self._refresh()
        return self._desk.entries()

    def import_plan(self, file: BinaryIO, file_name: str, name: str) -> PlanDetail:
        """Import a plan's GeoPackage as a new version."""
        found = self._plans.take_in(file, file_name, name)
        assert found.version is not None
        return self._desk.detail(found.version.name)

    def detail(self, plan: str) -> PlanDetail:
        """A plan with all that it places."""
        self._refresh()
        return self._desk.detail(plan)

    def copy(self, plan: str, name: str) -> PlanDetail:
        """Begin a version from a plan as it stands."""
        with self._plans.using(plan) as like:
            self._plans.begin(like.plan, name, f"copied from {plan}", like)
            return self._desk.detail(name)

    def edit(self, plan: str, revision: str, request: EditRequest, began: float) -> EditAnswer:
        """Edit a plan."""
        return self._desk.edit(plan, revision, request, began)

    def step(
        self, plan: str, revision: str, by: int, condition: str | None, began: float
    ) -> EditAnswer:
        """Undo or redo."""
        return self._desk.step(plan, revision, by, condition, began)

    def save(self, plan: str) -> Saved:
        """Write a version's file."""
        if plan == COMPUTED:
            raise NotThere(
                "the computed plan is saved as it is",
                where=plan,
                mend="copy it to a version, and save that",
            )
        version = self._plans.save(plan)
        file = version.file.relative_to(self._project.folder).as_posix()
        return Saved(plan=plan, revision=version.revision, file=file)

    def news(self, plan: str) -> ClaimNews:
        """The claims on a plan as they stand now."""
        return self._desk.news(plan)

    async def follow_claims(self, plan: str) -> AsyncIterator[ClaimNews]:
        """The claims on a plan whenever one of them is new, until none is waited for."""
        seen = -1
        while True:
            changes = self._project.interruptions.changes
            if changes != seen:
                seen = changes
                try:
                    # In a thread: an edit that is being judged holds the plans.
                    news = await run_in_threadpool(self.news, plan)
                except WatchlineError:
                    return  # the plan or its project is not right any more: asked for, it is told
                yield news
                if not news.waits:
                    return
            await asyncio.sleep(LOOK_EVERY_S)

    def cones(self, plan: str) -> FeatureCollection:
        """Fields of view of all devices on flat ground."""
        with self._plans.using(plan) as opened:
            found = opened.plan
        infos = device_infos(found, self._project.site, self._project.globe)
        return collection(
            [
                Feature(
                    id=one.device_id,
                    geometry=one.cone,
                    properties=one.model_dump(exclude={"cone"}),
                )
                for one in infos
                if one.cone is not None
            ]
        )

    def points(self, plan: str) -> FeatureCollection:
        """Mounts and devices as points."""
        with self._plans.using(plan) as opened:
            found, relief = opened.plan, opened.proof.asked.relief
        site, globe = self._project.site, self._project.globe
        features = []
        for kind, infos in (
            ("mount", mount_infos(found, site, globe, relief)),
            ("device", device_infos(found, site, globe)),
        ):
            for one in infos:
                facts = one.model_dump(exclude={"cone"}) | {"what": kind}
                features.append(
                    Feature(
                        id=str(facts[f"{kind}_id"]),
                        geometry={"type": "Point", "coordinates": [one.lon, one.lat]},
                        properties=facts,
                    )
                )
        return collection(features)

    def strip(self, plan: str, condition: str | None, bin_m: float) -> Strip:
        """Views and shares by chainage."""
        with self._plans.using(plan) as found:
            return strip_of(found, plan, condition or default_condition(found), bin_m)

    def cell(
        self,
        plan: str,
        lon: float,
        lat: float,
        condition: str | None,
        device: str | None,
        requirement: str | None = None,
    ) -> CellAnswer:
        """Who sees a cell, and why the others do not."""
        with self._plans.using(plan) as found:
            if device is not None:
                self._hung(found, device)
            return cell_answer(
                found,
                plan,
                self._project.globe,
                self._places(found),
                (lon, lat),
                condition or default_condition(found),
                device,
                requirement,
            )

    def _places(self, found: OpenPlan) -> CellPlaces:
        cells = found.proof.asked.cells
        return self._project.cell_places(lambda: CellPlaces(cells, self._project.site.crs))

    def _hung(self, found: OpenPlan, device: str) -> None:
        if device not in set(found.plan.devices["device_id"]):
            raise NotThere(
                f"the plan has no device '{device}'",
                where=found.plan.name,
                mend="load the plan again: it was edited",
            )

    def seen(self, plan: str, device: str, condition: str | None) -> SeenAnswer:
        """Ground that a device sees."""
        with self._plans.using(plan) as found:
            self._hung(found, device)
            shown = condition or default_condition(found)
            at = found.seen(device, shown)
            cells = found.proof.asked.cells
        area = float(at.size * cells.cell_m**2)
        facts = {"device_id": device, "condition": shown, "cells": int(at.size), "area_m2": area}
        feature = cells_feature(cells, at, self._project.globe, facts)
        return SeenAnswer(
            device_id=device,
            condition=shown,
            area=collection([feature]),
            cells=int(at.size),
            area_m2=area,
        )

    def _camera(self, plan: str, device: str, condition: str | None, width: int) -> Camera:
        with self._plans.using(plan) as found:
            self._hung(found, device)
            return Camera.of(found, device, condition or default_condition(found), width)

    def picture_info(self, plan: str, device: str, condition: str | None) -> PictureInfo:
        """What a device's picture shows."""
        return self._camera(plan, device, condition, 960).info(plan)

    def picture(
        self, plan: str, device: str, condition: str | None, rings: bool, width: int
    ) -> bytes:
        """The terrain as a device sees it."""
        camera = self._camera(plan, device, condition, width)
        return self._painter.submit(picture_of, camera, self._project.terrain, rings).result()

    def difference(self, plan: str, other: str) -> Difference:
        """What changed from one plan to another."""
        found, stands = [], []
        with self._plans.lock:
            for name in (plan, other):
                opened = self._plans.open(name)
                opened.ask_interruption(name)
                stands.append(opened.stands())
                found.append((opened.plan, opened.proof.proof()))
        (before, proof_before), (after, proof_after) = found
        waiting = {c.requirement for judged in stands for c in judged.waiting}
        proofs = (
            replace(proof, claims=tuple(c for c in judged.claims if c.requirement not in waiting))
            for proof, judged in zip((proof_before, proof_after), stands, strict=True)
        )
        return difference_info(compare_plans(before, after, *proofs), sorted(waiting))

    def export(self, plan: str, kind: str) -> tuple[str, str, bytes]:
        """A plan as a file: its name, its media type, its bytes."""
        with self._plans.using(plan) as found:
            proof, placed = found.whole_proof(), found.plan
        return export_plan(self._project, plan, placed, proof, kind)

    def terrain_tiles(self) -> TerrainTiles:
        """Tiles of the terrain."""
        return self._project.tiles

    def views_tiles(self, plan: str, condition: str) -> CellTiles:
        """Tiles of the views under a condition."""
        with self._plans.using(plan) as found:
            places, classes = self._places(found), found.classes(condition)
            revision = found.revision
        return CellTiles(places, classes, VIEWS_PALETTE, revision)

    def seen_tiles(self, plan: str, device: str, condition: str) -> CellTiles:
        """Tiles of the ground that a device sees under a condition."""
        with self._plans.using(plan) as found:
            self._hung(found, device)
            places, revision = self._places(found), found.revision

            def make() -> object:
                classes = found.classes(condition) * 0
                classes[found.seen(device, condition)] = 1
                return classes

            classes = self._seen.take((plan, revision, device, condition), make)
        return CellTiles(places, classes, SEEN_PALETTE, revision)  # type: ignore[arg-type]
