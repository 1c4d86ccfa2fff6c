"""Rasters on the grid: exact places, nothing smoothed, only the needed window read."""

import gzip
import json
import tracemalloc

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.transform import from_origin
from shapely.geometry import LineString
from terrain_sites import TERRAIN, flat_site, make_site, write_raster

from watchline.geo.grid import Grid
from watchline.io import resample as module
from watchline.io.raster import open_raster
from watchline.io.resample import resample
from watchline.io.terrain import build_terrain

UTM = CRS.from_epsg(32636)


@pytest.fixture(scope="module")
def rafah(tmp_path_factory):
    """The real tile, unpacked under the name that says where it lies."""
    path = tmp_path_factory.mktemp("rafah") / "N31E034.hgt"
    path.write_bytes(gzip.decompress((TERRAIN / "rafah" / "N31E034.hgt.gz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def border():
    """The real borderline in the site's CRS."""
    text = (TERRAIN / "rafah" / "border_gaza_egypt_osm.geojson").read_text()
    degrees = LineString(json.loads(text)["features"][0]["geometry"]["coordinates"])
    to_utm = Transformer.from_crs(4326, 32636, always_xy=True)
    return LineString(np.column_stack(to_utm.transform(*np.array(degrees.coords).T)))


def own_bilinear(tile, x, y):
    """The same by another way: the tile as numbers, its nodes at whole 1/1200 degrees."""
    nodes = np.frombuffer(tile.read_bytes(), ">i2").reshape(1201, 1201).astype(float)
    lat, lon = Transformer.from_crs(32636, 4326).transform(x, y)
    v, u = (32.0 - lat) * 1200, (lon - 34.0) * 1200
    i, j = np.floor(v).astype(int), np.floor(u).astype(int)
    v, u = v - i, u - j
    north = nodes[i, j] * (1 - u) + nodes[i, j + 1] * u
    south = nodes[i + 1, j] * (1 - u) + nodes[i + 1, j + 1] * u
    return north * (1 - v) + south * v


@pytest.mark.parametrize("cell_m", [None, 30.0])
def test_rafah_agrees_with_pyproj_and_own_bilinear_within_a_centimetre(rafah, border, cell_m):
    site = make_site(
        border,
        "EPSG:32636",
        zone=(0, 100),
        side="right",
        range_m=2000.0,
        ground=rafah,
        cell_m=cell_m,
    )
    terrain = build_terrain(site)
    assert terrain.cell_m == pytest.approx(cell_m or 79.0)
    x, y = np.meshgrid(terrain.data.x.values, terrain.data.y.values)
    expected = own_bilinear(rafah, x, y)
    assert np.abs(terrain.ground - expected).max() <= 0.01
    assert terrain.ground.min() < -20 < 90 < terrain.ground.max()


def test_nodes_that_are_the_grids_centres_come_through_unchanged(tmp_path):
    rng = np.random.default_rng(2)
    values = rng.uniform(0, 500, (100, 100)).astype(np.float32)
    values[40, 40] = np.nan
    # A corner at 564000.4, as real tiles have it: no rounding may touch a neighbour.
    path = write_raster(tmp_path / "a.tif", values, west=610_000.4, north=3_460_000.3, cell=1.1)
    site = make_site(
        [(610_030.0, 3_459_950.0), (610_080.0, 3_459_950.0)],
        "EPSG:32636",
        zone=(0, 20),
        range_m=500.0,
        ground=path,
    )
    terrain = build_terrain(site)
    np.testing.assert_array_equal(terrain.ground, values)


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
def test_tiles_leave_no_seam(tmp_path, monkeypatch, method):
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 500, (90, 110)).astype(np.float32)
    path = write_raster(tmp_path / "a.tif", values, cell=10.0)
    grid = Grid(610_001.0, 3_459_990.0, 3.7, 230, 280)
    with open_raster(path, "x") as raster:
        whole = resample(raster, grid, UTM, method, lambda raw, heights: heights)
        monkeypatch.setattr(module, "TILE_CELLS", 17)
        tiled = resample(raster, grid, UTM, method, lambda raw, heights: heights)
    np.testing.assert_array_equal(whole, tiled)
    known = ~np.isnan(whole)
    rows, cols = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    assert known[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].all()


def test_a_raster_that_runs_from_south_to_north_is_the_same_terrain(tmp_path):
    rng = np.random.default_rng(4)
    values = rng.uniform(0, 500, (100, 100)).astype(np.float32)
    north_up = write_raster(tmp_path / "n.tif", values)
    south_up = write_raster(
        tmp_path / "s.tif", values[::-1], transform=Affine(10, 0, 610_000, 0, 10, 3_459_000)
    )
    one, other = (
        build_terrain(flat_site(path, range_m=1e4, cell_m=10.0)) for path in (north_up, south_up)
    )
    np.testing.assert_array_equal(one.ground, other.ground)
    assert not np.isnan(one.ground).any()


def huge_raster(path, side):
    """A raster of side × side nodes of which the file holds next to nothing."""
    settings = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "float32",
        "crs": "EPSG:32636", "transform": from_origin(600_000, 3_500_000, 1, 1), "tiled": True,
        "blockxsize": 512, "blockysize": 512, "SPARSE_OK": True, "BIGTIFF": "YES",
    }  # fmt: skip
    with rasterio.open(path, "w", **settings) as raster:
        window = rasterio.windows.Window(20_000, 20_000, 1000, 1000)
        raster.write(np.full((1, 1000, 1000), 7, np.float32), window=window)
    return path


def test_of_a_huge_raster_only_the_window_is_read(tmp_path):
    """The raster would take 10 GB; the site needs 0.7 km of it."""
    path = huge_raster(tmp_path / "huge.tif", 50_000)
    line = [(620_300.0, 3_479_500.0), (620_700.0, 3_479_500.0)]
    tracemalloc.start()
    terrain = build_terrain(make_site(line, "EPSG:32636", range_m=150.0, ground=path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert terrain.ground.shape == (370, 712)
    assert (terrain.ground == 7).all()
    assert peak < 100e6


def test_a_coarse_grid_on_fine_nodes_reads_by_tiles(tmp_path, monkeypatch):
    """8 × 8 km at 1 m is 256 MB; a grid of 20 m must not need it at once."""
    path = huge_raster(tmp_path / "huge.tif", 50_000)
    sizes = []
    read = module.Raster.read

    def spy(raster, top, left, rows, cols):
        sizes.append(rows * cols)
        return read(raster, top, left, rows, cols)

    monkeypatch.setattr(module.Raster, "read", spy)
    line = [(620_300.0, 3_479_500.0), (620_700.0, 3_479_500.0)]
    terrain = build_terrain(make_site(line, "EPSG:32636", range_m=4000.0, ground=path, cell_m=20.0))
    assert max(sizes) < 1.05 * module.TILE_NODES**2
    assert len(sizes) > 1
    assert any("The grid skips heights of huge.tif" in note for note in terrain.notes)
