"""The strip chart: the whole line straightened, chainage to the right, one row per finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.proof import Claim, Proof
from watchline.report import judged, svg, symbols, words
from watchline.report.chart import LEFT, RIGHT, Chart, axis, grid, head
from watchline.report.features import Features
from watchline.report.labels import spread
from watchline.report.strip_heat import heat_row

FloatArray = npt.NDArray[np.float64]

BAR_HEIGHT = 16.0
PROFILE_HEIGHT = 62.0
COST_HEIGHT = 34.0
NAME_GAP = 8.5
NAME_LETTERS = 18
LEAST_CAP = 4.0
# A bar this many times higher than nearly all others is cut, or it would flatten them.
CUT_TIMES = 3.0


def strip_chart(
    features: Features,
    proof: Proof,
    layers: Sequence[judged.Layer],
    cost_along: pd.DataFrame | None,
    currency: str,
    width: float,
) -> Chart:
    """Draw the strip chart.

    Parameters
    ----------
    features : Features
        Mounts and extent of the line.
    proof : Proof
        Cells, claims and shares per 100 m.
    layers : sequence of Layer
        One row of heat each.
    cost_along : DataFrame or None
        Columns ``s_from, s_to, price``: the bound's dual prices.
    currency : str
        Of the cost.
    width : float
        Width of the picture.
    """
    chart = Chart("", width, 0.0, LEFT, width - RIGHT, features.start_m, features.end_m)
    rows: list[Callable[[Chart, float], tuple[str, float]]] = [
        lambda c, y: _mount_row(c, y, features),
        *(_bind(heat_row, layer, proof) for layer in layers),
        *(_bind(_claim_row, claim, proof) for claim in claims_along(proof)),
        lambda c, y: _profile_row(c, y, features, proof.cells),
    ]
    if cost_along is not None and len(cost_along):
        rows.append(lambda c, y: _cost_row(c, y, cost_along, currency))
    parts: list[str] = []
    y = 4.0
    for row in rows:
        body, height = row(chart, y)
        parts.append(body)
        y += height
    base, height = axis(chart, y)
    total = y + height
    lines = grid(chart, total - height)
    return Chart(
        lines + "".join(parts) + base,
        width,
        total,
        chart.left,
        chart.right,
        chart.start_m,
        chart.end_m,
    )


def claims_along(proof: Proof) -> tuple[Claim, ...]:
    """Claims that have a row of bars: those with shares along the line."""
    judged = set(proof.chainage["requirement"])
    return tuple(claim for claim in proof.claims if claim.requirement in judged)


def _bind(row: Callable[..., tuple[str, float]], *more: object) -> Callable[..., tuple[str, float]]:
    return lambda chart, y: row(chart, y, *more)


def _mount_row(chart: Chart, y: float, features: Features) -> tuple[str, float]:
    """Mounts as ticks, their names upright above, moved apart where they are dense."""
    mounts = [m for m in features.mounts if math.isfinite(m.s)]
    longest = max((len(m.mount_id) for m in mounts), default=0)
    names = min(12.0 + 4.2 * longest, 90.0)
    wanted = [float(chart.x(min(max(m.s, chart.start_m), chart.end_m))) for m in mounts]
    room = (chart.right - chart.left) / NAME_GAP
    every = max(1, math.ceil(len(mounts) / room))
    shown = list(range(0, len(mounts), every))
    placed = spread([wanted[k] for k in shown], NAME_GAP, chart.left + 3, chart.right - 3)
    parts = [head(y + names + 14, "Mounts", words.plural(len(mounts), "mount"))]
    base = y + names
    for k, x in zip(shown, placed, strict=True):
        parts.append(
            svg.element(
                "path",
                d=f"M{svg.short(x)} {svg.short(base)}V{svg.short(base + 3)}"
                f"L{svg.short(wanted[k])} {svg.short(base + 10)}",
                class_="leader",
            )
        )
        name = words.shortened(mounts[k].mount_id, NAME_LETTERS)
        turn = f"rotate(-90 {svg.short(x)} {svg.short(base)})"
        parts.append(svg.text(x + 2, base + 2.5, name, "axis-text", transform=turn))
    for mount, x in zip(mounts, wanted, strict=True):
        height = words.metres(mount.height_m)
        label = f"{mount.label}: {mount.kind}, {height}, {words.place(mount.s, mount.t)}"
        symbol = symbols.mount_symbol(mount.kind, existing=mount.existing)
        place = f"translate({svg.short(x)} {svg.short(base + 16)})"
        parts.append(
            svg.element("g", svg.title(label), symbol, transform=place, data_mount=mount.mount_id)
        )
    return svg.element("g", *parts, class_="row mounts"), names + 28


def _claim_row(chart: Chart, y: float, claim: Claim, proof: Proof) -> tuple[str, float]:
    """Share that is good per 100 m as bars; stretches where the claim is missed stand below."""
    table = proof.chainage
    rows = table[table["requirement"] == claim.requirement]
    note = f"{words.verdict_word(claim.verdict)}, {words.claim_figure(claim.value, claim.unit)}"
    if not claim.binding:
        note += ", reported only"
    parts = [head(y + 8, claim.requirement, note)]
    bars: dict[str, list[str]] = {"bar": [], "bar-unknown": [], "bar-fails": []}
    for row in rows.itertuples():
        start, end = (max(float(row.s_from), chart.start_m), min(float(row.s_to), chart.end_m))
        if not row.cells or end <= start:
            continue
        left, right = float(chart.x(start)), float(chart.x(end))
        share, unknown = float(row.share), float(row.unknown_share)
        kind = _cap_kind(claim, share, unknown)
        height = BAR_HEIGHT * share
        if kind:
            # What is missing is the news: its cap is never too thin to be seen.
            height = min(height, BAR_HEIGHT - LEAST_CAP)
        width = max(right - left - 0.6, 0.6)
        bars["bar"].append(_box(left, y + BAR_HEIGHT - height, width, height))
        if kind:
            bars[kind].append(_box(left, y, width, BAR_HEIGHT - height))
    for kind, boxes in bars.items():
        if boxes:
            parts.append(svg.element("path", d="".join(boxes), class_=kind))
    parts.append(
        svg.element(
            "path",
            d=f"M{svg.short(chart.left)} {svg.short(y + BAR_HEIGHT)}H{svg.short(chart.right)}",
            class_="axis",
        )
    )
    class_ = {"holds": "bar", "fails": "bar-fails", "unknown": "bar-unknown"}[claim.verdict]
    marks = []
    for start, end in claim.failing_chainages:
        left, right = float(chart.x(start)), float(chart.x(end))
        marks.append(_box(left - 0.5, y + BAR_HEIGHT + 1, max(right - left, 0) + 1, 3.5))
    if marks:
        parts.append(svg.element("path", d="".join(marks), class_=class_))
    return svg.element("g", *parts, class_="row claim"), BAR_HEIGHT + 14


def _cap_kind(claim: Claim, share: float, unknown_share: float) -> str:
    """Class of a bar's cap: loud only where cells are missing from a claim that does not hold."""
    if claim.verdict == "holds" or share >= 1 - 1e-9:
        return ""
    return "bar-unknown" if share + unknown_share >= 1 - 1e-9 else "bar-fails"


