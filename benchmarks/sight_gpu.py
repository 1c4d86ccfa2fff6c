"""Line of sight on a GPU beside the processor: same jobs, same bits, one run.

    python benchmarks/sight_gpu.py [--quick] [--json]

Wall seconds with all transfers, compilation apart; the processor uses all its threads. The target
of every difference is zero bits. Where no GPU can be used, it says so and ends with 0.
"""

from __future__ import annotations

import time

import numpy as np

from _sight_cases import BENT_LINE, HEAD_M, HEIGHTS_M, Case, corridor, fractal, lidar, pair_count
from _table import Table, argument_parser
from watchline.kernels import gpu_fault, gpu_name, make_grid, make_points, sight_on


def full_circle(size: int) -> Case:
    """One viewshed all round, on terrain at 1 m."""
    grid = make_grid(fractal(size, size, 5), 1.0, 0.0, 0.0)
    row, col = (axis.ravel() for axis in np.mgrid[:size, :size])
    middle = np.array([size // 2])
    return Case(f"full circle {size} × {size} at 1 m", grid, middle, middle, row, col, size / 2)


def timed(device: str, method: str, case: Case, some: slice, **dial):
    """Run twice; return the planes, and the wall seconds of both runs."""
    observers = make_points(*(field[some] for field in case.observers))
    walls = []
    for _ in range(2):
        begin = time.perf_counter()
        planes = sight_on(device, method)(
            case.grid, observers, HEIGHTS_M, case.targets, [HEAD_M], case.reach_m, **dial
        )
        walls.append(time.perf_counter() - begin)
    return planes, walls


def compare(table: Table, case: Case, method: str, some: slice = slice(None), **dial) -> None:
    """Speed of both devices, and the bits in which they differ."""
    pairs = pair_count(case, some)
    name = f"{case.name}: {method}"
    theirs, (_, cpu) = timed("cpu", method, case, some, **dial)
    ours, (first, gpu) = timed("gpu", method, case, some, **dial)
    table.add(f"{name}, pairs", pairs / 1e6, "M")
    table.add(f"{name}, processor", pairs / cpu / 1e6, "M pairs/s")
    table.add(f"{name}, GPU", pairs / gpu / 1e6, "M pairs/s")
    table.add(f"{name}, GPU is faster by", cpu / gpu, "×")
    table.add(f"{name}, GPU's first run takes longer by", first - gpu, "s")
    bits = sum(int(np.bitwise_count(a ^ b).sum()) for a, b in zip(ours, theirs, strict=True))
    table.at_most(f"{name}, bits that differ", bits, "", 0)


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="fewer sites; under 60 s").parse_args()
    table = Table(options.json)
    fault = gpu_fault()
    table.add("GPU", f"no GPU here: {fault}" if fault else gpu_name(), "")
    if not fault:
        sites = 100 if options.quick else 2_400
        few = slice(0, None, 10 if options.quick else 40)
        cases = [corridor("real line 5 m", 5.0, BENT_LINE, sites), lidar("lidar 1 m", sites)]
        for case in (case for case in cases if case is not None):
            compare(table, case, "fan", spacing=0.5)
            compare(table, case, "exact", few)
        circle = full_circle(1_001 if options.quick else 4_001)
        compare(table, circle, "fan", spacing=0.5)
        compare(table, circle, "exact")
    table.end()


if __name__ == "__main__":
    main()
