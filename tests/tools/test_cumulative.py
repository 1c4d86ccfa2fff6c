"""Counts of observers: the sum of what each sees alone."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from watchline.errors import TerrainError, UsageError
from watchline.see import viewshed
from watchline.tools import cumulative_viewshed, sight_error

CELL = 10.0
TRANSFORM = Affine(CELL, 0, 5_000, 0, -CELL, 9_000)


def hills(seed=4, shape=(60, 80)):
    rng = np.random.default_rng(seed)
    surface = rng.normal(0, 3, shape).cumsum(axis=1).cumsum(axis=0) / 12
    surface[40:43, 20:24] = np.nan
    return surface


OBSERVERS = [(5_105.0, 8_905.0, 3.0), (5_395.0, 8_595.0, 8.0), (5_391.0, 8_583.0, 5.0)]


@pytest.mark.parametrize("method", ["exact", "fan"])
def test_counts_are_the_sum_of_single_viewsheds(method):
    surface = hills()
    ground = surface - 1.0
    shares = []
    found = cumulative_viewshed(
        surface, TRANSFORM, OBSERVERS, 1.7, 350, ground=ground, method=method,
        progress=shares.append,
    )  # fmt: skip
    alone = [
        viewshed(surface, TRANSFORM, observer, 1.7, 350, ground=ground, method=method)
        for observer in OBSERVERS
    ]
    assert (found.seen == sum(part.data.astype(int) for part in alone)).all()
    assert (found.unknown == sum(part.mask.astype(int) for part in alone)).all()
    assert found.seen.dtype == np.uint16
    assert found.seen.max() >= 2
    assert found.unknown.any()
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])


def test_an_observer_that_cannot_stand_is_named():
    bad = [*OBSERVERS, (0.0, 0.0, 2.0)]
    with pytest.raises(TerrainError, match=r"observer 4 of 4: .* outermost"):
        cumulative_viewshed(hills(), TRANSFORM, bad, 1.7, 350)
    with pytest.raises(UsageError, match="observers has shape"):
        cumulative_viewshed(hills(), TRANSFORM, OBSERVERS[0], 1.7, 350)
    with pytest.raises(UsageError, match="1 to 65,535"):
        cumulative_viewshed(hills(), TRANSFORM, np.zeros((0, 3)), 1.7, 350)


def test_the_error_of_several_observers_is_that_of_their_maps():
    surface = hills()
    found = sight_error(surface, TRANSFORM, OBSERVERS, 1.7, 350, spacing=1.0, sample=10**9)
    false_visible = false_hidden = shown = 0
    for observer in OBSERVERS:
        exact = viewshed(surface, TRANSFORM, observer, 1.7, 350)
        fan = viewshed(surface, TRANSFORM, observer, 1.7, 350, method="fan", spacing=1.0)
        known = ~(exact.mask | fan.mask)
        shown += (fan.data & known).sum()
        false_visible += (fan.data & ~exact.data & known).sum()
        false_hidden += (~fan.data & exact.data & known).sum()
    assert false_visible + false_hidden > 5
    assert found.false_visible.of == pytest.approx(shown, abs=2)
    # Folding about another place rounds differently: a tie may fall the other way.
    assert found.false_visible.wrong == pytest.approx(false_visible, abs=2)
    assert found.false_hidden.wrong == pytest.approx(false_hidden, abs=2)
    with pytest.raises(TerrainError, match="no data"):
        sight_error(surface, TRANSFORM, (5_220.0, 8_588.0, 2.0), 1.7, 350)
