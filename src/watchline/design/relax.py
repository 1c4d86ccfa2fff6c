"""Changes of what is asked: a little less of one requirement, a stretch less, a share less of all.

One covering problem serves all of them but a lower quality: it holds a row for every cell and
requirement, and a change only says which rows are asked for, how many views they need and how many
of them may miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.design.choose import Problem, cover_arguments
from watchline.design.columns import make_columns
from watchline.design.cover.judge import value_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.rows import Rows, allowed_misses, demand_planned, make_rows
from watchline.model.candidates import Candidates
from watchline.model.site import Requirement, Site
from watchline.model.visibility import Visibility
from watchline.model.why import ChangeKind

SHARE_STEP = 0.01
LOWERED = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""By how much the curve of cost against cover lowers every share."""
DEAREST = 3
"""Dearest stretches that are named."""


@dataclass(frozen=True)
class Variant:
    """One change.

    Attributes
    ----------
    kind : str
        As in :class:`watchline.model.why.Change`.
    requirement : str
        Requirement, or condition, that it speaks of.
    what : str
        The change in words.
    site : Site
        What is then asked.
    without : tuple of (float, float) or None
        A stretch of chainage in m on which nothing is asked.
    """

    kind: ChangeKind
    requirement: str
    what: str
    site: Site
    without: tuple[float, float] | None = None


def full_problem(site: Site, candidates: Candidates, visibility: Visibility) -> Problem:
    """The covering problem with a row for every cell and binding requirement, implied or not."""
    rows = make_rows(site, candidates, implied=True)
    return Problem(rows, make_columns(site, candidates, visibility, rows))


def changed_arguments(variant: Variant, candidates: Candidates, problem: Problem) -> dict[str, Any]:
    """Arguments of the covering solver for a change, on the rows of the full problem.

    Parameters
    ----------
    variant : Variant
        The change; its site offers the same poses.
    candidates : Candidates
        The mounts and cells.
    problem : Problem
        From :func:`full_problem` of the unchanged site.
    """
    site, full = variant.site, problem.rows
    rows = make_rows(site, candidates)
    number = {requirement.name: n for n, requirement in enumerate(full.requirements)}
    place = np.array([number[r.name] for r in rows.requirements], dtype=np.int64)
    demand = np.zeros(len(full), dtype=np.int64)
    demand[_places(full, rows.cell, place[rows.requirement])] = demand_planned(rows)
    if variant.without is not None:
        s = candidates.cells["s"].to_numpy()[full.cell]
        demand[(s >= variant.without[0]) & (s < variant.without[1])] = 0
    allowed = np.zeros(len(full.requirements))
    allowed[place] = allowed_misses(rows, candidates.cells)
    arguments = cover_arguments(site, candidates, problem, demand)
    return arguments | {"allowed_uncovered": allowed}


def cheapest_plan(problem: CoverProblem, plans: Sequence[npt.NDArray[np.int64]]) -> int | None:
    """Number of the cheapest of some plans that do what is asked, each requirement for itself.

    Parameters
    ----------
    problem : CoverProblem
        What is asked.
    plans : sequence of int64 array
        The columns of each plan, without repetition.

    Returns
    -------
    int or None
        None if no plan does.
    """
    values = [value_of(problem, plan) for plan in plans]
    doing = [number for number, value in enumerate(values) if value is not None]
    return min(doing, key=lambda number: (values[number], number), default=None)


