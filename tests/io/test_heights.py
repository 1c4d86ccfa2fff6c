"""No-data in every form, units, limits: on real rasters and real crops."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import MaskFlags
from terrain_sites import TERRAIN, copy_with, flat_site, make_site, write_raster

from watchline.errors import TerrainError
from watchline.io.terrain import build_terrain

RIM = TERRAIN / "rafah" / "rafah_utm36n_30m_rim.tif"
SLOVENIA = TERRAIN / "slovenia_hills_1m" / "TM1_564_146_nodata.tif"
BIG_TUJUNGA = TERRAIN / "bigtujunga_mountains_30m" / "bigtujunga.tif"
FRONT_RANGE = TERRAIN / "frontrange_srtmgl3" / "frontrange_srtmgl3.asc"

RIM_LINE = [(606_600.0, 3_474_000.0), (609_000.0, 3_474_000.0)]
BIG_TUJUNGA_LINE = [(392_000.0, 3_797_500.0), (394_000.0, 3_797_500.0)]
NODES = np.full((100, 100), 50.0, dtype=np.float32)


def paint(value):
    """A function that puts a value on a square of nodes, 20–24 rows and columns."""

    def change(values):
        changed = values.copy()
        changed[20:25, 20:25] = value
        return changed

    return change


def stored_unknown(path, square=slice(20, 25)):
    """Whole-raster mask, true on the painted square."""
    with rasterio.open(path) as raster:
        mask = np.zeros(raster.shape, dtype=bool)
    mask[square, square] = True
    return mask


def said(terrain, text):
    return any(text in note for note in terrain.notes)


def test_declared_minus_9999_at_a_real_rim():
    terrain = build_terrain(make_site(RIM_LINE, "EPSG:32636", range_m=1e5, ground=RIM))
    with rasterio.open(RIM) as raster:
        stored = raster.read(1)
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored == -9999)
    assert np.nanmin(terrain.ground) > -1000
    assert not said(terrain, "no place has such a height")


@pytest.mark.parametrize("value", [None, -32768.0])
def test_undeclared_minus_9999_at_a_real_rim(tmp_path, value):
    path = copy_with(RIM, tmp_path / "rim.tif", nodata=value)
    terrain = build_terrain(make_site(RIM_LINE, "EPSG:32636", range_m=1e5, ground=path))
    with rasterio.open(RIM) as raster:
        np.testing.assert_array_equal(np.isnan(terrain.ground), raster.read(1) == -9999)
    assert said(terrain, "Places of rim.tif that hold -9999 are unknown: no place has such")


def test_declared_nan_in_a_real_crop():
    line = [(564_350.0, 146_550.0), (564_500.0, 146_620.0)]
    terrain = build_terrain(make_site(line, "EPSG:3794", range_m=1e4, ground=SLOVENIA))
    with rasterio.open(SLOVENIA) as raster:
        stored = raster.read(1)
    assert np.isnan(stored).sum() == 19
    np.testing.assert_array_equal(terrain.ground, stored)


def test_undeclared_nan_and_infinity(tmp_path):
    values = NODES.copy()
    values[20:25, 20:25] = np.nan
    values[30, 30], values[31, 31] = np.inf, -np.inf
    path = write_raster(tmp_path / "a.tif", values)
    terrain = build_terrain(flat_site(path, range_m=1e4))
    np.testing.assert_array_equal(np.isnan(terrain.ground), ~np.isfinite(values))


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("value", [-32768, 32767, -9999, -32767])
def test_integers_declared_or_not(tmp_path, value, declared):
    path = copy_with(
        BIG_TUJUNGA,
        tmp_path / "a.tif",
        change=paint(value),
        nodata=float(value) if declared else None,
    )
    terrain = build_terrain(make_site(BIG_TUJUNGA_LINE, "EPSG:32611", range_m=1e5, ground=path))
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored_unknown(path))
    assert said(terrain, f"that hold {value} are unknown") is not declared


@pytest.mark.parametrize(
    "value", [3.4028234663852886e38, -3.4028234663852886e38, 1e20, -99999.0, 9999.0, -12000.0]
)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_floats_that_no_place_can_have(tmp_path, value, kind):
    path = write_raster(tmp_path / "a.tif", paint(value)(NODES.astype(kind)))
    terrain = build_terrain(flat_site(path, range_m=1e5))
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored_unknown(path))
    assert said(terrain, "though the file does not declare it as no-data")


@pytest.mark.parametrize("value", [-1.7976931348623157e308, -3.4028234663852886e38])
def test_the_least_float_as_declared_no_data(tmp_path, value):
    path = write_raster(tmp_path / "a.tif", paint(value)(NODES.astype(np.float64)), nodata=value)
    terrain = build_terrain(flat_site(path, range_m=1e5))
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored_unknown(path))


def test_zero_declared_in_an_ascii_grid(tmp_path):
    """The real grid declares 0 and has none: a stretch of it is set to 0 here."""
    rows = FRONT_RANGE.read_text().splitlines()
    head, nodes = rows[:6], np.array(" ".join(rows[6:]).split(), dtype=int).reshape(144, 240)
    nodes[60:70, 100:110] = 0
    path = tmp_path / "a.asc"
    path.write_text("\n".join(head + [" ".join(map(str, row)) for row in nodes]))
    line = [(458_000.0, 4_443_500.0), (470_000.0, 4_443_500.0)]
    terrain = build_terrain(
        make_site(line, "EPSG:32613", range_m=3000.0, ground=path, crs="EPSG:4326")
    )
    # Away from the edge, where the rectangle of degrees is bent against the grid.
    unknown = np.isnan(terrain.ground[5:-5, 5:-5])
    assert np.nanmin(terrain.ground) > 1900
    spacing = (92.5 * 71.0) / terrain.cell_m**2
    # Ten by ten nodes, and the cells that lie between them and their known neighbours.
    assert 100 * spacing * 0.9 < unknown.sum() < 121 * spacing * 1.1


def test_undeclared_zero_only_by_the_projects_word(tmp_path):
    path = copy_with(BIG_TUJUNGA, tmp_path / "a.tif", change=paint(0), nodata=None)
    guess = build_terrain(make_site(BIG_TUJUNGA_LINE, "EPSG:32611", range_m=1e5, ground=path))
    assert not np.isnan(guess.ground).any()
    told = build_terrain(
        make_site(BIG_TUJUNGA_LINE, "EPSG:32611", range_m=1e5, ground=path, nodata=0.0)
    )
    np.testing.assert_array_equal(np.isnan(told.ground), stored_unknown(path))
    assert said(told, "that hold 0 are unknown, as the project says")


def test_a_mask_band_is_obeyed(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES)
    with rasterio.open(path, "r+") as raster:
        raster.write_mask(~stored_unknown(path))
    with rasterio.open(path) as raster:
        assert raster.mask_flag_enums[0] == [MaskFlags.per_dataset]
    terrain = build_terrain(flat_site(path, range_m=1e5))
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored_unknown(path))


def test_scale_and_offset_come_before_units(tmp_path):
    path = write_raster(tmp_path / "a.tif", paint(-9999)(np.full((100, 100), 500, np.int16)))
    with rasterio.open(path, "r+") as raster:
        raster.scales, raster.offsets = (0.1,), (100.0,)
    terrain = build_terrain(flat_site(path, range_m=1e5, vertical_unit="ft"))
    np.testing.assert_array_equal(np.isnan(terrain.ground), stored_unknown(path))
    assert np.nanmax(terrain.ground) == pytest.approx(150 * 0.3048)


def test_clamping_raises_nodes_before_interpolation(tmp_path):
    values = NODES.copy()
    values[:, :50] = -900.0
    path = write_raster(tmp_path / "a.tif", values)
    terrain = build_terrain(flat_site(path, range_m=1e4, clamp_below_m=0.0, cell_m=5.0))
    # Cells between the last sea node and the first land node lie on the slope from 0 to 50 m.
    assert terrain.ground.min() == 0.0
    assert terrain.ground.max() == 50.0
    x = terrain.data.x.values
    slope = terrain.ground[20, (x > 610_495) & (x < 610_505)]
    np.testing.assert_allclose(slope, [25.0])
    assert said(terrain, "below 0 m (the lowest: -900 m) were raised to it before interpolation")


@pytest.mark.parametrize(
    ("unit", "metres"), [("ft", 0.3048), ("us-ft", 1200 / 3937)], ids=["feet", "US survey feet"]
)
def test_feet_are_converted_where_the_project_says_so(tmp_path, unit, metres):
    path = write_raster(tmp_path / "a.tif", NODES + 10_000)
    terrain = build_terrain(flat_site(path, vertical_unit=unit))
    np.testing.assert_allclose(terrain.ground, 10_050 * metres, atol=1e-3)
    assert said(terrain, "as the project says, and were converted to metres")
    assert terrain.data["ground"].attrs["units"] == "m"


@pytest.mark.parametrize("tag", ["ft", "foot", "Feet", "US survey foot", "ftUS"])
def test_feet_in_the_bands_tag_are_refused_unless_the_project_says_so(tmp_path, tag):
    path = write_raster(tmp_path / "a.tif", NODES, unit=tag)
    unit = "us-ft" if "US" in tag else "ft"
    with pytest.raises(TerrainError) as caught:
        build_terrain(flat_site(path))
    name = "US survey feet" if "US" in tag else "feet"
    assert caught.value.sentence == (
        f"project.toml: terrain.ground (a.tif): it declares its heights in {name}, and the project "
        f'reads them as metres; write unit = "{unit}" under [terrain].'
    )
    assert said(build_terrain(flat_site(path, vertical_unit=unit)), "the file and the project say")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_feet_in_the_vertical_axis_are_refused(tmp_path, version):
    path = write_raster(tmp_path / "a.tif", NODES, crs="EPSG:32636+6360", GEOTIFF_VERSION=version)
    with pytest.raises(TerrainError, match=r"heights in US survey feet, and .* as metres"):
        build_terrain(flat_site(path))
    terrain = build_terrain(flat_site(path, vertical_unit="us-ft"))
    assert said(terrain, "Heights are metres above NAVD88 height (ftUS).")


def test_metres_in_the_file_and_feet_in_the_project_are_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES, unit="metre")
    with pytest.raises(TerrainError, match=r'in metres, and .* as feet; write unit = "m"'):
        build_terrain(flat_site(path, vertical_unit="ft"))


def test_a_unit_that_nobody_knows_is_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES, unit="fathom")
    with pytest.raises(TerrainError, match="its heights are declared in 'fathom'"):
        build_terrain(flat_site(path))


def test_band_and_vertical_axis_that_contradict_each_other_are_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", NODES, crs="EPSG:32636+6360", unit="m")
    with pytest.raises(TerrainError, match="its band says metres and its vertical CRS US survey"):
        build_terrain(flat_site(path))


def test_negative_heights_of_things_are_noise_or_refused(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES)
    noise = write_raster(tmp_path / "noise.tif", paint(-0.4)(NODES * 0))
    terrain = build_terrain(flat_site(ground, range_m=1e4, buildings=noise))
    np.testing.assert_array_equal(terrain.surface, terrain.ground)
    assert said(terrain, "Negative heights of noise.tif (to -0.4 m) were taken as 0")
    wrong = write_raster(tmp_path / "wrong.tif", paint(-7.0)(NODES * 0))
    with pytest.raises(TerrainError, match=r"terrain.vegetation \(wrong.tif\): it holds -7.0 m"):
        build_terrain(flat_site(ground, range_m=1e4, vegetation=wrong))


def test_a_whole_surface_in_place_of_heights_is_refused(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES + 1000)
    surface = write_raster(tmp_path / "surface.tif", NODES + 1010)
    with pytest.raises(TerrainError, match=r"or a whole surface as terrain\.surface"):
        build_terrain(flat_site(ground, buildings=surface))


def test_where_one_of_two_kinds_of_things_is_unknown_so_is_what_stands(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES)
    buildings = write_raster(tmp_path / "buildings.tif", paint(np.nan)(NODES * 0 + 6))
    vegetation = write_raster(tmp_path / "vegetation.tif", NODES * 0 + 3)
    site = flat_site(ground, range_m=1e4, buildings=buildings, vegetation=vegetation)
    terrain = build_terrain(site)
    np.testing.assert_array_equal(np.isnan(terrain.surface), stored_unknown(ground))
    assert np.nanmax(terrain.surface) == 56.0


def test_zero_declared_as_no_data_in_heights_of_things_means_nothing_stands(tmp_path):
    ground = write_raster(tmp_path / "ground.tif", NODES)
    things = paint(8.0)(NODES * 0)
    things[50:52, 50:52] = np.nan
    buildings = write_raster(tmp_path / "buildings.tif", things, nodata=0.0)
    terrain = build_terrain(flat_site(ground, range_m=1e4, buildings=buildings))
    standing = terrain.surface - terrain.ground
    assert (standing[stored_unknown(ground)] == 8.0).all()
    assert np.isnan(standing[50:52, 50:52]).all()
    assert np.isnan(standing).sum() == 4
    assert np.count_nonzero(np.nan_to_num(standing)) == 25
    assert said(terrain, "buildings.tif declares 0 as no-data; in heights above the ground")
