"""Surviving the loss of a mount: what the design asks, what its bound is about, what it gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_project import PROJECT, make_project
from watchline.chain.keys import step_keys
from watchline.design.choose import bounded_demand, choose, make_problem
from watchline.design.plan import SUFFICIENT, design_with_certificate
from watchline.design.propose import propose_candidates
from watchline.design.repair import tighten
from watchline.design.rows import allowed_misses, demand_implied, demand_planned, make_rows
from watchline.design.see import compute_visibility
from watchline.errors import ManyFaults
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain
from watchline.model.proof import loss_claim_name
from watchline.prove.certified import judge_certificate
from watchline.prove.proof import prove_plan


def surviving(site, share):
    first = replace(site.requirements[0], share=share, survive_loss="mount")
    return replace(site, requirements=(first, *site.requirements[1:]))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    site = replace(site, design=replace(site.design, work_limit=20.0))
    terrain = build_terrain(site)
    candidates = propose_candidates(site, terrain)
    return site, terrain, candidates, compute_visibility(terrain, candidates)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 7),
    st.integers(1, 2),
    st.sampled_from([0, 1, 3, 8]),
    st.floats(0.2, 0.95),
)
def test_the_condition_is_sufficient_and_the_bounded_one_is_necessary(
    seed, mounts, views, allowed, p
):
    """k + 1 views on the share imply every loss; every loss implies what is bounded."""
    rng = np.random.default_rng(seed)
    sees = rng.random((mounts, 24)) < p
    count = sees.sum(axis=0)
    after = [((count - seen) < views).sum() for seen in sees]
    survives = max(after) <= allowed
    planned = (count < views + 1).sum() <= allowed
    implied = (count < (views + 1 if allowed == 0 else views)).sum() <= allowed
    if planned:
        assert survives
    if survives:
        assert implied
    if allowed == 0:
        assert planned == survives == implied


def test_demands_of_rows(world):
    site, _, candidates, _ = world
    for share, implied in ((1.0, 2), (0.97, 1)):
        rows = make_rows(surviving(site, share), candidates)
        assert (demand_planned(rows) == 2).all()
        assert (demand_implied(rows) == implied).all()
    budget = replace(surviving(site, 0.97), design=replace(site.design, budget=1e6))
    rows = make_rows(budget, candidates)
    assert (bounded_demand(budget, rows) == 2).all()


def test_a_reserve_implies_only_what_has_one_too(world):
    site, _, candidates, _ = world
    first = replace(site.requirements[0], share=1.0)
    twin = replace(first, name="twin", survive_loss="mount")
    rows = make_rows(replace(site, requirements=(first, twin)), candidates)
    assert set(rows.requirement) == {1}


@pytest.mark.parametrize("share", [1.0, 0.97])
def test_the_plan_survives_each_loss_and_its_bound_is_certified(world, share):
    site, terrain, candidates, visibility = world
    asked = surviving(site, share)
    designed = design_with_certificate(asked, candidates, visibility)
    plan = designed.plan
    assert 0 < plan.lower_bound <= plan.cost
    proven = judge_certificate(designed.certificate)
    assert proven.holds, proven.faults
    claims = {claim.requirement: claim.share for claim in plan.design_claims}
    name = site.requirements[0].name
    assert claims[name] >= claims[loss_claim_name(name)] >= share - 1e-9
    assert (SUFFICIENT in plan.notes) is (share < 1.0)
    # The problem that the bound is about: what every plan meets that survives each loss.
    least = 2 if share == 1.0 else 1
    assert (designed.certificate.arrays.demand == least).all()
    proof = prove_plan(asked, terrain, plan)
    lost = next(c for c in proof.claims if c.kind == "loss")
    assert lost.value >= share - 0.02  # the proof's cells are finer than the design's
    plain = design_with_certificate(site, candidates, visibility).plan
    assert plan.cost > plain.cost


def test_the_bound_of_a_sufficient_condition_is_never_stated(world):
    """With a reserve on a share the bound must not exceed the cheapest plan that survives."""
    site, _, candidates, visibility = world
    asked = surviving(site, 0.97)
    problem = make_problem(asked, candidates, visibility)
    solution = choose(asked, candidates, problem, 1.0, None, None)
    assert solution.lower_bound <= solution.cost
    # A plan without any reserve is cheaper; the bound may not be above what it must be below.
    plain = choose(site, candidates, make_problem(site, candidates, visibility), 1.0, None, None)
    assert solution.lower_bound <= plain.cost + 1e-6
    assert (allowed_misses(problem.rows, candidates.cells) > 0).all()


def test_a_failed_loss_is_repaired_by_cells_or_by_share(world):
    site, terrain, candidates, visibility = world
    plan = design_with_certificate(site, candidates, visibility).plan
    strict = surviving(site, 1.0)
    proof = prove_plan(strict, terrain, plan)
    lost = loss_claim_name(site.requirements[0].name)
    failing = (proof.cells[f"state:{lost}"] == 0).sum()
    assert failing > 0
    repaired = tighten(strict, terrain, candidates, proof)
    assert repaired.added >= failing
    loose = surviving(site, 0.97)
    proof = prove_plan(loose, terrain, plan)
    claim = next(c for c in proof.claims if c.requirement == lost)
    assert claim.verdict == "fails"
    asked = tighten(loose, terrain, candidates, proof).site.requirements[0].share
    assert asked == pytest.approx(min(1.0, 0.97 + 1.25 * (0.97 - claim.value)))


def test_places_kept_free_lower_what_a_mount_may_carry(world):
    site, terrain, candidates, _ = world
    spare = replace(site, candidates=replace(site.candidates, spare_capacity=2))
    fewer = propose_candidates(spare, terrain).mounts["capacity"]
    assert (fewer == candidates.mounts["capacity"] - 2).all()
    assert step_keys(spare)["candidates"] != step_keys(site)["candidates"]


def test_keys_of_the_project_file(tmp_path):
    text = PROJECT.replace("[design]", '[design]\nsurvive_loss = "mount"').replace(
        'name = "zone crouching"', 'name = "zone crouching"\nsurvive_loss = "none"'
    )
    site = read_site(
        make_project(tmp_path, text.replace("[candidates]", "[candidates]\nspare_capacity = 1"))
    )
    assert [r.survive_loss for r in site.requirements] == ["mount", "none"]
    assert [r.views_planned for r in site.requirements] == [2, 1]
    assert site.candidates.spare_capacity == 1
    plain = read_site(make_project(tmp_path / "plain"))
    asked = replace(plain, requirements=site.requirements)
    assert step_keys(asked)["plan"] != step_keys(plain)["plan"]
    assert step_keys(asked)["visibility"] == step_keys(plain)["visibility"]
    assert step_keys(plain, "ab")["candidates"] != step_keys(plain)["candidates"]
    full = text.replace("[candidates]", "[candidates]\nspare_capacity = 99")
    with pytest.raises(ManyFaults, match="spare_capacity = 99 leaves none"):
        read_site(make_project(tmp_path / "full", full))
