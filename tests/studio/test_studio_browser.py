"""The studio as a planner uses it, in a real browser on the real server."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import subprocess
import sys
import urllib.request

import pytest

from small_project import PROJECT, make_project
from studio.studio_browser import (
    AXE,
    CHROMIUM,
    LAPTOP,
    PAGE,
    Recorded,
    browser,
    field,
    figures,
    metres,
    mount_of,
    served,
)

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.skipif(not PAGE.is_file(), reason="the studio's page is not built (needs Node)"),
]
TEXT = PROJECT.replace('"fixed-8mp-12mm"]', '"fixed-8mp-12mm", "thermal-640-13mm"]').replace(
    "[design]\n",
    """[[requirements]]
name = "fence strip at night"
where = "fence_strip"
quality = "johnson:detect"
share = "90 %"
conditions = ["night"]

[design]
""",
)
NEAR = 0.35
"""Metres by which a dragged mast may miss the pointer: half a pixel at this zoom."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp("studio"), TEXT)
    command = [sys.executable, "-m", "watchline", "plan", str(folder), "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def address(project):
    with served(project[0]) as found:
        yield found


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def view(address, chromium):
    """One page for all tests: what a planner does in an hour, one thing after the other."""
    page = chromium.new_page(viewport=LAPTOP)
    recorded = Recorded(page, address)
    recorded.open()
    yield recorded
    page.close()


def test_opens_with_the_plan_that_was_computed(view, project):
    state, plan = view.state(), project[1]
    assert state["plan"] == "computed"
    assert state["cost"] == pytest.approx(plan["cost"])
    said = {(c["requirement"], c["condition"]): c["value"] for c in plan["claims"]}
    assert {(c["requirement"], c["condition"]): c["value"] for c in state["claims"]} == said
    assert {"hillshade", "line", "road", "zone-line", "cones-fill"} <= set(state["map"]["layers"])
    assert view.page.locator("button.mast").count() == len(state["mounts"]) > 0
    assert view.page.locator("nav li").count() == 7


def test_condition_changes_map_and_chart(view):
    page = view.page
    page.get_by_role("radio", name="night").check(force=True)
    state = view.until(lambda s: s["condition"] == "night" and "/night/" in s["map"]["views"])
    page.locator("section[aria-label='Along the line'] svg text.label").first.wait_for()
    view.until(
        lambda _: "fence strip at night" in (page.locator("svg .label").first.text_content() or "")
    )
    assert state["condition"] == "night"
    page.get_by_role("radio", name="day").check(force=True)
    view.until(
        lambda _: "zone in overview" in (page.locator("svg .label").first.text_content() or "")
    )


def test_layers_switch_on_the_map(view):
    view.page.get_by_role("checkbox", name="Zone", exact=True).uncheck()
    assert "zone-line" not in view.state()["map"]["layers"]
    view.page.get_by_role("checkbox", name="Zone", exact=True).check()
    assert "zone-line" in view.state()["map"]["layers"]


def test_chart_and_map_point_at_the_same_place(view):
    page = view.page
    box = page.locator("svg rect.lane").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    page.locator(".map-cursor b", has_text=re.compile(r"0\+1[23]\d")).wait_for()
    mast = page.locator("button.mast").first.bounding_box()
    page.mouse.move(mast["x"] + 13, mast["y"] + 40)
    page.locator("svg line.cursor").wait_for(state="attached")


def test_dragging_a_mast_changes_a_claim_and_undo_takes_it_back(view):
    page, before = view.page, view.state()
    mount = before["mounts"][0]["mount_id"]
    page.click(f"button.mast[data-mount='{mount}']")
    per_pixel = 40_075_017 * math.cos(math.radians(46.45)) / 512 / 2 ** before["map"]["zoom"]
    view.drag(f"button.mast[data-mount='{mount}']", 60, -45)
    after = view.until(lambda s: s["quiet"] and s["plan"] != "computed")
    moved = metres(mount_of(before, mount), mount_of(after, mount))
    assert moved == pytest.approx(75 * per_pixel, abs=per_pixel)
    assert figures(after) != figures(before)
    name = ("zone in overview", "day", "coverage")
    name = next(k for k in figures(after) if k[0] == name[0])
    shown = f"{math.floor(figures(after)[name] * 1e4 + 1e-7) / 100:.2f} %"
    page.locator("svg text.share", has_text=shown).first.wait_for(timeout=5000)

    page.keyboard.press("Control+z")
    undone = view.quiet()
    assert figures(undone) == figures(before)
    assert metres(mount_of(before, mount), mount_of(undone, mount)) < 0.01
    page.get_by_role("button", name="Redo").click()
    assert figures(view.quiet()) == figures(after)
    page.get_by_role("button", name="Undo").click()
    view.quiet()


def test_keyboard_moves_a_mast_and_turns_a_camera(view):
    page, before = view.page, view.state()
    mount = before["mounts"][0]["mount_id"]
    page.focus(f"button.mast[data-mount='{mount}']")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    after = view.until(lambda s: s["quiet"] and s["revision"] != before["revision"])
    assert metres(mount_of(before, mount), mount_of(after, mount)) == pytest.approx(30, abs=0.5)
    page.keyboard.press("Control+z")
    view.quiet()

    page.locator("#panel .list-button").first.click()
    azimuth = field(view, "Azimuth")
    was = float(azimuth.input_value())
    page.focus("button.aim")
    page.keyboard.press("Shift+ArrowRight")
    view.until(lambda _: abs((float(azimuth.input_value()) - was) % 360 - 10) < 0.11)
    height = field(view, "Height")
    height.fill("3.5")
    height.press("Enter")
    view.until(lambda s: s["quiet"] and "3.5" in height.input_value())
    assert view.state()["seen_m2"] is not None
    height.fill("400")
    assert page.locator("#panel small", has_text="at most").is_visible()
    height.press("Escape")


def test_adds_and_removes(view):
    page, before = view.page, view.state()
    page.click("nav >> text=Plan")
    page.select_option("#new-structure", "mast-6")
    page.get_by_role("button", name="Place").click()
    page.get_by_role("button", name="In the middle").click()
    added = view.until(lambda s: s["quiet"] and len(s["mounts"]) == len(before["mounts"]) + 1)
    assert added["selection"]["kind"] == "mount"
    page.select_option("#new-device", "fixed-4mp-8mm")
    page.get_by_role("button", name="Add").click()
    hung = view.until(
        lambda s: s["quiet"] and s["selection"]["kind"] == "device" and s["cost"] != added["cost"]
    )
    assert hung["cost"] > added["cost"] > before["cost"]
    page.locator(".crumbs button").nth(1).click()
    page.get_by_role("button", name="Remove with its devices").click()
    gone = view.until(lambda s: s["quiet"] and len(s["mounts"]) == len(before["mounts"]))
    assert gone["cost"] == pytest.approx(before["cost"])


def test_explains_a_cell(view):
    page = view.page
    page.click("nav >> text=Proof")
    page.locator("#panel .place.main").first.click()
    cell = view.until(lambda s: s["cell"])["cell"]
    assert cell["verdict"] == "fails"
    assert cell["views"] and all(not one["sees"] or one["px_per_m"] > 0 for one in cell["views"])
    assert page.locator(".profile svg path.ground").get_attribute("d")
    first = cell["profile"]["device_id"]
    other = next(v["device_id"] for v in cell["views"] if v["device_id"] != first)
    page.locator("#panel .list-button", has_text=other).first.click()
    view.until(lambda s: s["cell"]["profile"]["device_id"] == other)


def test_exports_and_imports(view, tmp_path):
    page, before = view.page, view.state()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="GeoPackage").click()
    file = tmp_path / "from-qgis.gpkg"
    coming.value.save_as(file)
    with sqlite3.connect(file) as base:
        assert base.execute("select count(*) from mounts").fetchone()[0] == len(before["mounts"])
    page.set_input_files("#import-file", file)
    after = view.until(lambda s: s["plan"] == "from-qgis" and s["quiet"])
    assert figures(after) == figures(before)
    page.select_option("#plan-choice", "computed")
    view.until(lambda s: s["plan"] == "computed")


