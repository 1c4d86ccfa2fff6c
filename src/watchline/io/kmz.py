"""A plan as KMZ for a globe: line, zone, road, mounts, devices, fields of view, failing stretches.

KML 2.2 (OGC 07-147r2) in EPSG:4326; heights are above the ground.
"""

from __future__ import annotations

import html
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from watchline.geo.chainage import part
from watchline.io.files import atomic_write
from watchline.io.icons import icon_png
from watchline.io.plan_layers import site_layers, views_layer
from watchline.io.qgis import KIND_COLOURS, KIND_NAMES
from watchline.io.zipped import zip_bytes
from watchline.model.plan import Plan
from watchline.model.proof import Claim, Proof
from watchline.model.site import Site

NAMESPACE = "http://www.opengis.net/kml/2.2"
ICONS = ("disc", "square", "arrow")
LOOK_ROUND = ("observer", "ptz")
DEGREE_DECIMALS = 8
SHORTEST_STRETCH_M = 1.0
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""
LAYER_COLOURS = {
    "line": "#d1490c",
    "zone": "#1b2124",
    "road": "#7a6a4f",
    "areas": "#0b6aa2",
    "exclusions": "#4b5357",
    "no_watch": "#a3195b",
    "failing": "#d1490c",
    "unknown": "#9a5b9e",
}
LAYER_NAMES = {
    "line": "Line",
    "zone": "Zone",
    "road": "Patrol road",
    "areas": "Areas",
    "exclusions": "No mounts here",
    "no_watch": "Not to be watched",
}


class _Globe:
    """Makes KML elements of geometries in the site's CRS."""

    def __init__(self, crs: str) -> None:
        self.turn = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def coordinates(self, places: np.ndarray, height_m: float | None = None) -> str:
        """Places [n, 2] as KML writes them: longitude,latitude or with a height."""
        longitude, latitude = self.turn.transform(places[:, 0], places[:, 1])
        tail = "" if height_m is None else f",{height_m:.2f}"
        return " ".join(
            f"{lon:.{DEGREE_DECIMALS}f},{lat:.{DEGREE_DECIMALS}f}{tail}"
            for lon, lat in zip(longitude, latitude, strict=True)
        )

    def point(self, parent: ET.Element, shape: Point, height_m: float, *, stem: bool) -> None:
        """A point above the ground; ``stem`` draws a line down to it."""
        node = ET.SubElement(parent, "Point")
        if stem:
            ET.SubElement(node, "extrude").text = "1"
        ET.SubElement(node, "altitudeMode").text = "relativeToGround"
        place = shapely.get_coordinates(shape)
        ET.SubElement(node, "coordinates").text = self.coordinates(place, height_m)

    def drape(self, parent: ET.Element, shape: BaseGeometry) -> None:
        """A line or polygon on the ground, in several parts where it has them."""
        parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
        if len(parts) > 1:
            parent = ET.SubElement(parent, "MultiGeometry")
        for piece in parts:
            if isinstance(piece, Polygon):
                self._polygon(parent, piece)
            else:
                node = ET.SubElement(parent, "LineString")
                ET.SubElement(node, "tessellate").text = "1"
                places = shapely.get_coordinates(piece)
                ET.SubElement(node, "coordinates").text = self.coordinates(places)

    def _polygon(self, parent: ET.Element, shape: Polygon) -> None:
        node = ET.SubElement(parent, "Polygon")
        ET.SubElement(node, "tessellate").text = "1"
        turned = shapely.geometry.polygon.orient(shape, 1.0)
        rings = [("outerBoundaryIs", turned.exterior)]
        rings += [("innerBoundaryIs", ring) for ring in turned.interiors]
        for name, ring in rings:
            boundary = ET.SubElement(ET.SubElement(node, name), "LinearRing")
            places = shapely.get_coordinates(ring)
            ET.SubElement(boundary, "coordinates").text = self.coordinates(places)


