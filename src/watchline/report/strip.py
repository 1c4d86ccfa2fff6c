"""The strip chart: the whole line straightened, chainage to the right, one row per finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.proof import Claim, Proof
from watchline.report import judged, palette, svg, symbols, words
from watchline.report.features import Features
from watchline.report.labels import spread
from watchline.report.map import TICK_STEPS
from watchline.report.png import data_uri, encode_indexed

FloatArray = npt.NDArray[np.float64]

LEFT = 150.0
RIGHT = 16.0
MOST_PIXELS_ALONG = 2600
HEAT_HEIGHT = 42.0
BAR_HEIGHT = 16.0
PROFILE_HEIGHT = 62.0
COST_HEIGHT = 34.0
NAME_GAP = 9.0


@dataclass(frozen=True)
class Chart:
    """A drawn strip chart.

    Attributes
    ----------
    svg : str
        The picture's inside, without the outer element.
    width, height : float
        Its size.
    left, right : float
        Where the chainage axis begins and ends.
    start_m, end_m : float
        The chainages there.
    """

    svg: str
    width: float
    height: float
    left: float
    right: float
    start_m: float
    end_m: float

    def x(self, s: npt.ArrayLike) -> FloatArray:
        """Place on the axis of chainages."""
        share = (np.asarray(s, dtype=np.float64) - self.start_m) / (self.end_m - self.start_m)
        return self.left + share * (self.right - self.left)


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
        *(_bind(_heat_row, layer, proof) for layer in layers),
        *(_bind(_claim_row, claim, proof) for claim in proof.claims if claim.kind == "coverage"),
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
    axis, height = _axis(chart, y)
    total = y + height
    grid = _grid(chart, total - height)
    return Chart(
        grid + "".join(parts) + axis,
        width,
        total,
        chart.left,
        chart.right,
        chart.start_m,
        chart.end_m,
    )


def _bind(row: Callable[..., tuple[str, float]], *more: object) -> Callable[..., tuple[str, float]]:
    return lambda chart, y: row(chart, y, *more)


def label_step(chart: Chart) -> float:
    """Spacing of the axis's labels in m."""
    return next((s for s in TICK_STEPS if (chart.end_m - chart.start_m) / s <= 16), TICK_STEPS[-1])


def _places(chart: Chart) -> FloatArray:
    step = label_step(chart)
    first = math.ceil(chart.start_m / step) * step
    return np.arange(first, chart.end_m + 1e-6, step)


def _grid(chart: Chart, bottom: float) -> str:
    lines = "".join(
        f"M{svg.short(float(x))} 0V{svg.short(bottom)}" for x in chart.x(_places(chart))
    )
    return svg.element("path", d=lines or "M0 0", class_="grid")


def _axis(chart: Chart, y: float) -> tuple[str, float]:
    step = label_step(chart)
    decimals = 0 if step >= 1000 else 1 if step >= 100 else 2
    labels = [
        svg.text(
            float(chart.x(s)), y + 14, f"{s / 1000:.{decimals}f}", "axis-text", text_anchor="middle"
        )
        for s in _places(chart)
    ]
    base = f"M{svg.short(chart.left)} {svg.short(y + 2)}H{svg.short(chart.right)}"
    return (
        svg.element("path", d=base, class_="axis")
        + "".join(labels)
        + _head(y + 14, "Chainage in km", ""),
        22.0,
    )


def _head(y: float, title: str, note: str) -> str:
    """Title of a row, and a note under it, in the left margin."""
    clipped = title if len(title) <= 30 else title[:29] + "…"
    return svg.text(0, y, clipped, "row-title") + (
        svg.text(0, y + 10, note, "row-note") if note else ""
    )


