"""The plan for CAD and the site in three dimensions, read back by the formats' own libraries."""

import ezdxf
import numpy as np
import pytest
import trimesh

from studio_project import hand_made, make_studio_project
from watchline.io.dxf import LAYERS, write_dxf
from watchline.io.gltf import write_glb
from watchline.io.project import read_site
from watchline.io.terrain import read_terrain


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_studio_project(tmp_path_factory.mktemp("drawn") / "small")
    site = read_site(folder)
    return site, hand_made(site), read_terrain(next(folder.glob("runs/*/terrain.tif")))


def ground(terrain, row):
    """Height of the ground of the nearest node."""
    col = round((row.geometry.x - terrain.origin[0]) / terrain.cell_m)
    line = round((terrain.origin[1] - row.geometry.y) / terrain.cell_m)
    return float(terrain.ground[line, col])


def test_dxf_holds_masts_upright_in_the_projects_coordinates(made, tmp_path):
    site, plan, terrain = made
    file = write_dxf(plan, tmp_path / "plan.dxf", site=site, terrain=terrain)
    again = write_dxf(plan, tmp_path / "again.dxf", site=site, terrain=terrain)
    assert file.read_bytes() == again.read_bytes()
    drawing = ezdxf.readfile(file)
    assert not drawing.audit().errors and drawing.units == ezdxf.units.M
    assert set(LAYERS) <= {layer.dxf.name for layer in drawing.layers}
    space = drawing.modelspace()
    masts = {
        (round(line.dxf.start.x, 6), round(line.dxf.start.y, 6)): line
        for line in space.query('LINE[layer=="MOUNTS"]')
    }
    for row in plan.mounts.itertuples():
        line = masts[round(row.geometry.x, 6), round(row.geometry.y, 6)]
        assert line.dxf.start.z == pytest.approx(ground(terrain, row))
        assert line.dxf.end.z - line.dxf.start.z == pytest.approx(row.height_m)
    aims = list(space.query('LINE[layer=="DEVICES"]'))
    first = plan.devices.iloc[0]
    way = aims[0].dxf.end - aims[0].dxf.start
    assert np.degrees(np.arctan2(way.x, way.y)) % 360 == pytest.approx(first.azimuth_deg)
    assert np.degrees(np.arcsin(-way.z / way.magnitude)) == pytest.approx(first.tilt_deg)
    (line,) = space.query('LWPOLYLINE[layer=="LINE"]')
    drawn = [tuple(p[:2]) for p in line.get_points()]
    np.testing.assert_allclose(drawn, list(site.line.coords), atol=1e-6)


def test_glb_puts_ground_and_masts_in_their_places(made, tmp_path):
    site, plan, terrain = made
    file = write_glb(plan, tmp_path / "site.glb", site=site, terrain=terrain)
    assert (
        file.read_bytes()
        == write_glb(plan, tmp_path / "again.glb", site=site, terrain=terrain).read_bytes()
    )
    scene = trimesh.load(file)
    told = scene.metadata["extras"]
    assert told["crs"] == site.crs
    east, north, up = told["origin"]
    for row in plan.mounts.itertuples():
        low, high = scene.geometry[f"mount {row.mount_id}"].bounds
        middle = (low + high) / 2
        assert middle[0] + east == pytest.approx(row.geometry.x, abs=0.01)
        assert north - middle[2] == pytest.approx(row.geometry.y, abs=0.01)
        assert low[1] + up == pytest.approx(ground(terrain, row), abs=0.3)
        assert high[1] - low[1] == pytest.approx(row.height_m, abs=0.3)
    nodes = scene.geometry["terrain"].vertices
    some = nodes[:: len(nodes) // 50]
    col = np.rint((some[:, 0] + east - terrain.origin[0]) / terrain.cell_m).astype(int)
    line = np.rint((terrain.origin[1] - (north - some[:, 2])) / terrain.cell_m).astype(int)
    np.testing.assert_allclose(some[:, 1] + up, terrain.surface[line, col], atol=0.01)
    assert {"line", "zone", "road", "device D001"} <= set(scene.geometry)
