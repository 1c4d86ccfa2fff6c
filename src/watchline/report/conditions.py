"""The conditions that requirements name: what they are, and what the bound pays for each."""

from __future__ import annotations

import math

from watchline.model.condition import Condition
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.report import words
from watchline.report.tables import Column, Row, Table

NOTE = (
    "Ambient light is that of sky, sun and moon on the target; visibility leaves 2\u00a0% of the "
    "contrast (5\u00a0% where it says MOR). By prices: what the bound pays for all that is asked "
    "under the condition; what a harder condition implies has no price of its own."
)


def priced_conditions(site: Site, plan: Plan) -> list[tuple[Condition, float | None]]:
    """Each condition with what the bound's prices pay for it; None where there is no bound."""
    paid = dict.fromkeys((condition.name for condition in site.conditions), 0.0)
    asked = {requirement.name: requirement.condition for requirement in site.requirements}
    for claim in plan.design_claims:
        if claim.requirement in asked:
            paid[asked[claim.requirement]] += claim.cost_share
    known = plan.lower_bound is not None and sum(paid.values()) > 0
    return [
        (condition, paid[condition.name] * (plan.lower_bound or 0.0) if known else None)
        for condition in site.conditions
    ]


def price_sentence(site: Site, plan: Plan) -> str:
    """What the bound pays for each condition, in a sentence of the command line."""
    parts = [
        f"'{condition.name}' {price:,.0f} {plan.currency}"
        for condition, price in priced_conditions(site, plan)
        if price is not None
    ]
    if not parts:
        return "What each condition costs: see `watchline why`."
    return (
        f"Of the bound, its prices pay for {', '.join(parts)}; `watchline why` searches again "
        "without each condition."
    )


def conditions_table(site: Site, plan: Plan) -> Table:
    """Light and air of every condition, and its price."""
    columns = (
        Column("Condition", width=1.4),
        Column("Ambient light", numeric=True),
        Column("Lamps, if planned"),
        Column("Visibility", numeric=True),
        Column("Air", width=1.6),
        Column("Target", width=2.2),
        Column(f"By prices, {plan.currency}", numeric=True, width=1.2),
    )
    rows = [
        Row(
            (
                condition.name,
                f"{_spaced(condition.ambient_lx)}\u00a0lx",
                "on" if condition.lamps else "off",
                _visibility(condition),
                f"{condition.air}, {condition.temperature_c:g}\u00a0°C, "
                f"{words.percent(condition.humidity)} humid",
                f"contrast {condition.contrast:g}, reflectance {condition.reflectance:g}, "
                f"{condition.difference_k:g}\u00a0K apart",
                words.EMPTY if price is None else words.number(price),
            )
        )
        for condition, price in priced_conditions(site, plan)
    ]
    return Table("conditions", "Conditions", columns, tuple(rows), NOTE)


def _spaced(value: float) -> str:
    """A light level to six digits, thousands parted as in every table."""
    return words.number(value) if value >= 1000 else f"{value:.6g}"


def _visibility(condition: Condition) -> str:
    if math.isinf(condition.visibility_m):
        return "unlimited"
    kind = "" if condition.contrast_left == 0.02 else " (MOR)"
    return f"{words.metres(condition.visibility_m)}{kind}"
