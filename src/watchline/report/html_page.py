"""The page: one HTML file that asks nothing of the network."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchline.geo import chainage
from watchline.model.proof import Proof
from watchline.report import images, judged, map, palette, style, svg, symbols, ticks, words
from watchline.report.chart import Chart
from watchline.report.charts import LOG_HEIGHT, LOG_WIDTH, Key
from watchline.report.content import Content, heat_keys
from watchline.report.features import Features
from watchline.report.frame import Frame
from watchline.report.hillshade import Slopes
from watchline.report.picture import Picture
from watchline.report.reasons import HEIGHT as CURVE_HEIGHT
from watchline.report.reasons import WIDTH as CURVE_WIDTH
from watchline.report.reasons import Reasons
from watchline.report.sheets import Sheet
from watchline.report.templating import page_template

MOST_LABELS = 16
PAGE_RELIEF_PIXELS = 1000
LABELS_APART_PX = 34.0
ROOM_M = 260.0


@dataclass(frozen=True)
class MapView:
    """The page's map.

    Attributes
    ----------
    svg : str
        Its inside.
    frame : Frame
        One unit per metre.
    extent : tuple of float
        Centre x, y, width and height of what "whole line" shows, in picture units.
    relief_note : str
        What is said of the relief; empty without terrain.
    """

    svg: str
    frame: Frame
    extent: tuple[float, float, float, float]
    relief_note: str


def page_map(
    frame: Frame,
    features: Features,
    proof: Proof,
    land: Slopes | None,
    layers: Sequence[judged.Layer],
    failing: judged.Layer,
) -> MapView:
    """Draw the map that the page's script zooms."""
    picture = Picture(frame, still=False, prefix="m")
    relief = images.relief_image(land, frame, PAGE_RELIEF_PIXELS)
    label = ticks.label_step(frame.width, MOST_LABELS)
    heat = [
        svg.element(
            "g",
            images.heat_images(layer, proof.cells, frame, proof.cell_m),
            data_heat=layer.key,
            style=None if number == 0 else "display:none",
        )
        for number, layer in enumerate(layers)
    ]
    parts = [
        map.definitions(picture, features),
        svg.element("g", relief, data_layer="relief"),
        map.fields_layer(picture, features.fields),
        map.clipped(
            picture,
            features,
            "".join(heat) + images.heat_images(failing, proof.cells, frame, proof.cell_m),
        ),
        map.ground_layer(picture, features),
        map.road_layer(picture, features),
        map.line_layer(picture, features, label),
        svg.element("g", id="picked", class_="fields picked-fields"),
        map.mounts_layer(picture, features),
        map.spots_layer(picture, features),
    ]
    note = ""
    if land is not None:
        times = "" if land.factor == 1 else f", heights × {land.factor:g}"
        note = f"Relief lit from the picture's upper left{times}; violet grey where no data is."
    return MapView("".join(parts), frame, _extent(features, frame), note)


def _extent(features: Features, frame: Frame) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = features.extent.bounds
    hull = features.extent.convex_hull
    if hull.geom_type == "Polygon":
        points = np.asarray(hull.exterior.coords)[:, :2]
    else:
        points = np.array([(x0, y0), (x1, y1)])
    x, y = frame.to_picture(points[:, 0], points[:, 1])
    margin = 0.03 * float(np.ptp(x)) + 40
    return (
        float(x.min() + x.max()) / 2,
        float(y.min() + y.max()) / 2,
        float(np.ptp(x)) + 2 * margin,
        float(np.ptp(y)) + 2 * margin,
    )


