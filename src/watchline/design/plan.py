"""Design: the least-cost choice of mounts and devices so that every requirement holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse

from watchline.design.columns import Columns, make_columns
from watchline.design.cover import CoverSolution, cover
from watchline.design.explain import infeasible
from watchline.design.rows import Rows, allowed_misses, make_rows
from watchline.design.see import sight_note
from watchline.model.candidates import Candidates
from watchline.model.plan import DesignClaim, Plan
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.visibility import Visibility
from watchline.physics.field import whole_field_deg

Progress = Callable[[str, float, float | None, float | None], None]
CHAINAGE_STEP_M = 100.0


@dataclass(frozen=True)
class Problem:
    """The covering problem of one site: rows, columns, and what was left out."""

    rows: Rows
    columns: Columns


def make_problem(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    progress: Callable[[float], None] | None = None,
) -> Problem:
    """Rows and columns of the covering problem."""
    rows = make_rows(site, candidates)
    return Problem(rows, make_columns(site, candidates, visibility, rows, progress))


def design_plan(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    *,
    effort: float = 1.0,
    start: Plan | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Choose mounts and devices at least cost so that every binding requirement holds.

    With ``site.design.budget`` the covered share is maximised within the budget instead.

    Parameters
    ----------
    site : Site
        What is asked.
    candidates : Candidates
        Where mounts could stand, and the cells.
    visibility : Visibility
        Who sees what.
    effort : float
        Share of the site's work and time limits that this search may use.
    start : Plan, optional
        A plan of the same candidates to start from.
    progress : callable, optional
        Called with the step's name, seconds, cost and bound.

    Returns
    -------
    Plan
        With cost, proven lower bound (over the same candidates and cells) and gap.

    Raises
    ------
    InfeasibleError
        Some cells cannot be covered: which metres, why, and the cheapest relaxation.
    """
    problem = make_problem(
        site,
        candidates,
        visibility,
        None if progress is None else lambda share: progress("aims", share, None, None),
    )
    rows, columns = problem.rows, problem.columns
    solution = solve(site, candidates, problem, effort, start, progress)
    if solution.status in ("infeasible", "unknown"):
        raise infeasible(site, candidates, visibility, problem.rows, problem.columns, solution)
    chosen = columns.poses.iloc[solution.chosen]
    return Plan(
        name="computed",
        crs=site.crs,
        mounts=_plan_mounts(candidates, chosen),
        devices=_plan_devices(site, candidates, chosen),
        cost=float(solution.cost),
        lower_bound=None if site.design.budget is not None else float(solution.lower_bound),
        currency=site.catalogue.currency,
        status=_status(site, solution),
        design_claims=_claims(candidates, rows, solution),
        cost_along=_cost_along(candidates, rows, solution),
        log=tuple(solution.log),
        notes=(*_notes(site, problem, solution, effort), sight_note(visibility)),
        provenance=Provenance(
            dict(visibility.provenance.inputs), site.seed, site.provenance.watchline_version
        ),
    )


def _status(site: Site, solution: CoverSolution) -> str:
    if solution.interrupted:
        return "interrupted"
    return "budget" if site.design.budget is not None else solution.status


def solve(
    site: Site,
    candidates: Candidates,
    problem: Problem,
    effort: float,
    start: Plan | None,
    progress: Progress | None,
) -> CoverSolution:
    """Run the covering solver on a problem."""
    rows, columns = problem.rows, problem.columns
    mounts = candidates.mounts
    matrix = scipy.sparse.csc_matrix(
        (np.ones(len(columns.indices), dtype=np.int8), columns.indices, columns.indptr),
        shape=(len(rows), len(columns.poses)),
    )
    demand = np.array([r.views for r in rows.requirements])[rows.requirement]
    return cover(
        columns.poses["cost"].to_numpy(float) if len(columns.poses) else np.empty(0),
        matrix,
        demand,
        groups=columns.poses["mount"].to_numpy(np.int64) if len(columns.poses) else None,
        time_limit=effort * site.design.time_limit_s,
        work_limit=effort * site.design.work_limit,
        group_costs=mounts["cost"].to_numpy(float),
        sites=mounts["site"].to_numpy(np.int64),
        row_cap=np.ones(len(rows), dtype=np.int64),
        row_class=rows.requirement,
        allowed_uncovered=allowed_misses(rows, candidates.cells),
        capacity=mounts["capacity"].to_numpy(np.int64),
        budget=site.design.budget,
        seed=site.seed,
        gap=site.design.gap,
        start=None if start is None else _start(start, candidates, problem.columns),
        progress=None
        if progress is None
        else lambda seconds, cost, bound: progress("cover", seconds, cost, bound),
    )


def _start(plan: Plan, candidates: Candidates, columns: Columns) -> npt.NDArray[np.int64]:
    """Poses of an earlier plan, found again by mount, device and aim."""
    key = {
        (round(m.x, 2), round(m.y, 2), m.structure): m.mount for m in candidates.mounts.itertuples()
    }
    places = plan.mounts.set_index("mount_id")
    poses = columns.poses
    found = []
    for device in plan.devices.itertuples():
        home = places.loc[device.mount_id]
        mount = key.get((round(home.geometry.x, 2), round(home.geometry.y, 2), home.structure))
        mine = poses[poses["mount"] == mount]
        near = (
            np.isclose(mine["azimuth_deg"], device.azimuth_deg, atol=1e-3)
            & np.isclose(mine["tilt_deg"], device.tilt_deg, atol=1e-3)
            & np.isclose(mine["focal_mm"], device.focal_mm)
        )
        found += list(mine.index[near][:1])
    return np.array(sorted(set(found)), dtype=np.int64)


