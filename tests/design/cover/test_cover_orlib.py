"""Best-known values of OR-Library set-covering files."""

from pathlib import Path

import numpy as np
import pytest
from cover_cases import read_orlib

from watchline.design.cover import cover

DATA = Path(__file__).parents[2] / "data" / "cover"


@pytest.mark.parametrize(
    ("name", "best", "proven"),
    [
        ("scp41", 429, True),
        ("scp51", 253, True),
        ("scp61", 138, True),
        ("scpe1", 5, True),
        ("scpa1", 253, False),
    ],
)
def test_best_known_value(name, best, proven):
    costs, rows, demand = read_orlib((DATA / f"{name}.txt").read_text())
    # A proof ends the run; on a busy machine it may take longer than the search needs.
    solution = cover(costs, rows, demand, time_limit=60 if proven else 12)
    covered = np.zeros(len(demand), bool)
    for column in solution.chosen:
        covered[rows[column]] = True
    assert covered.all()
    assert costs[solution.chosen].sum() == solution.cost == best
    assert solution.lower_bound <= best
    assert solution.lower_bound >= (best if proven else 0.9 * best)