def _mount_row(chart: Chart, y: float, features: Features) -> tuple[str, float]:
    """Mounts as ticks, their names upright above, moved apart where they are dense."""
    mounts = [m for m in features.mounts if math.isfinite(m.s)]
    longest = max((len(m.name) for m in mounts), default=0)
    names = min(12.0 + 4.2 * longest, 90.0)
    wanted = [float(chart.x(min(max(m.s, chart.start_m), chart.end_m))) for m in mounts]
    room = (chart.right - chart.left) / NAME_GAP
    every = max(1, math.ceil(len(mounts) / room))
    shown = list(range(0, len(mounts), every))
    placed = spread([wanted[k] for k in shown], NAME_GAP, chart.left + 3, chart.right - 3)
    parts = [_head(y + names + 14, "Mounts", words.plural(len(mounts), "mount"))]
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
        name = mounts[k].name if len(mounts[k].name) <= 18 else mounts[k].name[:17] + "…"
        turn = f"rotate(-90 {svg.short(x)} {svg.short(base)})"
        parts.append(svg.text(x + 2, base + 2.5, name, "axis-text", transform=turn))
    for mount, x in zip(mounts, wanted, strict=True):
        label = f"{mount.name}: {mount.kind}, {words.metres(mount.height_m)}, {words.place(mount.s, mount.t)}"
        symbol = symbols.mount_symbol(mount.kind, existing=mount.existing)
        place = f"translate({svg.short(x)} {svg.short(base + 16)})"
        parts.append(
            svg.element("g", svg.title(label), symbol, transform=place, data_mount=mount.mount_id)
        )
    return svg.element("g", *parts, class_="row mounts"), names + 28


def _heat_row(chart: Chart, y: float, layer: judged.Layer, proof: Proof) -> tuple[str, float]:
    """The straightened zone, coloured by class; the line lies at the row's one edge."""
    cells = proof.cells
    s = cells["s"].to_numpy(dtype=np.float64)
    t = cells["t"].to_numpy(dtype=np.float64)
    inside = np.isfinite(s) & np.isfinite(t) & (s >= chart.start_m) & (s <= chart.end_m)
    inside &= layer.classes > 0
    head = _head(y + 14, layer.title, "line at the dark edge")
    if not inside.any():
        return head, HEAT_HEIGHT + 10
    low, high = _offset_range(t[inside])
    cols = int(min(MOST_PIXELS_ALONG, math.ceil((chart.end_m - chart.start_m) / proof.cell_m)))
    rows = max(1, math.ceil((high - low) / proof.cell_m))
    along = chart.start_m + (np.arange(cols) + 0.5) * (chart.end_m - chart.start_m) / cols
    across = high - (np.arange(rows) + 0.5) * (high - low) / rows
    size = cells["size_m"].to_numpy(dtype=np.float64)[inside]
    indices = worst_of_columns(
        s[inside], t[inside], size, layer.classes[inside], along, across, proof.cell_m
    )
    image = svg.element(
        "image",
        href=data_uri(encode_indexed(indices, palette.picture_palette(layer.colours))),
        x=chart.left,
        y=y,
        width=chart.right - chart.left,
        height=HEAT_HEIGHT,
        preserveAspectRatio="none",
        class_="heat",
    )
    box = svg.element(
        "rect", x=chart.left, y=y, width=chart.right - chart.left, height=HEAT_HEIGHT, class_="box"
    )
    near_top = abs(high) <= abs(low)
    edge = y if near_top else y + HEAT_HEIGHT
    line = svg.element(
        "path",
        d=f"M{svg.short(chart.left)} {svg.short(edge)}H{svg.short(chart.right)}",
        class_="line",
    )
    offsets = "".join(
        svg.text(chart.left - 4, at, f"t {words.metres(value)}", "row-note", text_anchor="end")
        for at, value in ((y + 6, high), (y + HEAT_HEIGHT, low))
    )
    return head + image + box + line + offsets, HEAT_HEIGHT + 10


def _offset_range(t: FloatArray) -> tuple[float, float]:
    """Offsets shown: all, rounded outwards to 5 m."""
    return 5 * math.floor(float(t.min()) / 5), 5 * math.ceil(float(t.max()) / 5)


def worst_of_columns(
    s: FloatArray,
    t: FloatArray,
    size: FloatArray,
    classes: npt.NDArray[np.uint8],
    along: FloatArray,
    across: FloatArray,
    cell_m: float,
) -> npt.NDArray[np.uint8]:
    """Classes on a grid of chainages and offsets; the lowest class wins where cells share a pixel.

    A long line has more cells than the picture has pixels: a single bad cell must not vanish, so
    cells are drawn from the best to the worst, and only holes are filled from neighbours.

    Parameters
    ----------
    s, t, size : float64 array [cells]
        Chainage, offset and side of each cell.
    classes : uint8 array [cells]
        Their classes; the lowest is the worst.
    along, across : float64 array [cols], [rows]
        Chainage and offset of the pixels' centres.
    cell_m : float
        Side of a cell in m.
    """
    cols, rows = len(along), len(across)
    step_s = along[1] - along[0] if cols > 1 else cell_m
    step_t = across[0] - across[1] if rows > 1 else cell_m
    down, right = np.meshgrid(across, along, indexing="ij")
    # Distances are counted in pixels along and in metres across, so that a wide pixel still
    # finds a cell.
    stretch_s = max(abs(step_s) / cell_m, 1.0)
    places = np.column_stack([s / stretch_s, t])
    queries = np.column_stack([right.ravel() / stretch_s, down.ravel()])
    indices = judged.fill_grid(places, size * 1.2, classes, queries).reshape(rows, cols)
    order = np.argsort(classes, kind="stable")[::-1]
    col = np.clip(((s[order] - along[0]) / step_s + 0.5).astype(np.int64), 0, cols - 1)
    row = np.clip(((across[0] - t[order]) / step_t + 0.5).astype(np.int64), 0, rows - 1)
    indices[row, col] = classes[order]
    return indices