def write_kmz(plan: Plan, path: Path | str, *, site: Site, proof: Proof | None = None) -> Path:
    """Write a plan as KMZ. Equal plans make equal bytes.

    Parameters
    ----------
    plan : Plan
        What is placed.
    path : Path or str
        The file, ``*.kmz``.
    site : Site
        Its line, zone, road, areas and catalogue.
    proof : Proof, optional
        Adds the stretches of the line where claims fail or are unknown.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    globe = _Globe(plan.crs)
    root = ET.Element("kml", xmlns=NAMESPACE)
    document = ET.SubElement(root, "Document")
    _text(document, "name", f"{site.name}: {plan.name}")
    _text(document, "description", _balloon(_facts(plan, site, proof)))
    _look(document, globe, site)
    _styles(document)
    _site_folder(document, globe, site)
    _mounts_folder(document, globe, plan)
    _devices_folder(document, globe, plan)
    _views_folder(document, globe, plan, site)
    if proof is not None:
        _stretches_folder(document, globe, site, proof)
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    with atomic_write(path) as temporary:
        icons = {f"icons/{shape}.png": icon_png(shape) for shape in ICONS}
        temporary.write_bytes(zip_bytes({"doc.kml": content, **icons}))
    return Path(path)


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = NOT_XML.sub("�", text)


def _balloon(facts: Mapping[str, object]) -> str:
    """Facts as a table for a balloon; every name and value is escaped."""
    rows = "".join(
        f"<tr><th align='left'>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in facts.items()
        if value not in ("", None)
    )
    return f"<table>{rows}</table>"


def _facts(plan: Plan, site: Site, proof: Proof | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "Mounts": len(plan.mounts),
        "Devices": len(plan.devices),
        "Cost": f"{plan.cost:,.0f} {plan.currency}",
    }
    if plan.gap is not None:
        facts["Gap to the bound"] = f"{plan.gap:.2%}"
    if proof is not None:
        facts["All binding claims hold"] = "yes" if proof.holds else "no"
    facts["Line"] = site.line_credit
    facts["Terrain"] = site.terrain.credit
    facts["Limits"] = site.terrain.limits
    facts["Fields of view"] = "drawn on flat ground; the proof knows the terrain"
    return facts


def _look(document: ET.Element, globe: _Globe, site: Site) -> None:
    """First view: the whole line from above."""
    west, south, east, north = site.line.bounds
    place = globe.coordinates(np.array([[(west + east) / 2, (south + north) / 2]]))
    longitude, latitude = place.split(",")
    look = ET.SubElement(document, "LookAt")
    ET.SubElement(look, "longitude").text = longitude
    ET.SubElement(look, "latitude").text = latitude
    ET.SubElement(look, "heading").text = "0"
    ET.SubElement(look, "tilt").text = "40"
    ET.SubElement(look, "range").text = f"{1.3 * math.hypot(east - west, north - south):.0f}"


def _colour(hexadecimal: str, alpha: float) -> str:
    """KML's colour, alpha first and red last."""
    red, green, blue = hexadecimal[1:3], hexadecimal[3:5], hexadecimal[5:7]
    return f"{round(alpha * 255):02x}{blue}{green}{red}"


def _styles(document: ET.Element) -> None:
    widths = {"line": 4.0, "failing": 8.0, "unknown": 8.0, "road": 3.0}
    for name, colour in LAYER_COLOURS.items():
        style = ET.SubElement(document, "Style", id=name)
        line = ET.SubElement(style, "LineStyle")
        ET.SubElement(line, "color").text = _colour(colour, 1.0)
        ET.SubElement(line, "width").text = f"{widths.get(name, 2.0):g}"
        fill = 0.3 if name in ("exclusions", "no_watch") else 0.0
        ET.SubElement(ET.SubElement(style, "PolyStyle"), "color").text = _colour(colour, fill)
    for kind, colour in KIND_COLOURS.items():
        style = ET.SubElement(document, "Style", id=f"view-{kind}")
        line = ET.SubElement(style, "LineStyle")
        ET.SubElement(line, "color").text = _colour(colour, 0.8)
        ET.SubElement(line, "width").text = "1"
        poly = ET.SubElement(style, "PolyStyle")
        ET.SubElement(poly, "color").text = _colour(colour, 0.0 if kind == "ptz" else 0.25)
        shape = "disc" if kind in LOOK_ROUND else "arrow"
        _icon_style(document, f"device-{kind}", colour, shape, 0.5)
    _icon_style(document, "mount-mast", "#ffffff", "disc", 0.4)
    _icon_style(document, "mount-tower", "#ffffff", "square", 0.6)


def _icon_style(document: ET.Element, name: str, colour: str, icon: str, scale: float) -> None:
    style = ET.SubElement(document, "Style", id=name)
    node = ET.SubElement(style, "IconStyle")
    ET.SubElement(node, "color").text = _colour(colour, 1.0)
    ET.SubElement(node, "scale").text = f"{scale:g}"
    ET.SubElement(ET.SubElement(node, "Icon"), "href").text = f"icons/{icon}.png"
    ET.SubElement(ET.SubElement(style, "LabelStyle"), "scale").text = "0.7"


