"""The best aim: the sweep against a naive scan, and its boxes against the frames themselves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.kernels.aims import TURN, aim_boxes, deepest_aim, make_sweep
from watchline.kernels.frames import in_frame

SEEDS = st.integers(0, 100_000)


def random_cells(rng, count):
    """Cells all round, from the horizon to steeply below, some above."""
    bearing = rng.uniform(-np.pi, np.pi, count)
    spread = rng.uniform(0.0, 0.06, count)
    feet = np.where(
        rng.random(count) < 0.2, rng.uniform(-0.1, 0.3, count), -rng.exponential(0.3, count)
    )
    top = feet + rng.uniform(0.001, 0.2, count)
    weight = rng.integers(0, 5, count).astype(float)
    return bearing, spread, top, feet, weight


def random_lens(rng):
    sensors = np.zeros(1)
    if rng.random() < 0.5:
        number = rng.integers(2, 5)
        sensors = (np.arange(number) - (number - 1) / 2) * rng.uniform(0.3, TURN / number)
    return sensors, rng.uniform(0.02, 1.0), rng.uniform(0.03, 0.6)


def holds(cells, i, sensors, azimuth, tilt, half_h, half_v):
    bearing, spread, top, feet, _ = cells
    return any(
        in_frame(
            bearing[i],
            spread[i],
            top[i],
            feet[i],
            azimuth + s,
            tilt,
            np.tan(half_h),
            np.tan(half_v),
        )
        for s in sensors
    )


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_every_aim_that_holds_a_cell_lies_in_a_box_of_it(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, 12)
    sensors, half_h, half_v = random_lens(rng)
    box, cell = aim_boxes(*cells, sensors, half_h, half_v)
    assert (box[:, 0] >= 0).all() and (box[:, 1] <= TURN).all()
    for i in np.flatnonzero(cells[4] > 0):
        mine = box[cell == i]
        for _ in range(60):
            # Aims near the cell: at random most would look elsewhere.
            azimuth = cells[0][i] - rng.choice(sensors) + rng.uniform(-1.3, 1.3) * half_h
            tilt = -np.arctan(cells[2][i]) + rng.uniform(-1.5, 1.5) * half_v
            if holds(cells, i, sensors, azimuth, tilt, half_h, half_v):
                turned = azimuth % TURN
                inside = (mine[:, 0] - 1e-9 <= turned) & (turned <= mine[:, 1] + 1e-9)
                inside &= (mine[:, 2] - 1e-9 <= tilt) & (tilt <= mine[:, 3] + 1e-9)
                assert inside.any()


@given(SEEDS)
@settings(max_examples=150, deadline=None)
def test_no_azimuth_counts_a_cell_twice(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, 6)
    sensors, half_h, half_v = random_lens(rng)
    # Outer sensors that overlap behind the housing are allowed to.
    if len(sensors) > 1 and len(sensors) * (sensors[1] - sensors[0]) + 2 * half_h > TURN:
        return
    box, cell = aim_boxes(*cells, sensors, half_h, half_v)
    # And so are sensors that look past straight down: their fields meet below the mast.
    upright = ~np.isin(cell, cell[box[:, 3] > np.pi / 2])
    box, cell = box[upright], cell[upright]
    for azimuth in [*box[:, 0], *rng.uniform(0, TURN, 40)]:
        # Fields of two sensors that touch may share their edge.
        found = cell[(box[:, 0] <= azimuth) & (azimuth < box[:, 1] - 1e-9)]
        assert len(found) == len(set(found))


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_the_deepest_aim_is_that_of_a_scan_over_all_corners(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, int(rng.integers(1, 9)))
    sensors, half_h, half_v = random_lens(rng)
    sweep = make_sweep(*cells, sensors, half_h, half_v)
    weight, held = cells[4], np.empty(len(cells[4]), bool)
    worth, azimuth, tilt = deepest_aim(sweep, weight, held)
    # Outer sensors that overlap behind the housing may count a cell twice: a bound, no more.
    twice = len(sensors) > 1 and len(sensors) * (sensors[1] - sensors[0]) + 2 * half_h > TURN
    box, value = sweep.box, weight[sweep.cell]
    twice |= bool((box[:, 3] > np.pi / 2).any())  # so may those that look past straight down

    def depth(a, t):
        return value[
            (box[:, 0] <= a) & (a <= box[:, 1]) & (box[:, 2] <= t) & (t <= box[:, 3])
        ].sum()

    naive = 0.0
    for azimuth_from in box[:, 0]:
        at = (box[:, 0] <= azimuth_from) & (azimuth_from <= box[:, 1])
        tilts = box[at, 2]
        inside = (box[at, 2] <= tilts[:, None]) & (tilts[:, None] <= box[at, 3])
        naive = max(naive, (inside @ value[at]).max())
    assert worth == naive
    if worth > 0:
        assert depth(azimuth, tilt) == worth >= weight[held].sum()
        assert twice or worth == weight[held].sum()
    else:
        assert np.isnan(azimuth) and not held.any()


def test_no_aim_of_a_fine_grid_is_worth_more_and_the_best_one_is_nearly_as_good():
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        count = 40
        distance = rng.uniform(60, 900, count)
        cells = (
            rng.uniform(-1.2, 1.2, count),
            np.arctan(7.0 / distance),
            (1.7 - 10.0) / (distance + 7.0),
            -10.0 / (distance - 7.0),
            rng.uniform(0.5, 2.0, count),
        )
        half_h, half_v = rng.uniform(0.1, 0.5), rng.uniform(0.06, 0.3)
        sensors = np.zeros(1)
        sweep = make_sweep(*cells, sensors, half_h, half_v)
        worth, azimuth, tilt = deepest_aim(sweep, cells[4], np.empty(count, bool))

        def exact(a, t, cells=cells, lens=(half_h, half_v), sensors=sensors):
            return sum(
                weight for i, weight in enumerate(cells[4]) if holds(cells, i, sensors, a, t, *lens)
            )

        scan = max(
            exact(a, t) for a in np.linspace(-1.4, 1.4, 71) for t in np.linspace(-0.2, 0.4, 25)
        )
        assert scan <= worth + 1e-9
        shares.append(exact(azimuth, tilt) / worth)
    assert np.mean(shares) > 0.93
