"""Lights designed again: what a proof found failing becomes rows of the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, vstack

from watchline.design.light_heads import Heads
from watchline.design.light_matrix import Scene, contributions
from watchline.design.light_points import Points, points_at
from watchline.design.light_rows import Asked, Problem, largest_group
from watchline.model.lighting import Lighting, LightingRules, LightRequirement
from watchline.model.proof import Claim
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
CUT_SHARE = 0.001
"""Of what is asked: a light that gives less than this to a point counts as nothing there."""
REPAIR_M = 60.0
SURCHARGE = 1.05
"""What the proof finds too little or too much is asked for with this surcharge."""
POINT_FIELDS = ("x", "y", "z", "s", "t", "normals", "edge")
PLACE = ["x", "y", "s", "t"]


@dataclass(frozen=True)
class Missed:
    """What proofs found failing.

    Attributes
    ----------
    points : dict of str to DataFrame
        Of each requirement the points that miss their minimum: ``x, y, s, t``, and in ``lux`` what
        is left there of the light when what must be survived is out.
    stretches : dict of str to list of DataFrame
        Of each requirement the points of every stretch that misses its mean or its uniformity.
    raised : dict of str to float
        By what the uniformity of a requirement is multiplied: light from far away counts against
        it in the proof only.
    over : dict of str to (float, list of (float, float))
        By how much each limit is exceeded, and at which chainages.
    """

    points: dict[str, pd.DataFrame] = field(default_factory=dict)
    stretches: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    raised: dict[str, float] = field(default_factory=dict)
    over: dict[str, tuple[float, list[tuple[float, float]]]] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether anything is missed that lights could mend."""
        return bool(self.points or self.stretches or self.over)


def missed_light(
    site: Site, claims: Sequence[Claim], table: pd.DataFrame, before: Missed | None = None
) -> Missed:
    """What the claims of a proof find failing, with what earlier proofs found.

    Parameters
    ----------
    site : Site
        What is asked.
    claims : sequence of Claim
        Claims on light.
    table : DataFrame
        The proof's points: ``requirement, x, y, s, t, lux, unknown_lx, pole_lx, feeder_lx``.
    before : Missed, optional
        What earlier proofs found: their points and stretches stay asked for.
    """
    rules = site.lighting
    assert rules is not None
    found = Missed() if before is None else before
    points, stretches = dict(found.points), dict(found.stretches)
    raised = dict(found.raised)
    over: dict[str, tuple[float, list[tuple[float, float]]]] = {}
    failing = {c.requirement: c for c in claims if c.binding and c.verdict != "holds"}
    areas = {area.name for area in site.areas}
    for asked in rules.requirements:
        here = table[table["requirement"] == asked.name]
        if not asked.binding or here.empty:
            continue
        left = here["lux"].to_numpy(dtype=np.float64)
        if asked.survive != "none":
            left = left - here[f"{asked.survive}_lx"].to_numpy(dtype=np.float64)
        bad = left < asked.minimum_lx
        if bad.any():
            fresh = here[bad][PLACE].assign(lux=left[bad])
            kept = points.get(asked.name, fresh.iloc[:0])
            merged = pd.concat([kept, fresh], ignore_index=True)
            points[asked.name] = merged.drop_duplicates(["x", "y"], keep="last")
        fresh_stretches = _failing_stretches(site, asked, here, asked.where in areas)
        claim = failing.get(f"{asked.name}: uniformity")
        if claim is not None and claim.value > 0 and fresh_stretches:
            least = min(float(one["lux"].min() / one["lux"].mean()) for one in fresh_stretches)
            beyond = max(1.0, least / claim.value)
            raised[asked.name] = max(raised.get(asked.name, 1.0), beyond)
        if fresh_stretches:
            stretches[asked.name] = [*stretches.get(asked.name, []), *fresh_stretches]
    for limit in rules.limits:
        claim = failing.get(limit.name)
        if claim is not None and limit.kind in ("illuminance", "veil"):
            over[limit.name] = (claim.value - limit.most, list(claim.failing_chainages))
    return Missed(points, stretches, raised, over)


