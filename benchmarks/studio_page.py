"""The studio's page: its weight, the time to a meaningful map, and from a drag to what it changes.

Chromium with software rendering opens the page of the real server, on a copy of a project that has
a run. Time to the map is wall time from asking for the page until line, zone and shaded relief are
drawn and their tiles are loaded; where others share the machine, the processor time of the page's
own thread says how much of it was work.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "studio"))

from studio_browser import CHROMIUM, LAPTOP, PAGE, Recorded, browser, served  # noqa: E402

TARGET_MAP_S, TARGET_WEIGHT_MB = 3.0, 2.0
DRAGS, QUICK_DRAGS = 12, 3
TERRAIN = ("/api/tiles/", "/tiles/views/", "/tiles/seen/")


def row(name: str, value: float, unit: str, target: float | None = None) -> dict[str, object]:
    """One figure; a target is a most."""
    holds = None if target is None else value <= target
    return {"name": name, "value": round(value, 3), "unit": unit, "target": target, "holds": holds}


def opening(chromium: Any, address: str) -> list[dict[str, object]]:
    """Weight of the page without its terrain, and the time to a meaningful map."""
    page = chromium.new_page(viewport=LAPTOP)
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    urls: dict[str, str] = {}
    weight = {"page": 0.0, "terrain": 0.0}
    tools.on(
        "Network.requestWillBeSent", lambda e: urls.update({e["requestId"]: e["request"]["url"]})
    )

    def arrived(event: dict[str, Any]) -> None:
        url = urls.get(event["requestId"], "")
        part = "terrain" if any(one in url for one in TERRAIN) else "page"
        weight[part] += event["encodedDataLength"]

    tools.on("Network.loadingFinished", arrived)
    view = Recorded(page, address)
    began = time.perf_counter()
    page.goto(f"{address}/", wait_until="commit")
    meant = {"hillshade", "line", "zone-line"}
    view.until(lambda s: s["map"] and meant <= set(s["map"]["layers"]) and s["map"]["loaded"])
    shown = time.perf_counter() - began
    found = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
    view.until(lambda s: s["settled"] and s["map"]["loaded"])
    whole = time.perf_counter() - began
    page.close()
    return [
        row("first meaningful map", shown, "s", TARGET_MAP_S),
        row("first meaningful map, processor time of the page", found["TaskDuration"], "s"),
        row("plan, claims and chart shown", whole, "s"),
        row("page without terrain, as sent", weight["page"] / 1e6, "MB", TARGET_WEIGHT_MB),
        row("tiles of the first view, as sent", weight["terrain"] / 1e6, "MB"),
    ]


def drags(chromium: Any, address: str, count: int) -> list[dict[str, object]]:
    """From letting a mast go until the page shows the claims that it changed."""
    page = chromium.new_page(viewport=LAPTOP)
    view = Recorded(page, address)
    view.open()
    page.click("nav >> text=Plan")
    page.locator("#panel .list-button .soft", has_text="mast").first.click()
    page.wait_for_timeout(900)
    mast = "button.mast.selected"
    taken = []
    for k in range(count):
        before = view.state()["revision"]
        view.drag(mast, 14 if k % 2 else -14, 5 if k % 2 else -5)
        began = time.perf_counter()
        view.until(lambda s, old=before: s["revision"] != old and s["quiet"])
        taken.append((time.perf_counter() - began) * 1000.0)
    page.close()
    taken.sort()
    return [
        row("a mast let go → new claims on the page, median", taken[len(taken) // 2], "ms"),
        row("a mast let go → new claims on the page, longest", taken[-1], "ms"),
    ]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=ROOT / "examples" / "rafah")
    parser.add_argument("--quick", action="store_true", help="fewer edits")
    parser.add_argument("--json", action="store_true", help="one object a figure")
    options = parser.parse_args()
    if CHROMIUM is None or not PAGE.is_file():
        print("No Chromium, or the page is not built: nothing to measure.", file=sys.stderr)
        return
    if not list(options.project.glob("runs/*/plan.gpkg")):
        print(f"{options.project} has no run: watchline plan {options.project}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / options.project.name
        shutil.copytree(options.project, project, ignore=shutil.ignore_patterns("plans"))
        with served(project) as address, browser() as chromium:
            warm = Recorded(chromium.new_page(viewport=LAPTOP), address)
            warm.open()
            warm.page.close()
            rows = opening(chromium, address)
            rows += drags(chromium, address, QUICK_DRAGS if options.quick else DRAGS)
    for one in rows:
        if options.json:
            print(json.dumps(one))
            continue
        target = "" if one["target"] is None else f"  target {one['target']:g}"
        verdict = {None: "", True: "  holds", False: "  FAILS"}[one["holds"]]
        print(f"{one['name']:<52} {one['value']:>9,.2f} {one['unit']:<3}{target}{verdict}")


if __name__ == "__main__":
    main()
