"""Pictures of light: isolux maps of the straightened zone, and sections across it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.lighting import Lighting
from watchline.report import palette, svg, words
from watchline.report.png import data_uri, encode_indexed

FloatArray = npt.NDArray[np.float64]
LEVELS_LX = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
COLOURS = (
    "#1d2733",
    "#3a3a52",
    "#5f4a66",
    "#8a5a68",
    "#b8735c",
    "#dc9450",
    "#f3bd55",
    "#fae38a",
    "#fffbe0",
)
UNKNOWN_CLASS = len(COLOURS) + 1
SHEET_M = 1500.0
WIDTH = 960.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 22.0, 26.0
LEAST_SCALE = 0.9
SECTION_WIDTH, SECTION_HEIGHT = 460.0, 210.0
DARK_LX = 1e-3
"""A log scale knows no darkness: less is drawn as this."""


@dataclass(frozen=True)
class LightPicture:
    """A picture with its size and what it shows, in words."""

    svg: str
    width: float
    height: float
    title: str


def isolux_sheets(points: pd.DataFrame, lighting: Lighting, cell_m: float) -> list[LightPicture]:
    """Isolux maps of one requirement, a stretch of the line each: chainage across, offset up.

    Parameters
    ----------
    points : DataFrame
        Its points: ``s, t, lux, unknown_lx``.
    lighting : Lighting
        Poles and lights that are drawn over them.
    cell_m : float
        Spacing of the points.
    """
    s, t = points["s"].to_numpy(), points["t"].to_numpy()
    start, end = float(s.min()), float(s.max())
    count = max(1, math.ceil((end - start) / SHEET_M - 0.25))
    edges = np.linspace(start, end, count + 1)
    poles = lighting.poles
    low = min(float(t.min()), float(poles["t"].min()) if len(poles) else 0.0) - 4.0
    high = max(float(t.max()), float(poles["t"].max()) if len(poles) else 0.0) + 4.0
    return [
        _sheet(points, lighting, cell_m, (float(a), float(b)), (low, high))
        for a, b in pairwise(edges)
    ]


def _sheet(
    points: pd.DataFrame,
    lighting: Lighting,
    cell_m: float,
    stretch: tuple[float, float],
    offsets: tuple[float, float],
) -> LightPicture:
    (start, end), (low, high) = stretch, offsets
    across = (WIDTH - LEFT - RIGHT) / (end - start)
    up = max(across, LEAST_SCALE)
    height = TOP + BOTTOM + up * (high - low)

    def right(s: npt.ArrayLike) -> FloatArray:
        return LEFT + (np.asarray(s, dtype=np.float64) - start) * across

    def down(t: npt.ArrayLike) -> FloatArray:
        return TOP + (high - np.asarray(t, dtype=np.float64)) * up

    part = points[(points["s"] >= start) & (points["s"] <= end)]
    parts = [
        svg.element(
            "rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=up * (high - low),
            class_="ground",
        )
    ]  # fmt: skip
    if len(part):
        parts.append(_heat(part, cell_m, (start, across), (high, up), (end - start, high - low)))
    if low <= 0 <= high:
        y = svg.short(float(down(0.0)))
        parts.append(
            svg.element("path", d=f"M{LEFT} {y}H{svg.short(WIDTH - RIGHT)}", class_="line")
        )
    parts += _lights_on(lighting, right, down, stretch)
    step = 100.0 if end - start > 600 else 50.0
    bottom = TOP + up * (high - low)
    for chainage in np.arange(math.ceil(start / step) * step, end + 1e-6, step):
        x = svg.short(float(right(chainage)))
        parts.append(svg.element("path", d=f"M{x} {svg.short(bottom)}v4", class_="axis"))
        if round(chainage / step) % 2 == 0:
            place = float(right(chainage))
            # The last label ends at the edge instead of being cut by it.
            anchor = "end" if place > WIDTH - RIGHT - 18 else "middle"
            place = min(place, WIDTH - 2) if anchor == "end" else place
            label = words.metres(float(chainage))
            parts.append(svg.text(place, bottom + 13, label, "axis-text", text_anchor=anchor))
    for offset in np.arange(math.ceil(low / 25) * 25, high, 25):
        y = float(down(offset))
        parts.append(svg.element("path", d=f"M{LEFT - 4} {svg.short(y)}h4", class_="axis"))
        parts.append(
            svg.text(LEFT - 7, y + 2.5, words.number(float(offset)), "axis-text",
                     text_anchor="end")
        )  # fmt: skip
    title = f"s = {words.number(start)} to {words.metres(end)}"
    parts.append(svg.text(LEFT, 13, title, "row-title"))
    parts.append(svg.text(LEFT - 7, 13, "t in m", "axis-text", text_anchor="end"))
    return LightPicture("".join(parts), WIDTH, height, title)


def _heat(
    part: pd.DataFrame,
    cell_m: float,
    along: tuple[float, float],
    beside: tuple[float, float],
    extent: tuple[float, float],
) -> str:
    """Points as a picture of one pixel a cell of the straightened zone; the worst one wins."""
    (start, across), (high, up) = along, beside
    cols, rows = math.ceil(extent[0] / cell_m), math.ceil(extent[1] / cell_m)
    lux = part["lux"].to_numpy()
    classes = np.searchsorted(LEVELS_LX, lux, side="right") + 1
    classes = np.where(part["unknown_lx"].to_numpy() > LEVELS_LX[0], UNKNOWN_CLASS, classes)
    col = np.clip((part["s"].to_numpy() - start) / cell_m, 0, cols - 1).astype(np.int64)
    row = np.clip((high - part["t"].to_numpy()) / cell_m, 0, rows - 1).astype(np.int64)
    picture = np.zeros((rows, cols), dtype=np.uint8)
    order = np.argsort(-classes, kind="stable")
    picture[row[order], col[order]] = classes[order]
    _fill_gaps(picture)
    colours = palette.picture_palette((*COLOURS, palette.UNKNOWN))
    return svg.element(
        "image",
        href=data_uri(encode_indexed(picture, colours)),
        x=LEFT,
        y=TOP,
        width=cols * cell_m * across,
        height=rows * cell_m * up,
        preserveAspectRatio="none",
        class_="heat",
    )


def _fill_gaps(picture: npt.NDArray[np.uint8]) -> None:
    """Pixels between points of a grid that lies askew to the line take their neighbour's class."""
    empty = picture == 0
    for shift, axis in ((1, 1), (-1, 1), (1, 0), (-1, 0)):
        beside = np.roll(picture, shift, axis=axis)
        opposite = np.roll(picture, -shift, axis=axis)
        fill = empty & (beside > 0) & (opposite > 0)
        picture[fill] = np.minimum(beside, opposite)[fill]
        empty = picture == 0


