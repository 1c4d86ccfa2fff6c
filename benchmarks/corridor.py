"""The visibility step on long lines: time per km and peak memory from 12 to 500 km.

    python benchmarks/corridor.py [--quick] [--json]

A diagonal line over fractal terrain at 5 m, a zone 100 m wide, four mast heights, range 5 km, bits
streamed to the disk. Each length runs in a process of its own, which tells its peak memory. The
surface is made piece by piece as the step asks for it (the bounding box of the 500 km line would
hold five billion cells); it repeats every 5 km without a seam. Compilation is excluded. `--quick`
takes fewer sites a km and one method.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CELL_M = 5.0
HEIGHTS_M = (6.0, 10.0, 15.0, 25.0)
RANGE_M = 5_000.0
LENGTHS_KM = (12, 20, 120, 500)
ORIGIN = (300_000.0, 5_000_000.0)


class Tiled:
    """A surface that repeats one fractal tile, made only where somebody asks for it."""

    def __init__(self, extent_m: float, size: int = 1024) -> None:
        rng = np.random.default_rng(11)
        wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
        wave[0, 0] = np.inf
        phase = np.exp(2j * np.pi * rng.random(wave.shape))
        tile = np.fft.irfft2(wave**-1.8 * phase, (size, size))
        self.tile = (tile / tile.std() * 40.0).astype(np.float32)
        count = int(extent_m / CELL_M) + 3
        self.x = ORIGIN[0] + np.arange(count) * CELL_M
        self.y = ORIGIN[1] - np.arange(count) * CELL_M
        self.cell_m, self.refraction = CELL_M, 0.13
        self.local_origin = (float(self.x.mean()), float(self.y.mean()))
        self.largest = 0

    def surface_piece(self, rows: slice, cols: slice) -> np.ndarray:
        """Heights on some rows and columns."""
        size = len(self.tile)
        row, col = (np.arange(part.start, part.stop) % size for part in (rows, cols))
        self.largest = max(self.largest, len(row) * len(col))
        return self.tile[np.ix_(row, col)]

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height at the node nearest to each place."""
        size = len(self.tile)
        row = np.rint((ORIGIN[1] - y) / CELL_M).astype(int) % size
        col = np.rint((x - ORIGIN[0]) / CELL_M).astype(int) % size
        return self.tile[row, col].astype(float)


def job(length_km: float, sites_a_km: float):
    """Surface and candidates of a line that runs down the diagonal."""
    import pandas as pd

    from watchline.model.candidates import Candidates

    length, root = length_km * 1_000.0, np.sqrt(0.5)
    surface = Tiled(length * root + 200.0)

    def table(s: np.ndarray, t: np.ndarray) -> pd.DataFrame:
        x = ORIGIN[0] + 100.0 + (s + t) * root
        y = ORIGIN[1] - 100.0 - (s - t) * root
        # On the nodes: bilinear heights need no interpolation there.
        x, y = (o + np.rint((v - o) / CELL_M) * CELL_M for v, o in ((x, ORIGIN[0]), (y, ORIGIN[1])))
        return pd.DataFrame({"x": x, "y": y, "s": s, "ground_z": surface.height(x, y)})

    s, t = np.meshgrid(np.arange(0, length, CELL_M), np.arange(-50.0, 50.0, CELL_M), indexing="ij")
    cells = table(s.ravel(), t.ravel())
    along = np.linspace(0, length, max(2, round(length_km * sites_a_km)))
    spots = table(along, np.zeros_like(along)).assign(site=np.arange(len(along)))
    mounts = spots.loc[spots.index.repeat(len(HEIGHTS_M))].reset_index(drop=True)
    mounts["height_m"] = np.tile(HEIGHTS_M, len(along))
    mounts.insert(0, "mount", np.arange(len(mounts)))
    return surface, Candidates(mounts, cells, RANGE_M, (1.7,))


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def worker(length_km: float, sites_a_km: float, method: str) -> None:
    """One length in this process; prints its figures as JSON."""
    from watchline.design.see import compute_visibility, memory_bytes
    from watchline.io.visibility import VisibilityWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visibility.zarr"
        warm = job(1.0, 4.0)
        compute_visibility(*warm, method=method, sink=VisibilityWriter(path))
        begin = time.process_time()
        surface, candidates = job(length_km, sites_a_km)
        made = time.process_time() - begin
        before = peak_mb()
        stated = memory_bytes(surface, candidates)
        cpu, wall = time.process_time(), time.perf_counter()
        found = compute_visibility(surface, candidates, method=method, sink=VisibilityWriter(path))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        seen = sum(int(found.visible_at(m).sum()) for m in range(0, found.mounts, 97))
        disk = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    print(
        json.dumps(
            {
                "cpu": cpu, "wall": wall, "peak": peak_mb(), "before": before, "made": made,
                "inputs": candidates.cells.memory_usage().sum() / 1e6, "disk": disk / 1e6,
                "stated": stated[1] / 1e6, "piece": surface.largest / 1e6, "seen": seen,
                "mounts": found.mounts, "method": found.method,
            }
        )
    )  # fmt: skip


def measure(length_km: float, sites_a_km: float, method: str) -> dict:
    """One length in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--worker", str(length_km), str(sites_a_km), method],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer sites; under 60 s")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(float(options.worker[0]), float(options.worker[1]), options.worker[2])
        return

    def show(
        name: str, value: float, unit: str, target: str = "", holds: bool | None = None
    ) -> None:
        row = {"name": name, "value": round(value, 4), "unit": unit, "target": target,
               "holds": holds}  # fmt: skip
        if options.json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        else:
            mark = {True: "holds", False: "MISSES", None: ""}[holds]
            print(f"{name:52} {value:>12,.3f} {unit:10} {target:>10} {mark}", flush=True)

    jobs = [("fan", 2.0)] if options.quick else [("fan", 20.0), ("exact", 2.0)]
    for method, sites_a_km in jobs:
        found = {}
        for length in LENGTHS_KM:
            made = found[length] = measure(length, sites_a_km, method)
            name = f"{method}, {length} km, {made['mounts']:,} mounts"
            show(f"{name}: CPU time per km", made["cpu"] / length, "s/km")
            show(f"{name}: wall time", made["wall"], "s")
            show(f"{name}: peak memory of the process", made["peak"], "MB")
            show(f"{name}: of it the table of cells", made["inputs"], "MB")
            show(f"{name}: largest piece of surface", made["piece"], "M nodes")
            show(f"{name}: on disk", made["disk"], "MB")
        short, long = found[20], found[500]
        # The table of cells is an input of the step, and the one thing that grows with the line.
        grown = (long["peak"] - long["inputs"]) / (short["peak"] - short["inputs"])
        show(f"{method}: memory of 500 km by that of 20 km", grown, "×", "≤ 1.2", grown <= 1.2)
        slower = (long["cpu"] / 500) / (found[120]["cpu"] / 120)
        show(f"{method}: time per km, 500 km by 120 km", slower, "×", "≤ 1.2", slower <= 1.2)


if __name__ == "__main__":
    main()
