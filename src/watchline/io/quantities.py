"""The bill of quantities as a workbook (XLSX) that goes on calculating."""

from __future__ import annotations

import datetime
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyproj
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from watchline.design.quantities import bill_of_quantities
from watchline.io.files import atomic_write
from watchline.io.zipped import unzip, zip_bytes
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Proof
from watchline.model.site import Site

FIXED_TIME = datetime.datetime(2000, 1, 1)
MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
MONEY, METRES, DEGREES, SHARE, COUNT = "#,##0.00", "0.00", "0.0000000", "0.00 %", "#,##0"
HEAD = PatternFill("solid", fgColor="E6EBEF")
WIDEST = 70
LONGEST_TEXT = 32_000
BILL = "Bill of quantities"


def write_quantities(
    plan: Plan, path: Path | str, *, site: Site, proof: Proof | None = None
) -> Path:
    """Write the bill of quantities and the tables that installers need.

    Sheets: ``Summary``, ``Bill of quantities`` (quantities, prices and live formulas for totals),
    ``Mounts``, ``Aiming`` (devices with place and aim) and, with a proof, ``Claims``. Equal plans
    make equal bytes.

    Parameters
    ----------
    plan : Plan
        What is placed.
    path : Path or str
        The file, ``*.xlsx``.
    site : Site
        Its catalogue and road.
    proof : Proof, optional
        Its claims.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    book = Workbook()
    summary = book.active
    summary.title = "Summary"
    total = _bill_sheet(book, site, plan)
    _summary_sheet(summary, site, plan, proof, total)
    _mounts_sheet(book, plan)
    _aiming_sheet(book, site, plan)
    if proof is not None:
        _claims_sheet(book, proof)
    book.properties.creator = "watchline"
    book.properties.created = FIXED_TIME
    buffer = io.BytesIO()
    book.save(buffer)
    # openpyxl stamps the time of saving into the properties and onto each entry of the archive.
    entries = unzip(buffer.getvalue())
    core = "docProps/core.xml"
    stamp = FIXED_TIME.isoformat().encode() + b"Z"
    entries[core] = MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", entries[core])
    with atomic_write(path) as temporary:
        temporary.write_bytes(zip_bytes(entries))
    return Path(path)


def _put(sheet: Worksheet, row: int, column: int, value: Any, style: str = "") -> Cell:
    """Write one cell; text is never taken for a formula, whatever it begins with."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("�", value)[:LONGEST_TEXT]
        cell.data_type = "s"
    elif isinstance(value, float) and not math.isfinite(value):
        cell.value = None  # a workbook knows neither NaN nor infinity
    else:
        cell.value = value
    if style:
        cell.number_format = style
    return cell


def _formula(sheet: Worksheet, row: int, column: int, formula: str, style: str) -> None:
    cell = sheet.cell(row, column, formula)
    cell.number_format = style


def _header(sheet: Worksheet, names: Sequence[str]) -> None:
    for column, name in enumerate(names, start=1):
        cell = _put(sheet, 1, column, name)
        cell.font = Font(bold=True)
        cell.fill = HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"


def _widths(sheet: Worksheet) -> None:
    for column in sheet.columns:
        longest = max(len(str(cell.value)) for cell in column if cell.value is not None)
        letter = get_column_letter(column[0].column)
        sheet.column_dimensions[letter].width = min(WIDEST, max(9, longest + 2))
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _table(
    book: Workbook, title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
) -> Worksheet:
    """A sheet with a frozen header; ``columns`` are names with their number formats."""
    sheet = book.create_sheet(title)
    _header(sheet, [name for name, _ in columns])
    for number, values in enumerate(rows, start=2):
        for column, (value, (_, style)) in enumerate(zip(values, columns, strict=True), start=1):
            _put(sheet, number, column, value, style)
    if rows:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    _widths(sheet)
    return sheet


def _bill_sheet(book: Workbook, site: Site, plan: Plan) -> str:
    """The sheet with the items; returns the reference of the grand total."""
    bill = bill_of_quantities(site, plan)
    columns = [
        ("Group", ""), ("Item", ""), ("Description", ""), ("Unit", ""), ("Quantity", "#,##0.##"),
        (f"Unit price ({plan.currency})", MONEY), (f"Total ({plan.currency})", MONEY),
        ("Source of the price", ""),
    ]  # fmt: skip
    order = ["group", "item", "description", "unit", "quantity", "unit_price", "total", "source"]
    rows = [list(row) for row in bill[order].itertuples(index=False)]
    sheet = _table(book, BILL, columns, rows)
    last = len(rows) + 1
    for row in range(2, last + 1):
        _formula(sheet, row, 7, f"=E{row}*F{row}", MONEY)
    _put(sheet, last + 1, 1, "Total").font = Font(bold=True)
    _formula(sheet, last + 1, 7, f"=SUM(G2:G{last})" if rows else "=0", MONEY)
    sheet.cell(last + 1, 7).font = Font(bold=True)
    sheet.column_dimensions["G"].width = 18
    return f"'{BILL}'!G{last + 1}"