def _places(
    full: Rows, cell: npt.NDArray[np.int64], requirement: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Rows of the full problem by cell and requirement; both are in that order."""
    count = len(full.requirements)
    return np.searchsorted(full.cell * count + full.requirement, cell * count + requirement)


def without_requirement(site: Site) -> list[Variant]:
    """Each binding requirement left out, where another one is left."""
    binding = [r for r in site.requirements if r.binding]
    if len(binding) < 2:
        return []
    return [
        Variant(
            "drop",
            gone.name,
            f"without '{gone.name}'",
            _with(site, gone, replace(gone, binding=False)),
        )
        for gone in binding
    ]


def without_condition(site: Site) -> list[Variant]:
    """All that is asked under each condition left out, where something is left."""
    binding = [r for r in site.requirements if r.binding]
    names = list(dict.fromkeys(r.condition for r in binding))
    if len(names) < 2:
        return []
    return [
        Variant(
            "condition",
            name,
            f"nothing asked under '{name}'",
            replace(
                site,
                requirements=tuple(
                    replace(r, binding=False) if r.condition == name else r
                    for r in site.requirements
                ),
            ),
        )
        for name in names
    ]


def relaxations(site: Site, cost_along: pd.DataFrame | None) -> list[Variant]:
    """Small changes that ask for less, one at a time.

    Parameters
    ----------
    site : Site
        What is asked.
    cost_along : DataFrame or None
        Prices along the line (:attr:`watchline.model.plan.Plan.cost_along`).
    """
    found = []
    for asked in (r for r in site.requirements if r.binding):
        found.append(_less_share(site, asked))
        if asked.views > 1:
            less = replace(asked, views=asked.views - 1)
            what = f"'{asked.name}' with {less.views} instead of {asked.views} views"
            found.append(Variant("views", asked.name, what, _with(site, asked, less)))
        lower = lower_quality(site, asked)
        if lower is not None:
            what = (
                f"'{asked.name}' at {lower.px_per_m:g} px/m ({lower.quality}) instead of "
                f"{asked.px_per_m:g}"
            )
            found.append(Variant("quality", asked.name, what, _with(site, asked, lower)))
        if asked.survive_loss == "mount":
            less = replace(asked, survive_loss="none")
            what = f"'{asked.name}' without surviving the loss of a mount"
            found.append(Variant("survive_loss", asked.name, what, _with(site, asked, less)))
    lost = [r for r in site.requirements if r.binding and r.survive_loss == "mount"]
    if len(lost) > 1:
        gone = tuple(replace(r, survive_loss="none") for r in site.requirements)
        what = "no requirement survives the loss of a mount"
        found.append(Variant("survive_loss", "", what, replace(site, requirements=gone)))
    for start, end, _ in dearest(cost_along)[:1]:
        what = f"nothing asked for at s = {start:.0f}–{end:.0f} m, the dearest 100 m"
        found.append(Variant("stretch", "", what, site, (start, end)))
    return found


def _less_share(site: Site, asked: Requirement) -> Variant:
    less = replace(asked, share=max(0.01, round(asked.share - SHARE_STEP, 9)))
    what = f"'{asked.name}' on {100 * less.share:g} % of its cells, not {100 * asked.share:g} %"
    return Variant("share", asked.name, what, _with(site, asked, less))


def surviving(site: Site) -> Variant | None:
    """Everything asked to survive the loss of any one mount; None where it is already."""
    if all(r.survive_loss == "mount" for r in site.requirements if r.binding):
        return None
    kept = tuple(replace(r, survive_loss="mount") for r in site.requirements)
    what = "every requirement survives the loss of any one mount"
    return Variant("reserve", "", what, replace(site, requirements=kept))


def lowered(site: Site, by: float) -> Variant:
    """Every requirement's share lowered."""
    less = tuple(
        replace(r, share=max(0.01, round(r.share - by, 9))) if r.binding else r
        for r in site.requirements
    )
    what = f"{100 * by:g} % of the cells less"
    return Variant("share", "", what, replace(site, requirements=less))


def lower_quality(site: Site, asked: Requirement) -> Requirement | None:
    """The requirement one quality class lower, on the scale that it is named in."""
    prefix = asked.quality.split(":")[0] + ":" if ":" in asked.quality else ""
    scale = {
        name: density
        for name, density in site.catalogue.qualities.items()
        if name.startswith(prefix) and (prefix or ":" not in name)
    }
    below = [(density, name) for name, density in scale.items() if density < asked.px_per_m]
    if not below:
        return None
    density, name = max(below)
    return replace(asked, quality=name, px_per_m=density)


def dearest(cost_along: pd.DataFrame | None) -> list[tuple[float, float, float]]:
    """The stretches with the highest prices: from and to in m, and the price."""
    if cost_along is None or not len(cost_along):
        return []
    top = cost_along.sort_values(["price", "s_from"], ascending=[False, True], kind="stable")
    return [
        (float(r.s_from), float(r.s_to), float(r.price))
        for r in top.head(DEAREST).itertuples()
        if r.price > 0
    ]


def _with(site: Site, old: Requirement, new: Requirement) -> Site:
    """The site with one requirement replaced."""
    return replace(
        site, requirements=tuple(new if r.name == old.name else r for r in site.requirements)
    )
