"""Two plans compared: every edit is found, told once, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

import outputs_sample as sample
from watchline.errors import PlanError
from watchline.model.plan import plan_digest
from watchline.model.provenance import Provenance
from watchline.report.difference import compare_plans
from watchline.report.difference_words import difference_lines

SITE = sample.make_site()
PLAN = sample.make_plan(SITE)
PROOF = sample.make_proof(SITE, PLAN)


def edited(mounts=None, devices=None, *, kin: bool = True):
    mounts = PLAN.mounts if mounts is None else mounts
    devices = PLAN.devices if devices is None else devices
    inputs = {"edited_from": plan_digest(PLAN)} if kin else {}
    cost = float(mounts["cost"].sum() + devices["cost"].sum())
    return dataclasses.replace(
        PLAN, name="mine", mounts=mounts, devices=devices, cost=cost,
        provenance=Provenance(inputs),
    )  # fmt: skip


def put(frame, row: int, **cells):
    frame = frame.copy()
    for column, value in cells.items():
        frame.loc[row, column] = value
    return frame


def test_a_plan_and_itself() -> None:
    found = compare_plans(PLAN, PLAN, PROOF, PROOF)
    assert found.same
    assert found.proven
    assert difference_lines(found) == ["computed → computed: no difference"]


def test_the_same_plan_with_other_ids_and_order() -> None:
    mounts = PLAN.mounts.iloc[::-1].reset_index(drop=True)
    names = dict(zip(PLAN.mounts["mount_id"], ["M901", "M902", "M001"], strict=True))
    mounts["mount_id"] = mounts["mount_id"].map(names)
    devices = PLAN.devices.iloc[::-1].reset_index(drop=True)
    devices["mount_id"] = devices["mount_id"].map(names)
    devices["device_id"] = [f"X{k}" for k in range(len(devices))]
    assert compare_plans(PLAN, edited(mounts, devices, kin=False)).same


def test_a_turned_and_zoomed_device() -> None:
    devices = put(PLAN.devices, 1, azimuth_deg=5.0, tilt_deg=8.0, focal_mm=16.0)
    found = compare_plans(PLAN, edited(devices=devices))
    (change,) = found.devices
    assert (change.change, change.before, change.after) == ("changed", "D002", "D002")
    assert change.turned_deg == pytest.approx(110.0)
    assert change.tilted_deg == pytest.approx(1.5)
    assert change.focal_mm == 8.0
    assert found.mounts == ()
    assert found.cost == 0.0
    assert difference_lines(found)[1] == (
        "device D002 changed: turned 110.0°, tilted 1.5°, focal length +8 mm"
    )


def test_turns_are_told_the_short_way() -> None:
    found = compare_plans(PLAN, edited(devices=put(PLAN.devices, 0, azimuth_deg=355.123456)))
    assert found.devices[0].turned_deg == pytest.approx(-80.0)


def test_a_dragged_mount_with_its_devices() -> None:
    place = Point(sample.X0 + 400.25, sample.Y0 - 50.5)
    mounts = put(PLAN.mounts, 0, geometry=place, cost=PLAN.mounts["cost"][0] + 100)
    devices = PLAN.devices.copy()
    devices.loc[devices["mount_id"] == "M001", "geometry"] = place
    found = compare_plans(PLAN, edited(mounts, devices))
    (change,) = found.mounts
    assert (change.change, change.moved_m, change.cost) == ("changed", 300.0, 100.0)
    assert [d.moved_m for d in found.devices] == [300.0] * 3
    assert all(d.change == "changed" for d in found.devices)
    assert found.cost == pytest.approx(100.0)
    # Two plans that have nothing to do with each other only share the id by chance.
    strange = compare_plans(PLAN, edited(mounts, devices, kin=False))
    assert [m.change for m in strange.mounts] == ["removed", "added"]
    assert sorted(d.change for d in strange.devices) == ["added"] * 3 + ["removed"] * 3


def test_a_mount_dragged_to_the_place_of_one_that_was_deleted() -> None:
    place = PLAN.mounts.geometry[2]
    mounts = put(PLAN.mounts, 0, geometry=place).iloc[:2]
    found = compare_plans(PLAN, edited(mounts, PLAN.devices.iloc[:5]))
    assert [(m.change, m.before) for m in found.mounts] == [
        ("changed", "M001"),
        ("removed", "M003"),
    ]


def test_added_and_removed() -> None:
    mounts = PLAN.mounts.iloc[:2]
    new = PLAN.devices.iloc[[0]].assign(device_id="D100", azimuth_deg=200.0)
    devices = pd.concat([PLAN.devices.iloc[:5], new], ignore_index=True)
    found = compare_plans(PLAN, edited(mounts, devices))
    assert [(m.change, m.before, m.after) for m in found.mounts] == [("removed", "M003", "")]
    assert {(d.change, d.before, d.after) for d in found.devices} == {
        ("removed", "D006", ""), ("removed", "D007", ""), ("added", "", "D100"),
    }  # fmt: skip
    lines = difference_lines(found)
    assert any(line.startswith("mount M003 removed: tower-15 at s = ") for line in lines)
    assert any(line.startswith("device D100 added: cam-4mp on M001, +900") for line in lines)
    back = compare_plans(edited(mounts, devices), PLAN)
    assert [m.change for m in back.mounts] == ["added"]
    assert back.cost == pytest.approx(-found.cost)


def test_a_device_on_another_mount_and_another_model() -> None:
    devices = put(PLAN.devices, 4, model="thermal-25", kind="thermal", cost=4200.5)
    found = compare_plans(PLAN, edited(devices=devices))
    (change,) = found.devices
    assert (change.model_before, change.model_after) == ("cam-4mp", "thermal-25")
    assert change.cost == 3300.5
    place = Point(sample.X0 + 130, sample.Y0 - 50.5)
    mounts = pd.concat(
        [PLAN.mounts, PLAN.mounts.iloc[[0]].assign(mount_id="M001-moved", geometry=[place])],
        ignore_index=True,
    )
    devices = put(PLAN.devices, 0, mount_id="M001-moved", geometry=place)
    found = compare_plans(PLAN, edited(mounts, devices))
    (change,) = found.devices
    assert (change.mount_before, change.mount_after) == ("M001", "M001-moved")
    assert [m.after for m in found.mounts] == ["M001-moved"]
    assert any("mount M001 → M001-moved" in line for line in difference_lines(found))


def test_a_structure_and_a_height() -> None:
    mounts = put(PLAN.mounts, 0, structure="mast-12", height_m=12.0)
    devices = PLAN.devices.copy()
    devices.loc[:2, "height_m"] = 12.0
    found = compare_plans(PLAN, edited(mounts, devices))
    assert found.mounts[0].structure_after == "mast-12"
    assert [d.raised_m for d in found.devices] == [4.0] * 3


def test_claims() -> None:
    better = dataclasses.replace(PROOF.claims[0], verdict="holds", value=1.0)
    new = dataclasses.replace(PROOF.claims[1], requirement="farm")
    other = dataclasses.replace(PROOF, claims=(better, PROOF.claims[2], new))
    found = compare_plans(PLAN, PLAN, PROOF, other)
    assert [(c.requirement, c.verdict_before, c.verdict_after) for c in found.claims] == [
        ("whole zone", "fails", "holds"),
        ("house", "holds", ""),
        ("farm", "", "holds"),
    ]
    assert math.isnan(found.claims[1].value_after)
    lines = difference_lines(found)
    assert lines[1] == "claim 'whole zone': fails (98\u00a0%) → holds (100\u00a0%)"
    assert lines[2].startswith("claim 'house': no longer made, was holds")
    assert lines[3].startswith("claim 'farm': new, holds")
    assert not compare_plans(PLAN, PLAN, PROOF, None).proven


def test_plans_that_cannot_be_compared() -> None:
    with pytest.raises(PlanError, match="its currency is EGP, that of 'computed' is EUR"):
        compare_plans(PLAN, dataclasses.replace(PLAN, currency="EGP"))
    with pytest.raises(PlanError, match="coordinate system"):
        compare_plans(PLAN, dataclasses.replace(PLAN, crs="EPSG:32633"))


def test_empty_plans() -> None:
    empty = edited(PLAN.mounts.iloc[:0], PLAN.devices.iloc[:0])
    assert compare_plans(empty, empty).same
    found = compare_plans(empty, PLAN)
    assert (len(found.mounts), len(found.devices)) == (3, 7)
    assert found.cost == pytest.approx(PLAN.cost)


def test_it_is_plain_data() -> None:
    found = compare_plans(PLAN, edited(devices=put(PLAN.devices, 1, azimuth_deg=5.0)), PROOF, PROOF)
    assert json.loads(json.dumps(dataclasses.asdict(found)))["devices"][0]["before"] == "D002"


@settings(max_examples=40, deadline=None)
@given(
    gone=st.sets(st.integers(0, 6)),
    turned=st.dictionaries(st.integers(0, 6), st.floats(1, 359)),
    moved=st.dictionaries(st.integers(0, 2), st.floats(3, 1000)),
)
def test_any_edit_is_told_once(gone, turned, moved) -> None:
    mounts, devices = PLAN.mounts.copy(), PLAN.devices.copy()
    for k, east in moved.items():
        place = Point(mounts.geometry[k].x + east, mounts.geometry[k].y)
        mounts.loc[k, "geometry"] = place
        devices.loc[devices["mount_id"] == mounts["mount_id"][k], "geometry"] = place
    for k, angle in turned.items():
        devices.loc[k, "azimuth_deg"] = (devices["azimuth_deg"][k] + angle) % 360
    kept = devices.drop(index=list(gone)).reset_index(drop=True)
    found = compare_plans(PLAN, edited(mounts, kept))
    assert {m.after for m in found.mounts} == {f"M{k + 1:03d}" for k in moved}
    removed = [d.before for d in found.devices if d.change == "removed"]
    assert len(removed) == len(gone)
    assert not any(d.change == "added" for d in found.devices)
    assert found.cost == pytest.approx(-PLAN.devices["cost"].iloc[list(gone)].sum(), abs=1e-6)
    assert len(difference_lines(found)) == (
        1 if found.same else 1 + len(found.mounts) + len(found.devices)
    )
