"""Prove a plan: recompute, independently of the design, what every device sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj

from watchline.errors import TerrainError, UsageError
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import (
    CELL_FAILS,
    CELL_GOOD,
    CELL_NOT_JUDGED,
    CELL_UNKNOWN,
    Claim,
    Proof,
    loss_claim_name,
)
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.lamp_light import LampLight
from watchline.prove.cells import BoolArray, Cells, FloatArray, proof_cells
from watchline.prove.claims import (
    NO_WATCH_TARGET_M,
    Explainer,
    capacity_claim,
    coverage_claim,
    exclusion_claim,
    no_watch_claim,
    no_watch_state,
    requirement_state,
)
from watchline.prove.devices import Perch, perches_of
from watchline.prove.explain import Asked, DeviceView, explain
from watchline.prove.heights import Relief, relief_of
from watchline.prove.judges import requirement_judges
from watchline.prove.lamp_light import lamp_light
from watchline.prove.loss import loss_claim, loss_state
from watchline.prove.verdicts import shares_along
from watchline.prove.views import Judge, count_views, make_judge

TABLE_HEIGHTS_M = (0.5, 1.7)
"""Target heights that the table of cells always holds: a person crouching and standing."""
CELLS_PER_DESIGN_CELL = 2


def prove_plan(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    *,
    cell_m: float | None = None,
    lamps: LampLight | None = None,
    progress: Callable[[float], None] | None = None,
) -> Proof:
    """Judge a plan by ray tracing, from the site, the terrain and the plan alone.

    A device sees the target at a cell iff the sight line from it to the target's top is free over
    the surface, top and feet lie inside one sensor's image, the pixel density across the line of
    sight at the top is at least what is asked, the slant distance is within the device's range,
    its share of time is at least the requirement's, and light, noise and air let it make out the
    target under the requirement's condition (:mod:`watchline.physics.acquisition`). Devices of one
    mount are one view.

    Parameters
    ----------
    site : Site
        What is asked.
    terrain : Terrain
        Ground and surface. Cells without data stay unknown and never count as seen.
    plan : Plan
        What is placed.
    cell_m : float, optional
        Side of the proof's cells in m; by default half of the design's.
    lamps : callable, optional
        Light of lamps on a target (:data:`watchline.physics.lamp_light.LampLight`); by default
        that of the plan's own lights, recomputed from them.
    progress : callable, optional
        Is told the share done, 0–1.

    Returns
    -------
    Proof
        One claim per requirement, a second one where it must survive the loss of a mount, one per
        no-watch area and exclusion, and one on what structures carry.

    Raises
    ------
    PlanError
        If the plan does not belong to the site: CRS, device models, structures, mounts.
    TerrainError
        If the terrain is in another CRS than the site.
    ProjectError
        If a requirement names a place that the site does not have.
    UsageError
        If ``cell_m`` is not above zero.
    """
    asked = questions_of(site, terrain, plan, cell_m=cell_m, lamps=lamps)
    perches = perches_of(site, asked.relief, plan)
    capacity_claim(site, plan)  # a plan of another catalogue is refused before anything is traced
    count_views(asked.relief, asked.cells, asked.ground_z, perches, asked.judges, progress)
    return proof_of(asked, terrain, plan, claims_of(asked, plan, explainer(asked, perches)))


@dataclass(frozen=True)
class Questions:
    """All that is asked of a site's cells, and the views counted for it so far.

    Attributes
    ----------
    site : Site
        What is asked.
    relief : Relief
        The terrain.
    cells : Cells
        The proof's cells.
    ground_z : float64 array [cells]
        Height of the ground, NaN = unknown.
    lamps : callable or None
        Light of the lamps on a target.
    wanted, forbidden : tuple of Judge
        One a requirement, and one a no-watch area, in the site's order.
    table : dict of float to Judge
        For each target height: views at the lowest density asked of it.
    """

    site: Site
    relief: Relief
    cells: Cells
    ground_z: FloatArray
    lamps: LampLight | None
    wanted: tuple[Judge, ...]
    forbidden: tuple[Judge, ...]
    table: dict[float, Judge]

    @property
    def judges(self) -> tuple[Judge, ...]:
        """All questions."""
        return (*self.wanted, *self.forbidden, *self.table.values())

    @property
    def unknown(self) -> BoolArray:
        """Cells whose ground is unknown."""
        return np.isnan(self.ground_z)


def questions_of(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    *,
    cell_m: float | None = None,
    lamps: LampLight | None = None,
) -> Questions:
    """Lay out the cells and what is asked of them; parameters as in :func:`prove_plan`.

    Of the plan only its lights count: by them cameras see where it is dark.
    """
    size = site.zone.cell_m / CELLS_PER_DESIGN_CELL if cell_m is None else float(cell_m)
    if not size > 0:
        raise UsageError(f"cell_m = {cell_m}", mend="give a cell size above zero")
    if terrain.crs != site.crs and pyproj.CRS(terrain.crs) != pyproj.CRS(site.crs):
        raise TerrainError(
            f"the terrain is in {terrain.crs}, the site in {site.crs}",
            mend="build the terrain from this site",
        )
    relief = relief_of(terrain)
    cells = proof_cells(site, size)
    lamps = lamps or lamp_light(site, relief, plan.lighting)
    return Questions(
        site=site,
        relief=relief,
        cells=cells,
        ground_z=relief.ground_at(cells.x, cells.y),
        lamps=lamps,
        wanted=requirement_judges(site, cells, site.requirements, lamps),
        forbidden=tuple(
            make_judge(cells.no_watch[area.name], NO_WATCH_TARGET_M, area.px_per_m, 0.0)
            for area in site.no_watch
        ),
        table=_table_judges(site, cells),
    )


def explainer(asked: Questions, perches: tuple[Perch, ...]) -> Explainer:
    """Says why devices do or do not see a place."""

    def reasons(x: float, y: float, wanted: Asked) -> tuple[DeviceView, ...]:
        return explain(asked.site, asked.relief, perches, (x, y), wanted, asked.lamps)

    return reasons


def claims_of(
    asked: Questions, plan: Plan, reasons: Explainer, capacity: Claim | None = None
) -> tuple[Claim, ...]:
    """The claims on a plan whose views are counted, the one on what structures carry last.

    ``capacity`` is that last one where it is known already.
    """
    found = _claims(
        asked.site, plan, asked.cells, asked.wanted, asked.forbidden, asked.unknown, reasons
    )
    return (*found, capacity or capacity_claim(asked.site, plan))


def proof_of(asked: Questions, terrain: Terrain, plan: Plan, claims: tuple[Claim, ...]) -> Proof:
    """The proof of a plan whose views are counted."""
    site, cells, unknown = asked.site, asked.cells, asked.unknown
    digest = plan_digest(plan)
    states = _states(site, asked.wanted, asked.forbidden, unknown)
    return Proof(
        claims=claims,
        cells=_cell_table(cells, asked.ground_z, asked.table, unknown, states),
        chainage=_chainage_table(site, cells, asked.wanted, asked.forbidden, unknown),
        cell_m=cells.cell_m,
        plan_sha256=digest,
        provenance=Provenance(
            {**site.provenance.inputs, **terrain.provenance.inputs, "plan": digest},
            site.seed,
            site.provenance.watchline_version,
        ),
    )


def _table_judges(site: Site, cells: Cells) -> dict[float, Judge]:
    """For each target height: views at the lowest density asked of it, at every place's cell."""
    everywhere = np.any([*cells.places.values()], axis=0)
    heights = {*TABLE_HEIGHTS_M, *(r.target_height_m for r in site.requirements)}
    judges = {}
    for height in sorted(heights):
        asked = [r for r in site.requirements if r.target_height_m == height]
        asked = asked or list(site.requirements)
        density = min((r.px_per_m for r in asked), default=0.0)
        share = min((r.time_share for r in asked), default=0.0)
        judges[height] = make_judge(everywhere, height, density, share)
    return judges


