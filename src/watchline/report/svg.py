"""Small helpers that write SVG: escaped, with short numbers, always in the same order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from watchline.report.frame import Frame

CHARACTER_EM = 0.54
SERIF_EM = 0.45


def short(value: float) -> str:
    """A coordinate with one decimal at most."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def element(tag: str, /, *children: str, **attributes: str | float | None) -> str:
    """One element; underscores in attribute names become hyphens, None is left out.

    Children are markup already; attribute values are escaped here. ``class_`` is ``class``.
    """
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_text(value))}"
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(children)
    return f"<{tag}{written}>{inside}</{tag}>" if inside else f"<{tag}{written}/>"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)


def text(x: float, y: float, words: str, class_: str, **attributes: str | float | None) -> str:
    """A text element with its words escaped."""
    return element("text", escape(words), x=x, y=y, class_=class_, **attributes)


def title(words: str) -> str:
    """A title: the name of its parent for screen readers, and its tooltip."""
    return element("title", escape(words))


def path_of_points(x: npt.ArrayLike, y: npt.ArrayLike, *, closed: bool = False) -> str:
    """Path data of one run of points, relative to keep it short."""
    tenths = np.round(np.column_stack([np.asarray(x), np.asarray(y)]) * 10).astype(np.int64)
    if len(tenths) == 0:
        return ""
    steps = np.diff(tenths, axis=0)
    steps = steps[np.any(steps != 0, axis=1)]
    head = f"M{short(tenths[0, 0] / 10)} {short(tenths[0, 1] / 10)}"
    tail = " ".join(f"{short(dx / 10)} {short(dy / 10)}" for dx, dy in steps)
    return head + (f"l{tail}" if tail else "") + ("z" if closed else "")


def path_of_geometry(geometry: BaseGeometry, frame: Frame) -> str:
    """Path data of a line or polygon in picture coordinates."""
    pieces: list[str] = []
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon":
            rings: Iterable[BaseGeometry] = [part.exterior, *part.interiors]
            pieces += [_ring(ring, frame, closed=True) for ring in rings]
        elif part.geom_type in ("LineString", "LinearRing"):
            pieces.append(_ring(part, frame, closed=False))
    return "".join(pieces)


def _ring(ring: BaseGeometry, frame: Frame, *, closed: bool) -> str:
    points = np.asarray(ring.coords)[:, :2]
    x, y = frame.to_picture(points[:, 0], points[:, 1])
    return path_of_points(x[:-1], y[:-1], closed=True) if closed else path_of_points(x, y)


def sector_path(
    frame: Frame,
    x: float,
    y: float,
    azimuth_deg: float,
    hfov_deg: float,
    near_m: float,
    reach_m: float,
) -> str:
    """Path data of a field of view on the map: a sector, or a ring where it looks all round.

    Parameters
    ----------
    x, y : float
        Where the device stands, in site coordinates.
    azimuth_deg, hfov_deg : float
        Bearing of its axis and width of its field.
    near_m, reach_m : float
        Where the field begins and ends.
    """
    reach, near = reach_m * frame.scale, min(near_m, reach_m) * frame.scale
    if hfov_deg >= 359.5:
        cx, cy = (float(v) for v in frame.to_picture(x, y))
        return _circle(cx, cy, reach) + (_circle(cx, cy, near) if near > 0 else "")
    large = 1 if hfov_deg > 180 else 0
    left, right = azimuth_deg - hfov_deg / 2, azimuth_deg + hfov_deg / 2
    ax, ay = _ahead(frame, x, y, left, reach_m)
    bx, by = _ahead(frame, x, y, right, reach_m)
    arc = f"A{short(reach)} {short(reach)} 0 {large} 1 {short(bx)} {short(by)}"
    if near <= 0:
        cx, cy = (float(v) for v in frame.to_picture(x, y))
        return f"M{short(cx)} {short(cy)}L{short(ax)} {short(ay)}{arc}z"
    cx, cy = _ahead(frame, x, y, left, min(near_m, reach_m))
    dx, dy = _ahead(frame, x, y, right, min(near_m, reach_m))
    back = (
        f"L{short(dx)} {short(dy)}A{short(near)} {short(near)} 0 {large} 0 {short(cx)} {short(cy)}"
    )
    return f"M{short(cx)} {short(cy)}L{short(ax)} {short(ay)}{arc}{back}z"


def arc_path(
    frame: Frame, x: float, y: float, azimuth_deg: float, hfov_deg: float, radius_m: float
) -> str:
    """Path data of an arc across a field of view at one distance."""
    radius = radius_m * frame.scale
    if hfov_deg >= 359.5:
        cx, cy = (float(v) for v in frame.to_picture(x, y))
        return _circle(cx, cy, radius)
    ax, ay = _ahead(frame, x, y, azimuth_deg - hfov_deg / 2, radius_m)
    bx, by = _ahead(frame, x, y, azimuth_deg + hfov_deg / 2, radius_m)
    large = 1 if hfov_deg > 180 else 0
    return (
        f"M{short(ax)} {short(ay)}A{short(radius)} {short(radius)} 0 {large} 1 "
        f"{short(bx)} {short(by)}"
    )


def _ahead(
    frame: Frame, x: float, y: float, bearing_deg: float, distance_m: float
) -> tuple[float, float]:
    angle = math.radians(bearing_deg)
    px, py = frame.to_picture(x + distance_m * math.sin(angle), y + distance_m * math.cos(angle))
    return float(px), float(py)


def _circle(cx: float, cy: float, radius: float) -> str:
    r = short(radius)
    return (
        f"M{short(cx - radius)} {short(cy)}a{r} {r} 0 1 0 {short(2 * radius)} 0"
        f"a{r} {r} 0 1 0 {short(-2 * radius)} 0z"
    )


def text_width(words: str, size: float, em: float = CHARACTER_EM) -> float:
    """Estimated width of a text; a little too wide rather than too narrow.

    Parameters
    ----------
    words : str
        The text.
    size : float
        Size of its font.
    em : float
        Mean width of a letter in the font's size: less for the PDF's serifs.
    """
    return em * size * len(words)
