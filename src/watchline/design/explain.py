"""Why no plan exists: which metres, which obstacle, and the cheapest relaxation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.columns import Columns
from watchline.design.cover import CoverSolution
from watchline.design.rows import Rows, allowed_misses, asked_cells
from watchline.errors import InfeasibleError
from watchline.model.candidates import Candidates
from watchline.model.site import Requirement, Site
from watchline.model.visibility import Visibility

STRETCH_GAP_M = 50.0
TOGETHER = (
    "within reach one by one but not together: heights of one site exclude each other, and a "
    "structure carries only so many devices"
)
DARK = "too dark under"
UNDER = "under the condition"
MOST_STRETCHES = 5


def stretches(s: npt.NDArray[np.float64], size_m: float) -> list[tuple[float, float]]:
    """Stretches of chainage that hold cells, joined over small gaps.

    Parameters
    ----------
    s : float64 array [n]
        Chainages of the cells' centres in m.
    size_m : float
        Side of the cells in m.
    """
    if not len(s):
        return []
    ordered = np.sort(s)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > STRETCH_GAP_M) + 1)
    return [(max(0.0, float(p[0] - size_m / 2)), float(p[-1] + size_m / 2)) for p in parts]


def infeasible(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    rows: Rows,
    columns: Columns,
    solution: CoverSolution,
) -> InfeasibleError:
    """The error for rows that no choice of poses can cover.

    Says for the worst requirement which metres are out, why (unknown terrain, terrain in the way,
    range, no-watch areas or too few different mounts), and the smallest change that would do.
    """
    bad = np.asarray(solution.uncovered, dtype=np.int64)
    if solution.status == "unknown":
        return InfeasibleError(
            f"no plan was found within the search's work, and none is excluded; the best choice "
            f"leaves {len(bad):,} of {len(rows):,} rows open",
            where="design.work",
            mend="raise it, offer more sites, or structures that carry more devices",
        )
    supply = _supply(candidates, rows, columns)
    counts = np.bincount(rows.requirement[bad], minlength=len(rows.requirements))
    # Cells that a share lets miss are no fault of that requirement.
    counts[counts <= allowed_misses(rows, candidates.cells)] = 0
    number = int(np.argmax(counts))
    requirement = rows.requirements[number]
    mine = bad[rows.requirement[bad] == number]
    cells = candidates.cells.iloc[rows.cell[mine]]
    places = stretches(cells["s"].to_numpy(), site.zone.cell_m)
    shown = ", ".join(f"{a:.0f}–{b:.0f} m" for a, b in places[:MOST_STRETCHES])
    if len(places) > MOST_STRETCHES:
        shown += f" and {len(places) - MOST_STRETCHES} more"
    reasons = _reasons(site, candidates, visibility, rows, mine, supply)
    why = "; ".join(f"{count:,} × {reason}" for reason, count in reasons.items())
    others = int((counts > 0).sum()) - 1
    more = f" ({others} other requirements fail too)" if others else ""
    if requirement.survive_loss == "mount" and requirement.share < 1.0:
        more += "; the design plans a view in reserve on the whole share, more than a loss needs"
    return InfeasibleError(
        f"requirement '{requirement.name}' cannot hold on {len(mine):,} cells "
        f"({cells['size_m'].pow(2).sum():,.0f} m²): {why}{more}",
        where=f"chainage {shown}",
        mend=_relaxation(candidates, requirement, mine, supply, reasons),
    )


def _supply(candidates: Candidates, rows: Rows, columns: Columns) -> npt.NDArray[np.int64]:
    """Number of sites from which each row can be served: the heights of a site exclude each other.

    Poses stand in the order of their mounts, and mounts in the order of their sites.
    """
    supply = np.zeros(len(rows), dtype=np.int64)
    if columns.poses.empty:
        return supply
    site = candidates.mounts["site"].to_numpy()[columns.poses["mount"].to_numpy()]
    for first, last in _runs(site):
        span = columns.indices[columns.indptr[first] : columns.indptr[last]]
        supply[np.unique(span)] += 1
    return supply


def _runs(values: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(values)) + 1
    return list(zip([0, *edges], [*edges, len(values)], strict=True))


def _reasons(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    rows: Rows,
    bad: npt.NDArray[np.int64],
    supply: npt.NDArray[np.int64],
) -> dict[str, int]:
    """Count the rows by what stands in their way, the most frequent first."""
    cells, mounts = candidates.cells, candidates.mounts
    cell = rows.cell[bad]
    requirement = rows.requirements[int(rows.requirement[bad[0]])]
    target = int(rows.target[rows.requirement[bad[0]]])
    seen, unknown = (flags[cell] for flags in visibility.seen_by_any(target))
    ground = cells["ground_z"].to_numpy()[cell]
    by_day = best_reach_m(site, requirement)
    reach = _reach_under_condition_m(site, rows, int(rows.requirement[bad[0]]), cell)
    xy = cells[["x", "y"]].to_numpy()[cell]
    spots = mounts.drop_duplicates("site")[["x", "y"]].to_numpy()
    nearest = np.array([np.hypot(*(spots - place).T).min() for place in xy])
    reasons = pd.Series("hidden by terrain or obstacles from every mount in reach", index=bad)
    reasons[seen] = (
        "in sight, but outside every offered frame, beyond the reach of every offered lens there, "
        "or barred by a no-watch area"
    )
    reserve = ", one of them in reserve" if requirement.views_planned > requirement.views else ""
    reasons[(supply[bad] > 0)] = (
        f"within the reach of too few different mounts ({requirement.views_planned} asked{reserve})"
    )
    reasons[supply[bad] >= requirement.views_planned] = TOGETHER
    dark = (reach <= 0) & (nearest <= by_day)
    short = (nearest > reach) & ~dark & (nearest <= by_day)
    reasons[dark] = f"{DARK} '{requirement.condition}' for every offered device"
    reasons[short] = (
        f"farther than {reach.max(initial=0.0):.0f} m, the longest reach {UNDER} "
        f"'{requirement.condition}', from every mount"
    )
    reasons[nearest > by_day] = f"farther than {by_day:.0f} m, the longest reach, from every mount"
    reasons[~seen & unknown] = "behind ground without terrain data"
    reasons[np.isnan(ground)] = "on ground without terrain data"
    return {str(k): int(v) for k, v in reasons.value_counts().items()}


def best_reach_m(site: Site, requirement: Requirement) -> float:
    """Longest distance at which any offered device can serve a requirement by pixel density."""
    reach = 0.0
    for key in site.candidates.devices:
        device = site.catalogue.devices[key]
        if device.time_share >= requirement.time_share:
            far = device.focal_px(device.focal_max_mm) / requirement.px_per_m
            reach = max(reach, min(device.range_m, far))
    return reach


def _reach_under_condition_m(
    site: Site, rows: Rows, number: int, cell: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The same at each of some cells, with the light and the air of the requirement's condition."""
    reach = np.full(len(cell), -1.0)
    for key in site.candidates.devices:
        device = site.catalogue.devices[key]
        reach = np.maximum(reach, rows.reach_m(device, device.focal_max_mm, cell)[number])
    return reach