def _claims(
    site: Site,
    plan: Plan,
    cells: Cells,
    wanted: tuple[Judge, ...],
    forbidden: tuple[Judge, ...],
    unknown: BoolArray,
    reasons: Explainer,
) -> tuple[Claim, ...]:
    """Claims on requirements, no-watch areas and exclusions, in the site's order."""
    mount_ids = tuple(str(name) for name in plan.mounts["mount_id"])
    asked = []
    for requirement, judge in zip(site.requirements, wanted, strict=True):
        asked.append(coverage_claim(requirement, cells, judge, unknown, reasons))
        if requirement.survive_loss == "mount":
            asked.append(loss_claim(requirement, cells, judge, unknown, mount_ids))
    return (
        *asked,
        *(
            no_watch_claim(area, cells, judge, unknown, reasons)
            for area, judge in zip(site.no_watch, forbidden, strict=True)
        ),
        *(exclusion_claim(area, plan) for area in site.exclusions),
    )


def _states(
    site: Site, wanted: tuple[Judge, ...], forbidden: tuple[Judge, ...], unknown: BoolArray
) -> dict[str, npt.NDArray[np.int8]]:
    """State of every cell under every requirement and no-watch area, by the claim's name."""
    found = {}
    for requirement, judge in zip(site.requirements, wanted, strict=True):
        found[requirement.name] = requirement_state(requirement, judge, unknown)
        if requirement.survive_loss == "mount":
            found[loss_claim_name(requirement.name)] = loss_state(requirement, judge, unknown)
    for area, judge in zip(site.no_watch, forbidden, strict=True):
        found[f"no-watch: {area.name}"] = no_watch_state(judge, unknown)
    states = {}
    for name, (at, sure, most) in found.items():
        state = np.full(len(unknown), CELL_NOT_JUDGED, dtype=np.int8)
        state[at] = np.where(sure, CELL_GOOD, np.where(most, CELL_UNKNOWN, CELL_FAILS))
        states[name] = state
    return states