def _claim_row(chart: Chart, y: float, claim: Claim, proof: Proof) -> tuple[str, float]:
    """Share of good cells per 100 m as bars; stretches that fail are marked below them."""
    table = proof.chainage
    rows = table[table["requirement"] == claim.requirement]
    note = f"{words.verdict_word(claim.verdict)}, {words.percent(claim.value)}"
    if not claim.binding:
        note += ", reported only"
    parts = [_head(y + 8, claim.requirement, note)]
    bars: dict[str, list[str]] = {"bar": [], "bar-unknown": [], "bar-fails": []}
    for row in rows.itertuples():
        start, end = (max(float(row.s_from), chart.start_m), min(float(row.s_to), chart.end_m))
        if not row.cells or end <= start:
            continue
        left, right = float(chart.x(start)), float(chart.x(end))
        share, unknown = float(row.share), float(row.unknown_share)
        kind = _bar_kind(claim, share, unknown)
        height = BAR_HEIGHT * share
        width = max(right - left - 0.6, 0.6)
        bars[kind].append(_box(left, y + BAR_HEIGHT - height, width, height))
        if kind != "bar":
            # The missing part is the news: a mark of full height at least two units high.
            missing = max(BAR_HEIGHT - height, 2.0)
            bars[kind].append(_box(left, y, width, missing))
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
    class_ = "bar-fails" if claim.verdict != "unknown" else "bar-unknown"
    marks = []
    for start, end in claim.failing_chainages:
        left, right = float(chart.x(start)), float(chart.x(end))
        marks.append(_box(left - 0.5, y + BAR_HEIGHT + 1, max(right - left, 0) + 1, 3.5))
    if marks:
        parts.append(svg.element("path", d="".join(marks), class_=class_))
    return svg.element("g", *parts, class_="row claim"), BAR_HEIGHT + 14


def _bar_kind(claim: Claim, share: float, unknown_share: float) -> str:
    """A bar is loud only where cells are missing from a claim that does not hold."""
    if claim.verdict == "holds" or share >= 1 - 1e-9:
        return "bar"
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
    head = _head(y + 14, "Ground height", "mean of the zone; mounts as sticks")
    if not known.any():
        return head, PROFILE_HEIGHT + 10
    low = float(np.nanmin(z))
    high = max([float(np.nanmax(z)), *tops])
    low, high, step = nice_range(low, high)

    def at(value: npt.ArrayLike) -> FloatArray:
        return y + PROFILE_HEIGHT * (high - np.asarray(value, dtype=np.float64)) / (high - low)

    parts = [head]
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
    boxes = []
    for row in cost_along.itertuples():
        start, end = max(float(row.s_from), chart.start_m), min(float(row.s_to), chart.end_m)
        if end <= start or not float(row.price) > 0:
            continue
        left, right = float(chart.x(start)), float(chart.x(end))
        height = COST_HEIGHT * float(row.price) / highest
        boxes.append(_box(left, y + COST_HEIGHT - height, max(right - left - 0.6, 0.6), height))
    step = float(cost_along["s_to"].iloc[0] - cost_along["s_from"].iloc[0])
    note = f"per {words.metres(step)}, up to {words.money(highest, currency)}"
    head = _head(y + 14, "Where the cost is", note)
    base = svg.element(
        "path",
        d=f"M{svg.short(chart.left)} {svg.short(y + COST_HEIGHT)}H{svg.short(chart.right)}",
        class_="axis",
    )
    bars = svg.element("path", d="".join(boxes) or "M0 0", class_="bar-cost")
    return svg.element("g", head, bars, base, class_="row cost"), COST_HEIGHT + 10
