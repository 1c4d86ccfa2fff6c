"""The studio in a real browser: its server as a process, its page, its pictures.

As a script it makes the pictures of the documentation from a project that has a run::

    python tests/studio/studio_browser.py examples/rafah docs/images
"""

from __future__ import annotations

import math
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PAGE = Path(__file__).parents[2] / "src" / "watchline" / "studio" / "page" / "index.html"
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
]
LAPTOP = {"width": 1366, "height": 768}
PATIENCE_S = 60.0
ADDRESS = re.compile(r"https?://127\.0\.0\.1:\d+")


@contextmanager
def served(project: Path) -> Iterator[str]:
    """The studio of a project on a free port; gives its address."""
    command = [sys.executable, "-m", "watchline", "studio", str(project)]
    process = subprocess.Popen(
        [*command, "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                break
        else:
            raise AssertionError("the studio did not start: " + "".join(said))
        yield found.group(0)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


class Recorded:
    """A page with what it asked for and what it complained of."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.bytes = 0
        page.on("console", self._said)
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def _asked(self, request: Any) -> None:
        url = request.url
        if not url.startswith((self.address, "blob:", "data:")):
            self.outside.append(url)

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        return self.page.evaluate("window.watchlineState ? watchlineState() : null") or {}

    def until(
        self, what: Callable[[dict[str, Any]], object], patience_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Wait until the page shows something; the page's policy forbids waiting inside it."""
        end = time.monotonic() + patience_s
        while True:
            state = self.state()
            if state and what(state):
                return state
            assert time.monotonic() < end, f"the page never came to it: {state}"
            self.page.wait_for_timeout(40)

    def open(self, view: str = "") -> dict[str, Any]:
        """Open the page, and wait until its plan and its map are there."""
        self.page.goto(f"{self.address}/{view}")
        return self.until(lambda s: s["settled"] and s["map"] and s["map"]["loaded"])

    def quiet(self) -> dict[str, Any]:
        """Wait until every edit is answered and judged."""
        self.page.wait_for_timeout(60)
        return self.until(lambda s: s["quiet"])

    def drag(self, selector: str, east_px: float, south_px: float) -> None:
        """Drag an element of the map."""
        box = self.page.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        for k in range(1, 6):
            mouse.move(x + east_px * k / 5, y + south_px * k / 5)
        mouse.up()

    def serious(self) -> list[str]:
        """What axe finds that is serious or critical."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{v['id']}: {v['help']} at {v['nodes'][0]['target']}"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
        ]

    def picture(self, folder: Path, name: str) -> Path:
        """A picture of the screen as it is."""
        file = folder / f"studio-{name}.png"
        self.page.mouse.move(700, 20)
        self.page.wait_for_timeout(250)
        self.page.screenshot(path=str(file))
        return file


def figures(state: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    """Figures of the claims that the page shows."""
    return {(c["requirement"], c["condition"], c["kind"]): c["value"] for c in state["claims"]}


def mount_of(state: dict[str, Any], mount_id: str) -> dict[str, Any]:
    """A mount of the page's plan."""
    return next(one for one in state["mounts"] if one["mount_id"] == mount_id)


def metres(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Distance of two places."""
    east = (other["lon"] - one["lon"]) * 111_320 * math.cos(math.radians(one["lat"]))
    return math.hypot(east, (other["lat"] - one["lat"]) * 111_320)


def field(view: Recorded, label: str) -> Any:
    """A field for a figure, by its label."""
    return view.page.get_by_label(label, exact=True).and_(view.page.locator("input[type=number]"))


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium with software rendering."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def take_pictures(view: Recorded, folder: Path) -> list[Path]:
    """Pictures of five screens: the plan, a device, a cell, the proof, the terrain tilted."""
    page = view.page
    page.click("nav >> text=Plan")
    view.until(lambda s: s["map"]["loaded"])
    pictures = [view.picture(folder, "plan")]

    state = view.state()
    stands = sorted(one["s"] for one in state["mounts"])
    alone = [one for one in state["mounts"] if sum(abs(s - one["s"]) < 60 for s in stands) == 1]
    mount = max(alone or state["mounts"], key=lambda one: one["devices"])
    page.locator("#sought").fill(mount["mount_id"])
    page.locator("#panel .list-button", has_text=mount["mount_id"]).last.click()
    page.wait_for_timeout(700)
    page.locator("#panel .list-button").first.click()
    page.click("[aria-label='Closer']")
    page.wait_for_timeout(500)
    page.locator(".picture img:not(.drawing)").wait_for(timeout=PATIENCE_S * 1000)
    view.until(lambda s: s["seen_m2"] is not None and s["map"]["loaded"])
    pictures.append(view.picture(folder, "device"))

    page.click("nav >> text=Proof")
    view.until(lambda s: s["map"]["loaded"] and s["judged"], 120.0)
    slow = page.locator("#panel h3", has_text="all states")
    if slow.count():
        slow.evaluate("heading => heading.scrollIntoView({block: 'start'})")
    pictures.append(view.picture(folder, "proof"))

    least = page.locator("#panel li", has_text="crouching").locator(".place.main")
    least.first.click()
    view.until(lambda s: s["cell"] and s["map"]["loaded"])
    page.wait_for_timeout(600)
    pictures.append(view.picture(folder, "cell"))

    page.click("nav >> text=Terrain")
    page.click("[aria-label='Whole line']")
    page.wait_for_timeout(700)
    page.click("#panel >> text=Tilt the terrain")
    page.wait_for_timeout(800)
    view.until(lambda s: s["map"]["terrain"] and s["map"]["pitch"] > 50 and s["map"]["loaded"])
    page.click("[aria-label='Closer']")
    page.wait_for_timeout(400)
    view.until(lambda s: s["map"]["loaded"])
    pictures.append(view.picture(folder, "terrain"))
    page.click("#panel >> text=Look from above")
    view.until(lambda s: s["map"]["pitch"] < 1)
    return pictures


def main(project: str, folder: str) -> None:
    """Make the pictures of the documentation."""
    with served(Path(project)) as address, browser() as chromium:
        view = Recorded(chromium.new_page(viewport=LAPTOP), address)
        view.open()
        for file in take_pictures(view, Path(folder)):
            print(file)


if __name__ == "__main__":
    main(*sys.argv[1:3])
