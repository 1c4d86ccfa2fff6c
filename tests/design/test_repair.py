"""Repair: what the proof finds failing makes the next design harder, and only that."""

import math
from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import Point

from small_project import make_project
from watchline.design.plan import design_plan
from watchline.design.propose import propose_candidates
from watchline.design.repair import add_cells, tighten
from watchline.design.rows import allowed_misses, make_rows
from watchline.design.see import compute_visibility
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.site import NoWatchArea
from watchline.prove.proof import prove_plan


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    terrain = build_terrain(site)
    candidates = propose_candidates(site, terrain)
    plan = design_plan(site, candidates, compute_visibility(terrain, candidates))
    return site, terrain, candidates, plan


def crippled(plan):
    """The plan without its first mount."""
    lost = plan.mounts["mount_id"].iloc[0]
    return replace(
        plan,
        mounts=plan.mounts[plan.mounts["mount_id"] != lost],
        devices=plan.devices[plan.devices["mount_id"] != lost],
    )


def test_the_design_claims_what_the_proof_finds(world):
    site, terrain, _, plan = world
    proof = prove_plan(site, terrain, plan)
    claim = proof.claims[0]
    assert claim.verdict == "holds"
    # The design asks for whole cells in the frame, so it never claims more than there is, give or
    # take the cells at the edge of a sight shadow that the finer proof resolves.
    assert claim.value >= plan.design_claims[0].share - 0.01


def test_a_missed_share_is_asked_for_with_a_surcharge(world):
    site, terrain, candidates, plan = world
    proof = prove_plan(site, terrain, crippled(plan))
    claim = proof.claims[0]
    assert claim.verdict == "fails"
    repaired = tighten(site, terrain, candidates, proof)
    asked = repaired.site.requirements[0].share
    assert asked == pytest.approx(min(1.0, 0.97 + 1.25 * (0.97 - claim.value)))
    assert repaired.changed
    assert repaired.added == 0
    # Requirements that are only reported stay as they are.
    assert repaired.site.requirements[1] == site.requirements[1]


def test_failing_cells_become_cells_of_the_design(world):
    site, terrain, candidates, plan = world
    strict = replace(
        site, requirements=(replace(site.requirements[0], share=1.0), site.requirements[1])
    )
    proof = prove_plan(strict, terrain, crippled(plan))
    failing = (proof.cells["state:zone in overview"] == 0).sum()
    repaired = tighten(strict, terrain, candidates, proof)
    assert repaired.added == failing > 0
    assert len(repaired.candidates.cells) == len(candidates.cells) + failing
    fine = repaired.candidates.cells.query("size_m == 2.5")
    assert fine["in:zone"].all()
    assert repaired.candidates.cells["s"].is_monotonic_increasing
    # Asking again with the same proof adds nothing.
    again = tighten(repaired.site, terrain, repaired.candidates, proof)
    assert again.added == 0
    assert not again.changed


def test_fine_cells_do_not_change_what_a_share_may_miss(world):
    site, terrain, candidates, _ = world
    first = candidates.cells.iloc[:7]
    cells = first.assign(x=first["x"] + 1.0, y=first["y"] + 1.0, size_m=2.5)
    more = add_cells(site, terrain, candidates, cells)
    before = allowed_misses(make_rows(site, candidates), candidates.cells)
    assert allowed_misses(make_rows(site, more), more.cells) == pytest.approx(before)


def test_fine_cells_count_for_the_strict_requirement_of_a_place_that_shares_it(world):
    """A place may have a requirement for all cells and one that lets some miss."""
    site, terrain, candidates, _ = world
    loose = replace(site.requirements[0], share=0.9)
    strict = replace(loose, name="strict", share=1.0, px_per_m=5.0)
    both = replace(site, requirements=(loose, strict))
    first = candidates.cells[candidates.cells["in:zone"]].iloc[:7]
    cells = first.assign(x=first["x"] + 1.0, y=first["y"] + 1.0, size_m=2.5)
    more = add_cells(both, terrain, candidates, cells)
    before, after = make_rows(both, candidates), make_rows(both, more)
    gained = np.bincount(after.requirement, minlength=2) - np.bincount(
        before.requirement, minlength=2
    )
    assert gained[0] == 0 and gained[1] > 0
    assert allowed_misses(after, more.cells) == pytest.approx(
        allowed_misses(before, candidates.cells)
    )


def places_ahead(site, plan):
    """Places outside the zone that lie ahead of the plan's devices, or to the left of that."""
    zone = site.line.buffer(60)
    for device in plan.devices.itertuples():
        for aside_deg in (0.0, -20.0):
            bearing = math.radians(device.azimuth_deg + aside_deg)
            for far in (95.0, 110.0, 130.0):
                place = Point(
                    device.geometry.x + far * math.sin(bearing),
                    device.geometry.y + far * math.cos(bearing),
                )
                if not zone.contains(place):
                    yield place


@pytest.mark.parametrize("allowed", [0.1, 0.0])
def test_an_overwatched_area_is_watched_less_next_time(world, allowed):
    site, _, _, plan = world
    # A place ahead may lie behind a hill or out of range: take the first that is watched.
    for place in places_ahead(site, plan):
        area = NoWatchArea("house", place.buffer(12), allowed, 0.0)
        watched = replace(site, no_watch=(area,))
        terrain = build_terrain(watched)
        proof = prove_plan(watched, terrain, plan)
        claim = next(c for c in proof.claims if c.kind == "no_watch")
        if claim.verdict == "fails":
            break
    assert claim.verdict == "fails"
    candidates = propose_candidates(watched, terrain)
    repaired = tighten(watched, terrain, candidates, proof)
    assert repaired.changed
    if allowed:
        assert repaired.site.no_watch[0].allowed_share == pytest.approx(0.6 * allowed)
        assert repaired.added == 0
    else:
        cells = repaired.candidates.cells
        assert repaired.added == cells.loc[cells["size_m"] == 2.5, "no_watch:house"].sum() > 0
    better = design_plan(
        repaired.site, repaired.candidates, compute_visibility(terrain, repaired.candidates)
    )
    again = prove_plan(watched, terrain, better)
    kept = next(c for c in again.claims if c.kind == "no_watch")
    assert kept.value > claim.value
    if not allowed:
        assert kept.verdict == "holds"
