"""The page's script in a real browser, where one is installed: zoom, hover, layers, links."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

from watchline.report import build_report

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PROBE = """
<script>
window.addEventListener("load", () => setTimeout(() => {
  const map = document.getElementById("map-picture");
  const strip = document.getElementById("strip-picture");
  const box = () => map.getAttribute("viewBox").split(" ").map(Number);
  const told = () => document.getElementById("readout").textContent;
  const key = (name) =>
    map.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const point = (target, share, down) => {
    const b = target.getBoundingClientRect();
    const x = b.left + b.width * share, y = b.top + b.height * down;
    const where = { clientX: x, clientY: y, bubbles: true };
    target.dispatchEvent(new PointerEvent("pointermove", where));
    return where;
  };
  const found = {};
  try {
    found.start = box();
    key("+"); found.zoomed = box();
    key("ArrowRight"); found.moved = box();
    key("0"); found.whole = box();
    const place = point(strip, 0.6, 0.3); found.chart = told();
    strip.dispatchEvent(new MouseEvent("click", place)); found.clicked = box();
    point(map, 0.5, 0.5); found.map = told();
    found.cursor = document.getElementById("strip-here").hasAttribute("hidden");
    document.querySelector(".claims tr.fails [data-show]").click(); found.claim = box();
    document.querySelector("tr.group [data-show]").click();
    found.picked = map.querySelectorAll("#picked .field").length;
    const heat = document.getElementById("heat");
    heat.value = "px@0.5"; heat.dispatchEvent(new Event("change"));
    found.layers = [...map.querySelectorAll("[data-heat]")]
      .filter((layer) => layer.style.display !== "none").map((layer) => layer.dataset.heat);
  } catch (problem) { found.error = problem.stack; }
  const out = document.createElement("pre");
  out.id = "probe"; out.textContent = JSON.stringify(found); document.body.append(out);
}, 200));
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("whole", [True, False])
def test_script_answers(run, report, tmp_path, whole):
    made = report if whole else build_report(run.plan, run.proof)
    page = tmp_path / "page.html"
    page.write_text(made.html.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=3000",
            "--window-size=1366,900",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    found = json.loads(html.unescape(re.search(r'id="probe">(.*?)</pre>', done.stdout, re.S)[1]))
    assert "error" not in found
    assert found["zoomed"][2] == pytest.approx(0.6 * found["start"][2])
    assert found["moved"][0] > found["zoomed"][0]
    assert found["whole"] == pytest.approx(found["start"])
    assert "least views" in found["chart"]
    assert found["layers"] == ["px@0.5"]
    assert found["picked"] == 3
    if whole:
        assert found["clicked"][2] < 0.2 * found["start"][2]
        assert found["map"].startswith("s\u00a0=") and not found["cursor"]
        # The failing stretch at 7.34 km lies right of the picture's middle.
        assert found["claim"][0] > found["start"][0] + 0.5 * found["start"][2]
