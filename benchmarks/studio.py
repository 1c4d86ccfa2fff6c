"""The studio: from an edit to its answer, tiles, and what a plan's opening takes.

The real server runs in a process of its own on a copy of a project, and is asked over HTTP as the
page asks it. Edits are the page's: a mast is dragged, a camera turned, tilted, zoomed, hung lower,
another model taken, one added, one removed. Each answer holds the new claims, which the server
counts with the proof's own rays; at the end they are compared with the proof of the saved plan.

CPU time is the server's own (``/proc``), for machines that others share.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
EDITS, QUICK_EDITS = 200, 40
TILES, QUICK_TILES = 120, 30
TARGET_MS = 300.0
"""Of an edit's answer, at the 95th percentile."""
TARGET_TILE_MS = 150.0


class Figures:
    """Figures as they are found, printed as a table or as JSON."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, name: str, value: float, unit: str, target: float | None = None) -> None:
        """Keep one; a target is a most."""
        holds = None if target is None else value <= target
        self.rows.append(
            {"name": name, "value": round(value, 3), "unit": unit, "target": target, "holds": holds}
        )

    def show(self, as_json: bool) -> None:
        """Print them."""
        if as_json:
            for row in self.rows:
                print(json.dumps(row))
            return
        for row in self.rows:
            target = "" if row["target"] is None else f"  target {row['target']:g}"
            verdict = {None: "", True: "  holds", False: "  FAILS"}[row["holds"]]
            print(f"{row['name']:<58} {row['value']:>10,.1f} {row['unit']:<5}{target}{verdict}")


class Server:
    """The studio in a process of its own."""

    def __init__(self, project: Path) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "watchline", "studio", str(project), "--port", "0",
                "--no-browser",
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        assert self.process.stdout is not None
        url = self.process.stdout.readline().removeprefix("Studio: ").strip()
        self.client = httpx.Client(base_url=url, timeout=300.0)

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End it as a person does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def copied(project: Path, to: Path) -> Path:
    """The project with its runs, so that nothing of it is changed."""
    shutil.copytree(project, to, ignore=shutil.ignore_patterns("plans"))
    return to


def any_edit(rng: np.random.Generator, plan: dict, models: list[str]) -> dict:
    """One edit of the page's."""
    mount = plan["mount_list"][rng.integers(len(plan["mount_list"]))]
    device = plan["device_list"][rng.integers(len(plan["device_list"]))]
    which = {"device_id": device["device_id"]}
    zoom = rng.uniform(device["focal_min_mm"], device["focal_max_mm"])
    turned = {"azimuth_deg": float((device["azimuth_deg"] + rng.normal(0, 40)) % 360)}
    step = rng.normal(0, 30, 2) / 111_000.0
    return [
        {"action": "aim_device", **which, **turned},
        {"action": "aim_device", **which, "tilt_deg": float(rng.uniform(0, 15))},
        {"action": "aim_device", **which, "focal_mm": float(zoom)},
        {
            "action": "move_mount",
            "mount_id": mount["mount_id"],
            "lon": mount["lon"] + float(step[0]),
            "lat": mount["lat"] + float(step[1]),
        },
        {"action": "set_height", **which, "height_m": max(3.0, device["height_m"] - 1.0)},
        {"action": "set_model", **which, "model": str(rng.choice(models))},
        {"action": "remove_device", **which},
        {
            "action": "add_device",
            "mount_id": mount["mount_id"],
            "model": str(rng.choice(models)),
            "azimuth_deg": float(rng.uniform(0, 360)),
        },
    ][int(rng.choice(8, p=[0.25, 0.1, 0.1, 0.3, 0.1, 0.05, 0.05, 0.05]))]


def edits(server: Server, count: int, found: Figures) -> str:
    """Edit the plan again and again; returns the version's name."""
    client, rng = server.client, np.random.default_rng(3)
    catalogue = client.get("/api/catalogue").json()
    models = [d["key"] for d in catalogue["devices"] if d["offered"]]
    plan = client.get("/api/plans/computed").json()
    name, revision = "computed", plan["revision"]
    wall, inside, cpu, refused, kinds = [], [], [], 0, {}
    while len(wall) < count:
        edit = any_edit(rng, plan, models)
        before, began = server.cpu_s(), time.perf_counter()
        answer = client.post(
            f"/api/plans/{name}/edits", headers={"If-Match": revision}, json={"edits": [edit]}
        )
        taken = (time.perf_counter() - began) * 1000.0
        if answer.status_code != 200:
            refused += 1
            continue
        told = answer.json()
        name, revision = told["plan"], told["revision"]
        wall.append(taken)
        inside.append(told["milliseconds"])
        cpu.append((server.cpu_s() - before) * 1000.0)
        kinds.setdefault(edit["action"], []).append(taken)
        if edit["action"] in ("add_device", "remove_device"):
            plan = client.get(f"/api/plans/{name}").json()
    found.add(f"edit to answer, median of {count}", float(np.median(wall)), "ms")
    found.add("edit to answer, 95th percentile", float(np.percentile(wall, 95)), "ms", TARGET_MS)
    found.add("  of it in the server, 95th percentile", float(np.percentile(inside, 95)), "ms")
    found.add("edit, processor time, mean", float(np.mean(cpu)), "ms")
    for kind, times in sorted(kinds.items()):
        found.add(f"  {kind}, median of {len(times)}", float(np.median(times)), "ms")
    found.add("edits refused (not possible)", refused, "")
    began = time.perf_counter()
    back = client.post(f"/api/plans/{name}/undo", headers={"If-Match": revision})
    found.add("undo", (time.perf_counter() - began) * 1000.0, "ms")
    assert back.status_code == 200, back.text
    return name


