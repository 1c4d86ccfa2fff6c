"""Losses, pairs and unseen stretches against their definitions, on random networks."""

from itertools import combinations, product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from watchline.model.plan import Plan
from watchline.model.resilience import Cable, Life, ResilienceRules
from watchline.model.site import Requirement
from watchline.physics.availability import cable_unavailability, unavailability
from watchline.prove.network import network_of
from watchline.prove.outages import lost_m2, outages
from watchline.prove.sightings import Sightings
from watchline.prove.unseen import COMMON, Plant, stretches_unseen

PAIR = Life(100.0, 25.0)


def plan_of(places, carried):
    """Mounts at chainages, each with some devices of two models in turn."""
    mounts = pd.DataFrame({"mount_id": [f"M{k}" for k in range(len(places))], "s": places})
    rows = [(f"D{i:02d}", f"M{m}", f"model {i % 2}") for i, m in enumerate(carried)]
    devices = pd.DataFrame(rows, columns=["device_id", "mount_id", "model"])
    mounts, devices = (
        gpd.GeoDataFrame(t, geometry=[Point(0, 0)] * len(t), crs="EPSG:32636")
        for t in (mounts, devices)
    )
    return Plan("hand", "EPSG:32636", mounts, devices, 0.0, None, "EUR", "edited")


