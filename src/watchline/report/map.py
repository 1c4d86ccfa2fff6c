"""Layers of the maps as SVG: one map for the page, to be zoomed by its script, and still ones."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely import affinity

from watchline.geo import chainage
from watchline.report import svg, symbols, ticks, words
from watchline.report.features import Features, Field, MountMark
from watchline.report.frame import Frame
from watchline.report.labels import Placer
from watchline.report.picture import Picture

ALL_ROUND_DEG = 359.5
AIM_PX = 12.0
# Fields fill at most this share of the colour of the ground under them, however many there are.
MOST_FILLED = 0.2
CROWDED = 4.0


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


def definitions(picture: Picture, features: Features) -> str:
    """Hatches, so that areas differ by more than colour, and the ground that cells may colour."""
    ground = features.judged_ground
    clip = ""
    if ground is not None:
        path = svg.element("path", d=svg.path_of_geometry(ground, picture.frame))
        clip = svg.element("clipPath", path, id=f"{picture.prefix}-ground")
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
        clip,
    )


def clipped(picture: Picture, features: Features, cells: str) -> str:
    """Coloured cells, cut off at the edge of the ground that was judged."""
    known = features.judged_ground is not None
    clip = f"url(#{picture.prefix}-ground)" if known else None
    return svg.element("g", cells, class_="cells", clip_path=clip)


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
    frame, parts = picture.frame, []
    faint = _faint(frame, fields)
    for field in fields:
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
                svg.element("path", d=path, fill_rule="evenodd", fill_opacity=faint),
                inner,
                class_=f"field {field.kind}" + ("" if field.reaches_m else " nominal"),
                data_mount=None if picture.still else field.mount_id,
            )
        )
    return svg.element("g", *parts, class_="fields", data_layer="fields")


def _faint(frame: Frame, fields: tuple[Field, ...]) -> str | None:
    """Opacity of each field where so many lie over each other that the ground would not be seen."""
    across, down = frame.width / 2 / frame.scale, frame.height / 2 / frame.scale
    window = affinity.rotate(
        shapely.box(frame.x - across, frame.y - down, frame.x + across, frame.y + down),
        frame.turn_deg,
    )
    area = sum(window.intersection(_sector(field)).area for field in fields)
    deep = area / window.area
    if deep <= CROWDED:
        return None
    return f"{1.0 - (1.0 - MOST_FILLED) ** (1.0 / deep):.4f}"


def _sector(field: Field) -> shapely.Polygon:
    """A field of view as a polygon, its blind ground taken with it."""
    half = min(field.hfov_deg, ALL_ROUND_DEG) / 2
    bearings = np.radians(field.azimuth_deg + np.linspace(-half, half, 25))
    x = np.append(field.x + field.reach_m * np.sin(bearings), field.x)
    y = np.append(field.y + field.reach_m * np.cos(bearings), field.y)
    return shapely.Polygon(np.column_stack([x, y]))


def line_layer(picture: Picture, features: Features, label_m: float) -> str:
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
    parts.append(ticks.ticks_layer(picture, features.line, features.sign, label_m))
    return svg.element("g", *parts, class_="guarded")


def _drawn_stretch(start_m: float, end_m: float, length_m: float) -> tuple[float, float]:
    """A stretch of no length is still drawn a metre long."""
    middle, half = (start_m + end_m) / 2, max((end_m - start_m) / 2, 0.5)
    return max(middle - half, 0.0), min(middle + half, length_m)


def mounts_layer(picture: Picture, features: Features) -> str:
    """Mounts with names; on a still picture a name that finds no free place is left out."""
    placer = Placer(picture.frame.width, picture.frame.height)
    aims: dict[str, list[Field]] = {}
    for field in features.fields:
        if field.hfov_deg < ALL_ROUND_DEG:
            aims.setdefault(field.mount_id, []).append(field)
    shown = [m for m in features.mounts if not picture.still or picture.visible(m.x, m.y)]
    if picture.still:
        for mount in shown:
            right, down = (float(v) for v in picture.frame.to_picture(mount.x, mount.y))
            placer.block(right - 5, down - 5, right + 5, down + 5)
        for spot in features.spots:
            if math.isfinite(spot.x):
                right, down = (float(v) for v in picture.frame.to_picture(spot.x, spot.y))
                placer.block(right - 7, down - 7, right + 7, down + 7)
    return svg.element(
        "g",
        *(
            _mount(picture, mount, aims.get(mount.mount_id, []), placer, number)
            for number, mount in enumerate(shown)
        ),
        class_="mounts",
    )


def _mount(
    picture: Picture, mount: MountMark, aims: list[Field], placer: Placer, number: int
) -> str:
    name = svg.title(
        f"{mount.label}: {mount.kind}, {words.metres(mount.height_m)}, "
        f"{words.plural(mount.devices, 'device')}, {words.place(mount.s, mount.t)}"
    )
    symbol = "".join(_aim(picture, field) for field in aims)
    symbol += symbols.mount_symbol(mount.kind, existing=mount.existing)
    if picture.still:
        right, down = (float(v) for v in picture.frame.to_picture(mount.x, mount.y))
        spot = placer.place(right, down, mount.mount_id)
        label = ""
        if spot is not None:
            label = svg.text(
                spot.x - right, spot.y - down, mount.mount_id, "name", text_anchor=spot.anchor
            )
        return picture.mark(mount.x, mount.y, name, symbol, label)
    y = -9.0 if number % 2 == 0 else 17.0
    label = svg.text(0, y, mount.mount_id, "name", text_anchor="middle")
    return picture.mark(mount.x, mount.y, name, symbol, label, data_mount=mount.mount_id)


def _aim(picture: Picture, field: Field) -> str:
    """A short stroke where a device looks: seen where fields of view cover each other."""
    right, down = picture.frame.direction(field.azimuth_deg)
    path = f"M0 0L{svg.short(right * AIM_PX)} {svg.short(down * AIM_PX)}"
    halo = svg.element("path", d=path, class_="aim-halo")
    return halo + svg.element("path", d=path, class_=f"aim {field.kind}")


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