def _relaxation(
    candidates: Candidates,
    requirement: Requirement,
    bad: npt.NDArray[np.int64],
    supply: npt.NDArray[np.int64],
    reasons: dict[str, int],
) -> str:
    """The smallest change that would make the requirement satisfiable."""
    # With a share, fine cells that were added because they are hard are no longer asked.
    size_m = candidates.cells["size_m"].to_numpy()
    whole = size_m >= size_m.max() * (1 - 1e-9)
    total = int((asked_cells(requirement, candidates.cells) & whole).sum())
    share = max(0.0, np.floor((1 - len(bad) / total) * 1000) / 10)
    mend = f'set share = "{share:g} %" for it'
    fewest = int(supply[bad].min())
    if requirement.views_planned > requirement.views and fewest >= requirement.views:
        mend = f'set survive_loss = "none" for it, or {mend}'
    elif 0 < fewest < requirement.views:
        mend = f"set views = {fewest} for it, or {mend}"
    main = next(iter(reasons))
    if main == TOGETHER:
        mend += ", offer more sites, or structures that carry more devices"
    elif main.startswith(DARK):
        mend += ", offer thermal cameras or cameras with infrared, or light the place"
    elif UNDER in main:
        mend += (
            ", offer thermal cameras or more light, sites at closer spacing, or ask for fewer px/m "
            "under this condition"
        )
    elif main.startswith("farther"):
        mend += ", offer a longer lens or more sites (candidates.spacing)"
    elif main.startswith("hidden"):
        mend += ", or offer higher structures"
    elif "without terrain data" in main:
        mend += ", or give terrain that covers it"
    elif main.startswith("in sight"):
        mend += ", offer other lenses, or allow more of the no-watch area"
    else:
        mend += ", or offer sites at closer spacing"
    return mend
