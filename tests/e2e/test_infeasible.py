"""What cannot be planned is explained: where, why, and the least that mends it."""

import json
import re

import numpy as np

from small_project import PROJECT, make_project, run_cli, write_dem


def infeasible(tmp_path, text, monkeypatch, capsys):
    code, out, err = run_cli(monkeypatch, capsys, "plan", make_project(tmp_path, text), "--quiet")
    assert code == 4, err
    assert out == ""
    assert "Traceback" not in err
    return err


def test_out_of_reach_is_explained(tmp_path, monkeypatch, capsys):
    text = PROJECT.replace('quality = "overview"\nshare = "97 %"', 'quality = "scrutinise"')
    err = infeasible(tmp_path, text, monkeypatch, capsys)
    assert re.search(r"chainage \d+–\d+ m.*'zone in overview' cannot hold on [\d,]+ cells", err)
    assert "set share" in err


def test_too_few_mounts_is_explained(tmp_path, monkeypatch, capsys):
    text = PROJECT.replace('share = "97 %"', "views = 8")
    text = text.replace('spacing = "60 m"', 'spacing = "400 m"\ncrest_spacing = "400 m"')
    err = infeasible(tmp_path, text, monkeypatch, capsys)
    assert re.search(r"too few different mounts \(8 asked\)", err)
    assert "set views" in err


def test_unknown_ground_is_explained_and_never_counts(tmp_path, monkeypatch, capsys):
    def hole(heights):
        heights = heights.copy()
        heights[195:225, 215:245] = np.nan
        return heights

    folder = make_project(tmp_path, PROJECT.replace('"97 %"', '"100 %"'))
    write_dem(folder / "inputs" / "dem.tif", hole)
    err = infeasible(tmp_path, PROJECT.replace('"97 %"', '"100 %"'), monkeypatch, capsys)
    assert "without terrain data" in err
    relaxed = re.search(r'set share = "([\d.]+) %"', err)
    (folder / "project.toml").write_text(PROJECT.replace('"97 %"', f'"{relaxed[1]} %"'))
    out = run_cli(monkeypatch, capsys, "plan", folder, "--json", "--quiet")[1]
    claim = json.loads(out)["claims"][0]
    assert claim["upper"] > claim["lower"]
    assert claim["verdict"] in ("holds", "unknown")


def test_one_site_of_two_heights_is_one_view(tmp_path, monkeypatch, capsys):
    """Two heights of one site exclude each other, so they never count as two mounts."""
    text = PROJECT.replace('share = "97 %"', 'share = "97 %"\nviews = 2')
    folder = make_project(tmp_path, text)
    (folder / "project.toml").write_text(
        text.replace('road_clearance = "2 m"', 'road_clearance = "35 m"').replace(
            'spacing = "60 m"', 'spacing = "4000 m"\ncrest_spacing = "4000 m"'
        )
        + '\n[[exclusions]]\nname = "most"\n'
        + 'circle = { chainage = "255 m", offset = "67 m", radius = "225 m" }\n'
    )
    code, _, err = run_cli(monkeypatch, capsys, "plan", folder, "--quiet")
    assert code == 4, err
    assert "too few different mounts (2 asked)" in err
    assert "one by one but not together" not in err


def test_a_reserve_that_cannot_be_is_explained(tmp_path, monkeypatch, capsys):
    """Two sites at the ends, and a lens that does not reach from one to the other."""
    text = PROJECT.replace('share = "97 %"', 'share = "97 %"\nsurvive_loss = "mount"')
    text = text.replace('spacing = "60 m"', 'spacing = "400 m"\ncrest_spacing = "400 m"')
    text = text.replace(', "fixed-4mp-16mm", "fixed-8mp-12mm"]', "]")
    err = infeasible(tmp_path, text, monkeypatch, capsys)
    assert "(2 asked, one of them in reserve)" in err
    assert "more than a loss needs" in err
    assert "set share = " in err