def _plan_mounts(candidates: Candidates, chosen: pd.DataFrame) -> gpd.GeoDataFrame:
    used = candidates.mounts.loc[candidates.mounts["mount"].isin(chosen["mount"])]
    used = used.sort_values(["s", "t"]).reset_index(drop=True)
    numbers = [f"M{i + 1:03d}" for i in range(len(used))]
    names = [
        mount.name if mount.existing else f"{number} {mount.kind} {mount.height_m:g} m"
        for number, mount in zip(numbers, used.itertuples(), strict=True)
    ]
    used = used.assign(mount_id=numbers, name=names)
    order = ["mount_id", "name", "structure", "kind", "height_m", "s", "t", "ground_z", "cost"]
    return used[["mount", *order, "existing", "geometry"]].drop(columns="mount")


def _plan_devices(site: Site, candidates: Candidates, chosen: pd.DataFrame) -> gpd.GeoDataFrame:
    used = candidates.mounts.loc[candidates.mounts["mount"].isin(chosen["mount"])]
    used = used.sort_values(["s", "t"])
    name = {mount: f"M{i + 1:03d}" for i, mount in enumerate(used["mount"])}
    place = used.set_index("mount")
    order = {mount: i for i, mount in enumerate(used["mount"])}
    ordered = chosen.assign(order=chosen["mount"].map(order)).sort_values(
        ["order", "azimuth_deg", "device", "focal_mm"]
    )
    rows = []
    for number, pose in enumerate(ordered.itertuples()):
        device = site.catalogue.devices[site.candidates.devices[pose.device]]
        hfov, vfov = whole_field_deg(device, pose.focal_mm)
        rows.append(
            {
                "device_id": f"D{number + 1:03d}",
                "mount_id": name[pose.mount],
                "model": device.id,
                "kind": device.kind,
                "height_m": place.loc[pose.mount, "height_m"],
                "azimuth_deg": pose.azimuth_deg,
                "tilt_deg": pose.tilt_deg,
                "focal_mm": pose.focal_mm,
                "hfov_deg": round(hfov, 3),
                "vfov_deg": round(vfov, 3),
                "cost": pose.cost,
                "geometry": place.loc[pose.mount, "geometry"],
            }
        )
    columns = [
        "device_id", "mount_id", "model", "kind", "height_m", "azimuth_deg", "tilt_deg",
        "focal_mm", "hfov_deg", "vfov_deg", "cost", "geometry",
    ]  # fmt: skip
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), crs=site.crs)


def _claims(candidates: Candidates, rows: Rows, solution: CoverSolution) -> tuple[DesignClaim, ...]:
    """What the design says: the share of each requirement's cells that it covers."""
    missed = np.zeros(len(rows), dtype=bool)
    missed[np.asarray(solution.uncovered, dtype=np.int64)] = True
    claims = []
    for number, requirement in enumerate(rows.requirements):
        total = int(candidates.cells[f"in:{requirement.where}"].sum())
        lost = int((missed & (rows.requirement == number)).sum())
        claims.append(DesignClaim(requirement.name, 1.0 - lost / max(1, total), total))
    return tuple(claims)


def _cost_along(candidates: Candidates, rows: Rows, solution: CoverSolution) -> pd.DataFrame | None:
    """Which metres cost most: dual prices of the rows, summed every 100 m of chainage."""
    duals = solution.row_duals
    if duals is None or not len(duals):
        return None
    demand = np.array([r.views for r in rows.requirements])[rows.requirement]
    s = candidates.cells["s"].to_numpy()[rows.cell]
    step = np.floor(s / CHAINAGE_STEP_M).astype(int)
    price = np.bincount(step, weights=np.asarray(duals) * demand)
    return pd.DataFrame(
        {
            "s_from": np.arange(len(price)) * CHAINAGE_STEP_M,
            "s_to": (np.arange(len(price)) + 1) * CHAINAGE_STEP_M,
            "price": price,
        }
    )


def _notes(site: Site, problem: Problem, solution: CoverSolution, effort: float) -> tuple[str, ...]:
    rows, columns = problem.rows, problem.columns
    stopped = ()
    if solution.interrupted:
        stopped = (
            f"The search was interrupted after {solution.seconds:.0f} s; plan again for the plan "
            "that the whole search gives.",
        )
    if site.design.budget is not None:
        most = solution.weight_bound / max(1.0, float(len(rows)))
        return (
            *stopped,
            f"Within the budget of {site.design.budget:,.0f} no choice of the offered poses "
            f"covers more than {most:.1%} of what the requirements ask, cell by cell; this plan "
            f"covers {solution.covered_weight / max(1.0, float(len(rows))):.1%}.",
        )
    notes = [
        *stopped,
        f"The bound holds for the {len(columns.poses):,} offered poses and the {len(rows):,} "
        f"rows of cells of {site.zone.cell_m:g} m; other sites or aims might cost less.",
    ]
    if solution.status == "feasible" and solution.seconds >= effort * site.design.time_limit_s:
        notes.append(
            f"The clock stopped the search after {solution.seconds:.0f} s, before its work was "
            "done: another run may find another plan (design.time_limit, design.work)."
        )
    if columns.barred:
        notes.append(
            f"{columns.barred:,} poses were left out because they would watch a no-watch area."
        )
    return tuple(notes)
