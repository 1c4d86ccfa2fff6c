"""Cases of line of sight for the benchmarks: surfaces, sites, cells, and the dense ray."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit, prange

from watchline.kernels import TOUCH_M, Grid, Points, make_grid, make_points

HEIGHTS_M = (6.0, 10.0, 15.0, 25.0)
HEAD_M = 1.7
ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data" / "reference_viewsheds"


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
def _reference(surface, site_row, site_col, mounts, head, row, col, reach, touch, each, seen):
    for i in prange(site_row.size):
        for j in range(row.size):
            dr, dc = row[j] - site_row[i], col[j] - site_col[i]
            length = np.sqrt(float(dr * dr + dc * dc))
            if length > reach:
                continue
            ground = surface[site_row[i], site_col[i]]
            top = surface[row[j], col[j]] + head
            count = int(np.ceil(length * each))
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


def reference(case: Case, some: slice, each: int = 10) -> np.ndarray:
    """The dense ray for some of the sites, `each` samples a cell: booleans (n, h, m)."""
    row, col = case.site_row[some], case.site_col[some]
    seen = np.zeros((row.size, len(HEIGHTS_M), case.row.size), dtype=np.bool_)
    _reference(
        case.grid.surface_m.astype(np.float64), row, col, np.array(HEIGHTS_M), HEAD_M, case.row,
        case.col, case.reach_m / case.grid.cell_m, TOUCH_M, each, seen,
    )  # fmt: skip
    return seen


def pair_count(case: Case, some: slice = slice(None), heights=HEIGHTS_M) -> int:
    """Count mounts × heights × cells in range."""
    reach = case.reach_m / case.grid.cell_m
    return len(heights) * sum(
        int((np.hypot(case.col - col, case.row - row) <= reach).sum())
        for row, col in zip(case.site_row[some], case.site_col[some], strict=True)
    )


def real_terrain() -> list[tuple[str, np.ndarray, float]]:
    """Surfaces of every real terrain at hand: name, heights [m], cell [m]."""
    import rasterio

    import watchline as wl

    found = []
    for name in ("rafah", "slovenia", "bilbao"):
        terrain = wl.build_terrain(wl.read_site(ROOT / "examples" / name))
        found.append((f"example {name}", np.asarray(terrain.surface), terrain.cell_m))
    terrain_folder = DATA.parent / "terrain"
    for name, path in (
        ("Gabilan 1 m", DATA / "gabilan_1m_utm10n.tif"),
        ("Slovenia 1 m", DATA / "TM1_564_146.tif"),
        ("Slovenia 1 m with holes", terrain_folder / "slovenia_hills_1m/TM1_564_146_nodata.tif"),
        ("Alps 2.5 m", DATA / "swiss_2573_1085_2m5.tif"),
        ("Big Tujunga 30 m", terrain_folder / "bigtujunga_mountains_30m/bigtujunga.tif"),
        ("Front Range 90 m", terrain_folder / "frontrange_srtmgl3/frontrange_srtmgl3.asc"),
    ):
        with rasterio.open(path) as raster:
            heights = raster.read(1, masked=True).astype(np.float32).filled(np.nan)
            # Degrees are taken for cells of 90 m: the question is the method, not the map.
            found.append((name, heights, raster.res[0] if raster.res[0] > 0.01 else 90.0))
    return found