def tile_numbers(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Tile of a place."""
    n = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return int((lon + 180) / 360 * n), int(y)


def tiles(server: Server, count: int, name: str, found: Figures) -> None:
    """Tiles along the line, each asked for the first time."""
    client = server.client
    line = client.get("/api/layers/line").json()["features"][0]["geometry"]["coordinates"]
    condition = client.get("/api/project").json()["conditions"][0]["name"]
    for kind in ("tiles/terrain", "tiles/hillshade", f"plans/{name}/tiles/views/{condition}"):
        wanted = []
        for zoom in (12, 13, 14, 15, 16, 17):
            places = [tile_numbers(*line[k % len(line)], zoom) for k in range(0, 5 * len(line), 3)]
            wanted += [(zoom, *place) for place in dict.fromkeys(places)]
        wall, size = [], []
        for zoom, x, y in wanted[:count]:
            began = time.perf_counter()
            tile = client.get(f"/api/{kind}/{zoom}/{x}/{y}.png")
            wall.append((time.perf_counter() - began) * 1000.0)
            size.append(len(tile.content))
            assert tile.status_code == 200
        title = kind.rpartition("tiles/")[2].partition("/")[0]
        found.add(f"{title} tile, median of {len(wall)}", float(np.median(wall)), "ms")
        late = float(np.percentile(wall, 95))
        found.add(f"{title} tile, 95th percentile", late, "ms", TARGET_TILE_MS)
        found.add(f"{title} tile, mean size", float(np.mean(size)) / 1000.0, "kB")


def judged(server: Server, name: str) -> list[dict]:
    """Claims of a plan, when those that are judged in the background have their figures."""
    while True:
        news = server.client.get(f"/api/plans/{name}/claims").json()
        if not news["waits"]:
            return news["claims"]
        time.sleep(0.1)


def same_as_proof(project: Path, name: str, claims: list[dict]) -> float:
    """Claims of the studio that differ from those of the proof of the saved plan."""
    from watchline.chain.progress import Silent
    from watchline.chain.prove import prove_whole
    from watchline.io.plan import read_plan
    from watchline.io.project import read_site
    from watchline.io.terrain import read_terrain

    site = read_site(project)
    terrain = read_terrain(next(project.glob("runs/*/terrain.tif")))
    plan = read_plan(project / "plans" / f"{name}.gpkg", site=site)
    _, proof, _ = prove_whole(site, terrain, plan, Silent())
    said = {(c["requirement"], c["kind"], c["value"], c["verdict"]) for c in claims}
    true = {(c.requirement, c.kind, c.value, c.verdict) for c in proof.claims}
    return float(len(said ^ true))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=ROOT / "examples" / "rafah")
    parser.add_argument("--quick", action="store_true", help="Fewer edits and tiles.")
    parser.add_argument("--json", action="store_true", help="One JSON object per figure.")
    given = parser.parse_args()
    if not list(given.project.glob("runs/*/plan.gpkg")):
        parser.exit(2, f"{given.project} has no plan yet: run `watchline plan` on it first\n")
    found = Figures()
    with tempfile.TemporaryDirectory() as folder:
        project = copied(given.project, Path(folder) / given.project.name)
        server = Server(project)
        try:
            found.add("start to first answer", (time.perf_counter() - server.began), "s")
            began = time.perf_counter()
            server.client.get("/api/project").raise_for_status()
            found.add("project", (time.perf_counter() - began) * 1000.0, "ms")
            began = time.perf_counter()
            plan = server.client.get("/api/plans/computed").json()
            found.add("plan opened and judged", time.perf_counter() - began, "s")
            found.add("  its devices", len(plan["device_list"]), "")
            name = edits(server, QUICK_EDITS if given.quick else EDITS, found)
            began = time.perf_counter()
            claims = judged(server, name)
            found.add("claims on interruption, after the editing", time.perf_counter() - began, "s")
            found.add("  claims in all", len(claims), "")
            tiles(server, QUICK_TILES if given.quick else TILES, name, found)
            began = time.perf_counter()
            server.client.post(f"/api/plans/{name}/save").raise_for_status()
            found.add("save", (time.perf_counter() - began) * 1000.0, "ms")
            found.add(
                "claims that differ from `prove`", same_as_proof(project, name, claims), "", 0.0
            )
        finally:
            server.end()
    found.show(given.json)


if __name__ == "__main__":
    main()
