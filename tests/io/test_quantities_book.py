"""The workbook of quantities: its formulas give the plan's cost, its texts are never formulas."""

from __future__ import annotations

import dataclasses
import re
import zipfile

import openpyxl
import pytest

import outputs_sample as sample
from watchline.io.quantities import write_quantities

SITE = sample.make_site()
PLAN = sample.make_plan(SITE)
PROOF = sample.make_proof(SITE, PLAN)
BILL = "Bill of quantities"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "quantities.xlsx"
    write_quantities(PLAN, file, site=SITE, proof=PROOF)
    return openpyxl.load_workbook(file)


def value(book, sheet: str, place: str) -> float:
    """Evaluate a cell: the formulas that the workbook uses, and no others."""
    found = book[sheet][place]
    if found.data_type != "f":
        return found.value
    formula = found.value
    if m := re.fullmatch(r"=([A-Z]\d+)\*([A-Z]\d+)", formula):
        return value(book, sheet, m[1]) * value(book, sheet, m[2])
    if m := re.fullmatch(r"=SUM\(([A-Z])(\d+):[A-Z](\d+)\)", formula):
        return sum(value(book, sheet, f"{m[1]}{k}") for k in range(int(m[2]), int(m[3]) + 1))
    if m := re.fullmatch(r"='([^']+)'!([A-Z]\d+)", formula):
        return value(book, m[1], m[2])
    if m := re.fullmatch(r"=SUMIF\('([^']+)'!A:A,\"(\w+)\",'[^']+'!G:G\)", formula):
        rows = range(2, book[m[1]].max_row + 1)
        return sum(value(book, m[1], f"G{k}") for k in rows if book[m[1]][f"A{k}"].value == m[2])
    if m := re.fullmatch(r"=IF\((B\d+)=0,0,\((B\d+)-(B\d+)\)/(B\d+)\)", formula):
        whole, first, second, below = (value(book, sheet, place) for place in m.groups())
        return 0.0 if whole == 0 else (first - second) / below
    raise AssertionError(formula)


def rows_of(book, sheet: str) -> dict[str, str]:
    return {row[0].value: row[1].coordinate for row in book[sheet].iter_rows(max_col=2)}


def test_sheets(book) -> None:
    assert book.sheetnames == ["Summary", BILL, "Mounts", "Aiming", "Claims"]


def test_formulas_give_the_cost(book) -> None:
    places = rows_of(book, "Summary")
    assert value(book, "Summary", places["Cost"]) == pytest.approx(PLAN.cost, abs=1e-6)
    assert value(book, "Summary", places["Gap"]) == pytest.approx(PLAN.gap, abs=1e-9)
    assert book["Summary"][places["Cost"]].data_type == "f"
    groups = [name for name in places if name and name.startswith("of this: ")]
    assert len(groups) >= 4
    total = sum(value(book, "Summary", places[name]) for name in groups)
    assert total == pytest.approx(PLAN.cost, abs=1e-6)


def test_a_changed_price_changes_the_total(book) -> None:
    sheet = book[BILL]
    row = next(k for k in range(2, sheet.max_row) if sheet[f"B{k}"].value == "cam-4mp")
    before = sheet[f"F{row}"].value
    sheet[f"F{row}"].value = before + 100
    try:
        total = value(book, "Summary", rows_of(book, "Summary")["Cost"])
    finally:
        sheet[f"F{row}"].value = before
    assert total == pytest.approx(PLAN.cost + 300, abs=1e-6)


def test_headers_are_frozen_and_columns_wide_enough(book) -> None:
    for name in (BILL, "Mounts", "Aiming", "Claims"):
        sheet = book[name]
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].font.bold
        assert all(dimension.width >= 9 for dimension in sheet.column_dimensions.values())
    assert book[BILL]["G2"].number_format == "#,##0.00"
    assert "EUR" in book[BILL]["F1"].value


def test_mounts_and_aims_are_all_there(book) -> None:
    mounts, aiming = book["Mounts"], book["Aiming"]
    assert mounts.max_row == len(PLAN.mounts) + 1
    assert aiming.max_row == len(PLAN.devices) + 1
    head = [cell.value for cell in aiming[1]]
    first = dict(zip(head, (cell.value for cell in aiming[2]), strict=True))
    assert first["Device"] == "D001"
    assert first["Azimuth from grid north (°)"] == 75.123456
    assert first["Focal length (mm)"] == 12.0
    assert first["Easting (m)"] == sample.X0 + 100.25
    assert first["Latitude (WGS 84)"] == pytest.approx(31.268, abs=0.01)
    assert first["Longitude (WGS 84)"] == pytest.approx(34.051, abs=0.01)


def test_claims(book) -> None:
    sheet = book["Claims"]
    head = [cell.value for cell in sheet[1]]
    first = dict(zip(head, (cell.value for cell in sheet[2]), strict=True))
    assert (first["Verdict"], first["Share"], first["Asked"]) == ("fails", 0.98, 1.0)
    assert first["Of"] == "cells"
    assert first["Failing chainages (m)"] == "0–100, 400–520"
    assert sheet.max_row == 4


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("x")', "+cmd", "a\x07b", "@SUM(1)"])
def test_no_text_becomes_a_formula(tmp_path, name) -> None:
    mounts = PLAN.mounts.assign(name=name)
    plan = dataclasses.replace(PLAN, mounts=mounts, notes=(name,), name=name)
    site = dataclasses.replace(SITE, name=name)
    write_quantities(plan, tmp_path / "q.xlsx", site=site, proof=PROOF)
    book = openpyxl.load_workbook(tmp_path / "q.xlsx")
    cells = [book["Mounts"]["B2"], book["Summary"]["B1"]]
    cells.append(book["Summary"].cell(book["Summary"].max_row, 2))
    for cell in cells:
        assert cell.data_type == "s"
        assert cell.value == name.replace("\x07", "�")


def test_without_bound_and_proof(tmp_path) -> None:
    plan = dataclasses.replace(PLAN, lower_bound=None, status="edited")
    write_quantities(plan, tmp_path / "q.xlsx", site=SITE)
    book = openpyxl.load_workbook(tmp_path / "q.xlsx")
    assert book.sheetnames[-1] == "Aiming"
    assert "Gap" not in rows_of(book, "Summary")


def test_unknown_figures_stay_empty(tmp_path) -> None:
    mounts = PLAN.mounts.assign(ground_z=float("nan"), s=float("inf"))
    plan = dataclasses.replace(PLAN, mounts=mounts)
    write_quantities(plan, tmp_path / "q.xlsx", site=SITE)
    sheet = openpyxl.load_workbook(tmp_path / "q.xlsx")["Mounts"]
    assert sheet["F2"].value is None
    assert sheet["L2"].value is None


def test_equal_plans_make_equal_bytes(tmp_path) -> None:
    files = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for file in files:
        write_quantities(PLAN, file, site=SITE, proof=PROOF)
    assert files[0].read_bytes() == files[1].read_bytes()
    with zipfile.ZipFile(files[0]) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {2000}
        assert b"2000-01-01T00:00:00Z</dcterms:modified>" in archive.read("docProps/core.xml")
