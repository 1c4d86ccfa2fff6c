"""Where plans are edited: each edit is judged, kept, and answered with what it changed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

import geopandas as gpd

from watchline.errors import WatchlineError
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan
from watchline.model.proof import Claim
from watchline.studio.answers import PlanEntry
from watchline.studio.edit_answers import Conflict, Edit, EditAnswer, EditRequest, ShareChange
from watchline.studio.faults import RevisionConflict, fault_of
from watchline.studio.opened import OpenPlan
from watchline.studio.plan_answers import ClaimNews, HistoryItem, PlanDetail
from watchline.studio.plans import COMPUTED, Plans, revision_of
from watchline.studio.show import (
    cells_feature,
    claim_infos,
    collection,
    device_infos,
    light_infos,
    mount_infos,
)
from watchline.studio.steps import made_at
from watchline.studio.versions import Version

MOST_SEEN = 12
"""Devices whose ground is in the answer to an edit; of more, ``/seen`` tells one by one."""
FIRST_VERSION = "edit"
REST_S = 0.7
"""Claims on interruption are judged when nobody has edited for this long."""


@dataclass
class _Before:
    """A plan before an edit."""

    plan: Plan
    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = field(default=())


class Desk:
    """Edits of a project's plans.

    Parameters
    ----------
    plans : Plans
        The plans.
    """

    def __init__(self, plans: Plans) -> None:
        self.plans = plans

    def entries(self) -> list[PlanEntry]:
        """All plans in a list; nothing is judged for it."""
        with self.plans.lock:
            found = []
            for name in (COMPUTED, *self.plans.names()):
                if name == COMPUTED and self.plans.project.artefact("plan").file is None:
                    continue
                found.append(self.entry(name))
            return found

    def entry(self, name: str) -> PlanEntry:
        """One plan as the list has it; what cannot be read says why."""
        plans = self.plans
        kind = "computed" if name == COMPUTED else "version"
        try:
            if name == COMPUTED:
                file = plans.project.artefact("plan").file
                plan, version = plans.project.computed_plan(), None
                revision = revision_of(plan)
            else:
                version = plans.version(name)
                plan, revision, file = version.plan, version.revision, version.file
        except WatchlineError as error:
            return PlanEntry(
                name=name,
                kind=kind,
                revision=None,
                status="damaged",
                cost=None,
                currency=plans.project.site.catalogue.currency,
                bound=None,
                gap=None,
                mounts=0,
                devices=0,
                holds=None,
                saved=True,
                changed=None,
                file=None,
                fault=fault_of(error),
            )
        judged = plans.judged(name)
        known = judged is not None and judged.revision == revision
        inside = None if file is None else file.relative_to(plans.project.folder).as_posix()
        return PlanEntry(
            name=name,
            kind=kind,
            revision=revision,
            status=plan.status,
            cost=plan.cost,
            currency=plan.currency,
            bound=plan.lower_bound,
            gap=plan.gap,
            mounts=len(plan.mounts),
            devices=len(plan.devices),
            holds=judged.stands().holds if judged is not None and known else None,
            saved=version is None or version.saved,
            changed=made_at(file) if version is None else version.changed,
            file=inside,
        )

    def detail(self, name: str) -> PlanDetail:
        """A plan with all that it places, and its claims."""
        with self.plans.using(name) as found:
            plan, site, globe = found.plan, self.plans.project.site, self.plans.project.globe
            found.ask_interruption(name)
            computed = None
            # None yet, or none that fits any more: then there is nothing to compare with.
            with contextlib.suppress(WatchlineError):
                computed = self.plans.project.computed_plan()
            return PlanDetail(
                **self.entry(name).model_dump(),
                mount_list=mount_infos(plan, site, globe, found.proof.asked.relief),
                device_list=device_infos(plan, site, globe),
                light_list=light_infos(plan, globe),
                claims=claim_infos(found.stands(), globe),
                all_aims_bound=plan.all_aims_bound,
                computed_bound=None if computed is None else computed.lower_bound,
                computed_cost=None if computed is None else computed.cost,
                notes=list(plan.notes),
                can_undo=found.version is not None and found.version.at > 0,
                can_redo=found.version is not None and _can_redo(found.version),
                history=[] if found.version is None else _history(found.version),
                tiles=found.revision,
            )

    def news(self, name: str) -> ClaimNews:
        """The claims on a plan as they stand now."""
        with self.plans.using(name) as found:
            found.ask_interruption(name)
            judged = found.stands()
            return ClaimNews(
                plan=name,
                revision=found.revision,
                claims=claim_infos(judged, self.plans.project.globe),
                holds=judged.holds,
                waits=bool(judged.waits),
            )

    def edit(self, name: str, revision: str, request: EditRequest, began: float) -> EditAnswer:
        """Make some edits; an edit of the computed plan begins a version beside it.

        Raises
        ------
        RevisionConflict
            The plan was edited meanwhile.
        PlanError, ManyFaults
            The edits are not possible; nothing changed.
        """
        self.plans.project.interruptions.rest(name, REST_S)
        self.plans.ready(name)
        with self.plans.lock:
            found = self._same(name, revision, request.edits)
            if found.version is None:
                like = found
                # Tried first: an edit that is not possible must not leave a version behind.
                Version.trial(like.plan, request.edits, self.plans.project.site)
                name = self.plans.free_name(FIRST_VERSION)
                found = self.plans.begin(like.plan, name, "the computed plan", like)
            before = _Before(found.plan, found.stands().settled)
            assert found.version is not None
            try:
                _, before.notes = found.version.edit(request.edits, found.check)
            except WatchlineError:
                found.judge(before.plan, found.revision)
                raise
            found.revision = found.version.revision
            self.plans.edited(name)
            return self._answer(name, found, before, request.condition, began)

    def step(
        self, name: str, revision: str, by: int, condition: str | None, began: float
    ) -> EditAnswer:
        """Undo (−1) or redo (+1).

        Raises
        ------
        RevisionConflict
            The plan was edited meanwhile.
        NothingToUndo
            There is nothing to take back, or to make again.
        """
        self.plans.project.interruptions.rest(name, REST_S)
        self.plans.ready(name)
        with self.plans.lock:
            found = self._same(name, revision, [])
            if found.version is None:
                raise Version.nothing(by, name)
            before = _Before(found.plan, found.stands().settled)
            try:
                found.version.step(by, found.check)
            except WatchlineError:
                found.judge(before.plan, found.revision)
                raise
            found.revision = found.version.revision
            self.plans.edited(name)
            return self._answer(name, found, before, condition, began)

    def _same(self, name: str, revision: str, edits: list[Edit]) -> OpenPlan:
        """The plan, if the client knows it as it stands."""
        found = self.plans.open(name)
        known = revision.strip().removeprefix("W/").strip('"')
        if known != found.revision:
            raise RevisionConflict(
                Conflict(
                    what="the plan was edited meanwhile",
                    where=name,
                    mend="look at what stands, and make the edit again if it still fits",
                    sent_revision=known,
                    sent_edits=edits,
                    current_revision=found.revision,
                    current=self.detail(name),
                )
            )
        return found

    def _answer(
        self, name: str, found: OpenPlan, before: _Before, condition: str | None, began: float
    ) -> EditAnswer:
        site, globe = self.plans.project.site, self.plans.project.globe
        plan = found.plan
        mounts, no_mounts = _changed(before.plan.mounts, plan.mounts, PLAN_MOUNT_COLUMNS)
        devices, no_devices = _changed(before.plan.devices, plan.devices, PLAN_DEVICE_COLUMNS)
        # What hangs on a mount is told with the mount.
        hung = plan.devices
        home = dict(zip(hung["device_id"], hung["mount_id"], strict=True))
        mounts |= {str(home[one]) for one in devices}
        gone = before.plan.devices
        mounts |= set(gone.loc[gone["device_id"].isin(no_devices), "mount_id"]) - no_mounts
        shown = condition or default_condition(found)
        cells = found.proof.asked.cells
        features = []
        for device in sorted(devices)[:MOST_SEEN]:
            at = found.seen(device, shown)
            facts = {
                "device_id": device,
                "cells": int(at.size),
                "area_m2": float(at.size * cells.cell_m**2),
                "condition": shown,
            }
            features.append(cells_feature(cells, at, globe, facts))
        assert found.version is not None
        found.ask_interruption(name, REST_S)
        judged = found.stands()
        return EditAnswer(
            plan=name,
            revision=found.revision,
            tiles=found.revision,
            cost=plan.cost,
            currency=plan.currency,
            changed_mounts=mount_infos(plan, site, globe, found.proof.asked.relief, mounts),
            changed_devices=device_infos(plan, site, globe, devices),
            removed_mounts=sorted(no_mounts),
            removed_devices=sorted(no_devices),
            claims=claim_infos(judged, globe),
            changed_claims=_claim_changes(before.claims, judged.settled),
            seen=collection(features),
            holds=judged.holds,
            notes=list(before.notes),
            can_undo=found.version.at > 0,
            can_redo=_can_redo(found.version),
            milliseconds=round((time.perf_counter() - began) * 1000.0, 1),
        )


def default_condition(found: OpenPlan) -> str:
    """The condition that is meant where none is named: that of the first requirement."""
    return found.place.site.requirements[0].condition


def _can_redo(version: Version) -> bool:
    return version.at + 1 < len(version.states)


def _history(version: Version) -> list[HistoryItem]:
    return [
        HistoryItem(
            number=k,
            what=state.what,
            time=state.time,
            current=k == version.at,
            undone=k > version.at,
        )
        for k, state in enumerate(version.states)
    ]


def _changed(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, columns: dict[str, str]
) -> tuple[set[str], set[str]]:
    """Rows of a table that are new or differ, and those that are gone, by their keys."""
    old, new = _rows(before, columns), _rows(after, columns)
    return {key for key, row in new.items() if old.get(key) != row}, old.keys() - new.keys()


def _rows(frame: gpd.GeoDataFrame, columns: dict[str, str]) -> dict[str, tuple[str, ...]]:
    # As text: an unknown figure equals itself there.
    values = [frame[name].tolist() for name in columns]
    values += [frame.geometry.x.tolist(), frame.geometry.y.tolist()]
    return {str(row[0]): tuple(map(repr, row)) for row in zip(*values, strict=True)}


def _claim_changes(before: tuple[Claim, ...], after: tuple[Claim, ...]) -> list[ShareChange]:
    """Claims whose figure or verdict changed."""
    old = {(c.requirement, c.kind, c.condition): c for c in before}
    found = []
    for claim in after:
        was = old.get((claim.requirement, claim.kind, claim.condition))
        if was is not None and (was.value, was.verdict) != (claim.value, claim.verdict):
            found.append(
                ShareChange(
                    requirement=claim.requirement,
                    kind=claim.kind,
                    condition=claim.condition,
                    before=was.value,
                    after=claim.value,
                    verdict_before=was.verdict,
                    verdict_after=claim.verdict,
                )
            )
    return found
