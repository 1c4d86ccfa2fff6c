"""Design: the least-cost choice of mounts and devices so that every requirement holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.certify import certify
from watchline.design.choose import Progress, bounded_demand, make_problem
from watchline.design.choose_aims import Chosen, choose_aims
from watchline.design.columns import make_scene, pose_views
from watchline.design.cover import CoverSolution
from watchline.design.explain import infeasible
from watchline.design.generate import add_poses
from watchline.design.rows import (
    Rows,
    asked_cells,
    demand_implied,
    demand_planned,
    make_rows,
    with_lamps,
)
from watchline.design.see import sight_note
from watchline.design.start import lenses_of, offer_poses
from watchline.model.candidates import Candidates
from watchline.model.certificate import Certificate
from watchline.model.plan import DesignClaim, Plan
from watchline.model.proof import loss_claim_name
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.visibility import Visibility
from watchline.physics.field import whole_field_deg
from watchline.physics.lamp_light import LampLight

CHAINAGE_STEP_M = 100.0
SUFFICIENT = (
    "Where a requirement lets a share of its cells miss, the loss of a mount was planned for by a "
    "condition that is sufficient but not necessary: one view in reserve on that share. The bound "
    "counts no reserve there, so it holds for every plan, and the gap is larger for it."
)


@dataclass(frozen=True)
class Designed:
    """A plan with what proves its bound, and the poses that its search generated or was given."""

    plan: Plan
    certificate: Certificate
    poses: pd.DataFrame


def design_plan(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    *,
    effort: float = 1.0,
    start: Plan | None = None,
    lamps: LampLight | None = None,
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
        A plan to start from; what it holds is offered besides, as far as its mounts are
        among the candidates (:func:`watchline.design.start.offer_mounts`).
    lamps : callable, optional
        Light of the planned lamps on a target (:data:`watchline.physics.lamp_light.LampLight`;
        :func:`watchline.design.lamp_light.lamp_light` makes it of given lights), for conditions
        that have them on. Without it no lamp burns.
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
    return design_with_certificate(
        site, candidates, visibility, effort=effort, start=start, lamps=lamps, progress=progress
    ).plan


def design_with_certificate(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    *,
    effort: float = 1.0,
    start: Plan | None = None,
    lamps: LampLight | None = None,
    more: pd.DataFrame | None = None,
    progress: Progress | None = None,
) -> Designed:
    """As :func:`design_plan`, with the certificate of the plan's bound.

    Parameters
    ----------
    site, candidates, visibility, effort, start, lamps, progress
        As in :func:`design_plan`.
    more : DataFrame, optional
        Poses that are offered besides (:attr:`Designed.poses` of an earlier search with the same
        mounts).

    Raises
    ------
    InfeasibleError
        As in :func:`design_plan`.
    """
    candidates = with_lamps(site, candidates, lamps)
    problem = make_problem(
        site,
        candidates,
        visibility,
        None if progress is None else lambda share: progress("aims", share, None, None),
    )
    first, start_notes = None, ()
    if start is not None:
        problem, first, start_notes = offer_poses(site, candidates, visibility, problem, start)
    scene = make_scene(site, candidates, visibility, problem.rows)
    if more is not None and len(more):
        columns, place = add_poses(scene, problem.columns, more)
        problem = replace(problem, columns=columns)
        first = None if first is None else place[first]
    made = choose_aims(scene, problem, effort, first, progress)
    problem, solution = made.problem, made.solution
    rows, columns = problem.rows, problem.columns
    if solution.status == "unknown" and solution.interrupted:
        raise KeyboardInterrupt  # before any plan was found: there is nothing to report
    if solution.status in ("infeasible", "unknown"):
        raise infeasible(site, candidates, visibility, rows, columns, solution)
    chosen = columns.poses.iloc[solution.chosen]
    plan = Plan(
        name="computed",
        crs=site.crs,
        mounts=_plan_mounts(candidates, chosen),
        devices=_plan_devices(site, candidates, chosen),
        cost=float(solution.cost),
        lower_bound=None if site.design.budget is not None else float(solution.lower_bound),
        all_aims_bound=made.all_aims_bound,
        currency=site.catalogue.currency,
        status=_status(site, solution),
        design_claims=_claims(
            candidates,
            *_views(site, candidates, visibility, chosen),
            _paid(rows, solution, bounded_demand(site, rows)),
        ),
        cost_along=_cost_along(candidates, rows, solution, bounded_demand(site, rows)),
        log=tuple(solution.log),
        notes=(*_notes(site, made), sight_note(visibility), *start_notes),
        provenance=Provenance(
            dict(visibility.provenance.inputs), site.seed, site.provenance.watchline_version
        ),
    )
    given = [] if more is None else [more]
    poses = pd.concat([*given, made.added], ignore_index=True)
    return Designed(
        plan,
        certify(site, candidates, problem, solution, plan),
        poses.drop_duplicates(ignore_index=True),
    )


def _status(site: Site, solution: CoverSolution) -> str:
    if solution.interrupted:
        return "interrupted"
    return "budget" if site.design.budget is not None else solution.status


def _plan_mounts(candidates: Candidates, chosen: pd.DataFrame) -> gpd.GeoDataFrame:
    used = candidates.mounts.loc[candidates.mounts["mount"].isin(chosen["mount"])]
    used = used.sort_values(["s", "t"])
    return placed_mounts(candidates, list(used.index), [f"M{i + 1:03d}" for i in range(len(used))])


def placed_mounts(
    candidates: Candidates, numbers: list[int], mount_ids: list[str]
) -> gpd.GeoDataFrame:
    """Mounts of the candidates as a plan has them.

    Parameters
    ----------
    candidates : Candidates
        The mounts on offer.
    numbers : list of int
        Which.
    mount_ids : list of str
        Their keys in the plan.
    """
    used = candidates.mounts.loc[numbers].reset_index(drop=True)
    names = [
        mount.name if mount.existing else f"{key} {mount.kind} {mount.height_m:g} m"
        for key, mount in zip(mount_ids, used.itertuples(), strict=True)
    ]
    used = used.assign(mount_id=mount_ids, name=names)
    order = ["mount_id", "name", "structure", "kind", "height_m", "s", "t", "ground_z", "cost"]
    return used[[*order, "existing", "geometry"]]


def _plan_devices(site: Site, candidates: Candidates, chosen: pd.DataFrame) -> gpd.GeoDataFrame:
    used = candidates.mounts.loc[candidates.mounts["mount"].isin(chosen["mount"])]
    used = used.sort_values(["s", "t"])
    mount_ids = {mount: f"M{i + 1:03d}" for i, mount in enumerate(used["mount"])}
    return placed_devices(site, candidates, chosen, mount_ids, "D")


def placed_devices(
    site: Site,
    candidates: Candidates,
    poses: pd.DataFrame,
    mount_ids: dict[int, str],
    letter: str,
) -> gpd.GeoDataFrame:
    """Poses as devices of a plan, in the order of their mounts and azimuths.

    Parameters
    ----------
    site, candidates
        The catalogue, and the mounts on offer.
    poses : DataFrame
        Columns :data:`watchline.design.poses.POSE_COLUMNS`.
    mount_ids : dict of int to str
        Keys in the plan of the mounts, in the plan's order.
    letter : str
        Begins the keys of the devices.
    """
    place = candidates.mounts.set_index("mount")
    order = {mount: i for i, mount in enumerate(mount_ids)}
    ordered = poses.assign(order=poses["mount"].map(order)).sort_values(
        ["order", "azimuth_deg", "device", "focal_mm"]
    )
    rows = []
    for number, pose in enumerate(ordered.itertuples()):
        device = site.catalogue.devices[site.candidates.devices[pose.device]]
        hfov, vfov = whole_field_deg(device, pose.focal_mm)
        rows.append(
            {
                "device_id": f"{letter}{number + 1:03d}",
                "mount_id": mount_ids[pose.mount],
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


def _claims(
    candidates: Candidates,
    rows: Rows,
    views: npt.NDArray[np.int64],
    paid: npt.NDArray[np.float64],
) -> tuple[DesignClaim, ...]:
    """What the design says: the share of each requirement's cells that it covers."""
    claims = []
    for number, requirement in enumerate(rows.requirements):
        total = int(asked_cells(requirement, candidates.cells).sum())
        mine = views[rows.requirement == number]
        share = 1.0 - int((mine < requirement.views).sum()) / max(1, total)
        claims.append(DesignClaim(requirement.name, share, total, float(paid[number])))
        if requirement.survive_loss == "mount":
            lost = int((mine < requirement.views_planned).sum())
            name = loss_claim_name(requirement.name)
            claims.append(DesignClaim(name, 1.0 - lost / max(1, total), total))
    return tuple(claims)


