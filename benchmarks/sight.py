"""Line of sight: speed and error beside GDAL, on the same pairs, in one run.

    python benchmarks/sight.py [--quick] [--json] [--whole]

Pairs are mounts × heights × cells in range; CPU seconds (all threads), compilation excluded. The
reference is a bilinear ray in float64 sampled every 0.1 cell. GDAL's viewshed runs in memory,
cropped to the window that holds the same cells, by whichever Python here has ``osgeo``; without
one its rows say "peer missing". The line along the axis of the grid is GDAL's best case: its window
holds nothing but the zone. `--whole` adds the job of 12 km at 1 m (a minute and more).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit, prange

from watchline.kernels import (
    TOUCH_M,
    Grid,
    Points,
    count_bits,
    fan_bits,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)

HEIGHTS_M = (6.0, 10.0, 15.0, 25.0)
HEAD_M = 1.7
DATA = Path(__file__).parents[1] / "tests" / "data" / "reference_viewsheds"

GDAL_WORKER = """
import sys, time
import numpy as np
from osgeo import gdal
gdal.UseExceptions()
job = np.load(sys.argv[1])
z, cell, reach = job["z"], float(job["cell"]), float(job["reach"])
rows, cols = z.shape
source = gdal.GetDriverByName("MEM").Create("", cols, rows, 1, gdal.GDT_Float32)
source.SetGeoTransform((0, cell, 0, 0, 0, -cell))
band = source.GetRasterBand(1)
band.WriteRaster(0, 0, cols, rows, z.tobytes())
out = np.zeros((len(job["col"]), len(job["height"]), len(job["at"])), dtype=bool)
plane = np.zeros((rows, cols), dtype=bool)
spent = 0.0
for i, (col, row) in enumerate(zip(job["col"], job["row"])):
    for m, height in enumerate(job["height"]):
        begin = time.process_time()
        seen = gdal.ViewshedGenerate(
            band, "MEM", "", [], (col + 0.5) * cell, -(row + 0.5) * cell, float(height),
            float(job["head"]), 1, 0, 0, -1, 0.0, gdal.GVM_Edge, reach, heightMode=gdal.GVOT_NORMAL)
        spent += time.process_time() - begin
        left, _, _, top = (round(v / cell) for v in seen.GetGeoTransform()[:4])
        part = np.frombuffer(seen.GetRasterBand(1).ReadRaster(), dtype=np.uint8)
        part = part.reshape(seen.RasterYSize, seen.RasterXSize) == 1
        plane[:] = False
        plane[-top:-top + part.shape[0], left:left + part.shape[1]] = part
        out[i, m] = plane.ravel()[job["at"]]
np.savez(sys.argv[2], seen=np.packbits(out, axis=-1), cpu=spent, version=gdal.__version__)
"""


@dataclass(frozen=True)
class Case:
    """A surface, the sites on it and the cells that are looked at, both in node units."""

    name: str
    grid: Grid
    site_row: np.ndarray
    site_col: np.ndarray
    row: np.ndarray
    col: np.ndarray
    reach_m: float

    @property
    def observers(self) -> Points:
        """The sites as points on the surface."""
        return self._points(self.site_row, self.site_col)

    @property
    def targets(self) -> Points:
        """The cells as points on the surface."""
        return self._points(self.row, self.col)

    def _points(self, row, col):
        cell = self.grid.cell_m
        x, y = self.grid.x0_m + col * cell, self.grid.y0_m - row * cell
        return make_points(x, y, self.grid.surface_m[row, col])


def fractal(rows: int, cols: int, seed: int, rms: float = 40.0, hurst: float = 0.8) -> np.ndarray:
    """Terrain with a power-law spectrum [m]."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols))
    wave[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random(wave.shape))
    surface = np.fft.irfft2(wave ** -(hurst + 1) * phase, (rows, cols))
    return (surface / surface.std() * rms).astype(np.float32)


# A real borderline of 12.7 km (Rafah, simplified to 60 m; © OpenStreetMap contributors, ODbL).
BENT_LINE = ((0, 0), (1_660, -3_020), (2_100, -3_100), (4_800, -11_460))
STRAIGHT_LINE = ((0, 0), (12_000, 0))


