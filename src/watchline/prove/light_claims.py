"""Claims on light: minimum, mean, uniformity, outage, and limits, with verdict and witness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.lighting import Lighting, LightRequirement
from watchline.model.proof import Claim, Verdict, Witness
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.cells import proof_cells
from watchline.prove.heights import relief_of
from watchline.prove.light import (
    REACH_M,
    Lamp,
    Lux,
    Meters,
    lamps_of,
    light_on,
    unblocked_lux,
)
from watchline.prove.light_limits import NIGHT, exclusion_claims, limit_claim
from watchline.prove.light_places import requirement_meters
from watchline.prove.verdicts import stretches

FloatArray = npt.NDArray[np.float64]
FINER = 2
METHOD = (
    "point by point on a grid of {cell:.3g} m, I·cos/d² from the photometric files with "
    "maintenance factors, shadows by Embree rays over the triangulated surface; lights beyond "
    "{reach:g} m count nothing"
)
Progress = Callable[[float], None]


@dataclass(frozen=True)
class LightProof:
    """Claims on light, and the table of points that they were read from.

    Attributes
    ----------
    claims : tuple of Claim
        As :class:`watchline.model.proof.Claim`, with figures in their unit.
    points : DataFrame
        One row per requirement and point: ``requirement, x, y, s, t, lux, unknown_lx``, and of
        ``lux`` the most that lights of one pole and of one feeder give: ``pole_lx, feeder_lx``.
    cell_m : float
        Spacing of the points.
    """

    claims: tuple[Claim, ...]
    points: pd.DataFrame
    cell_m: float


def prove_lights(
    site: Site,
    terrain: Terrain,
    lighting: Lighting,
    *,
    cell_m: float | None = None,
    progress: Progress = lambda share: None,
) -> LightProof:
    """Judge the lights of a plan, from site, terrain and lights alone.

    Parameters
    ----------
    site : Site
        What is asked; its `lighting` must not be None.
    terrain : Terrain
        The ground and what stands on it.
    lighting : Lighting
        The lights.
    cell_m : float, optional
        Spacing of the points; by default half of the design's.
    progress : callable
        Is told the share done, 0–1.

    Returns
    -------
    LightProof

    Raises
    ------
    PlanError
        The lights do not belong to the site.
    """
    rules = site.lighting
    assert rules is not None
    relief = relief_of(terrain)
    size = rules.poles.cell_m / FINER if cell_m is None else cell_m
    lamps = lamps_of(rules, relief, lighting)
    cells = proof_cells(site, size)
    found: dict[tuple[object, ...], tuple[Meters, Lux]] = {}
    claims: list[Claim] = []
    tables = []
    pole_names = tuple(str(name) for name in lighting.poles["pole_id"])
    for number, requirement in enumerate(rules.requirements):
        key = (requirement.where, requirement.plane, requirement.facing, requirement.height_m)
        if key not in found:
            meters = requirement_meters(site, relief, cells, requirement)
            found[key] = meters, light_on(relief, lamps, meters)
        meters, lux = found[key]
        whole = requirement.where in {area.name for area in site.areas}
        claims += _requirement_claims(
            site, requirement, meters, lux, lamps, pole_names, size, whole
        )
        tables.append(_table(requirement.name, meters, lux))
        progress((number + 1) / (len(rules.requirements) + 1))
    claims += [limit_claim(site, relief, limit, lamps, size) for limit in rules.limits]
    claims += exclusion_claims(site, lighting)
    progress(1.0)
    return LightProof(tuple(claims), pd.concat(tables, ignore_index=True), size)


def _table(name: str, meters: Meters, lux: Lux) -> pd.DataFrame:
    columns = {"x": meters.x, "y": meters.y, "s": meters.s, "t": meters.t}
    columns |= {"lux": lux.sure, "unknown_lx": lux.open}
    columns |= {"pole_lx": lux.pole, "feeder_lx": lux.feeder}
    table = pd.DataFrame(columns)
    table.insert(0, "requirement", name)
    return table


def _requirement_claims(
    site: Site,
    requirement: LightRequirement,
    meters: Meters,
    lux: Lux,
    lamps: tuple[Lamp, ...],
    poles: tuple[str, ...],
    size: float,
    whole: bool,
) -> list[Claim]:
    claims = []
    method = METHOD.format(cell=size, reach=REACH_M)

    def claim(
        tail: str,
        kind: str,
        figure: FloatArray,
        most: FloatArray,
        target: float,
        at: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
        words: str,
        why: Callable[[int], str],
        unit: str = "lx",
        binding: bool = True,
        width: float = size,
    ) -> None:
        """One claim that a figure is at least a target everywhere."""
        x, y, s, t = at
        if not figure.size:
            claims.append(_nothing(requirement, tail, target, unit, binding, method))
            return
        worst = int(np.argmin(figure))
        verdict: Verdict = "holds"
        if figure[worst] < target:
            verdict = "fails" if (most < target).any() else "unknown"
        place = float(x[worst]), float(y[worst]), float(s[worst]), float(t[worst])
        bad = figure < target
        detail = (
            f"{words}: {figure[worst]:.3g} {unit if unit == 'lx' else ''}".rstrip()
            + f" at least, asked {target:.3g}; {int(bad.sum()):,} of {figure.size:,} fall short"
        )
        claims.append(
            Claim(
                requirement=requirement.name + tail,
                kind=kind,  # type: ignore[arg-type]
                where=requirement.where,
                condition=NIGHT,
                verdict=verdict,
                value=float(figure[worst]),
                lower=float(figure[worst]),
                upper=float(most.min()),
                target=target,
                binding=binding and requirement.binding,
                witness=Witness(*place, float(figure[worst]), why(worst)),
                cells=int(figure.size),
                failing_chainages=stretches(s[bad], width),
                method=method,
                detail=detail,
                unit=unit,
            )
        )

    at = meters.x, meters.y, meters.s, meters.t
    sure, most = lux.sure, lux.sure + lux.open

    def darkness(k: int) -> str:
        if np.isinf(lux.open[k]):
            return "unknown ground: no terrain data here"
        pole = poles[lux.which_pole[k]] if lux.which_pole[k] >= 0 else "none"
        return f"{lux.sure[k]:.3g} lx in all, most of it ({lux.pole[k]:.3g} lx) from {pole}"

    if requirement.minimum_lx:
        target = requirement.minimum_lx
        claim(": minimum", "light", sure, most, target, at, "least illuminance", darkness)
        for group, part, which, names in (
            ("pole", lux.pole, lux.which_pole, poles),
            ("feeder", lux.feeder, lux.which_feeder, None),
        ):

            def lost(k: int, which=which, names=names, group=group) -> str:  # noqa: ANN001
                name = which[k] + 1 if names is None else names[which[k]] if which[k] >= 0 else ""
                return f"with {group} {name} out"

            claim(
                f": minimum, any one {group} out",
                "light_loss",
                np.maximum(sure - part, 0.0),
                np.maximum(most - part, 0.0),
                target,
                at,
                f"least illuminance when any one {group} is out",
                lost,
                binding=requirement.survive == group,
            )
    if requirement.average_lx or requirement.uniformity:
        number, middle = _stretch_of(site, requirement, meters, whole)
        count = np.bincount(number)
        means = np.bincount(number, weights=sure) / count
        means_most = np.bincount(number, weights=np.minimum(most, 1e9)) / count
        first = np.array([int(np.flatnonzero(number == k)[0]) for k in range(count.size)])
        places = meters.x[first], meters.y[first], middle, meters.t[first]
        width = requirement.stretch_m
        if requirement.average_lx:
            claim(
                ": mean",
                "light",
                means,
                means_most,
                requirement.average_lx,
                places,
                f"least mean of a stretch of {width:g} m" if not whole else "mean",
                lambda k: f"mean of the stretch round s = {middle[k]:.0f} m",
                width=width,
            )
        if requirement.uniformity:
            far = _far_lux(lamps, meters)
            high = np.bincount(number, weights=most + far) / count
            low = _least_by(number, sure, count.size)
            low_most = _least_by(number, most + far, count.size)
            claim(
                ": uniformity",
                "light",
                np.divide(low, high, out=np.zeros_like(low), where=high > 0),
                np.divide(low_most, means, out=np.zeros_like(low), where=means > 0),
                requirement.uniformity,
                places,
                f"least over mean of a stretch of {width:g} m" if not whole else "least over mean",
                lambda k: f"{low[k]:.3g} lx least, {high[k]:.3g} lx mean",
                unit="ratio",
                width=width,
            )
    return claims


def _nothing(
    requirement: LightRequirement, tail: str, target: float, unit: str, binding: bool, method: str
) -> Claim:
    return Claim(
        requirement.name + tail,
        "light",
        requirement.where,
        NIGHT,
        "unknown",
        0.0,
        0.0,
        0.0,
        target,
        binding and requirement.binding,
        None,
        0,
        (),
        method,
        f"'{requirement.where}' holds no point",
        unit,
    )


def _stretch_of(
    site: Site, requirement: LightRequirement, meters: Meters, whole: bool
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Stretch of each receiver, and the chainage of each stretch's middle."""
    number = np.zeros(meters.s.size, dtype=np.int64)
    if not whole:
        start = site.zone.start_m
        last = max(0, round((meters.s.max() - start) / requirement.stretch_m) - 1)
        number = np.minimum((meters.s - start) // requirement.stretch_m, last).astype(np.int64)
        number = np.unique(number, return_inverse=True)[1]
    return number, np.bincount(number, weights=meters.s) / np.bincount(number)


def _least_by(number: npt.NDArray[np.int64], values: FloatArray, count: int) -> FloatArray:
    least = np.full(count, np.inf)
    np.minimum.at(least, number, values)
    return least


def _far_lux(lamps: tuple[Lamp, ...], meters: Meters) -> FloatArray:
    """What lights beyond the reach add at most, as if nothing stood in between [lx]."""
    total = np.zeros(meters.x.size)
    for lamp in lamps:
        total += unblocked_lux(lamp.luminaire, meters, slice(None), beyond_m=REACH_M)
    return total
