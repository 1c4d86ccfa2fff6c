"""The layout of lights: contributions, exhaustive search, bounds, losses and limits."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from prove_scenes import EAST, NORTH, change, flat, terrain_of
from shapely.geometry import Point, box

from light_scenes import FLOOD, ROAD, lit_site, offer, poles
from watchline.design.light_bound import bound_windows, window_bound
from watchline.design.light_columns import make_columns
from watchline.design.light_cover import cover_lights, price_rows
from watchline.design.light_heads import offered_heads
from watchline.design.light_matrix import contributions, eye_contributions, make_scene
from watchline.design.light_points import Points, light_cells, requirement_points
from watchline.design.light_repair import missed_light
from watchline.design.light_rows import MARGIN, violated
from watchline.design.light_solve import choice_cost, priced_bound
from watchline.design.light_sums import sums_at
from watchline.design.lights import _problem, design_lights
from watchline.errors import InfeasibleError
from watchline.model.lighting import LightLimit, LightRequirement
from watchline.physics.luminaires import Luminaire
from watchline.prove.light_claims import prove_lights


def hills(seed=3, rough_m=0.3, walls=0.0):
    terrain = flat(cell_m=5.0)
    rng = np.random.default_rng(seed)
    shape = terrain.ground.shape
    ground = (rough_m * rng.random(shape)).astype(np.float32)
    surface = ground.copy()
    surface[rng.random(shape) < walls] += 5.0
    return terrain_of(terrain.x, terrain.y, ground, surface)


def chosen_of(lighting, site):
    """The lights of a layout for the kernel of sums."""
    offers = {one.name: one for one in site.lighting.luminaires}
    return [
        Luminaire(
            offers[row.luminaire].photometry,
            row.geometry.x,
            row.geometry.y,
            row.height_m,
            row.azimuth_deg,
            row.tilt_deg,
            row.roll_deg,
            offers[row.luminaire].maintenance_factor,
        )
        for row in lighting.lights.itertuples()
    ]


def test_pairs_add_up_to_what_the_kernel_of_sums_gives():
    terrain = hills(rough_m=4.0, walls=0.03)
    site = lit_site(offers=(offer(), offer(FLOOD, name="flood", tilts_deg=(40.0, 70.0))))
    rules = site.lighting
    heads = offered_heads(site, terrain, None)
    scene = make_scene(terrain, rules, heads)
    cells = light_cells(site, terrain, 5.0)
    for requirement in (
        LightRequirement("h", "zone", minimum_lx=1.0),
        LightRequirement("v", "line", plane="vertical", height_m=1.5, minimum_lx=1.0),
    ):
        points = requirement_points(site, terrain, cells, requirement)
        matrix = contributions(scene, points, reach_m=1e4)
        rng = np.random.default_rng(1)
        x = (rng.random(heads.place.size) < 0.3).astype(float)
        every = [
            Luminaire(
                rules.luminaires[heads.offer[k]].photometry,
                heads.places["x"].iloc[heads.place[k]],
                heads.places["y"].iloc[heads.place[k]],
                heads.top_height_m[heads.top[k]],
                heads.azimuth_deg[k],
                heads.tilt_deg[k],
                rules.luminaires[heads.offer[k]].front_c_deg,
                rules.luminaires[heads.offer[k]].maintenance_factor,
            )
            for k in np.flatnonzero(x)
        ]
        summed = sums_at(terrain, every, points)
        # The kernel of sums may leave out 0.002 lx.
        assert np.allclose(matrix @ x, summed, rtol=1e-5, atol=2.1e-3)
        assert (summed <= (matrix @ x) * (1 + 1e-5) + 1e-6).all()
        assert (summed > 0.5).any()


def exhaustive(problem, heads):
    """Least cost over every choice of heads that respects poles and brackets."""
    best = np.inf
    per_place = []
    for place in range(len(heads.places)):
        own = np.flatnonzero(heads.place == place)
        sets = [()]
        for size in (1, 2):
            for some in itertools.combinations(own, size):
                tops = {int(heads.top[k]) for k in some}
                brackets = {int(heads.bracket[k]) for k in some}
                if len(tops) == 1 and len(brackets) == size <= heads.top_room[tops.pop()]:
                    sets.append(some)
        per_place.append(sets)
    for choice in itertools.product(*per_place):
        x = np.zeros(heads.place.size)
        x[[k for some in choice for k in some]] = 1.0
        cost = choice_cost(heads, x)
        if cost < best and not violated(replace(problem, pool={}), x, -1e9, 1e9):
            best = cost
    return best


@pytest.mark.parametrize(
    "asked",
    [
        LightRequirement("lit", "fence_strip", minimum_lx=1.0),
        LightRequirement("lit", "fence_strip", average_lx=4.0, minimum_lx=0.5, uniformity=0.12),
        LightRequirement("lit", "fence_strip", minimum_lx=0.05, survive="pole"),
        LightRequirement("lit", "fence_strip", minimum_lx=0.05, survive="feeder"),
    ],
)
def test_no_choice_is_cheaper_than_the_one_found_and_none_undercuts_the_bound(asked):
    terrain = hills(5)
    rules = poles(spacing_m=37.0, poles=((8.0, 1500.0), (12.0, 2600.0)), gap=0.0, work=10_000)
    site = lit_site(asked, rules=rules, offers=(offer(azimuths_deg=(0.0, 60.0)),))
    site = replace(site, zone=replace(site.zone, end_m=150.0))
    heads = offered_heads(site, terrain, None)
    scene = make_scene(terrain, site.lighting, heads)
    cells = light_cells(site, terrain, rules.cell_m)
    problem = _problem(site, terrain, site.lighting, heads, scene, cells)
    least = exhaustive(problem, heads)
    duals = price_rows(problem, heads, rules, 1, lambda share: None)
    bound = priced_bound(problem, heads, duals, MARGIN)
    assert 0.3 * least < bound <= least + 1e-6
    # Any prices give a bound, also wild ones.
    wild = {key: 3.0 * price + 1.0 for key, price in duals.items()}
    assert priced_bound(problem, heads, wild, MARGIN) <= least + 1e-6
    # Whole choices in windows bound it too, at any prices and wherever the line is cut.
    whole = {}
    for windows in ([(0.0, 151.0)], bound_windows(0.0, 150.0, 50.0), [(0.0, 40.0), (40.0, 151.0)]):
        for prices in (duals, wild):
            found = window_bound(problem, heads, prices, windows, seed=1, nodes=10_000)
            assert found <= least + 1e-6
            whole[len(windows), prices is wild] = found
    assert whole[1, False] >= max(0.97 * least, bound - 1e-6)
    # Lights and poles apart are the same problem, with a looser relaxation.
    apart = replace(problem, columns=make_columns(heads, most_ways=0), pool={})
    assert not apart.columns.listed.any()
    duals = price_rows(apart, heads, rules, 1, lambda share: None)
    assert 0 < priced_bound(apart, heads, duals, MARGIN) <= least + 1e-6
    windows = bound_windows(0.0, 150.0, 75.0)
    assert window_bound(apart, heads, duals, windows, seed=1, nodes=100) <= least + 1e-6
    assert cover_lights(apart, heads, rules, 1).cost == pytest.approx(least)
    found = design_lights(site, terrain)
    assert found.lower_bound <= least + 1e-6
    if not any("finer grid" in note for note in found.notes):
        assert found.cost == pytest.approx(least)
    claims = prove_lights(site, terrain, found).claims
    assert all(claim.verdict == "holds" for claim in claims if claim.binding)


def test_a_layout_holds_in_the_proof_and_is_the_same_again():
    terrain = hills(7)
    site = lit_site(
        LightRequirement("lit", "zone", minimum_lx=1.0),
        LightRequirement("seen", "line", plane="vertical", height_m=1.5, minimum_lx=2.0),
    )
    first, again = design_lights(site, terrain), design_lights(site, terrain)
    assert first.lights.equals(again.lights)
    assert (
        first.cost
        == again.cost
        == pytest.approx(first.lights["cost"].sum() + first.poles["cost"].sum())
    )
    assert 0 < first.lower_bound <= first.cost
    proof = prove_lights(site, terrain, first)
    assert {claim.verdict for claim in proof.claims if claim.binding} == {"holds"}
    # No light is there for nothing: without any one, something fails.
    for k in range(len(first.lights)):
        fewer = replace(first, lights=first.lights.drop(index=k).reset_index(drop=True))
        verdicts = {c.verdict for c in prove_lights(site, terrain, fewer).claims if c.binding}
        assert "fails" in verdicts


def test_what_survives_a_lost_pole_costs_more_and_does_survive():
    terrain = hills(2)
    plain, rules = LightRequirement("lit", "fence_strip", minimum_lx=0.2), poles(spacing_m=15.0)
    cheap = design_lights(lit_site(plain, rules=rules), terrain)
    site = lit_site(replace(plain, survive="pole"), rules=replace(rules, work=20))
    safe = design_lights(site, terrain)
    assert safe.cost > cheap.cost
    cells = light_cells(site, terrain, 2.5)
    points = requirement_points(site, terrain, cells, plain)
    claims = {c.requirement: c for c in prove_lights(site, terrain, safe).claims}
    assert claims["lit: minimum, any one pole out"].binding
    assert claims["lit: minimum, any one pole out"].verdict == "holds"
    for pole in safe.poles["pole_id"]:
        left = replace(safe, lights=safe.lights[safe.lights["pole_id"] != pole])
        assert sums_at(terrain, chosen_of(left, site), points).min() > 0.2 - 2e-3


def test_limits_bend_the_layout():
    terrain = flat(cell_m=5.0)
    asked = LightRequirement("lit", "fence_strip", minimum_lx=1.0)
    free = lit_site(asked, offers=(offer(azimuths_deg=(-40.0, 0.0, 40.0, 180.0)),))
    house = Point(EAST + 100.0, NORTH - 25.0)
    lax = LightLimit("house", "illuminance", 1e6, area=house)
    probe = replace(free, lighting=replace(free.lighting, limits=(lax,)))
    before = prove_lights(probe, terrain, design_lights(probe, terrain)).claims
    at_house = next(claim.value for claim in before if claim.requirement == "house")
    strict = replace(lax, most=0.9 * at_house)
    bent = replace(free, lighting=replace(free.lighting, limits=(strict,)))
    found = design_lights(bent, terrain)
    claims = {c.requirement: c for c in prove_lights(bent, terrain, found).claims}
    assert claims["house"].verdict == "holds"
    assert claims["house"].value <= 0.9 * at_house
    assert found.cost >= design_lights(free, terrain).cost
    # The whole wall of the house, and a glare limit that forbids all that look there.
    dark = replace(strict, area=box(EAST, NORTH - 40, EAST + 200, NORTH - 30), most=1e-4)
    none = replace(free, lighting=replace(free.lighting, limits=(dark,)))
    with pytest.raises(InfeasibleError, match="the limit 'house' forbids it"):
        design_lights(none, terrain)
    glare = LightLimit("eye", "intensity", 1.0, area=house)
    with pytest.raises(InfeasibleError, match="every light breaks a limit"):
        design_lights(replace(free, lighting=replace(free.lighting, limits=(glare,))), terrain)


def test_head_on_light_follows_the_inverse_square():
    terrain = flat(cell_m=5.0)
    site = lit_site(offers=(offer(azimuths_deg=(0.0,)),), rules=poles(spacing_m=200.0))
    heads = offered_heads(site, terrain, None)
    scene = make_scene(terrain, site.lighting, heads)
    lamp = np.array([heads.places["x"][0], heads.places["y"][0], 10.0])
    eye = lamp + np.array([0.0, -40.0, -8.5])
    single = (np.array([v]) for v in (*eye, 100.0, -25.0))
    points = Points(*single, np.array([[0.0, 1.0, 0.0]]), np.array([False]))
    lux = eye_contributions(scene, points, "illuminance").toarray()[0, 0]
    from watchline.physics.luminaires import aimed_intensity_cd

    hung = Luminaire(ROAD, *lamp, heads.azimuth_deg[0], heads.tilt_deg[0], 190.0, 0.8)
    distance = np.hypot(40.0, 8.5)
    intensity = float(aimed_intensity_cd(hung, eye - lamp))
    assert lux == pytest.approx(intensity / distance**2 * 40.0 / distance, rel=5e-5)
    veil = eye_contributions(scene, points, "veil").toarray()[0, 0]
    angle = np.degrees(np.arctan2(8.5, 40.0))
    assert veil == pytest.approx(
        10 * intensity / distance**2 * 40.0 / distance / angle**2, rel=5e-5
    )


def test_what_no_light_can_give_says_where_and_how_much():
    site = lit_site(LightRequirement("bright", "zone", minimum_lx=500.0))
    with pytest.raises(InfeasibleError, match=r"s = 0.*'bright' asks for 500 lx.*give.*lx at s"):
        design_lights(site, flat(cell_m=5.0))
    terrain = change(flat(cell_m=5.0), 90, 110, -50, 50, ground=np.nan, surface=np.nan)
    with pytest.raises(InfeasibleError, match="the ground is unknown"):
        design_lights(lit_site(), terrain)


def test_what_a_proof_finds_failing_is_mended():
    """Designed for less than is proven: minimum, mean and uniformity fail, and are then mended."""
    terrain = hills(4, rough_m=0.6)
    asked = LightRequirement("lit", "fence_strip", minimum_lx=1.0, average_lx=3.0, uniformity=0.1)
    more = replace(asked, minimum_lx=1.6, average_lx=10.0, uniformity=0.2)
    limit = LightLimit("house", "illuminance", 1e6, area=Point(EAST + 100.0, NORTH - 25.0))
    easy, hard = (
        replace(site, lighting=replace(site.lighting, limits=(limit,)))
        for site in (lit_site(asked), lit_site(more))
    )
    before = design_lights(easy, terrain)
    proof = prove_lights(hard, terrain, before)
    failing = {c.requirement for c in proof.claims if c.binding and c.verdict != "holds"}
    assert failing == {"lit: minimum", "lit: mean", "lit: uniformity"}
    missed = missed_light(hard, proof.claims, proof.points)
    lux = proof.points["lux"].to_numpy()
    assert len(missed.points["lit"]) == (lux < 1.6).sum() > 0
    assert missed.stretches["lit"]
    after = design_lights(hard, terrain, before=before, missed=missed)
    for _ in range(3):
        proof = prove_lights(hard, terrain, after)
        failing = {c.requirement for c in proof.claims if c.binding and c.verdict != "holds"}
        if not failing:
            break
        missed = missed_light(hard, proof.claims, proof.points, missed)
        after = design_lights(hard, terrain, before=after, missed=missed)
    assert not failing
    assert after.cost > before.cost
    assert after.lower_bound == before.lower_bound


def test_why_no_lights_can_names_metres_obstacle_and_the_cheapest_relaxation():
    # A wall 25 m high, 80 m long, between the line and all places.
    wall = change(flat(cell_m=1.0), 60, 140, 4, 6, surface=25.0)
    site = lit_site(LightRequirement("lit", "line", minimum_lx=1.0))
    with pytest.raises(InfeasibleError) as caught:
        design_lights(site, wall)
    error = caught.value
    assert re.fullmatch(r"s = (6\d|7\d)–1[23]\d m", error.where), error.where
    assert "something that stands there at s = " in error.what and "t = 4 m rises" in error.what
    assert "m above the ray to the light" in error.what
    assert "leave these metres out" in error.mend  # behind the wall it is dark, whatever is asked
    site = lit_site(LightRequirement("lit", "line", minimum_lx=50.0))
    with pytest.raises(InfeasibleError, match="ask 'lit' for a minimum of") as caught:
        design_lights(site, flat(cell_m=5.0))
    least = float(re.search(r"minimum of ([\d.]+) lx instead of 50", caught.value.mend)[1])
    eased = replace(site.lighting.requirements[0], minimum_lx=0.99 * least)
    assert price_of(lit_site(eased)) > 0
    with pytest.raises(InfeasibleError):
        price_of(lit_site(replace(eased, minimum_lx=1.02 * least)))
    # A limit that forbids what would be needed is named, with what it would have to be.
    house = LightLimit("house", "illuminance", 0.01, area=Point(EAST + 100.0, NORTH - 25.0))
    site = lit_site(LightRequirement("lit", "fence_strip", minimum_lx=1.0))
    site = replace(site, lighting=replace(site.lighting, limits=(house,)))
    with pytest.raises(InfeasibleError, match="the limit 'house' forbids it") as caught:
        design_lights(site, flat(cell_m=5.0))
    allowed = float(re.search(r"allow 'house' ([\d.]+) instead of 0.01", caught.value.mend)[1])
    for most, good in ((allowed * 1.01, True), (0.5 * allowed, False)):
        limits = (replace(house, most=most),)
        eased = replace(site, lighting=replace(site.lighting, limits=limits))
        if good:
            assert price_of(eased)
        else:
            with pytest.raises(InfeasibleError):
                price_of(eased)


def price_of(site):
    """The relaxation's bound of a site on flat ground."""
    terrain, rules = flat(cell_m=5.0), site.lighting
    heads = offered_heads(site, terrain, None)
    scene = make_scene(terrain, rules, heads)
    cells = light_cells(site, terrain, rules.poles.cell_m)
    problem = _problem(site, terrain, rules, heads, scene, cells)
    duals = price_rows(problem, heads, rules.poles, 1, lambda share: None)
    return priced_bound(problem, heads, duals, MARGIN)