def _failing_stretches(
    site: Site, asked: LightRequirement, here: pd.DataFrame, whole: bool
) -> list[pd.DataFrame]:
    """Points of each stretch that misses its mean or its uniformity."""
    if not (asked.average_lx or asked.uniformity):
        return []
    s = here["s"].to_numpy()
    number = np.zeros(s.size)
    if not whole:
        start = site.zone.start_m
        last = max(0, round((s.max() - start) / asked.stretch_m) - 1)
        number = np.minimum((s - start) // asked.stretch_m, last)
    found = []
    for _, one in here.groupby(number):
        lux, most = one["lux"].to_numpy(), (one["lux"] + one["unknown_lx"]).to_numpy()
        low = lux.mean() < asked.average_lx
        if low or lux.min() < asked.uniformity * most.mean():
            found.append(one[[*PLACE, "lux"]])
    return found


def with_missed(
    site: Site,
    terrain: Terrain,
    problem: Problem,
    scene: Scene,
    missed: Missed,
    x: FloatArray,
) -> tuple[Problem, list[tuple[float, float]]]:
    """The problem with what proofs found failing, and the stretches to choose anew.

    Where the design's light at a point is more than the proof found for the choice ``x``, as beside
    an edge of a shadow, so much more is asked for there.
    """
    places: list[tuple[float, float]] = []
    asked = []
    for one in problem.asked:
        wanted = one.requirement
        one = replace(
            one,
            requirement=replace(
                wanted, uniformity=wanted.uniformity * missed.raised.get(wanted.name, 1.0)
            ),
        )
        if wanted.name in missed.points:
            table = missed.points[wanted.name].sort_values("s", kind="stable")
            points = _points(site, terrain, wanted, table, edge=True)
            light = contributions(scene, points, cut_lx=cut_lx(wanted))
            given = light @ x
            if wanted.survive != "none":
                pole = wanted.survive == "pole"
                groups = problem.place_of if pole else problem.feeder_of
                given = given - largest_group(light, x, groups)[0]
            more = np.maximum(given - table["lux"].to_numpy(), 0.0) * SURCHARGE
            one = with_points(one, points, scene, more_lx=more, light=light)
            places += joined(points.s)
        for table in missed.stretches.get(wanted.name, []):
            table = table.sort_values("s", kind="stable")
            points = _points(site, terrain, wanted, table, edge=False)
            one, middle = _with_stretch(one, points, scene, x, table["lux"].to_numpy())
            half = 0.5 * min(wanted.stretch_m, float(np.ptp(points.s)))
            places.append((middle - half, middle + half))
        asked.append(one)
    limited = []
    for limit in problem.limited:
        if limit.limit.name in missed.over:
            too_much, stretches = missed.over[limit.limit.name]
            limit = replace(limit, most=limit.most - SURCHARGE * too_much)
            places += [(a - REPAIR_M, b + REPAIR_M) for a, b in stretches]
        limited.append(limit)
    return replace(problem, asked=tuple(asked), limited=tuple(limited), pool={}), places


def _points(
    site: Site, terrain: Terrain, asked: LightRequirement, table: pd.DataFrame, *, edge: bool
) -> Points:
    x, y, s, t = (table[name].to_numpy(dtype=np.float64) for name in PLACE)
    return points_at(site, terrain, asked, (x, y, s, t), np.full(x.size, edge))


def cut_lx(requirement: LightRequirement) -> float:
    """Light that counts as nothing at a point of a requirement [lx]."""
    return CUT_SHARE * (requirement.minimum_lx or requirement.average_lx)


def joined(s: FloatArray, reach_m: float = REPAIR_M) -> list[tuple[float, float]]:
    """Stretches round some chainages, none much longer than twice the reach."""
    found: list[tuple[float, float]] = []
    for at in np.sort(s):
        if not found or at > found[-1][0] + 2 * reach_m:
            found.append((float(at) - reach_m, float(at) + reach_m))
    return found


def pick(points: Points, at: npt.NDArray[np.int64]) -> Points:
    """Some of the points."""
    return Points(*(getattr(points, name)[at] for name in POINT_FIELDS))


def with_points(
    one: Asked,
    more: Points,
    scene: Scene,
    *,
    more_lx: FloatArray | None = None,
    stretch: int = -1,
    light: csr_matrix | None = None,
) -> Asked:
    """A requirement with further points for its minimum, or of a further stretch."""
    if light is None:
        light = contributions(scene, more, cut_lx=cut_lx(one.requirement))
    extra = np.zeros(len(more)) if more_lx is None else more_lx
    order = np.argsort(np.concatenate([one.points.s, more.s]), kind="stable")
    both = (
        np.concatenate([getattr(one.points, name), getattr(more, name)])[order]
        for name in POINT_FIELDS
    )
    return replace(
        one,
        points=Points(*both),
        light=vstack([one.light, light], format="csr")[order],
        stretch=np.concatenate([one.stretch, np.full(len(more), stretch)])[order],
        more_lx=np.concatenate([one.more_lx, extra])[order],
    )


def _with_stretch(
    one: Asked, points: Points, scene: Scene, x: FloatArray, lux: FloatArray
) -> tuple[Asked, float]:
    """A requirement with the proof's own points of a stretch, and the stretch's middle."""
    light = contributions(scene, points, cut_lx=cut_lx(one.requirement))
    mean = csr_matrix(light.mean(axis=0))
    more = max(0.0, float((light @ x).mean() - lux.mean())) * SURCHARGE
    middle = float(points.s.mean())
    one = with_points(one, points, scene, stretch=one.middle.size, light=light)
    return (
        replace(
            one,
            means=vstack([one.means, mean], format="csr"),
            middle=np.append(one.middle, middle),
            more_mean_lx=np.append(one.more_mean_lx, more),
        ),
        middle,
    )


def chosen_again(before: Lighting, heads: Heads, rules: LightingRules) -> FloatArray:
    """The choice of heads that some lights are, float64 [heads].

    Raises
    ------
    ValueError
        A light is none of the heads.
    """
    names = {offer.name: k for k, offer in enumerate(rules.luminaires)}
    places = heads.places
    spot = np.column_stack(
        [
            places["x"].to_numpy()[heads.place],
            places["y"].to_numpy()[heads.place],
            heads.top_height_m[heads.top],
            heads.azimuth_deg,
            heads.tilt_deg,
        ]
    )
    known = {(int(heads.offer[k]), *np.round(spot[k], 3)): k for k in range(spot.shape[0])}
    x = np.zeros(heads.place.size)
    for row in before.lights.itertuples():
        where = (row.geometry.x, row.geometry.y, row.height_m, row.azimuth_deg, row.tilt_deg)
        key = (names[str(row.luminaire)], *np.round(np.array(where, dtype=np.float64), 3))
        if key not in known:
            raise ValueError(f"the light {row.light_id} is none of those that are offered")
        x[known[key]] = 1.0
    return x
