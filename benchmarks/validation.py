"""Every comparison with an oracle, measured: the figures of docs/validation.md.

    python benchmarks/validation.py [--json] [--quick]

Each row names what was compared, the figure, its target, and whether it holds. The scenes and the
naive implementations are those of the tests. ``--quick`` takes fewer random scenes.
"""

from __future__ import annotations

import csv
import json
import math
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / part) for part in ("", "kernels", "prove", "oracles", "design/cover")]

import naive_sight  # noqa: E402
import test_illuminance as lit  # noqa: E402
import test_reference_viewsheds as reference  # noqa: E402
import test_scene as tracing  # noqa: E402
import test_sight_naive as twin  # noqa: E402
from cover_cases import read_orlib  # noqa: E402

import photometry_cases as light_files  # noqa: E402
import radiance_oracle as radiance  # noqa: E402
from watchline.design.cover import cover  # noqa: E402
from watchline.io.photometry import read_photometry  # noqa: E402
from watchline.kernels import (  # noqa: E402
    EARTH_RADIUS_M,
    TOUCH_M,
    curvature_drop_m,
    fold_curvature,
    least_mount_heights_m,
    make_grid,
    make_points,
    sight_bits,
    unpack_bits,
)
from watchline.physics import optics  # noqa: E402
from watchline.physics.photometry import flux_lm, intensity_cd  # noqa: E402
from watchline.prove.scene import FREE, UNKNOWN, build_scene, trace  # noqa: E402
from watchline.see import viewshed  # noqa: E402

TERRAINS = (
    ("Swiss Alps 2.5 m", "swiss_alps_2m5/swiss_crop_240.tif"),
    ("Slovenia 1 m", "slovenia_hills_1m/TM1_564_146_nodata.tif"),
)
ORLIB = {"scp41": 429, "scp51": 253, "scp61": 138, "scpe1": 5, "scpa1": 253}


def figure(name: str, value: float, unit: str, target: str, holds: bool) -> dict:
    """One row of the table."""
    return {"name": name, "value": value, "unit": unit, "target": target, "holds": bool(holds)}


def reference_viewsheds(quick: bool) -> list[dict]:
    """Agreement with GRASS and GDAL on the cells of each case, beside theirs with each other."""
    found = []
    for case in reference.CASES:
        terrain, transform, grass, gdal, compared = reference.read_case(case)
        place = (case["observer_x"], case["observer_y"], case["observer_h"])
        ours = viewshed(
            terrain, transform, place, case["target_h"], case["max_dist"], curvature=False
        ).data
        between = 100 * float(np.mean((grass == gdal)[compared]))
        name = f"viewshed {case['case']}"
        found.append(figure(f"{name}: GRASS and GDAL", between, "% of cells", "", True))
        for peer, cells in (("GRASS", grass), ("GDAL", gdal)):
            agree = 100 * float(np.mean((ours == cells)[compared]))
            target = f">= {between:.3f}"
            label = f"{name}: ours and {peer}"
            found.append(figure(label, agree, "% of cells", target, agree >= between))
    return found


