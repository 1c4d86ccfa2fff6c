"""The page: self-contained, complete, safe, and the same for the same input."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest

from watchline.model.report import Report
from watchline.model.site import Area
from watchline.report import build_report, words
from watchline.report.html_page import script_json

HOSTILE = """<script>alert("x")</script>&'"]]>--></svg>"""
VOID = {"meta", "link", "br", "img", "input", "hr"}
MOST_BYTES = 3_000_000


class Page(HTMLParser):
    """Collects elements and text, and sees that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(report.html)


def test_page_asks_nothing_of_the_network(report, page):
    for tag, attrs in page.elements:
        for name in ("src", "href", "data", "action", "xlink:href", "srcset", "poster"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, name, value)
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|WebSocket", report.html)
    assert "http" not in report.html


def test_page_is_light(report):
    assert len(report.html.encode()) < MOST_BYTES


def test_elements_are_closed_and_ids_are_unique(page):
    assert page.open == []
    ids = page.ids()
    assert len(ids) == len(set(ids))
    aimed = [a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")]
    aimed += [k for _, a in page.elements for k in (a.get("aria-labelledby") or "").split()]
    used = re.findall(r"url\(#([\w-]+)\)", " ".join(str(a) for _, a in page.elements))
    assert set(aimed) | set(used) <= set(ids)


def test_every_picture_is_well_formed_svg(report):
    inline = re.findall(r"<svg.*?</svg>", report.html, re.DOTALL)
    assert len(inline) > 10
    for picture in (*inline, *report.pictures.values()):
        ElementTree.fromstring(picture)


def test_every_claim_mount_and_device_appears(run, page):
    text = " ".join(page.words)
    for claim in run.proof.claims:
        assert claim.requirement in text
        assert claim.detail in text
    ids = set(page.ids())
    assert {f"mount-{key}" for key in run.plan.mounts["mount_id"]} <= ids
    for key in (
        *run.plan.mounts["name"],
        *run.plan.mounts["mount_id"],
        *run.plan.devices["device_id"],
    ):
        assert re.search(rf"\b{key}\b", text)


def test_head_says_verdict_cost_bound_gap_and_counts(run, page):
    text = " ".join(page.words)
    assert words.verdict_line(run.proof) in text
    for figure in (
        words.money(run.plan.cost, "EUR"),
        words.money(run.plan.lower_bound, "EUR"),
        words.gap_percent(run.plan.gap),
    ):
        assert figure in text
    assert "55\u00a0masts, 5\u00a0towers" in text


def test_verdicts_are_told_by_word_and_shape_not_by_colour_alone(run, report):
    badges = re.findall(
        r'<span class="badge (\w+)"><svg[^>]*>(.*?)</svg>(\w+)</span>', report.html, re.DOTALL
    )
    assert len(badges) == len(run.proof.claims) + 1
    shapes = {}
    for class_, shape, word in badges:
        assert class_ == word
        shapes.setdefault(word, set()).add(re.search(r' d="([^"]+)"', shape)[1])
    assert all(len(found) == 1 for found in shapes.values())
    assert len(set.union(*shapes.values())) == 3


def test_every_directed_device_has_its_stroke_on_the_map(run, report):
    drawn = report.html[report.html.index('id="map-picture"') : report.html.index('id="strip"')]
    for kind, count in run.plan.devices["kind"].value_counts().items():
        strokes = len(re.findall(rf'class="aim {kind}"', drawn))
        assert strokes == (0 if kind == "observer" else count)
        assert len(re.findall(rf'class="field {kind}"', drawn)) == count + 1  # and the legend's


def test_one_huge_price_does_not_flatten_the_others(run, report):
    along = run.plan.cost_along.copy()
    along.loc[50, "price"] = 1e7
    made = build_report(replace(run.plan, cost_along=along), run.proof, run.site, run.terrain)
    assert "up to 10\u202f000\u202f000\u00a0EUR (cut)" in made.html
    assert "(cut)" not in report.html


def test_credits_stand_beside_the_map(report):
    frame = report.html[report.html.index('class="map-frame"') :]
    frame = frame[: frame.index("</section>")]
    assert "© OpenStreetMap contributors, ODbL" in frame


def test_input_hashes_are_listed(page):
    text = " ".join(page.words)
    for digest in ("a" * 64, "b" * 64, "c" * 64, "d" * 64, "e" * 64):
        assert digest in text


def test_tables_have_captions_and_heads(report):
    tables = re.findall(r"<table.*?</table>", report.html, re.DOTALL)
    assert len(tables) == 5
    for table in tables:
        assert "<caption" in table and 'scope="col"' in table


def test_data_for_the_script_is_json_and_matches_the_line(run, report):
    text = re.search(r'id="data">(.*?)</script>', report.html, re.DOTALL)[1]
    data = json.loads(text)
    assert data["line"]["s"][-1] == pytest.approx(run.site.line.length, abs=0.01)
    assert len(data["bins"]["views"]) == len(data["bins"]["heights"]) == 2
    failing = int((7382 - data["bins"]["start"]) / data["bins"]["step"])
    assert data["bins"]["views"][0][failing] == 0


def test_json_cannot_end_its_script_element():
    text = script_json({"name": HOSTILE})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": HOSTILE}


def test_failing_stretch_and_witness_are_on_the_map(report):
    assert re.search(r"<title>fence strip twice fails: s.=.7.340", report.html)
    assert "fence strip twice fails here: a crest hides it from M36" in report.html
    assert "crossing point unknown here: no terrain data on the way" in report.html


def test_page_follows_the_reader_into_the_dark_and_onto_paper(report):
    assert "prefers-color-scheme: dark" in report.html
    assert "@media print" in report.html
    assert "prefers-reduced-motion" in report.html
    assert "var(--" not in "".join(report.pictures.values())


def test_equal_input_gives_an_equal_report(run, report):
    again = build_report(run.plan, run.proof, run.site, run.terrain)
    assert again == report


def test_a_changed_plan_changes_the_report(run, report):
    dearer = replace(run.plan, cost=run.plan.cost + 1000)
    assert build_report(dearer, run.proof, run.site, run.terrain).html != report.html


def hostile_run(run):
    """The run with a hostile text in every place where a user may write one."""
    mounts = run.plan.mounts.copy()
    mounts.loc[0, "name"] = HOSTILE
    mounts.loc[1, "structure"] = HOSTILE
    devices = run.plan.devices.copy()
    devices.loc[0, "model"] = HOSTILE
    plan = replace(run.plan, mounts=mounts, devices=devices, notes=(HOSTILE,), name=HOSTILE)
    first, *rest = run.proof.claims
    bad = replace(
        first,
        requirement=HOSTILE,
        where=HOSTILE,
        verdict="fails",
        witness=replace(first.witness, why=HOSTILE),
        failing_chainages=((1000.0, 1200.0),),
        detail=HOSTILE,
        method=HOSTILE,
    )
    chainage = run.proof.chainage.replace({"requirement": {first.requirement: HOSTILE}})
    proof = replace(run.proof, claims=(bad, *rest), chainage=chainage)
    site = replace(
        run.site,
        name=HOSTILE,
        line_credit=HOSTILE,
        notes=HOSTILE,
        areas=(Area(HOSTILE, run.site.areas[0].polygon),),
    )
    terrain = replace(run.terrain, notes=(HOSTILE,))
    return plan, proof, site, terrain


def test_hostile_texts_stay_texts(run, report):
    made = build_report(*hostile_run(run))
    page = Page(made.html)
    assert page.open == []
    scripts = [tag for tag, _ in page.elements if tag == "script"]
    assert len(scripts) == len([tag for tag, _ in Page(report.html).elements if tag == "script"])
    assert "<script>alert" not in made.html
    assert HOSTILE in "".join(page.words)
    for picture in made.pictures.values():
        ElementTree.fromstring(picture)


@pytest.mark.parametrize("missing", ["site", "terrain", "both"])
def test_report_comes_with_what_there_is(run, missing):
    site = None if missing in ("site", "both") else run.site
    terrain = None if missing in ("terrain", "both") else run.terrain
    made = build_report(run.plan, run.proof, site, terrain)
    page = Page(made.html)
    assert page.open == []
    assert words.verdict_line(run.proof) in " ".join(page.words)
    assert "data:image/png" in made.html
    bare = re.sub(r"data:image/png;base64,[\w+/=]+", "", made.html.split("<script")[0])
    assert "nan" not in bare.lower()
    assert ('class="relief"' in made.html) == (terrain is not None)


def test_report_of_an_empty_plan(run):
    plan = replace(
        run.plan,
        mounts=run.plan.mounts.iloc[:0],
        devices=run.plan.devices.iloc[:0],
        cost=0.0,
        lower_bound=None,
        status="edited",
        cost_along=None,
        log=(),
    )
    text = " ".join(Page(build_report(plan, run.proof, run.site, run.terrain).html).words)
    assert "edited by hand: no bound is known" in text
    proof = replace(run.proof, cells=run.proof.cells.iloc[:0], chainage=run.proof.chainage.iloc[:0])
    assert Page(build_report(plan, proof).html).open == []


def test_bars_of_entries_are_not_called_cells(run):
    """A claim on interruption is judged on entries, and the legend and the table say so."""
    name = "interrupted: runner"
    crossing = replace(run.proof.claims[0], requirement=name, kind="interruption", unit="P_I")
    along = run.proof.chainage.assign(requirement=name).head(5)
    alone = replace(run.proof, claims=(crossing,), chainage=along)
    both = replace(
        run.proof,
        claims=(*run.proof.claims, crossing),
        chainage=pd.concat([run.proof.chainage, along]),
    )
    for proof, what in ((alone, "entries"), (both, "cells or entries"), (run.proof, "cells")):
        made = build_report(run.plan, proof, run.site, run.terrain)
        said = " ".join(Page(made.html).words)
        assert f"share of good {what}" in said.replace(" per 100 m", "")
        assert f"{what} fail" in said
        assert f"{what} fail" in made.pictures["strip-legend.svg"]
        assert (" entries" in said) == (proof is not run.proof)