def page_data(view: MapView, features: Features, proof: Proof, chart: Chart) -> str:
    """Data for the page's script, as JSON."""
    line: dict[str, list[float]] = {"x": [], "y": [], "s": []}
    if features.line is not None:
        points = chainage.vertices(features.line)
        x, y = view.frame.to_picture(points[:, 0], points[:, 1])
        s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        line = {
            name: [round(float(v), 2) for v in vs] for name, vs in (("x", x), ("y", y), ("s", s))
        }
    spacing = (features.end_m - features.start_m) / max(len(features.mounts), 1)
    data = {
        "width": view.frame.width,
        "height": view.frame.height,
        "extent": dict(zip("xywh", (round(v, 1) for v in view.extent), strict=True)),
        "nearMetresPerPixel": round(spacing / LABELS_APART_PX, 3),
        "labelMetres": ticks.label_step(view.frame.width, MOST_LABELS),
        "room": ROOM_M,
        "line": line,
        "strip": {
            "left": chart.left,
            "right": chart.right,
            "start": round(chart.start_m, 2),
            "end": round(chart.end_m, 2),
        },
        "bins": judged.line_bins(proof, chart.start_m, chart.end_m),
    }
    return script_json(data)


def script_json(data: object) -> str:
    """JSON that cannot end the script element that holds it, whatever its texts say."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def render_page(
    content: Content,
    features: Features,
    proof: Proof,
    view: MapView,
    chart: Chart,
    layers: Sequence[judged.Layer],
    strip_layers: Sequence[judged.Layer],
    sheets: Sequence[Sheet],
    search_svg: str,
    reasons: Reasons | None,
    counted: str,
    templates: dict[str, str],
) -> str:
    """Render the page; `counted`: what the shares of the strip chart's bars are of."""
    return page_template(templates, "report.html.j2").render(
        content=content,
        frame=view.frame,
        map_svg=view.svg,
        map_text=_map_text(features),
        relief_note=view.relief_note,
        arrow=symbols.north_arrow(view.frame.turn_deg),
        strip=chart,
        strip_text=strip_text(features, counted),
        layers=layers,
        strip_layers=strip_layers,
        heat_keys={layer.key: heat_keys(layer) for layer in layers},
        bar_keys=bar_keys(counted),
        sheets=sheets,
        search_svg=search_svg,
        search_width=LOG_WIDTH,
        search_height=LOG_HEIGHT,
        reasons=reasons,
        curve_width=CURVE_WIDTH,
        curve_height=CURVE_HEIGHT,
        shapes={verdict: symbols.verdict_symbol(verdict) for verdict in words.VERDICT_SHAPES},
        light=style.variables(palette.LIGHT, palette.DEVICE_COLOURS),
        dark=style.variables(palette.DARK, palette.DARK_DEVICE_COLOURS),
        css=templates["report.css"],
        pictures_css=templates["pictures.css"],
        data=page_data(view, features, proof, chart),
        script=templates["report.js"],
    )


def _map_text(features: Features) -> str:
    length = words.quantity((features.end_m - features.start_m) / 1000, "km", 2)
    bad = [
        f"{s.requirement} {s.verdict} at {words.stretch(s.start_m, s.end_m)}"
        for s in features.stretches[:8]
    ]
    marked = f" Marked: {'; '.join(bad)}." if bad else ""
    counted = f"{words.plural(len(features.mounts), 'mount')} along {length}."
    return counted + marked


def bar_keys(counted: str) -> tuple[Key, ...]:
    """Legend of the bars, which show shares of what the claims count."""
    return (
        Key("bar", f"share of good {counted}"),
        Key("bar-fails", f"{counted} fail"),
        Key("bar-unknown", f"{counted} are unknown"),
    )


def strip_text(features: Features, counted: str) -> str:
    """What the strip chart shows, in words; `counted`: what the shares of its bars are of."""
    tops = [m.ground_z for m in features.mounts if math.isfinite(m.ground_z)]
    heights = (
        f" The mounts' ground lies between {words.metres(min(tops))} and {words.metres(max(tops))}."
        if tops
        else ""
    )
    return (
        "From top to bottom: mounts, views and densities at each place of the straightened zone, "
        f"share of good {counted} per 100 m for each claim, ground height, and where the cost is."
        f"{heights} The table of claims holds the same findings in words."
    )
