"""What offered poses would detect: the same as the devices that stand there."""

from dataclasses import replace

import numpy as np
import pytest

import watchline as wl
from breach_plans import DEFENCE, hand_made_plan
from small_project import PROJECT, make_project
from watchline.breach.fronts import fields_of, standing
from watchline.breach.ideal import escapes
from watchline.breach.offered_rates import rates_of
from watchline.breach.offers import offers_beside, with_poses
from watchline.breach.study import study_plan
from watchline.chain.plan import candidates_of, open_run, terrain_of
from watchline.chain.progress import Silent
from watchline.chain.visibility import visibility_of
from watchline.design.columns import make_scene
from watchline.design.rows import make_rows
from watchline.prove.heights import relief_of


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """A plan of two masts beside everything that could be added, in windows of 60 m."""
    site = wl.read_site(make_project(tmp_path_factory.mktemp("offers"), PROJECT + DEFENCE))
    run = open_run(site, Silent())
    terrain = terrain_of(site, run)
    candidates = candidates_of(site, terrain, run, Silent())
    visibility = visibility_of(site, terrain, candidates, run, Silent())
    scene = make_scene(site, candidates, visibility, make_rows(site, candidates))
    plan = hand_made_plan(site)
    plan = replace(plan, mounts=plan.mounts.iloc[:2], devices=plan.devices.iloc[:2])
    return scene, terrain, plan, study_plan(site, terrain, plan), offers_beside(scene, plan)


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr("watchline.breach.offered_rates.WINDOW_ROWS_M", 60.0)


@pytest.mark.usefixtures("narrow")
def test_poses_that_are_added_count_as_devices_that_stand_there(offered):
    scene, terrain, plan, study, offers = offered
    rates = rates_of(scene, relief_of(terrain), study.strip, offers, study.sight)
    assert rates.near.shape[0] > 3
    assert rates.traced == 0
    chosen = np.random.default_rng(4).choice(len(offers.poses), 5, replace=False)
    found = standing(study, escapes(study, ()), fields_of(study), rates, np.sort(chosen))
    judged = study_plan(study.site, terrain, with_poses(scene, plan, offers, chosen))
    fields = fields_of(judged)
    for fronts, other in zip(found.fronts, judged.adversaries, strict=True):
        for front, state, field in zip(fronts, other.states, fields, strict=True):
            assert front.least.curve == pytest.approx(state.interruption, abs=1e-5, nan_ok=True)
            for height, rate in front.rate_of.items():
                assert rate == pytest.approx(field[height], rel=1e-6, abs=1e-12)
    normal = judged.adversaries[0].states[0].interruption
    assert np.nanmax(normal - study.adversaries[0].states[0].interruption) > 0.01
    for was, now in zip(fields_of(study), fields, strict=True):
        assert any((now[height] > was[height] + 1e-6).any() for height in was)


@pytest.mark.usefixtures("narrow")
def test_only_what_is_asked_for_is_traced(offered):
    scene, terrain, _, study, offers = offered
    rates = rates_of(scene, relief_of(terrain), study.strip, offers, study.sight)
    cells = np.arange(3)
    part = rates.at(0, 0, cells)
    assert rates.traced == 1
    both = rates.at(0, 0, np.array([0, 1, 2, rates.cells - 1]))
    assert rates.traced == 2
    assert (both[:3] != part).nnz == 0
    one = np.zeros(len(offers.poses))
    one[int(part.indices[0])] = 2.0
    total = rates.over_cells(0, 0, one)
    assert total[cells] == pytest.approx(2.0 * part[:, [int(part.indices[0])]].toarray().ravel())
