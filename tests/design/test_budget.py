"""Budget: the most coverage for the money, whatever classes the rows have."""

import numpy as np
import pytest

from watchline.design.cover import cover


def test_classes_of_rows_do_not_matter_within_a_budget():
    rng = np.random.default_rng(5)
    columns = [np.sort(rng.choice(300, 30, replace=False)) for _ in range(120)]
    arguments = {
        "costs": rng.integers(1, 9, 120).astype(float),
        "columns": columns,
        "demand": np.ones(300, dtype=int),
        "budget": 30.0,
        "work_limit": 40.0,
    }
    plain = cover(**arguments)
    classes = rng.integers(0, 3, 300)
    classed = cover(**arguments, row_class=classes, allowed_uncovered=[0, 5, 9])
    assert classed.cost <= 30.0
    assert classed.covered_weight == pytest.approx(plain.covered_weight)
    covered = np.unique(np.concatenate([columns[j] for j in classed.chosen]))
    assert len(covered) == classed.covered_weight <= classed.weight_bound