def _summary_sheet(
    sheet: Worksheet, site: Site, plan: Plan, proof: Proof | None, total: str
) -> None:
    lines: list[tuple[str, Any, str]] = [
        ("Project", site.name, ""),
        ("Plan", f"{plan.name} ({plan.status})", ""),
        ("Digest of the plan", plan_digest(plan), ""),
        ("Mounts", len(plan.mounts), COUNT),
        ("Devices", len(plan.devices), COUNT),
        ("Currency", plan.currency, ""),
        ("Cost", f"={total}", MONEY),
    ]
    groups = dict.fromkeys(bill_of_quantities(site, plan)["group"])
    for group in groups:
        formula = f"=SUMIF('{BILL}'!A:A,\"{group}\",'{BILL}'!G:G)"
        lines.append((f"of this: {group}", formula, MONEY))
    cost_row = 7
    if plan.lower_bound is not None:
        lines.append(("Proven least cost", float(plan.lower_bound), MONEY))
        gap = f"=IF(B{cost_row}=0,0,(B{cost_row}-B{len(lines)})/B{cost_row})"
        lines.append(("Gap", gap, SHARE))
    if proof is not None:
        lines.append(("All binding claims hold", "yes" if proof.holds else "no", ""))
    prices = "Prices are those of the catalogue; those marked as assumption must be replaced."
    lines.append(("Prices", prices, ""))
    lines += [("Note", note, "") for note in plan.notes]
    for row, (name, value, style) in enumerate(lines, start=1):
        _put(sheet, row, 1, name).font = Font(bold=True)
        if isinstance(value, str) and value.startswith("=") and style:
            _formula(sheet, row, 2, value, style)
        else:
            _put(sheet, row, 2, value, style)
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, horizontal="left", vertical="top")
    sheet.column_dimensions["A"].width = 26
    sheet.column_dimensions["B"].width = WIDEST


def _mounts_sheet(book: Workbook, plan: Plan) -> None:
    columns = [
        ("Mount", ""), ("Name", ""), ("Structure", ""), ("Kind", ""), ("Height (m)", METRES),
        ("Chainage (m)", METRES), ("Offset (m)", METRES), ("Easting (m)", METRES),
        ("Northing (m)", METRES), ("Latitude (WGS 84)", DEGREES), ("Longitude (WGS 84)", DEGREES),
        ("Ground height (m)", METRES), (f"Price ({plan.currency})", MONEY), ("Stands already", ""),
    ]  # fmt: skip
    longitude, latitude = _degrees(plan.crs, plan.mounts)
    rows = [
        (m.mount_id, m.name, m.structure, m.kind, m.height_m, m.s, m.t, m.geometry.x,
         m.geometry.y, lat, lon, m.ground_z, m.cost, "yes" if m.existing else "no")
        for m, lat, lon in zip(plan.mounts.itertuples(), latitude, longitude, strict=True)
    ]  # fmt: skip
    _table(book, "Mounts", columns, rows)


def _aiming_sheet(book: Workbook, site: Site, plan: Plan) -> None:
    columns = [
        ("Device", ""), ("Mount", ""), ("Model", ""), ("Name", ""), ("Kind", ""),
        ("Easting (m)", METRES), ("Northing (m)", METRES), ("Latitude (WGS 84)", DEGREES),
        ("Longitude (WGS 84)", DEGREES), ("Height above ground (m)", METRES),
        ("Azimuth from grid north (°)", "0.00"), ("Tilt down (°)", "0.00"),
        ("Focal length (mm)", "0.0"), ("Horizontal field (°)", "0.0"),
        ("Vertical field (°)", "0.0"), (f"Price ({plan.currency})", MONEY),
    ]  # fmt: skip
    longitude, latitude = _degrees(plan.crs, plan.devices)
    known = site.catalogue.devices
    rows = [
        (d.device_id, d.mount_id, d.model, known[d.model].name if d.model in known else "", d.kind,
         d.geometry.x, d.geometry.y, lat, lon, d.height_m, d.azimuth_deg, d.tilt_deg, d.focal_mm,
         d.hfov_deg, d.vfov_deg, d.cost)
        for d, lat, lon in zip(plan.devices.itertuples(), latitude, longitude, strict=True)
    ]  # fmt: skip
    _table(book, "Aiming", columns, rows)


def _degrees(crs: str, frame: Any) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes of a table's points, to the centimetre."""
    turn = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    places = [(point.x, point.y) for point in frame.geometry]
    turned = [turn.transform(x, y) for x, y in places]
    return [round(lon, 7) for lon, _ in turned], [round(lat, 7) for _, lat in turned]


def _claims_sheet(book: Workbook, proof: Proof) -> None:
    columns = [
        ("Requirement", ""), ("Kind", ""), ("Where", ""), ("Condition", ""), ("Binding", ""),
        ("Verdict", ""), ("Share", SHARE), ("At most", SHARE), ("Asked", SHARE),
        ("Judged on", COUNT), ("Of", ""), ("Failing chainages (m)", ""), ("In words", ""),
        ("Method", ""),
    ]  # fmt: skip
    rows = [
        (c.requirement, c.kind, c.where, c.condition, "yes" if c.binding else "no", c.verdict,
         c.value, c.upper, c.target, c.cells, c.judged_on[1],
         ", ".join(f"{a:.0f}–{b:.0f}" for a, b in c.failing_chainages), c.detail, c.method)
        for c in proof.claims
    ]  # fmt: skip
    _table(book, "Claims", columns, rows)
