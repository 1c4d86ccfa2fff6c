"""Claims on what light must not do, and on where no pole may stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.geo.chainage import to_chainage
from watchline.model.lighting import Lighting, LightLimit
from watchline.model.proof import Claim, Verdict, Witness
from watchline.model.site import Site
from watchline.physics.light import LARGEST_GLARE_ANGLE_DEG, LEAST_GLARE_ANGLE_DEG
from watchline.physics.luminaires import aimed_intensity_cd, aimed_upward_share
from watchline.physics.photometry import flux_lm
from watchline.prove.heights import Relief
from watchline.prove.light import Lamp, as_new
from watchline.prove.light_places import limit_meters
from watchline.prove.light_rays import head_on
from watchline.prove.verdicts import stretches

FloatArray = npt.NDArray[np.float64]
NIGHT = "night, lights on"
LIMIT_METHOD = (
    "every light new and clean, at any distance, shadows by Embree rays over the triangulated "
    "surface; rays over unknown ground count as clear"
)
UNITS = {"illuminance": "lx", "intensity": "cd", "veil": "cd/m²", "upward": "ratio"}


def limit_claim(
    site: Site, relief: Relief, limit: LightLimit, lamps: tuple[Lamp, ...], size: float
) -> Claim:
    """Judge what light must not do: a figure that must be at most a target."""
    new = as_new(lamps)
    if limit.kind == "upward":
        return _upward_claim(site, limit, lamps)
    meters = limit_meters(site, relief, limit, size)
    if limit.kind == "intensity":
        value = np.zeros(meters.x.size)
        worst_lamp = np.zeros(meters.x.size, dtype=np.int64)
        for k, lamp in enumerate(new):
            one = lamp.luminaire
            away = np.stack([meters.x - one.x, meters.y - one.y, meters.z - one.z], axis=1)
            # Unknown ground: the place is taken level with the lamp.
            toward = aimed_intensity_cd(one, np.nan_to_num(away))
            worst_lamp = np.where(toward > value, k, worst_lamp)
            value = np.maximum(value, toward)
        low = value
    else:
        weight = _veil_weight if limit.kind == "veil" else _level_weight
        low, value, worst_lamp = head_on(relief, new, meters, weight)
    if not value.size:
        return _limit(limit, "unknown", 0.0, 0.0, None, 0, (), "no place to judge")
    worst = int(np.argmax(value))
    verdict: Verdict = "holds"
    if value[worst] > limit.most:
        verdict = "fails" if (low > limit.most).any() else "unknown"
    name = new[worst_lamp[worst]].name if new else "none"
    place = (float(a[worst]) for a in (meters.x, meters.y, meters.s, meters.t))
    witness = Witness(*place, float(value[worst]), f"most of it from {name}")
    bad = value > limit.most
    unit = UNITS[limit.kind]
    detail = (
        f"{value[worst]:.3g} {unit} at most, allowed {limit.most:.3g}; "
        f"{int(bad.sum()):,} of {value.size:,} places are above"
    )
    return _limit(
        limit,
        verdict,
        float(low.max()),
        float(value[worst]),
        witness,
        int(value.size),
        stretches(meters.s[bad], size),
        detail,
    )


def _level_weight(away: FloatArray, distance: FloatArray, normal: FloatArray) -> FloatArray:
    """Of a vertical plane turned to the lamp."""
    return np.hypot(away[:, 0], away[:, 1]) / distance


def _veil_weight(away: FloatArray, distance: FloatArray, normal: FloatArray) -> FloatArray:
    """Of Stiles and Holladay's veil, 10·cos θ/θ²."""
    cosine = np.clip((away * normal).sum(axis=1) / distance, -1.0, 1.0)
    angle = np.degrees(np.arccos(cosine))
    veil = 10.0 * np.maximum(cosine, 0.0) / np.maximum(angle, LEAST_GLARE_ANGLE_DEG) ** 2
    return np.where(angle <= LARGEST_GLARE_ANGLE_DEG, veil, 0.0)


def _upward_claim(site: Site, limit: LightLimit, lamps: tuple[Lamp, ...]) -> Claim:
    known: dict[tuple[int, float, float], tuple[float, float]] = {}
    share = np.zeros(len(lamps))
    flux = np.zeros(len(lamps))
    for k, lamp in enumerate(lamps):
        one = lamp.luminaire
        key = (id(one.photometry), one.tilt_deg, one.front_c_deg)
        if key not in known:
            up = aimed_upward_share(one.photometry, one.tilt_deg, one.front_c_deg)
            known[key] = up, flux_lm(one.photometry)
        share[k], flux[k] = known[key]
    if not share.size:
        return _limit(limit, "holds", 0.0, 0.0, None, 0, (), "no light")
    worst = int(np.argmax(share))
    lamp = lamps[worst]
    x, y = np.array([lamp.luminaire.x]), np.array([lamp.luminaire.y])
    s, t, _ = to_chainage(site.line, x, y)
    witness = Witness(
        float(x[0]), float(y[0]), float(s[0]), float(t[0]), float(share[worst]), lamp.name
    )
    whole = float((share * flux).sum() / flux.sum())
    bad = np.array([one.s for one in lamps])[share > limit.most]
    detail = (
        f"{share[worst]:.3g} of the light of {lamp.name} leaves above the horizon, allowed "
        f"{limit.most:.3g}; {whole:.3g} of all light"
    )
    verdict: Verdict = "holds" if share[worst] <= limit.most else "fails"
    value = float(share[worst])
    return _limit(limit, verdict, value, value, witness, len(lamps), stretches(bad, 1.0), detail)


def _limit(
    limit: LightLimit,
    verdict: Verdict,
    lower: float,
    upper: float,
    witness: Witness | None,
    cells: int,
    failing: tuple[tuple[float, float], ...],
    detail: str,
) -> Claim:
    where = "everywhere" if limit.kind == "upward" else limit.name
    return Claim(
        requirement=limit.name,
        kind="light_limit",
        where=where,
        condition=NIGHT,
        verdict=verdict,
        value=upper,
        lower=lower,
        upper=upper,
        target=limit.most,
        binding=limit.binding,
        witness=witness,
        cells=cells,
        failing_chainages=failing,
        method=LIMIT_METHOD,
        detail=detail,
        unit=UNITS[limit.kind],
    )


def exclusion_claims(site: Site, lighting: Lighting) -> list[Claim]:
    """Claims that no pole of its own stands where none may."""
    claims = []
    own = lighting.poles[lighting.poles["mount_id"] == ""]
    for area in site.exclusions:
        inside = own[own.geometry.intersects(area.polygon)]
        good = 1.0 - len(inside) / max(len(own), 1)
        names = ", ".join(str(name) for name in inside["pole_id"])
        claims.append(
            Claim(
                requirement=f"no light pole: {area.name}",
                kind="exclusion",
                where=area.name,
                condition=NIGHT,
                verdict="fails" if len(inside) else "holds",
                value=good,
                lower=good,
                upper=good,
                target=1.0,
                binding=True,
                witness=None,
                cells=len(own),
                failing_chainages=stretches(inside["s"].to_numpy(dtype=np.float64), 1.0),
                method="points in polygons",
                detail=f"inside: {names}" if names else "no pole stands inside",
            )
        )
    return claims
