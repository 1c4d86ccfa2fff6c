"""Design a plan for interruption, and judge it anew as if it were given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchline.breach.offers import offers_beside
from watchline.breach.prove import checks_of
from watchline.breach.strengthen import Strengthened, strengthen
from watchline.breach.study import Study, study_plan
from watchline.chain.plan import candidates_of
from watchline.chain.progress import Progress
from watchline.chain.visibility import visibility_of
from watchline.design.columns import make_scene
from watchline.design.rows import make_rows
from watchline.io.run import Run
from watchline.model.breach import InterruptionDesign
from watchline.model.defence import Post
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.verdicts import stretches

MOST_STRETCHES = 4


def design_for_interruption(
    site: Site, terrain: Terrain, plan: Plan, study: Study, run: Run, listener: Progress
) -> tuple[InterruptionDesign, Plan]:
    """The least addition with which no path is interrupted too rarely, and the plan with it.

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
    listener.step("design for interruption", f"{len(offers.poses):,} poses on offer")
    required = defence.response.required
    found = strengthen(study, scene, terrain, plan, offers, required, listener.share)
    listener.step("judging the designed plan")
    posts = tuple(
        Post(unit.name, x, y) for unit, (_, x, y) in zip(found.units, found.posts, strict=True)
    )
    stronger_site = replace(site, defence=replace(defence, posts=(*defence.posts, *posts)))
    judged = study_plan(stronger_site, terrain, found.plan, listener.share)
    checks = checks_of(judged)
    worst = _worst(judged, found)
    cost = defence.response.post_cost
    result = InterruptionDesign(
        holds=not found.short.any()
        and worst >= required - 1e-9
        and all(check.holds for check in checks),
        sentence=_sentence(site, plan, study, found, worst),
        currency=plan.currency,
        cost_before=plan.cost,
        cost_after=found.plan.cost,
        lower_bound=found.lower_bound,
        posts=found.posts,
        posts_cost=None if cost is None else cost * len(found.posts),
        mounts=len(found.plan.mounts) - len(plan.mounts),
        devices=len(found.plan.devices) - len(plan.devices),
        worst_before=min(one.worst for one in study.adversaries),
        worst_after=worst,
        adversaries=judged.adversaries,
        hopeless=stretches(study.strip.s_m[found.hopeless], study.strip.row_m),
        short=stretches(study.strip.s_m[found.short], study.strip.row_m),
        hopeless_entries=int(found.hopeless.sum()),
        entries=found.hopeless.size,
        rounds=found.rounds,
        cuts=found.cuts,
        checks=checks,
    )
    return result, found.plan


def _worst(judged: Study, found: Strengthened) -> float:
    """Least probability of interruption at the entries that are not response-infeasible."""
    curves = [np.where(found.hopeless, np.nan, one.curve) for one in judged.adversaries]
    known = [curve[np.isfinite(curve)] for curve in curves]
    return min((float(curve.min()) for curve in known if curve.size), default=1.0)


def _sentence(site: Site, plan: Plan, study: Study, found: Strengthened, worst: float) -> str:
    defence = site.defence
    assert defence is not None
    required, rules = defence.response.required, defence.response
    devices = len(found.plan.devices) - len(plan.devices)
    mounts = len(found.plan.mounts) - len(plan.mounts)
    posts = _count(len(found.posts), "new post")
    if found.posts and rules.post_cost is not None:
        posts += f" ({rules.post_cost * len(found.posts):,.0f} {plan.currency})"
    addition = (
        f"{posts}, {_count(devices, 'device')} and {_count(mounts, 'mount')} more for "
        f"{found.cost:,.0f} {plan.currency} (at least {found.lower_bound:,.0f} with "
        "these posts)"
    )
    parts = []
    if found.hopeless.all():
        return (
            f"response-infeasible: P_I ≥ {required:g} can hold at no entry over all states, "
            "however well it is watched; add delay behind the detection, shorten call-out and "
            "assessment, or mend what the states take away"
        )
    if found.short.any():
        where = _where(study, found.short)
        parts.append(
            f"P_I ≥ {required:g} could not be reached at {int(found.short.sum())} entries ({where})"
            f": {found.ended}. So far: {addition}"
        )
    else:
        parts.append(
            f"P_I ≥ {required:g} over all states"
            + (" at every other entry" if found.hopeless.any() else "")
            + f" with {addition}: {worst:.4f} at the weakest entry"
        )
    if found.hopeless.any():
        parts.append(
            f"Response-infeasible are {int(found.hopeless.sum())} of {found.hopeless.size} entries "
            f"({_where(study, found.hopeless)}): no sensor helps there; add delay behind the "
            "detection, or shorten call-out and assessment"
        )
    return ". ".join(parts)


def _where(study: Study, rows: np.ndarray) -> str:
    found = stretches(study.strip.s_m[rows], study.strip.row_m)
    text = ", ".join(f"{a:.0f}–{b:.0f}" for a, b in found[:MOST_STRETCHES])
    more = len(found) - MOST_STRETCHES
    return f"s = {text} m" + (f" and {more} more stretches" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