def _cell_table(
    cells: Cells,
    ground_z: FloatArray,
    table: dict[float, Judge],
    unknown: BoolArray,
    states: dict[str, npt.NDArray[np.int8]],
) -> pd.DataFrame:
    """The table of cells, as :class:`watchline.model.proof.Proof` documents it."""
    columns: dict[str, object] = {
        "x": cells.x,
        "y": cells.y,
        "s": cells.s,
        "t": cells.t,
        "size_m": np.full(len(cells), cells.cell_m),
        "ground_z": ground_z,
    }
    columns |= {f"in:{name}": flag for name, flag in cells.places.items()}
    columns |= {f"no_watch:{name}": flag for name, flag in cells.no_watch.items()}
    for height, judge in table.items():
        columns[f"views@{height:g}"] = judge.sure
        columns[f"px_per_m@{height:g}"] = judge.best
        columns[f"unknown@{height:g}"] = unknown | (judge.most > judge.sure)
    columns |= {f"state:{name}": state for name, state in states.items()}
    return pd.DataFrame(columns)


def _chainage_table(
    site: Site,
    cells: Cells,
    wanted: tuple[Judge, ...],
    forbidden: tuple[Judge, ...],
    unknown: BoolArray,
) -> pd.DataFrame:
    """Shares per 100 m of every requirement that was judged and every no-watch area."""
    tables = []
    for requirement, judge in zip(site.requirements, wanted, strict=True):
        at, sure, most = requirement_state(requirement, judge, unknown)
        tables.append(shares_along(requirement.name, cells.s[at], sure, most))
        if requirement.survive_loss == "mount":
            at, sure, most = loss_state(requirement, judge, unknown)
            name = loss_claim_name(requirement.name)
            tables.append(shares_along(name, cells.s[at], sure, most))
    for area, judge in zip(site.no_watch, forbidden, strict=True):
        at, sure, most = no_watch_state(judge, unknown)
        tables.append(shares_along(f"no-watch: {area.name}", cells.s[at], sure, most))
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else shares_along("", np.zeros(0), np.zeros(0, bool), np.zeros(0, bool))
    )
