"""The small real project with a plan that was put together by hand: no search, a second to make."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import httpx

from small_project import EXAMPLES, PROJECT, make_project, write_dem
from watchline.chain.plan import open_run, terrain_of
from watchline.chain.progress import Silent
from watchline.geo.chainage import from_chainage
from watchline.io.plan import write_plan
from watchline.io.plan_change import Draft, change_plan
from watchline.io.plan_tables import DeviceRow, MountRow
from watchline.io.project import read_site
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan
from watchline.model.site import Site

SOURCE = Path(__file__).parents[1] / "src"
RAFAH_PLAN = Path(__file__).parent / "data" / "rafah_plan" / "plan.gpkg.zip"
MORE = """
[[requirements]]
name = "fence strip twice"
where = "fence_strip"
quality = "overview"
views = 2
share = "60 %"
survive_loss = "mount"

[[requirements]]
name = "zone by night"
where = "zone"
quality = "johnson:detect"
share = "50 %"
condition = "night"
binding = false

[[no_watch]]
name = "house"
circle = { chainage = "130 m", offset = "70 m", radius = "20 m" }
"""
STUDIO_PROJECT = PROJECT.replace("[design]", MORE + "\n[design]")


def hand_made(site: Site, name: str = "computed") -> Plan:
    """Four masts along the road, two or three cameras on each, down the zone and up."""
    frames = [
        gpd.GeoDataFrame({column: [] for column in columns}, geometry=[], crs=site.crs)
        for columns in (PLAN_MOUNT_COLUMNS, PLAN_DEVICE_COLUMNS)
    ]
    empty = Plan(name, site.crs, *frames, 0.0, None, site.catalogue.currency, "edited")
    draft = Draft(name, [], [])
    for k, s in enumerate((20.0, 90.0, 170.0, 240.0)):
        x, y = (float(v[0]) for v in from_chainage(site.line, [s], [34.0]))
        mount = f"M{k + 1:03d}"
        structure = site.catalogue.structures["mast-10" if k % 2 else "mast-6"]
        draft.mounts.append(MountRow(-1, x, y, mount, mount, structure.id, "mast"))
        for azimuth in (25.0, 195.0, 110.0)[: 2 + k % 2]:
            number = len(draft.devices) + 1
            model = site.catalogue.devices["fixed-8mp-12mm" if number % 3 else "fixed-4mp-8mm"]
            draft.devices.append(
                DeviceRow(
                    -1, x, y, f"D{number:03d}", mount, model.id, model.kind, structure.height_m,
                    azimuth, 12.0, model.focal_min_mm,
                )
            )  # fmt: skip
    plan, _ = change_plan(empty, draft, site, edited_from="")
    return plan


def with_bank(heights):
    """The real ground with an earth bank of 3 m across the zone, so that something is hidden."""
    heights = heights.copy()
    heights[266:270, 150:260] += 3.0
    return heights


def make_studio_project(folder: Path, text: str = STUDIO_PROJECT) -> Path:
    """Write the project with its terrain and its computed plan into a folder."""
    (folder / "inputs").mkdir(parents=True, exist_ok=True)
    write_dem(folder / "inputs" / "dem.tif", with_bank)
    make_project(folder, text)
    site = read_site(folder)
    run = open_run(site, Silent())
    terrain_of(site, run)
    write_plan(hand_made(site), run.folder / "plan.gpkg", site=site)
    return folder


def make_rafah_project(folder: Path) -> Path:
    """The example of Rafah with a stored plan as its computed one: seconds, and no search."""
    for name in ("project.toml", "inputs.lock", "lights.toml"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLES / "rafah" / name, folder)
    shutil.copytree(EXAMPLES / "rafah" / "inputs", folder / "inputs")
    site = read_site(folder)
    run = open_run(site, Silent())
    terrain_of(site, run)
    with zipfile.ZipFile(RAFAH_PLAN) as stored:
        stored.extract("plan.gpkg", run.folder)
    return folder


class Server:
    """The real server in a process of its own."""

    def __init__(self, project: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "watchline", "studio", str(project),
                "--port", "0", "--no-browser", *options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said.startswith("Studio: "):
            _, errors = self.process.communicate()
            raise RuntimeError(errors)
        self.url = said.removeprefix("Studio: ").strip()
        self.client = httpx.Client(base_url=self.url.partition("?")[0], timeout=60.0)

    def kill(self) -> None:
        """End it at once, as a loss of power would."""
        self.process.send_signal(signal.SIGKILL)
        self._over()

    def end(self) -> int:
        """End it as a person does."""
        self.process.send_signal(signal.SIGINT)
        return self._over()

    def _over(self) -> int:
        self.process.wait(30)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        self.client.close()
        return self.process.returncode


def wait_for(what, seconds=20.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")
