"""A planner's hour with the Rafah line, in a real browser on the real server.

With ``WATCHLINE_STUDIO_PICTURES=docs/images`` the pictures that it takes become those of the
documentation; with ``WATCHLINE_STUDIO_RUN=FOLDER`` it works on a copy of a project that has a whole
run, so that the pictures show one.
"""

from __future__ import annotations

import math
import os
import re
import shutil
from pathlib import Path

import pytest

from studio.studio_browser import (
    CHROMIUM,
    LAPTOP,
    PAGE,
    Recorded,
    browser,
    figures,
    metres,
    mount_of,
    served,
    take_pictures,
)
from studio_project import make_rafah_project
from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Silent
from watchline.chain.prove import prove_whole
from watchline.io.plan import read_plan
from watchline.io.project import read_site

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.skipif(not PAGE.is_file(), reason="the studio's page is not built (needs Node)"),
]
LADDER = ("interrupted: on foot, with a ladder", "all states", "interruption")
OVERVIEW = ("zone in overview", "day", "coverage")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rafah") / "rafah"
    if whole := os.environ.get("WATCHLINE_STUDIO_RUN"):
        return Path(shutil.copytree(whole, folder, ignore=shutil.ignore_patterns("plans")))
    return make_rafah_project(folder)


@pytest.fixture(scope="module")
def view(folder):
    with served(folder) as address, browser() as chromium:
        recorded = Recorded(chromium.new_page(viewport=LAPTOP), address)
        recorded.open()
        yield recorded


def judged(view):
    """The page as soon as it waits for no claim."""
    return view.until(lambda s: s["quiet"] and s["judged"], 120.0)


def test_opens_the_line_with_all_its_claims(view):
    state = judged(view)
    assert state["plan"] == "computed" and len(state["mounts"]) == 58
    assert {"hillshade", "line", "road", "zone-line", "cones-fill"} <= set(state["map"]["layers"])
    assert view.page.locator("nav li").count() == 7
    found = figures(state)
    assert len(found) == 11 and 0.0 < found[LADDER] < 0.9 < found[OVERVIEW] <= 1.0
    assert "unknown" not in {c["verdict"] for c in state["claims"]}
    shown = view.page.locator(".score").inner_text()
    assert "7 of 7 claims hold" in shown and "judged" not in shown


def test_night_is_another_map(view):
    page = view.page
    page.get_by_role("radio", name="night without lamps").check(force=True)
    view.until(lambda s: s["condition"] == "night without lamps" and "night" in s["map"]["views"])
    label = page.locator("section[aria-label='Along the line'] svg .label").first
    view.until(lambda _: "by night" in (label.text_content() or ""))
    page.get_by_role("radio", name="day", exact=True).check(force=True)
    view.until(lambda _: "zone in overview" in (label.text_content() or ""))


def test_pictures_of_five_screens(view, tmp_path):
    judged(view)
    pictures = take_pictures(view, tmp_path)
    assert len(pictures) == 5
    for file in pictures:
        assert file.stat().st_size > 40_000, file.name
        if wanted := os.environ.get("WATCHLINE_STUDIO_PICTURES"):
            shutil.copy(file, wanted)


