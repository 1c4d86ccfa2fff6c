"""A light on a mast goes with it, and what is seen by lamps is judged anew."""

import json
import shutil
from dataclasses import replace

import geopandas as gpd
import pytest

from light_project import LIGHTS, ROAD
from small_project import run_cli
from studio_project import STUDIO_PROJECT, hand_made, make_studio_project
from watchline.chain.plan import open_run
from watchline.chain.progress import Silent
from watchline.chain.prove import prove_whole
from watchline.errors import PlanError
from watchline.io.plan import read_plan, write_plan
from watchline.io.project import read_site
from watchline.model.lighting import LIGHT_COLUMNS, POLE_COLUMNS, Lighting
from watchline.prove.light_claims import prove_lights
from watchline.prove.proof import prove_plan
from watchline.studio.edit_answers import AimDevice, AimLight, EditRequest, MoveMount, RemoveLight
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


def test_lights_are_turned_and_taken_down(studio):
    detail = studio.detail("computed")
    site, terrain = studio._project.site, studio._project.terrain
    before = {c.requirement: c.value for c in detail.claims if c.kind == "light"}
    assert before
    turn = AimLight(action="aim_light", light_id="L1", azimuth_deg=280.0, tilt_deg=30.0)
    first = studio.edit("computed", detail.revision, EditRequest(edits=[turn]), 0.0)
    gone = RemoveLight(action="remove_light", light_id="L2")
    second = studio.edit(first.plan, first.revision, EditRequest(edits=[gone]), 0.0)
    for answer in (first, second):
        assert {c.requirement for c in answer.changed_claims} & before.keys()
    after = studio.detail(second.plan)
    lights = {light.light_id: light for light in after.light_list}
    assert set(lights) == {"L0", "L1", "L3"}
    assert (lights["L1"].azimuth_deg, lights["L1"].tilt_deg) == (280.0, 30.0)
    assert [one.what for one in after.history][1:] == ["L1 turned", "L2 removed"]
    studio.save(second.plan)
    saved = read_plan(site.folder / "plans" / f"{second.plan}.gpkg", site=site)
    assert saved.lighting.poles["pole_id"].tolist() == ["P0", "P1", "P3"]
    assert saved.lighting.cost == pytest.approx(saved.lighting.lights["cost"].sum())
    _, proof, _ = prove_whole(site, terrain, saved, Silent())
    assert studio._plans.open(second.plan).stands().claims == proof.claims
    back = studio.step(second.plan, second.revision, -1, None, 0.0)
    back = studio.step(back.plan, back.revision, -1, None, 0.0)
    assert {c.requirement: c.value for c in back.claims if c.kind == "light"} == before
    with pytest.raises(PlanError, match="no light 'L9'"):
        studio.edit(
            back.plan,
            back.revision,
            EditRequest(edits=[RemoveLight(action="remove_light", light_id="L9")]),
            0.0,
        )
    assert studio.detail(back.plan).revision == back.revision


def test_the_difference_of_two_plans_tells_of_light(studio, monkeypatch, capsys):
    detail = studio.detail("computed")
    gone = RemoveLight(action="remove_light", light_id="L2")
    answer = studio.edit("computed", detail.revision, EditRequest(edits=[gone]), 0.0)
    studio.save(answer.plan)
    found = studio.difference("computed", answer.plan)
    changed = {c.requirement for c in answer.changed_claims if c.kind == "light"}
    assert changed and changed <= {c.requirement for c in found.claims}
    folder = studio._project.folder
    files = next(folder.glob("runs/*/plan.gpkg")), folder / "plans" / f"{answer.plan}.gpkg"
    _, out, _ = run_cli(monkeypatch, capsys, "diff", *files, "--json", "-q")
    told = {(c["requirement"], c["value_after"]) for c in json.loads(out)["claims"]}
    assert told == {(c.requirement, c.value_after) for c in found.claims}
