"""What the catalogue, the line and the road say of the rows of an edited plan file.

Every check keeps its fault and goes on, so that one reading shows all that is to mend.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely

from watchline.design.propose import mount_cost
from watchline.geo.chainage import to_chainage
from watchline.io.plan_tables import DeviceRow, Faults, MountRow
from watchline.model.site import Site
from watchline.physics.field import whole_field_deg

NEAR_M = 2.0
"""A device hangs on a mount that stands this near."""
SAME_PLACE_M = 1e-3
SAME_CHAINAGE_M = 0.01
SAME_HEIGHT_M = 0.01
SAME_PRICE = 0.005
FIELD_DECIMALS = 3
FAR_M = 50_000.0
"""Farther from the line than this a row belongs to another project, or its CRS is wrong."""
Written = Mapping[str, Mapping[str, Any]]


@dataclass
class Edit:
    """What the rules work on.

    Attributes
    ----------
    mounts, devices : list
        The rows, replaced as the rules are applied.
    written_mounts, written_devices : mapping
        The rows by id as the program wrote them, to tell what a person changed.
    site : Site or None
        The project, for its catalogue, line and road.
    faults : Faults
        Takes what is wrong.
    notes : list of str
        Takes what was settled.
    """

    mounts: list[MountRow]
    devices: list[DeviceRow]
    written_mounts: Written
    written_devices: Written
    site: Site | None
    faults: Faults
    notes: list[str] = field(default_factory=list)


def stands_still(edit: Edit, mount: MountRow) -> bool:
    """Whether a mount stands where the program put it."""
    old = edit.written_mounts.get(mount.mount_id)
    return old is not None and math.hypot(mount.x - old["x"], mount.y - old["y"]) <= SAME_PLACE_M


def check_places(edit: Edit) -> None:
    """Refuse rows that lie so far from the line that they cannot belong to it."""
    if edit.site is None:
        return
    for layer, rows in (("mounts", edit.mounts), ("devices", edit.devices)):
        points = shapely.points([(row.x, row.y) for row in rows]) if rows else np.empty(0)
        far = shapely.distance(points, edit.site.line) > FAR_M
        if len(rows) > 1 and far.all():
            edit.faults.add(
                f"all its rows lie more than {FAR_M / 1000:.0f} km from the line",
                "take the plan of this project, or correct the layer's CRS",
                layer=layer,
            )
            continue
        for row in (row for row, is_far in zip(rows, far, strict=True) if is_far):
            edit.faults.add(
                f"it lies more than {FAR_M / 1000:.0f} km from the line",
                "move it to its place, or delete the row",
                layer=layer,
                row=row,
            )


def check_structures(edit: Edit, origin: Mapping[str, str]) -> None:
    """Kind and height of each mount from its structure."""
    for k, mount in enumerate(edit.mounts):
        if not mount.structure:
            edit.faults.add(
                "structure is empty",
                "write the key of a mast or tower of the catalogue",
                layer="mounts",
                row=mount,
            )
            continue
        if edit.site is None:
            _need(edit, "mounts", mount, ("kind", "height_m", "cost"))
            continue
        structure = edit.site.catalogue.structures.get(mount.structure)
        if structure is None:
            edit.faults.add(
                f"the catalogue has no mast or tower '{mount.structure}'",
                suggest(mount.structure, edit.site.catalogue.structures),
                layer="mounts",
                row=mount,
            )
            continue
        old = edit.written_mounts.get(origin[mount.mount_id], {})
        untouched = math.isnan(mount.height_m) or mount.height_m == old.get("height_m")
        if not untouched and abs(mount.height_m - structure.height_m) > SAME_HEIGHT_M:
            edit.faults.add(
                f"height_m {mount.height_m:g} is not that of '{structure.id}' "
                f"({structure.height_m:g} m)",
                f"write {structure.height_m:g}, or choose a structure of that height",
                layer="mounts",
                row=mount,
            )
        edit.mounts[k] = replace(mount, kind=structure.kind, height_m=structure.height_m)


def check_devices(edit: Edit) -> None:
    """Model, aim and lens of each device; field of view where the lens changed."""
    for k, device in enumerate(edit.devices):
        checked = _check_aim(edit, device)
        if not device.model:
            edit.faults.add(
                "model is empty",
                "write the key of a device of the catalogue",
                layer="devices",
                row=device,
            )
        elif edit.site is not None:
            checked = _check_lens(edit, checked, edit.site)
        else:
            _need(edit, "devices", checked, ("kind", "focal_mm", "hfov_deg", "vfov_deg", "cost"))
            old = edit.written_devices.get(device.device_id)
            if old and (device.model, device.focal_mm) != (old["model"], old["focal_mm"]):
                edit.notes.append(
                    f"device {device.device_id}: its model or lens was changed, but its field of "
                    "view and price stay as they are in the file, read without its project"
                )
        edit.devices[k] = checked


def _check_aim(edit: Edit, device: DeviceRow) -> DeviceRow:
    looks_round = device.kind == "observer"
    if edit.site is not None and device.model in edit.site.catalogue.devices:
        looks_round = edit.site.catalogue.devices[device.model].kind == "observer"
    for column, low, high, hint in (
        ("azimuth_deg", 0.0, 360.0, "write degrees clockwise from grid north, 0 to 360"),
        ("tilt_deg", -90.0, 90.0, "write degrees below the horizontal, -90 to 90"),
    ):
        value = getattr(device, column)
        if math.isnan(value) and looks_round:
            device = replace(device, **{column: 0.0})
        elif math.isnan(value):
            edit.faults.add(f"{column} is empty", hint, layer="devices", row=device)
        elif math.isfinite(value) and not low <= value <= high:
            edit.faults.add(
                f"{column} {value:g} is out of range", hint, layer="devices", row=device
            )
    return replace(device, azimuth_deg=0.0) if device.azimuth_deg == 360.0 else device


def _check_lens(edit: Edit, device: DeviceRow, site: Site) -> DeviceRow:
    model = site.catalogue.devices.get(device.model)
    if model is None:
        edit.faults.add(
            f"the catalogue has no device '{device.model}'",
            suggest(device.model, site.catalogue.devices),
            layer="devices",
            row=device,
        )
        return device
    focal, least, most = device.focal_mm, model.focal_min_mm, model.focal_max_mm
    if model.is_person or (math.isnan(focal) and least == most):
        focal = least
    if math.isnan(focal):
        edit.faults.add(
            "focal_mm is empty", f"write {least:g} to {most:g}", layer="devices", row=device
        )
        return replace(device, kind=model.kind)
    slack = 1e-6 * max(most, 1.0)
    if math.isfinite(focal) and not least - slack <= focal <= most + slack:
        edit.faults.add(
            f"focal_mm {focal:g} is outside the lens of '{model.id}'",
            f"write {least:g} to {most:g}" if most > least else f"write {least:g}",
            layer="devices",
            row=device,
        )
        return replace(device, kind=model.kind)
    if math.isinf(focal):
        return device
    device = replace(device, kind=model.kind, focal_mm=focal)
    old = edit.written_devices.get(device.device_id, {})
    columns = ("model", "focal_mm", "hfov_deg", "vfov_deg")
    if any(getattr(device, column) != old.get(column) for column in columns):
        horizontal, vertical = whole_field_deg(model, focal)
        device = replace(
            device,
            hfov_deg=round(horizontal, FIELD_DECIMALS),
            vfov_deg=round(vertical, FIELD_DECIMALS),
        )
    return device


def _need(edit: Edit, layer: str, row: MountRow | DeviceRow, columns: tuple[str, ...]) -> None:
    """Without the project nothing can be derived: every figure must be in the file."""
    for column in columns:
        value = getattr(row, column)
        if value == "" or (isinstance(value, float) and math.isnan(value)):
            edit.faults.add(
                f"{column} is empty", "fill it in, or name the project", layer=layer, row=row
            )


def set_heights(edit: Edit) -> None:
    """Height of each device: its own if a person gave one, else that of its mount."""
    by_id = {mount.mount_id: mount for mount in edit.mounts}
    for k, device in enumerate(edit.devices):
        mount = by_id.get(device.mount_id)
        if mount is None or math.isinf(device.height_m) or not math.isfinite(mount.height_m):
            continue
        old = edit.written_devices.get(device.device_id, {})
        old_mount = edit.written_mounts.get(old.get("mount_id", ""), {})
        # It hung at the top of a mount and nobody gave it another height: it still does.
        at_top = device.height_m == old.get("height_m") == old_mount.get("height_m", math.nan)
        if math.isnan(device.height_m) or at_top:
            edit.devices[k] = replace(device, height_m=mount.height_m)
        elif not 0 < device.height_m <= mount.height_m + SAME_HEIGHT_M:
            edit.faults.add(
                f"height_m {device.height_m:g} is not between the ground and the top of its mount "
                f"{mount.mount_id} ({mount.height_m:g} m)",
                "lower it, or choose a higher structure",
                layer="devices",
                row=device,
            )


def set_prices(edit: Edit) -> None:
    """Chainage and price of each row by the project's line, road and catalogue."""
    if edit.site is None:
        return
    site, catalogue = edit.site, edit.site.catalogue
    x = np.array([mount.x for mount in edit.mounts])
    y = np.array([mount.y for mount in edit.mounts])
    s, t, _ = to_chainage(site.line, x, y)
    trench = shapely.distance(shapely.points(x, y), site.road.centreline)
    for k, mount in enumerate(edit.mounts):
        structure = catalogue.structures.get(mount.structure)
        if structure is None:
            continue
        price, existing = structure.price, False
        if mount.existing:
            reuse = _reuse_price(site, mount)
            price, existing = (structure.price, False) if reuse is None else (reuse, True)
            if not existing:
                edit.notes.append(
                    f"mount {mount.mount_id}: no mount of the project stands there already, so it "
                    "is counted as new"
                )
        cost = mount_cost(price, float(trench[k]), catalogue.services)
        moved = bool(edit.written_mounts) and not stands_still(edit, mount)
        near_s = abs(mount.s - s[k]) <= SAME_CHAINAGE_M and abs(mount.t - t[k]) <= SAME_CHAINAGE_M
        edit.mounts[k] = replace(
            mount,
            s=mount.s if near_s else float(s[k]),
            t=mount.t if near_s else float(t[k]),
            ground_z=math.nan if moved else mount.ground_z,
            cost=mount.cost if abs(mount.cost - cost) <= SAME_PRICE else cost,
            existing=existing,
        )
    for k, device in enumerate(edit.devices):
        model = catalogue.devices.get(device.model)
        if model is not None and not abs(device.cost - model.price) <= SAME_PRICE:
            edit.devices[k] = replace(device, cost=model.price)


def _reuse_price(site: Site, mount: MountRow) -> float | None:
    """Price of using what stands there already, None where nothing of that structure does."""
    for own in site.existing_mounts:
        near = math.hypot(own.x - mount.x, own.y - mount.y) <= NEAR_M
        if near and own.structure == mount.structure:
            return own.reuse_cost
    return None


def suggest(word: str, known: Iterable[str]) -> str:
    """A mend for a key that is unknown: the nearest ones, or all."""
    keys = sorted(known)
    close = difflib.get_close_matches(word, keys, n=3, cutoff=0.5)
    return "take one of: " + ", ".join(close or keys[:20]) if keys else "fill the catalogue"