def corridor(name: str, cell: float, line, sites: int, blocks: float = 0.0) -> Case:
    """A zone 100 m wide along a line of (east, north) in metres, with sites along its middle.

    `blocks` is the number of buildings a hectare. The raster is cropped to the zone.
    """
    from shapely import LineString, STRtree, points

    path = LineString(line)
    left, low, right, high = path.buffer(50 + 3 * cell).bounds
    rows, cols = int((high - low) / cell) + 1, int((right - left) / cell) + 1
    surface = fractal(max(rows, 512), max(cols, 512), 11)[:rows, :cols]
    rng = np.random.default_rng(12)
    for _ in range(int(blocks * surface.size * cell * cell / 1e4)):
        row, col = rng.integers(0, rows), rng.integers(0, cols)
        size = rng.integers(1, max(2, round(15 / cell)), 2)
        surface[row : row + size[0], col : col + size[1]] += rng.uniform(3, 10)
    # Cell by cell along the line, so that what a site can see is a run of target numbers.
    row, col = (axis.ravel() for axis in np.mgrid[:rows, :cols])
    cells = points(left + col * cell, high - row * cell)
    inside = STRtree(cells).query(path, predicate="dwithin", distance=50.0)
    order = inside[np.argsort(path.project(cells[inside]) // cell, kind="stable")]
    stand = path.interpolate(np.linspace(0, path.length, sites))
    x, y = np.array([(p.x, p.y) for p in stand]).T
    grid = make_grid(np.ascontiguousarray(surface), cell, 0.0, 0.0)
    return Case(
        name, grid, np.rint((high - y) / cell).astype(int), np.rint((x - left) / cell).astype(int),
        row[order], col[order], 5_000.0,
    )  # fmt: skip


def lidar(name: str, sites: int) -> Case | None:
    """A zone 100 m wide across 1 km of lidar terrain at 1 m, if the test data are here."""
    path = DATA / "TM1_564_146.tif"
    if not path.exists():
        return None
    import rasterio

    with rasterio.open(path) as raster:
        surface = raster.read(1)
    middle = np.linspace(150, 850, 1_000)
    col, row = (axis.ravel() for axis in np.mgrid[3:997, :1_000])
    inside = np.flatnonzero(abs(row - middle[col]) <= 50)
    # Along the line, so that what a site can see is a run of target numbers.
    inside = inside[np.argsort(col[inside], kind="stable")]
    site_col = np.linspace(3, 996, sites).round().astype(int)
    crop = slice(90, 911)
    grid = make_grid(np.ascontiguousarray(surface[crop]), 1.0, 0.0, 0.0)
    return Case(
        name, grid, middle[site_col].round().astype(int) - crop.start, site_col,
        row[inside] - crop.start, col[inside], 1_000.0,
    )  # fmt: skip


@njit(cache=True, parallel=True)
def _reference(surface, site_row, site_col, mounts, head, row, col, reach, touch, seen):
    for i in prange(site_row.size):
        for j in range(row.size):
            dr, dc = row[j] - site_row[i], col[j] - site_col[i]
            length = np.sqrt(float(dr * dr + dc * dc))
            if length > reach:
                continue
            ground = surface[site_row[i], site_col[i]]
            top = surface[row[j], col[j]] + head
            count = int(np.ceil(length * 10))
            need = -np.inf
            for k in range(1, count):
                t = k / count
                y, x = site_row[i] + dr * t, site_col[i] + dc * t
                if max(abs(y - site_row[i]), abs(x - site_col[i])) < 1:
                    continue
                if max(abs(y - row[j]), abs(x - col[j])) < 1:
                    break
                a, b = int(y), int(x)
                f, g = y - a, x - b
                a2, b2 = a + (f > 0), b + (g > 0)
                z = (1 - f) * ((1 - g) * surface[a, b] + g * surface[a, b2]) + f * (
                    (1 - g) * surface[a2, b] + g * surface[a2, b2]
                )
                need = max(need, (z - touch - top * t) / (1 - t) - ground)
            for m in range(mounts.size):
                seen[i, m, j] = mounts[m] >= need


def reference(case: Case, some: slice) -> np.ndarray:
    """The dense ray for some of the sites: booleans (n, h, m)."""
    row, col = case.site_row[some], case.site_col[some]
    seen = np.zeros((row.size, len(HEIGHTS_M), case.row.size), dtype=np.bool_)
    _reference(
        case.grid.surface_m.astype(np.float64), row, col, np.array(HEIGHTS_M), HEAD_M, case.row,
        case.col, case.reach_m / case.grid.cell_m, TOUCH_M, seen,
    )  # fmt: skip
    return seen


def gdal(case: Case, some: slice, heights=HEIGHTS_M) -> tuple[np.ndarray, float, str] | None:
    """Run GDAL's viewshed for some of the sites; planes, CPU seconds, version; None if missing."""
    with tempfile.TemporaryDirectory() as folder:
        job, result = Path(folder) / "job.npz", Path(folder) / "result.npz"
        np.savez(
            job, z=case.grid.surface_m, cell=case.grid.cell_m, reach=case.reach_m,
            col=case.site_col[some], row=case.site_row[some], height=heights, head=HEAD_M,
            at=case.row * case.grid.surface_m.shape[1] + case.col,
        )  # fmt: skip
        for python in (sys.executable, "/usr/bin/python3"):
            try:
                done = subprocess.run(
                    [python, "-c", GDAL_WORKER, job, result], capture_output=True, text=True
                )
            except OSError:
                continue
            if done.returncode == 0:
                found = np.load(result)
                seen = np.unpackbits(found["seen"], axis=-1, count=case.row.size).view(bool)
                return seen, float(found["cpu"]), str(found["version"])
            if "No module named 'osgeo'" not in done.stderr:
                raise RuntimeError(done.stderr)
    return None


def timed(method, case: Case, some: slice = slice(None), heights=HEIGHTS_M, **more):
    """Run twice; return the planes of the second run, its CPU and wall seconds."""
    observers = [field[some] for field in case.observers]
    arguments = (case.grid, make_points(*observers), heights, case.targets, [HEAD_M], case.reach_m)
    method(*arguments, **more)
    cpu, wall = time.process_time(), time.perf_counter()
    seen, _ = method(*arguments, **more)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return unpack_bits(seen[:, :, 0], case.row.size), cpu, wall


def pair_count(case: Case, some: slice = slice(None), heights=HEIGHTS_M) -> int:
    """Count mounts × heights × cells in range."""
    reach = case.reach_m / case.grid.cell_m
    return len(heights) * sum(
        int((np.hypot(case.col - col, case.row - row) <= reach).sum())
        for row, col in zip(case.site_row[some], case.site_col[some], strict=True)
    )


class Table:
    """Figures with their targets, printed as they come or as JSON at the end."""

    def __init__(self, as_json: bool) -> None:
        self.figures: list[dict] = []
        self.as_json = as_json

    def add(self, name: str, value, unit: str, target: str = "", holds: bool | None = None) -> None:
        """Add a figure."""
        self.figures.append(
            {"name": name, "value": value, "unit": unit, "target": target, "holds": holds}
        )
        if not self.as_json:
            shown = value if isinstance(value, str) else f"{value:,.4g}"
            mark = {True: "holds", False: "MISSES", None: ""}[holds]
            print(f"{name:58} {shown:>12} {unit:12} {target:>12} {mark}", flush=True)

    def at_least(self, name: str, value: float, unit: str, bound: float) -> None:
        """Add a figure that holds at or above its target."""
        self.add(name, value, unit, f"≥ {bound:g}", bool(value >= bound))

    def at_most(self, name: str, value: float, unit: str, bound: float) -> None:
        """Add a figure that holds at or below its target."""
        self.add(name, value, unit, f"≤ {bound:g}", bool(value <= bound))


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """Share of what either calls visible that both do."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def compare(table: Table, case: Case, few: slice, spacing: float, goals: dict) -> None:
    """Speed and error of the fan and the exact method on one corridor, beside GDAL's."""
    pairs, few_pairs = pair_count(case), pair_count(case, few)
    truth = reference(case, few)
    seen, cpu, _ = timed(fan_bits, case, spacing=spacing)
    fan_rate = pairs / cpu / 1e6
    fan_error = 100 * (seen[few] != truth).sum() / few_pairs
    name = f"{case.name}: fan {spacing:g}"
    table.add(f"{name}, speed", fan_rate, "M pairs/s")
    table.at_most(f"{name}, differs from reference", fan_error, "%", goals["error"])
    overlap = jaccard(seen[few], truth)
    table.at_least(f"{name}, Jaccard", overlap, "", goals["jaccard"])
    seen, cpu, _ = timed(sight_bits, case, few)
    exact_rate = few_pairs / cpu / 1e6
    exact_error = 100 * (seen != truth).sum() / few_pairs
    table.add(f"{case.name}: exact, speed", exact_rate, "M pairs/s")
    table.at_least(
        f"{case.name}: exact, agrees on {few_pairs / 1e6:.1f} M pairs",
        100 - exact_error,
        "%",
        99.99,
    )
    peer = gdal(case, few)
    if peer is None:
        table.add(f"{case.name}: GDAL", "peer missing", "")
        return
    seen, cpu, version = peer
    rate = few_pairs / cpu / 1e6
    error = 100 * (seen != truth).sum() / few_pairs
    table.add(f"{case.name}: GDAL {version}, speed", rate, "M pairs/s")
    table.add(f"{case.name}: GDAL, differs from reference", error, "%")
    table.at_least(f"{name}, faster than GDAL", fan_rate / rate, "×", goals["faster"])
    table.at_most(f"{name}, error of GDAL's", fan_error / error, "×", 0.25)
    table.at_least(f"{case.name}: exact, faster than GDAL", exact_rate / rate, "×", 3)


def circle(table: Table) -> None:
    """One viewshed all round: 401 × 401 cells of 5 m."""
    grid = make_grid(fractal(512, 512, 5)[:401, :401], 5.0, 0.0, 0.0)
    sites = np.array([200, 120, 260])
    row, col = (axis.ravel() for axis in np.mgrid[:401, :401])
    case = Case("full circle", grid, sites, sites, row, col, 1_000.0)
    everyone = slice(None)
    truth = reference(case, everyone)
    for heights, bound in (((10.0,), 1.5), (HEIGHTS_M, 4)):
        name = f"full circle, {len(heights)} heights"
        cpu, planes = 0.0, []
        for i in range(sites.size):
            seen, spent, _ = timed(fan_bits, case, slice(i, i + 1), heights, spacing=0.5)
            cpu += spent
            planes.append(seen[0])
        pairs = pair_count(case, everyone, heights)
        rate = pairs / cpu / 1e6
        table.add(f"{name}: fan 0.5, speed", rate, "M pairs/s")
        peer = gdal(case, everyone, heights)
        if peer is None:
            table.add(f"{name}: GDAL", "peer missing", "")
            continue
        seen, gdal_cpu, _ = peer
        chosen = truth[:, [HEIGHTS_M.index(height) for height in heights]]
        error = (np.array(planes) != chosen).sum() / (seen != chosen).sum()
        table.at_least(f"{name}: faster than GDAL", rate / (pairs / gdal_cpu / 1e6), "×", bound)
        table.at_most(f"{name}: error of GDAL's", error, "×", 0.25)


def whole(table: Table, cell: float, length_m: float, spacing: float, goal_s: float | None) -> None:
    """A whole straight line: a site every 5 m, four heights, in chunks of sites."""
    sites = round(length_m / 5)
    case = corridor("", cell, ((0, 0), (length_m, 0)), sites)
    observers, targets = case.observers, case.targets
    reach = case.reach_m + 2 * cell
    begin = time.perf_counter()
    seen = 0
    for low in range(0, sites, 100):
        chunk = make_points(*(field[low : low + 100] for field in observers))
        first, last = np.searchsorted(
            targets.x_m, [chunk.x_m.min() - reach, chunk.x_m.max() + reach]
        )
        window = make_points(*(field[first:last] for field in targets))
        left = int(window.x_m.min() / cell)
        right = int(window.x_m.max() / cell) + 1
        crop = make_grid(case.grid.surface_m[:, left:right], cell, left * cell, 0.0)
        bits, _ = fan_bits(crop, chunk, HEIGHTS_M, window, [HEAD_M], case.reach_m, spacing=spacing)
        seen += int(count_bits(bits).sum())
    spent = time.perf_counter() - begin
    name = f"whole job, {length_m / 1000:g} km at {cell:g} m, {sites} sites × 4, fan {spacing:g}"
    if goal_s is None:
        table.add(f"{name}, per km", spent / (length_m / 1000), "s/km")
    else:
        table.at_most(name, spent, "s", goal_s)


def memory_peak_gb() -> float:
    """The most memory that this process has held [GB]."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sites; under 60 s")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--whole", action="store_true", help="also 12 km at 1 m")
    options = parser.parse_args()
    table = Table(options.json)
    sites = 100 if options.quick else 400
    step = 50 if options.quick else 20
    few = slice(step // 2, None, step)
    bare = {"error": 0.15, "jaccard": 0.995, "faster": 40}
    blocked = {"error": 0.5, "jaccard": 0.97, "faster": 30}
    fine = {"error": 0.02, "jaccard": 0.995, "faster": 20}
    compare(table, corridor("real line 5 m", 5.0, BENT_LINE, sites), few, 0.5, bare)
    compare(table, corridor("obstacles 5 m", 5.0, BENT_LINE, sites, 4.0), few, 0.5, blocked)
    compare(table, corridor("straight 5 m", 5.0, STRAIGHT_LINE, sites), few, 0.5, bare)
    terrain = lidar("lidar 1 m", sites)
    if terrain is None:
        table.add("lidar 1 m", "test data missing", "")
    else:
        compare(table, terrain, few, 0.5, fine)
    circle(table)
    whole(table, 5.0, 12_000, 0.5, 3.0)
    if not options.quick:
        whole(table, 5.0, 36_000, 0.5, None)
        whole(table, 5.0, 120_000, 0.5, None)
        table.add("memory, peak so far", memory_peak_gb(), "GB")
    if options.whole:
        whole(table, 1.0, 12_000, 1.0, 60.0)
        table.at_most("memory, peak", memory_peak_gb(), "GB", 4)
    if options.json:
        print("\n".join(json.dumps(figure, ensure_ascii=False) for figure in table.figures))


if __name__ == "__main__":
    main()