def test_compares_two_plans(view):
    page = view.page
    page.click("nav >> text=Plan")
    page.get_by_role("button", name="Compare from-qgis").click()
    page.locator("dialog table").first.wait_for()
    assert "turned" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")


def test_runs_and_cancels_the_chain(view):
    page, before = view.page, view.state()
    page.click("nav >> text=Visibility")
    page.get_by_role("button", name="Run from here").click()
    page.get_by_role("button", name="Cancel, keep the best plan").click(timeout=20_000)
    page.locator("#panel .chip", has_text=re.compile("stopped|done|failed")).first.wait_for(
        timeout=40_000
    )
    assert page.get_by_role("button", name="from here").is_visible()
    assert view.quiet()["cost"] == pytest.approx(before["cost"])


def test_loads_again_without_loss(view):
    page = view.page
    page.select_option("#plan-choice", "from-qgis")
    before = view.until(lambda s: s["plan"] == "from-qgis" and s["quiet"])
    page.click(f"button.mast[data-mount='{before['mounts'][0]['mount_id']}']")
    page.get_by_role("radio", name="night").check(force=True)
    view.until(lambda s: s["selection"] and "condition=night" in page.url)
    before = view.state()
    page.reload()
    after = view.until(lambda s: s["settled"] and s["map"] and s["map"]["loaded"])
    for key in ("plan", "revision", "cost", "claims", "mounts", "condition", "selection", "step"):
        assert after[key] == before[key], key
    assert after["map"]["zoom"] == pytest.approx(before["map"]["zoom"], abs=0.02)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (needs Node)")
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(view, colours):
    page = view.page
    page.emulate_media(color_scheme=colours)
    for step in ("Site", "Plan", "Proof"):
        page.click(f"nav >> text={step}")
        assert view.serious() == [], step
    page.locator("#panel .place.main").first.click()
    view.until(lambda s: s["cell"])
    assert view.serious() == []
    page.click("button.mast")
    page.locator("#panel .list-button").first.click()
    view.until(lambda s: s["selection"]["kind"] == "device")
    assert view.serious() == []
    page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("size", [(1366, 768), (1024, 768), (768, 1024)])
