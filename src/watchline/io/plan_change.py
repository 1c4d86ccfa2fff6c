"""A plan taken apart into rows, changed, and put together by the rules of an edited plan file.

An edit made in a program thereby means what the same edit means when it is made in QGIS:
:mod:`watchline.io.plan_edit` settles both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from watchline.errors import PlanError
from watchline.geo.chainage import to_chainage
from watchline.io.light_change import edited_lighting
from watchline.io.plan import rows_frame
from watchline.io.plan_check import SAME_HEIGHT_M, SAME_PLACE_M, Edit
from watchline.io.plan_edit import settle
from watchline.io.plan_tables import DeviceRow, Faults, MountRow
from watchline.model.lighting import Lighting
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan, plan_digest
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.version import __version__


@dataclass
class Draft:
    """The rows of a plan, free to be changed.

    Attributes
    ----------
    name : str
        Name of the plan, for messages.
    mounts, devices : list
        Its rows.
    """

    name: str
    mounts: list[MountRow]
    devices: list[DeviceRow]

    def mount(self, mount_id: str) -> int:
        """Number of a mount's row.

        Raises
        ------
        PlanError
            The plan has no such mount.
        """
        return _find(self.name, "mount", mount_id, [row.mount_id for row in self.mounts])

    def device(self, device_id: str) -> int:
        """Number of a device's row.

        Raises
        ------
        PlanError
            The plan has no such device.
        """
        return _find(self.name, "device", device_id, [row.device_id for row in self.devices])


def _find(plan: str, what: str, name: str, names: list[str]) -> int:
    if name not in names:
        raise PlanError(
            f"it has no {what} '{name}'", where=plan, mend="load the plan again: it was edited"
        )
    return names.index(name)


def draft_of(plan: Plan) -> Draft:
    """The rows of a plan."""
    return Draft(plan.name, _rows(plan.mounts, MountRow), _rows(plan.devices, DeviceRow))


def _rows(frame: gpd.GeoDataFrame, kind: type[Any]) -> list[Any]:
    names = [field.name for field in fields(kind) if field.name in frame.columns]
    columns = [frame[name].tolist() for name in names]
    x, y = frame.geometry.x.tolist(), frame.geometry.y.tolist()
    return [
        kind(
            k, x[k], y[k], **{name: column[k] for name, column in zip(names, columns, strict=True)}
        )
        for k in range(len(frame))
    ]


def change_plan(
    plan: Plan, draft: Draft, site: Site, *, edited_from: str, before: Draft | None = None
) -> tuple[Plan, tuple[str, ...]]:
    """The plan that changed rows make.

    Parameters
    ----------
    plan : Plan
        The plan before.
    draft : Draft
        Its rows after the change; they are settled in place.
    site : Site
        The project.
    edited_from : str
        Digest of the plan that the editing began with.
    before : Draft, optional
        The plan's own rows, where they were read already.

    Returns
    -------
    plan : Plan
        Status ``edited``, without a bound.
    notes : tuple of str
        What followed from the change without being asked for.

    Raises
    ------
    PlanError, ManyFaults
        The change is not possible; each fault in a sentence.
    """
    faults = Faults(draft.name)
    before = draft_of(plan) if before is None else before
    edit = Edit(
        mounts=draft.mounts,
        devices=draft.devices,
        written_mounts={row.mount_id: vars(row) for row in before.mounts},
        written_devices={row.device_id: vars(row) for row in before.devices},
        site=site,
        faults=faults,
    )
    settle(edit)
    lighting = _lights_along(plan.lighting, before.mounts, edit, site)
    faults.raise_if_any()
    mounts = rows_frame(edit.mounts, PLAN_MOUNT_COLUMNS, plan.crs)
    devices = rows_frame(edit.devices, PLAN_DEVICE_COLUMNS, plan.crs)
    changed = Plan(
        name=plan.name,
        crs=plan.crs,
        mounts=mounts,
        devices=devices,
        cost=round(math.fsum([*mounts["cost"], *devices["cost"]]), 6),
        lower_bound=None,
        currency=site.catalogue.currency,
        status="edited",
        lighting=lighting,
        posts=plan.posts,
        provenance=Provenance({"edited_from": edited_from}, plan.provenance.seed, __version__),
    )
    return changed, tuple(edit.notes)


def renamed(plan: Plan, name: str) -> Plan:
    """A plan as the beginning of a version of that name.

    It states no bound and tells nothing of a search: these are the computed plan's.
    """
    known = plan.provenance.inputs.get("edited_from")
    origin = known if plan.status == "edited" and known else plan_digest(plan)
    return Plan(
        name=name,
        crs=plan.crs,
        mounts=plan.mounts,
        devices=plan.devices,
        cost=plan.cost,
        lower_bound=None,
        currency=plan.currency,
        status="edited",
        notes=plan.notes if plan.status == "edited" else (),
        lighting=plan.lighting,
        posts=plan.posts,
        provenance=Provenance({"edited_from": origin}, plan.provenance.seed, __version__),
    )


def _lights_along(
    lighting: Lighting | None, before: list[MountRow], edit: Edit, site: Site
) -> Lighting | None:
    """The lights after a change: those on a mast go with it, and come down with it."""
    if lighting is None or not len(lighting.poles):
        return lighting
    poles, lights = lighting.poles, lighting.lights
    after = {row.mount_id: row for row in edit.mounts}
    gone: list[str] = []
    moves: dict[str, tuple[float, float]] = {}
    for old in before:
        own = poles.loc[poles["mount_id"] == old.mount_id, "pole_id"].tolist()
        if not own:
            continue
        new = after.get(old.mount_id)
        if new is None:
            gone += own
            continue
        highest = float(lights.loc[lights["pole_id"].isin(own), "height_m"].max())
        if highest > new.height_m + SAME_HEIGHT_M:
            edit.faults.add(
                f"a light hangs on it at {highest:g} m, above the top of '{new.structure}'",
                "choose a structure of that height, or plan the lights again",
                layer="mounts",
                row=new,
            )
        dx, dy = new.x - old.x, new.y - old.y
        if math.hypot(dx, dy) > SAME_PLACE_M:
            moves |= dict.fromkeys(own, (dx, dy))
    if not gone and not moves:
        return lighting
    if gone:
        poles, lights = (
            frame[~frame["pole_id"].isin(gone)].reset_index(drop=True) for frame in (poles, lights)
        )
    poles, lights = (_shifted(frame, moves, site) for frame in (poles, lights))
    return edited_lighting(lighting, poles, lights)


def _shifted(
    frame: gpd.GeoDataFrame, moves: dict[str, tuple[float, float]], site: Site
) -> gpd.GeoDataFrame:
    """Poles or lights moved, with their chainages."""
    if not moves:
        return frame
    step = np.array([moves.get(str(name), (0.0, 0.0)) for name in frame["pole_id"]]).reshape(-1, 2)
    moved = frame.set_geometry(
        gpd.GeoSeries(
            shapely.points(frame.geometry.x + step[:, 0], frame.geometry.y + step[:, 1]),
            crs=frame.crs,
        )
    )
    s, t, _ = to_chainage(
        site.line, moved.geometry.x.to_numpy(float), moved.geometry.y.to_numpy(float)
    )
    far = np.hypot(step[:, 0], step[:, 1]) > 0
    return moved.assign(
        s=np.where(far, s, frame["s"].to_numpy(float)),
        t=np.where(far, t, frame["t"].to_numpy(float)),
    )