def naive_twin(quick: bool) -> list[dict]:
    """The exact kernel against rays walked with fractions, pair by pair."""
    pairs = wrong = 0
    for seed in range(20 if quick else 100):
        kind = {
            "integers": seed % 3 == 0,
            "holes": (0.0, 0.02, 0.2)[seed % 3],
            "walls": seed % 2,
            "cell": (1.0, 2.5, 30.0)[seed // 2 % 3],
        }
        grid, observers, targets = twin.scene(seed, **kind)
        seen, unknown = sight_bits(grid, observers, twin.MOUNTS, targets, twin.HEADS)
        count = targets.x_m.size
        seen, unknown = unpack_bits(seen, count), unpack_bits(unknown, count)
        rows = grid.surface_m.tolist()
        for i, j, k in np.ndindex(observers.x_m.size, count, len(twin.HEADS)):
            ends = twin.in_nodes(grid, observers, i), twin.in_nodes(grid, targets, j)
            want = naive_sight.least_mount(rows, *ends, twin.HEADS[k])
            for m, mount in enumerate(twin.MOUNTS):
                clear = want is not None and (math.isinf(want) or Fraction(mount) >= want)
                pairs += 1
                wrong += seen[i, m, k, j] != clear or unknown[i, k, j] != (want is None)
    name = f"exact kernel and naive twin, {pairs:,} pairs: differing"
    return [figure(name, wrong, "pairs", "0", wrong == 0)]


def embree(quick: bool) -> list[dict]:
    """The proof's rays against a marcher and against the design's kernel, on real terrain."""
    found = []
    eyes, count = 6, 150 if quick else 450
    for name, file in TERRAINS:
        relief = tracing.read(file)
        x, y, z = tracing.rays(relief, count, seed=3)
        scene = build_scene(relief, x, y)
        col = relief.x0_m + relief.cell_m * np.arange(relief.surface.shape[1])
        row = relief.y0_m - relief.cell_m * np.arange(relief.surface.shape[0])
        folded = relief.fold(relief.surface, col, row[:, None])
        grid = make_grid(folded, relief.cell_m, relief.x0_m, relief.y0_m)
        ends = make_points(x[eyes:], y[eyes:], z[eyes:])
        bits, lost = sight_bits(grid, make_points(x[:eyes], y[:eyes], z[:eyes]), [8.0], ends, [1.7])
        seen, lost = unpack_bits(bits, count)[:, 0, 0], unpack_bits(lost, count)[:, 0]
        marched = design = total = holes = 0
        for k in range(eyes):
            eye = (x[k], y[k], z[k] + 8.0)
            state = trace(scene, eye, x[eyes:], y[eyes:], z[eyes:] + 1.7)
            known = np.isfinite(z[eyes:]) & np.isfinite(z[k])
            tops = zip(x[eyes:], y[eyes:], z[eyes:] + 1.7, strict=True)
            want = np.array([tracing.march(relief, eye, top) for top in tops])
            marched += int((state != want)[known].sum())
            judged = known & (state != UNKNOWN) & ~lost[k]
            design += int(((state == FREE) != seen[k])[judged].sum())
            holes += int(((state == UNKNOWN) != lost[k])[known].sum())
            total += int(known.sum())
        most = 100 * tracing.MOST_DISAGREEMENT
        for peer, wrong in (("marcher", marched), ("design's kernel", design)):
            share = 100 * wrong / total
            label = f"Embree and {peer}, {name}, {total:,} rays: differing"
            found.append(figure(label, share, "%", f"<= {most:g}", share <= most))
        label = f"Embree and design's kernel, {name}: unknown rays that differ"
        found.append(figure(label, holes, "rays", "0", holes == 0))
    return found


def closed_forms(quick: bool) -> list[dict]:
    """Horizon, curvature, pixel density."""
    cell, eye, head, refraction = 30.0, 6.0, 1.7, 0.13
    x = np.arange(700) * cell
    y = np.array([[cell], [0.0], [-cell]])
    grid = make_grid(
        fold_curvature(np.zeros((3, 700)), x, y, (0.0, 0.0), refraction), cell, 0, cell
    )
    ends = make_points(x, np.zeros(700), -curvature_drop_m(x, 0.0, (0.0, 0.0), refraction))
    start = make_points([0.0], [0.0], [0.0])
    seen = least_mount_heights_m(grid, start, ends, [head])[0, 0] <= eye
    radius = EARTH_RADIUS_M / (1 - refraction)
    horizon = sum(math.sqrt(2 * radius * (h + TOUCH_M)) for h in (eye, head))
    off = abs(x[seen].max() - horizon)
    found = [
        figure("horizon on the sea, eye 6 m, head 1.7 m: off by", off, "m", "<= 30", off <= cell)
    ]
    drop = float(curvature_drop_m(12_000.0, 0.0, (0.0, 0.0), 0.0))
    exact = EARTH_RADIUS_M * (1 / math.cos(12_000 / EARTH_RADIUS_M) - 1)
    off = abs(drop - exact)
    found.append(figure("drop at 12 km: off the sphere's by", off, "m", "<= 0.001", off <= 1e-3))
    focal = float(optics.focal_length_px(1920, 4.0, 5.12))
    aim = {"azimuth_deg": 0.0, "tilt_deg": math.degrees(math.atan2(10, 60)), "focal_px": focal}
    slant = math.hypot(60, 10)
    for name, value, want in (
        ("px/m at 10 m, 1920 px, 5.12 mm, f 4 mm", optics.pixel_density(focal, 10.0), 150.0),
        ("px/m across at 60 m from 10 m", optics.across_density(0, 60, -10, **aim), focal / slant),
        ("px/m along there", optics.along_density(0, 60, -10, **aim), focal * 10 / slant**2),
    ):
        holds = math.isclose(value, want, rel_tol=1e-9)
        found.append(figure(name, float(value), "px/m", f"{want:.4f}", holds))
    return found


def published_lenses(quick: bool) -> list[dict]:
    """Fields of view of the pinhole against makers' tables of thermal cameras."""
    with (TESTS / "data/camera_facts/camera_facts.csv").open(encoding="utf-8") as file:
        facts = list(csv.DictReader(file))
    worst, used = 0.0, 0
    for fact in facts:
        if fact["pitch_um"] and float(fact["focal_min_mm"]) >= 14:
            width = int(fact["px_w"])
            sensor = width * float(fact["pitch_um"]) / 1000
            focal = optics.focal_length_px(width, float(fact["focal_max_mm"]), sensor)
            field = float(optics.field_of_view_deg(width, focal))
            worst = max(worst, abs(field / float(fact["hfov_tele_deg"]) - 1))
            used += 1
    name = f"field of view of {used} published lenses from 14 mm: off by at most"
    return [figure(name, 100 * worst, "%", "<= 5", worst <= 0.05)]


def covering(quick: bool) -> list[dict]:
    """Cost and bound on OR-Library files, beside the best known."""
    found = []
    for name, best in ORLIB.items():
        costs, rows, demand = read_orlib((TESTS / f"data/cover/{name}.txt").read_text())
        solution = cover(costs, rows, demand, time_limit=5 if quick else 20)
        most = math.floor(1.02 * best)
        label, bound = f"OR-Library {name}, best known {best}", solution.lower_bound
        found.append(
            figure(f"{label}: cost", solution.cost, "", f"<= {most}", solution.cost <= most)
        )
        found.append(figure(f"{label}: bound", bound, "", f"<= {best}", bound <= best))
    return found


def photometry(quick: bool) -> list[dict]:
    """Intensities of files made from a formula, and the flux of real ones."""
    worst = 0.0
    for path in light_files.SYNTHETIC:
        direction = light_files.tabulated(path.stem, path)
        want = light_files.formula_cd(path.stem, direction)
        off = np.abs(intensity_cd(read_photometry(path), direction) - want).max() / want.max()
        worst = max(worst, float(off))
    count = len(light_files.SYNTHETIC)
    name = f"intensity in {count} files of a formula: off by, of the peak"
    found = [figure(name, worst, "", "<= 1e-4", worst <= 1e-4)]
    off = 0.0
    for path in light_files.REAL:
        real = read_photometry(path)
        off = max(off, abs(flux_lm(real) / real.declared_flux_lm - 1))
    name = f"flux of {len(light_files.REAL)} real files: off the declared one by"
    found.append(figure(name, 100 * off, "%", "<= 3", off <= 0.03))
    return found


def illuminance(quick: bool) -> list[dict]:
    """Illuminance on terrain with ridges, against Radiance."""
    if radiance.pyradiance is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        seen = lit.compare_with_radiance(Path(folder), 10_000)
    name = f"illuminance and Radiance, {seen['receivers']:,} receivers"
    dark = 100 * seen["shadow"]
    return [
        figure(f"{name}: mean", seen["mean"], "", "<= 1e-5", seen["mean"] <= 1e-5),
        figure(f"{name}: 99.9 %", seen["p999"], "", "<= 5e-4", seen["p999"] <= 5e-4),
        figure(f"{name}: largest", seen["max"], "", "<= 1e-3", seen["max"] <= 1e-3),
        figure(f"{name}: shadow differs", dark, "%", "<= 0.01", dark <= 0.01),
    ]


def main() -> int:
    """Print the figures; exit code 1 where one does not hold."""
    quick = "--quick" in sys.argv
    parts = (
        reference_viewsheds,
        naive_twin,
        embree,
        closed_forms,
        published_lenses,
        covering,
        photometry,
        illuminance,
    )
    figures = [row for part in parts for row in part(quick)]
    if "--json" in sys.argv:
        for row in figures:
            print(json.dumps(row, ensure_ascii=False))
    else:
        print(f"{'figure':<72} {'value':>12}  {'unit':<10} {'target':>12}  holds")
        for row in figures:
            value = f"{row['value']:.5g}" if row["value"] < 1e3 else f"{row['value']:,.0f}"
            holds = "yes" if row["holds"] else "NO"
            print(f"{row['name']:<72} {value:>12}  {row['unit']:<10} {row['target']:>12}  {holds}")
    return 0 if all(row["holds"] for row in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