def _lights_on(lighting: Lighting, right, down, stretch: tuple[float, float]) -> list[str]:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Poles as dots with a stroke toward each aim, relative to the line at the pole."""
    parts = []
    start, end = stretch
    poles = lighting.poles[(lighting.poles["s"] >= start) & (lighting.poles["s"] <= end)]
    for pole in poles.itertuples():
        x, y = float(right(pole.s)), float(down(pole.t))
        place = f"translate({svg.short(x)} {svg.short(y)})"
        shape = svg.element("circle", r=2.6, class_="mount")
        if pole.mount_id:
            shape = svg.element("rect", x=-2.8, y=-2.8, width=5.6, height=5.6, class_="mount")
        own = lighting.lights[lighting.lights["pole_id"] == pole.pole_id]
        label = f"{pole.pole_id}: {len(own)} lights at {words.metres(pole.height_m)}"
        parts.append(svg.element("g", svg.title(label), shape, transform=place))
    return parts


def section(
    points: pd.DataFrame, chainage_m: float, cell_m: float, minimum_lx: float, title: str
) -> LightPicture:
    """Illuminance across the zone near a chainage, offset across and lux up (a log scale).

    Parameters
    ----------
    points : DataFrame
        Points of one requirement.
    chainage_m : float
        Where.
    cell_m : float
        Points nearer than this to the chainage are drawn.
    minimum_lx : float
        Drawn as a line; 0 for none.
    title : str
        Head of the picture.
    """
    near = points[np.abs(points["s"] - chainage_m) <= cell_m].sort_values("t")
    at = near["t"].to_numpy(), near["lux"].to_numpy()
    return _curve(at, minimum_lx, title, "t in m", SECTION_WIDTH)


def along_line(points: pd.DataFrame, minimum_lx: float) -> LightPicture:
    """Illuminance of the line's own points, chainage across and lux up (a log scale)."""
    ordered = points.sort_values("s")
    at = ordered["s"].to_numpy(), ordered["lux"].to_numpy()
    return _curve(at, minimum_lx, "Along the line", "s in m", WIDTH)


