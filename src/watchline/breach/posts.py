"""Posts of a studied plan: the fewest on its road with which what is required holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from watchline.breach.respond import Unit, post_unit
from watchline.breach.study import Study, with_more_units
from watchline.breach.weakest import hazard_field
from watchline.design.posts import (
    Drive,
    PostPlan,
    best_posts_for,
    fewest_posts,
    needed_hazard,
    time_allowed,
)
from watchline.errors import UsageError
from watchline.geo.chainage import to_chainage
from watchline.kernels.moves import Field
from watchline.model.breach import BestPosts, PostAnswer
from watchline.prove.verdicts import stretches

FloatArray = npt.NDArray[np.float64]
MOST_STRETCHES = 4

ON_ROAD_S = 1.0
"""A post nearer than this to the road stands on it."""


class _Rules(TypedDict):
    """Arguments of the siting of posts that do not depend on the exits."""

    fixed_s: float
    fixed_sd_s: float
    travel_spread: float
    existing_r_m: FloatArray


@dataclass(frozen=True)
class Garrison:
    """New posts on the road.

    Attributes
    ----------
    units : tuple of Unit
        The posts.
    places : tuple of (float, float, float)
        Their chainage and coordinates.
    """

    units: tuple[Unit, ...] = ()
    places: tuple[tuple[float, float, float], ...] = ()


def post_answer(study: Study, required: float) -> PostAnswer:
    """Fewest new posts on the road beside those that stand, for all adversaries together.

    The exits of every adversary ask for their own intervals of the road; all are covered at once.
    Existing posts are taken where they meet the road, if they are on it; patrols are left aside.
    The answer is then judged by the weakest paths themselves.
    """
    defence = study.defence
    plan = _fewest(study, required, [case.hazard for case in study.cases])
    if plan is None:
        sentence = (
            f"P_I ≥ {required:g} cannot be reached: only {defence.detection.communication:g} of "
            "the detections get through; ask for less, or raise the communication"
        )
        return PostAnswer(required, False, sentence, 0, (), float("nan"), ())
    chainage = np.concatenate([study.strip.s_m for _ in study.cases])
    new = _new_posts(study, plan)
    achieved = min(found.worst for found in with_more_units(study, list(new.units)))
    late = stretches(chainage[plan.late], study.strip.row_m)
    return PostAnswer(
        required,
        not plan.late.any(),
        _sentence(required, plan, chainage, late),
        plan.existing,
        new.places,
        achieved,
        late,
    )


def needed_posts(
    study: Study, required: float, rate_of: dict[float, FloatArray] | None = None
) -> Garrison:
    """Fewest new posts with which the requirement could hold in the normal state.

    Parameters
    ----------
    study : Study
        With the posts that stand.
    required : float
        Probability of interruption.
    rate_of : dict of float to float64 array [cells], optional
        Rates of detection by target height; by default those of the plan.
    """
    hazards = [
        case.hazard if rate_of is None else hazard_field(study.strip, case.walker, rate_of)
        for case in study.cases
    ]
    plan = _fewest(study, required, hazards)
    return Garrison() if plan is None else _new_posts(study, plan)


def best_posts(study: Study, required: float, number: int) -> BestPosts:
    """Where so many new posts serve most exits in time, in the normal state.

    Parameters
    ----------
    study : Study
        With the posts that stand.
    required : float
        Probability of interruption.
    number : int
        How many new posts, at least 1.

    Raises
    ------
    UsageError
        The number is below 1.
    """
    if number < 1:
        raise UsageError(f"{number} posts", mend="ask for at least one post")
    asked = _asked(study, required, [case.hazard for case in study.cases])
    points, served = (
        (np.zeros(0), 0) if asked is None else best_posts_for(*asked, number, **_rules(study))
    )
    garrison = _at(study, points)
    found = with_more_units(study, list(garrison.units))
    return BestPosts(
        number,
        garrison.places,
        served,
        sum(case.exits.r_m.size for case in study.cases),
        min(one.worst for one in found),
        tuple(int((one.curve[np.isfinite(one.curve)] < required).sum()) for one in found),
    )


def _fewest(study: Study, required: float, hazards: Sequence[Field]) -> PostPlan | None:
    """Fewest posts under hazards, one field an adversary; None where no response is enough."""
    asked = _asked(study, required, hazards)
    return None if asked is None else fewest_posts(*asked, **_rules(study))


def _asked(
    study: Study, required: float, hazards: Sequence[Field]
) -> tuple[Drive, FloatArray, FloatArray, dict[float, FloatArray]] | None:
    """The road, the exits of all adversaries, and what each allows the response to take."""
    road = study.road
    allowed: dict[float, list[FloatArray]] = {}
    for case, hazard in zip(study.cases, hazards, strict=True):
        for p, needed in needed_hazard(required, study.defence.detection.communication).items():
            time = time_allowed(
                hazard, case.walker.fastest, case.walker.entry, case.walker.exit, needed
            )
            allowed.setdefault(p, []).append(time)
    if not allowed:
        return None
    return (
        Drive(road.r_m, road.ahead_s, road.back_s),
        np.concatenate([case.exits.r_m for case in study.cases]),
        np.concatenate([case.exits.cross_s for case in study.cases]),
        {p: np.concatenate(times) for p, times in allowed.items()},
    )


def _rules(study: Study) -> _Rules:
    """What posts have in common, and where those that stand on the road are."""
    defence, rules = study.defence, study.defence.response
    existing = [unit for unit in study.units[: len(defence.posts)] if unit.access_s < ON_ROAD_S]
    return {
        "fixed_s": defence.detection.assessment_s + rules.call_out_s,
        "fixed_sd_s": rules.call_out_sd_s,
        "travel_spread": rules.travel_spread,
        "existing_r_m": np.array([float(unit.r_m[0]) for unit in existing]),
    }


def _new_posts(study: Study, plan: PostPlan) -> Garrison:
    """The new posts of a plan."""
    return _at(study, plan.r_m[plan.existing :])


def _at(study: Study, r_m: FloatArray) -> Garrison:
    """New posts at distances along the road."""
    site = study.site
    units, places = [], []
    for k, r in enumerate(r_m):
        point = site.road.centreline.interpolate(float(r))
        s, _, _ = to_chainage(site.line, np.array([point.x]), np.array([point.y]))
        places.append((float(s[0]), float(point.x), float(point.y)))
        units.append(post_unit(site, f"new post {k + 1}", point.x, point.y))
    return Garrison(tuple(units), tuple(places))


def _sentence(
    required: float,
    plan: PostPlan,
    s_m: FloatArray,
    late: tuple[tuple[float, float], ...],
) -> str:
    count = plan.r_m.size - plan.existing
    posts = (
        f"{count} new post{'s' if count != 1 else ''} on the road beside the {plan.existing} that "
        f"help{'s' if plan.existing == 1 else ''} already; no fewer suffice when a response "
        f"counts that is in time with at least {plan.in_time:g}"
    )
    if not plan.late.any():
        return f"P_I ≥ {required:g} holds in the normal state with {posts}"
    worst = int(np.argmax(plan.short_s))
    where = ", ".join(f"{a:.0f}–{b:.0f}" for a, b in late[:MOST_STRETCHES])
    more = f" and {len(late) - MOST_STRETCHES} more stretches" if len(late) > MOST_STRETCHES else ""
    sentence = (
        f"response-infeasible: P_I ≥ {required:g} cannot hold at {plan.late.sum()} of "
        f"{plan.late.size} exits however many posts there are (s = {where} m{more}); at s = "
        f"{s_m[worst]:.0f} m even a post at the exit's own place on the road is "
        f"{plan.short_s[worst]:.0f} s late; add delay behind the detection, detect earlier, or "
        "shorten call-out and assessment"
    )
    if plan.late.all():
        return sentence
    return f"{sentence}. All other exits need {posts}"