def test_a_drag_changes_claims_as_prove_says_and_undo_takes_it_back(view, folder):
    page, before = view.page, view.state()
    page.click("nav >> text=Plan")
    page.locator("#sought").fill("M0")
    page.locator("#panel .list-button .soft", has_text="mast").nth(3).click()
    page.wait_for_timeout(900)
    mount = view.state()["selection"]["id"]
    here = view.until(lambda s: s["map"]["loaded"])
    lat = math.radians(mount_of(here, mount)["lat"])
    per_pixel = 40_075_017 * math.cos(lat) / 512 / 2 ** here["map"]["zoom"]
    view.drag("button.mast.selected", 60, -45)
    after = view.until(lambda s: s["quiet"] and s["plan"] == "edit")
    moved = metres(mount_of(before, mount), mount_of(after, mount))
    assert moved == pytest.approx(75 * per_pixel, abs=2 * per_pixel)
    assert figures(after)[OVERVIEW] < figures(before)[OVERVIEW]
    # Claims that take longer have no figure until it is this plan's.
    waiting = [c for c in after["claims"] if c["waits"]]
    assert {c["kind"] for c in waiting} == {"interruption"}
    page.locator(".score", has_text="2 being judged").wait_for(timeout=5000)
    page.click("nav >> text=Proof")
    ladder = page.locator("#panel li", has_text="with a ladder")
    assert "No figure yet" in ladder.inner_text() and "P_I" not in ladder.inner_text()
    page.keyboard.press("Control+s")
    page.get_by_text("Saved as plans/edit.gpkg").wait_for()
    # Beside the studio's own process: the whole proof of the saved plan.
    site = read_site(folder)
    plan = read_plan(folder / "plans" / "edit.gpkg", site=site)
    terrain = terrain_of(site, open_run(site, Silent()))
    _, proof, _ = prove_whole(site, terrain, plan, Silent())
    after = judged(view)
    assert "P_I" in ladder.inner_text()
    assert figures(after) == {(c.requirement, c.condition, c.kind): c.value for c in proof.claims}
    verdicts = {c["requirement"]: c["verdict"] for c in after["claims"]}
    assert verdicts == {c.requirement: c.verdict for c in proof.claims}

    page.keyboard.press("Control+z")
    undone = view.until(lambda s: s["quiet"] and s["revision"] != after["revision"])
    assert figures(undone) == figures(before) and undone["judged"]
    assert metres(mount_of(before, mount), mount_of(undone, mount)) < 0.01
    page.get_by_role("button", name="Redo").click()
    again = view.until(lambda s: s["quiet"] and s["revision"] != undone["revision"])
    assert figures(again) == figures(after)


def test_explains_a_cell_that_fails(view):
    page = view.page
    page.click("nav >> text=Proof")
    page.locator("#panel li", has_text="zone in overview").first.locator(".place.main").click()
    cell = view.until(lambda s: s["cell"])["cell"]
    assert cell["verdict"] == "fails"
    reasons = {one["reason"] for one in cell["views"]}
    assert reasons & {"hidden", "too_far", "outside", "too_coarse"}
    assert page.locator(".profile svg path.ground").get_attribute("d")


def test_exports_and_imports_without_loss(view, tmp_path):
    page, before = view.page, view.state()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="GeoPackage").click()
    file = tmp_path / "from-qgis.gpkg"
    coming.value.save_as(file)
    page.set_input_files("#import-file", file)
    view.until(lambda s: s["plan"] == "from-qgis" and s["quiet"])
    after = judged(view)
    assert figures(after) == figures(before)
    assert after["cost"] == pytest.approx(before["cost"])


def test_runs_and_cancels_the_chain(view):
    page = view.page
    page.click("nav >> text=Plan")
    page.get_by_role("button", name="Run from here").click()
    page.get_by_role("button", name="Cancel, keep the best plan").click(timeout=20_000)
    page.locator("#panel .chip", has_text=re.compile("stopped|failed|done")).first.wait_for(
        timeout=60_000
    )
    assert page.locator("#panel .chip", has_text="stopped").count()
    state = view.quiet()
    assert state["plan"] == "from-qgis"


def test_loads_again_without_loss(view):
    page = view.page
    page.select_option("#plan-choice", "edit")
    view.until(lambda s: s["plan"] == "edit" and s["quiet"])
    page.get_by_role("radio", name="night fog").check(force=True)
    view.until(lambda s: "night" in page.url)
    before = judged(view)
    page.reload()
    after = view.until(lambda s: s["settled"] and s["map"] and s["map"]["loaded"])
    for key in ("plan", "revision", "cost", "claims", "mounts", "condition", "selection", "step"):
        assert after[key] == before[key], key


def test_asked_nobody_else_and_complained_of_nothing(view):
    assert view.outside == []
    assert view.errors == []
