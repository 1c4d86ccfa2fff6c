"""Bad input: one sentence that says what, where and how to mend it, and the exit code."""

import json
import re

import numpy as np
import pytest

from small_project import CRS, LINE_XY, PROJECT, geojson, lonlat, make_project, run_cli, write_dem


def change(old, new, text=PROJECT):
    assert old in text
    return text.replace(old, new)


CASES = {
    "geographic CRS": (change('"EPSG:3794"', '"EPSG:4326"'), r"crs.*not a projected CRS.*UTM"),
    "no CRS at all": (change('"EPSG:3794"', '"nonsense"'), r"'nonsense' is not a CRS"),
    "CRS in feet": (change('"EPSG:3794"', '"EPSG:2225"'), r"not in metres"),
    "unknown key": (change("[road]", "[road]\ncolour = 1"), r"road\.colour: this key is unknown"),
    "misspelt key": (
        change("fence_strip", "fence_stripe"),
        r"zone\.fence_stripe: this key is unknown; did you mean 'fence_strip'\?",
    ),
    "missing key": (change('outer = "40 m"\n', ""), r"zone\.outer: this key is missing; add it"),
    "length without unit": (change('outer = "40 m"', "outer = 40"), r'zone\.outer.*"40 m"'),
    "length in a wrong unit": (change('outer = "40 m"', 'outer = "40 kg"'), r"zone\.outer.*kg"),
    "zone inside out": (change("[zone]", '[zone]\ninner = "50 m"'), r"not beyond inner"),
    "coarse cell": (change('cell = "5 m"', 'cell = "30 m"'), r"too coarse for a zone 40 m wide"),
    "zone end beyond the line": (
        change("[zone]", '[zone]\nend = "9 km"'),
        r"zone\.end: end \(9000 m\) lies beyond the line's end",
    ),
    "road without place": (change('offset = "30 m"\n', ""), r"road: give either offset or file"),
    "road that falls apart": (
        change('offset = "30 m"', 'offset = "20000 m"'),
        r"road\.offset.*smaller offset",
    ),
    "unknown device": (
        change('"fixed-4mp-8mm"', '"fixed-4mp-9mm"'),
        r"candidates\.devices\[0\]: the catalogue has no device 'fixed-4mp-9mm'; "
        r"did you mean 'fixed-4mp-\d+mm'",
    ),
    "unknown mast": (change('"mast-6"', '"mats-6"'), r"structures\[0\].*did you mean 'mast-6'"),
    "unknown place": (
        PROJECT.replace('where = "zone"', 'where = "zoo"', 1),
        r"requirements\[0\] 'zone in overview'\.where: 'zoo' is no place",
    ),
    "unknown quality": (
        change('quality = "overview"\nshare', 'quality = "overvue"\nshare'),
        r"'overvue' is no quality class; did you mean 'overview'",
    ),
    "two qualities": (
        change('quality = "overview"\nshare', 'quality = "overview"\npx_per_m = 5\nshare'),
        r"requirements\[0\]: give either quality or px_per_m",
    ),
    "share above one": (change('"97 %"', '"197 %"'), r"requirements\[0\]\.share"),
    "unknown condition": (
        change('share = "97 %"', 'share = "97 %"\nconditions = ["day", "fgo"]'),
        r"requirements\[0\] 'zone in overview'\.conditions: 'fgo' is no condition of this project; "
        r"did you mean 'fog'",
    ),
    "condition and conditions": (
        change('share = "97 %"', 'share = "97 %"\ncondition = "day"\nconditions = ["fog"]'),
        r"requirements\[0\]: give either condition or conditions, not both",
    ),
    "condition twice": (
        change('share = "97 %"', 'share = "97 %"\nconditions = ["fog", "fog"]'),
        r"conditions: 'fog' stands twice; leave one out",
    ),
    "name taken by a condition": (
        change('share = "97 %"', 'share = "97 %"\nconditions = ["day", "fog"]').replace(
            '"zone crouching"', '"zone in overview, fog"'
        ),
        r"two requirements are named 'zone in overview, fog'",
    ),
    "light without unit": (
        PROJECT + '\n[[conditions]]\nname = "dusk"\nambient = 10\n',
        r"conditions\[0\]\.ambient: 10 has no unit; write \"10 lx\"",
    ),
    "condition like nothing": (
        PROJECT + '\n[[conditions]]\nname = "dusk"\nlike = "evening"\n',
        r"conditions\[0\]: like: 'evening' is no standard condition; take one of: day",
    ),
    "no binding requirement": (
        change('share = "97 %"', 'share = "97 %"\nbinding = false'),
        r"no requirement is binding",
    ),
    "same name twice": (change('"zone crouching"', '"zone in overview"'), r"stands twice"),
    "file missing": (
        change("inputs/line", "inputs/lime"),
        r"line\.file: .*lime\.geojson.*not exist",
    ),
    "broken TOML": (change("[zone]", "[zone"), r"not valid TOML.*line \d+"),
    "negative price": (
        PROJECT + "\n[catalogue]\nprices = { mast-6 = -1 }\n",
        r"catalogue\.prices\.mast-6",
    ),
    "circle beyond the line": (
        PROJECT + '\n[[areas]]\nname = "gate"\ncircle = { chainage = "5 km", radius = "9 m" }\n',
        r"areas\[0\]\.circle: chainage 5000 m lies beyond",
    ),
    "area outside the zone": (
        PROJECT
        + '\n[[areas]]\nname = "gate"\nwithin_zone = true\n'
        + 'circle = { chainage = "50 m", offset = "-90 m", radius = "9 m" }\n',
        r"'gate' does not touch the zone",
    ),
    "existing mount without place": (
        PROJECT + '\n[[existing_mounts]]\nname = "old"\nstructure = "mast-6"\nx = 1\n',
        r"existing_mounts\[0\]: give either x and y, or chainage and offset",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_project_fault(name, tmp_path, monkeypatch, capsys):
    text, sentence = CASES[name]
    folder = make_project(tmp_path, text)
    code, out, err = run_cli(monkeypatch, capsys, "check", folder)
    assert re.search(sentence, err), err
    assert err.count("Traceback") == 0
    assert code == 3
    assert out == ""


ZIGZAG = [(564600.0, 146250.0), (564660.0, 146500.0), (564660.0, 146350.0), (564580.0, 146400.0)]
LINES = {
    "self-crossing line": (
        geojson("LineString", lonlat(ZIGZAG)),
        r"line in line\.geojson crosses itself near x = 5646\d\d, y = 146\d\d\d",
    ),
    "zero-length line": (
        geojson("LineString", lonlat([LINE_XY[0], LINE_XY[0]])),
        r"has no length; draw at least two points",
    ),
    "closed line": (
        geojson("LineString", lonlat([*LINE_XY, (564500.0, 146400.0), LINE_XY[0]])),
        r"is closed",
    ),
    "two pieces": (
        geojson(
            "MultiLineString", [lonlat(LINE_XY[:2]), lonlat([(564700, 146500), (564700, 146550)])]
        ),
        r"falls into 2 pieces",
    ),
    "polygon instead of a line": (
        geojson("Polygon", [lonlat([*LINE_XY, LINE_XY[0]])]),
        r"holds no line but Polygon",
    ),
    "swapped axes": (
        geojson("LineString", [point[::-1] for point in lonlat(LINE_XY)]),
        r"swapped|does not fit|outside",
    ),
    "swapped axes beyond the pole": (
        geojson("LineString", [[50.0, 120.0], [50.1, 120.1]]),
        r"latitudes of 120.*swap x and y",
    ),
    "line elsewhere": (
        geojson("LineString", lonlat([(x + 9000, y) for x, y in LINE_XY])),
        r"outside|beyond|from the terrain|cover",
    ),
    "not a GIS file": ("hello", r"cannot be read as a GIS file"),
    "empty file": (json.dumps({"type": "FeatureCollection", "features": []}), r"holds no geometry"),
}


@pytest.mark.parametrize("name", LINES)
def test_line_fault(name, tmp_path, monkeypatch, capsys):
    text, sentence = LINES[name]
    folder = make_project(tmp_path, line_geojson=text)
    code, _, err = run_cli(monkeypatch, capsys, "check", folder, "--quiet")
    assert re.search(sentence, err), err
    assert code == 3


def test_feet_are_refused_unless_declared(tmp_path, monkeypatch, capsys):
    make_project(tmp_path)
    import rasterio

    write_dem(tmp_path / "inputs" / "dem.tif", lambda heights: heights / 0.3048)
    with rasterio.open(tmp_path / "inputs" / "dem.tif", "r+") as raster:
        raster.set_band_unit(1, "ft")
    code, _, err = run_cli(monkeypatch, capsys, "check", tmp_path)
    assert code == 3
    assert re.search(r"terrain\.ground.*feet.*unit|terrain\.ground.*ft", err), err
    (tmp_path / "project.toml").write_text(
        PROJECT.replace("[terrain]", '[terrain]\nunit = "ft"'), encoding="utf-8"
    )
    code, out, err = run_cli(monkeypatch, capsys, "check", tmp_path)
    assert code == 0, err
    assert "feet" in out or "ft" in out


def test_unreadable_raster(tmp_path, monkeypatch, capsys):
    folder = make_project(tmp_path)
    dem = folder / "inputs" / "dem.tif"
    dem.write_bytes(dem.read_bytes()[:40_000])
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert re.search(r"terrain\.ground.*(truncated|cannot be read|damaged)", err), err


def test_no_data_hole_is_said_and_stays_unknown(tmp_path, monkeypatch, capsys):
    def hole(heights):
        heights = heights.copy()
        heights[200:215, 205:225] = np.nan
        return heights

    make_project(tmp_path)
    write_dem(tmp_path / "inputs" / "dem.tif", hole)
    code, out, _ = run_cli(monkeypatch, capsys, "check", tmp_path)
    assert code == 0
    assert re.search(r"unknown", out), out


def test_all_faults_are_said_together(tmp_path, monkeypatch, capsys):
    text = PROJECT.replace('"mast-6"', '"mats-6"').replace('"fixed-4mp-8mm"', '"x"')
    text = text.replace("inputs/dem.tif", "inputs/den.tif")
    code, _, err = run_cli(monkeypatch, capsys, "check", make_project(tmp_path, text))
    assert code == 3
    assert len([line for line in err.splitlines() if "project.toml" in line]) >= 3


def test_changed_input_is_refused_until_accepted(tmp_path, monkeypatch, capsys):
    folder = make_project(tmp_path)
    assert run_cli(monkeypatch, capsys, "check", folder, "--lock")[0] == 0
    line = folder / "inputs" / "line.geojson"
    line.write_text(line.read_text() + "\n", encoding="utf-8")
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert "inputs/line.geojson has changed since the lock was written" in err
    assert run_cli(monkeypatch, capsys, "check", folder, "--lock")[0] == 0


def test_missing_project(tmp_path, monkeypatch, capsys):
    code, _, err = run_cli(monkeypatch, capsys, "plan", tmp_path)
    assert code == 3
    assert "there is no project.toml" in err
    assert "watchline init" in err


def test_line_crs_is_taken_from_the_project_where_the_file_has_none(tmp_path, monkeypatch, capsys):
    import geopandas as gpd
    from shapely.geometry import LineString

    text = PROJECT.replace("line.geojson", "line.shp")
    folder = make_project(tmp_path, text)
    gpd.GeoDataFrame(geometry=[LineString(LINE_XY)]).to_file(folder / "inputs" / "line.shp")
    code, _, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert "declares no CRS" in err
    (folder / "project.toml").write_text(
        text.replace("[line]", f'[line]\ncrs = "{CRS}"'), encoding="utf-8"
    )
    assert run_cli(monkeypatch, capsys, "check", folder)[0] == 0
