"""Design a plan for interruption, and judge it anew as if it were given."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np

from watchline.breach.demands import Demand, demands_of
from watchline.breach.garrison import garrisons
from watchline.breach.offered_rates import Rates, rates_of
from watchline.breach.offers import offers_beside
from watchline.breach.posts import Garrison
from watchline.breach.prove import checks_of
from watchline.breach.strengthen import Strengthened, strengthen
from watchline.breach.study import Study, study_plan
from watchline.chain.plan import candidates_of
from watchline.chain.progress import Progress
from watchline.chain.visibility import visibility_of
from watchline.design.columns import make_scene
from watchline.design.rows import make_rows
from watchline.geo.chainage import to_chainage
from watchline.io.run import Run
from watchline.model.breach import InterruptionDesign, PostChoice
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.heights import relief_of
from watchline.prove.verdicts import stretches

MOST_STRETCHES = 4


def design_for_interruption(
    site: Site, terrain: Terrain, plan: Plan, study: Study, run: Run, listener: Progress
) -> tuple[InterruptionDesign, Plan]:
    """The least addition with which no path is interrupted too rarely, and the plan with it.

    Posts and devices are weighed against each other: each choice of posts that saves as many
    entries as any gets its least devices, fewest posts first, until posts alone cost more than the
    best sum so far. Without a price of posts the fewest that suffice are taken.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, and what stands.
    study : Study
        Of the plan.
    run : Run
        Where candidates and visibility lie, or are put.
    listener : Progress
        Who listens.
    """
    defence = site.defence
    assert defence is not None
    candidates = candidates_of(site, terrain, run, listener)
    visibility = visibility_of(site, terrain, candidates, run, listener)
    scene = make_scene(site, candidates, visibility, make_rows(site, candidates))
    listener.step("offers")
    offers = offers_beside(scene, plan, listener.share)

    @cache
    def rates() -> Rates:
        """Of all poses, where a choice of posts needs devices; traced stretch by stretch."""
        return rates_of(scene, relief_of(terrain), study.strip, offers, study.sight)

    listener.step("choices of posts")
    offered = garrisons(study)
    price = defence.response.post_cost
    tried: list[tuple[int, Strengthened | None]] = []
    best: Strengthened | None = None
    for garrison, hopeless in offered:
        if (
            best is not None
            and not best.short.any()
            and _sum(best, price) <= _posts_cost(garrison, price)
        ):
            tried.append((hopeless, None))
            continue
        listener.step("design for interruption", _count(len(garrison.units), "new post"))
        found = strengthen(study, scene, plan, offers, rates, garrison, listener.share)
        tried.append((hopeless, found))
        if best is None or _rank(found, price) < _rank(best, price):
            best = found
    assert best is not None
    choices = tuple(
        PostChoice(
            posts=len(garrison.units),
            hopeless=hopeless,
            posts_cost=None if price is None else price * len(garrison.units),
            devices_cost=None if found is None else found.cost,
            lower_bound=None if found is None else found.lower_bound,
            short=None if found is None else int(found.short.sum()),
            taken=found is best,
        )
        for (garrison, _), (hopeless, found) in zip(offered, tried, strict=True)
    )
    listener.step("judging the designed plan")
    stronger = replace(best.plan, posts=_post_frame(site, best.garrison, price))
    judged = study_plan(site, terrain, stronger, listener.share)
    checks = checks_of(judged)
    worst = _worst(judged, best.hopeless)
    holds = all(
        float(np.nanmin(np.where(best.hopeless, np.inf, _mean(judged, k, demand)), initial=np.inf))
        >= demand.required - 1e-9
        for demand in demands_of(defence)
        for k in range(len(judged.adversaries))
    )
    result = InterruptionDesign(
        holds=not best.short.any() and holds and all(check.holds for check in checks),
        sentence=_sentence(site, plan, judged, best, worst),
        currency=plan.currency,
        cost_before=plan.cost,
        cost_after=best.plan.cost,
        lower_bound=best.lower_bound,
        posts=best.garrison.places,
        posts_cost=None if price is None else price * len(best.garrison.places),
        mounts=len(best.plan.mounts) - len(plan.mounts),
        devices=len(best.plan.devices) - len(plan.devices),
        worst_before=min(one.worst for one in study.adversaries),
        worst_after=worst,
        adversaries=judged.adversaries,
        hopeless=stretches(study.strip.s_m[best.hopeless], study.strip.row_m),
        short=stretches(study.strip.s_m[best.short], study.strip.row_m),
        hopeless_entries=int(best.hopeless.sum()),
        entries=best.hopeless.size,
        rounds=best.rounds,
        cuts=best.cuts,
        checks=checks,
        choices=choices,
    )
    return result, stronger


def _posts_cost(garrison: Garrison, price: float | None) -> float:
    """What posts cost; their number where the project names no price, before any device."""
    return 1e15 * len(garrison.units) if price is None else price * len(garrison.units)


def _sum(found: Strengthened, price: float | None) -> float:
    return _posts_cost(found.garrison, price) + found.cost


def _rank(found: Strengthened, price: float | None) -> tuple[int, float]:
    return int(found.short.sum()), _sum(found, price)


def _mean(judged: Study, adversary: int, demand: Demand) -> np.ndarray:
    return demand.mean([state.interruption for state in judged.adversaries[adversary].states])


def _post_frame(site: Site, garrison: Garrison, price: float | None) -> gpd.GeoDataFrame:
    """The layer of the plan's own posts."""
    x, y = (np.array([place[k] for place in garrison.places], dtype=float) for k in (1, 2))
    s, t, _ = to_chainage(site.line, x, y)
    return gpd.GeoDataFrame(
        {
            "name": [unit.name for unit in garrison.units],
            "s": s,
            "t": t,
            "cost": np.full(len(x), price or 0.0),
        },
        geometry=gpd.points_from_xy(x, y),
        crs=site.crs,
    )


