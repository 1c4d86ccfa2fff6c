"""How the layers of a plan look in QGIS: QML styles and the ``layer_styles`` table.

QGIS 3 loads the row of ``layer_styles`` that names a layer and is its default. The table's schema
is the one that QGIS itself writes through GDAL (seen in a file written by QGIS 3.22); the QML
holds only what differs from QGIS's defaults. Colours of the device kinds are those of the report.
"""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STYLE_TIME = "2000-01-01T00:00:00.000Z"
"""Written instead of the time of day, so that equal plans make equal files."""

CREATE_STYLES = """
CREATE TABLE "layer_styles" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "f_table_catalog" TEXT(256), "f_table_schema" TEXT(256), "f_table_name" TEXT(256),
  "f_geometry_column" TEXT(256), "styleName" TEXT(30), "styleQML" TEXT, "styleSLD" TEXT,
  "useAsDefault" BOOLEAN, "description" TEXT, "owner" TEXT(30), "ui" TEXT(30),
  "update_time" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""

KIND_COLOURS = {
    "camera": "#0072b2",
    "thermal": "#b0530a",
    "ptz": "#7b4fa3",
    "panoramic": "#00806a",
    "observer": "#8a6d00",
}
KIND_NAMES = {
    "camera": "Camera",
    "thermal": "Thermal camera",
    "ptz": "Pan-tilt-zoom camera",
    "panoramic": "Panoramic camera",
    "observer": "Observer",
}
VIEW_CLASSES = (
    (-1, "unknown", "#9a5b9e"),
    (0, "not seen", "#d1490c"),
    (1, "1 view", "#c9def0"),
    (2, "2 views", "#8fbbe0"),
    (3, "3 views", "#5593c9"),
    (4, "4 views", "#2a69a8"),
    (5, "5 and more views", "#103f73"),
)
MOST_VIEWS = 1000
INK = "#1b2124"
VIEWS_CLASS_EXPRESSION = 'if("unknown" and "views" = 0, -1, "views")'


@dataclass(frozen=True)
class Symbol:
    """One symbol of one layer.

    Attributes
    ----------
    type : str
        ``marker``, ``line`` or ``fill``.
    layer : str
        QGIS class of its only symbol layer.
    options : dict of str to str
        What differs from QGIS's defaults.
    rotated_by : str
        Column that gives the angle, or ``""``.
    alpha : float
        Opacity of the whole symbol.
    """

    type: str
    layer: str
    options: Mapping[str, str]
    rotated_by: str = ""
    alpha: float = 1.0


@dataclass(frozen=True)
class Style:
    """Style of one layer.

    Attributes
    ----------
    renderer : str
        ``singleSymbol``, ``categorizedSymbol`` or ``graduatedSymbol``.
    classes : sequence of (value, label, Symbol)
        One class each; the value is ``""`` for "all others", and (lower, upper) where graduated.
    attribute : str
        Column or expression that chooses the class.
    label : str
        Column written beside each feature, or ``""``.
    choices : dict of str to dict of str to str
        Columns that a form offers as a list: value to name.
    """

    renderer: str
    classes: Sequence[tuple[object, str, Symbol]]
    attribute: str = ""
    label: str = ""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _marker(name: str, colour: str, size: float, **more: str) -> Symbol:
    options = {
        "name": name,
        "color": _colour(colour),
        "outline_color": _colour("#ffffff"),
        "outline_width": "0.2",
        "size": f"{size:g}",
        **more,
    }
    return Symbol("marker", "SimpleMarker", options)


def _arrow(colour: str) -> Symbol:
    # QGIS turns the offset with the angle: the arrow's tail stays on the device.
    options = {
        "name": "arrow",
        "color": _colour(colour),
        "outline_color": _colour("#ffffff"),
        "outline_width": "0.2",
        "size": "4.5",
        "offset": "0,-2.2",
    }
    return Symbol("marker", "SimpleMarker", options, rotated_by="azimuth_deg")


def _line(colour: str, width: float, style: str = "solid") -> Symbol:
    options = {"line_color": _colour(colour), "line_width": f"{width:g}", "line_style": style}
    return Symbol("line", "SimpleLine", options)


def _fill(
    colour: str, outline: str, *, pattern: str = "solid", alpha: float = 1.0, dash: str = "solid"
) -> Symbol:
    options = {
        "color": _colour(colour),
        "style": pattern,
        "outline_color": _colour(outline),
        "outline_width": "0.3",
        "outline_style": dash,
    }
    return Symbol("fill", "SimpleFill", options, alpha=alpha)


def _single(symbol: Symbol, label: str = "") -> Style:
    return Style("singleSymbol", [("", "", symbol)], label=label)


def _mounts() -> Style:
    classes: list[tuple[object, str, Symbol]] = [
        ("mast", "Mast", _marker("circle", INK, 2.4)),
        ("tower", "Tower", _marker("square", INK, 3.6)),
        ("", "Other", _marker("triangle", INK, 3.0)),
    ]
    return Style("categorizedSymbol", classes, attribute="kind", label="mount_id")


def _devices() -> Style:
    classes: list[tuple[object, str, Symbol]] = []
    for kind, colour in KIND_COLOURS.items():
        round_looker = kind in ("observer", "ptz")
        symbol = _marker("circle", colour, 3.0) if round_looker else _arrow(colour)
        classes.append((kind, KIND_NAMES[kind], symbol))
    classes.append(("", "Other", _arrow(INK)))
    return Style("categorizedSymbol", classes, attribute="kind")


def _views() -> Style:
    classes: list[tuple[object, str, Symbol]] = []
    for kind, colour in KIND_COLOURS.items():
        # A turning head reaches far all round but watches one way at a time: outline only.
        turning = kind == "ptz"
        symbol = _fill(colour, colour, pattern="no", dash="dot") if turning else None
        classes.append((kind, KIND_NAMES[kind], symbol or _fill(colour, colour, alpha=0.18)))
    classes.append(("", "Other", _fill(INK, INK, alpha=0.18)))
    return Style("categorizedSymbol", classes, attribute="kind")


def _coverage() -> Style:
    classes: list[tuple[object, str, Symbol]] = []
    for value, label, colour in VIEW_CLASSES:
        upper = MOST_VIEWS if value == VIEW_CLASSES[-1][0] else value
        symbol = _fill(colour, colour, alpha=0.75, dash="no")
        classes.append(((value, upper), label, symbol))
    return Style("graduatedSymbol", classes, attribute=VIEWS_CLASS_EXPRESSION)


def layer_style(layer: str, choices: Mapping[str, Mapping[str, str]] | None = None) -> Style | None:
    """Style of one layer of a plan, or None for a layer without one.

    Parameters
    ----------
    layer : str
        Name of the layer; ``coverage`` and whatever begins with ``coverage_`` share a style.
    choices : dict of str to dict of str to str, optional
        Columns whose values a form offers as a list, such as the catalogue's models.
    """
    styles = {
        "mounts": _mounts,
        "devices": _devices,
        "views": _views,
        "coverage": _coverage,
        "line": lambda: _single(_line("#d1490c", 0.9)),
        "road": lambda: _single(_line("#7a6a4f", 0.7)),
        "zone": lambda: _single(_fill(INK, INK, pattern="no", dash="dash")),
        "areas": lambda: _single(_fill("#0b6aa2", "#0b6aa2", pattern="no"), label="name"),
        "exclusions": lambda: _single(
            _fill("#4b5357", "#4b5357", pattern="b_diagonal"), label="name"
        ),
        "no_watch": lambda: _single(_fill("#a3195b", "#a3195b", pattern="cross"), label="name"),
    }
    make = styles.get("coverage" if layer.startswith("coverage_") else layer)
    if make is None:
        return None
    style = make()
    return Style(style.renderer, style.classes, style.attribute, style.label, choices or {})


def qml(style: Style) -> str:
    """The QML document of a style.

    Parameters
    ----------
    style : Style
        The style.

    Returns
    -------
    str
        As QGIS 3.22 and newer read it, with QGIS's document type.
    """
    root = ET.Element(
        "qgis",
        version="3.22.0",
        styleCategories="Symbology|Labeling|Forms|Fields",
        labelsEnabled="1" if style.label else "0",
    )
    renderer = ET.SubElement(
        root, "renderer-v2", type=style.renderer, symbollevels="0", enableorderby="0"
    )
    if style.renderer == "categorizedSymbol":
        renderer.set("attr", style.attribute)
        categories = ET.SubElement(renderer, "categories")
        for number, (value, label, _) in enumerate(style.classes):
            ET.SubElement(
                categories,
                "category",
                value=str(value),
                symbol=str(number),
                label=label,
                render="true",
            )
    elif style.renderer == "graduatedSymbol":
        renderer.set("attr", style.attribute)
        renderer.set("graduatedMethod", "GraduatedColor")
        ranges = ET.SubElement(renderer, "ranges")
        for number, (bounds, label, _) in enumerate(style.classes):
            lower, upper = bounds  # type: ignore[misc] # graduated classes carry two bounds
            ET.SubElement(
                ranges,
                "range",
                lower=str(lower),
                upper=str(upper),
                symbol=str(number),
                label=label,
                render="true",
            )
    symbols = ET.SubElement(renderer, "symbols")
    for number, (_, _, symbol) in enumerate(style.classes):
        _add_symbol(symbols, str(number), symbol)
    if style.label:
        _add_labels(root, style.label)
    if style.choices:
        _add_choices(root, style.choices)
    kind = style.classes[0][2].type
    ET.SubElement(root, "layerGeometryType").text = {"marker": "0", "line": "1", "fill": "2"}[kind]
    head = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + ET.tostring(root, encoding="unicode")


def _add_symbol(parent: ET.Element, name: str, symbol: Symbol) -> None:
    node = ET.SubElement(
        parent, "symbol", type=symbol.type, name=name, alpha=f"{symbol.alpha:g}", force_rhr="0"
    )
    # "class" and "pass" are Python words, so the attributes go in as a dict.
    attributes = {"class": symbol.layer, "locked": "0", "pass": "0", "enabled": "1"}
    layer = ET.SubElement(node, "layer", attributes)
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in sorted(symbol.options.items()):
        ET.SubElement(options, "Option", type="QString", name=key, value=value)
    if symbol.rotated_by:
        collection = ET.SubElement(
            ET.SubElement(layer, "data_defined_properties"), "Option", type="Map"
        )
        ET.SubElement(collection, "Option", type="QString", name="name", value="")
        properties = ET.SubElement(collection, "Option", type="Map", name="properties")
        angle = ET.SubElement(properties, "Option", type="Map", name="angle")
        ET.SubElement(angle, "Option", type="bool", name="active", value="true")
        ET.SubElement(angle, "Option", type="QString", name="field", value=symbol.rotated_by)
        ET.SubElement(angle, "Option", type="int", name="type", value="2")
        ET.SubElement(collection, "Option", type="QString", name="type", value="collection")


def _add_labels(root: ET.Element, column: str) -> None:
    labeling = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings")
    text = ET.SubElement(
        settings,
        "text-style",
        fieldName=column,
        isExpression="0",
        fontSize="8",
        fontSizeUnit="Point",
        textColor=_colour(INK),
        textOpacity="1",
    )
    ET.SubElement(
        text,
        "text-buffer",
        bufferDraw="1",
        bufferSize="0.8",
        bufferSizeUnits="MM",
        bufferColor=_colour("#ffffff"),
        bufferOpacity="1",
    )
    ET.SubElement(settings, "rendering", scaleVisibility="1", scaleMin="1", scaleMax="25000")


def _add_choices(root: ET.Element, choices: Mapping[str, Mapping[str, str]]) -> None:
    configuration = ET.SubElement(root, "fieldConfiguration")
    for column in sorted(choices):
        node = ET.SubElement(configuration, "field", name=column)
        widget = ET.SubElement(node, "editWidget", type="ValueMap")
        config = ET.SubElement(ET.SubElement(widget, "config"), "Option", type="Map")
        entries = ET.SubElement(config, "Option", type="List", name="map")
        for value, name in sorted(choices[column].items()):
            entry = ET.SubElement(entries, "Option", type="Map")
            ET.SubElement(entry, "Option", type="QString", name=name, value=value)


def _colour(hexadecimal: str) -> str:
    red, green, blue = (int(hexadecimal[k : k + 2], 16) for k in (1, 3, 5))
    return f"{red},{green},{blue},255"


def write_styles(
    connection: sqlite3.Connection,
    layers: Sequence[str],
    choices: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> None:
    """Write the ``layer_styles`` table of a GeoPackage.

    Parameters
    ----------
    connection : sqlite3.Connection
        The open GeoPackage, without styles yet.
    layers : sequence of str
        Names of its layers; those without a style are left out.
    choices : dict of str to dict of str to dict of str to str
        By layer: the choices of :func:`layer_style`.
    """
    connection.execute(CREATE_STYLES)
    rows = 0
    for layer in layers:
        style = layer_style(layer, choices.get(layer))
        if style is None:
            continue
        connection.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
            "update_time) VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', ?)",
            (layer, layer, qml(style), f"watchline: {layer}", STYLE_TIME),
        )
        rows += 1
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, "
        "srs_id) VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
        (STYLE_TIME,),
    )
    connection.execute(
        "INSERT INTO gpkg_ogr_contents (table_name, feature_count) VALUES ('layer_styles', ?)",
        (rows,),
    )
