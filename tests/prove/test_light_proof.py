"""The proof of light: closed forms, the design's kernel, unknown ground, limits, outages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prove_scenes import EAST, NORTH, change, flat, terrain_of
from shapely.geometry import Point

from light_scenes import ROAD, lights, lit_site, offer, poles
from watchline.errors import PlanError
from watchline.kernels.grid import make_grid
from watchline.model.lighting import LightLimit, LightRequirement
from watchline.physics.illumination import Receivers, cast_light
from watchline.physics.luminaires import Luminaire, aimed_intensity_cd, aimed_upward_share
from watchline.prove.heights import relief_of
from watchline.prove.light_claims import prove_lights
from watchline.prove.light_places import limit_meters

HIGH = LightRequirement("lit", "fence_strip", minimum_lx=2.0)


def claims_of(site, terrain, lighting):
    return {claim.requirement: claim for claim in prove_lights(site, terrain, lighting).claims}


def test_one_lamp_on_a_plain_gives_what_the_formula_gives():
    terrain = flat(cell_m=5.0)
    plan = lights({"at": (100.0, 15.0), "azimuth_deg": 30.0, "tilt_deg": 80.0})
    asked = LightRequirement("lit", "zone", minimum_lx=2.0)
    points = prove_lights(lit_site(asked), terrain, plan).points
    lamp = Luminaire(ROAD, EAST + 100.0, NORTH + 15.0, 10.0, 30.0, 80.0, 190.0, 0.8)
    away = np.stack([points["x"] - lamp.x, points["y"] - lamp.y, np.full(len(points), -10.0)], 1)
    distance = np.sqrt((away**2).sum(axis=1))
    exact = aimed_intensity_cd(lamp, away) * 10.0 / distance**3
    # The plain is bent: 1 mm over 120 m.
    assert np.allclose(points["lux"], exact, rtol=1e-3, atol=1e-6)
    assert points["lux"].max() > 20


def test_it_agrees_with_the_designs_kernel_on_rough_ground():
    flat_terrain = flat(cell_m=5.0)
    rng = np.random.default_rng(11)
    ground = (6.0 * rng.random(flat_terrain.ground.shape)).astype(np.float32)
    surface = ground.copy()
    surface[rng.random(ground.shape) < 0.05] += 6.0
    terrain = terrain_of(flat_terrain.x, flat_terrain.y, ground, surface)
    plan = lights(
        *(
            {"at": (20.0 + 40.0 * k, 14.0), "azimuth_deg": 70.0 * k, "tilt_deg": 75.0}
            for k in range(5)
        )
    )
    site = lit_site(LightRequirement("lit", "zone", minimum_lx=2.0))
    points = prove_lights(site, terrain, plan).points
    lamps = [
        Luminaire(ROAD, row.geometry.x, row.geometry.y, 10.0, row.azimuth_deg, 75.0, 190.0, 0.8)
        for row in plan.lights.itertuples()
    ]
    theirs = cast_light(
        make_grid(surface, 5.0, *terrain.origin),
        make_grid(ground, 5.0, *terrain.origin),
        lamps,
        Receivers(points["x"].to_numpy(), points["y"].to_numpy(), (0.0,), np.array([[0, 0, 1.0]])),
    ).lux[:, 0]
    ours = points["lux"].to_numpy()
    differs = np.abs(ours - theirs) > 1e-5 * np.maximum(theirs, 0.01)
    # Rays that graze an edge within a millimetre may be decided differently.
    assert differs.mean() < 0.01
    assert ((theirs == 0) != (ours == 0)).mean() < 0.01
    assert (theirs == 0).any()


def test_a_missing_pole_fails_with_a_witness_and_the_outage_said_so():
    terrain = flat(cell_m=5.0)
    rows = [
        {"at": (x, 15.0), "azimuth_deg": a, "pole": f"P{k}", "feeder": 1 + k % 2}
        for k, x in enumerate(np.arange(10.0, 200.0, 20.0))
        for a in (140.0, 220.0)
    ]
    site = lit_site(HIGH)
    whole = claims_of(site, terrain, lights(*rows))
    assert whole["lit: minimum"].verdict == "holds"
    assert whole["lit: minimum"].unit == "lx"
    outage = whole["lit: minimum, any one pole out"]
    assert not outage.binding
    without = [
        claims_of(site, terrain, lights(*(row for row in rows if row["pole"] != f"P{k}")))
        for k in range(10)
    ]
    worst = min(one["lit: minimum"].value for one in without)
    assert outage.value == pytest.approx(worst, rel=1e-9)
    feeder = claims_of(site, terrain, lights(*(row for row in rows if row["feeder"] == 1)))
    other = claims_of(site, terrain, lights(*(row for row in rows if row["feeder"] == 2)))
    left = min(feeder["lit: minimum"].value, other["lit: minimum"].value)
    assert whole["lit: minimum, any one feeder out"].value == pytest.approx(left, rel=1e-9)
    failed = next(one for one in without if one["lit: minimum"].verdict == "fails")["lit: minimum"]
    assert failed.failing_chainages
    assert failed.witness.value == failed.value < 2.0


def test_unknown_ground_never_counts_as_lit():
    terrain = change(flat(cell_m=5.0), 95, 105, 8, 12, ground=np.nan, surface=np.nan)
    rows = [
        {"at": (x, 15.0), "azimuth_deg": a}
        for x in np.arange(10.0, 200.0, 20.0)
        for a in (140.0, 180.0, 220.0)
    ]
    claim = claims_of(lit_site(HIGH), terrain, lights(*rows))["lit: minimum"]
    assert claim.lower < claim.upper
    zone = LightRequirement("lit", "zone", minimum_lx=0.01)
    assert claims_of(lit_site(zone), terrain, lights(*rows))["lit: minimum"].verdict == "unknown"


def test_mean_and_uniformity_are_those_of_the_stretches():
    terrain = flat(cell_m=5.0)
    asked = LightRequirement("lit", "zone", average_lx=5.0, uniformity=0.2, stretch_m=50.0)
    plan = lights({"at": (25.0, 10.0)}, {"at": (75.0, 10.0)}, {"at": (125.0, 10.0)})
    found = prove_lights(lit_site(asked), terrain, plan)
    by = found.points.groupby(np.minimum(found.points["s"] // 50, 3))["lux"]
    claims = {claim.requirement: claim for claim in found.claims}
    assert claims["lit: mean"].value == pytest.approx(by.mean().min())
    assert claims["lit: mean"].verdict == "fails"  # nothing hangs over the last stretch
    assert claims["lit: uniformity"].value == pytest.approx((by.min() / by.mean()).min())
    assert claims["lit: uniformity"].unit == "ratio"


def test_limits_are_judged_new_clean_and_from_any_distance():
    terrain = flat(cell_m=5.0, x_m=400.0)
    plan = lights({"at": (20.0, 15.0), "azimuth_deg": 90.0, "tilt_deg": 60.0, "height_m": 12.0})
    place = Point(EAST + 180.0, NORTH + 15.0)
    lamp = Luminaire(ROAD, EAST + 20.0, NORTH + 15.0, 12.0, 90.0, 60.0, 190.0)
    away = np.array([160.0, 0.0, 1.5 - 12.0])
    distance = float(np.sqrt((away**2).sum()))
    intensity = float(aimed_intensity_cd(lamp, away))
    lux = intensity / distance**2 * 160.0 / distance
    angle = np.degrees(np.arctan2(10.5, 160.0))
    veil = 10.0 * lux / angle**2
    up = aimed_upward_share(ROAD, 60.0, 190.0)
    for kind, value in (
        ("illuminance", lux), ("intensity", intensity), ("veil", veil), ("upward", up),
    ):  # fmt: skip
        area = None if kind == "upward" else place
        for most, verdict in ((value * 1.01, "holds"), (value * 0.99, "fails")):
            limit = LightLimit("kept", kind, most, area=area, looking_deg=270.0)
            claim = claims_of(lit_site(HIGH, limits=(limit,)), terrain, plan)["kept"]
            assert claim.value == pytest.approx(value, rel=2e-3)
            assert (claim.verdict, claim.kind) == (verdict, "light_limit")
    # A wall between keeps the light off.
    wall = change(terrain, 100, 105, -60, 60, surface=15.0)
    limit = LightLimit("kept", "illuminance", lux / 2, area=place)
    assert claims_of(lit_site(HIGH, limits=(limit,)), wall, plan)["kept"].verdict == "holds"


def test_edges_beside_the_line_lie_on_their_side():
    site = lit_site(HIGH)
    relief = relief_of(flat(cell_m=5.0))
    across = limit_meters(site, relief, LightLimit("a", "illuminance", 1.0, offset_m=-20.0), 5.0)
    assert np.allclose(across.t, -20.0)
    assert np.allclose(across.y, NORTH - 20.0)


def test_lights_of_another_project_are_refused():
    site, terrain = lit_site(HIGH), flat(cell_m=5.0)
    with pytest.raises(PlanError, match="luminaire 'sun'"):
        prove_lights(site, terrain, lights({"at": (5.0, 5.0), "luminaire": "sun"}))
    with pytest.raises(PlanError, match="another file"):
        prove_lights(site, terrain, lights({"at": (5.0, 5.0), "sha256": "0" * 64}))


def test_no_light_at_all_is_dark():
    site = lit_site(HIGH, offers=(offer(),), rules=poles())
    claim = claims_of(site, flat(cell_m=5.0), lights())["lit: minimum"]
    assert (claim.verdict, claim.value) == ("fails", 0.0)
    assert replace(claim, binding=False).witness is not None
