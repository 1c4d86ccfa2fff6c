"""The PDF: it compiles, has its pages, and is the same for the same input."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from itertools import pairwise

import pytest
from test_report_page import HOSTILE, hostile_run

from watchline.errors import ArtefactError, UsageError
from watchline.io.report import compile_pdf, write_report
from watchline.report import build_report, pdf
from watchline.report.features import gather
from watchline.report.sheets import cut_sheets


@pytest.fixture(scope="module")
def compiled(report):
    return compile_pdf(report)


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", inflated(content)))


def inflated(content: bytes) -> bytes:
    """The file with its compressed streams opened."""
    parts = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(parts)


def test_pdf_has_all_its_pages(run, compiled):
    assert compiled.startswith(b"%PDF-")
    # Head and overview, strip chart, sheets (four a page), claims, aiming table of 158 devices,
    # bill and limits.
    assert 8 <= pages(compiled) <= 14


def test_pdf_is_the_same_for_the_same_report(report, compiled):
    assert compile_pdf(report) == compiled


def test_source_names_every_claim_mount_device_and_picture(run, report):
    for claim in run.proof.claims:
        assert claim.requirement in report.typst
    for key in (*run.plan.mounts["mount_id"], *run.plan.devices["device_id"]):
        assert key in report.typst
    named = set(re.findall(r'image\("([^"]+)"', report.typst))
    assert named == set(report.pictures)
    assert len([name for name in named if name.startswith("sheet-")]) == 8


def test_sheets_cover_the_zone_without_a_gap(run):
    sheets = cut_sheets(gather(run.plan, run.proof, run.site))
    assert sheets[0].start_m == run.site.zone.start_m
    assert sheets[-1].end_m == run.site.zone.end_m
    assert all(a.end_m == b.start_m for a, b in pairwise(sheets))
    assert all(1000 <= sheet.end_m - sheet.start_m <= 2000 for sheet in sheets)


@pytest.mark.parametrize(
    "text", [HOSTILE, '"#panic()', "\\", 'a\\"b', "#eval", "$x$ *b* _i_", "a\nb"]
)
def test_no_text_is_read_as_markup(report, text):
    assert pdf.typst_string(text).count("\n") == 0
    source = f"#let it = {pdf.typst_string(text)}\n#assert.eq(it.len(), {len(text.encode())})"
    assert compile_pdf(replace(report, typst=source, pictures={})).startswith(b"%PDF-")


def test_hostile_texts_compile(run):
    assert compile_pdf(build_report(*hostile_run(run))).startswith(b"%PDF-")


def test_bare_report_compiles(run):
    assert compile_pdf(build_report(run.plan, run.proof)).startswith(b"%PDF-")


def test_written_files(report, compiled, tmp_path):
    write_report(report, tmp_path / "out" / "report.html")
    write_report(report, tmp_path / "out" / "report.PDF")
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == report.html
    assert (tmp_path / "out" / "report.PDF").read_bytes() == compiled
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_other_endings_are_refused(report, tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.html or \.pdf"):
        write_report(report, tmp_path / "report.docx")
    assert not list(tmp_path.iterdir())


def test_a_source_that_typst_refuses_is_a_clear_error(report):
    with pytest.raises(ArtefactError, match="Typst cannot set the report"):
        compile_pdf(replace(report, typst="#panic()"))
