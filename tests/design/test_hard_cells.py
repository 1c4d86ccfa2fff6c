"""Fine cells that are harder to see than the design's cells beside them."""

from dataclasses import replace

import numpy as np
import pytest

from small_project import make_project
from watchline.design.hard_cells import FINER, KEPT_SHARE, WINDOW_M, add_hard_cells
from watchline.design.propose import propose_candidates
from watchline.design.see import compute_visibility
from watchline.io.project import read_site
from watchline.io.terrain import build_terrain


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    site = read_site(make_project(tmp_path_factory.mktemp("small")))
    strict = replace(site.requirements[1], share=1.0, binding=True)
    site = replace(site, requirements=(strict,))
    terrain = build_terrain(site)
    # A wall across the zone, askew to the cells: behind it a part of a cell is in sight.
    data = terrain.data.copy(deep=True)
    x, y = np.meshgrid(terrain.x, terrain.y)
    wall = np.abs(y - 146290.0 - 0.3 * (x - 564600.0)) < 1.0
    data["surface"] = data["surface"] + np.where(wall, 5.0, 0.0).astype(np.float32)
    terrain = replace(terrain, data=data)
    return site, terrain, propose_candidates(site, terrain)


@pytest.fixture(scope="module")
def found(world):
    return add_hard_cells(*world)


def mounts_that_see(candidates, visibility, target):
    """Numbers of the mounts that see each cell, one by one."""
    seen = [set() for _ in range(len(candidates.cells))]
    for mount in range(len(candidates.mounts)):
        for cell in np.flatnonzero(visibility.sees(mount, target)):
            seen[cell].add(mount)
    return seen


def test_hard_cells_are_seen_by_fewer_and_the_others_are_not(world, found):
    site, terrain, candidates = world
    fine = found.cells[found.cells["size_m"] < site.zone.cell_m]
    assert 0 < len(fine) < len(candidates.cells)
    assert (fine["size_m"] == site.zone.cell_m / FINER).all()
    assert fine["in:zone"].all()
    # Against the definition, cell by cell, on the same sight computed all at once.
    halved = replace(site, zone=replace(site.zone, cell_m=site.zone.cell_m / FINER))
    every = propose_candidates(halved, terrain)
    target = candidates.target_heights_m.index(0.5)
    coarse_seen = mounts_that_see(candidates, compute_visibility(terrain, candidates), target)
    fine_seen = mounts_that_see(every, compute_visibility(terrain, every), target)
    beside = candidates.cells[["x", "y"]].to_numpy()[candidates.cells["in:zone"]]
    number = np.flatnonzero(candidates.cells["in:zone"])
    hard = set(zip(fine["x"].round(2), fine["y"].round(2), strict=True))
    agreed = 0
    for k in np.flatnonzero(every.cells["in:zone"]):
        x, y = every.cells["x"].iloc[k], every.cells["y"].iloc[k]
        away = np.hypot(*(beside - (x, y)).T)
        # The mounts are few and near: every one of them is within reach of all cells here.
        options = [number[i] for i in np.flatnonzero(away <= away.min() + 1e-6)]
        verdicts = set()
        for cell in options:
            both = len(fine_seen[k] & coarse_seen[cell])
            verdicts.add(both < KEPT_SHARE * len(coarse_seen[cell]) and both >= 1)
        if len(verdicts) == 1:
            agreed += 1
            assert ((round(x, 2), round(y, 2)) in hard) == verdicts.pop()
    assert agreed > 0.9 * len(every.cells) * every.cells["in:zone"].mean()


def test_where_a_share_may_miss_nothing_is_added(world):
    site, terrain, candidates = world
    site = replace(site, requirements=(replace(site.requirements[0], share=0.97),))
    assert add_hard_cells(site, terrain, candidates) is candidates


def test_cut_into_windows_the_same_cells_are_found(world, found, monkeypatch):
    monkeypatch.setattr("watchline.design.hard_cells.WINDOW_M", WINDOW_M / 40)
    told = []
    again = add_hard_cells(*world, told.append)
    assert again.cells.equals(found.cells)
    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == 1.0


def test_the_kernel_of_the_project_is_used(world, found):
    site, terrain, candidates = world
    rough = replace(site, visibility=replace(site.visibility, method="fan", spacing=1.0))
    fan = add_hard_cells(rough, terrain, candidates)
    assert len(fan.cells) > len(candidates.cells)
    assert abs(len(fan.cells) - len(found.cells)) < 0.5 * len(found.cells)