def test_nothing_sticks_out(view, size):
    page = view.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(200)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('header *, nav *, #panel *, .score')]
          .filter((one) => one.checkVisibility() && !one.closest('.hidden-text, .words, dialog'))
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.className || one.tagName)"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.locator(".map-box").bounding_box()["height"] > 200
    page.set_viewport_size(LAPTOP)


def test_asked_nobody_else_and_complained_of_nothing(view):
    assert view.outside == []
    assert view.errors == []


def test_two_people_and_a_server_that_is_away(view, address, chromium):
    """The second window learns of the first one's edit; no edit is lost where none answers."""
    page = chromium.new_page(viewport=LAPTOP)
    other = Recorded(page, address)
    state = other.open("#plan=from-qgis")
    mount = state["mounts"][0]
    with urllib.request.urlopen(f"{address}/api/plans/from-qgis") as answer:
        device = json.loads(answer.read())["device_list"][0]["device_id"]
    edit = {"edits": [{"action": "aim_device", "device_id": device, "tilt_deg": 7.25}]}
    request = urllib.request.Request(
        f"{address}/api/plans/from-qgis/edits",
        json.dumps(edit).encode(),
        {"Content-Type": "application/json", "If-Match": state["revision"]},
    )
    with urllib.request.urlopen(request) as answer:
        theirs = json.loads(answer.read())
    page.click(f"button.mast[data-mount='{mount['mount_id']}']")
    page.get_by_role("button", name="North by 5 m").click()
    page.get_by_role("button", name="Make my change on what stands").click()
    known = (state["revision"], theirs["revision"])
    both = other.until(lambda s: s["quiet"] and s["revision"] not in known)
    now = mount_of(both, mount["mount_id"])
    with urllib.request.urlopen(f"{address}/api/plans/from-qgis") as answer:
        devices = json.loads(answer.read())["device_list"]
    assert next(d for d in devices if d["device_id"] == device)["tilt_deg"] == 7.25
    assert (now["lat"] - mount["lat"]) * 111_320 == pytest.approx(5, abs=0.1)

    page.route("**/edits", lambda route: route.abort())
    page.get_by_role("button", name="North by 5 m").click()
    page.get_by_text("The server does not answer").wait_for()
    page.unroute("**/edits")
    page.get_by_role("button", name="Try now").click()
    later = other.until(lambda s: s["quiet"] and s["revision"] != both["revision"])
    assert (mount_of(later, mount["mount_id"])["lat"] - now["lat"]) * 111_320 == pytest.approx(
        5, abs=0.1
    )
    page.close()
