"""The terrain of a site: what matters of it, what blocks sight, what is unknown, what is said."""

import dataclasses
import hashlib

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from shapely.geometry import LineString, Point
from terrain_sites import TERRAIN, flat_site, make_site, write_raster

from watchline.errors import TerrainError
from watchline.io.extent import bounds_that_matter
from watchline.io.terrain import build_terrain, check_rasters
from watchline.model.provenance import Provenance
from watchline.model.site import Area, ExistingMount, NoWatchArea

BILBAO = TERRAIN / "bilbao_urban_valley"
GROUND, BUILDINGS, VEGETATION = (
    BILBAO / f"{name}.tif"
    for name in ("terrain_5m", "buildings_height_2m5", "vegetation_height_2m5")
)
BILBAO_LINE = [(500_700.0, 4_795_500.0), (501_100.0, 4_795_600.0)]
RIM = TERRAIN / "rafah" / "rafah_utm36n_30m_rim.tif"
NODES = np.full((100, 100), 50.0, dtype=np.float32)


def said(terrain, text):
    return any(text in note for note in terrain.notes)


def bilbao(**more):
    rasters = {"ground": GROUND, "buildings": BUILDINGS, "vegetation": VEGETATION}
    return make_site(BILBAO_LINE, "EPSG:25830", **{"range_m": 200.0, **rasters, **more})


def cell_values(path, x, y):
    """Values of the cells in which places lie, by rasterio's own index; NaN outside."""
    with rasterio.open(path) as raster:
        rows, cols = rasterio.transform.rowcol(raster.transform, x.ravel(), y.ravel())
        values = raster.read(1).astype(float)
    rows, cols = np.asarray(rows), np.asarray(cols)
    inside = (rows >= 0) & (rows < values.shape[0]) & (cols >= 0) & (cols < values.shape[1])
    found = np.full(rows.shape, np.nan)
    found[inside] = values[rows[inside], cols[inside]]
    return found.reshape(x.shape)


def test_bilbao_different_cells_and_extents_become_one_grid():
    terrain = build_terrain(bilbao(range_m=2000.0))
    assert terrain.cell_m == pytest.approx(2.5)
    assert terrain.data.x.values[1] - terrain.data.x.values[0] == 2.5
    x, y = np.meshgrid(terrain.data.x.values, terrain.data.y.values)
    # The grid fills the ground's nodes without a rim of unknown cells.
    with rasterio.open(GROUND) as raster:
        west, south, east, north = raster.bounds
        half = raster.res[0] / 2, raster.res[1] / 2
        nodes = raster.read(1).astype(float)
    assert 0 <= x.min() - (west + half[0]) < 2.5
    assert 0 <= (east - half[0]) - x.max() < 2.5
    assert 0 <= y.min() - (south + half[1]) < 2.5
    assert 0 <= (north - half[1]) - y.max() < 2.5
    assert not np.isnan(terrain.ground).any()
    # Ground: own bilinear on oblong nodes.
    u = (x - west) / (2 * half[0]) - 0.5
    v = (north - y) / (2 * half[1]) - 0.5
    i, j = np.floor(v).astype(int), np.floor(u).astype(int)
    v, u = v - i, u - j
    expected = (nodes[i, j] * (1 - u) + nodes[i, j + 1] * u) * (1 - v) + (
        nodes[i + 1, j] * (1 - u) + nodes[i + 1, j + 1] * u
    ) * v
    np.testing.assert_allclose(terrain.ground, expected, atol=1e-4)
    # Things: whole metres as recorded, unknown beyond their rasters, and only there.
    standing = np.maximum(cell_values(BUILDINGS, x, y), cell_values(VEGETATION, x, y))
    np.testing.assert_allclose(terrain.surface - terrain.ground, standing, atol=1e-4)
    unknown = np.isnan(terrain.surface)
    assert unknown.any()
    assert not unknown[10:-10, 10:-10].any()
    assert terrain.has_obstacles
    assert said(terrain, "What blocks sight is the ground plus the higher of buildings and veg")
    assert said(terrain, "so that walls stay upright")


def test_bilbao_on_the_cell_that_the_project_asks_for():
    terrain = build_terrain(bilbao(cell_m=5.0))
    assert terrain.cell_m == 5.0
    assert said(terrain, "The grid skips heights of buildings_height_2m5.tif")
    one = build_terrain(bilbao(vegetation=None))
    both = build_terrain(bilbao())
    assert (one.surface <= both.surface).all()
    assert (one.surface < both.surface).any()


