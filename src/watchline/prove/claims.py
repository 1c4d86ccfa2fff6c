"""Claims: one for each requirement and limit, with verdict, witness and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely.geometry import Point

from watchline.errors import PlanError
from watchline.model.condition import DAY
from watchline.model.plan import Plan
from watchline.model.proof import Claim, Verdict, Witness
from watchline.model.site import Area, NoWatchArea, Requirement, Site
from watchline.prove.cells import Cells
from watchline.prove.explain import SEES, Asked, DeviceView, summarise
from watchline.prove.verdicts import COUNT_SLACK, judge_share, stretches
from watchline.prove.views import Judge

ANY_CONDITION = "any"
"""Condition of claims that light and weather do not change, or that hold for the worst of them."""
NO_WATCH_TARGET_M = 1.7
SIGHT_METHOD = (
    "Embree rays on the triangulated surface, full camera projection, cells of {cell:g} m"
)
TABLE_METHOD = "comparison of the plan with the catalogue and the site"
FIT_M = 1e-3
"""Devices may stand out of their structure, or lenses out of their range, by this (m, mm)."""

Explainer = Callable[[float, float, Asked], tuple[DeviceView, ...]]
"""(x, y, what a view must have) to the devices' views."""


def coverage_claim(
    requirement: Requirement,
    cells: Cells,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    explain: Explainer,
) -> Claim:
    """Judge one requirement.

    Parameters
    ----------
    requirement : Requirement
        What is asked.
    cells : Cells
        All cells.
    judge : Judge
        The views counted for it.
    unknown : bool array [cells]
        Cells whose ground is unknown.
    explain : callable
        Explains a place.

    Returns
    -------
    Claim
    """
    at, sure, most = requirement_state(requirement, judge, unknown)
    result = judge_share(sure, most, requirement.share)
    witness = _coverage_witness(requirement, cells, judge, unknown, explain)
    # Counts, not shares: one cell in 50,000 must not vanish in rounding.
    detail = (
        f"{round(result.lower * result.cells):,} of {result.cells:,} cells are seen at"
        f" {requirement.px_per_m:g} px/m or better by {mounts_in_words(requirement.views)}"
        f"{under(requirement)}{_lit(judge)}; asked: {requirement.share:.2%}"
    )
    if result.upper > result.lower:
        detail += f"; {round((result.upper - result.lower) * result.cells):,} are unknown"
    dim = int(_lost_to_condition(requirement, judge)[at[~most]].sum())
    if dim:
        detail += (
            f"; of those that are not, {dim:,} are in sight and dense enough, and are lost to the"
            f" light or the air of '{requirement.condition}'"
        )
    if result.cells == 0:
        detail = f"no cell of {cells.cell_m:g} m has its centre in '{requirement.where}'"
    return _claim(
        requirement,
        cells,
        result.verdict,
        (result.lower, result.upper, result.cells),
        witness,
        stretches(cells.s[at[~sure]], cells.cell_m),
        detail,
    )


def _lit(judge: Judge) -> str:
    """By whose light targets are seen, where lamps burn."""
    return ", by the plan's lights" if judge.lamp_lx.size > 1 else ""


