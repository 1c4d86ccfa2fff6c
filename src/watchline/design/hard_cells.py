"""Fine cells that are in sight of fewer mounts than the design's cells beside them.

The design judges sight at the centre of its cells, the proof at cells of half the side. Where every
cell must be covered, a plan fails if the centre is in sight and a part of the cell is not: behind a
crest, or at the end of the zone, where fine cells lie in it and the coarse cell does not. Most
such places can be told before any plan is made: the fine cell is seen from fewer mounts. They are
designed for from the start, with exact sight to their own centre; what is missed is left to
:mod:`watchline.design.repair`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.spatial

from watchline.design.cells import make_cells
from watchline.design.explain import best_reach_m
from watchline.design.repair import add_cells
from watchline.design.see import compute_visibility
from watchline.model.candidates import Candidates
from watchline.model.site import Requirement, Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility

FINER = 2
"""The proof's cells have the design's side divided by this."""
KEPT_SHARE = 0.9
"""A fine cell is hard if less than this share of the mounts that see its neighbour see it too."""
SAME_M = 1e-3
"""Distances that differ by less are equal."""
WINDOW_M = 2000.0
"""Chainage that is looked at together: memory follows it and the range, not the line."""


def add_hard_cells(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    progress: Callable[[float], None] | None = None,
) -> Candidates:
    """Candidates with the fine cells that are harder to see than the cells beside them.

    Only for requirements that ask for all cells; where a share may miss, a fine cell more or less
    decides nothing. Cells that too few mounts see to be covered at all are left out: no plan
    mends them, and the proof names them.

    Parameters
    ----------
    site, terrain, candidates
        What is asked, the ground, and what is offered.
    progress : callable, optional
        Called with the share of the line that is done.

    Returns
    -------
    Candidates
        The same if no requirement asks for all cells or nothing is hard.
    """
    strict = [r for r in site.requirements if r.binding and r.share >= 1.0]
    if not strict:
        return candidates
    zone = replace(site.zone, cell_m=site.zone.cell_m / FINER)
    fine = make_cells(replace(site, zone=zone), terrain)
    fine = fine[fine["ground_z"].notna()].reset_index(drop=True)
    hard = np.zeros(len(fine), dtype=bool)
    s = fine["s"].to_numpy()
    for number in np.unique(window := np.floor(s / WINDOW_M)):
        inside = np.flatnonzero(window == number)
        hard[inside] = _hard(site, terrain, candidates, fine.iloc[inside], strict)
        if progress is not None:
            progress(float(inside[-1] + 1) / len(fine))
    if not hard.any():
        return candidates
    return add_cells(site, terrain, candidates, fine.loc[hard, ["x", "y", "size_m"]])


def _hard(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    fine: pd.DataFrame,
    strict: list[Requirement],
) -> npt.NDArray[np.bool_]:
    """Which of a window's fine cells are hard, bool [cells]."""
    hard = np.zeros(len(fine), dtype=bool)
    s, margin = fine["s"], 2.0 * site.zone.cell_m
    cells = candidates.cells
    coarse = cells[cells["s"].between(s.min() - margin, s.max() + margin)].reset_index(drop=True)
    mounts = _near(candidates, fine)
    if coarse.empty or mounts.mounts.empty:
        return hard
    sights = [
        compute_visibility(
            terrain,
            replace(mounts, cells=table),
            method=site.visibility.method,
            spacing=site.visibility.spacing,
        )
        for table in (coarse, fine.reset_index(drop=True))
    ]
    for requirement in strict:
        reach_m = best_reach_m(site, requirement)
        here = np.flatnonzero(fine[f"in:{requirement.where}"].to_numpy())
        there = np.flatnonzero(coarse[f"in:{requirement.where}"].to_numpy())
        if not len(here) or not len(there):
            continue
        beside = there[_nearest(coarse.iloc[there], fine.iloc[here])]
        target = candidates.target_heights_m.index(requirement.target_height_m)
        both, before, places = _counts(
            mounts, sights, (coarse, fine), (beside, here), target, reach_m
        )
        enough = places >= requirement.views_planned
        hard[here] |= (both < KEPT_SHARE * before) & enough
    return hard


def _nearest(among: pd.DataFrame, cells: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Place of the nearest of some cells to each of others; of equally near ones the first."""
    tree = scipy.spatial.cKDTree(among[["x", "y"]].to_numpy())
    away, place = tree.query(cells[["x", "y"]].to_numpy(), k=min(4, len(among)))
    away, place = away.reshape(len(cells), -1), place.reshape(len(cells), -1)
    tied = away <= away[:, :1] + SAME_M
    return np.where(tied, place, len(among)).min(axis=1)


def _near(candidates: Candidates, cells: pd.DataFrame) -> Candidates:
    """Candidates with the mounts alone that may see some of the cells."""
    mounts, reach = candidates.mounts, candidates.range_m
    x, y = mounts["x"], mounts["y"]
    near = x.between(cells["x"].min() - reach, cells["x"].max() + reach)
    near &= y.between(cells["y"].min() - reach, cells["y"].max() + reach)
    mine = mounts[near].reset_index(drop=True)
    mine["mount"] = np.arange(len(mine))
    mine["site"] = pd.factorize(mine["site"])[0]
    return replace(candidates, mounts=mine)


def _counts(
    offered: Candidates,
    sights: list[Visibility],
    tables: tuple[pd.DataFrame, pd.DataFrame],
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    target: int,
    reach_m: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each pair of a coarse and a fine cell: mounts that see both, the first, sites of both."""
    count = len(pairs[0])
    both, first = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    sites, last_site = np.zeros(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    x, y = (tables[0][name].to_numpy()[pairs[0]] for name in ("x", "y"))
    for mount in offered.mounts.itertuples():
        near = np.hypot(x - mount.x, y - mount.y) <= reach_m
        if not near.any():
            continue
        seen = [
            sight.sees(int(mount.mount), target)[cell]
            for sight, cell in zip(sights, pairs, strict=True)
        ]
        first += near & seen[0]
        shared = near & seen[0] & seen[1]
        both += shared
        # Mounts stand in the order of their sites.
        sites += shared & (last_site != mount.site)
        last_site[shared] = mount.site
    return both, first, sites
