"""Line of sight: speed and error beside GDAL, on the same pairs, in one run.

    python benchmarks/sight.py [--quick] [--json] [--whole]

Pairs are mounts × heights × cells in range; CPU seconds of one thread, as the peers have one (whole
jobs: wall time of all threads), compilation excluded. The
reference is a bilinear ray in float64 sampled every 0.1 cell; the exact method is also held against
one every 0.0025 cell (0.01 at 1 m). GDAL's viewshed runs in memory, cropped to the window that
holds the same cells, by whichever Python here has ``osgeo``, and GRASS's r.viewshed on the same
window; without them their rows say "peer missing". The line along the axis of the grid is GDAL's
best case: its window holds nothing but the zone. `--whole` adds the job of 12 km at 1 m.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
from numba import config, set_num_threads

from _peers import PEERS
from _sight_cases import (
    BENT_LINE,
    HEAD_M,
    HEIGHTS_M,
    STRAIGHT_LINE,
    Case,
    corridor,
    fractal,
    lidar,
    pair_count,
    real_terrain,
    reference,
)
from _table import Table, argument_parser
from watchline.kernels import (
    circle_flags,
    count_bits,
    fan_bits,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)


def peer(name: str, case: Case, some: slice, heights=HEIGHTS_M):
    """Run a peer for some of the sites; planes, CPU seconds, version; None if it is missing."""
    at = case.row * case.grid.surface_m.shape[1] + case.col
    return PEERS[name](
        z=case.grid.surface_m, cell=case.grid.cell_m, reach=case.reach_m, col=case.site_col[some],
        row=case.site_row[some], height=heights, head=HEAD_M, at=at,
    )  # fmt: skip


def timed(method, case: Case, some: slice = slice(None), heights=HEIGHTS_M, **more):
    """Run twice in one thread; return the planes of the second run, its CPU and wall seconds."""
    set_num_threads(1)
    observers = [field[some] for field in case.observers]
    arguments = (case.grid, make_points(*observers), heights, case.targets, [HEAD_M], case.reach_m)
    method(*arguments, **more)
    cpu, wall = time.process_time(), time.perf_counter()
    seen, _ = method(*arguments, **more)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    set_num_threads(config.NUMBA_NUM_THREADS)
    return unpack_bits(seen[:, :, 0], case.row.size), cpu, wall


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
    label = f"{case.name}: fan {spacing:g}"
    table.add(f"{label}, speed", fan_rate, "M pairs/s")
    table.at_most(f"{label}, differs from reference", fan_error, "%", goals["error"])
    overlap = jaccard(seen[few], truth)
    table.at_least(f"{label}, Jaccard", overlap, "", goals["jaccard"])
    seen, cpu, _ = timed(sight_bits, case)
    exact_rate = pairs / cpu / 1e6
    table.add(f"{case.name}: exact, speed", exact_rate, "M pairs/s")
    # Ten samples a cell miss ridges by up to a twentieth of a cell; four hundred hardly do.
    one = slice(few.start, None, 4 * few.step)
    fine = reference(case, one, 400 if case.grid.cell_m > 1 else 100)
    wrong = (seen[one] != fine).sum() / pair_count(case, one)
    table.at_least(
        f"{case.name}: exact, agrees with the finer reference", 100 - 100 * wrong, "%", 99.99
    )
    table.add(
        f"{case.name}: exact, agrees with 10",
        100 - 100 * (seen[few] != truth).sum() / few_pairs,
        "%",
    )
    rates = {}
    for name in goals["peers"]:
        part = few if name == "GDAL" else slice(few.start, None, 8 * few.step)
        part_pairs = pair_count(case, part)
        found = peer(name, case, part)
        if found is None:
            table.add(f"{case.name}: {name}", "peer missing", "")
            continue
        seen, cpu, version = found
        rates[name] = part_pairs / cpu / 1e6
        chosen = truth if name == "GDAL" else truth[::8]
        error = 100 * (seen != chosen).sum() / part_pairs
        table.add(f"{case.name}: {name} {version}, speed", rates[name], "M pairs/s")
        table.add(f"{case.name}: {name}, differs from reference", error, "%")
        table.at_least(f"{label}, faster than {name}", fan_rate / rates[name], "×", goals[name])
        share = 0.25 if name == "GDAL" else 1.0
        table.at_most(f"{label}, error of {name}'s", fan_error / error, "×", share)
        if name == "GDAL":
            table.at_least(
                f"{case.name}: exact, faster than GDAL", exact_rate / rates[name], "×", 3
            )


def circle(table: Table, reach_m: float) -> None:
    """Viewsheds all round on fractal terrain of 5 m, three sites, beside GDAL."""
    cells = 2 * round(reach_m / 5) + 1
    grid = make_grid(fractal(4096, 4096, 5)[:cells, :cells], 5.0, 0.0, 0.0)
    sites = np.array([cells // 2, cells // 3, 2 * cells // 3])
    row, col = (axis.ravel() for axis in np.mgrid[:cells, :cells])
    case = Case("full circle", grid, sites, sites, row, col, reach_m)
    truth = reference(case, slice(None)) if reach_m <= 1_000 else None
    for heights, bound in (((10.0,), 1.5), (HEIGHTS_M, 4)):
        name = f"full circle, {reach_m / 1000:g} km, {len(heights)} heights"
        cpu, planes = 0.0, []
        for at in sites:
            place = (at * 5.0, -at * 5.0, float(grid.surface_m[at, at]))
            work = functools.partial(circle_flags, grid, place, heights, [HEAD_M], reach_m)
            planes.append(work()[:, 0].reshape(len(heights), -1))
            spent = []
            set_num_threads(1)
            for _ in range(5):
                begin = time.process_time()
                work()
                spent.append(time.process_time() - begin)
            set_num_threads(config.NUMBA_NUM_THREADS)
            cpu += min(spent)
        pairs = pair_count(case, slice(None), heights)
        table.add(f"{name}: fan 0.5, speed", pairs / cpu / 1e6, "M pairs/s")
        found = peer("GDAL", case, slice(None), heights)
        if found is None:
            table.add(f"{name}: GDAL", "peer missing", "")
            continue
        seen, gdal_cpu, _ = found
        table.at_least(f"{name}: faster than GDAL", gdal_cpu / cpu, "×", bound)
        if truth is not None:
            chosen = truth[:, [HEIGHTS_M.index(height) for height in heights]]
            error = (np.array(planes) != chosen).sum() / (seen != chosen).sum()
            table.at_most(f"{name}: error of GDAL's", error, "×", 0.25)


def agreement(table: Table) -> None:
    """The exact method against rays of 400 samples a cell on every real terrain."""
    for name, surface, cell in real_terrain():
        rows, cols = surface.shape
        height, width = min(rows, 160), min(cols, 160)
        # The window with the most relief of some, without bias to one place.
        places = [
            (i, j)
            for i in np.linspace(0, rows - height, 4).astype(int)
            for j in np.linspace(0, cols - width, 4).astype(int)
        ]
        window = max(
            (surface[i : i + height, j : j + width] for i, j in places),
            key=lambda part: np.nan_to_num(np.nanstd(part)) - np.isnan(part).mean() * 1e6,
        )
        grid = make_grid(np.ascontiguousarray(window), cell, 0.0, 0.0)
        rng = np.random.default_rng(3)
        known = np.flatnonzero(~np.isnan(window).ravel())
        row, col = np.divmod(known, width)
        enough = int(np.ceil(1.1e6 / (len(HEIGHTS_M) * known.size)))
        at = rng.choice(known.size, max(12, enough), replace=False)
        case = Case(name, grid, row[at], col[at], row, col, np.inf)
        truth = reference(case, slice(None), 400)
        seen, unknown = sight_bits(grid, case.observers, HEIGHTS_M, case.targets, [HEAD_M])
        seen = unpack_bits(seen[:, :, 0], row.size)
        told = np.repeat(~unpack_bits(unknown[:, 0], row.size)[:, None], len(HEIGHTS_M), axis=1)
        agrees = 100 - 100 * (seen != truth)[told].mean()
        pairs = f"{told.sum() / 1e6:.1f} M pairs"
        table.at_least(f"{name}: exact, agrees on {pairs}", agrees, "%", 99.99)


READY = """
import time
import numpy as np
from watchline.kernels import fan_bits, make_grid, make_points, sight_bits
grid = make_grid(np.zeros((50, 50), np.float32), 1.0, 0.0, 0.0)
at = make_points([25.0], [-25.0], [0.0])
row, col = (a.ravel() * 1.0 for a in np.mgrid[:49, :49])
targets = make_points(col, -row, np.zeros(col.size))
begin = time.process_time()
fan_bits(grid, at, [5.0], targets, [1.0])
sight_bits(grid, at, [5.0], targets, [1.0])
print(time.process_time() - begin)
"""


def ready(table: Table) -> None:
    """How long the first call takes in a new process, when kernels are compiled and kept."""
    spent = [
        float(subprocess.run([sys.executable, "-c", READY], capture_output=True, text=True).stdout)
        for _ in range(2)
    ]
    table.at_most("compiled kernels ready in a new process", min(spent), "s", 0.5)


def whole(table: Table, cell: float, length_m: float, spacing: float, goal_s: float | None) -> None:
    """A whole straight line: a site every 5 m, four heights, in chunks of sites."""
    sites = round(length_m / 5)
    case = corridor("", cell, ((0, 0), (length_m, 0)), sites)
    # The same 12 km of terrain to and fro, or longer lines would be smoother and see more.
    rows, cols = case.grid.surface_m.shape
    piece = fractal(max(rows, 512), round(12_000 / cell), 11)[:rows]
    both = np.concatenate([piece, piece[:, ::-1]], axis=1)
    surface = np.tile(both, (1, cols // both.shape[1] + 1))[:, :cols]
    case = replace(case, grid=make_grid(np.ascontiguousarray(surface), cell, *case.grid[2:]))
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
    parser = argument_parser(__doc__, quick="fewer sites; under 60 s")
    parser.add_argument("--whole", action="store_true", help="also 12 km at 1 m")
    options = parser.parse_args()
    table = Table(options.json)
    ready(table)
    sites = 100 if options.quick else 400
    step = 50 if options.quick else 20
    few = slice(step // 2, None, step)
    peers = ("GDAL",) if options.quick else ("GDAL", "GRASS")
    bare = {"error": 0.15, "jaccard": 0.995, "GDAL": 40, "GRASS": 2_000, "peers": peers}
    blocked = {**bare, "error": 0.5, "jaccard": 0.97, "GDAL": 30}
    fine = {**bare, "error": 0.02, "GDAL": 20}
    compare(table, corridor("real line 5 m", 5.0, BENT_LINE, sites), few, 0.5, bare)
    compare(table, corridor("obstacles 5 m", 5.0, BENT_LINE, sites, 4.0), few, 0.5, blocked)
    terrain = lidar("lidar 1 m", sites)
    if terrain is None:
        table.add("lidar 1 m", "test data missing", "")
    else:
        compare(table, terrain, few, 0.5, fine)
    if not options.quick:
        best = {**bare, "peers": ("GDAL",)}
        compare(table, corridor("along the grid 5 m", 5.0, STRAIGHT_LINE, sites), few, 0.5, best)
        agreement(table)
        circle(table, 5_000.0)
    circle(table, 1_000.0)
    whole(table, 5.0, 12_000, 0.5, 3.0)
    if not options.quick:
        whole(table, 5.0, 36_000, 0.5, None)
        whole(table, 5.0, 120_000, 0.5, None)
        table.add("memory, peak so far", memory_peak_gb(), "GB")
    if options.whole:
        whole(table, 1.0, 12_000, 1.0, 60.0)
        table.at_most("memory, peak", memory_peak_gb(), "GB", 4)
    table.end()


if __name__ == "__main__":
    main()