def _paid(
    rows: Rows, solution: CoverSolution, demand: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Share of what the bound pays that goes to each requirement, float64 [requirements]."""
    count = len(rows.requirements)
    duals = solution.row_duals
    if duals is None or not len(duals):
        return np.zeros(count)
    price = np.bincount(rows.requirement, np.maximum(duals, 0.0) * demand, minlength=count)
    return price / price.sum() if price.sum() > 0 else np.zeros(count)


def _views(
    site: Site, candidates: Candidates, visibility: Visibility, chosen: pd.DataFrame
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Every row, also of what other rows imply, and from how many mounts the choice covers it."""
    rows = make_rows(site, candidates, implied=True)
    scene = make_scene(site, candidates, visibility, rows)
    return rows, pose_views(replace(scene, lenses=lenses_of(site, chosen)), chosen)


def _cost_along(
    candidates: Candidates, rows: Rows, solution: CoverSolution, demand: npt.NDArray[np.int64]
) -> pd.DataFrame | None:
    """Which metres cost most: dual prices of the rows, summed every 100 m of chainage."""
    duals = solution.row_duals
    if duals is None or not len(duals):
        return None
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


def _notes(site: Site, made: Chosen) -> tuple[str, ...]:
    rows, columns, solution = made.problem.rows, made.problem.columns, made.solution
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
        f"The bound holds for the {len(columns.poses):,} offered poses, {made.generated:,} of them "
        f"generated where prices asked for them, and the {len(rows):,} rows of cells of "
        f"{site.zone.cell_m:g} m (finer where sight is harder beside them); other sites or aims "
        "might cost less.",
    ]
    if solution.status == "feasible" and made.timed:
        notes.append(
            f"The clock stopped the search after {solution.seconds:.0f} s, before its work was "
            "done: another run may find another plan (design.time_limit, design.work)."
        )
    if not np.array_equal(demand_planned(rows), demand_implied(rows)):
        notes.append(SUFFICIENT)
    if columns.barred:
        notes.append(
            f"{columns.barred:,} poses were left out because they would watch a no-watch area."
        )
    return tuple(notes)
