"""``watchline see`` on real terrain: what it writes is what the functions give."""

import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely import Point

from small_project import LIDAR, run_cli
from watchline.tools import (
    cumulative_viewshed,
    skyline,
    viewshed,
    visibility_probability,
)

PLACE = (564749.0, 146744.0, 10.0)
OTHER = (564649.0, 146644.0, 6.0)
AT = ",".join(map(str, PLACE))
REACH = 150.0


@pytest.fixture(scope="module")
def lidar():
    with rasterio.open(LIDAR) as raster:
        return raster.read(1), raster.transform


def see(monkeypatch, capsys, to, *more):
    code, out, err = run_cli(
        monkeypatch, capsys, "see", LIDAR, "--max-range", REACH, "--to", to, "--json", *more
    )
    assert code == 0, err
    return json.loads(out)


def window(raster, whole):
    """Where a result lies in the whole raster."""
    col, row = ~whole @ (raster.transform.c, raster.transform.f)
    row, col = round(row), round(col)
    return slice(row, row + raster.height), slice(col, col + raster.width)


def test_it_holds_the_window_in_range_with_a_band_a_height(tmp_path, monkeypatch, capsys, lidar):
    heights, transform = lidar
    found = see(
        monkeypatch, capsys, tmp_path / "a.tif", "--at", AT, "--target-height", 1.7,
        "--target-height", 0.5, "--no-curvature",
    )  # fmt: skip
    with rasterio.open(tmp_path / "a.tif") as raster:
        part = window(raster, transform)
        assert raster.shape == (305, 305)
        assert raster.descriptions == ("seen, target 1.7 m", "seen, target 0.5 m")
        assert raster.tags()["WATCHLINE_REFRACTION"] == "flat Earth"
        for band, head in enumerate((1.7, 0.5), start=1):
            seen = viewshed(heights, transform, PLACE, head, REACH, curvature=False)
            assert (raster.read(band) == seen.filled(False)[part]).all()
            assert seen.sum() == found["bands"][band - 1]["seen"] > 10_000
    assert found["error"] is None


def test_a_fan_brings_its_error_on_this_terrain(tmp_path, monkeypatch, capsys):
    more = ("--at", AT, "--method", "fan", "--spacing", 1, "--sample", 4_000)
    found = see(monkeypatch, capsys, tmp_path / "a.tif", *more)
    error = found["error"]
    assert error["rays"] == 4_000
    for name in ("false_visible", "false_hidden", "differs"):
        assert 0 <= error[name]["low"] <= error[name]["rate"] <= error[name]["high"] < 0.1
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert json.loads(raster.tags()["WATCHLINE_ERROR_JSON"]) == error
        assert raster.tags()["WATCHLINE_ERROR"] == found["error_sentence"]
    arguments = ("see", LIDAR, "--max-range", REACH, "--to", tmp_path / "b.tif", *more, "-q")
    code, out, _ = run_cli(monkeypatch, capsys, *arguments)
    assert code == 0
    assert "95 % intervals" in out


def test_several_places_are_counted_from_options_and_files(tmp_path, monkeypatch, capsys, lidar):
    heights, transform = lidar
    table = tmp_path / "places.csv"
    table.write_text(f"name,X,Y,Height\nb,{OTHER[0]},{OTHER[1]},{OTHER[2]}\n", encoding="utf-8")
    found = see(monkeypatch, capsys, tmp_path / "a.tif", "--at", AT, "--at-file", table)
    counts = cumulative_viewshed(heights, transform, [PLACE, OTHER], 1.7, REACH)
    with rasterio.open(tmp_path / "a.tif") as raster:
        part = window(raster, transform)
        assert raster.dtypes == ("uint16", "uint16")
        assert (raster.read(1) == counts.seen[part]).all()
        assert (raster.read(2) == counts.unknown[part]).all()
    assert found["bands"][0]["most_observers"] == 2
    assert counts.seen.sum() == np.sum(counts.seen[part], dtype=int)

    points = gpd.GeoDataFrame(
        {"h": [PLACE[2], OTHER[2]]}, geometry=[Point(*PLACE[:2]), Point(*OTHER[:2])], crs=3794
    ).to_crs(4326)
    points.to_file(tmp_path / "places.geojson")
    again = see(monkeypatch, capsys, tmp_path / "b.tif", "--at-file", tmp_path / "places.geojson")
    assert again["observers"] == 2
    # GeoJSON keeps seven digits of a degree: a centimetre.
    assert again["bands"][0]["seen"] == pytest.approx(found["bands"][0]["seen"], rel=0.01)


