"""Why it costs this: what was found by asking for less, as words, tables and a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchline.model.why import Change, Why
from watchline.report import svg, words
from watchline.report.strip import nice_range
from watchline.report.tables import Column, Row, Table

CHEAPEST = 3
"""Relaxations that are named; all are in why.json."""
WIDTH = 510.0
HEIGHT = 190.0
LEFT, RIGHT, TOP, BOTTOM = 78.0, 56.0, 10.0, 36.0


@dataclass(frozen=True)
class Reasons:
    """The section of the report.

    Attributes
    ----------
    lead : tuple of str
        Paragraphs before the tables.
    tables : tuple of Table
        The cheapest relaxations, and what each condition and each requirement costs.
    curve : str
        Inside of the picture of cost against cover; empty where there is none.
    curve_text : str
        What it shows, in words.
    notes : tuple of str
        What limits the figures.
    """

    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    curve: str
    curve_text: str
    notes: tuple[str, ...]


def gather_reasons(why: Why) -> Reasons:
    """All words, tables and the curve of the section."""
    tables = []
    if why.relaxations:
        tables.append(
            _table("relaxations", "The cheapest relaxations", why.relaxations[:CHEAPEST], why)
        )
    if why.conditions:
        tables.append(_table("conditions", "What each condition costs", why.conditions, why))
    if why.requirements:
        tables.append(_table("requirements", "What each requirement costs", why.requirements, why))
    return Reasons(
        lead=_lead(why),
        tables=tuple(tables),
        curve=cost_curve(why),
        curve_text=_curve_text(why),
        notes=why.notes,
    )


def _lead(why: Why) -> tuple[str, ...]:
    money = words.money
    paragraphs = [
        f"Searched again with {words.number(why.work)} million steps each, from the plan on. With "
        f"nothing changed such a search ends at {money(why.base_cost, why.currency)}, and savings "
        "are counted from there."
    ]
    if why.dearest:
        places = [
            f"{words.stretch(a, b)} ({money(price, why.currency)})" for a, b, price in why.dearest
        ]
        paragraphs.append(
            f"The dearest metres, by what the bound pays for them: {', '.join(places)}."
        )
    for change in why.conditions:
        span = why.price_of(change)
        if span is not None:
            low, high = (money(value, why.currency) for value in span)
            paragraphs.append(
                f"The price of \u2018{change.requirement}\u2019, the least cost with it less that "
                f"without, lies between {low} and {high}."
            )
    if why.reserve is not None:
        reserve = why.reserve
        if reserve.cost is None:
            paragraphs.append(f"If {reserve.what}: {reserve.note}")
        else:
            gap = words.gap_percent(reserve.gap)
            paragraphs.append(
                f"That {reserve.what} would cost {money(reserve.cost, why.currency)}, "
                f"{money(-reserve.saved, why.currency)} more (gap {gap})."
            )
    return tuple(paragraphs)


def _table(key: str, caption: str, changes: Sequence[Change], why: Why) -> Table:
    priced = any(change.priced is not None for change in changes)
    columns = [
        Column("Asked for less", width=3.4),
        Column(f"Cost, {why.currency}", numeric=True, width=1.2),
        Column(f"Saved, {why.currency}", numeric=True, width=1.2),
        Column("Gap", numeric=True, width=0.9),
    ]
    note = "Saved against the same search without the change."
    if priced:
        columns.append(Column(f"By prices, {why.currency}", numeric=True, width=1.3))
        note += (
            " By prices: what the bound pays for it at the margin, an estimate without a search."
        )
    note += "".join(f" {text}" for text in dict.fromkeys(c.note for c in changes) if text)
    rows = []
    for change in changes:
        cells = [
            change.what[:1].upper() + change.what[1:],
            words.number(change.cost),
            words.number(change.saved),
            words.gap_percent(change.gap),
        ]
        rows.append(Row(tuple([*cells, words.number(change.priced)] if priced else cells)))
    return Table(key, caption, tuple(columns), tuple(rows), note)


def _curve_text(why: Why) -> str:
    first, last = why.curve[0], why.curve[-1]
    return (
        f"Cost against the share covered: {words.percent(first.covered)} of the cells for "
        f"{words.money(first.cost, why.currency)}, {words.percent(last.covered)} for "
        f"{words.money(last.cost, why.currency)}. The dashed line is what no plan for that share "
        "costs less than."
    )


def cost_curve(why: Why) -> str:
    """Cost and bound against the share covered, as the inside of a picture."""
    if len(why.curve) < 2:
        return ""
    covered = 100.0 * np.array([point.covered for point in why.curve])
    asked = 100.0 * np.array([point.asked for point in why.curve])
    cost = np.array([point.cost for point in why.curve])
    bound = np.array([point.lower_bound for point in why.curve])
    low, high, step = nice_range(float(min(bound.min(), cost.min())), float(cost.max()))
    left_x, right_x = float(min(covered.min(), asked.min())), 100.0
    # The last point's own line needs some width.
    left_x -= 0.02 * (right_x - left_x)
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    span = max(right_x - left_x, 1e-9)

    def across(values: np.ndarray) -> np.ndarray:
        return LEFT + (right - LEFT) * (values - left_x) / span

    def down(values: np.ndarray) -> np.ndarray:
        return base - (base - TOP) * (values - low) / (high - low)

    parts = []
    for value in np.arange(low, high + step / 2, step):
        y = float(down(np.array(value)))
        parts.append(
            svg.element("path", d=f"M{svg.short(LEFT)} {svg.short(y)}H{right:g}", class_="grid")
        )
        label = words.number(float(value))
        parts.append(svg.text(LEFT - 5, y + 2.5, label, "axis-text", text_anchor="end"))
    for value in _ticks(left_x, right_x):
        x = float(across(np.array(value)))
        parts.append(svg.text(x, base + 14, f"{value:g}\u00a0%", "axis-text", text_anchor="middle"))
        d = f"M{svg.short(x)} {svg.short(base)}v3"
        parts.append(svg.element("path", d=d, class_="axis"))
    # Staircases: a plan for more serves for less too, and a bound for less binds more too.
    for x, y, class_, ahead in (
        (covered, cost, "curve-cost", True),
        (asked, bound, "curve-bound", False),
    ):
        order = np.lexsort((y, x))
        stair_x, stair_y = np.repeat(across(x)[order], 2), np.repeat(down(y)[order], 2)
        stair_x, stair_y = (stair_x[:-1], stair_y[1:]) if ahead else (stair_x[1:], stair_y[:-1])
        parts.append(svg.element("path", d=svg.path_of_points(stair_x, stair_y), class_=class_))
    for x, y in zip(across(covered), down(cost), strict=True):
        parts.append(svg.element("circle", cx=float(x), cy=float(y), r=2.6, class_="curve-dot"))
    ends = [[float(down(cost[:1])[0]), "cost"], [float(down(bound[:1])[0]), "bound"]]
    for y, name in ends:
        parts.append(svg.text(right + 8, y + 2.5, name, "row-title"))
    middle, title = (LEFT + right) / 2, "share of the cells that is covered"
    parts.append(svg.text(middle, base + 29, title, "axis-text", text_anchor="middle"))
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Percentages to label: about eight, and always 100."""
    step = next(s for s in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if (high - low) / s <= 9 or s == 20.0)
    count = int((high - low) / step + 1e-9)
    return [high - step * k for k in range(count, -1, -1)]