def sightings(network, classes, needed, stretch=None):
    """Classes of one cell of 1 m² each, given by who sees them."""
    kept = [sorted(who, key=lambda k: (network.device_mount[k], k)) for who in classes]
    kept = [who for who in kept if len({int(network.device_mount[k]) for k in who}) >= needed]
    view = np.array([k for who in kept for k in who], dtype=np.int64)
    count = len(kept)
    s = np.zeros(count) if stretch is None else np.asarray(stretch[:count], dtype=float)
    requirement = Requirement("seen", "zone", "", 10.0, views=needed)
    return Sightings(
        (requirement,),
        np.array([count]),
        np.array([count]),
        np.cumsum([0, *map(len, kept)]).astype(np.int64),
        view,
        network.device_mount[view],
        np.full(count, needed, dtype=np.int64),
        np.ones(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        [(s, np.arange(count))],
        [(s, s)],
        1.0,
    )


def works(network, rules, lost, common=()):
    """Devices that work, from the definition: walked along the cables, not from the ways."""
    names = {network.elements[k].label for k in lost}
    at = {name: e.start_m for e in network.elements if e.kind == "mount" for name in [e.name]}
    up = set()
    for mount in network.mount_ids:
        served = f"mount {mount}" not in names
        for kind in {cable.kind for cable in rules.cables}:
            fed, reached = False, False
            for cable in (c for c in rules.cables if c.kind == kind):
                if not cable.start_m <= at[mount] <= cable.end_m:
                    continue
                reached = True
                for side, stop in (("start", cable.start_m), ("end", cable.end_m)):
                    if cable.supply not in (side, "both"):
                        continue
                    name = cable.name if cable.supply != "both" else f"{cable.name}, {side}"
                    low, high = sorted([at[mount], stop])
                    cut = any(
                        e.kind == kind and e.label in names and e.name.startswith(cable.name)
                        and e.start_m < high and e.end_m > low
                        for e in network.elements
                    )  # fmt: skip
                    fed |= not cut and f"{kind} supply {name}" not in names
            served &= fed or not reached
        if served:
            up.add(mount)
    return {
        k
        for k, device in enumerate(network.device_ids)
        if f"device {device}" not in names
        and network.mount_ids[network.device_mount[k]] in up
        and network.models[k] not in common
    }


def short(sight, network, up):
    """Classes that are left short, from the definition."""
    return sum(
        len({int(network.device_mount[k]) for k in sight.views_of(c) if k in up}) < sight.needed[c]
        for c in range(sight.needed.size)
    )


@st.composite
def cases(draw, most=5):
    mounts = draw(st.integers(2, most))
    places = draw(
        st.lists(st.integers(1, 99), min_size=mounts, max_size=mounts).map(
            lambda v: [10.0 * x for x in v]
        )
    )
    carried = draw(st.lists(st.integers(0, mounts - 1), min_size=2, max_size=7))
    sides = st.sampled_from(["start", "end", "both"])
    cables = [Cable("power", "feeder", 0.0, 1000.0, draw(sides), PAIR, PAIR)]
    if draw(st.booleans()):
        cables.append(Cable("second", "feeder", 300.0, 1000.0, draw(sides), PAIR, PAIR))
    if draw(st.booleans()):
        cables.append(Cable("fibre", "trunk", 0.0, 700.0, draw(sides), PAIR, PAIR))
    rules = ResilienceRules(PAIR, PAIR, draw(st.sampled_from([0.0, 0.2])), tuple(cables))
    network = network_of(plan_of(places, carried), rules)
    seers = st.sets(st.integers(0, len(carried) - 1), min_size=1)
    return rules, network, draw(st.lists(seers, min_size=1, max_size=5)), draw(st.integers(1, 2))


@settings(max_examples=150, deadline=None)
@given(cases())
def test_every_loss_and_every_pair_is_its_definition(case):
    rules, network, classes, needed = case
    sight = sightings(network, classes, needed)
    found = outages(sight, network)
    size = len(network.elements)
    for k in range(size):
        assert found.single_m2[k] == short(sight, network, works(network, rules, {k})), k
    for a, b in combinations(range(size), 2):
        up = works(network, rules, {a, b})
        assert found.double_m2[a, b] == short(sight, network, up), (a, b)
        assert lost_m2(sight, network.devices_out({a, b})).sum() == found.double_m2[a, b]


def test_two_cuts_of_a_ring_take_what_lies_between():
    ring = ResilienceRules(cables=(Cable("ring", "trunk", 0.0, 1000.0, "both"),))
    network = network_of(plan_of([200.0, 500.0, 800.0], [0, 1, 2]), ring)
    names = [element.name for element in network.elements]
    a, b = names.index("ring, 0–200 m"), names.index("ring, 500–800 m")
    assert not network.devices_out({a}).any()
    assert network.devices_out({a, b}).tolist() == [True, True, False]
    sight = sightings(network, [{0}, {1}, {2}, {0, 2}], 1)
    found = outages(sight, network)
    assert found.single_m2[a] == found.single_m2[b] == 0
    assert found.double_m2[min(a, b), max(a, b)] == 2


def test_cables_are_cut_at_the_mounts_and_fail_by_length():
    rules = ResilienceRules(
        Life(990.0, 10.0), Life(), 0.0,
        (Cable("power", "feeder", 0.0, 1000.0, "end", Life(1000.0, 10.0), Life(500.0, 5.0)),),
    )  # fmt: skip
    network = network_of(plan_of([300.0, 300.4, 700.0], [0, 2]), rules)
    cable = [element for element in network.elements if element.kind == "feeder"]
    # Nothing before the first mount: the supply is at the other end.
    assert [(e.start_m, e.end_m) for e in cable] == [(300.0, 700.0), (700.0, 1000.0)]
    assert [e.out for e in cable] == pytest.approx(
        [cable_unavailability(1000.0, 10.0, length) for length in (400.0, 300.0)]
    )
    assert network.elements[0].out == pytest.approx(0.01)
    (supply,) = [element for element in network.elements if element.kind == "feeder supply"]
    assert supply.out == pytest.approx(unavailability(500.0, 5.0))


def test_a_mount_that_no_cable_reaches_is_told_and_served():
    rules = ResilienceRules(cables=(Cable("power", "feeder", 0.0, 400.0),))
    network = network_of(plan_of([100.0, 900.0], [0, 1]), rules)
    assert network.unserved == ("M1 (feeder)",)
    everything = {k for k, e in enumerate(network.elements) if e.kind.startswith("feeder")}
    assert network.devices_out(everything).tolist() == [True, False]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(cases(most=2))
def test_unseen_is_the_sum_over_all_states(case):
    rules, network, classes, needed = case
    sight = sightings(network, classes, needed)
    assume(sight.cells.size)
    (stretch, *_), causes = stretches_unseen(sight, network, 100.0)
    plant = Plant(network)
    named = [e.label for e in network.elements] + [COMMON + model for model in network.common]
    assume(len(named) <= 13)
    numbers = {element.label: k for k, element in enumerate(network.elements)}
    total, alone = 0.0, set()
    for state in product((False, True), repeat=len(named)):
        out = {name for name, is_out in zip(named, state, strict=True) if is_out}
        chance = np.prod([plant.out[n] if n in out else 1 - plant.out[n] for n in named])
        common = [name.removeprefix(COMMON) for name in out if name.startswith(COMMON)]
        up = works(network, rules, {numbers[n] for n in out if n in numbers}, common)
        if short(sight, network, up):
            total += chance
            if len(out) == 1:
                alone |= out
    assert stretch.unseen == pytest.approx(total, abs=1e-12)
    assert set(stretch.single) == alone
    if causes:
        assert [share for _, share in causes] == sorted((s for _, s in causes), reverse=True)


def test_stretches_are_judged_each_for_itself():
    network = network_of(plan_of([50.0, 150.0], [0, 1]), ResilienceRules(devices=Life(90.0, 10.0)))
    sight = sightings(network, [{0}, {0, 1}], 1, stretch=[10.0, 110.0])
    (first, second), causes = stretches_unseen(sight, network, 100.0)
    assert (first.start_m, second.start_m) == (0.0, 100.0)
    assert first.unseen == pytest.approx(0.1)
    assert second.unseen == pytest.approx(0.01)
    assert set(first.single) == {"device D00", "mount M0"}
    assert second.single == ()
    assert ("device D00", "device D01") in second.pairs
    assert causes == (("device D00", pytest.approx(1.0)),)
