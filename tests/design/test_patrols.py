"""The patrolling game: published values, all closed walks of small lines, and drawn walks."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from watchline.design.patrols import beat_catches, best_mix, draw_walk, line_bound
from watchline.prove.patrols import judge_walk


@pytest.mark.parametrize(
    ("nodes", "length"), [(5, 4), (5, 6), (5, 8), (9, 8), (9, 12), (21, 20), (21, 33)]
)
def test_line_with_long_attacks(nodes, length):
    """Published (Papadaki et al. 2016): n − 1 ≤ m ≤ 2(n − 1) gives m / (2(n − 1))."""
    mix = best_mix(nodes, length, 0.0)
    assert mix.value == pytest.approx(length / (2 * (nodes - 1)), abs=1e-9)
    assert mix.bound == pytest.approx(mix.value, abs=1e-9)
    assert mix.caught == pytest.approx(mix.value, abs=1e-7)


@pytest.mark.parametrize(("nodes", "length"), [(9, 4), (5, 2), (13, 4), (13, 6), (7, 6), (6, 1)])
def test_line_with_attacks_that_divide_it(nodes, length):
    """The beats reach the bound of attacks at the same moment, so that both are the value."""
    mix = best_mix(nodes, length, 0.0)
    assert mix.value == pytest.approx(1 / np.ceil(nodes / length), abs=1e-9)
    assert mix.value == pytest.approx(length / (nodes + length - 1), abs=1e-9)
    assert line_bound(nodes, length) == pytest.approx(mix.value, abs=1e-9)


def closed_walk_value(nodes, length, period):
    """Value of the game over every closed walk of a period, at a random phase."""
    rows = set()
    for first in range(nodes):
        for steps in product((-1, 0, 1), repeat=period):
            walk = first + np.concatenate([[0], np.cumsum(steps)])
            if walk[-1] != first or walk.min() < 0 or walk.max() >= nodes:
                continue
            walk = walk[:-1]
            twice = np.concatenate([walk, walk, walk, walk])
            rows.add(
                tuple(
                    np.mean([node in twice[t : t + length] for t in range(period)])
                    for node in range(nodes)
                )
            )
    payoff = np.array(sorted(rows))
    count = len(payoff)
    found = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=np.column_stack([-payoff.T, np.ones(nodes)]), b_ub=np.zeros(nodes),
        A_eq=np.append(np.ones(count), 0.0)[None, :], b_eq=[1.0],
    )  # fmt: skip
    return -found.fun


@pytest.mark.parametrize(("nodes", "length"), [(3, 2), (3, 3), (4, 2), (4, 3), (4, 4)])
def test_no_closed_walk_of_a_short_period_does_better(nodes, length):
    value = best_mix(nodes, length, 0.0).value
    for period in (4, 6):
        most = closed_walk_value(nodes, length, period)
        assert most <= line_bound(nodes, length) + 1e-9
        assert most <= value + 1e-9
    # Beats of a line of four have periods that divide 12; of three, 4.
    if nodes == 3:
        assert closed_walk_value(3, length, 4) == pytest.approx(value, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.data())
def test_a_beat_catches_what_its_walk_catches(nodes, data):
    low = data.draw(st.integers(0, nodes - 1))
    high = data.draw(st.integers(low, nodes - 1))
    length = data.draw(st.integers(1, 2 * nodes))
    there = [*range(low, high), *range(high, low, -1)] or [low]
    # Whole periods of starts: a tick for each.
    walk = np.array(there * 40)[: 30 * len(there) + length - 1]
    found = judge_walk(walk, nodes, length)
    told = beat_catches(nodes, length, np.array([low]), np.array([high]))[0]
    assert found.caught == pytest.approx(told, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 16), st.integers(1, 30), st.floats(0, 0.3))
def test_the_mix_keeps_its_word(nodes, length, given_up):
    mix = best_mix(nodes, length, given_up)
    assert mix.share.sum() == pytest.approx(1.0)
    caught = mix.share @ beat_catches(nodes, length, mix.low, mix.high)
    assert caught.min() == pytest.approx(mix.caught, abs=1e-9)
    assert mix.caught >= (1 - given_up) * mix.value - 1e-6
    assert mix.value <= mix.bound + 1e-9
    # Against the attacker's own mix no beat does better: value from both sides.
    low, high = np.triu_indices(nodes)
    assert (beat_catches(nodes, length, low, high) @ mix.attacked).max() <= mix.value + 1e-7


def test_a_drawn_walk_is_a_walk_and_catches_what_is_told():
    mix = best_mix(21, 14)
    walk = draw_walk(mix, 200_000, 40 * 20, seed=3)
    assert np.abs(np.diff(walk)).max() <= 1
    assert walk.min() >= 0
    assert walk.max() <= 20
    assert np.array_equal(walk, draw_walk(mix, 200_000, 40 * 20, seed=3))
    assert not np.array_equal(walk, draw_walk(mix, 200_000, 40 * 20, seed=4))
    found = judge_walk(walk, 21, 14)
    # Long holds: ways between beats count little.
    assert found.caught[found.worst] == pytest.approx(mix.caught, abs=4 * found.error + 0.02)


def test_a_fixed_round_is_foreseen_and_a_drawn_one_is_not():
    there = [*range(20), *range(20, 0, -1)]
    fixed = judge_walk(np.array(there * 200), 21, 20)
    assert fixed.caught.min() == pytest.approx(0.5, abs=2e-3)
    assert fixed.watched == 0.0
    assert fixed.guess == 1.0
    assert fixed.entropy_bits == 0.0
    drawn = judge_walk(draw_walk(best_mix(21, 20), 100_000, 40, seed=1), 21, 20)
    assert drawn.guess < 0.7
    assert drawn.entropy_bits > 2.0


def test_a_place_that_is_never_passed_is_told():
    found = judge_walk(np.zeros(500, dtype=np.int64), 2, 5)
    assert found.caught.tolist() == [1.0, 0.0]
    assert (found.worst, found.watched, found.watched_node) == (1, 0.0, 1)
