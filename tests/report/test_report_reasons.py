"""Why it costs this: the section of the report, its tables and its curve; why.json."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from test_report_page import HOSTILE, Page

from watchline.errors import ArtefactError
from watchline.io.report import compile_pdf
from watchline.io.why import read_why, write_why
from watchline.model.provenance import Provenance
from watchline.model.why import Change, CurvePoint, Why
from watchline.report import build_report
from watchline.report.reasons import cost_curve, gather_reasons


def made(**change) -> Why:
    values = {
        "plan_sha256": "ab" * 32,
        "currency": "EUR",
        "plan_cost": 1_000_000.0,
        "base_cost": 990_000.0,
        "base_bound": 700_000.0,
        "work": 1000.0,
        "requirements": (
            Change("drop", "zone", "without 'zone'", 600_000.0, 500_000.0, 390_000.0, 250_000.0),
            Change("drop", "strip", "without 'strip'", 900_000.0, 650_000.0, 90_000.0, 410_000.0),
        ),
        "relaxations": tuple(
            Change(
                kind, "zone", f"relaxation {k}", 980_000.0 - k, 690_000.0, 10_000.0 + k,
                note="Only so far." if kind == "quality" else "",
            )
            for k, kind in enumerate(("quality", "views", "share", "stretch"))
        ),
        "reserve": Change(
            "reserve", "", "every requirement survives the loss of any one mount", 1_500_000.0,
            1_100_000.0, -510_000.0,
        ),
        "curve": tuple(
            CurvePoint(by, 1 - by, 1 - 0.8 * by, 990_000.0 * (1 - by) ** 3, 700_000.0 * (1 - by))
            for by in (0.0, 0.01, 0.05, 0.2)
        ),
        "dearest": ((1200.0, 1300.0, 41_000.0), (300.0, 400.0, 39_000.0)),
        "notes": ("Not proven.",),
        "provenance": Provenance({"plan": "12" * 32}, 3, "0.1.0"),
    }  # fmt: skip
    return Why(**(values | change))


def test_why_round_trips_with_the_gap_of_each_change(tmp_path):
    why = made()
    write_why(why, tmp_path / "why.json")
    assert read_why(tmp_path / "why.json") == why
    data = json.loads((tmp_path / "why.json").read_text())
    assert data["reserve"]["gap"] == pytest.approx(400_000 / 1_500_000)
    alone = made(reserve=None, requirements=())
    write_why(alone, tmp_path / "alone.json")
    assert read_why(tmp_path / "alone.json") == alone
    impossible = made(reserve=replace(why.reserve, cost=None, saved=0.0, note="No plan can."))
    write_why(impossible, tmp_path / "impossible.json")
    assert read_why(tmp_path / "impossible.json").reserve.gap is None
    (tmp_path / "why.json").write_text("{}")
    with pytest.raises(ArtefactError, match="damaged"):
        read_why(tmp_path / "why.json")


def test_the_section_names_the_three_cheapest_and_every_requirement(run):
    why = made()
    report = build_report(run.plan, run.proof, run.site, run.terrain, why=why)
    page = Page(report.html)
    text = " ".join(" ".join(page.words).split())
    for k in range(3):
        assert f"Relaxation {k}" in text
    assert "Relaxation 3" not in text
    for words in (
        "Without 'zone'",
        "Without 'strip'",
        "390 000",
        "Only so far.",
        "Not proven.",
    ):
        assert words in text
    assert "every requirement survives the loss of any one mount would cost 1 500 000" in text
    assert "why" in page.ids()
    assert len(page.ids()) == len(set(page.ids()))
    # Without findings there is no such section, and no link to it.
    plain = build_report(run.plan, run.proof, run.site, run.terrain)
    assert 'id="why"' not in plain.html
    assert "curve.svg" not in plain.pictures


def test_the_pdf_has_it_too_and_hostile_words_stay_words(run):
    change = replace(made().relaxations[0], what=HOSTILE)
    why = made(relaxations=(change, *made().relaxations[1:]), notes=(HOSTILE,))
    report = build_report(run.plan, run.proof, run.site, run.terrain, why=why)
    assert "<script>alert" not in report.html
    assert "curve.svg" in report.typst
    assert compile_pdf(report).startswith(b"%PDF-")


def test_no_plan_for_a_reserve_is_said():
    lost = Change("reserve", "", "everything survives", None, 0.0, 0.0, note="No plan can.")
    lead = gather_reasons(made(reserve=lost)).lead
    assert any("If everything survives: No plan can." in words for words in lead)


def points_of(path: str) -> np.ndarray:
    """Corners of a path that :func:`watchline.report.svg.path_of_points` wrote."""
    numbers = np.array([float(n) for n in re.findall(r"-?[\d.]+", path)]).reshape(-1, 2)
    return np.cumsum(numbers, axis=0)


def test_the_curve_is_a_staircase_through_its_points_above_the_bound():
    why = made()
    picture = cost_curve(why)
    cost, bound = (
        points_of(re.search(rf'd="([^"]+)" class="curve-{name}"', picture)[1])
        for name in ("cost", "bound")
    )
    for stairs in (cost, bound):
        steps = np.diff(stairs, axis=0)
        assert (np.abs(steps).min(axis=1) < 1e-6).all()  # along the axes only
        assert (steps[:, 0] >= -1e-6).all()
        assert (steps[:, 1] <= 1e-6).all()  # upwards on the picture: more cover, more cost
    dots = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture)
    assert len(dots) == len(why.curve)
    for dot in dots:
        place = np.array([float(v) for v in dot])
        assert np.abs(cost - place).max(axis=1).min() < 0.11
    assert cost_curve(made(curve=why.curve[:1])) == ""
