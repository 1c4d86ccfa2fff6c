"""Tables: what they count and say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchline.report import tables, words
from watchline.report.features import gather, label_of


@pytest.fixture(scope="module")
def features(run):
    return gather(run.plan, run.proof, run.site)


def amount(text: str) -> float:
    return float(text.replace(words.NARROW_SPACE, "").replace(words.MINUS, "-"))


def test_bill_of_quantities_adds_up_to_the_plan(run):
    table = tables.quantities_table(run.plan, run.site.catalogue)
    *items, total = table.rows
    assert total.kind == "total"
    assert amount(total.cells[-1]) == pytest.approx(run.plan.cost, abs=1)
    assert sum(amount(row.cells[-1]) for row in items) == pytest.approx(
        run.plan.cost, abs=len(items)
    )
    counts = {row.cells[0]: int(amount(row.cells[1])) for row in items}
    assert counts["Tower 20 m with cabin"] == 5
    assert counts["Mounts that stand already, reused"] == 1
    assert sum(counts[d.name] for d in run.site.catalogue.devices.values()) == len(run.plan.devices)


def test_bill_without_a_catalogue_adds_up_too(run):
    *items, total = tables.quantities_table(run.plan, None).rows
    assert sum(amount(row.cells[-1]) for row in items) == pytest.approx(
        run.plan.cost, abs=len(items)
    )
    assert amount(total.cells[-1]) == pytest.approx(run.plan.cost, abs=1)


def test_reach_is_the_pinhole_distance_up_to_the_device_limit(run, features):
    bullet = next(f for f in features.fields if f.model == "bullet_8mp")
    # W f / (w q): 3840 px, 9 mm, 5.6 mm.
    for px, reach in zip(features.asked_px_per_m, bullet.reaches_m, strict=True):
        assert reach == pytest.approx(min(3840 * 9.0 / (5.6 * px), 400.0))
    assert features.asked_px_per_m == (20.0, 40.0, 125.0)


def test_aiming_table_gives_each_device_under_its_mount(run, features):
    table = tables.aiming_table(run.plan, features, run.site.catalogue)
    groups = [row for row in table.rows if row.kind == "group"]
    assert [g.key for g in groups] == [f"mount-{m}" for m in run.plan.mounts["mount_id"]]
    assert len(table.rows) == len(groups) + len(run.plan.devices)
    assert all(len(r.cells) == len(table.columns) for r in table.rows if r.kind != "group")
    home = ""
    for row in table.rows:
        if row.kind == "group":
            home = row.key.removeprefix("mount-")
        else:
            device = run.plan.devices.set_index("device_id").loc[row.cells[0]]
            assert device.mount_id == home
            if device.kind != "observer":
                assert row.cells[2] == words.bearing(device.azimuth_deg)


def test_claims_come_binding_first_with_their_witness(run):
    table = tables.claims_table(run.proof, run.site)
    kinds = [row.cells[1].split("\n")[0] for row in table.rows]
    assert kinds[-1] == "zone, crouching"
    assert "reported, not asked for" in table.rows[-1].cells[1]
    failing = next(row for row in table.rows if "fence strip twice" in row.cells[1])
    assert failing.kind == "fails"
    assert "2 views from different mounts at ≥\u00a040\u00a0px/m (outline)" in failing.cells[2]
    assert "a crest hides it" in failing.cells[5]
    assert failing.stretch == (7340.0, 7420.0)
    unknown = next(row for row in table.rows if row.kind == "unknown")
    assert "98.10\u00a0% to 100\u00a0%" in unknown.cells[3]
    assert "Method 2: geometry." in table.note


def test_a_witness_that_misses_a_claim_that_holds_is_not_the_tightest(run):
    """A share of 99 % holds with cells that miss it; its witness is one of them."""
    claim = next(claim for claim in run.proof.claims if claim.requirement == "whole zone once")
    missed = replace(claim, failing_chainages=((8200.0, 8220.0),))
    for one, head in ((claim, "tightest: s"), (missed, "s")):
        rows = tables.claims_table(replace(run.proof, claims=(one,)), run.site).rows
        assert rows[0].cells[5].startswith(f"{head}\u00a0=")


def test_a_mount_is_named_with_its_key():
    assert label_of("M001", "M001 mast 6 m") == "M001 mast 6 m"
    assert label_of("M001", "north post") == "M001 north post"
    assert label_of("M001", "") == "M001"


def test_each_input_is_listed_once(run):
    rows = tables.inputs_table(run.plan, run.proof, run.site, run.terrain).rows
    assert len({row.cells[0::2] for row in rows}) == len(rows)
    assert ("plan", "proof", "e" * 64) in {row.cells for row in rows}
