"""Probability of visibility: one sweep for 100 terrains beside 100 separate fans.

    python benchmarks/probability.py [--quick] [--json]

CPU seconds of all threads, compilation excluded. The separate runs see the same realisations of
the terrain, added to the surface beforehand: adding them is not timed, while drawing them is part
of the one sweep. The results of both are compared cell by cell, and with as many independent runs
of the exact method within the binomial bands of three standard errors.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from watchline.kernels.error_field import draw_error_fields, interpolate_error
from watchline.see import viewshed
from watchline.tools.probability import visibility_probability
from watchline.tools.scene import read_scene

sys.path.insert(0, str(Path(__file__).parent))
from _sight_cases import DATA, fractal
from _table import Table, argument_parser

HEAD_M = 1.7
LENGTH_CELLS = 20.0


def cases(quick: bool):
    """Name, surface, cell [m], observer (row, col, height), range [m], σ [m]."""
    yield "fractal 5 m, 1 km", fractal(512, 512, 5)[:401, :401], 5.0, (200, 200, 10.0), 1_000.0, 1.0
    if not quick:
        surface = fractal(2_048, 2_048, 5)[:1_201, :1_201]
        yield "fractal 5 m, 3 km", surface, 5.0, (600, 600, 10.0), 3_000.0, 1.0
    for name, file, cell, at, sigma in (
        ("lidar 1 m, 0.4 km", "TM1_564_146.tif", 1.0, (480, 500, 15.0), 0.3),
        ("Alps 2.5 m, 0.5 km", "swiss_2573_1085_2m5.tif", 2.5, (200, 200, 10.0), 1.0),
    ):
        if not (DATA / file).exists() or (quick and cell == 1.0):
            continue
        import rasterio

        with rasterio.open(DATA / file) as raster:
            surface = raster.read(1)
        reach = 400.0 if cell == 1.0 else 500.0
        yield name, surface, cell, at, reach, sigma


def perturbed(surface, transform, observer, reach, sigma, length, numbers, seed):
    """Yield the surface with each realisation of the error in the window of the range."""
    scene = read_scene(surface, transform, observer, reach, True, 0.13, None)
    shape = scene.grid.surface_m.shape
    row, col = (axis.ravel().astype(float) for axis in np.mgrid[: shape[0], : shape[1]])
    for number in numbers:
        fields = draw_error_fields(
            shape, scene.grid.cell_m, sigma, length, range(number, number + 1), seed
        )
        changed = surface.copy()
        changed[scene.window] += interpolate_error(fields, row, col)[:, 0].reshape(shape)
        yield changed


def compare(table: Table, case, realisations: int, exact_runs: int) -> None:
    """Speed and agreement on one terrain."""
    name, surface, cell, (row, col, height), reach, sigma = case
    transform = (cell, 0.0, 0.0, 0.0, -cell, surface.shape[0] * cell)
    observer = ((col + 0.5) * cell, (surface.shape[0] - row - 0.5) * cell, height)
    length = LENGTH_CELLS * cell
    wish = {"terrain_sigma": sigma, "correlation_length": length}

    def one(n):
        return visibility_probability(
            surface, transform, observer, HEAD_M, reach, realisations=n, **wish
        )

    one(2)
    begin = time.process_time()
    share = one(realisations)
    spent = time.process_time() - begin
    table.add(f"{name}: one sweep for {realisations} terrains", spent, "s CPU")
    separate, counts = 0.0, np.zeros(surface.shape)
    work = (surface, transform, observer, reach, sigma, length)
    viewshed(surface, transform, observer, HEAD_M, reach, method="fan")
    for changed in perturbed(*work, range(realisations), 0):
        begin = time.process_time()
        seen = viewshed(changed, transform, observer, HEAD_M, reach, method="fan")
        separate += time.process_time() - begin
        counts += seen.data
    table.add(f"{name}: {realisations} separate fans", separate, "s CPU")
    table.at_least(f"{name}: cheaper than separate fans", separate / spent, "×", 10)
    apart = np.abs(share - counts / realisations)
    table.at_most(f"{name}: differs from them, mean", 100 * float(apart.mean()), "%", 0.1)
    uncertain = (share > 0.02) & (share < 0.98)
    table.add(f"{name}: cells between 2 and 98 %", 100 * float(uncertain.mean()), "% of cells")
    if not exact_runs:
        return
    exact = np.zeros(surface.shape)
    for changed in perturbed(*work, range(exact_runs), 1):
        exact += viewshed(changed, transform, observer, HEAD_M, reach).data
    exact /= exact_runs
    ours = one(exact_runs)
    middle = (ours + exact) / 2
    band = 3 * np.sqrt(2 * middle * (1 - middle) / exact_runs) + 1 / exact_runs
    y, x = np.mgrid[: surface.shape[0], : surface.shape[1]]
    near = np.hypot(y - row, x - col) * cell <= reach
    inside = 100 * float(np.mean(np.abs(ours - exact)[near] <= band[near]))
    table.at_least(f"{name}: within 3σ of {exact_runs} exact runs", inside, "% of cells", 99)


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="small cases; under 60 s").parse_args()
    table = Table(options.json)
    for case in cases(options.quick):
        small = case[1].size < 400_000
        compare(table, case, 100, 40 if options.quick and small else 100 if small else 0)
    table.end()


if __name__ == "__main__":
    main()
