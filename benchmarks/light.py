"""Illuminance: speed and agreement beside Radiance's rtrace, on the same pairs, in one run.

    python benchmarks/light.py [--quick] [--json]

The job: a zone of 12 km × 100 m at 2 m, 240 floodlights on 120 masts of 12 m, horizontal
illuminance 10 cm above the ground and vertical illuminance at 1.5 m toward the masts: 300,000 of
each, on hilly and on open ground. CPU seconds (all threads), compilation excluded. Radiance gets
the same triangles, lamps and receivers; it is timed on a random sample of the receivers, without
the time to load its scene, and counted up to all of them. No thresholds are set for it: every pair
is traced. Floodlights of one mast hang 1 m apart in both programs, so that none shares a ray.

`--quick` takes 4 km and fewer receivers, under 60 s. Without pyradiance its rows say "peer
missing".
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kernels"), str(Path(__file__).parent)]

from test_illuminance import compare_with_radiance  # noqa: E402

import radiance_oracle as radiance  # noqa: E402
from _sight_cases import fractal  # noqa: E402
from _table import Table, argument_parser  # noqa: E402
from watchline.io.photometry import read_photometry  # noqa: E402
from watchline.kernels.grid import Grid, make_grid, make_points  # noqa: E402
from watchline.kernels.light import Illuminance, illuminate  # noqa: E402
from watchline.kernels.light_ray import build_pyramid, triangle_heights_m  # noqa: E402
from watchline.physics.luminaires import Luminaire, pack_lights  # noqa: E402

CELL_M = 2.0
WIDTH_M = 100.0
MAST_M = 12.0
MAST_STEP_M = 100.0
MAST_OFFSET_M = 80.0
HEIGHTS_M = (0.1, 1.5)
NORMALS = np.array([(0.0, 0.0, 1.0), (0.0, 1.0, 0.0)])
SKIP_LX = 0.01
FLOOD = read_photometry(ROOT / "tests" / "data" / "photometry" / "projector.ldt")
FLOOD_FACTOR = 5.0
"""A real floodlight of 5,158 lm, five times as strong: 26,000 lm."""


@dataclass(frozen=True)
class Job:
    """A line of masts on a terrain, and the receivers of its zone."""

    name: str
    grid: Grid
    lamps: tuple[Luminaire, ...]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    def run(self, skip_lx: float, chosen=slice(None)) -> tuple[Illuminance, float]:
        """Illuminance and CPU seconds, with the pyramid and the tables built anew."""
        begin = time.process_time()
        found = illuminate(
            self.grid,
            pack_lights(self.lamps),
            make_points(self.x[chosen], self.y[chosen], self.z[chosen]),
            HEIGHTS_M,
            NORMALS,
            skip_lx=skip_lx,
            pyramid=build_pyramid(self.grid),
        )
        return found, time.process_time() - begin


def make_job(name: str, length_m: float, rms_m: float) -> Job:
    """The job on fractal ground of a roughness; long lines repeat 16 km of it, mirrored."""
    rows, cols = round(WIDTH_M / CELL_M) + 21, round(length_m / CELL_M) + 1
    piece = fractal(512, 8192, 3, rms_m)[:rows]
    ground = np.concatenate([piece, piece[:, ::-1]], axis=1)
    ground = np.tile(ground, (1, -(-cols // ground.shape[1])))[:, :cols]
    y0 = WIDTH_M + 10 * CELL_M
    grid = make_grid(np.ascontiguousarray(ground), CELL_M, 0.0, y0)
    lamps = []
    for x in np.arange(MAST_STEP_M / 2, length_m, MAST_STEP_M):
        top = float(triangle_heights_m(grid, [x], [MAST_OFFSET_M])[0]) + MAST_M
        lamps += [
            Luminaire(
                FLOOD,
                float(x + side / 2),
                MAST_OFFSET_M,
                top,
                azimuth_deg=180.0 - 35.0 * side,
                tilt_deg=65.0,
                front_c_deg=180.0,
                factor=FLOOD_FACTOR,
            )
            for side in (-1.0, 1.0)
        ]
    x, y = np.meshgrid(
        np.arange(CELL_M / 2, length_m, CELL_M), np.arange(CELL_M / 2, WIDTH_M, CELL_M)
    )
    x, y = x.ravel(), y.ravel()
    return Job(name, grid, tuple(lamps), x, y, triangle_heights_m(grid, x, y))


def rtrace(job: Job, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Radiance's illuminance of chosen receivers, and its CPU seconds without loading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        polar = np.append(FLOOD.polar_deg, [FLOOD.polar_deg[-1] + 1e-3, 180.0])
        table = np.pad(FLOOD.intensity_cd, ((0, 0), (0, 2)))
        radiance.data_file(folder / "flood.dat", FLOOD.azimuth_deg, polar, table)
        grid = job.grid
        # Radiance keeps some coordinates in single precision: the middle becomes the origin.
        middle = grid.x0_m + CELL_M * (grid.surface_m.shape[1] // 2)
        text = [radiance.terrain_text(grid.surface_m, CELL_M, grid.x0_m - middle, grid.y0_m)]
        for k, lamp in enumerate(job.lamps):
            place = lamp.x - middle, lamp.y, lamp.z
            aim = lamp.azimuth_deg, lamp.tilt_deg, lamp.front_c_deg, lamp.factor
            text.append(radiance.lamp_text(f"lamp{k}", "flood.dat", *place, *aim))
        tree = radiance.octree(folder, "".join(text))
        points = [
            np.column_stack([job.x[chosen] - middle, job.y[chosen], job.z[chosen] + height])
            for height in HEIGHTS_M
        ]
        normals = [np.tile(normal, (chosen.size, 1)) for normal in NORMALS]
        points, normals = np.concatenate(points), np.concatenate(normals)
        _, loading = radiance.trace(folder, tree, points[:1], normals[:1])
        lux, spent = radiance.trace(folder, tree, points, normals)
    return lux.reshape(2, -1).T, spent - loading


def measure(table: Table, job: Job, sample: int, every: int) -> None:
    """All pairs and the bounded job, beside Radiance, with the differences between them."""
    receivers = 2 * job.x.size
    pairs = receivers * len(job.lamps)
    rng = np.random.default_rng(1)
    chosen = np.sort(rng.choice(job.x.size, sample, replace=False))
    some = slice(0, None, every)
    job.run(SKIP_LX, slice(0, 100))  # compiles
    full, spent = job.run(0.0, some)
    all_s = spent * job.x.size / full.lux.shape[0]
    table.add(f"{job.name}: all pairs", all_s, "CPU-s")
    table.add(f"{job.name}: all pairs, speed", pairs / all_s / 1e6, "M pairs/s")
    cut, cut_s = job.run(SKIP_LX)
    table.add(f"{job.name}: proven to {SKIP_LX:g} lx", cut_s, "CPU-s")
    table.at_most(f"{job.name}: proven truncation", float(cut.skipped_lx.max()), "lx", SKIP_LX)
    lost = full.lux - cut.lux[some]
    table.at_most(f"{job.name}: real truncation", float(lost.max()), "lx", SKIP_LX)
    table.add(f"{job.name}: pairs that are left", 100 * 2 * cut.pairs / pairs, "%")
    table.add(f"{job.name}: mean horizontal", float(cut.lux[:, 0].mean()), "lx")
    if radiance.pyradiance is None:
        table.add(f"{job.name}: Radiance", "peer missing", "")
        return
    theirs, spent = rtrace(job, chosen)
    their_s = spent * job.x.size / sample
    table.add(f"{job.name}: Radiance, counted up to all", their_s, "CPU-s")
    table.at_least(f"{job.name}: all pairs, faster than Radiance", their_s / all_s, "×", 20)
    table.at_least(f"{job.name}: proven, faster than Radiance", their_s / cut_s, "×", 100)
    ours, _ = job.run(0.0, chosen)
    more = np.maximum(ours.lux, theirs)
    differs = np.abs(ours.lux - theirs) / np.where(more > 1e-6, more, np.inf)
    table.at_most(
        f"{job.name}: 99 % of receivers differ by", float(np.quantile(differs, 0.99)), "", 5e-4
    )
    dark = float(((ours.lux > 1e-6) != (theirs > 1e-6)).mean())
    table.at_most(f"{job.name}: dark in one program only", 100 * dark, "% of receivers", 0.01)


def agreement(table: Table, count: int) -> None:
    """The comparison of the tests: terrain with ridges, grazing rays told and left out."""
    if radiance.pyradiance is None:
        table.add("ridges: Radiance", "peer missing", "")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = compare_with_radiance(Path(folder), count)
    name = f"ridges, {found['receivers']:,} receivers"
    table.at_most(f"{name}: mean difference", found["mean"], "", 1e-5)
    table.at_most(f"{name}: 99.9 % within", found["p999"], "", 5e-4)
    table.at_most(f"{name}: largest", found["max"], "", 1e-3)
    table.at_most(f"{name}: shadow differs", 100 * found["shadow"], "% of receivers", 0.01)
    table.add(f"{name}: left out, a ray within 1 mm of an edge", found["grazing"], "receivers")


def growth(table: Table, lengths_km: tuple[float, ...]) -> None:
    """CPU seconds a km of lines of several lengths, everything included."""
    rates = []
    for length in lengths_km:
        job = make_job(f"{length:g} km", length * 1000, 40.0)
        _, spent = job.run(SKIP_LX)
        rates.append(spent / length)
        table.add(f"proven to {SKIP_LX:g} lx, {length:g} km", rates[-1], "CPU-s/km")
    name = f"cost of a km at {lengths_km[-1]:g} km over that at {lengths_km[0]:g} km"
    table.at_most(name, rates[-1] / rates[0], "×", 1.25)


def main() -> None:
    """Run what the command line asks for."""
    options = argument_parser(__doc__, quick="a shorter line; under 60 s").parse_args()
    table = Table(options.json)
    length, sample, every = (4000.0, 2000, 5) if options.quick else (12_000.0, 5000, 1)
    for name, rms in (("hills", 40.0), ("open ground", 0.3)):
        label = f"{name}, {length / 1000:g} km"
        measure(table, make_job(label, length, rms), sample, every)
    agreement(table, 10_000)
    growth(table, (3.0, 12.0) if options.quick else (12.0, 48.0, 120.0))
    table.end()


if __name__ == "__main__":
    main()
