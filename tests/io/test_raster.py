"""A raster is opened honestly: each fault is one sentence with file, key and mend."""

import gzip
import shutil

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from terrain_sites import TERRAIN, flat_site, make_site, write_raster

from watchline.errors import ManyFaults, TerrainError
from watchline.io.raster import open_raster, same_crs
from watchline.io.terrain import build_terrain, check_rasters

COS, SIN = np.cos(np.radians(10)), np.sin(np.radians(10))
NODES = np.full((100, 100), 50.0, dtype=np.float32)


def refused(site):
    with pytest.raises(TerrainError) as caught:
        build_terrain(site)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


def test_missing_file(tmp_path):
    assert refused(flat_site(tmp_path / "gone.tif")) == (
        "project.toml: terrain.ground (gone.tif): the file does not exist; correct the path."
    )


def test_not_a_raster(tmp_path):
    path = tmp_path / "dem.tif"
    path.write_text("<html>404</html>")
    sentence = refused(flat_site(path))
    assert "terrain.ground (dem.tif): it is no readable raster" in sentence


@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_truncated_tiff(tmp_path, kept):
    rng = np.random.default_rng(1)
    whole = write_raster(tmp_path / "a.tif", rng.random((100, 100)).astype(np.float32))
    cut = tmp_path / "cut.tif"
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * kept)])
    site = flat_site(cut, range_m=1000.0)
    assert "it is truncated or damaged; fetch or export the file again" in refused(site)


def test_truncated_ascii_grid(tmp_path):
    source = TERRAIN / "frontrange_srtmgl3" / "frontrange_srtmgl3.asc"
    cut = tmp_path / "cut.asc"
    cut.write_bytes(source.read_bytes()[:120_000])
    line = [(462_000.0, 4_440_000.0), (463_000.0, 4_440_000.0)]
    site = make_site(line, "EPSG:32613", range_m=1e5, ground=cut, crs="EPSG:4326")
    assert "terrain.ground (cut.asc): its rows" in refused(site)
    assert "truncated or damaged" in refused(site)


def test_truncated_hgt_and_badly_named_hgt(tmp_path):
    content = gzip.decompress((TERRAIN / "rafah" / "N31E034.hgt.gz").read_bytes())
    cut = tmp_path / "N31E034.hgt"
    cut.write_bytes(content[:1_000_000])
    assert "this one has 1,000,000 bytes" in refused(flat_site(cut))
    renamed = tmp_path / "rafah.hgt"
    renamed.write_bytes(content)
    assert "named by its south-west corner, such as N31E034.hgt" in refused(flat_site(renamed))


def test_several_bands(tmp_path):
    path = write_raster(tmp_path / "rgb.tif", np.zeros((3, 100, 100), np.uint8))
    assert "it has 3 bands and heights are one; write the band of heights alone" in refused(
        flat_site(path)
    )


def test_an_alpha_band_says_where_heights_are_known(tmp_path):
    bands = np.stack([np.full((100, 100), 50), np.full((100, 100), 255)]).astype(np.uint8)
    bands[1, :10] = 0
    path = write_raster(tmp_path / "alpha.tif", bands, ALPHA="YES")
    terrain = build_terrain(flat_site(path, range_m=1000.0))
    assert np.isnan(terrain.ground[:10]).all()
    assert (terrain.ground[10:] == 50).all()


def test_complex_numbers(tmp_path):
    path = write_raster(tmp_path / "sar.tif", NODES.astype(np.complex64))
    assert "complex numbers (complex64), not heights" in refused(flat_site(path))


def test_a_picture_with_a_colour_table(tmp_path):
    path = write_raster(tmp_path / "map.tif", NODES.astype(np.uint8))
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, {50: (255, 0, 0, 255)})
    assert "picture with a colour table" in refused(flat_site(path))


def test_turned_raster(tmp_path):
    turned = Affine(10 * COS, 10 * SIN, 610_000, 10 * SIN, -10 * COS, 3_460_000)
    path = write_raster(tmp_path / "turned.tif", NODES, transform=turned)
    sentence = refused(flat_site(path))
    assert "its rows are turned by 10° against its CRS; straighten it: gdalwarp" in sentence


