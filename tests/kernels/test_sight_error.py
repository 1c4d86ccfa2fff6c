"""The measured error of the fan: against a full count, and the intervals against SciPy's own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from watchline.errors import UsageError
from watchline.kernels import (
    fan_bits,
    make_grid,
    make_points,
    measure_sight_error,
    sight_bits,
    unpack_bits,
)
from watchline.kernels.sight_error import OBSERVERS, clopper_pearson, clustered_rate

MOUNTS_M, HEADS_M, REACH_M = [4.0, 12.0], [0.5, 1.7], 400.0


def case(sites, seed=3, shape=(90, 160), hole=False):
    rng = np.random.default_rng(seed)
    surface = rng.normal(0, 2, shape).cumsum(axis=1).cumsum(axis=0) / 9
    if hole:
        surface[30:34, 60:70] = np.nan
    grid = make_grid(surface, 5.0, 0.0, 0.0)
    row, col = (axis.ravel() for axis in np.mgrid[: shape[0], : shape[1]])
    targets = make_points(col * 5.0, -row * 5.0, surface[row, col])
    at = rng.choice(row.size, sites, replace=False)
    return grid, make_points(*(field[at] for field in targets)), targets


def counted(grid, observers, targets, spacing):
    work = (grid, observers, MOUNTS_M, targets, HEADS_M, REACH_M)
    exact, fan = sight_bits(*work), fan_bits(*work, spacing=spacing)
    (seen, lost), (shown, gone) = (
        [unpack_bits(bits, targets.x_m.size) for bits in planes] for planes in (exact, fan)
    )
    near = (
        np.hypot(targets.x_m - observers.x_m[:, None], targets.y_m - observers.y_m[:, None])
        <= REACH_M
    )
    known = (near[:, None] & ~lost & ~gone)[:, None]
    return {
        "false_visible": ((shown & ~seen & known).sum(), (shown & known).sum()),
        "false_hidden": ((~shown & seen & known).sum(), (~shown & known).sum()),
        "unknown": (near[:, None] & (lost ^ gone)).sum() * len(MOUNTS_M),
    }


@pytest.mark.parametrize("hole", [False, True])
def test_a_sample_of_all_rays_is_the_full_count(hole):
    grid, observers, targets = case(5, hole=hole)
    truth = counted(grid, observers, targets, 1.0)
    found = measure_sight_error(
        grid, observers, MOUNTS_M, targets, HEADS_M, REACH_M, spacing=1.0, sample=10**9
    )
    assert found.false_visible[:2] == truth["false_visible"]
    assert found.false_hidden[:2] == truth["false_hidden"]
    assert found.unknown_differs == truth["unknown"]
    assert found.false_visible.wrong > 20
    assert found.observers == 5


@pytest.mark.parametrize("sites", [6, 2 * OBSERVERS])
def test_intervals_hold_the_true_share_about_as_often_as_they_promise(sites):
    grid, observers, targets = case(sites)
    truth = counted(grid, observers, targets, 1.0)
    wrong, of = truth["false_hidden"]
    held = 0
    for seed in range(25):
        found = measure_sight_error(
            grid, observers, MOUNTS_M, targets, HEADS_M, REACH_M, spacing=1.0, sample=1_500,
            seed=seed,
        ).false_hidden  # fmt: skip
        held += found.low <= wrong / of <= found.high
        assert found.low <= found.rate <= found.high
    assert held >= stats.binom.ppf(0.001, 25, 0.95)


def test_the_same_seed_draws_the_same_sample_and_another_one_does_not():
    work = case(4)
    work = (*work[:2], MOUNTS_M, work[2], HEADS_M, REACH_M)
    one, same, other = (measure_sight_error(*work, sample=900, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.differs != other.differs


def test_independent_outcomes_have_scipys_interval():
    expected = stats.binomtest(7, 900).proportion_ci(0.95, method="exact")
    assert clopper_pearson(7, 900) == pytest.approx((expected.low, expected.high))
    assert clopper_pearson(0, 900) == pytest.approx((0, 1 - 0.025 ** (1 / 900)))
    # One outcome a cluster: the linearised variance is the binomial one, but for n/(n - 1).
    wrong = np.zeros(900, dtype=int)
    wrong[:7] = 1
    rate = clustered_rate(wrong, np.ones(900, dtype=int), 1)
    assert rate[3:] == pytest.approx((expected.low, expected.high), rel=2e-3)


def test_outcomes_that_go_together_widen_the_interval():
    wrong = np.zeros(300, dtype=int)
    wrong[:10] = 4
    together = clustered_rate(wrong, np.full(300, 4), 4)
    apart = clopper_pearson(40, 1200)
    assert together.high - together.low > 1.8 * (apart[1] - apart[0])
    none = clustered_rate(np.zeros(300, dtype=int), np.full(300, 4), 4)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 300))


def test_nothing_in_range_is_said_and_nonsense_is_refused():
    grid, observers, targets = case(2)
    far = make_points(targets.x_m[:1], targets.y_m[:1], targets.z_m[:1])
    found = measure_sight_error(grid, observers, [4.0], far, [1.7], 0.5)
    assert found.differs.of == 0
    assert "none judged" in found.sentence
    assert found.as_dict()["differs"]["rate"] is None
    with pytest.raises(UsageError, match="sample"):
        measure_sight_error(grid, observers, [4.0], targets, [1.7], sample=0)
