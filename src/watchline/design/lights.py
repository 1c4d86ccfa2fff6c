"""Design the lights of a plan: least cost, with a bound, checked on a finer grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, diags

from watchline.design.light_columns import make_columns
from watchline.design.light_cover import Cover, cover_lights, polish
from watchline.design.light_heads import Heads, as_luminaire, offered_heads
from watchline.design.light_matrix import (
    LIMIT_REACH_M,
    REACH_M,
    Scene,
    contributions,
    eye_contributions,
    make_scene,
)
from watchline.design.light_points import (
    light_cells,
    limit_points,
    requirement_points,
)
from watchline.design.light_reasons import NoChoiceError, explained
from watchline.design.light_repair import (
    Missed,
    chosen_again,
    cut_lx,
    joined,
    pick,
    with_missed,
    with_points,
)
from watchline.design.light_rows import (
    MARGIN,
    Asked,
    Limited,
    Problem,
    largest_group,
    stretches_of,
)
from watchline.design.light_solve import choice_cost
from watchline.design.light_sums import sums_at
from watchline.model.lighting import (
    LIGHT_COLUMNS,
    POLE_COLUMNS,
    LightClaim,
    Lighting,
    LightingRules,
)
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
FINER = 2
MOST_REPAIRS = 6
OPTIMAL_GAP = 1e-4
Progress = Callable[[float], None]


def design_lights(
    site: Site,
    terrain: Terrain,
    mounts: gpd.GeoDataFrame | None = None,
    *,
    before: Lighting | None = None,
    missed: Missed | None = None,
    progress: Progress = lambda share: None,
) -> Lighting:
    """Choose poles, lights and aims at least cost, so that what is asked of light holds.

    Parameters
    ----------
    site : Site
        What is asked; its `lighting` must not be None.
    terrain : Terrain
        The ground and what stands on it.
    mounts : GeoDataFrame, optional
        Masts and towers of a plan that may carry lights: ``mount_id, height_m`` and points.
    before : Lighting, optional
        An earlier choice of the same lights, which a proof found wanting: it is mended where it
        is, and its bound is kept.
    missed : Missed, optional
        What that proof found.
    progress : callable
        Is told the share done, 0–1.

    Returns
    -------
    Lighting
        With cost and lower bound. The bound is that of the same places, lights and aims, and of
        the design's points, where lights beyond :data:`~.light_matrix.REACH_M` count as nothing.

    Raises
    ------
    InfeasibleError
        Nothing that is offered satisfies the requirements: which metres, and what is missing.
    """
    rules = site.lighting
    assert rules is not None
    heads = offered_heads(site, terrain, mounts)
    scene = make_scene(terrain, rules, heads)
    cells = light_cells(site, terrain, rules.poles.cell_m)
    problem = _problem(site, terrain, rules, heads, scene, cells)
    progress(0.2)
    finer = light_cells(site, terrain, rules.poles.cell_m / FINER)

    def check(problem: Problem, cover: Cover) -> tuple[Problem, list[tuple[float, float]]]:
        return _checked(site, terrain, rules, problem, heads, scene, finer, cover)

    def mend(only: list[tuple[float, float]] | None) -> Cover:
        x = polish(problem, heads, rules.poles, site.seed, cover.x, only=only)
        return replace(cover, x=x, cost=choice_cost(heads, x))

    if before is None or missed is None:
        try:
            cover = cover_lights(
                problem, heads, rules.poles, site.seed, lambda p: progress(0.2 + 0.6 * p)
            )
        except NoChoiceError as error:
            raise explained(site, terrain, problem, heads, scene, error) from None
    else:
        x = chosen_again(before, heads, rules)
        problem, places = with_missed(site, terrain, problem, scene, missed, x)
        cover = Cover(x, choice_cost(heads, x), before.lower_bound or 0.0)
        cover = mend(sorted(places))
    repairs = 0
    problem, places = check(problem, cover)
    while places and repairs < MOST_REPAIRS:
        repairs += 1
        cover = mend(sorted(places))
        problem, places = check(problem, cover)
        progress(0.8 + 0.2 * repairs / (MOST_REPAIRS + 1))
    if repairs and not places:
        better = mend(None)
        if better.cost < cover.cost and not check(problem, better)[1]:
            cover = better
    cover = replace(cover, lower_bound=min(cover.lower_bound, cover.cost))
    progress(1.0)
    return _lighting(site, rules, heads, cover, problem, repairs)


def _problem(
    site: Site,
    terrain: Terrain,
    rules: LightingRules,
    heads: Heads,
    scene: Scene,
    cells: pd.DataFrame,
) -> Problem:
    asked, limited = [], []
    areas = {area.name for area in site.areas}
    for requirement in rules.requirements:
        if not requirement.binding:
            continue
        points = requirement_points(site, terrain, cells, requirement)
        light = contributions(scene, points, cut_lx=cut_lx(requirement))
        start, whole = site.zone.start_m, requirement.where in areas
        stretch, means, middle = stretches_of(requirement, points, light, start, whole)
        nothing = np.zeros(len(points)), np.zeros(middle.size)
        asked.append(Asked(requirement, points, light, stretch, means, middle, *nothing))
    for limit in rules.limits:
        if limit.binding and limit.kind in ("illuminance", "veil"):
            points = limit_points(site, terrain, limit)
            light = _as_new(eye_contributions(scene, points, limit.kind), rules, heads)
            limited.append(Limited(limit, points, light, limit.most / MARGIN))
    feeder = heads.feeder[heads.place]
    return Problem(
        tuple(asked),
        tuple(limited),
        heads.place,
        feeder,
        heads.top,
        heads.bracket,
        make_columns(heads),
    )


def _as_new(light: csr_matrix, rules: LightingRules, heads: Heads) -> csr_matrix:
    """Light of new and clean luminaires, as limits take them."""
    new = np.array([1.0 / offer.maintenance_factor for offer in rules.luminaires])
    return (light @ diags(new[heads.offer])).tocsr()


def _checked(
    site: Site,
    terrain: Terrain,
    rules: LightingRules,
    problem: Problem,
    heads: Heads,
    scene: Scene,
    finer: pd.DataFrame,
    cover: Cover,
) -> tuple[Problem, list[tuple[float, float]]]:
    """The problem with what the chosen lights miss on the finer grid, and where that is.

    Points that miss their minimum are added; limits that far lights break are tightened by what
    those add.
    """
    missed: list[tuple[float, float]] = []
    asked = []
    for one in problem.asked:
        requirement = one.requirement
        found = one
        if requirement.minimum_lx:
            points = requirement_points(site, terrain, finer, requirement)
            if requirement.survive == "none":
                lux = sums_at(terrain, _chosen(rules, heads, cover.x), points)
            else:
                pole = requirement.survive == "pole"
                groups = problem.place_of if pole else problem.feeder_of
                light = contributions(scene, points, cut_lx=cut_lx(requirement))
                lux = light @ cover.x - largest_group(light, cover.x, groups)[0]
            bad = np.flatnonzero(lux < requirement.minimum_lx)
            if bad.size:
                found = with_points(one, pick(points, bad), scene)
                missed += joined(points.s[bad])
        asked.append(found)
    limited = []
    for limit in problem.limited:
        chosen = limit.light @ cover.x
        every = eye_contributions(scene, limit.points, limit.limit.kind, reach_m=np.inf)
        full = _as_new(every, rules, heads) @ cover.x
        beyond = float((full - chosen).max(initial=0.0))
        over = np.flatnonzero(full > limit.limit.most)
        if over.size:
            missed += joined(limit.points.s[over])
            limit = replace(limit, most=(limit.limit.most - 1.05 * beyond) / MARGIN)
        limited.append(limit)
    if not missed:
        return problem, missed
    return replace(problem, asked=tuple(asked), limited=tuple(limited), pool={}), missed


def _chosen(rules: LightingRules, heads: Heads, x: FloatArray) -> list:  # type: ignore[type-arg]
    """The chosen lights with their heights above the ground."""
    places = heads.places
    foot = np.stack([places["x"].to_numpy(), places["y"].to_numpy()], axis=1)
    return [
        as_luminaire(
            rules.luminaires[heads.offer[k]],
            np.append(foot[heads.place[k]], heads.top_height_m[heads.top[k]]),
            heads,
            int(k),
        )
        for k in np.flatnonzero(x > 0.5)
    ]


def _lighting(
    site: Site,
    rules: LightingRules,
    heads: Heads,
    cover: Cover,
    problem: Problem,
    repairs: int,
) -> Lighting:
    chosen = np.flatnonzero(cover.x > 0.5)
    places = heads.places
    tops = np.unique(heads.top[chosen])
    tops = tops[np.argsort(heads.top_place[tops], kind="stable")]
    names = {int(top): f"P{k + 1:03d}" for k, top in enumerate(tops)}
    at = heads.top_place[tops]
    poles = pd.DataFrame(
        {
            "pole_id": [names[int(top)] for top in tops],
            "mount_id": places["mount_id"].to_numpy()[at],
            "height_m": heads.top_height_m[tops],
            "s": places["s"].to_numpy()[at],
            "t": places["t"].to_numpy()[at],
            "feeder": heads.feeder[at] + 1,
            "cost": heads.top_cost[tops],
        },
        columns=list(POLE_COLUMNS),
    )
    order = chosen[np.lexsort((heads.azimuth_deg[chosen], heads.top[chosen], heads.place[chosen]))]
    offers = [rules.luminaires[k] for k in heads.offer[order]]
    of = heads.place[order]
    lights = pd.DataFrame(
        {
            "light_id": [f"L{k + 1:03d}" for k in range(order.size)],
            "pole_id": [names[int(top)] for top in heads.top[order]],
            "luminaire": [offer.name for offer in offers],
            "sha256": [offer.photometry.sha256 for offer in offers],
            "height_m": heads.top_height_m[heads.top[order]],
            "s": places["s"].to_numpy()[of],
            "t": places["t"].to_numpy()[of],
            "azimuth_deg": heads.azimuth_deg[order],
            "tilt_deg": heads.tilt_deg[order],
            "roll_deg": [offer.front_c_deg for offer in offers],
            "power_w": [offer.power_w for offer in offers],
            "cost": heads.cost[order],
        },
        columns=list(LIGHT_COLUMNS),
    )
    x, y = places["x"].to_numpy(), places["y"].to_numpy()
    cost = round(cover.cost, 2)
    bound = min(round(cover.lower_bound, 2), cost)
    claims = []
    for one in problem.asked:
        lux = one.light @ cover.x
        claims.append(LightClaim(one.requirement.name, float(lux.min()), len(one.points)))
    notes = [
        f"Lights count toward what is asked within {REACH_M:g} m, toward limits within "
        f"{LIMIT_REACH_M:g} m and, once chosen, at any distance; the bound is that of the same "
        "places, lights and aims at the design's points."
    ]
    if repairs:
        times = "once" if repairs == 1 else f"{repairs} times"
        notes.append(f"Points of a finer grid missed what is asked and were added {times}.")
    return Lighting(
        gpd.GeoDataFrame(poles, geometry=gpd.points_from_xy(x[at], y[at]), crs=site.crs),
        gpd.GeoDataFrame(lights, geometry=gpd.points_from_xy(x[of], y[of]), crs=site.crs),
        cost,
        bound,
        "optimal" if cost - bound <= OPTIMAL_GAP * max(cost, 1.0) else "feasible",
        tuple(claims),
        tuple(notes),
    )
