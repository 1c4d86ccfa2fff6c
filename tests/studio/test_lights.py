"""A light on a mast goes with it, and what is seen by lamps is judged anew."""

import shutil
from dataclasses import replace

import geopandas as gpd
import pytest

from light_project import LIGHTS, ROAD
from studio_project import STUDIO_PROJECT, hand_made, make_studio_project
from watchline.chain.plan import open_run
from watchline.chain.progress import Silent
from watchline.io.plan import read_plan, write_plan
from watchline.io.project import read_site
from watchline.model.lighting import LIGHT_COLUMNS, POLE_COLUMNS, Lighting
from watchline.prove.light_claims import prove_lights
from watchline.prove.proof import prove_plan
from watchline.studio.edit_answers import AimDevice, EditRequest, MoveMount
from watchline.studio.studio import Studio


@pytest.fixture
def studio(tmp_path):
    folder = tmp_path / "small"
    (folder / "inputs").mkdir(parents=True)
    shutil.copy(ROAD, folder / "inputs" / "road.ldt")
    make_studio_project(folder, STUDIO_PROJECT + LIGHTS)
    site = read_site(folder)
    plan = hand_made(site)
    offer = site.lighting.luminaires[0]
    rows, lights = [], []
    for k, mount in enumerate(plan.mounts.itertuples()):
        rows.append([f"P{k}", mount.mount_id, 6.0, mount.s, mount.t, 1, 0.0])
        lights.append(
            [f"L{k}", f"P{k}", offer.name, offer.photometry.sha256, 6.0, mount.s, mount.t,
             100.0, 0.0, offer.front_c_deg, offer.power_w, offer.price]
        )  # fmt: skip
    points = list(plan.mounts.geometry)
    poles = gpd.GeoDataFrame(rows, columns=list(POLE_COLUMNS), geometry=points, crs=site.crs)
    heads = gpd.GeoDataFrame(lights, columns=list(LIGHT_COLUMNS), geometry=points, crs=site.crs)
    lit = Lighting(poles, heads, 2000.0, None, "edited")
    write_plan(
        replace(plan, lighting=lit), open_run(site, Silent()).folder / "plan.gpkg", site=site
    )
    opened = Studio(folder)
    yield opened
    opened.close()


def test_a_lit_mast_is_moved(studio):
    detail = studio.detail("computed")
    assert len(detail.light_list) == 4
    turn = AimDevice(action="aim_device", device_id="D003", azimuth_deg=77.0)
    first = studio.edit("computed", detail.revision, EditRequest(edits=[turn]), 0.0)
    mount = detail.mount_list[1]
    move = MoveMount(
        action="move_mount", mount_id=mount.mount_id, lon=mount.lon + 2e-4, lat=mount.lat + 1e-4
    )
    second = studio.edit(first.plan, first.revision, EditRequest(edits=[move]), 0.0)
    after = studio.detail(second.plan)
    lights = {light.mount_id: light for light in after.light_list}
    assert lights[mount.mount_id].lon == pytest.approx(mount.lon + 2e-4, abs=1e-6)
    site, terrain = studio._project.site, studio._project.terrain
    studio.save(second.plan)
    saved = read_plan(site.folder / "plans" / f"{second.plan}.gpkg", site=site)
    claims = (
        *prove_plan(site, terrain, saved).claims,
        *prove_lights(site, terrain, saved.lighting).claims,
    )
    assert studio._plans.open(second.plan).stands().claims == claims
    night = [c for c in claims if c.condition == "night" and c.kind == "coverage"]
    assert night and "by the plan's lights" in night[0].detail
    assert any(c.kind == "light" for c in claims)
