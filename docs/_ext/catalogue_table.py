"""Sphinx extension: tables generated from the shipped catalogue and its schema.

Add ``"catalogue_table"`` to ``extensions`` and this folder to ``sys.path`` in ``conf.py``; then a
page writes::

    ```{catalogue-table} camera
    ```

The argument is a kind of device, or ``structures``, ``services``, ``qualities``, ``sources`` or
``keys``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from watchline.config.catalogue import (
    ASSUMPTION,
    DEVICE_ENTRIES,
    CatalogueFile,
    ServicesTable,
    StructureEntry,
    Table,
)
from watchline.config.qualities import SCALES
from watchline.io.catalogue import load_catalogue
from watchline.model.catalogue import Catalogue, Device

KINDS = tuple(DEVICE_ENTRIES)
STANDARDS = {"oodpcvs": "IEC 62676-4:2025", "dori": "EN 62676-4:2014", "johnson": "Johnson 1958"}
MARK = "\\*"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown table."""
    lines = [list(header), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def marked(sources: dict[str, str], *keys: str) -> str:
    """Mark of a value that is an assumption."""
    return MARK if any(sources[key].startswith(ASSUMPTION) for key in keys) else ""


def money(amount: float) -> str:
    """Amount with a thin space between thousands."""
    return f"{amount:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def span(low: float, high: float, digits: int = 0) -> str:
    """One number, or two with a dash."""
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return first if first == last else f"{first}–{last}"


def device_rows(catalogue: Catalogue, kind: str) -> str:
    """Table of the devices of one kind."""
    found = [device for device in catalogue.devices.values() if device.kind == kind]
    if kind == "observer":
        return table(
            [
                "key",
                "name",
                "acuity, ′",
                "share of time",
                "overview to, m",
                "never beyond, m",
                "price",
            ],
            [_observer_row(device) for device in found],
        )
    header = ["key", "name", "image, px", "sensor, mm", "lens, mm", "field, °"]
    header += ["overview to, m", "perceive to, m", "never beyond, m"]
    header += ["NETD, mK"] if kind == "thermal" else ["lens, F", "infrared to, m"]
    header += ["power, W", "price"]
    header += {"panoramic": ["sensors"], "ptz": ["share of time"]}.get(kind, [])
    return table(header, [_camera_row(device, catalogue.qualities) for device in found])


def _observer_row(device: Device) -> list[str]:
    sources = device.sources
    return [
        f"`{device.id}`",
        device.name,
        f"{device.acuity_arcmin:g}{marked(sources, 'acuity_arcmin')}",
        f"{device.time_share:.1%}{marked(sources, 'time_share')}",
        f"{min(device.focal_px(0) / SCALES['oodpcvs']['overview'], device.range_m):.0f}",
        f"{device.range_m:.0f}{marked(sources, 'range_m')}",
        f"{money(device.price)}{marked(sources, 'price')}",
    ]


def _camera_row(device: Device, qualities: dict[str, float]) -> list[str]:
    sources = device.sources
    wide = device.sensor_fov_deg(device.focal_min_mm)[0]
    tele = device.sensor_fov_deg(device.focal_max_mm)[0]
    reach = [
        f"{min(device.focal_px(device.focal_max_mm) / qualities[name], device.range_m):.0f}"
        for name in ("overview", "perceive")
    ]
    row = [
        f"`{device.id}`",
        device.name,
        f"{device.width_px} × {device.height_px}{marked(sources, 'width_px', 'height_px')}",
        f"{device.sensor_width_mm:.2f}{marked(sources, 'sensor_width_mm')}",
        f"{device.focal_min_mm:g}"
        + (f"–{device.focal_max_mm:g}" if device.focal_max_mm > device.focal_min_mm else "")
        + marked(sources, "focal_min_mm", "focal_max_mm"),
        span(tele, wide, 1),
        *reach,
        f"{device.range_m:.0f}{marked(sources, 'range_m')}",
        *(
            [_told(device, "netd_mk")]
            if device.kind == "thermal"
            else [_told(device, "f_number"), _told(device, "ir_range_m")]
        ),
        f"{device.power_w:g}{marked(sources, 'power_w')}",
        f"{money(device.price)}{marked(sources, 'price')}",
    ]
    if device.kind == "panoramic":
        mark = marked(sources, "sensors", "spacing_deg")
        row.append(f"{device.sensors} every {device.spacing_deg:g}°{mark}")
    if device.kind == "ptz":
        row.append(f"{device.time_share:.0%}{marked(sources, 'time_share')}")
    return row


def _told(device: Device, key: str) -> str:
    """A value that a device need not have, with its mark."""
    value = getattr(device, key)
    return f"{value:g}{marked(device.sources, key)}" if value else "–"


def structure_rows(catalogue: Catalogue) -> str:
    """Table of masts and towers."""
    return table(
        ["key", "name", "kind", "height, m", "carries", "price"],
        [
            [
                f"`{item.id}`",
                item.name,
                item.kind,
                f"{item.height_m:g}{marked(item.sources, 'height_m')}",
                f"{item.capacity}{marked(item.sources, 'capacity')}",
                f"{money(item.price)}{marked(item.sources, 'price')}",
            ]
            for item in catalogue.structures.values()
        ],
    )


def service_rows(catalogue: Catalogue) -> str:
    """Table of the prices of power and data."""
    fields = ServicesTable.model_fields
    return table(
        ["key", "what", "price"],
        [
            [
                f"`{key}`",
                str(fields[key].description),
                f"{getattr(catalogue.services, key):g}{marked(catalogue.services.sources, key)}",
            ]
            for key in catalogue.services.sources
        ],
    )


def quality_rows(catalogue: Catalogue) -> str:
    """Table of the quality classes of both scales."""
    return table(
        ["name", "px/m", "scale"],
        [
            [
                f"`{name if name in catalogue.qualities else f'{scale}:{name}'}`",
                f"{density:g}",
                STANDARDS[scale],
            ]
            for scale, classes in SCALES.items()
            for name, density in classes.items()
        ],
    )


def source_list(catalogue: Catalogue) -> str:
    """Every value of every item with its source; equal sources of one item stand together."""
    parts = []
    items = [*catalogue.devices.values(), *catalogue.structures.values()]
    for key, sources in [
        *((item.id, item.sources) for item in items),
        ("services", catalogue.services.sources),
    ]:
        by_text: dict[str, list[str]] = {}
        for value, text in sources.items():
            by_text.setdefault(text, []).append(f"`{value}`")
        lines = "\n".join(f"- {', '.join(values)}: {text}" for text, values in by_text.items())
        parts.append(f"**`{key}`**\n\n{lines}")
    return "\n\n".join(parts)


def key_tables() -> str:
    """Every key of a catalogue file with what it means and whether it must be given."""
    sections: list[tuple[str, type[Table]]] = [
        ("The file", CatalogueFile),
        *((f'A device of kind `"{kind}"`', model) for kind, model in DEVICE_ENTRIES.items()),
        ("A mast or tower", StructureEntry),
        ("`[services]`", ServicesTable),
    ]
    plain = {
        "devices": "The devices, each begun with `[[devices]]`.",
        "structures": "The masts and towers, each begun with `[[structures]]`.",
        "services": "Prices of power and data.",
        "kind": "What it is.",
    }
    parts = []
    for title, model in sections:
        rows = [
            [
                f"`{key}`",
                plain.get(key) or str(field.description),
                "yes" if field.is_required() else "no",
            ]
            for key, field in model.model_fields.items()
        ]
        parts.append(f"**{title}**\n\n{table(['key', 'meaning', 'must be given'], rows)}")
    return "\n\n".join(parts)


def catalogue_markdown(what: str) -> str:
    """Markdown of one generated part of the reference.

    Parameters
    ----------
    what : str
        A kind of device, ``structures``, ``services``, ``qualities``, ``sources`` or ``keys``.
    """
    catalogue = load_catalogue()
    if what in KINDS:
        return device_rows(catalogue, what)
    makers: dict[str, Callable[[Catalogue], str]] = {
        "structures": structure_rows,
        "services": service_rows,
        "qualities": quality_rows,
        "sources": source_list,
        "keys": lambda _: key_tables(),
    }
    return makers[what](catalogue)


class CatalogueTable(SphinxDirective):
    """The directive ``catalogue-table``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the generated Markdown in place."""
        try:
            text = catalogue_markdown(self.arguments[0])
        except KeyError:
            raise self.error(f"catalogue-table knows no '{self.arguments[0]}'") from None
        made = self.parse_text_to_nodes(text)
        if self.arguments[0] in KINDS:
            for one in made:
                for found in one.findall(nodes.table):
                    found["classes"].append("devices")
        return made


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("catalogue-table", CatalogueTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