def requirement_state(
    requirement: Requirement, judge: Judge, unknown: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Cells of a requirement, and which of them are surely, or at most, satisfied."""
    at = np.flatnonzero(judge.mask)
    sure = judge.sure[at] >= requirement.views
    return at, sure, sure | (judge.most[at] >= requirement.views) | unknown[at]


def no_watch_claim(
    area: NoWatchArea,
    cells: Cells,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    explain: Explainer,
) -> Claim:
    """Judge how much of a no-watch area is watched; its good cells are those not watched.

    Parameters
    ----------
    area : NoWatchArea
        The area and what is allowed.
    cells, judge, unknown, explain
        As in :func:`coverage_claim`.

    Returns
    -------
    Claim
        Shares are of cells that are *not* watched.
    """
    at, sure, most = no_watch_state(judge, unknown)
    target = 1.0 - area.allowed_share
    result = judge_share(sure, most, target)
    witness = None
    if at.size:
        # The worst: surely watched by most mounts, then best seen; else the first unknown cell.
        score = judge.sure[at] * 1e9 + judge.best[at] + np.where(sure, 0.0, 0.5)
        k = int(at[np.argmax(score)])
        asked = Asked(NO_WATCH_TARGET_M, area.px_per_m, 0.0)
        views = explain(cells.x[k], cells.y[k], asked)
        seeing = [f"{view.device_id} {view.why}" for view in views if view.reason == SEES]
        if unknown[k]:
            why = "unknown ground: no terrain data here"
        elif sure[np.argmax(score)]:
            why = "no device watches it"
        else:
            why = "; ".join(seeing) or (f"{views[0].device_id}: {views[0].why}" if views else "")
        witness = _witness(cells, k, float(judge.best[k]), why)
    how = f"at {area.px_per_m:g} px/m or better" if area.px_per_m > 0 else "at all"
    detail = (
        f"{round((1.0 - result.upper) * result.cells):,} of {result.cells:,} cells are surely"
        f" watched {how},"
        f" {round((1.0 - result.lower) * result.cells):,} at most; allowed:"
        f" {area.allowed_share:.2%}"
    )
    if result.cells == 0:
        detail = f"no cell of {cells.cell_m:g} m has its centre in '{area.name}'"
    return Claim(
        requirement=f"no-watch: {area.name}",
        kind="no_watch",
        where=area.name,
        condition=ANY_CONDITION,
        verdict=result.verdict,
        value=result.lower,
        lower=result.lower,
        upper=result.upper,
        target=target,
        binding=True,
        witness=witness,
        cells=result.cells,
        failing_chainages=stretches(cells.s[at[~sure]], cells.cell_m),
        method=SIGHT_METHOD.format(cell=cells.cell_m),
        detail=detail,
    )


def no_watch_state(
    judge: Judge, unknown: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Cells of a no-watch area, and which are surely, or at most, unwatched."""
    at = np.flatnonzero(judge.mask)
    return at, (judge.most[at] == 0) & ~unknown[at], (judge.sure[at] == 0) | unknown[at]


def exclusion_claim(area: Area, plan: Plan) -> Claim:
    """Judge whether a plan keeps out of an exclusion, with its mounts and its devices.

    Parameters
    ----------
    area : Area
        Where no mount may stand.
    plan : Plan
        The plan.
    """
    rows = [(str(r.mount_id), r.geometry, r.s, r.t) for r in plan.mounts.itertuples()]
    faults = [
        (f"mount {name} stands in '{area.name}'", point, s, t)
        for name, point, s, t in rows
        if area.polygon.intersects(point)
    ]
    where = {name: (s, t) for name, _, s, t in rows}
    faults += [
        (f"device {r.device_id} hangs in '{area.name}'", r.geometry, *where[str(r.mount_id)])
        for r in plan.devices.itertuples()
        if area.polygon.intersects(r.geometry)
    ]
    places = len(rows) + len(plan.devices)
    return _table_claim(f"exclusion: {area.name}", "exclusion", area.name, faults, places)


def capacity_claim(site: Site, plan: Plan) -> Claim:
    """Judge whether the structures can carry what hangs on them.

    No more devices than a structure carries less the places that are to stay free, none above its
    top, observers only in towers, and every lens within its range of focal lengths.

    Parameters
    ----------
    site : Site
        With the catalogue.
    plan : Plan
        The plan.

    Raises
    ------
    PlanError
        If a mount's structure is not in the catalogue.
    """
    faults = []
    # By plain rows: choosing rows of a table for each mount would cost more than the proof's rays.
    hung: dict[str, list[Any]] = {}
    for row in plan.devices.itertuples():
        hung.setdefault(str(row.mount_id), []).append(row)
    for mount in plan.mounts.itertuples():
        key = str(mount.structure)
        if key not in site.catalogue.structures:
            raise PlanError(
                f"structure '{key}' is not in the catalogue",
                where=f"{plan.name}: mount {mount.mount_id}",
                mend="name one of " + ", ".join(sorted(site.catalogue.structures)),
            )
        structure = site.catalogue.structures[key]
        spare = site.candidates.spare_capacity
        carried = hung.get(str(mount.mount_id), [])
        reasons = []
        if len(carried) > structure.capacity:
            reasons.append(f"it carries {len(carried)} devices, {structure.capacity} is its most")
        elif len(carried) > structure.capacity - spare:
            reasons.append(
                f"it carries {len(carried)} devices of at most {structure.capacity}, and {spare}"
                " places are to stay free"
            )
        for row in carried:
            device = site.catalogue.devices[str(row.model)]
            if device.is_person and structure.kind != "tower":
                reasons.append(f"observer {row.device_id} needs a tower")
            if row.height_m > structure.height_m + FIT_M:
                reasons.append(
                    f"{row.device_id} hangs at {row.height_m:g} m, its top is at"
                    f" {structure.height_m:g} m"
                )
            low, high = device.focal_min_mm - FIT_M, device.focal_max_mm + FIT_M
            if not device.is_person and not low <= row.focal_mm <= high:
                reasons.append(
                    f"{row.device_id} has {row.focal_mm:g} mm, its lens goes from"
                    f" {device.focal_min_mm:g} to {device.focal_max_mm:g} mm"
                )
        if reasons:
            why = f"mount {mount.mount_id}: " + "; ".join(reasons)
            faults.append((why, mount.geometry, mount.s, mount.t))
    return _table_claim("capacity of structures", "capacity", "mounts", faults, len(plan.mounts))


def _coverage_witness(
    requirement: Requirement,
    cells: Cells,
    judge: Judge,
    unknown: npt.NDArray[np.bool_],
    explain: Explainer,
) -> Witness | None:
    """The worst failing cell, else the first unknown one, else the tightest."""
    at, sure, most = requirement_state(requirement, judge, unknown)
    if at.size == 0:
        return None
    for group in (~most, most & ~sure, sure):
        if group.any():
            break
    chosen = at[group]
    dim = chosen[_lost_to_condition(requirement, judge)[chosen]]
    if group is not sure and 2 * dim.size >= chosen.size:
        chosen = dim  # the reason of most is told, and not what the first cell lacks besides
    k = int(chosen[np.lexsort((judge.best[chosen], judge.sure[chosen]))[0]])
    asked = Asked(
        requirement.target_height_m,
        requirement.px_per_m,
        requirement.time_share,
        requirement.condition,
    )
    views = explain(cells.x[k], cells.y[k], asked)
    if group is sure:
        why = (
            f"the tightest cell: seen from {mounts_in_words(int(judge.sure[k]))},"
            f" best {judge.best[k]:.1f} px/m"
        )
    elif unknown[k]:
        why = "unknown ground: no terrain data here"
    else:
        why = summarise(views, requirement.views) if views else "the plan has no device"
    return _witness(cells, k, float(judge.sure[k]), why)


def _lost_to_condition(requirement: Requirement, judge: Judge) -> npt.NDArray[np.bool_]:
    """Cells that would have their views in any light and air, and have not."""
    return (judge.sure < requirement.views) & (judge.sure + judge.dim >= requirement.views)


def _witness(cells: Cells, k: int, value: float, why: str) -> Witness:
    """Witness at one cell."""
    x, y, s, t = (float(a[k]) for a in (cells.x, cells.y, cells.s, cells.t))
    return Witness(x, y, s, t, value, why)


def under(requirement: Requirement) -> str:
    """The condition of a requirement, as claims write it; day needs no word."""
    return "" if requirement.condition == DAY.name else f" under '{requirement.condition}'"


def mounts_in_words(count: int) -> str:
    """A number of mounts, as claims write it."""
    return "1 mount" if count == 1 else f"{count} different mounts"


def _claim(
    requirement: Requirement,
    cells: Cells,
    verdict: Verdict,
    bounds: tuple[float, float, int],
    witness: Witness | None,
    failing: tuple[tuple[float, float], ...],
    detail: str,
) -> Claim:
    """Claim on a requirement."""
    lower, upper, count = bounds
    return Claim(
        requirement=requirement.name,
        kind="coverage",
        where=requirement.where,
        condition=requirement.condition,
        verdict=verdict,
        value=lower,
        lower=lower,
        upper=upper,
        target=requirement.share,
        binding=requirement.binding,
        witness=witness,
        cells=count,
        failing_chainages=failing,
        method=SIGHT_METHOD.format(cell=cells.cell_m),
        detail=detail,
    )


def _table_claim(
    name: str,
    kind: str,
    where: str,
    faults: list[tuple[str, Point, float, float]],
    count: int,
) -> Claim:
    """Claim that holds where there is no fault."""
    share = 1.0 - min(len(faults), count) / count if count else 1.0
    witness = None
    if faults:
        why, point, s, t = faults[0]
        witness = Witness(point.x, point.y, float(s), float(t), float(len(faults)), why)
    detail = "; ".join(fault[0] for fault in faults) or "nothing speaks against it"
    places = np.array([fault[2] for fault in faults], dtype=np.float64)
    return Claim(
        requirement=name,
        kind=kind,
        where=where,
        condition=ANY_CONDITION,
        verdict="fails" if faults else "holds",
        value=share,
        lower=share,
        upper=share,
        target=1.0,
        binding=True,
        witness=witness,
        cells=count,
        failing_chainages=stretches(places, COUNT_SLACK),
        method=TABLE_METHOD,
        detail=detail,
    )
