"""Verdict arithmetic by hand, and its invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchline.prove.verdicts import judge_share, shares_along, stretches


def flags(good: int, unknown: int, bad: int):
    sure = np.r_[np.ones(good, bool), np.zeros(unknown + bad, bool)]
    most = np.r_[np.ones(good + unknown, bool), np.zeros(bad, bool)]
    return sure, most


@pytest.mark.parametrize(
    ("good", "unknown", "bad", "target", "verdict"),
    [
        (10, 0, 0, 1.0, "holds"),
        (9, 0, 1, 1.0, "fails"),
        (9, 1, 0, 1.0, "unknown"),
        (9, 0, 1, 0.9, "holds"),  # (1 - 0.9) · 10 is 0.9999999999999998 in floats
        (8, 1, 1, 0.9, "unknown"),
        (8, 0, 2, 0.9, "fails"),
        (8, 1, 1, 0.8, "holds"),
        (0, 0, 10, 0.0, "holds"),
        (0, 10, 0, 0.1, "unknown"),
        (0, 0, 0, 0.0, "unknown"),
        (28, 0, 1, 0.97, "fails"),  # 0.87 of a cell may be missed: none
        (970, 0, 30, 0.97, "holds"),
        (969, 0, 31, 0.97, "fails"),
    ],
)
def test_verdicts_by_exact_count(good, unknown, bad, target, verdict):
    got = judge_share(*flags(good, unknown, bad), target)
    assert got.verdict == verdict
    if got.cells:
        assert got.lower == pytest.approx(good / got.cells)
        assert got.upper == pytest.approx((good + unknown) / got.cells)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.floats(0, 1))
def test_learning_about_unknown_cells_never_turns_a_settled_verdict(good, unknown, bad, target):
    got = judge_share(*flags(good, unknown, bad), target)
    best = judge_share(*flags(good + unknown, 0, bad), target)
    worst = judge_share(*flags(good, 0, bad + unknown), target)
    if got.cells and got.verdict != "unknown":
        assert best.verdict == worst.verdict == got.verdict
    elif got.cells:
        assert (best.verdict, worst.verdict) == ("holds", "fails")


def test_stretches_join_what_is_near():
    s = np.array([41.0, 1.0, 3.0, 5.0, 12.0, 43.0])
    assert stretches(s, 2.0) == ((0.0, 13.0), (40.0, 44.0))
    assert stretches(np.zeros(0), 2.0) == ()


def test_shares_along_the_line():
    s = np.array([0.0, 50.0, 99.9, 100.0, 350.0, 360.0])
    sure = np.array([True, False, False, True, False, False])
    most = np.array([True, True, False, True, False, True])
    table = shares_along("r", s, sure, most)
    assert table["s_from"].tolist() == [0.0, 100.0, 300.0]
    assert table["s_to"].tolist() == [100.0, 200.0, 400.0]
    assert table["cells"].tolist() == [3, 1, 2]
    np.testing.assert_allclose(table["share"], [1 / 3, 1.0, 0.0])
    np.testing.assert_allclose(table["unknown_share"], [1 / 3, 0.0, 0.5])
