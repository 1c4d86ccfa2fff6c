"""What the studio shows after an edit is what the proof of the saved plan says."""

import json

import numpy as np
import pytest

from small_project import run_cli
from studio_project import hand_made, make_studio_project
from watchline.errors import WatchlineError
from watchline.io.plan import read_plan
from watchline.prove.proof import prove_plan
from watchline.studio.edit_answers import (
    AddDevice,
    AddMount,
    AimDevice,
    EditRequest,
    MoveMount,
    RemoveDevice,
    RemoveMount,
    SetHeight,
    SetModel,
    SetStructure,
)
from watchline.studio.faults import RevisionConflict
from watchline.studio.studio import Studio

EDITS = 50
MODELS = ("fixed-4mp-8mm", "fixed-8mp-12mm", "vari-8mp-50mm", "thermal-640-25mm", "pano-180-8mp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_studio_project(tmp_path_factory.mktemp("studio") / "small")


@pytest.fixture
def studio(folder):
    opened = Studio(folder)
    yield opened
    opened.close()


def random_edit(rng, detail):
    """Any edit, of places that may lie in the zone, on the road, or beyond the terrain's middle."""
    mount = detail.mount_list[rng.integers(len(detail.mount_list))]
    device = detail.device_list[rng.integers(len(detail.device_list))]
    lon = mount.lon + rng.normal(0.0, 3e-4)
    lat = mount.lat + rng.normal(0.0, 2e-4)
    models = [str(m) for m in rng.permutation(MODELS)]
    kinds = {
        "aim": lambda: AimDevice(
            action="aim_device", device_id=device.device_id, azimuth_deg=rng.uniform(0, 360)
        ),
        "tilt": lambda: AimDevice(
            action="aim_device", device_id=device.device_id, tilt_deg=rng.uniform(-5, 40)
        ),
        "zoom": lambda: AimDevice(
            action="aim_device",
            device_id=device.device_id,
            focal_mm=rng.uniform(device.focal_min_mm, device.focal_max_mm),
        ),
        "move": lambda: MoveMount(action="move_mount", mount_id=mount.mount_id, lon=lon, lat=lat),
        "height": lambda: SetHeight(
            action="set_height", device_id=device.device_id, height_m=rng.uniform(2, 6)
        ),
        "model": lambda: SetModel(action="set_model", device_id=device.device_id, model=models[0]),
        "structure": lambda: SetStructure(
            action="set_structure",
            mount_id=mount.mount_id,
            structure=str(rng.choice(["mast-6", "mast-10", "mast-15"])),
        ),
        "add device": lambda: AddDevice(
            action="add_device",
            mount_id=mount.mount_id,
            model=models[0],
            azimuth_deg=rng.uniform(0, 360),
        ),
        "add mount": lambda: AddMount(action="add_mount", lon=lon, lat=lat, structure="mast-10"),
        "remove device": lambda: RemoveDevice(action="remove_device", device_id=device.device_id),
        "remove mount": lambda: RemoveMount(action="remove_mount", mount_id=mount.mount_id),
    }
    weights = np.array([4, 2, 2, 5, 2, 3, 2, 4, 2, 1, 1], dtype=float)
    return kinds[str(rng.choice(list(kinds), p=weights / weights.sum()))]()


def test_fifty_edits_equal_the_proof_of_the_saved_plan(
    studio, folder, tmp_path, monkeypatch, capsys
):
    rng = np.random.default_rng(7)
    detail, name, done, kinds = studio.detail("computed"), "computed", 0, set()
    changed_claims = 0
    while done < EDITS:
        edit = random_edit(rng, detail)
        try:
            answer = studio.edit(name, detail.revision, EditRequest(edits=[edit]), 0.0)
        except RevisionConflict:
            raise
        except WatchlineError:  # an edit that is not possible: the plan must be as it was
            assert studio.detail(name).revision == detail.revision
            continue
        if rng.random() < 0.15:
            answer = studio.step(answer.plan, answer.revision, -1, None, 0.0)
        name, detail = answer.plan, studio.detail(answer.plan)
        opened = studio._plans.open(name)
        plan = opened.plan
        if done % 5 == 0:  # through the file; in between the plan as it stands
            studio.save(name)
            plan = read_plan(folder / "plans" / f"{name}.gpkg", site=studio._project.site)
        proof = prove_plan(studio._project.site, studio._project.terrain, plan)
        assert opened.stands().claims == proof.claims, edit
        assert [(c.requirement, c.value, c.verdict) for c in answer.claims] == [
            (c.requirement, c.value, c.verdict) for c in proof.claims
        ]
        assert detail.cost == answer.cost == pytest.approx(plan.cost, abs=1e-6)
        if done % 5 == 0:
            whole = opened.whole_proof()
            assert whole.cells.equals(proof.cells)
            assert whole.plan_sha256 == proof.plan_sha256
        kinds.add(edit.action)
        changed_claims += bool(answer.changed_claims)
        done += 1
    studio.save(name)
    assert len(kinds) >= 8 and changed_claims > EDITS / 3
    code, out, _ = run_cli(
        monkeypatch, capsys, "prove", folder / "plans" / f"{name}.gpkg", "--json", "-q"
    )
    told = {(c["requirement"], c["verdict"], c["value"]) for c in json.loads(out)["claims"]}
    assert told == {(c.requirement, c.verdict, c.value) for c in detail.claims}
    assert code == (0 if detail.holds else 1)


def test_what_a_device_sees_is_counted_by_the_proof(studio):
    """One device alone: the ground that it is said to see is what the proof counts as seen."""
    detail = studio.detail("computed")
    keep = detail.device_list[0]
    edits = [
        RemoveDevice(action="remove_device", device_id=d.device_id) for d in detail.device_list[1:]
    ]
    answer = studio.edit("computed", detail.revision, EditRequest(edits=edits), 0.0)
    seen = studio.seen(answer.plan, keep.device_id, "day")
    opened = studio._plans.open(answer.plan)
    judge = opened.proof.asked.wanted[0]
    zone = opened.proof.asked.cells.places["zone"]
    at = opened.seen(keep.device_id, "day")
    assert seen.cells == at.size > 50
    assert set(np.flatnonzero(judge.sure)) == set(at[zone[at]])
    first = next(c for c in answer.claims if c.requirement == "zone in overview")
    assert first.value == pytest.approx(zone[at].sum() / zone.sum())


def test_undo_and_redo_go_back_and_forth(studio):
    detail = studio.detail("computed")
    before = [(c.requirement, c.value) for c in detail.claims]
    turned = AimDevice(
        action="aim_device",
        device_id="D001",
        azimuth_deg=(detail.device_list[0].azimuth_deg + 90) % 360,
    )
    first = studio.edit("computed", detail.revision, EditRequest(edits=[turned]), 0.0)
    assert [d.device_id for d in first.changed_devices] == ["D001"]
    assert first.can_undo and not first.can_redo and first.changed_claims
    back = studio.step(first.plan, first.revision, -1, None, 0.0)
    assert [(c.requirement, c.value) for c in back.claims] == before and back.can_redo
    again = studio.step(first.plan, back.revision, +1, None, 0.0)
    assert [(c.requirement, c.value) for c in again.claims] == [
        (c.requirement, c.value) for c in first.claims
    ]
    with pytest.raises(RevisionConflict) as caught:
        studio.step(first.plan, back.revision, +1, None, 0.0)
    assert caught.value.conflict.current_revision == again.revision
    assert caught.value.conflict.current.revision == again.revision


def test_a_file_changed_by_another_program_is_taken_up_and_can_be_left_again(studio, folder):
    detail = studio.detail("computed")
    lens = AimDevice(action="aim_device", device_id="D001", tilt_deg=3.0)
    answer = studio.edit("computed", detail.revision, EditRequest(edits=[lens]), 0.0)
    studio.save(answer.plan)
    from watchline.io.plan import write_plan

    write_plan(
        hand_made(studio._project.site, answer.plan),
        folder / "plans" / f"{answer.plan}.gpkg",
        site=studio._project.site,
    )
    after = studio.detail(answer.plan)
    assert after.revision != answer.revision
    assert after.history[-1].what == "changed by another program" and after.history[-1].current
    assert next(d for d in after.device_list if d.device_id == "D001").tilt_deg == 12.0
    with pytest.raises(RevisionConflict):
        studio.edit(answer.plan, answer.revision, EditRequest(edits=[lens]), 0.0)
    back = studio.step(answer.plan, after.revision, -1, None, 0.0)
    assert next(d for d in back.changed_devices if d.device_id == "D001").tilt_deg == 3.0


def test_plans_along_the_line_and_their_difference(studio):
    detail = studio.detail("computed")
    gone = RemoveMount(action="remove_mount", mount_id="M002")
    answer = studio.edit("computed", detail.revision, EditRequest(edits=[gone]), 0.0)
    assert answer.removed_mounts == ["M002"] and answer.removed_devices
    strip = studio.strip(answer.plan, "day", 20.0)
    twice = next(r for r in strip.requirements if r.requirement == "fence strip twice")
    claim = next(c for c in answer.claims if c.requirement == "fence strip twice")
    cells = sum(b.cells for b in twice.bins)
    assert sum(b.share * b.cells for b in twice.bins) / cells == pytest.approx(claim.value)
    assert all(b.views_least <= b.views_mean <= b.views_most for b in twice.bins)
    assert {m.name for m in strip.marks if m.kind == "mount"} == {"M001", "M003", "M004"}
    found = studio.difference("computed", answer.plan)
    assert [m.before for m in found.mounts] == ["M002"] and found.mounts[0].change == "removed"
    assert found.cost_after == pytest.approx(answer.cost) and found.lines


def test_a_cell_tells_who_sees_it_and_which_ridge_is_in_the_way(studio):
    detail = studio.detail("computed")
    low = [
        edit
        for d in detail.device_list
        for edit in (
            SetHeight(action="set_height", device_id=d.device_id, height_m=0.6),
            AimDevice(action="aim_device", device_id=d.device_id, tilt_deg=0.0),
        )
    ]
    name = studio.edit("computed", detail.revision, EditRequest(edits=low), 0.0).plan
    opened = studio._plans.open(name)
    cells, judge = opened.proof.asked.cells, opened.proof.asked.wanted[0]
    globe = studio._project.globe
    reasons = set()
    for at in np.flatnonzero(judge.mask)[::31]:
        lon, lat = globe.lonlat(cells.x[at], cells.y[at])
        cell = studio.cell(name, float(lon), float(lat), "day", None)
        good = judge.sure[at] >= 1
        binding = opened.requirement_at("day", int(at))
        if studio._project.site.requirements[binding].name == "zone in overview":
            assert (cell.verdict == "good") == good
            assert len(cell.mounts) == judge.sure[at]
        for view in cell.views:
            reasons.add(view.reason)
            assert (view.reason == "sees") == view.sees
            if view.reason == "hidden":
                assert view.block.over_m > 0 and view.block.what == "terrain"
                line = studio.cell(name, float(lon), float(lat), "day", view.device_id)
                over = np.array(line.profile.surface_m, float) - np.array(line.profile.ray_m)
                # Where it is told to be blocked, the drawn ground stands above the drawn ray.
                nearest = np.argmin(
                    np.abs(np.array(line.profile.distance_m) - view.block.distance_m)
                )
                assert over[max(0, nearest - 2) : nearest + 3].max() > -0.05
    assert {"sees", "outside", "hidden"} <= reasons
