"""Coverage rasters: each cell in its place, and a layout that is cloud-optimised."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest
import rasterio

import outputs_sample as sample
from watchline.errors import ArtefactError
from watchline.io.proof import VIEWS_OUTSIDE, VIEWS_UNKNOWN, write_coverage

PROOF = sample.make_proof(cell_m=2.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_coverage(PROOF, tmp_path_factory.mktemp("out") / "coverage", sample.CRS)


def test_two_files_a_height(files) -> None:
    assert [file.name for file in files] == [
        "views_0.5m.tif", "px_per_m_0.5m.tif", "views_1.7m.tif", "px_per_m_1.7m.tif",
    ]  # fmt: skip
    assert sorted(p.name for p in files[0].parent.iterdir()) == sorted(f.name for f in files)


@pytest.mark.parametrize("height", ["0.5", "1.7"])
def test_every_cell_has_its_value(files, height) -> None:
    cells = PROOF.cells
    points = list(zip(cells["x"], cells["y"], strict=True))
    folder = files[0].parent
    with rasterio.open(folder / f"views_{height}m.tif") as raster:
        found = np.array([v[0] for v in raster.sample(points)])
        values = raster.read(1)
        assert raster.crs.to_epsg() == 32636
        assert raster.dtypes == ("uint8",)
        assert raster.nodata == VIEWS_OUTSIDE
        assert raster.res == (2.0, 2.0)
        assert (values != VIEWS_OUTSIDE).sum() == len(cells)
        assert raster.colormap(1)[0] == (209, 73, 12, 255)
    wanted = cells[f"views@{height}"].to_numpy().copy()
    wanted[(wanted == 0) & cells[f"unknown@{height}"].to_numpy()] = VIEWS_UNKNOWN
    np.testing.assert_array_equal(found, wanted)
    with rasterio.open(folder / f"px_per_m_{height}m.tif") as raster:
        found = np.array([v[0] for v in raster.sample(points)])
        assert raster.dtypes == ("float32",)
        assert np.isnan(raster.nodata)
        assert raster.tags()["units"] == "px/m"
        assert np.isfinite(raster.read(1)).sum() == len(cells)
    np.testing.assert_array_equal(found, cells[f"px_per_m@{height}"].to_numpy(np.float32))


def test_only_the_zones_bounding_box(tmp_path) -> None:
    cells = PROOF.cells.copy()
    zone = cells["x"] < sample.X0 + 400
    cells["in:zone"] = zone
    write_coverage(dataclasses.replace(PROOF, cells=cells), tmp_path, sample.CRS)
    with rasterio.open(tmp_path / "views_1.7m.tif") as raster:
        box = cells[zone]
        assert raster.bounds == (
            box["x"].min() - 1, box["y"].min() - 1, box["x"].max() + 1, box["y"].max() + 1,
        )  # fmt: skip


def test_the_layout_is_cloud_optimised(files) -> None:
    for file in files:
        with rasterio.open(file) as raster:
            structure = raster.tags(ns="IMAGE_STRUCTURE")
            assert structure["LAYOUT"] == "COG"
            assert structure["COMPRESSION"] == "DEFLATE"
            assert raster.block_shapes == [(256, 256)]
            assert raster.overviews(1) == [2, 4]
        head = file.read_bytes()
        assert b"LAYOUT=IFDS_BEFORE_DATA" in head[:200]
        directories, tiles = directories_of(head)
        # All directories before all tiles, and the smallest overview's tiles first.
        assert max(directories) < min(min(offsets) for offsets in tiles)
        assert [min(offsets) for offsets in tiles] == sorted(
            (min(offsets) for offsets in tiles), reverse=True
        )


def directories_of(data: bytes) -> tuple[list[int], list[list[int]]]:
    """Places of the image directories of a little-endian TIFF, and of their tiles (TIFF 6.0)."""
    assert data[:4] == b"II*\x00"
    place = struct.unpack_from("<I", data, 4)[0]
    directories, tiles = [], []
    while place:
        directories.append(place)
        count = struct.unpack_from("<H", data, place)[0]
        for k in range(count):
            tag, kind, number, value = struct.unpack_from("<HHII", data, place + 2 + 12 * k)
            if tag == 324:
                assert kind == 4
                offsets = [value]
                if number > 1:
                    offsets = list(struct.unpack_from(f"<{number}I", data, value))
                tiles.append([offset for offset in offsets if offset])
        place = struct.unpack_from("<I", data, place + 2 + 12 * count)[0]
    return directories, tiles


def test_equal_proofs_make_equal_bytes(files, tmp_path) -> None:
    for again, file in zip(write_coverage(PROOF, tmp_path, sample.CRS), files, strict=True):
        assert again.read_bytes() == file.read_bytes()


def test_no_cells_make_no_rasters(tmp_path) -> None:
    empty = dataclasses.replace(PROOF, cells=PROOF.cells.iloc[:0])
    assert write_coverage(empty, tmp_path / "none", sample.CRS) == []


def test_a_raster_that_would_fill_the_memory_is_refused(tmp_path) -> None:
    cells = PROOF.cells.iloc[:2].assign(x=[0.0, 1e6], y=[0.0, 1e6])
    with pytest.raises(ArtefactError, match="is too large"):
        write_coverage(dataclasses.replace(PROOF, cells=cells), tmp_path, sample.CRS)


def test_a_place_that_cannot_be_written(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ArtefactError, match="a part of the path is a file"):
        write_coverage(PROOF, tmp_path / "taken", sample.CRS)
