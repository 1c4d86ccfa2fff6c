"""Maps as SVG: one for the page, to be zoomed by its script, and still ones for sheets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from shapely.geometry import LineString

from watchline.geo import chainage
from watchline.model.terrain import Terrain
from watchline.report import judged, palette, svg, symbols, words
from watchline.report.features import Features, Field, MountMark
from watchline.report.frame import Frame
from watchline.report.hillshade import relief
from watchline.report.labels import Placer
from watchline.report.png import data_uri, encode_indexed

TICK_PX = 7.0
RELIEF_PIXELS = 780
PIXELS_PER_CELL = 4
TILE_M = 1600.0
TICK_STEPS = (50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)


@dataclass(frozen=True)
class Picture:
    """What a map is drawn with.

    Attributes
    ----------
    frame : Frame
        Where it lies.
    still : bool
        True: drawn in its final size. False: in metres, and its marks keep their size on the
        screen while the page's script zooms.
    prefix : str
        Begins every id, so that several pictures can share one page.
    """

    frame: Frame
    still: bool
    prefix: str

    def mark(self, x: float, y: float, *children: str, class_: str = "", **more: str) -> str:
        """A group at a place whose children are drawn in screen units."""
        right, down = (float(v) for v in self.frame.to_picture(x, y))
        inner = svg.element("g", *children, class_=None if self.still else "k")
        return svg.element(
            "g",
            inner,
            transform=f"translate({svg.short(right)} {svg.short(down)})",
            class_=class_ or None,
            **more,
        )

    def visible(self, x: float, y: float, margin: float = 0.0) -> bool:
        """Whether a place lies inside the picture."""
        right, down = (float(v) for v in self.frame.to_picture(x, y))
        return (
            -margin <= right <= self.frame.width + margin
            and -margin <= down <= self.frame.height + margin
        )


def relief_image(
    terrain: Terrain | None, frame: Frame, clamp_m: float | None, pixels: int = RELIEF_PIXELS
) -> tuple[str, float]:
    """The shaded relief as an SVG image, and the factor on its heights; empty without terrain."""
    if terrain is None:
        return "", 1.0
    finest = terrain.cell_m * frame.scale / PIXELS_PER_CELL
    pixel = max(frame.width / pixels, finest)
    indices, colours, factor = relief(terrain, frame, pixel, clamp_m)
    image = svg.element(
        "image",
        href=data_uri(encode_indexed(indices, colours)),
        x=0,
        y=0,
        width=frame.width,
        height=frame.height,
        preserveAspectRatio="none",
        class_="relief",
    )
    return image, factor


def heat_images(layer: judged.Layer, cells: pd.DataFrame, frame: Frame, cell_m: float) -> str:
    """Cells coloured by class, as pictures cut into pieces so that empty ground costs nothing."""
    shown = layer.classes > 0
    if not shown.any():
        return ""
    right, down = frame.to_picture(cells["x"].to_numpy()[shown], cells["y"].to_numpy()[shown])
    size = cells["size_m"].to_numpy(dtype=np.float64)[shown] * frame.scale
    classes = layer.classes[shown]
    colours = palette.picture_palette(layer.colours)
    side = TILE_M * frame.scale
    images = []
    for low in np.arange(0.0, frame.width, side):
        inside = (right >= low) & (right < low + side) & (down > 0) & (down < frame.height)
        if inside.any():
            images.append(
                _heat_tile(
                    np.column_stack([right[inside], down[inside]]),
                    size[inside],
                    classes[inside],
                    colours,
                    cell_m * frame.scale,
                )
            )
    return "".join(images)


def _heat_tile(
    places: np.ndarray, size: np.ndarray, classes: np.ndarray, colours: np.ndarray, pixel: float
) -> str:
    """One picture over the extent of its cells."""
    half = float(size.max()) / 2
    left, top = places.min(axis=0) - half
    width, height = places.max(axis=0) + half - (left, top)
    cols, rows = max(1, math.ceil(width / pixel)), max(1, math.ceil(height / pixel))
    down, right = np.meshgrid(np.arange(rows) + 0.5, np.arange(cols) + 0.5, indexing="ij")
    queries = np.column_stack([left + right.ravel() * pixel, top + down.ravel() * pixel])
    indices = judged.fill_grid(places, size, classes, queries).reshape(rows, cols)
    return svg.element(
        "image",
        href=data_uri(encode_indexed(indices, colours)),
        x=float(left),
        y=float(top),
        width=cols * pixel,
        height=rows * pixel,
        preserveAspectRatio="none",
        class_="heat",
    )


def ground_layer(picture: Picture, features: Features) -> str:
    """Areas, exclusions, no-watch areas, zone and road."""
    parts = []
    for class_, named in (
        ("area", features.areas),
        ("exclusion", features.exclusions),
        ("no-watch", features.no_watch),
    ):
        for name, polygon in named:
            shape = polygon.simplify(0.2)
            parts.append(
                svg.element(
                    "path",
                    svg.title(f"{CLASS_NAMES[class_]}: {name}"),
                    d=svg.path_of_geometry(shape, picture.frame),
                    class_=class_,
                    fill=None if class_ == "area" else f"url(#{picture.prefix}-{class_})",
                )
            )
    return svg.element("g", *parts, class_="areas", data_layer="areas")


CLASS_NAMES = {"area": "Area", "exclusion": "No mount here", "no-watch": "No-watch area"}


def patterns(picture: Picture) -> str:
    """Hatches, so that areas differ by more than colour."""
    hatch = svg.element("path", d="M0 0L8 8M-2 6L2 10M6-2L10 2", class_="hatch-exclusion")
    cross = svg.element("path", d="M0 0L8 8M8 0L0 8", class_="hatch-no-watch")
    return svg.element(
        "defs",
        *(
            svg.element(
                "pattern",
                lines,
                id=f"{picture.prefix}-{name}",
                class_="hatch",
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for name, lines in (("exclusion", hatch), ("no-watch", cross))
        ),
    )


def road_layer(picture: Picture, features: Features) -> str:
    """The zone's outline, the fence strip's edge and the road in its true width."""
    parts = []
    if features.road is not None:
        path = svg.path_of_geometry(features.road.simplify(0.2), picture.frame)
        width = max(features.road_width_m * picture.frame.scale, 0.5)
        parts.append(svg.element("path", d=path, class_="road-edge"))
        parts.append(svg.element("path", d=path, class_="road", stroke_width=width))
    if features.zone is not None:
        path = svg.path_of_geometry(features.zone, picture.frame)
        parts.append(svg.element("path", svg.title("Zone"), d=path, class_="zone"))
    if features.strip is not None:
        path = svg.path_of_geometry(features.strip, picture.frame)
        parts.append(svg.element("path", svg.title("Fence strip"), d=path, class_="strip"))
    return svg.element("g", *parts, class_="ways")


def fields_layer(picture: Picture, fields: tuple[Field, ...]) -> str:
    """Fields of view: true width, from the blind ground to where the lowest density is reached."""
    parts = []
    for field in fields:
        frame = picture.frame
        inner = "".join(
            svg.element(
                "path",
                d=svg.arc_path(frame, field.x, field.y, field.azimuth_deg, field.hfov_deg, reach),
                class_="ring",
            )
            for reach in field.reaches_m[1:]
            if field.near_m < reach < field.reach_m
        )
        path = svg.sector_path(
            frame,
            field.x,
            field.y,
            field.azimuth_deg,
            field.hfov_deg,
            field.near_m,
            field.reach_m,
        )
        parts.append(
            svg.element(
                "g",
                svg.element("path", d=path, fill_rule="evenodd"),
                inner,
                class_=f"field {field.kind}" + ("" if field.reaches_m else " nominal"),
                data_mount=None if picture.still else field.mount_id,
            )
        )
    return svg.element("g", *parts, class_="fields", data_layer="fields")


def line_layer(picture: Picture, features: Features, tick_m: float, label_m: float) -> str:
    """The line with failing stretches under it and ticks of chainage on its free side."""
    if features.line is None:
        return ""
    parts = []
    for item in features.stretches:
        start, end = _drawn_stretch(item.start_m, item.end_m, features.line.length)
        piece = chainage.part(features.line, start, end)
        class_ = "fail-line" if item.verdict == "fails" else "unknown-line"
        name = f"{item.requirement} {item.verdict}: {words.stretch(item.start_m, item.end_m)}"
        parts.append(
            svg.element(
                "path",
                svg.title(name),
                d=svg.path_of_geometry(piece, picture.frame),
                class_=class_,
            )
        )
    path = svg.path_of_geometry(features.line, picture.frame)
    parts.append(svg.element("path", svg.title("Guarded line"), d=path, class_="line"))
    parts.append(_ticks(picture, features, tick_m, label_m))
    return svg.element("g", *parts, class_="guarded")


def _drawn_stretch(start_m: float, end_m: float, length_m: float) -> tuple[float, float]:
    """A stretch of no length is still drawn a metre long."""
    middle, half = (start_m + end_m) / 2, max((end_m - start_m) / 2, 0.5)
    return max(middle - half, 0.0), min(middle + half, length_m)


def _ticks(picture: Picture, features: Features, tick_m: float, label_m: float) -> str:
    line = features.line
    assert line is not None
    places = np.arange(0.0, line.length + 1e-6, tick_m)
    x, y = chainage.from_chainage(line, places)
    bearings = chainage.bearing_deg(line, places)
    marks = []
    for s, px, py, bearing in zip(places, x, y, bearings, strict=True):
        if picture.still and not picture.visible(px, py, -4):
            continue
        out = free_side(picture.frame, float(bearing), features.sign)
        labelled = abs(s / label_m - round(s / label_m)) < 1e-9
        tick = svg.element("path", d=_tick_path(out, TICK_PX if labelled else TICK_PX / 2))
        label = ""
        if labelled:
            right, down = out[0] * (TICK_PX + 9), out[1] * (TICK_PX + 9) + 3.5
            words_ = _chainage_words(s, label_m)
            label = svg.text(right, down, words_, "chainage", text_anchor="middle")
        minor = "" if labelled else " minor"
        marks.append(picture.mark(float(px), float(py), tick, label, class_=f"tick{minor}"))
    return "".join(marks)


def _chainage_words(s: float, label_m: float) -> str:
    if label_m >= 1000:
        return f"{s / 1000:.0f} km"
    return f"{words.number(s)} m"


def _tick_path(out: tuple[float, float], length: float) -> str:
    return f"M0 0L{svg.short(out[0] * length)} {svg.short(out[1] * length)}"


def free_side(frame: Frame, line_bearing_deg: float, sign: int) -> tuple[float, float]:
    """Unit vector in the picture that points away from the line on the side without a zone."""
    outward = math.radians(line_bearing_deg + 90 * sign)
    turn = math.radians(frame.turn_deg)
    east, north = math.sin(outward), math.cos(outward)
    return east * math.cos(turn) + north * math.sin(turn), east * math.sin(turn) - north * math.cos(
        turn
    )


def mounts_layer(picture: Picture, features: Features) -> str:
    """Mounts with names; on a still picture a name that finds no free place is left out."""
    placer = Placer(picture.frame.width, picture.frame.height)
    shown = [m for m in features.mounts if not picture.still or picture.visible(m.x, m.y)]
    if picture.still:
        for mount in shown:
            right, down = (float(v) for v in picture.frame.to_picture(mount.x, mount.y))
            placer.block(right - 5, down - 5, right + 5, down + 5)
    return svg.element(
        "g",
        *(_mount(picture, mount, placer, number) for number, mount in enumerate(shown)),
        class_="mounts",
    )


def _mount(picture: Picture, mount: MountMark, placer: Placer, number: int) -> str:
    symbol = symbols.mount_symbol(mount.kind, existing=mount.existing)
    name = svg.title(
        f"{mount.name}: {mount.kind}, {words.metres(mount.height_m)}, "
        f"{words.plural(mount.devices, 'device')}, {words.place(mount.s, mount.t)}"
    )
    if picture.still:
        right, down = (float(v) for v in picture.frame.to_picture(mount.x, mount.y))
        spot = placer.place(right, down, mount.name)
        label = ""
        if spot is not None:
            label = svg.text(
                spot.x - right, spot.y - down, mount.name, "name", text_anchor=spot.anchor
            )
        return picture.mark(mount.x, mount.y, name, symbol, label)
    y = -9.0 if number % 2 == 0 else 17.0
    label = svg.text(0, y, mount.name, "name", text_anchor="middle")
    return picture.mark(mount.x, mount.y, name, symbol, label, data_mount=mount.mount_id)


def spots_layer(picture: Picture, features: Features) -> str:
    """Witnesses of claims that do not hold."""
    parts = []
    for spot in features.spots:
        if math.isfinite(spot.x) and (not picture.still or picture.visible(spot.x, spot.y)):
            name = svg.title(f"{spot.requirement} {spot.verdict} here: {spot.why}")
            symbol = symbols.verdict_symbol(spot.verdict)
            parts.append(picture.mark(spot.x, spot.y, name, symbol))
    return svg.element("g", *parts, class_="spots")


def scale_bar(frame: Frame, x: float, y: float, longest: float) -> str:
    """Scale bar of a round length, at most ``longest`` units long."""
    metres = longest / frame.scale
    power = 10 ** math.floor(math.log10(metres))
    length = next(step * power for step in (5, 2, 1) if step * power <= metres)
    units = length * frame.scale
    label = f"{words.number(length / 1000)} km" if length >= 1000 else f"{words.number(length)} m"
    return svg.element(
        "g",
        svg.element("path", d=f"M0 -4V0H{svg.short(units)}V-4", class_="scale"),
        svg.text(units / 2, -6, label, "scale-text", text_anchor="middle"),
        transform=f"translate({svg.short(x)} {svg.short(y)})",
    )


def tick_steps(line: LineString | None, span_m: float, most: int) -> tuple[float, float]:
    """Spacing of ticks, and of ticks with a label, for a span of the line."""
    if line is None:
        return 100.0, 1000.0
    label = next((step for step in TICK_STEPS if span_m / step <= most), TICK_STEPS[-1])
    finer = [step for step in TICK_STEPS if step < label and round(label / step) * step == label]
    return (finer[-1] if finer else label), label
