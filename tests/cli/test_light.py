"""``watchline light``: figures on stdout, the diagram in a file, faults in a sentence."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from photometry_cases import DATA
from small_project import LIDAR, run_cli
from watchline.io.luminaires import read_luminaires
from watchline.physics.luminaires import aimed_intensity_cd

FLOOD = DATA / "photometry" / "projector.ldt"


def test_show_prints_the_figures(monkeypatch, capsys):
    code, out, _ = run_cli(monkeypatch, capsys, "light", "show", FLOOD)
    assert code == 0
    for said in ("5,158 lm", "79.4 %", "5,402 cd", "C 165.0°, γ 44.0°", "20.0° × 67.2°"):
        assert said in out
    data = json.loads(run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--json")[1])
    assert data["flux_lm"] == pytest.approx(5158.0, abs=0.1)
    assert data["efficiency"] == pytest.approx(data["flux_lm"] / 6500)
    assert data["picture"] is None


def test_unknown_figures_are_null_and_warnings_are_said(monkeypatch, capsys):
    file = DATA / "photometry_synthetic" / "C_half_nonuni.ies"
    code, out, _ = run_cli(monkeypatch, capsys, "light", "show", file)
    assert code == 0
    assert "Warning: C planes are up to 40° apart" in out
    data = json.loads(run_cli(monkeypatch, capsys, "light", "show", file, "--json")[1])
    assert data["lamp_flux_lm"] is None
    assert data["warnings"]


def test_the_diagram_is_a_picture(tmp_path, monkeypatch, capsys):
    svg, png = tmp_path / "flood.svg", tmp_path / "flood.png"
    for file in (svg, png):
        assert run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--to", file)[0] == 0
    root = ElementTree.fromstring(svg.read_text("utf-8"))
    curves = [e for e in root.iter() if e.get("class") in ("curve-cost", "curve-bound")]
    assert len(curves) == 4  # two in the diagram, two in its legend
    with rasterio.open(png) as picture:
        pixels = picture.read()
    assert pixels.shape[1] > 800
    assert len(np.unique(pixels[0])) > 20
    code, _, err = run_cli(monkeypatch, capsys, "light", "show", FLOOD, "--to", tmp_path / "a.gif")
    assert code == 2
    assert ".svg or .png" in err


def test_a_broken_file_is_one_sentence(tmp_path, monkeypatch, capsys):
    file = tmp_path / "broken.ldt"
    file.write_bytes(FLOOD.read_bytes()[:2000])
    code, out, err = run_cli(monkeypatch, capsys, "light", "show", file)
    assert code == 3
    assert not out
    assert "line" in err
    assert err.count("\n") == 1


HEADER = "file,x,y,height_m,azimuth_deg,tilt_deg,front_c_deg,factor\n"


def luminaires(tmp_path, rows):
    (tmp_path / "flood.ldt").write_bytes(FLOOD.read_bytes())
    file = tmp_path / "masts.csv"
    file.write_text(HEADER + rows)
    return file


def test_light_on_real_terrain(tmp_path, monkeypatch, capsys):
    """Two floodlights on a hill of 1 m lidar: the raster holds what the formula says."""
    x, y = 564749.0, 146744.0
    masts = luminaires(
        tmp_path, f"flood.ldt,{x},{y},12,90,60,180,2\nflood.ldt,{x + 40},{y},12,0,50,180,\n"
    )
    to = tmp_path / "lux.tif"
    command = ["light", "map", LIDAR, masts, "--to", to, "--reach", 60, "--maintenance", 0.5]
    code, out, _ = run_cli(monkeypatch, capsys, *command, "--json")
    assert code == 0
    data = json.loads(out)
    with rasterio.open(to) as raster, rasterio.open(LIDAR) as dem:
        lux, unknown = raster.read()
        ground = dem.read(1).astype(float)
        assert raster.descriptions == ("illuminance", "unknown")
        assert raster.crs == dem.crs
        rows, cols = np.nonzero(np.isfinite(lux))
        place_x, place_y = raster.xy(rows, cols)
    assert len(rows) == data["cells"]
    away = np.minimum(
        np.hypot(np.array(place_x) - x, np.array(place_y) - y),
        np.hypot(np.array(place_x) - x - 40, np.array(place_y) - y),
    )
    assert away.max() <= 60
    assert data["max_lx"] == pytest.approx(np.nanmax(lux), rel=1e-6)
    assert np.nanmax(unknown) == 0
    # The brightest cell is in no shadow: both lamps by hand, without terrain between.
    k = int(np.argmax(lux[rows, cols]))
    here = np.array([place_x[k], place_y[k], ground[rows[k], cols[k]]])
    total = 0.0
    for lamp in read_luminaires(masts):
        with rasterio.open(LIDAR) as dem:
            foot = next(dem.sample([(lamp.x, lamp.y)]))[0]
        up = np.array([lamp.x, lamp.y, foot + lamp.z]) - here
        d = np.linalg.norm(up)
        total += 0.5 * float(aimed_intensity_cd(lamp, -up)) * up[2] / d**3
    # The mast's foot is interpolated, and the sample above is of the nearest cell.
    assert lux[rows[k], cols[k]] == pytest.approx(total, rel=0.03)


def test_vertical_light_and_fog(tmp_path, monkeypatch, capsys):
    masts = luminaires(tmp_path, "flood.ldt,564749,146744,12,90,60,180,1\n")
    command = ["light", "map", LIDAR, masts, "--to", tmp_path / "a.tif", "--height", 1.5, "--json"]
    west = json.loads(run_cli(monkeypatch, capsys, *command, "--toward", 270)[1])
    east = json.loads(run_cli(monkeypatch, capsys, *command, "--toward", 90)[1])
    fog = json.loads(run_cli(monkeypatch, capsys, *command, "--toward", 270, "--visibility", 50)[1])
    assert west["mean_lx"] > 2 * east["mean_lx"]  # the lamp shines east: faces to the west are lit
    assert 0 < fog["mean_lx"] < 0.6 * west["mean_lx"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("flood.ldt,564749,146744,12,90,sixty,180,1\n", "line 2: tilt_deg is 'sixty'"),
        ("none.ldt,564749,146744,12,90,60,180,1\n", "none.ldt: it cannot be read"),
        ("flood.ldt,564749,146744,-1,90,60,180,1\n", "line 2: height_m must be above 0"),
        ("flood.ldt,0,0,12,90,60,180,1\n", "lies outside the raster"),
        ("", "it lists no luminaire"),
    ],
)
def test_faults_of_a_list(tmp_path, monkeypatch, capsys, rows, said):
    masts = luminaires(tmp_path, rows)
    code, out, err = run_cli(
        monkeypatch, capsys, "light", "map", LIDAR, masts, "--to", tmp_path / "a.tif", "--quiet"
    )
    assert code == 3
    assert not out
    assert said in err
    assert not (tmp_path / "a.tif").exists()


def test_a_list_without_its_columns(tmp_path, monkeypatch, capsys):
    file = tmp_path / "masts.csv"
    file.write_text("file,x\na,1\n")
    code, _, err = run_cli(monkeypatch, capsys, "light", "map", LIDAR, file, "--quiet")
    assert code == 3
    assert "the header lacks y, height_m, azimuth_deg, tilt_deg" in err
