"""Viewsheds of GRASS r.viewshed and GDAL on real terrain.

Both approximate what lies between cells, so neither is the truth: closer agreement with one of
them would mean copying its interpolation. We must agree with each at least as well as they agree
with one another.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from watchline.see import viewshed

DATA = Path(__file__).parents[1] / "data" / "reference_viewsheds"
CASES = json.loads((DATA / "cases.json").read_text())


def read_case(case: dict):
    """Return terrain, transform, GRASS's and GDAL's cells, and the cells that are compared."""
    with rasterio.open(DATA / case["dem"]) as raster:
        terrain, transform = raster.read(1), raster.transform
    with rasterio.open(DATA / f"{case['case']}_grass.tif") as raster:
        grass = raster.read(1) == 1
    gdal = np.zeros(terrain.shape, dtype=bool)
    with rasterio.open(DATA / f"{case['case']}_gdal.tif") as raster:
        col, row = (round(value) for value in ~transform @ (raster.transform.c, raster.transform.f))
        gdal[row : row + raster.height, col : col + raster.width] = raster.read(1) == 1
    x = transform.c + (np.arange(terrain.shape[1]) + 0.5) * transform.a
    y = transform.f + (np.arange(terrain.shape[0])[:, None] + 0.5) * transform.e
    distance = np.hypot(x - case["observer_x"], y - case["observer_y"])
    return terrain, transform, grass, gdal, distance < 0.98 * case["max_dist"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_published_figures_are_those_of_the_files(case):
    _, _, grass, gdal, compared = read_case(case)
    assert compared.sum() == case["cells"]
    assert (grass & compared).sum() == case["grass_visible"]
    assert (gdal & compared).sum() == case["gdal_visible"]
    assert 100 * np.mean((grass == gdal)[compared]) == pytest.approx(case["agree_pct"], abs=5e-4)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_agrees_with_each_at_least_as_well_as_they_with_one_another(case):
    terrain, transform, grass, gdal, compared = read_case(case)
    ours = viewshed(
        terrain,
        transform,
        (case["observer_x"], case["observer_y"], case["observer_h"]),
        case["target_h"],
        case["max_dist"],
        curvature=False,
    )
    assert not ours.mask.any()
    between = np.mean((grass == gdal)[compared])
    assert np.mean((ours.data == grass)[compared]) >= between
    assert np.mean((ours.data == gdal)[compared]) >= between
