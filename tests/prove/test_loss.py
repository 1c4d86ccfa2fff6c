"""Loss of a mount: the claim against proving the plan without each mount, one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prove_scenes import change, flat, plan, requirement, site

from watchline.model.proof import loss_claim_name
from watchline.prove.loss import losses
from watchline.prove.proof import prove_plan
from watchline.prove.views import make_judge

LOST = loss_claim_name("seen")


def claim(proof, name):
    return next(c for c in proof.claims if c.requirement == name)


def without(layout, mount):
    """The plan without one mount and what hangs on it."""
    return replace(
        layout,
        mounts=layout.mounts[layout.mounts["mount_id"] != mount],
        devices=layout.devices[layout.devices["mount_id"] != mount],
    )


def layout():
    """Eyes and cameras on five mounts; the third carries two devices."""
    return plan(
        {"at": (-20.0, 10.0), "mount": "A"},
        {"at": (60.0, 10.0), "mount": "B"},
        {"at": (60.0, 10.0), "mount": "B", "azimuth_deg": 270.0},
        {"at": (110.0, 15.0), "mount": "C", "azimuth_deg": 270.0},
        {"at": (150.0, 5.0), "mount": "D", "model": "eyes", "height_m": 9.0},
        {"at": (210.0, 10.0), "mount": "E", "azimuth_deg": 270.0},
    )


@pytest.mark.parametrize("share", [1.0, 0.9, 0.6, 0.3])
@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("ground", ["flat", "hole"])
def test_the_claim_is_that_of_the_worst_plan_with_one_mount_less(share, views, ground):
    """The naive twin: take each mount away, prove the rest, keep the worst."""
    terrain = flat()
    if ground == "hole":  # unknown ground beside the zone, on the way of some sight lines
        terrain = change(terrain, 70.0, 85.0, 0.0, 12.0, surface=np.nan, ground=np.nan)
    asked = requirement(views=views, share=share, survive_loss="mount")
    place, full = site(asked), layout()
    found = claim(prove_plan(place, terrain, full), LOST)
    plain = site(replace(asked, survive_loss="none"))
    rest = {
        mount: claim(prove_plan(plain, terrain, without(full, mount)), "seen")
        for mount in full.mounts["mount_id"]
    }
    worst = min(rest.values(), key=lambda c: (c.lower, c.upper))
    assert (found.lower, found.upper, found.cells) == (worst.lower, worst.upper, worst.cells)
    verdicts = {c.verdict for c in rest.values()}
    assert found.verdict == next(v for v in ("fails", "unknown", "holds") if v in verdicts)
    named = {m for m, c in rest.items() if (c.lower, c.upper) == (worst.lower, worst.upper)}
    assert any(f"when {mount} is lost" in found.detail for mount in named)
    assert found.kind == "loss"


def test_a_cell_keeps_it_if_one_more_mount_sees_it():
    asked = requirement(survive_loss="mount")
    proof = prove_plan(site(asked), flat(), layout())
    cells = proof.cells
    state = cells[f"state:{LOST}"]
    inside = cells["in:zone"]
    assert ((state[inside] == 1) == (cells["views@1.7"][inside] >= 2)).all()
    assert 0 < (state == 1).sum() < inside.sum()
    table = proof.chainage.query("requirement == @LOST")
    assert (table["share"] * table["cells"]).sum() == pytest.approx((state == 1).sum())


def test_a_plan_can_hold_and_not_survive():
    asked = requirement(survive_loss="mount", share=0.9)
    lone = plan({"at": (100.0, 10.0), "model": "eyes", "height_m": 9.0})
    short = site(asked, length_m=200.0)
    proof = prove_plan(short, flat(), lone)
    assert claim(proof, "seen").verdict == "holds"
    lost = claim(proof, LOST)
    assert (lost.verdict, lost.value) == ("fails", 0.0)
    assert not proof.holds
    assert lost.failing_chainages
    assert "without M000 seen from 0 different mounts" in lost.witness.why
    pair = plan(
        {"at": (100.0, 10.0), "model": "eyes", "height_m": 9.0},
        {"at": (105.0, 12.0), "model": "eyes", "height_m": 9.0},
    )
    assert claim(prove_plan(short, flat(), pair), LOST).verdict == "holds"


def test_a_plan_without_mounts_loses_nothing_and_holds_nothing():
    asked = requirement(survive_loss="mount")
    empty = without(plan({"at": (0.0, 0.0), "mount": "A"}), "A")
    lost = claim(prove_plan(site(asked), flat(), empty), LOST)
    assert (lost.verdict, lost.value) == ("fails", 0.0)
    assert "the plan has no mount" in lost.detail


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([1.0, 0.95, 0.8, 0.5]),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
)
def test_losses_agree_with_counting_again_from_nothing(views, share, mounts, seed):
    """Random seers: sure and possible views, windows that split a mount's cells, unknown ground."""
    rng = np.random.default_rng(seed)
    size = 40
    asked = requirement(views=views, share=share, survive_loss="mount")
    judge = make_judge(rng.random(size) < 0.8, 1.7, 20.0, 1.0, by_mount=True)
    unknown = rng.random(size) < 0.1
    sure = (rng.random((mounts, size)) < 0.6) & judge.mask & ~unknown
    most = sure | ((rng.random((mounts, size)) < 0.2) & judge.mask)
    names = tuple(f"M{k}" for k in range(mounts))
    for k, name in enumerate(names):
        judge.sure[:] += sure[k]
        judge.most[:] += most[k]
        for half in (np.arange(size) < 17, np.arange(size) >= 17):
            judge.seers.append(
                (name, np.flatnonzero(sure[k] & half), np.flatnonzero(most[k] & half))
            )
    found = losses(asked, judge, unknown, names)
    assert len(found) == max(1, mounts)
    for k, loss in enumerate(found):
        kept = [j for j in range(mounts) if j != k]
        good = (sure[kept].sum(axis=0) >= views) & judge.mask
        possible = ((most[kept].sum(axis=0) >= views) | unknown) & judge.mask
        count = int(judge.mask.sum())
        if count:
            assert loss.judgement.lower == good.sum() / count
            assert loss.judgement.upper == possible.sum() / count


def test_places_that_are_to_stay_free_are_judged():
    place = site()
    spare = replace(place, candidates=replace(place.candidates, spare_capacity=1))
    two = plan(
        {"at": (0.0, 10.0), "mount": "A"},
        {"at": (0.0, 10.0), "mount": "A", "azimuth_deg": 270.0},
        mounts={"A": "mast"},
    )
    name = "capacity of structures"
    assert claim(prove_plan(place, flat(), two), name).verdict == "holds"
    full = claim(prove_plan(spare, flat(), two), name)
    assert full.verdict == "fails"
    assert "2 devices of at most 2, and 1 places are to stay free" in full.detail