def _curve(
    values: tuple[FloatArray, FloatArray],
    minimum_lx: float,
    title: str,
    axis: str,
    width: float,
) -> LightPicture:
    """Lux over a place, with the least that is asked as a line."""
    left, right, top, bottom = 46.0, 12.0, 24.0, 28.0
    place, lux = values[0], np.maximum(values[1], DARK_LX)
    first, last = (float(place[0]), float(place[-1])) if place.size else (0.0, 1.0)
    last = max(last, first + 1.0)
    floor = min(float(lux.min(initial=1.0)), minimum_lx or 1.0)
    roof = max(float(lux.max(initial=1.0)), minimum_lx * 1.5, 1.0)
    low, high = math.floor(math.log10(floor)), math.ceil(math.log10(roof) + 1e-9)
    high = max(high, low + 1)

    def x(value: npt.ArrayLike) -> FloatArray:
        share = (np.asarray(value, dtype=np.float64) - first) / (last - first)
        return left + share * (width - left - right)

    def y(value: npt.ArrayLike) -> FloatArray:
        share = (np.log10(np.asarray(value, dtype=np.float64)) - low) / (high - low)
        return SECTION_HEIGHT - bottom - share * (SECTION_HEIGHT - top - bottom)

    def level(value: float, class_: str) -> str:
        d = f"M{left} {svg.short(float(y(value)))}H{svg.short(width - right)}"
        return svg.element("path", d=d, class_=class_)

    parts = [svg.text(left, 13, title, "row-title")]
    for power in range(low, high + 1):
        for factor in (1, 2, 5) if power < high else (1,):
            value = factor * 10.0**power
            parts.append(level(value, "grid"))
            if factor == 1 or high - low <= 3:
                down = float(y(value)) + 2.5
                parts.append(svg.text(left - 5, down, f"{value:g}", "axis-text", text_anchor="end"))
    low_edge = SECTION_HEIGHT - bottom + 12
    for value in _round_places(first, last, 6 if width < WIDTH else 12):
        name = words.number(float(value))
        parts.append(svg.text(float(x(value)), low_edge, name, "axis-text", text_anchor="middle"))
    end = width - right
    parts.append(svg.text(end, SECTION_HEIGHT - 3, axis, "axis-text", text_anchor="end"))
    parts.append(svg.text(left - 5, 13, "lx", "axis-text", text_anchor="end"))
    if minimum_lx:
        parts.append(level(minimum_lx, "curve-bound"))
    if place.size > 1:
        d = svg.path_of_points(x(place), y(lux))
        parts.append(svg.element("path", d=d, class_="curve-cost"))
    return LightPicture("".join(parts), width, SECTION_HEIGHT, title)


def _round_places(first: float, last: float, most: int) -> FloatArray:
    """Round figures between two, so many at most."""
    power = 10.0 ** math.floor(math.log10((last - first) / most))
    step = next(f * power for f in (1, 2, 5, 10) if (last - first) / (f * power) < most)
    return np.arange(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1) * step


def level_names() -> list[tuple[str, str]]:
    """Colour and words of each class of the isolux maps."""
    names = [f"under {LEVELS_LX[0]:g} lx"]
    names += [f"{a:g}–{b:g}" for a, b in pairwise(LEVELS_LX)]
    names.append(f"{LEVELS_LX[-1]:g} lx and more")
    return [*zip(COLOURS, names, strict=True), (palette.UNKNOWN, "unknown ground decides")]