def test_a_whole_surface_is_never_below_the_ground(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES)
    values = NODES + 10
    values[40:45, 40:45] = 47.5
    values[60, 60] = np.nan
    surface = write_raster(tmp_path / "surface.tif", values)
    terrain = build_terrain(flat_site(ground, surface=surface, range_m=1e4))
    expected = np.where(values == 47.5, 50.0, values)
    np.testing.assert_array_equal(terrain.surface, expected)
    assert said(terrain, "below the ground in 25 cells (at most 2.50 m) and was raised to it")


def test_where_the_ground_is_unknown_so_is_the_surface(tmp_path):
    values = NODES.copy()
    values[40:45, 40:45] = np.nan
    ground = write_raster(tmp_path / "ground.tif", values)
    above = write_raster(tmp_path / "above.tif", NODES + 10)
    for site in (
        flat_site(ground, surface=above, range_m=1e4),
        flat_site(ground, buildings=above, range_m=1e4),
        flat_site(ground, range_m=1e4),
    ):
        terrain = build_terrain(site)
        np.testing.assert_array_equal(np.isnan(terrain.surface), np.isnan(values))
        assert np.isnan(terrain.ground).sum() == 25


def test_ground_and_surface_of_different_vertical_datums_are_refused(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES, crs="EPSG:32636+5773")
    surface = write_raster(tmp_path / "surface.tif", NODES, crs="EPSG:32636+3855")
    with pytest.raises(TerrainError, match="EGM2008 height, and the ground's is EGM96 height"):
        check_rasters(flat_site(ground, surface=surface))


def test_everything_that_matters_is_kept_and_no_more():
    line = LineString([(0.0, 0.0), (1000.0, 0.0)])
    site = make_site(line, "EPSG:32636", zone=(0, 50), range_m=100.0, ground=RIM)
    assert bounds_that_matter(site) == (-102.0, -102.0, 1102.0, 150.0)
    box = Point(500, 400).buffer(10)
    for more, north in (
        ({"no_watch": (NoWatchArea("school", box, 0.0, 12.5),)}, 510.0),
        ({"areas": (Area("gate", box),)}, 510.0),
        ({"existing_mounts": (ExistingMount("old", 500.0, 700.0, "mast", 1.0),)}, 800.0),
    ):
        bounds = bounds_that_matter(dataclasses.replace(site, **more))
        assert bounds == pytest.approx((-102.0, -102.0, 1102.0, north))


def test_arrays_are_read_only_and_carry_units(tmp_path):
    terrain = build_terrain(flat_site(write_raster(tmp_path / "a.tif", NODES)))
    with pytest.raises(ValueError, match="read-only"):
        terrain.ground[0, 0] = 1.0
    assert terrain.ground.dtype == terrain.surface.dtype == np.float32
    assert {terrain.data[name].attrs["units"] for name in ("ground", "surface", "x", "y")} == {"m"}
    assert terrain.refraction == 0.13


def test_unknown_ground_in_the_zone_is_no_error_and_is_told_in_square_metres_and_chainages(
    tmp_path,
):
    values = NODES.copy()
    # The line runs at y = 3 459 500 from x = 610 300; nodes lie at … 5 m.
    values[44:50, 45:50] = np.nan
    path = write_raster(tmp_path / "a.tif", values)
    terrain = build_terrain(flat_site(path, zone=(0.0, 40.0), zone_cell_m=1.0))
    # Nodes 610 455 … 610 495 east are unknown, and all that lies between them and known ones:
    # 60 m by the zone's 40 m.
    assert said(
        terrain,
        "The ground of 2,400 m² of the zone (15.0 %) is unknown and never counts as seen: "
        "s = 145–205 m.",
    )
    assert not said(terrain, "The surface of")


def test_unknown_surface_over_known_ground_is_told_too(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES)
    half = write_raster(tmp_path / "half.tif", NODES[:, :50] * 0)
    terrain = build_terrain(flat_site(ground, buildings=half, zone_cell_m=1.0))
    # The raster ends at x = 610 500; the last centre within it lies at 610 495.
    assert said(terrain, "The surface of 12,300 m² of the zone (51.2 %) is unknown")
    assert said(terrain, "s = 195–400 m")
    assert not said(terrain, "The ground of")


def test_a_zone_of_which_all_is_unknown_is_an_error(tmp_path):
    values = NODES.copy()
    values[30:60] = np.nan
    path = write_raster(tmp_path / "a.tif", values)
    with pytest.raises(TerrainError) as caught:
        build_terrain(flat_site(path))
    assert caught.value.sentence == (
        "project.toml: terrain.ground (a.tif): it holds no height in the zone, s = 0 to 400 m; "
        "give a raster that covers the zone, and check terrain.nodata and the line's side."
    )


