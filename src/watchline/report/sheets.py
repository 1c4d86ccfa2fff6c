"""Still pictures: the overview and the sheets, each with a stretch of the line along its width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from watchline.geo import chainage
from watchline.model.proof import Proof
from watchline.report import frame as frames
from watchline.report import images, judged, map, svg, symbols, ticks, words
from watchline.report.features import Features
from watchline.report.frame import Frame
from watchline.report.hillshade import Slopes
from watchline.report.picture import Picture

SHEET_M = 1500.0
WIDTH = 510.0
SHEET_HEIGHT = 160.0
OVERVIEW_HEIGHT = 250.0
MARGIN = 22.0
NORTH_INSET = 31.0
NORTH_ROOM = 45.0


@dataclass(frozen=True)
class Sheet:
    """A stretch of the line on a picture of its own.

    Attributes
    ----------
    number : int
        From 1.
    start_m, end_m : float
        Its stretch of the line.
    frame : Frame
        Of its still picture.
    """

    number: int
    start_m: float
    end_m: float
    frame: Frame

    @property
    def title(self) -> str:
        """Number and stretch."""
        return f"Sheet {self.number}: {words.stretch(self.start_m, self.end_m)}"


def cut_sheets(
    features: Features, width: float = WIDTH, height: float = SHEET_HEIGHT
) -> list[Sheet]:
    """Cut the line into stretches of about :data:`SHEET_M`, each turned along its picture."""
    if features.line is None:
        return []
    length = features.end_m - features.start_m
    count = max(1, math.ceil(length / SHEET_M - 0.25))
    edges = np.linspace(features.start_m, features.end_m, count + 1)
    edges[1:-1] = np.round(edges[1:-1], -2)
    sheets = []
    for number, (start, end) in enumerate(pairwise(edges), start=1):
        piece = chainage.part(features.line, float(start), float(end))
        turn = frames.direction_deg(piece)
        frame = frames.fit(
            _near(features, piece, float(start), float(end)),
            turn,
            width=width,
            height=height,
            margin=MARGIN,
        )
        sheets.append(Sheet(number, float(start), float(end), frame))
    return sheets


def _near(features: Features, piece: BaseGeometry, start_m: float, end_m: float) -> BaseGeometry:
    """What a sheet must show: its stretch of the line, the zone beside it and its mounts."""
    mounts = [Point(m.x, m.y) for m in features.mounts if start_m <= m.s <= end_m]
    parts = [piece, *mounts]
    if features.zone is not None:
        around = piece.buffer(max(piece.length, 1.0), cap_style="flat")
        parts.append(features.zone.intersection(around))
    return shapely.unary_union([part for part in parts if not part.is_empty])


def still_map(
    frame: Frame,
    features: Features,
    proof: Proof,
    land: Slopes | None,
    layers: Sequence[judged.Layer],
    prefix: str,
    *,
    overview: bool,
    sheets: Sequence[Sheet] = (),
) -> str:
    """The inside of a still map.

    Parameters
    ----------
    frame : Frame
        Where it lies.
    layers : sequence of Layer
        Heat, drawn one over the other.
    overview : bool
        Without names and fields of view, which would cover each other.
    sheets : sequence of Sheet
        Sheets whose extents are drawn.
    """
    picture = Picture(frame, still=True, prefix=prefix)
    relief = images.relief_image(land, frame)
    span = frame.width / frame.scale
    label = ticks.label_step(span, 14 if overview else 9)
    cells = _inside(proof.cells, frame)
    heat = "".join(
        images.heat_images(_taken(layer, cells), proof.cells.loc[cells], frame, proof.cell_m)
        for layer in layers
    )
    parts = [
        map.definitions(picture, features),
        svg.element("rect", width=frame.width, height=frame.height, class_="ground"),
        relief,
        "" if overview else map.fields_layer(picture, _fields_near(frame, features)),
        map.clipped(picture, features, heat),
        map.ground_layer(picture, features),
        map.road_layer(picture, features),
        map.line_layer(picture, features, label),
    ]
    if overview:
        parts += [_sheet_marks(sheets, features, frame), _mount_dots(frame, features)]
    else:
        parts.append(map.mounts_layer(picture, features))
    parts += [
        map.spots_layer(picture, features),
        map.scale_bar(frame, 10, frame.height - 8, 110),
        _north(frame, features),
        svg.element("rect", width=frame.width, height=frame.height, class_="box"),
    ]
    return "".join(parts)


def _north(frame: Frame, features: Features) -> str:
    """North arrow in the corner that is farthest from the line and the mounts."""
    x = [mount.x for mount in features.mounts]
    y = [mount.y for mount in features.mounts]
    if features.line is not None:
        along = np.arange(0.0, features.line.length, 25 / frame.scale)
        line_x, line_y = chainage.from_chainage(features.line, along)
        x, y = [*x, *line_x], [*y, *line_y]
    right, down = frame.to_picture(x, y)
    far, low = frame.width - NORTH_INSET, frame.height - NORTH_INSET
    corners = [(far, NORTH_INSET), (far, low), (NORTH_INSET, NORTH_INSET)]

    def room(corner: tuple[float, float]) -> float:
        away = np.hypot(right - corner[0], down - corner[1])
        return float(away.min()) if away.size else np.inf

    best = max(corners, key=lambda corner: min(room(corner), NORTH_ROOM))
    place = f"translate({svg.short(best[0])} {svg.short(best[1])}) scale(0.8)"
    return svg.element("g", symbols.north_arrow(frame.turn_deg), transform=place)


def _inside(cells: pd.DataFrame, frame: Frame) -> np.ndarray:
    right, down = frame.to_picture(cells["x"].to_numpy(), cells["y"].to_numpy())
    return (right >= 0) & (right <= frame.width) & (down >= 0) & (down <= frame.height)


def _taken(layer: judged.Layer, cells: np.ndarray) -> judged.Layer:
    return replace(layer, classes=layer.classes[cells])


def _fields_near(frame: Frame, features: Features) -> tuple:
    """Fields of devices on the sheet; those of far-away mounts would only cover it."""
    picture = Picture(frame, still=True, prefix="")
    return tuple(f for f in features.fields if picture.visible(f.x, f.y, 20))


def _mount_dots(frame: Frame, features: Features) -> str:
    """Mounts of the overview: small, without names."""
    dots = []
    for mount in features.mounts:
        x, y = (svg.short(float(v)) for v in frame.to_picture(mount.x, mount.y))
        symbol = symbols.mount_symbol(mount.kind, existing=mount.existing)
        dots.append(svg.element("g", symbol, transform=f"translate({x} {y}) scale(0.45)"))
    return svg.element("g", *dots, class_="mounts")


def _sheet_marks(sheets: Sequence[Sheet], features: Features, frame: Frame) -> str:
    """Brackets on the overview that say which sheet shows which stretch."""
    if features.line is None or len(sheets) < 2:
        return ""
    parts = []
    for sheet in sheets:
        middle = (sheet.start_m + sheet.end_m) / 2
        x, y = chainage.from_chainage(features.line, np.array([middle]))
        bearing = chainage.bearing_deg(features.line, np.array([middle]))
        out = ticks.free_side(frame, float(bearing[0]), features.sign)
        right, down = (float(v[0]) for v in frame.to_picture(x, y))
        place = f"translate({svg.short(right - out[0] * 19)} {svg.short(down - out[1] * 19)})"
        label = svg.text(0, 2.5, str(sheet.number), "sheet-number", text_anchor="middle")
        parts.append(
            svg.element("g", svg.element("circle", r=6.5), label, transform=place, class_="badge")
        )
        edges = np.array([sheet.start_m, sheet.end_m])
        x, y = chainage.from_chainage(features.line, edges)
        for px, py in zip(*frame.to_picture(x, y), strict=True):
            start = f"{svg.short(px - out[0] * 5)} {svg.short(py - out[1] * 5)}"
            end = f"{svg.short(px - out[0] * 16)} {svg.short(py - out[1] * 16)}"
            parts.append(svg.element("path", d=f"M{start}L{end}", class_="leader"))
    return svg.element("g", *parts, class_="sheets")