def _folder(parent: ET.Element, name: str) -> ET.Element:
    folder = ET.SubElement(parent, "Folder")
    _text(folder, "name", name)
    return folder


def _placemark(
    folder: ET.Element, name: str, style: str, facts: Mapping[str, object] | None = None
) -> ET.Element:
    mark = ET.SubElement(folder, "Placemark")
    _text(mark, "name", name)
    if facts:
        _text(mark, "description", _balloon(facts))
    ET.SubElement(mark, "styleUrl").text = f"#{style}"
    return mark


def _site_folder(document: ET.Element, globe: _Globe, site: Site) -> None:
    folder = _folder(document, "Site")
    for layer, frame in site_layers(site).items():
        inner = folder if len(frame) == 1 else _folder(folder, LAYER_NAMES[layer])
        for number, shape in enumerate(frame.geometry):
            named = "name" in frame and layer != "line"
            name = str(frame["name"].iloc[number]) if named else LAYER_NAMES[layer]
            facts = {"Kind": LAYER_NAMES[layer]} if named else None
            globe.drape(_placemark(inner, name, layer, facts), shape)


def _mounts_folder(document: ET.Element, globe: _Globe, plan: Plan) -> None:
    folder = _folder(document, "Mounts")
    for mount in plan.mounts.itertuples():
        facts = {
            "Name": mount.name,
            "Structure": mount.structure,
            "Height": f"{mount.height_m:g} m",
            "Chainage": f"{mount.s:.0f} m",
            "Price": f"{mount.cost:,.0f} {plan.currency}",
            "Stands already": "yes" if mount.existing else "no",
        }
        style = "mount-tower" if mount.kind == "tower" else "mount-mast"
        mark = _placemark(folder, str(mount.mount_id), style, facts)
        globe.point(mark, mount.geometry, float(mount.height_m), stem=True)


def _devices_folder(document: ET.Element, globe: _Globe, plan: Plan) -> None:
    folder = _folder(document, "Devices")
    for device in plan.devices.itertuples():
        facts = {
            "Model": device.model,
            "Kind": KIND_NAMES.get(device.kind, device.kind),
            "Mount": device.mount_id,
            "Height": f"{device.height_m:g} m",
            "Azimuth": f"{device.azimuth_deg:.1f}°",
            "Tilt": f"{device.tilt_deg:.1f}°",
            "Focal length": f"{device.focal_mm:g} mm" if device.focal_mm else "",
        }
        mark = _placemark(folder, str(device.device_id), f"device-{device.kind}", facts)
        if device.kind not in LOOK_ROUND:
            own = ET.SubElement(ET.SubElement(mark, "Style"), "IconStyle")
            ET.SubElement(own, "heading").text = f"{device.azimuth_deg:.2f}"
        globe.point(mark, device.geometry, float(device.height_m), stem=False)


def _views_folder(document: ET.Element, globe: _Globe, plan: Plan, site: Site) -> None:
    views: gpd.GeoDataFrame = views_layer(plan, site)
    if views.empty:
        return
    widest = views[views["px_per_m"] == views["px_per_m"].min()]
    folder = _folder(document, f"Fields of view at {widest['px_per_m'].iloc[0]:g} px/m")
    for view in widest.itertuples():
        facts = {"Device": view.device_id, "Reach": f"{view.reach_m:.0f} m"}
        mark = _placemark(folder, str(view.device_id), f"view-{view.kind}", facts)
        globe.drape(mark, MultiPolygon(view.geometry))


def _stretches_folder(document: ET.Element, globe: _Globe, site: Site, proof: Proof) -> None:
    claims: Iterable[Claim] = [c for c in proof.claims if c.verdict != "holds"]
    folder = _folder(document, "Failing or unknown stretches")
    for claim in claims:
        style = "failing" if claim.verdict == "fails" else "unknown"
        inner = _folder(folder, f"{claim.requirement}: {claim.verdict}")
        for start, end in claim.failing_chainages:
            facts = {
                "Requirement": claim.requirement,
                "Verdict": claim.verdict,
                "Chainage": f"{start:.0f}–{end:.0f} m",
                "In words": claim.detail,
            }
            mark = _placemark(inner, f"{start:.0f}–{end:.0f} m", style, facts)
            globe.drape(mark, _stretch(site.line, start, end))


def _stretch(line: LineString, start_m: float, end_m: float) -> LineString:
    """A piece of the line that is long enough to be drawn."""
    start = min(max(start_m, 0.0), max(0.0, line.length - SHORTEST_STRETCH_M))
    return part(line, start, max(min(end_m, line.length), start + SHORTEST_STRETCH_M))
