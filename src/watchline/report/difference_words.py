"""What changed between two plans, in words: a line for each change."""

from __future__ import annotations

from watchline.report.difference import (
    SAME_DEG,
    SAME_M,
    SAME_MM,
    DeviceChange,
    MountChange,
    PlanDifference,
)
from watchline.report.words import claim_figure, degrees, metres, money


def difference_lines(difference: PlanDifference) -> list[str]:
    """The difference in words, a line for each change.

    Parameters
    ----------
    difference : PlanDifference
        What to tell.
    """
    currency = difference.currency
    head = f"{difference.before} → {difference.after}: "
    if difference.same:
        return [head + "no difference"]
    lines = [
        head
        + f"{money(difference.cost_before, currency)} → {money(difference.cost_after, currency)}"
        f" ({_signed(difference.cost, currency)})"
    ]
    lines += [_mount_line(change, currency) for change in difference.mounts]
    lines += [_device_line(change, currency) for change in difference.devices]
    for claim in difference.claims:
        old = f"{claim.verdict_before} ({claim_figure(claim.value_before, claim.unit)})"
        new = f"{claim.verdict_after} ({claim_figure(claim.value_after, claim.unit)})"
        name = claim.requirement
        if not claim.verdict_before:
            lines.append(f"claim '{name}': new, {new}")
        elif not claim.verdict_after:
            lines.append(f"claim '{name}': no longer made, was {old}")
        else:
            lines.append(f"claim '{name}': {old} → {new}")
    return lines


def _signed(cost: float, currency: str) -> str:
    return ("+" if cost > 0 else "") + money(cost, currency)


def _mount_line(change: MountChange, currency: str) -> str:
    place = f"s = {metres(change.s)}"
    price = _signed(change.cost, currency)
    if change.change != "changed":
        structure = change.structure_after or change.structure_before
        key = change.after or change.before
        return f"mount {key} {change.change}: {structure} at {place}, {price}"
    told = []
    if change.before != change.after:
        told.append(f"was {change.before}")
    if change.moved_m > SAME_M:
        told.append(f"moved {metres(change.moved_m, 1)}")
    if change.structure_before != change.structure_after:
        told.append(f"{change.structure_before} → {change.structure_after}")
    return f"mount {change.after} changed at {place}: {', '.join([*told, price])}"


def _device_line(change: DeviceChange, currency: str) -> str:
    price = _signed(change.cost, currency)
    if change.change != "changed":
        key, mount = change.after or change.before, change.mount_after or change.mount_before
        model = change.model_after or change.model_before
        return f"device {key} {change.change}: {model} on {mount}, {price}"
    told = []
    if change.before != change.after:
        told.append(f"was {change.before}")
    if change.model_before != change.model_after:
        told.append(f"{change.model_before} → {change.model_after}")
    if change.moved_m > SAME_M:
        told.append(f"moved {metres(change.moved_m, 1)}")
    if change.mount_before != change.mount_after:
        told.append(f"mount {change.mount_before} → {change.mount_after}")
    if abs(change.raised_m) > SAME_M:
        told.append(f"raised {metres(change.raised_m, 1)}")
    if abs(change.turned_deg) > SAME_DEG:
        told.append(f"turned {degrees(change.turned_deg, 1)}")
    if abs(change.tilted_deg) > SAME_DEG:
        told.append(f"tilted {degrees(change.tilted_deg, 1)}")
    if abs(change.focal_mm) > SAME_MM:
        told.append(f"focal length {change.focal_mm:+g} mm")
    if abs(change.cost) >= 0.005:
        told.append(price)
    return f"device {change.after} changed: {', '.join(told)}"