def _box(x: float, y: float, width: float, height: float) -> str:
    w, h = svg.short(width), svg.short(height)
    return f"M{svg.short(x)} {svg.short(y)}h{w}v{h}h-{w}z"


def ground_profile(
    cells: pd.DataFrame, start_m: float, end_m: float, bins: int
) -> tuple[FloatArray, FloatArray]:
    """Mean height of the zone's ground per bin of chainage; NaN where unknown."""
    s = cells["s"].to_numpy(dtype=np.float64)
    z = cells["ground_z"].to_numpy(dtype=np.float64)
    edges = np.linspace(start_m, end_m, bins + 1)
    known = np.isfinite(s) & np.isfinite(z) & (s >= start_m) & (s <= end_m)
    index = np.clip(np.searchsorted(edges, s[known], side="right") - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    total = np.bincount(index, weights=z[known], minlength=bins)
    with np.errstate(invalid="ignore"):
        return (edges[:-1] + edges[1:]) / 2, np.where(
            count > 0, total / np.maximum(count, 1), np.nan
        )


def _profile_row(
    chart: Chart, y: float, features: Features, cells: pd.DataFrame
) -> tuple[str, float]:
    """Ground along the zone, with each mount at its height above it."""
    s, z = ground_profile(cells, chart.start_m, chart.end_m, 400)
    known = np.isfinite(z)
    tops = [m.ground_z + m.height_m for m in features.mounts if math.isfinite(m.ground_z)]
    title = head(y + 14, "Ground height", "mounts as sticks")
    if not known.any():
        return title, PROFILE_HEIGHT + 10
    low = float(np.nanmin(z))
    high = max([float(np.nanmax(z)), *tops])
    low, high, step = nice_range(low, high)

    def at(value: npt.ArrayLike) -> FloatArray:
        return y + PROFILE_HEIGHT * (high - np.asarray(value, dtype=np.float64)) / (high - low)

    parts = [title]
    base = svg.short(y + PROFILE_HEIGHT)
    for value in np.arange(low, high + step / 2, step):
        level = float(at(value))
        parts.append(
            svg.element(
                "path",
                d=f"M{svg.short(chart.left)} {svg.short(level)}H{svg.short(chart.right)}",
                class_="grid",
            )
        )
        label = words.metres(value)
        parts.append(svg.text(chart.left - 4, level + 2.5, label, "row-note", text_anchor="end"))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        x, level = chart.x(s[first:last]), at(z[first:last])
        line = svg.path_of_points(x, level)
        left, right = svg.short(float(x[0])), svg.short(float(x[-1]))
        area = f"{line}L{right} {base}L{left} {base}z"
        parts.append(svg.element("path", d=area, class_="profile"))
        parts.append(svg.element("path", d=line, class_="profile-line"))
    sticks = "".join(
        f"M{svg.short(float(chart.x(m.s)))} {svg.short(float(at(m.ground_z)))}"
        f"V{svg.short(float(at(m.ground_z + m.height_m)))}"
        for m in features.mounts
        if math.isfinite(m.ground_z) and math.isfinite(m.s)
    )
    if sticks:
        parts.append(svg.element("path", d=sticks, class_="stick"))
    return svg.element("g", *parts, class_="row profile-row"), PROFILE_HEIGHT + 12


def nice_range(low: float, high: float) -> tuple[float, float, float]:
    """Round limits that hold a range, and a round step with two to five steps between them."""
    span = max(high - low, 1.0)
    power = 10.0 ** math.floor(math.log10(span / 2))
    step = next(k * power for k in (1.0, 2.0, 5.0, 10.0) if span / (k * power) <= 4)
    return step * math.floor(low / step), step * math.ceil(high / step), step


def _cost_row(chart: Chart, y: float, cost_along: pd.DataFrame, currency: str) -> tuple[str, float]:
    """Where the cost is: what the bound pays for watching each stretch."""
    price = cost_along["price"].to_numpy(dtype=np.float64)
    highest = max(float(np.nanmax(price)), 1e-9)
    shown = min(highest, CUT_TIMES * float(np.nanpercentile(price, 95))) or highest
    boxes, cuts = [], []
    for row in cost_along.itertuples():
        start, end = max(float(row.s_from), chart.start_m), min(float(row.s_to), chart.end_m)
        if end <= start or not float(row.price) > 0:
            continue
        left, right = float(chart.x(start)), float(chart.x(end))
        height = COST_HEIGHT * min(float(row.price) / shown, 1.0)
        if row.price > shown:
            cuts.append(
                f"M{svg.short(left - 2)} {svg.short(y + 8)}L{svg.short(right + 2)} {y + 4:g}"
            )
        boxes.append(_box(left, y + COST_HEIGHT - height, max(right - left - 0.6, 0.6), height))
    step = float(cost_along["s_to"].iloc[0] - cost_along["s_from"].iloc[0])
    note = f"per {words.metres(step)}, up to {words.money(highest, currency)}"
    note += " (cut)" if cuts else ""
    title = head(y + 14, "Where the cost is", note)
    base = svg.element(
        "path",
        d=f"M{svg.short(chart.left)} {svg.short(y + COST_HEIGHT)}H{svg.short(chart.right)}",
        class_="axis",
    )
    bars = svg.element("path", d="".join(boxes) or "M0 0", class_="bar-cost")
    cut = svg.element("path", d="".join(cuts), class_="cut") if cuts else ""
    return svg.element("g", title, bars, cut, base, class_="row cost"), COST_HEIGHT + 10