def test_a_zone_beside_the_raster_is_an_error_though_its_surroundings_are_on_it(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    line = [(610_300.0, 3_460_050.0), (610_700.0, 3_460_050.0)]
    site = make_site(line, "EPSG:32636", range_m=200.0, ground=path)
    with pytest.raises(TerrainError, match=r"no height in the zone, s = 0 to 400 m"):
        build_terrain(site)


def refused(line, crs, path):
    with pytest.raises(TerrainError) as caught:
        check_rasters(make_site(line, crs, ground=path))
    return caught.value.sentence


def test_a_line_outside_the_raster(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    near = [(610_300.0, 3_475_000.0), (610_700.0, 3_475_000.0)]
    assert refused(near, "EPSG:32636", path) == (
        "project.toml: terrain.ground (a.tif): the line (s = 0 to 400 m) lies 15 km from the "
        "terrain; give a raster that covers the line."
    )


def test_a_line_with_x_and_y_swapped(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    swapped = [(3_459_500.0, 610_300.0), (3_459_500.0, 610_700.0)]
    sentence = refused(swapped, "EPSG:32636", path)
    assert "km from the terrain; swap x and y of the line: swapped, it lies on the terrain." in (
        sentence
    )


def test_a_line_with_longitude_and_latitude_swapped_before_it_was_projected():
    """Latitude taken for longitude and the other way round, as some files have it."""
    to_degrees = Transformer.from_crs(32636, 4326, always_xy=True)
    lon, lat = to_degrees.transform([607_000.0, 609_000.0], [3_474_000.0, 3_474_000.0])
    x, y = Transformer.from_crs(4326, 32636, always_xy=True).transform(lat, lon)
    sentence = refused(list(zip(x, y, strict=True)), "EPSG:32636", RIM)
    assert "lies 394 km from the terrain; swap x and y of the line" in sentence


def test_a_line_far_off_for_another_reason(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    berlin = [(390_000.0, 5_820_000.0), (391_000.0, 5_820_000.0)]
    sentence = refused(berlin, "EPSG:32633", path)
    assert "lies 2,900 km from the terrain; check the CRS of both, and whether x" in sentence


def test_a_line_that_is_nowhere(tmp_path):
    path = write_raster(
        tmp_path / "a.tif", NODES, crs="EPSG:4326", west=34.0, north=32.0, cell=0.01
    )
    nowhere = [(1e9, 1e9), (1e9, 1e9 + 100)]
    assert "lies nowhere in EPSG:32636" in refused(nowhere, "EPSG:32636", path)


def test_a_grid_too_large_to_hold_names_the_cell_that_would_do(tmp_path):
    path = tmp_path / "fine.tif"
    write_raster(path, NODES, cell=10.0)
    with pytest.raises(TerrainError) as caught:
        check_rasters(flat_site(path, range_m=400.0, cell_m=0.02))
    assert "cells of 0.02 m are too many to hold" in caught.value.what
    cell_m = float(caught.value.mend.split("a cell of ")[1].split(" m")[0])
    grid = check_rasters(flat_site(path, range_m=400.0, cell_m=cell_m))
    assert grid.rows * grid.cols <= 150_000_000


def test_the_notes_say_what_a_reader_must_know(tmp_path):
    site = make_site(
        [(607_000.0, 3_474_000.0), (609_000.0, 3_474_000.0)],
        "EPSG:32636",
        ground=RIM,
        vertical_datum="EGM96",
        height_error_m=9.0,
        credit="SRTM courtesy USGS; ETOPO1 NOAA",
        limits="For comparing options, never for siting.",
    )
    assert build_terrain(site).notes == (
        "Ground: rafah_utm36n_30m_rim.tif, one height every 30 × 30 m in EPSG:32636 (WGS 84 / UTM "
        "zone 36N), taken unchanged as a grid of 30 m in EPSG:32636 (WGS 84 / UTM zone 36N).",
        "Nothing is known to stand on the ground: the ground alone blocks sight.",
        "Heights are metres above EGM96.",
        "The heights' standard error is 9 m; claims do not include it.",
        "SRTM courtesy USGS; ETOPO1 NOAA",
        "For comparing options, never for siting.",
    )


def test_a_change_of_geodetic_datum_is_told(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES, crs="EPSG:23036")
    terrain = build_terrain(flat_site(path))
    assert said(terrain, "a.tif has another geodetic datum than the project: places may be off by")


def test_provenance_holds_the_hash_of_every_raster(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    plain = build_terrain(flat_site(path))
    assert plain.provenance.inputs == {"terrain.ground": digest}
    assert plain.provenance.seed == 7
    # A hash that the site knows already is not computed again.
    known = Provenance({"a.tif": "abc", "project.toml": "def"})
    site = flat_site(path, folder=tmp_path, provenance=known)
    assert build_terrain(site).provenance.inputs == {
        "a.tif": "abc",
        "project.toml": "def",
        "terrain.ground": "abc",
    }
