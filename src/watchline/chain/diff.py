"""Compare two plan files, with their proofs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Progress
from watchline.chain.prove import project_of
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.prove.proof import prove_plan
from watchline.report.difference import DeviceChange, PlanDifference, compare_plans


def compare_files(
    before: Path, after: Path, project: Path | None, progress: Progress
) -> PlanDifference:
    """Read and prove two plans of one project, and compare them."""
    progress.step("site")
    site = read_site(project or project_of(after))
    run = open_run(site, progress)
    progress.step("terrain")
    terrain = terrain_of(site, run)
    plans = [read_plan(file, site=site) for file in (before, after)]
    proofs = []
    for plan in plans:
        progress.step("proof", plan.name)
        proofs.append(prove_plan(site, terrain, plan, progress=progress.share))
    return compare_plans(*plans, *proofs)


def difference_data(difference: PlanDifference) -> dict[str, Any]:
    """The difference as plain data."""
    return asdict(difference)


def difference_lines(difference: PlanDifference) -> list[str]:
    """The difference in sentences, the cost first."""
    d = difference
    change = d.cost_after - d.cost_before
    lines = [
        f"{d.before} → {d.after}: cost {d.cost_before:,.0f} → {d.cost_after:,.0f} {d.currency} "
        f"({change:+,.0f})"
    ]
    for mount in d.mounts:
        name = mount.after or mount.before
        text = f"mount {name} at s = {mount.s:.0f} m: {mount.change}"
        if mount.moved_m > 0:
            text += f", moved {mount.moved_m:.1f} m"
        if mount.structure_before and mount.structure_before != mount.structure_after:
            text += f", {mount.structure_before} → {mount.structure_after or 'none'}"
        lines.append(text + f" ({mount.cost:+,.0f})")
    lines += [_device_line(device) for device in d.devices]
    lines += [
        f"claim '{claim.requirement}': {claim.verdict_before} → {claim.verdict_after}, "
        f"{claim.value_before:.2%} → {claim.value_after:.2%}"
        for claim in d.claims
    ]
    if len(lines) == 1:
        lines.append("nothing else differs")
    return lines


def _device_line(device: DeviceChange) -> str:
    name = device.after or device.before
    text = f"device {name} ({device.model_after or device.model_before}): {device.change}"
    if device.mount_before and device.mount_after and device.mount_before != device.mount_after:
        text += f", {device.mount_before} → {device.mount_after}"
    for value, what, unit in (
        (device.moved_m, "moved", "m"),
        (device.raised_m, "raised", "m"),
        (device.turned_deg, "turned", "°"),
        (device.tilted_deg, "tilted", "°"),
        (device.focal_mm, "zoomed", "mm"),
    ):
        if abs(value) > 1e-9:
            text += f", {what} {value:+.1f} {unit}"
    return text + f" ({device.cost:+,.0f})"
