"""Where cells lie, and what an array on them holds at a place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.geo.grid import Grid, bilinear_at, crop, nearest_at, sample_bilinear

GRID = Grid(600_000.0, 3_460_000.0, 2.5, 7, 9)


def test_affine_there_and_back():
    affine = GRID.to_affine()
    # The corner lies half a cell off the first centre.
    assert affine == (2.5, 0.0, 599_998.75, 0.0, -2.5, 3_460_001.25)
    assert Grid.from_affine(affine, 7, 9) == GRID


@pytest.mark.parametrize(
    "affine",
    [
        (2.5, 0.1, 0.0, 0.0, -2.5, 0.0),
        (2.5, 0.0, 0.0, 0.0, 2.5, 0.0),
        (2.5, 0.0, 0.0, 0.0, -2.4, 0.0),
    ],
    ids=["rotated", "south-up", "oblong"],
)
def test_an_affine_that_is_not_square_and_north_up_is_refused(affine):
    with pytest.raises(ValueError, match="not square and north-up"):
        Grid.from_affine(affine, 3, 3)


def test_bounds_and_axes_are_those_of_the_centres():
    assert GRID.bounds == (600_000.0, 3_459_985.0, 600_020.0, 3_460_000.0)
    assert GRID.x[-1] == 600_020.0
    assert GRID.y[-1] == 3_459_985.0


def test_covering_encloses_the_bounds_and_stays_within_the_grid():
    part = GRID.covering((600_003.0, 3_459_991.0, 600_006.0, 3_459_994.0))
    assert part.bounds == (600_002.5, 3_459_990.0, 600_007.5, 3_459_995.0)
    assert GRID.covering((0.0, 0.0, 1e7, 1e7)) == GRID
    # Bounds on centres need no further ring.
    assert GRID.covering(part.bounds) == part
    assert GRID.covering((700_000.0, 0.0, 700_010.0, 1e7)) is None


def test_crop_takes_the_same_places():
    values = np.arange(63.0).reshape(7, 9)
    part = GRID.part(2, 3, 4, 5)
    cropped = crop(values, GRID, part)
    assert cropped.shape == part.shape
    x, y = np.meshgrid(part.x, part.y)
    assert (sample_bilinear(GRID, values, x, y) == cropped).all()
    with pytest.raises(ValueError, match="share"):
        crop(values, GRID, Grid(600_001.0, 3_460_000.0, 2.5, 2, 2))
    with pytest.raises(ValueError, match="within"):
        crop(values, GRID, GRID.part(5, 0, 4, 4))


def test_a_plane_is_sampled_exactly():
    x, y = np.meshgrid(GRID.x, GRID.y)
    plane = 3.0 + 0.25 * (x - GRID.x0) - 0.5 * (y - GRID.y0)
    rng = np.random.default_rng(4)
    px = rng.uniform(GRID.bounds[0], GRID.bounds[2], 500)
    py = rng.uniform(GRID.bounds[1], GRID.bounds[3], 500)
    expected = 3.0 + 0.25 * (px - GRID.x0) - 0.5 * (py - GRID.y0)
    np.testing.assert_allclose(sample_bilinear(GRID, plane, px, py), expected, atol=1e-9)


def test_the_saddle_is_bilinear():
    saddle = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert bilinear_at(saddle, np.array([0.5]), np.array([0.5]))[0] == 0.5
    assert bilinear_at(saddle, np.array([0.25]), np.array([0.75]))[0] == pytest.approx(0.625)


def test_beyond_the_outermost_centres_nothing_is_known():
    values = np.zeros((7, 9))
    places = np.array([GRID.x0 - 0.01, GRID.x0, GRID.x0 + 20.0, GRID.x0 + 20.01, np.nan, np.inf])
    found = sample_bilinear(GRID, values, places, GRID.y0)
    assert np.isnan(found).tolist() == [True, False, False, True, True, True]


def test_an_unknown_centre_spreads_only_where_it_carries_weight():
    values = np.zeros((7, 9))
    values[3, 4] = np.nan
    col = np.array([4.0, 3.0, 3.5, 5.0, 4.0, 4.0, 3.01, 2.99])
    row = np.array([3.0, 3.0, 3.0, 3.0, 2.0, 2.5, 2.01, 2.01])
    unknown = np.isnan(bilinear_at(values, col, row))
    assert unknown.tolist() == [True, False, True, False, False, True, True, False]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8), st.integers(0, 6), st.floats(-1e-7, 1e-7), st.floats(-1e-7, 1e-7))
def test_noise_on_a_centre_never_meets_its_neighbours(col, row, du, dv):
    values = np.full((7, 9), np.nan)
    values[row, col] = 12.0
    found = bilinear_at(values, np.array([col + du]), np.array([row + dv]))
    assert found[0] == pytest.approx(12.0, abs=1e-5)


def test_nearest_reaches_to_the_cells_edges():
    values = np.arange(63.0).reshape(7, 9)
    col = np.array([-0.51, -0.49, 0.49, 0.51, 8.49, 8.51, np.nan])
    found = nearest_at(values, col, np.zeros(7))
    np.testing.assert_array_equal(found, [np.nan, 0, 0, 1, 8, np.nan, np.nan])
