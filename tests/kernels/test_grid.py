from __future__ import annotations

import numpy as np
import pytest

from watchline.errors import UsageError
from watchline.kernels import bilinear_heights_m, make_grid, make_points


def test_bilinear_is_exact_on_a_bilinear_surface():
    rng = np.random.default_rng(1)
    row, col = np.mgrid[:9, :13].astype(float)
    grid = make_grid(3 + 2 * col - 5 * row + 0.25 * col * row, 4.0, 100.0, 200.0)
    u, v = rng.uniform(0, 12, 500), rng.uniform(0, 8, 500)
    heights = bilinear_heights_m(grid, 100 + 4 * u, 200 - 4 * v)
    assert heights == pytest.approx(3 + 2 * u - 5 * v + 0.25 * u * v)


def test_bilinear_ends_at_the_outermost_nodes():
    grid = make_grid(np.ones((3, 3)), 1.0, 0.0, 0.0)
    inside = bilinear_heights_m(grid, [0.0, 2.0, 1.0], [0.0, -2.0, -2.0])
    outside = bilinear_heights_m(grid, [-0.01, 2.01, 1.0, 1.0], [0.0, 0.0, 0.01, -2.01])
    assert (inside == 1).all()
    assert np.isnan(outside).all()


def test_a_hole_spreads_only_to_places_where_it_has_weight():
    surface = np.zeros((3, 3))
    surface[1, 1] = np.nan
    grid = make_grid(surface, 1.0, 0.0, 0.0)
    assert bilinear_heights_m(grid, [0.0, 0.5, 2.0], [-1.0, 0.0, -1.5]) == pytest.approx(0)
    assert np.isnan(bilinear_heights_m(grid, [0.5, 1.0, 1.5], [-0.5, -1.0, -1.9])).all()


@pytest.mark.parametrize("surface", [np.zeros(4), np.zeros((1, 4)), np.zeros((2, 2, 2))])
def test_a_surface_of_the_wrong_shape_is_refused(surface):
    with pytest.raises(UsageError, match="shape"):
        make_grid(surface, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("cell", [0.0, -1.0, np.nan])
def test_a_cell_of_no_size_is_refused(cell):
    with pytest.raises(UsageError):
        make_grid(np.zeros((2, 2)), cell, 0.0, 0.0)


def test_points_that_do_not_match_are_refused():
    with pytest.raises(UsageError, match="1, 2 and 1"):
        make_points([1.0], [1.0, 2.0], [1.0])
    with pytest.raises(UsageError):
        make_points([np.nan], [1.0], [1.0])
