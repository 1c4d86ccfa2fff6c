"""Pixels, frames, relief and labels: the parts that pictures are made of."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString

from watchline.model.terrain import Terrain
from watchline.report import hillshade
from watchline.report.chart import head
from watchline.report.features import Field
from watchline.report.frame import Frame, direction_deg, fit
from watchline.report.judged import density_class, fill_grid, views_class
from watchline.report.labels import Placer, spread
from watchline.report.map import fields_layer
from watchline.report.picture import Picture
from watchline.report.png import encode_indexed
from watchline.report.strip import nice_range
from watchline.report.strip_heat import worst_of_columns
from watchline.report.style import still_css
from watchline.report.svg import path_of_points, sector_path
from watchline.report.ticks import free_side


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("colours", [2, 3, 5, 17, 200])
@pytest.mark.parametrize("cols", [1, 7, 16, 33])
def test_png_is_read_back_by_gdal_as_written(colours, cols):
    rng = np.random.default_rng(colours * 100 + cols)
    indices = rng.integers(0, colours, (9, cols)).astype(np.uint8)
    palette = rng.integers(0, 256, (colours, 4)).astype(np.uint8)
    with rasterio.MemoryFile(encode_indexed(indices, palette)) as memory, memory.open() as image:
        assert np.array_equal(image.read(1), indices)
        table = image.colormap(1)
    assert all(tuple(palette[k]) == table[k] for k in range(colours))


def terrain_of(heights: np.ndarray, cell_m: float = 10.0) -> Terrain:
    rows, cols = heights.shape
    coords = {"x": 5 + cell_m * np.arange(cols), "y": 5 + cell_m * np.arange(rows)[::-1]}
    grid = (("y", "x"), heights.astype(np.float32))
    return Terrain(xr.Dataset({"ground": grid, "surface": grid}, coords=coords), "EPSG:32636", 0.13)


def test_horn_gradient_of_a_plane_is_its_slope():
    y, x = np.mgrid[0:8, 0:9]
    plane = 0.3 * 10 * x - 0.2 * 10 * y
    east, north = hillshade.horn_gradient(plane, 10.0)
    # Row numbers grow southwards, so a height that falls with the row rises to the north.
    assert np.allclose(east[1:-1, 1:-1], 0.3)
    assert np.allclose(north[1:-1, 1:-1], 0.2)


@pytest.mark.parametrize("turn", [0.0, 90.0, 112.0, 270.0])
def test_relief_is_lit_from_the_upper_left_of_the_picture_whatever_its_turn(turn):
    y, x = np.mgrid[-60:61, -60:61] * 10.0
    hill = 80 * np.exp(-(x**2 + y**2) / 200**2)
    land = hillshade.slopes(terrain_of(hill))
    frame = Frame(605.0, 605.0, turn, 1.0, 600.0, 600.0)
    indices, _ = hillshade.relief(land, frame, 10.0)
    shade = (indices % hillshade.SHADES).astype(float)
    middle = shade.shape[0] // 2
    corner = slice(middle - 12, middle - 6), slice(middle - 12, middle - 6)
    opposite = slice(middle + 6, middle + 12), slice(middle + 6, middle + 12)
    assert shade[corner].mean() > shade[opposite].mean() + 5


def test_relief_marks_unknown_ground_and_water_apart():
    heights = np.full((40, 40), 20.0)
    heights[:10] = np.nan
    heights[30:] = 0.0
    land = hillshade.slopes(terrain_of(heights), clamp_m=0.0)
    indices, palette = hillshade.relief(land, Frame(200, 200, 0, 1, 400, 400), 10.0)
    assert (indices[:8] == hillshade.NO_DATA_INDEX).all()
    assert (indices[32:] == hillshade.WATER_INDEX).all()
    assert (indices[14:26] < hillshade.WATER_INDEX).all()
    assert len(palette) == hillshade.NO_DATA_INDEX + 1


def test_steep_land_is_not_exaggerated_and_flat_land_is():
    flat, steep = np.full((5, 5), 0.004), np.full((5, 5), 0.7)
    zero = np.zeros((5, 5))
    assert hillshade.exaggeration(steep, zero) == 1.0
    assert hillshade.exaggeration(flat, zero) == max(hillshade.EXAGGERATIONS)


@given(st.floats(0, 360), st.floats(-500, 500), st.floats(-500, 500))
def test_frame_there_and_back(turn, x, y):
    frame = Frame(100.0, -50.0, turn, 0.37, 640.0, 200.0)
    back = frame.to_site(*frame.to_picture(x, y))
    assert back == pytest.approx((x, y), abs=1e-6)


def test_a_long_line_runs_to_the_right_and_a_round_one_stays_north_up():
    going_north_west = LineString([(0, 0), (-50, 300), (-120, 900)])
    turn = direction_deg(going_north_west)
    frame = fit(going_north_west, turn, width=500, height=100, margin=10)
    x, y = frame.to_picture([0, -120], [0, 900])
    assert x[0] == pytest.approx(10) and x[1] == pytest.approx(490)
    assert np.all((y > 0) & (y < 100))
    assert direction_deg(LineString([(0, 0), (10, 0), (10, 10), (0, 10)])) == 0.0


def test_free_side_lies_away_from_the_zone():
    frame = Frame(0, 0, 0, 1, 100, 100)
    # A line to the east with its zone on the right (south): its free side is up in the picture.
    assert free_side(frame, 90.0, -1) == pytest.approx((0.0, -1.0), abs=1e-12)
    assert free_side(frame, 90.0, 1) == pytest.approx((0.0, 1.0), abs=1e-12)


def test_sector_opens_along_its_azimuth():
    frame = Frame(0, 0, 0, 1, 100, 100)
    path = sector_path(frame, 0, 0, 90.0, 60.0, 0.0, 40.0)
    # Looking east: from the centre (50, 50) to 60 degrees' edges at 40 m, upper one first.
    up = 50 - 40 * math.sin(math.radians(30))
    assert path.startswith(f"M50 50L{50 + 40 * math.cos(math.radians(30)):.1f} {up:.0f}")
    assert "A40 40 0 0 1" in path
    assert "A40 40 0 1 1" in sector_path(frame, 0, 0, 90.0, 200.0, 0.0, 40.0)
    assert sector_path(frame, 0, 0, 0.0, 360.0, 5.0, 40.0).count("z") == 2


def test_path_of_points_keeps_every_place_within_a_tenth():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 900, (2, 400))
    numbers = path_of_points(x, y)[1:].replace("l", " ").split()
    steps = np.array(numbers, dtype=float).reshape(-1, 2)
    assert np.abs(np.cumsum(steps, axis=0) - np.column_stack([x, y])).max() <= 0.051


@given(st.lists(st.floats(0, 100), min_size=1, max_size=15), st.floats(0.5, 6))
def test_spread_labels_keep_their_gap_order_and_space(wanted, gap):
    places = spread(sorted(wanted), gap, 0.0, 100.0)
    assert all(b - a >= gap - 1e-9 for a, b in pairwise(places))
    assert min(places) >= -1e-9 and max(places) <= 100 + 1e-9


def test_spread_leaves_labels_alone_that_do_not_touch():
    assert spread([10, 30, 60], 5, 0, 100) == [10, 30, 60]


def test_placer_never_covers_a_label():
    placer = Placer(300, 100)
    spots = [placer.place(100 + 2 * k, 50, "M001") for k in range(30)]
    boxes = placer.taken
    assert 4 < sum(spot is not None for spot in spots) < 30
    for k, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[k + 1 :]:
            apart = left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom
            assert apart


def test_classes_of_views_and_densities():
    assert views_class(np.array([0, 1, 4, 5, 9, np.nan])).tolist() == [1, 2, 5, 6, 6, 1]
    classes = density_class(np.array([0, 19.99, 20, 39, 125, 400, np.nan]), (20, 40, 125))
    assert classes.tolist() == [1, 1, 2, 2, 4, 4, 1]


def test_cells_fill_their_own_ground_and_no_more():
    places = np.array([[2.5, 2.5], [7.5, 2.5]])
    queries = np.array([[0.5, 0.5], [9.0, 4.0], [40.0, 2.0]])
    grid = fill_grid(places, np.array([5.0, 5.0]), np.array([1, 2], np.uint8), queries)
    assert grid.tolist() == [1, 2, 0]


def test_a_single_bad_cell_survives_a_long_line():
    s, t = (a.ravel() for a in np.meshgrid(np.arange(2.5, 50_000, 5), [2.5, 7.5]))
    classes = np.full(len(s), 4, np.uint8)
    classes[1234] = 1
    along = np.linspace(12.5, 49_987.5, 2000)
    across = np.array([7.5, 2.5])
    grid = worst_of_columns(s, t, np.full(len(s), 5.0), classes, along, across, 5.0)
    assert (grid == 1).sum() == 1
    assert grid.min() >= 1


@given(st.floats(-500, 3000), st.floats(0.1, 3000))
def test_nice_range_holds_the_range_with_few_steps(low, span):
    first, last, step = nice_range(low, low + span)
    assert first <= low + 1e-9 and last >= low + span - 1e-9
    assert 1 <= round((last - first) / step) <= 6


def test_still_pictures_use_no_variables():
    css = still_css(".a { fill: var(--ink); vector-effect: non-scaling-stroke; }")
    assert css == ".a { fill: #1b2124; }"


def test_a_long_title_takes_two_lines_and_keeps_its_end():
    short, long = head(20.0, "zone in overview", "holds"), "fence strip detected, night fog"
    assert re.findall(r">([^<]+)<", short) == ["zone in overview", "holds"]
    assert re.findall(r">([^<]+)<", head(20.0, long, "holds")) == [
        "fence strip detected, night",
        "fog",
        "holds",
    ]
    lines = re.findall(r">([^<]+)<", head(20.0, "word " * 40, ""))
    assert len(lines) == 2
    assert lines[-1].endswith("…")


@pytest.mark.parametrize("count", [1, 4, 60])
def test_fields_over_each_other_leave_the_ground_to_be_seen(count):
    """All fields together fill about as much as four do, not more with each one."""
    view = Field("D1", "M1", "m", "camera", 0.0, -2000.0, 0.0, 90.0, 0.0, (9000.0,))
    picture = Picture(Frame(0.0, 0.0, 30.0, 0.1, 100.0, 40.0), still=True, prefix="t")
    found = re.findall(r'fill-opacity="([\d.]+)"', fields_layer(picture, (view,) * count))
    assert len(found) == (count if count > 4 else 0)
    filled = 1 - (1 - float(found[0])) ** count if found else 1 - 0.95**count
    assert filled <= 0.21