def test_no_place(tmp_path):
    path = write_raster(tmp_path / "bare.tif", NODES, transform=Affine.identity())
    assert "does not say where it lies" in refused(flat_site(path))


def test_no_crs(tmp_path):
    path = write_raster(tmp_path / "bare.tif", NODES, crs=None)
    assert refused(flat_site(path)) == (
        "project.toml: terrain.ground (bare.tif): it declares no CRS; write "
        'crs = "EPSG:…" under [terrain], as the supplier of the data says.'
    )


def test_no_crs_mended_by_the_project(tmp_path):
    path = write_raster(tmp_path / "bare.tif", NODES, crs=None)
    terrain = build_terrain(flat_site(path, crs="EPSG:32636"))
    assert (terrain.ground == 50).all()
    assert any("bare.tif declares no CRS; the project says" in note for note in terrain.notes)


def test_the_declared_crs_counts_before_the_projects(tmp_path):
    path = write_raster(tmp_path / "dem.tif", NODES)
    terrain = build_terrain(flat_site(path, crs="EPSG:4326"))
    assert (terrain.ground == 50).all()
    assert any("which counts; terrain.crs = EPSG:4326 is for" in note for note in terrain.notes)


def test_a_crs_that_is_none(tmp_path):
    path = write_raster(tmp_path / "bare.tif", NODES, crs=None)
    assert refused(flat_site(path, crs="EPSG:36N")) == (
        "project.toml: terrain.crs: 'EPSG:36N' is no CRS; write it as \"EPSG:…\"."
    )


def test_geocentric_crs(tmp_path):
    path = write_raster(tmp_path / "bare.tif", NODES, crs=None)
    assert "neither geographic nor projected" in refused(flat_site(path, crs="EPSG:4978"))


def test_a_local_crs_counts_as_none(tmp_path):
    local = 'LOCAL_CS["site grid",UNIT["metre",1]]'
    path = write_raster(tmp_path / "local.tif", NODES, crs=rasterio.crs.CRS.from_wkt(local))
    assert "it declares no CRS" in refused(flat_site(path))


def test_ascii_grid_takes_the_prj_beside_it(tmp_path):
    source = TERRAIN / "frontrange_srtmgl3" / "frontrange_srtmgl3.asc"
    path = tmp_path / source.name
    shutil.copy(source, path)
    with (
        pytest.raises(TerrainError, match=r"nor does a \.prj file beside it"),
        open_raster(path, "x"),
    ):
        pass
    path.with_suffix(".prj").write_text(
        rasterio.crs.CRS.from_epsg(4326).to_wkt(version="WKT1_ESRI")
    )
    with open_raster(path, "x") as raster:
        assert same_crs(raster.crs, CRS.from_epsg(4326))
        # Nodes are cell centres: half a cell off the corner that the file gives.
        assert raster.nodes.c == pytest.approx(-105.550416666684 + 0.000833333333 / 2)


@pytest.mark.parametrize("code", [32613, 25830, 3794, 2056, 27700, 4326])
@pytest.mark.parametrize("version", ["WKT1_GDAL", "WKT1_ESRI", "WKT2_2019"])
def test_a_crs_is_recognised_in_every_dialect(code, version):
    crs = CRS.from_epsg(code)
    again = CRS.from_wkt(rasterio.crs.CRS.from_epsg(code).to_wkt(version=version))
    assert same_crs(again, crs)
    assert not same_crs(again, CRS.from_epsg(32614))


def test_too_few_nodes(tmp_path):
    path = write_raster(tmp_path / "row.tif", NODES[:1])
    assert "1 × 100 heights" in refused(flat_site(path))


def test_several_bad_rasters_are_told_together(tmp_path):
    site = flat_site(
        write_raster(tmp_path / "a.tif", NODES, crs=None), buildings=tmp_path / "gone.tif"
    )
    with pytest.raises(ManyFaults) as caught:
        check_rasters(site)
    assert [fault.where for fault in caught.value.faults] == [
        "project.toml: terrain.ground (a.tif)",
        "project.toml: terrain.buildings (gone.tif)",
    ]