def test_the_reverse_and_the_probability(tmp_path, monkeypatch, capsys, lidar):
    heights, transform = lidar
    found = see(monkeypatch, capsys, tmp_path / "a.tif", "--at", AT, "--skyline")
    expected = skyline(heights, transform, PLACE, 1.7, REACH)
    with rasterio.open(tmp_path / "a.tif") as raster:
        part = window(raster, transform)
        assert (raster.read(1) == expected.data[part]).all()
    assert found["bands"][0]["against_sky"] == (expected == 2).sum() > 100
    uncertain = ("--terrain-sigma", 1, "--correlation", 20, "--sway", 0.2, "--realisations", 20)
    found = see(monkeypatch, capsys, tmp_path / "b.tif", "--at", AT, *uncertain, "--seed", 4)
    share = visibility_probability(
        heights[part], rasterio.open(tmp_path / "a.tif").transform, PLACE, 1.7, REACH,
        terrain_sigma=1, correlation_length=20, sway=0.2, realisations=20, seed=4,
    )  # fmt: skip
    with rasterio.open(tmp_path / "b.tif") as raster:
        assert np.isnan(raster.nodata)
        assert (raster.read(1) == share).all()
        assert raster.tags()["WATCHLINE_SEED"] == "4"
    assert found["bands"][0]["expected_m2"] == pytest.approx(share.sum(), rel=1e-4)
    assert found["error"]["rays"] == 20_000


def write(path, values, cell, left=300_000.0, top=4_000_000.0, crs="EPSG:32633"):
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=1, crs=crs, nodata=-9999,
        height=values.shape[0], width=values.shape[1], transform=from_origin(left, top, cell, cell),
    ) as raster:  # fmt: skip
        raster.write(values.astype(np.float32), 1)


def test_a_surface_blocks_while_both_ends_stand_on_the_ground(tmp_path, monkeypatch, capsys):
    ground = np.linspace(100, 110, 40)[None, :].repeat(20, axis=0)
    write(tmp_path / "ground.tif", ground, 10.0)
    row, col = np.mgrid[:80, :160]
    fine = np.interp((col + 0.5) * 2.5, (np.arange(40) + 0.5) * 10, ground[0])
    surface = fine.copy()
    surface[:, 60:64] += 8.0  # a wall at 150 m
    write(tmp_path / "surface.tif", surface, 2.5)
    observer = (300_051.25, 3_999_901.25, 3.0)
    at = ",".join(map(str, observer))
    code, out, err = run_cli(
        monkeypatch, capsys, "see", tmp_path / "ground.tif", "--surface", tmp_path / "surface.tif",
        "--at", at, "--max-range", 200, "--to", tmp_path / "seen.tif", "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["cell_m"] == 2.5
    with rasterio.open(tmp_path / "seen.tif") as raster:
        values = raster.read(1)
        row, col = raster.index(300_130.0, 3_999_900.0)
        assert values[row, col] == 1
        assert values[row, col + 24] == 0
        assert raster.res == (2.5, 2.5)
    write(tmp_path / "other.tif", surface, 2.5, crs="EPSG:32634")
    code, _, err = run_cli(
        monkeypatch, capsys, "see", tmp_path / "ground.tif", "--surface", tmp_path / "other.tif",
        "--at", at,
    )  # fmt: skip
    assert code == 3
    assert "bring both into one CRS" in err
    write(tmp_path / "things.tif", surface - fine, 2.5)
    code, _, err = run_cli(
        monkeypatch, capsys, "see", tmp_path / "ground.tif", "--surface", tmp_path / "things.tif",
        "--at", at,
    )  # fmt: skip
    assert code == 3
    assert "heights above the ground" in err


def test_a_window_that_fits_no_memory_is_refused(tmp_path, monkeypatch, capsys):
    import watchline.io.viewshed as module

    monkeypatch.setattr(module, "MOST_CELLS", 1_000)
    code, _, err = run_cli(monkeypatch, capsys, "see", LIDAR, "--at", AT, "--to", tmp_path / "a")
    assert code == 3
    assert "shorter range" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "no observer"),
        (("--at", "1,2,3"), 3, "give a place inside the raster"),
        (("--at", "1,2,nan"), 2, "write x,y,h"),
        (("--at", AT, "--terrain-sigma", 2), 2, "belong together"),
        (("--at", AT, "--at", AT, "--skyline"), 2, "one place, not 2"),
        (("--at", AT, "--skyline", "--sway", 1), 2, "choose one"),
        (("--at", AT, "--method", "magic"), 2, "exact or fan"),
        (("--at", AT, "--method", "fan", "--spacing", 0), 2, "spacing"),
        (("--at-file", "nowhere.csv"), 3, "does not exist"),
    ],
)
def test_mistakes_leave_one_sentence(tmp_path, monkeypatch, capsys, arguments, code, words):
    to = tmp_path / "a.tif"
    got, _, err = run_cli(monkeypatch, capsys, "see", LIDAR, "--to", to, "-q", *arguments)
    assert got == code
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not to.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y\n1,2\n", "height above ground"),
        ("x,lat,h\n1,2,3\n", "no column y"),
        ("x,y,h\n1,2,3\n4,five,6\n", "line 3"),
        ("x,y,h\n", "no place"),
        ("x,y,h\n1,2\n", "line 2"),
    ],
)
def test_a_faulty_table_is_told_where_it_is(tmp_path, monkeypatch, capsys, text, words):
    table = tmp_path / "places.csv"
    table.write_text(text, encoding="utf-8")
    code, _, err = run_cli(monkeypatch, capsys, "see", LIDAR, "--at-file", table)
    assert code == 3
    assert words in err
