"""A terrain on disk: the same again, readable by others, whole or not at all."""

import dataclasses
import math
import resource

import numpy as np
import pytest
import rasterio
from terrain_sites import TERRAIN, make_site

from watchline.errors import ArtefactError
from watchline.geo.grid import Grid
from watchline.io.terrain import build_terrain, read_terrain, write_terrain
from watchline.io.terrain_file import TerrainFile, grid_of, heights_dataset
from watchline.model.provenance import Provenance
from watchline.model.terrain import Terrain

SLOVENIA = TERRAIN / "slovenia_hills_1m" / "TM1_564_146_nodata.tif"


@pytest.fixture(scope="module")
def terrain():
    line = [(564_350.0, 146_550.0), (564_500.0, 146_620.0)]
    site = make_site(
        line, "EPSG:3794", ground=SLOVENIA, range_m=1e4, credit="© ARSO – Slovenia", cell_m=0.7
    )
    return dataclasses.replace(
        build_terrain(site), provenance=Provenance({"a": "1", "b": "2"}, 3, "0.1.0")
    )


def test_round_trip(terrain, tmp_path):
    path = write_terrain(terrain, tmp_path / "runs" / "terrain.tif")
    again = read_terrain(path)
    assert np.isnan(terrain.ground).any()
    assert again.data.identical(terrain.data)
    for name in ("crs", "refraction", "notes", "provenance", "cell_m", "origin"):
        assert getattr(again, name) == getattr(terrain, name)
    with pytest.raises(ValueError, match="read-only"):
        again.surface[0, 0] = 0.0
    assert [file.name for file in path.parent.iterdir()] == ["terrain.tif"]


def test_the_same_terrain_is_the_same_file(terrain, tmp_path):
    one = write_terrain(terrain, tmp_path / "a.tif").read_bytes()
    assert write_terrain(read_terrain(tmp_path / "a.tif"), tmp_path / "b.tif").read_bytes() == one


def test_others_read_it_as_a_cloud_optimised_geotiff(terrain, tmp_path):
    path = write_terrain(terrain, tmp_path / "terrain.tif")
    with rasterio.open(path) as raster:
        assert raster.count == 2
        assert raster.descriptions == ("ground", "surface")
        assert raster.units == ("m", "m")
        assert raster.dtypes == ("float32", "float32")
        assert math.isnan(raster.nodata)
        assert raster.crs.to_epsg() == 3794
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.tags(ns="IMAGE_STRUCTURE")["PREDICTOR"] == "3"
        assert raster.compression.value == "DEFLATE"
        assert raster.transform.almost_equals(rasterio.Affine(*grid_of(terrain).to_affine()))
    assert path.stat().st_size < 0.7 * (terrain.ground.nbytes + terrain.surface.nbytes)


def test_a_terrain_made_by_hand_is_written_too(tmp_path):
    grid = Grid(500_000.3, 4_000_000.7, 1 / 3, 40, 50)
    heights = np.arange(2000, dtype=np.float32).reshape(40, 50)
    data = heights_dataset(grid, heights, heights.copy())
    del data.attrs["cell_m"]
    write_terrain(Terrain(data, "EPSG:32636", 0.2), tmp_path / "a.tif")
    again = read_terrain(tmp_path / "a.tif")
    np.testing.assert_allclose(again.data.x, grid.x, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(again.ground, heights)
    assert again.refraction == 0.2


def test_a_write_that_the_system_refuses_keeps_the_old_file(terrain, tmp_path):
    """The limit on a file's size stands for a full disk: the system stops the write half-way."""
    path = write_terrain(terrain, tmp_path / "terrain.tif")
    old = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(old) // 2, hard))
    try:
        with pytest.raises(ArtefactError) as caught:
            write_terrain(terrain, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.sentence == (
        f"{path}: it cannot be written (File too large); write to a file system that takes larger "
        "files."
    )
    assert caught.value.exit_code == 3
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["terrain.tif"]


def refused(path):
    with pytest.raises(ArtefactError) as caught:
        read_terrain(path)
    return caught.value.sentence


def test_what_is_no_terrain_is_refused(terrain, tmp_path):
    assert "there is no such terrain; build it first" in refused(tmp_path / "gone.tif")
    assert "it is no terrain of watchline; delete it and run again" in refused(SLOVENIA)
    whole = write_terrain(terrain, tmp_path / "whole.tif").read_bytes()
    for share in (0.001, 0.5):
        cut = tmp_path / f"cut{share}.tif"
        cut.write_bytes(whole[: int(len(whole) * share)])
        assert "it is damaged; delete it and run again" in refused(cut)


def test_another_layout_and_a_moved_raster_are_refused(terrain, tmp_path):
    newer = dataclasses.replace(
        terrain, provenance=dataclasses.replace(terrain.provenance, schema_version=99)
    )
    assert "it has layout 99, and this program reads 1" in refused(
        write_terrain(newer, tmp_path / "newer.tif")
    )
    moved = write_terrain(terrain, tmp_path / "moved.tif")
    with rasterio.open(moved, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
        raster.transform = rasterio.Affine(0.7, 0, 0, 0, -0.7, 0)
    assert "it was moved since it was built" in refused(moved)


def test_a_file_gives_the_pieces_of_the_surface_that_the_terrain_gives(terrain, tmp_path):
    path = write_terrain(terrain, tmp_path / "terrain.tif")
    rows, cols = terrain.surface.shape
    with TerrainFile(path) as file:
        for piece in (
            (slice(0, rows), slice(0, cols)),
            (slice(3, 9), slice(cols - 5, cols)),
            (slice(rows - 2, rows), slice(0, 2)),
        ):
            found = file.surface_piece(*piece)
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, terrain.surface_piece(*piece))
        for name in ("x", "y"):
            np.testing.assert_array_equal(getattr(file, name), getattr(terrain, name))
        for name in ("cell_m", "local_origin", "refraction"):
            assert getattr(file, name) == getattr(terrain, name)


def test_a_file_that_is_no_terrain_or_is_cut_is_refused_piece_by_piece_too(terrain, tmp_path):
    with pytest.raises(ArtefactError, match="no such terrain"):
        TerrainFile(tmp_path / "none.tif")
    path = write_terrain(terrain, tmp_path / "terrain.tif")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    rows, cols = terrain.surface.shape
    with (
        pytest.raises(ArtefactError, match="damaged"),
        TerrainFile(path) as file,
    ):
        file.surface_piece(slice(0, rows), slice(0, cols))
