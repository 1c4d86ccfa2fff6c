"""Where the terrain of the zone is unknown, in square metres and chainages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.geo.chainage import from_chainage
from watchline.geo.grid import Grid, sample_bilinear
from watchline.model.site import Site

MOST_STRETCHES = 5
JOIN_M = 100.0
"""Unknown stretches nearer to each other than this are told as one."""


@dataclass(frozen=True)
class Unknown:
    """The unknown part of the zone.

    Attributes
    ----------
    area_m2, share : float
        How much, and which share of the zone.
    stretches : tuple of (float, float)
        Between which chainages in m.
    """

    area_m2: float
    share: float
    stretches: tuple[tuple[float, float], ...]

    def sentence(self, what: str) -> str:
        """What is unknown, how much and where, as a sentence; empty where all is known."""
        if not self.share:
            return ""
        parts = [f"{start:,.0f}–{end:,.0f} m" for start, end in self.stretches[:MOST_STRETCHES]]
        more = len(self.stretches) - MOST_STRETCHES
        tail = f" and {more} more" if more > 0 else ""
        share = f"{100 * self.share:.1f}" if self.share >= 0.001 else "under 0.1"
        return (
            f"The {what} of {self.area_m2:,.0f} m² of the zone ({share} %) is unknown and never "
            f"counts as seen: s = {', '.join(parts)}{tail}."
        )


def unknown_in_zone(site: Site, grid: Grid, heights: npt.NDArray[np.float32]) -> Unknown:
    """What is unknown of the heights in the zone.

    The zone is walked in chainage and offset, in squares of its own cell or of the grid's,
    whichever is smaller.

    Parameters
    ----------
    site : Site
        The site.
    grid : Grid
        Where the heights lie.
    heights : float32 array [rows, cols]
        Heights in m, NaN = unknown.
    """
    zone = site.zone
    step = min(zone.cell_m, grid.cell)
    columns = max(1, round((zone.end_m - zone.start_m) / step))
    lanes = max(1, round((zone.outer_m - zone.inner_m) / step))
    length = (zone.end_m - zone.start_m) / columns
    width = (zone.outer_m - zone.inner_m) / lanes
    s = zone.start_m + length * (np.arange(columns) + 0.5)
    t = site.sign * (zone.inner_m + width * (np.arange(lanes) + 0.5))
    all_s, all_t = (a.ravel() for a in np.meshgrid(s, t, indexing="ij"))
    x, y = from_chainage(site.line, all_s, all_t)
    unknown = np.isnan(sample_bilinear(grid, heights, x, y)).reshape(columns, lanes)
    share = float(unknown.mean())
    return Unknown(
        area_m2=float(unknown.sum()) * length * width,
        share=share,
        stretches=_stretches(unknown.any(axis=1), zone.start_m, length),
    )


def _stretches(
    unknown: npt.NDArray[np.bool_], start_m: float, step_m: float
) -> tuple[tuple[float, float], ...]:
    """Chainages from–to of the true steps, near ones joined."""
    found: list[tuple[float, float]] = []
    for k in np.flatnonzero(unknown):
        begin, end = start_m + k * step_m, start_m + (k + 1) * step_m
        if found and begin - found[-1][1] < JOIN_M:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return tuple(found)
