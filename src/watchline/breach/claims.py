"""Claims on the probability of interruption: one an adversary and demand, for a plan's proof."""

from __future__ import annotations

import numpy as np
import pandas as pd

from watchline.breach.demands import Demand, demands_of
from watchline.breach.study import Study
from watchline.breach.weakest import trace_path
from watchline.geo.chainage import to_chainage
from watchline.model.breach import AdversaryBreach, BreachCheck
from watchline.model.proof import Claim, Verdict, Witness
from watchline.model.site import Site
from watchline.prove.verdicts import shares_along, stretches

SLACK = 1e-9
UNIT = "P_I"


def interruption_claims(
    study: Study, checks: tuple[BreachCheck, ...]
) -> tuple[tuple[Claim, ...], pd.DataFrame]:
    """Claims of a study: every breach path is interrupted with the required probability.

    Parameters
    ----------
    study : Study
        Of the plan.
    checks : tuple of BreachCheck
        Of :func:`watchline.breach.prove.checks_of`; if one of an adversary does not agree, his
        claims are unknown.

    Returns
    -------
    claims : tuple of Claim
        One an adversary and demand; the figure is the least over all entries.
    along : DataFrame
        Share of entries that hold for each 100 m, as
        :func:`watchline.prove.verdicts.shares_along` gives it.
    """
    claims, tables = [], []
    for number, found in enumerate(study.adversaries):
        failed = [
            check for check in checks if check.name.startswith(found.adversary) and not check.holds
        ]
        for k, demand in enumerate(demands_of(study.defence)):
            curve = demand.mean([state.interruption for state in found.states])
            name = claim_name(found.adversary, demand, k)
            entered = np.isfinite(curve)
            good = curve[entered] >= demand.required - SLACK
            s = study.strip.s_m[entered]
            tables.append(shares_along(name, s, good, good))
            claims.append(_claim(study, number, found, demand, name, curve, failed))
    return tuple(claims), pd.concat(tables, ignore_index=True)


def claims_not_judged(site: Site, why: str) -> tuple[Claim, ...]:
    """The claims that a project makes on interruption, unknown: where they are not computed.

    Weakest paths over a whole line take seconds; who edits a plan and is answered at once is told
    that these claims wait, rather than nothing of them.

    Parameters
    ----------
    site : Site
        What is asked.
    why : str
        Why they are not judged, in a sentence: their detail.
    """
    if site.defence is None:
        return ()
    return tuple(
        Claim(
            requirement=claim_name(adversary.name, demand, k),
            kind="interruption",
            where="zone",
            condition=demand.name,
            verdict="unknown",
            value=0.0,
            lower=0.0,
            upper=1.0,
            target=demand.required,
            binding=site.defence.binding,
            witness=None,
            cells=0,
            failing_chainages=(),
            method="",
            detail=why,
            unit=UNIT,
        )
        for adversary in site.defence.adversaries
        for k, demand in enumerate(demands_of(site.defence))
    )


def claim_name(adversary: str, demand: Demand, number: int) -> str:
    """Name of the claim on an adversary's interruption under a site's demand of that number."""
    return f"interrupted: {adversary}" + ("" if number == 0 else f", in '{demand.name}'")


def _claim(
    study: Study,
    number: int,
    found: AdversaryBreach,
    demand: Demand,
    name: str,
    curve: np.ndarray,
    failed: list[BreachCheck],
) -> Claim:
    entered = np.isfinite(curve)
    worst = float(curve[entered].min()) if entered.any() else 1.0
    bad = entered & (curve < demand.required - SLACK)
    verdict: Verdict = "fails" if bad.any() else "holds"
    if failed:
        verdict = "unknown"
    row = int(np.argmin(np.where(entered, curve, np.inf)))
    detail = (
        f"whoever crosses {found.direction} as '{found.adversary}' is interrupted with at least "
        f"{worst:.4f} from the weakest entry; {int(bad.sum())} of {int(entered.sum())} entries lie "
        f"below {demand.required:g}"
    )
    if failed:
        detail = f"a check does not agree ({failed[0].name}: {failed[0].sentence}); {detail}"
    return Claim(
        requirement=name,
        kind="interruption",
        where="zone",
        condition=demand.name,
        verdict=verdict,
        value=worst,
        lower=worst,
        upper=worst,
        target=demand.required,
        binding=study.defence.binding,
        witness=_witness(study, number, found, row, worst) if entered.any() else None,
        cells=int(entered.sum()),
        failing_chainages=stretches(study.strip.s_m[bad], study.strip.row_m),
        method=(
            f"weakest paths over cells of {study.defence.cell_m:g} m against an adversary who "
            "knows devices, posts and state, and takes his best way out once detected; every move "
            "of every state checked, paths added up anew, 20,000 walkers simulated on two of them"
        ),
        detail=detail,
        unit=UNIT,
    )


def _witness(study: Study, number: int, found: AdversaryBreach, row: int, worst: float) -> Witness:
    """The entry with the least, and what the weakest path of the normal state from it is like."""
    case = study.cases[number]
    x, y = study.strip.x[row, case.walker.entry], study.strip.y[row, case.walker.entry]
    _, t, _ = to_chainage(study.site.line, np.array([x]), np.array([y]))
    if not np.isfinite(case.weakest.curve[row]):
        return Witness(x, y, float(study.strip.s_m[row]), float(t[0]), worst, "no way in by day")
    path = trace_path(case.walker, case.hazard, case.weakest, case.escape, row)
    out = study.strip.s_m[path.row[-1]]
    least = min(found.states, key=lambda state: state.interruption[row])
    why = f"in here and out at s = {out:.0f} m; least in '{least.state}'"
    if path.critical < 0:
        why += "; the response is later than the way out from everywhere"
    else:
        point = study.strip.s_m[path.row[path.critical]]
        why += f"; detections count up to s = {point:.0f} m by day"
    return Witness(float(x), float(y), float(study.strip.s_m[row]), float(t[0]), worst, why)
