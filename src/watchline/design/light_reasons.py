"""Why no lights give what is asked: which metres, what stands in the way, what would help.

Every requirement and limit of the stretch is relaxed alone, as little as the relaxation of the
choice allows; the cheapest of these changes is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.design.light_heads import Heads
from watchline.design.light_matrix import Scene, contributions
from watchline.design.light_repair import cut_lx, pick
from watchline.design.light_rows import Asked, Problem
from watchline.design.light_solve import solve_part
from watchline.errors import InfeasibleError
from watchline.geo.chainage import to_chainage
from watchline.kernels.grid import make_grid
from watchline.kernels.light_ray import build_pyramid
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
HALVINGS = 14
LEAST_SHARE = 0.001
"""Asking for less than this share is giving up, not relaxing."""
MOST_TOLD = 3
MOST_RAISE = 1024.0
STEP_M = 0.5
APART_M = 15.0
"""Dark points farther apart than this are told as two stretches."""
STANDS_M = 1.0
"""What stands so much higher than the ground is a building or a tree, not the ground."""
FAR_BELOW_M = 1e5


class NoChoiceError(InfeasibleError):
    """No choice of lights satisfies a stretch of the line, ``start_m`` to ``end_m``."""

    def __init__(self, start_m: float, end_m: float) -> None:
        super().__init__(
            "no choice of the offered lights gives what is asked within the limits",
            where=f"s = {start_m:.0f}–{end_m:.0f} m",
            mend="offer more poles, lights or aims, or ask for less",
        )
        self.start_m, self.end_m = start_m, end_m


@dataclass(frozen=True)
class _Way:
    """One change: what it is in words, how to make it, and whether figures fall or rise."""

    words: Callable[[float], str]
    changed: Callable[[float], Problem]
    value: float
    falls: bool


def explained(
    site: Site,
    terrain: Terrain,
    problem: Problem,
    heads: Heads,
    scene: Scene,
    error: NoChoiceError,
) -> InfeasibleError:
    """The error with its metres, its obstacle and the cheapest relaxation.

    Parameters
    ----------
    site, terrain : Site, Terrain
        What is asked, and the ground.
    problem, heads, scene
        The choice that failed.
    error : NoChoiceError
        Where it failed.
    """
    start, end = error.start_m, error.end_m
    where, what = _darkest(site, terrain, problem, heads, scene, start, end)
    mend, limit = _cheapest(problem, heads, site, start, end)
    if not what:
        what = "no choice of the offered lights gives what is asked within the limits"
        if limit:
            what = f"no choice of the offered lights gives what is asked: {limit} forbids it"
    first = min(float(one.points.s[0]) for one in problem.asked)
    last = max(float(one.points.s[-1]) for one in problem.asked)
    stretch = f"s = {max(start, first):.0f}–{min(end, last):.0f} m"
    return InfeasibleError(what, where=where or stretch, mend=mend)


def _best_lx(problem: Problem, light) -> FloatArray:  # type: ignore[no-untyped-def] # noqa: ANN001
    """What each point gets if every place has the equipment that gives it most [lx]."""
    columns = problem.columns
    total = np.zeros(light.shape[0])
    # A place whose equipments are not listed counts all its lights: more than it could give.
    gives = (light @ columns.heads.T).tocsc()
    for place in np.unique(columns.place):
        own = np.flatnonzero(columns.place == place)
        part = gives[:, own[0] : own[-1] + 1]
        if part.nnz:
            most = part.max(axis=1).toarray() if columns.listed[place] else part.sum(axis=1)
            total += np.asarray(most).ravel()
    return total


def _darkest(
    site: Site,
    terrain: Terrain,
    problem: Problem,
    heads: Heads,
    scene: Scene,
    start_m: float,
    end_m: float,
) -> tuple[str, str]:
    """Where all lights together give too little, and what takes their light; empty if nowhere."""
    for one in problem.asked:
        low, high = np.searchsorted(one.points.s, [start_m, np.nextafter(end_m, np.inf)])
        wanted = one.requirement.minimum_lx
        if low == high or not wanted:
            continue
        best = _best_lx(problem, one.light[low:high])
        dark = np.flatnonzero(best < wanted)
        if not dark.size:
            continue
        worst = int(low + dark[np.argmin(best[dark])])
        s = one.points.s
        apart = np.flatnonzero(np.diff(s[low + dark]) > APART_M)
        ends = s[low + dark][
            np.concatenate([[0], np.repeat(apart, 2) + np.tile([0, 1], apart.size), [-1]])
        ]
        places = [f"{a:.0f}–{b:.0f} m" for a, b in ends.reshape(-1, 2)]
        if len(places) > 5:
            places[5:] = [f"{len(places) - 5} more"]
        what = (
            f"'{one.requirement.name}' asks for {wanted:g} lx, and all lights and aims together "
            f"give {best.min():.2g} lx at s = {s[worst]:.0f} m, t = {one.points.t[worst]:.0f} m; "
            f"{_obstacle(site, terrain, problem, heads, scene, one, worst, wanted)}"
        )
        return f"s = {', '.join(places)}", what
    return "", ""


def _obstacle(
    site: Site,
    terrain: Terrain,
    problem: Problem,
    heads: Heads,
    scene: Scene,
    one: Asked,
    worst: int,
    wanted: float,
) -> str:
    """What takes the light of a point: something that stands between, or distance."""
    point = pick(one.points, np.array([worst]))
    grid = scene.grid
    bare = make_grid(np.full_like(grid.surface_m, -FAR_BELOW_M), terrain.cell_m, *terrain.origin)
    bare_scene = replace(scene, grid=bare, pyramid=build_pyramid(bare))
    free = contributions(bare_scene, point, cut_lx=cut_lx(one.requirement))
    open_lx = float(_best_lx(problem, free)[0])
    x, y = heads.places["x"].to_numpy(), heads.places["y"].to_numpy()
    away = np.hypot(x - point.x[0], y - point.y[0])
    blocked = np.asarray((free - one.light[worst]).todense()).ravel()
    if open_lx >= wanted or blocked.max() > 0.5 * wanted:
        head = int(np.argmax(blocked))
        found = _first_hit(site, terrain, heads, head, point)
        if found:
            return f"without shadows it would be {open_lx:.2g} lx: {found}"
    near = float(away.min())
    return (
        f"nothing stands between, but the nearest place for a light is {near:.0f} m away and the "
        f"aims give no more"
    )


def _first_hit(site: Site, terrain: Terrain, heads: Heads, head: int, point) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001
    """What a ray from a point to a head meets first, in words."""
    place = heads.places.iloc[int(heads.place[head])]
    top = float(place["ground_z"]) + float(heads.top_height_m[heads.top[head]])
    eye = np.array([point.x[0], point.y[0], point.z[0]])
    step = np.array([place["x"], place["y"], top]) - eye
    count = max(2, int(np.hypot(step[0], step[1]) / STEP_M))
    ray = eye + np.linspace(0.0, 1.0, count)[1:-1, None] * step
    col = np.round((ray[:, 0] - terrain.origin[0]) / terrain.cell_m).astype(np.int64)
    row = np.round((terrain.origin[1] - ray[:, 1]) / terrain.cell_m).astype(np.int64)
    rows, cols = terrain.surface.shape
    inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
    over = np.full(inside.size, -np.inf)
    height = np.full(inside.size, -np.inf)
    height[inside] = np.asarray(terrain.surface)[row[inside], col[inside]]
    over[inside] = height[inside] - ray[inside, 2]
    if not (over > 0).any():
        return ""
    k = int(np.argmax(over))
    s, t, _ = to_chainage(site.line, ray[k : k + 1, 0], ray[k : k + 1, 1])
    ground = float(np.asarray(terrain.ground)[row[k], col[k]])
    name = "something that stands there" if height[k] - ground > STANDS_M else "the ground"
    return (
        f"{name} at s = {float(s[0]):.0f} m, t = {float(t[0]):.0f} m rises {over[k]:.1f} m above "
        f"the ray to the light at s = {float(place['s']):.0f} m, t = {float(place['t']):.0f} m"
    )


def _ways(problem: Problem) -> Iterator[tuple[str, _Way]]:
    """Everything that may be relaxed, each alone."""
    for r, one in enumerate(problem.asked):
        asked = one.requirement
        for name, unit, words in (
            ("minimum_lx", " lx", "minimum"),
            ("average_lx", " lx", "average"),
            ("uniformity", "", "uniformity"),
        ):
            value = getattr(asked, name)
            if not value:
                continue

            def changed(to: float, r: int = r, name: str = name) -> Problem:
                some = list(problem.asked)
                some[r] = replace(some[r], requirement=replace(some[r].requirement, **{name: to}))
                return replace(problem, asked=tuple(some), pool={})

            def told(to: float, asked=asked, words=words, unit=unit, value=value) -> str:  # noqa: ANN001
                return f"ask '{asked.name}' for a {words} of {to:.3g}{unit} instead of {value:g}"

            yield "", _Way(told, changed, float(value), True)
        if asked.survive != "none":

            def without(to: float, r: int = r) -> Problem:
                some = list(problem.asked)
                some[r] = replace(some[r], requirement=replace(some[r].requirement, survive="none"))
                return replace(problem, asked=tuple(some), pool={})

            lost = f"let '{asked.name}' go dark when a {asked.survive} is out"
            yield "", _Way(lambda to, lost=lost: lost, without, 0.0, True)
    for r, limited in enumerate(problem.limited):

        def raised(to: float, r: int = r) -> Problem:
            some = list(problem.limited)
            some[r] = replace(some[r], most=to)
            return replace(problem, limited=tuple(some), pool={})

        def allow(to: float, limited=limited) -> str:  # noqa: ANN001
            return f"allow '{limited.limit.name}' {to:.3g} instead of {limited.limit.most:g}"

        yield f"the limit '{limited.limit.name}'", _Way(allow, raised, limited.most, False)


def _cheapest(
    problem: Problem, heads: Heads, site: Site, start_m: float, end_m: float
) -> tuple[str, str]:
    """The relaxation after which the stretch costs least, and the limit that it speaks of."""
    where = problem.columns.place
    reach = np.unique(where[_touched(problem, start_m, end_m)])
    free = np.isin(heads.place, reach)
    nothing = np.zeros(heads.place.size)

    def cost(changed: Problem) -> float | None:
        found = solve_part(
            changed, heads, nothing, free, start_m, end_m, whole=False, seed=site.seed
        )
        return None if found is None else found.cost

    found: list[tuple[float, str, str]] = []
    for limit, way in _ways(problem):
        to = _least_change(way, cost)
        if to is None or (way.falls and to < LEAST_SHARE * way.value):
            continue
        spent = cost(way.changed(to))
        if spent is not None:
            found.append((spent, way.words(to), limit))
    other = "or offer stronger lights, other aims, more or higher poles"
    if found:
        found.sort()
        money = [f"{words} ({spent:,.0f})" for spent, words, _ in found[:MOST_TOLD]]
        return (
            f"the cheapest relaxation is to {', the next to '.join(money)}, in brackets the least "
            f"that the stretch then costs in {site.catalogue.currency}; {other}",
            next((limit for _, _, limit in found if limit), ""),
        )
    share = _least_change(_Way(lambda to: "", lambda to: _all_less(problem, to), 1.0, True), cost)
    if share:
        return f"no single change helps; ask for {100 * share:.2g} % of all light, {other}", ""
    return (
        "no lower figure helps there: leave these metres out of what is asked, or offer poles "
        "elsewhere (lighting.offsets, lighting.spacing), higher ones or other aims",
        "",
    )


def _touched(problem: Problem, start_m: float, end_m: float) -> IntArray:
    """Columns that give light to the stretch."""
    found = [np.zeros(0, dtype=np.int64)]
    for one in problem.asked:
        low, high = np.searchsorted(one.points.s, [start_m, end_m])
        found.append(problem.place_of[np.unique(one.light[low:high].indices)])
    return np.flatnonzero(np.isin(problem.columns.place, np.concatenate(found)))


def _all_less(problem: Problem, share: float) -> Problem:
    """The problem with a share of all that is asked."""
    asked = tuple(
        replace(
            one,
            requirement=replace(
                one.requirement,
                minimum_lx=share * one.requirement.minimum_lx,
                average_lx=share * one.requirement.average_lx,
                uniformity=share * one.requirement.uniformity,
            ),
        )
        for one in problem.asked
    )
    return replace(problem, asked=asked, pool={})


def _least_change(way: _Way, cost: Callable[[Problem], float | None]) -> float | None:
    """The figure nearest to what is asked that leaves a choice, None where none does."""
    if way.falls:
        good, bad = 0.0, way.value
    else:
        good, bad = max(way.value, 1e-3), way.value
        while good < MOST_RAISE * max(way.value, 1e-3) and cost(way.changed(good)) is None:
            bad, good = good, 4.0 * good
    if cost(way.changed(good)) is None:
        return None
    if way.value == 0.0:
        return good
    for _ in range(HALVINGS):
        middle = 0.5 * (good + bad)
        if cost(way.changed(middle)) is None:
            bad = middle
        else:
            good = middle
    return good
