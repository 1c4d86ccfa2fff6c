"""Edits of a plan: each changes its rows, and the rules of edited plan files settle the rest."""

from __future__ import annotations

import math
from dataclasses import replace

from pyproj import Transformer

from watchline.errors import PlanError
from watchline.io.light_change import aim_light, remove_light
from watchline.io.plan_change import Draft, change_plan, draft_of
from watchline.io.plan_check import suggest
from watchline.io.plan_edit import next_id
from watchline.io.plan_tables import DeviceRow, MountRow
from watchline.model.catalogue import Device
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.studio.edit_answers import (
    AddDevice,
    AddMount,
    AimDevice,
    AimLight,
    Edit,
    MoveMount,
    RemoveDevice,
    RemoveLight,
    RemoveMount,
    SetHeight,
    SetModel,
    SetStructure,
)


def make_edits(
    plan: Plan, edits: list[Edit], site: Site, *, edited_from: str
) -> tuple[Plan, tuple[str, ...]]:
    """The plan after some edits, with what followed from them without being asked for.

    Raises
    ------
    PlanError, ManyFaults
        An edit is not possible; the plan stays as it was.
    """
    before = draft_of(plan)
    draft = Draft(before.name, list(before.mounts), list(before.devices))  # rows do not change
    for edit in edits:
        match edit:
            case AimLight():
                turned = {"azimuth_deg": edit.azimuth_deg, "tilt_deg": edit.tilt_deg}
                plan = replace(plan, lighting=aim_light(plan.lighting, edit.light_id, **turned))
            case RemoveLight():
                plan = replace(plan, lighting=remove_light(plan.lighting, edit.light_id))
            case _:
                _make(draft, edit, site)
    return change_plan(plan, draft, site, edited_from=edited_from, before=before)


def _make(draft: Draft, edit: Edit, site: Site) -> None:
    match edit:
        case MoveMount():
            x, y = _place(edit.lon, edit.lat, site)
            k = draft.mount(edit.mount_id)
            draft.mounts[k] = replace(draft.mounts[k], x=x, y=y)
        case SetStructure():
            k = draft.mount(edit.mount_id)
            _structure(edit.structure, site, draft.name)
            draft.mounts[k] = replace(draft.mounts[k], structure=edit.structure)
        case AddMount():
            _add_mount(draft, edit, site)
        case RemoveMount():
            del draft.mounts[draft.mount(edit.mount_id)]
            draft.devices[:] = [row for row in draft.devices if row.mount_id != edit.mount_id]
        case AimDevice():
            _aim(draft, edit)
        case SetHeight():
            k = draft.device(edit.device_id)
            draft.devices[k] = replace(draft.devices[k], height_m=edit.height_m)
        case SetModel():
            k = draft.device(edit.device_id)
            model = _model(edit.model, site, draft.name)
            focal = draft.devices[k].focal_mm if edit.focal_mm is None else edit.focal_mm
            if edit.focal_mm is None:
                focal = _nearest_focal(model, focal)
            draft.devices[k] = replace(
                draft.devices[k], model=model.id, kind=model.kind, focal_mm=focal
            )
        case AddDevice():
            _add_device(draft, edit, site)
        case RemoveDevice():
            del draft.devices[draft.device(edit.device_id)]


def _aim(draft: Draft, edit: AimDevice) -> None:
    k = draft.device(edit.device_id)
    values = {
        name: value
        for name in ("azimuth_deg", "tilt_deg", "focal_mm")
        if (value := getattr(edit, name)) is not None
    }
    if "azimuth_deg" in values:
        values["azimuth_deg"] %= 360.0
    draft.devices[k] = replace(draft.devices[k], **values)


def _add_mount(draft: Draft, edit: AddMount, site: Site) -> None:
    _structure(edit.structure, site, draft.name)
    x, y = _place(edit.lon, edit.lat, site)
    name = next_id("M", (row.mount_id for row in draft.mounts))
    structure = site.catalogue.structures[edit.structure]
    draft.mounts.append(
        MountRow(
            -1, x, y, name, edit.name or name, structure.id, structure.kind, structure.height_m
        )
    )


def _add_device(draft: Draft, edit: AddDevice, site: Site) -> None:
    model = _model(edit.model, site, draft.name)
    mount = draft.mounts[draft.mount(edit.mount_id)]
    focal = model.focal_min_mm if edit.focal_mm is None else edit.focal_mm
    draft.devices.append(
        DeviceRow(
            row=-1,
            x=mount.x,
            y=mount.y,
            device_id=next_id("D", (row.device_id for row in draft.devices)),
            mount_id=mount.mount_id,
            model=model.id,
            kind=model.kind,
            height_m=mount.height_m if edit.height_m is None else edit.height_m,
            azimuth_deg=edit.azimuth_deg % 360.0,
            tilt_deg=edit.tilt_deg,
            focal_mm=focal,
        )
    )


def _place(lon: float, lat: float, site: Site) -> tuple[float, float]:
    """A place of the map in the site's CRS."""
    x, y = Transformer.from_crs(4326, site.crs, always_xy=True).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise PlanError(
            "the project's coordinates do not reach there",
            where=f"{lon:.5f}, {lat:.5f}",
            mend="choose a place near the line",
        )
    return float(x), float(y)


def _structure(key: str, site: Site, plan: str) -> None:
    known = site.catalogue.structures
    if key not in known:
        raise PlanError(
            f"the catalogue has no mast or tower '{key}'", where=plan, mend=suggest(key, known)
        )


def _model(key: str, site: Site, plan: str) -> Device:
    known = site.catalogue.devices
    if key not in known:
        raise PlanError(
            f"the catalogue has no device '{key}'", where=plan, mend=suggest(key, known)
        )
    return known[key]


def _nearest_focal(model: Device, focal_mm: float) -> float:
    """The lens of a model that is nearest to another focal length."""
    if not math.isfinite(focal_mm):
        return model.focal_min_mm
    return min(max(focal_mm, model.focal_min_mm), model.focal_max_mm)