def _worst(judged: Study, hopeless: np.ndarray) -> float:
    """Least probability of interruption at the entries that are not response-infeasible."""
    curves = [np.where(hopeless, np.nan, one.curve) for one in judged.adversaries]
    known = [curve[np.isfinite(curve)] for curve in curves]
    return min((float(curve.min()) for curve in known if curve.size), default=1.0)


def _asked(demands: tuple[Demand, ...]) -> str:
    """What is required, in words."""
    first, *others = demands
    text = f"P_I ≥ {first.required:g} over {first.name}"
    return text + "".join(f", ≥ {d.required:g} in '{d.name}'" for d in others)


def _sentence(site: Site, plan: Plan, judged: Study, found: Strengthened, worst: float) -> str:
    defence = site.defence
    assert defence is not None
    rules, asked = defence.response, _asked(demands_of(defence))
    devices = len(found.plan.devices) - len(plan.devices)
    mounts = len(found.plan.mounts) - len(plan.mounts)
    places = found.garrison.places
    posts = _count(len(places), "new post")
    if places and rules.post_cost is not None:
        posts += f" ({rules.post_cost * len(places):,.0f} {plan.currency})"
    addition = (
        f"{posts}, {_count(devices, 'device')} and {_count(mounts, 'mount')} more for "
        f"{found.cost:,.0f} {plan.currency} (at least {found.lower_bound:,.0f} with "
        "these posts)"
    )
    parts = []
    if found.hopeless.all():
        return (
            f"response-infeasible: {asked} can hold at no entry, however well it is watched; add "
            "delay behind the detection, shorten call-out and assessment, or mend what the states "
            "take away"
        )
    if found.short.any():
        where = _where(judged, found.short)
        parts.append(
            f"{asked} could not be reached at {_count(int(found.short.sum()), 'entry', 'entries')} "
            f"({where}): {found.ended}; {_missing(judged, found.short)}. So far: {addition}"
        )
    else:
        parts.append(
            asked
            + (" at every other entry" if found.hopeless.any() else "")
            + f" with {addition}: {worst:.4f} at the weakest entry"
        )
    if found.hopeless.any():
        parts.append(
            f"Response-infeasible are {int(found.hopeless.sum())} of {found.hopeless.size} entries "
            f"({_where(judged, found.hopeless)}): no sensor helps there; add delay behind the "
            "detection, shorten call-out and assessment, or mend what the states take away"
        )
    return ". ".join(parts)


def _missing(judged: Study, short: np.ndarray) -> str:
    """The state that takes most from the mean at the worst of the entries that are left."""
    most = judged.defence.detection.communication
    found = min(judged.adversaries, key=lambda one: np.nanmin(one.curve[short], initial=np.inf))
    row = int(np.nanargmin(np.where(short, found.curve, np.inf)))
    state = max(found.states, key=lambda one: one.probability * (most - one.interruption[row]))
    return (
        f"there '{found.adversary}' is interrupted with {found.curve[row]:.3f}, and most is "
        f"missing in '{state.state}' ({state.probability:.0%} of the time, "
        f"{state.interruption[row]:.3f})"
    )


def _where(study: Study, rows: np.ndarray) -> str:
    found = stretches(study.strip.s_m[rows], study.strip.row_m)
    text = ", ".join(f"{a:.0f}–{b:.0f}" for a, b in found[:MOST_STRETCHES])
    more = len(found) - MOST_STRETCHES
    return f"s = {text} m" + (f" and {more} more stretches" if more > 0 else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
