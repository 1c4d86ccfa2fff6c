"""Make a plan of what a person left in a plan file: who hangs where, with which price.

The rules, in the order in which they are applied:

1. Rows without an id get the next free one; of rows that share an id (copies) all but one do.
2. A mount that was dragged takes along those of its devices that were left where they were.
3. A device belongs to the mount that it names if that stands within :data:`NEAR_M`; else to the
   nearest mount within that distance; else a new mount is set up under it, of the structure that
   it hung on before, or of the one whose height fits.
4. Kinds, heights, fields of view and prices follow from the catalogue where the project is known.

What was changed without being asked for is said in the notes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from watchline.io.plan_check import (
    NEAR_M,
    SAME_HEIGHT_M,
    SAME_PLACE_M,
    Edit,
    Written,
    check_devices,
    check_places,
    check_structures,
    set_heights,
    set_prices,
    stands_still,
)
from watchline.io.plan_tables import DeviceRow, MountRow
from watchline.model.catalogue import Structure
from watchline.model.site import Site


def settle(edit: Edit) -> None:
    """Apply all rules; afterwards rows, notes and faults are complete."""
    check_places(edit)
    origin = _name_mounts(edit)
    _name_devices(edit)
    check_structures(edit, origin)
    check_devices(edit)
    _drag_along(edit, origin)
    _hang(edit, origin)
    set_heights(edit)
    set_prices(edit)
    _note_empty_mounts(edit)


def _name_mounts(edit: Edit) -> dict[str, str]:
    """Give each mount its own id; returns what each id was before."""
    order = _originals_first(edit.mounts, [m.mount_id for m in edit.mounts], edit.written_mounts)
    taken = {mount.mount_id for mount in edit.mounts if mount.mount_id}
    seen: set[str] = set()
    origin: dict[str, str] = {}
    for k in order:
        mount = edit.mounts[k]
        name = mount.mount_id
        if not name or name in seen:
            name = next_id("M", taken)
            edit.notes.append(
                f"mount {name}: new in row {mount.row}"
                + (f", a copy of {mount.mount_id}" if mount.mount_id else "")
            )
        taken.add(name)
        seen.add(name)
        origin[name] = mount.mount_id
        label = mount.name if mount.name or name in edit.written_mounts else name
        edit.mounts[k] = replace(mount, mount_id=name, name=label)
    return origin


def _name_devices(edit: Edit) -> None:
    order = _originals_first(
        edit.devices, [d.device_id for d in edit.devices], edit.written_devices
    )
    taken = {device.device_id for device in edit.devices if device.device_id}
    seen: set[str] = set()
    for k in order:
        device = edit.devices[k]
        name = device.device_id
        if not name or name in seen:
            name = next_id("D", taken)
            edit.notes.append(
                f"device {name}: new in row {device.row}"
                + (f", a copy of {device.device_id}" if device.device_id else "")
            )
        taken.add(name)
        seen.add(name)
        edit.devices[k] = replace(device, device_id=name)


def _originals_first(rows: list[Any], ids: list[str], written: Written) -> list[int]:
    """Row numbers so that of rows with one id the one nearest its written place comes first."""

    def key(k: int) -> tuple[float, int]:
        old = written.get(ids[k])
        moved = 0.0 if old is None else math.hypot(rows[k].x - old["x"], rows[k].y - old["y"])
        return moved, k

    return sorted(range(len(rows)), key=key)


def next_id(prefix: str, taken: Iterable[str]) -> str:
    """The next free id of the form prefix and number, e.g. ``D035`` after ``D034``."""
    pattern = re.compile(rf"{re.escape(prefix)}(\d+)")
    matches = (pattern.fullmatch(name) for name in taken)
    numbers = [int(match.group(1)) for match in matches if match]
    return f"{prefix}{max(numbers, default=0) + 1:03d}"


def _drag_along(edit: Edit, origin: Mapping[str, str]) -> None:
    """Devices that were left behind by a dragged mount move with it."""
    for mount in edit.mounts:
        old = edit.written_mounts.get(mount.mount_id)
        if old is None or origin[mount.mount_id] != mount.mount_id:
            continue
        dx, dy = mount.x - old["x"], mount.y - old["y"]
        if math.hypot(dx, dy) <= SAME_PLACE_M:
            continue
        moved = 0
        for k, device in enumerate(edit.devices):
            if device.mount_id == mount.mount_id and _left_alone(edit, device):
                edit.devices[k] = replace(device, x=device.x + dx, y=device.y + dy)
                moved += 1
        text = f"mount {mount.mount_id}: moved by {math.hypot(dx, dy):.1f} m"
        edit.notes.append(text + (f", with the {moved} devices left on it" if moved else ""))


def _left_alone(edit: Edit, device: DeviceRow) -> bool:
    """Whether a device stands where the program put it, on the mount that the program gave it."""
    old = edit.written_devices.get(device.device_id)
    return (
        old is not None
        and old["mount_id"] == device.mount_id
        and math.hypot(device.x - old["x"], device.y - old["y"]) <= SAME_PLACE_M
    )


def _hang(edit: Edit, origin: Mapping[str, str]) -> None:
    """Find the mount of each device, or set one up under it."""
    moved_from: dict[str, str] = dict(origin)
    for k, device in enumerate(edit.devices):
        own = [m for m in edit.mounts if moved_from[m.mount_id] == device.mount_id != ""]
        own += [m for m in edit.mounts if m.mount_id == device.mount_id and m not in own]
        named = next((m for m in own if m.mount_id == device.mount_id), None)
        if named is not None and _left_alone(edit, device) and stands_still(edit, named):
            continue
        near = _nearest(own, device) or _nearest(edit.mounts, device)
        if near is not None:
            if near.mount_id != device.mount_id:
                edit.notes.append(
                    f"device {device.device_id}: hangs on {near.mount_id} now, the mount where it "
                    "stands"
                )
            edit.devices[k] = replace(device, mount_id=near.mount_id)
            continue
        if device.mount_id and named is None:
            if not any("layer mounts" in fault.where for fault in edit.faults.found):
                edit.faults.add(
                    f"its mount '{device.mount_id}' is not in the layer mounts",
                    f"delete the device too, or draw a mount within {NEAR_M:g} m of it",
                    layer="devices",
                    row=device,
                )
            continue
        new = _moved_mount(edit, device, named) if named else _own_mount(edit, device)
        if new is None:
            continue
        moved_from[new.mount_id] = device.mount_id
        edit.mounts.append(new)
        edit.devices[k] = replace(device, mount_id=new.mount_id)


def _nearest(mounts: Iterable[MountRow], device: DeviceRow) -> MountRow | None:
    """The nearest mount within reach of a device; of equally near ones the first by id."""
    reached = [
        (math.hypot(mount.x - device.x, mount.y - device.y), mount.mount_id, mount)
        for mount in mounts
    ]
    reached = [entry for entry in reached if entry[0] <= NEAR_M]
    return min(reached, key=lambda entry: entry[:2])[2] if reached else None


def _moved_mount(edit: Edit, device: DeviceRow, old: MountRow) -> MountRow:
    """A mount like the one that a device was moved away from."""
    taken = {mount.mount_id for mount in edit.mounts}
    name, number = f"{old.mount_id}-moved", 2
    while name in taken:
        name, number = f"{old.mount_id}-moved-{number}", number + 1
    distance = math.hypot(device.x - old.x, device.y - old.y)
    edit.notes.append(
        f"device {device.device_id}: moved {distance:.1f} m off {old.mount_id}, so it stands on a "
        f"new mount {name} of the same structure"
        + ("" if edit.site else ", counted at that mount's price, read without its project")
    )
    return replace(
        old,
        row=-1,
        mount_id=name,
        name=f"{old.name} (moved)",
        x=device.x,
        y=device.y,
        s=math.nan,
        t=math.nan,
        ground_z=math.nan,
        existing=False,
    )


def _own_mount(edit: Edit, device: DeviceRow) -> MountRow | None:
    """A new mount under a device that has none, of the structure whose height fits."""
    structure = None if edit.site is None else _fitting(edit.site, device)
    if structure is None:
        edit.faults.add(
            f"it has no mount_id, and no mount stands within {NEAR_M:g} m",
            "draw a mount there"
            + (", or name the project" if edit.site is None else " that can carry it"),
            layer="devices",
            row=device,
        )
        return None
    name = next_id("M", (mount.mount_id for mount in edit.mounts))
    edit.notes.append(
        f"device {device.device_id}: stands alone, so it gets a new mount {name} ({structure.name})"
    )
    return MountRow(
        row=-1,
        x=device.x,
        y=device.y,
        mount_id=name,
        name=f"{structure.name} for {device.device_id}",
        structure=structure.id,
        kind=structure.kind,
        height_m=structure.height_m,
    )


def _fitting(site: Site, device: DeviceRow) -> Structure | None:
    """The offered structure nearest in height that can carry a device; the cheaper of two."""
    offered = [site.catalogue.structures[key] for key in site.candidates.structures]
    if device.kind == "observer":
        offered = [structure for structure in offered if structure.kind == "tower"]
    height = device.height_m
    if math.isfinite(height):
        offered = [s for s in offered if s.height_m >= height - SAME_HEIGHT_M]
    return min(offered, key=lambda s: (s.height_m, s.price, s.id), default=None)


def _note_empty_mounts(edit: Edit) -> None:
    carried = Counter(device.mount_id for device in edit.devices)
    before = {old["mount_id"] for old in edit.written_devices.values()}
    for mount in edit.mounts:
        if not carried[mount.mount_id] and mount.mount_id in before:
            edit.notes.append(
                f"mount {mount.mount_id}: carries no device now; delete its row to save its price"
            )
