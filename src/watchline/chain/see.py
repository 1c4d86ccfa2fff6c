"""What is seen from one place or from many, from raster to raster."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from watchline.errors import UsageError
from watchline.io.places import read_places
from watchline.io.viewshed import (
    UNKNOWN,
    Band,
    Surroundings,
    read_crs,
    read_surroundings,
    seen_values,
    write_bands,
)
from watchline.kernels.device import choose_device
from watchline.tools import (
    SightError,
    cumulative_viewshed,
    sight_error,
    skyline,
    viewshed,
    visibility_probability,
)
from watchline.tools.horizon import AGAINST_SKY, BACKGROUND_UNKNOWN
from watchline.version import __version__

Place = tuple[float, float, float]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Wish:
    """What is asked of ``watchline see``, beside the rasters and the observers.

    Attributes
    ----------
    target_heights_m : tuple of float
        Heights of the target; with `skyline`, of the eye of who looks at the mount.
    range_m : float
        Largest distance, m.
    curvature : bool
        Whether the Earth is round.
    refraction : float
        Refraction coefficient.
    method : {"exact", "fan"}
        How sight is computed.
    spacing : float
        Gap between the fan's rays, in cells.
    skyline : bool
        Ask from where the place is seen, and before what.
    terrain_sigma_m, correlation_m, sway_m : float or None
        Uncertainty of terrain and mast; None where not asked for.
    realisations : int
        Terrains to draw.
    sample : int
        Rays on which the fan's error is measured.
    seed : int
        Seed of all that is drawn.
    device : {"cpu", "gpu", "auto"}
        Where the viewshed of one place is computed; everything else runs on the processor.
    """

    target_heights_m: tuple[float, ...] = (1.7,)
    range_m: float = 5_000.0
    curvature: bool = True
    refraction: float = 0.13
    method: str = "exact"
    spacing: float = 0.5
    skyline: bool = False
    terrain_sigma_m: float | None = None
    correlation_m: float | None = None
    sway_m: float | None = None
    realisations: int = 100
    sample: int = 20_000
    seed: int = 0
    device: str = "cpu"

    @property
    def probable(self) -> bool:
        """Whether a probability is asked for."""
        return self.terrain_sigma_m is not None or self.sway_m is not None


def parse_observer(text: str) -> Place:
    """Observer from ``x,y,h``.

    Raises
    ------
    UsageError
        Not three numbers.
    """
    try:
        x, y, h = (float(part) for part in text.split(","))
        if not np.isfinite([x, y, h]).all():
            raise ValueError
    except ValueError:
        raise UsageError(
            f"'{text}' is no place",
            where="--at",
            mend="write x,y,h: coordinates and height above ground in m, e.g. 620000,3457800,12",
        ) from None
    return x, y, h


def see_raster(
    dem: Path,
    at: Sequence[str],
    to: Path,
    wish: Wish,
    *,
    at_file: Path | None = None,
    surface: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute what is seen from one place or many and write it as a COG.

    Parameters
    ----------
    dem : Path
        Raster of the ground.
    at : sequence of str
        Observers as ``x,y,h``.
    to : Path
        File to write.
    wish : Wish
        What is asked.
    at_file : Path, optional
        File of more observers.
    surface : Path, optional
        Raster of what blocks; by default the ground itself.
    progress : callable, optional
        Is told the share that is done.

    Returns
    -------
    dict
        Counts of cells, the fan's error where the fan was used, and the file written.

    Raises
    ------
    WatchlineError
        A file or an argument is wrong.
    """
    _check(wish)
    places = [parse_observer(text) for text in at]
    if at_file is not None:
        places += read_places(at_file, read_crs(dem))
    if not places:
        raise UsageError("no observer", where="--at", mend="give --at x,y,h or --at-file FILE")
    if wish.device == "gpu" and (len(places) > 1 or wish.skyline or wish.probable):
        raise UsageError(
            "a GPU computes the viewshed of one place only",
            where="--device",
            mend='give one --at without --skyline and --terrain-sigma, or choose "cpu"',
        )
    choose_device(wish.device)
    alone = "--skyline" if wish.skyline else "--terrain-sigma" if wish.probable else ""
    if alone and len(places) > 1:
        raise UsageError(
            f"{alone} takes one place, not {len(places)}", mend="give one --at, or leave it out"
        )
    near = read_surroundings(dem, [(x, y) for x, y, _ in places], wish.range_m, surface)
    bands, nodata, found = _compute(near, places, wish, progress)
    error = _measure(near, places, wish)
    kind = _kind(places, wish)
    result = {
        "file": str(to),
        "kind": kind,
        "method": "fan" if wish.probable else wish.method,
        "observers": len(places),
        "range_m": wish.range_m,
        "target_height_m": wish.target_heights_m[0],
        "target_heights_m": list(wish.target_heights_m),
        "cell_m": near.cell_m,
        **{name: found[0][name] for name in ("seen", "seen_m2", "unknown")},
        "bands": found,
        "error": None if error is None else error.as_dict(),
        "error_sentence": None if error is None else error.sentence,
    }
    write_bands(
        bands, near.transform, near.crs, to, nodata=nodata, tags=_tags(result, places, wish)
    )
    return result


def _check(wish: Wish) -> None:
    if wish.skyline and wish.probable:
        raise UsageError("--skyline and --terrain-sigma do not go together", mend="choose one")
    if wish.skyline and len(wish.target_heights_m) > 1:
        raise UsageError(
            "--skyline takes one height of the eye", where="--target-height", mend="give one"
        )
    if (wish.terrain_sigma_m is None) != (wish.correlation_m is None):
        raise UsageError(
            "--terrain-sigma and --correlation belong together",
            mend="give both in m, e.g. --terrain-sigma 2 --correlation 300",
        )
    if wish.method not in ("exact", "fan"):
        raise UsageError(f"'{wish.method}' is no method", where="--method", mend="exact or fan")


def _kind(places: Sequence[Place], wish: Wish) -> str:
    if wish.skyline:
        return "skyline"
    if wish.probable:
        return "probability"
    return "viewshed" if len(places) == 1 else "cumulative viewshed"


def _compute(
    near: Surroundings, places: Sequence[Place], wish: Wish, progress: Progress | None
) -> tuple[list[Band], float | None, list[dict[str, Any]]]:
    """Bands to write, their no-data value, and what is in them, height by height."""
    bands: list[Band] = []
    found: list[dict[str, Any]] = []
    nodata: float | None = UNKNOWN
    for number, height in enumerate(wish.target_heights_m):
        if wish.skyline:
            made, summary = _skyline(near, places[0], height, wish)
        elif wish.probable:
            made, summary = _probability(near, places[0], height, wish)
            nodata = float("nan")
        elif len(places) == 1:
            made, summary = _viewshed(near, places[0], height, wish)
        else:
            done = None if progress is None else _part(progress, number, wish)
            made, summary = _cumulative(near, places, height, wish, done)
            nodata = None
        bands += made
        found.append(summary)
    return bands, nodata, found


def _basis(near: Surroundings, wish: Wish) -> dict[str, Any]:
    """Arguments that all tools share."""
    return {
        "surface": near.surface,
        "transform": near.transform,
        "max_range": wish.range_m,
        "curvature": wish.curvature,
        "refraction": wish.refraction,
        "ground": near.ground,
        "spacing": wish.spacing,
    }


def _viewshed(
    near: Surroundings, place: Place, height: float, wish: Wish
) -> tuple[list[Band], dict[str, Any]]:
    seen = viewshed(
        observer_xyh=place,
        target_height=height,
        method=wish.method,
        device=wish.device,
        **_basis(near, wish),
    )
    summary = _summary(height, near, np.ma.filled(seen, False), np.ma.getmaskarray(seen))
    return [Band(f"seen, target {height:g} m", seen_values(seen))], summary


def _cumulative(
    near: Surroundings,
    places: Sequence[Place],
    height: float,
    wish: Wish,
    progress: Progress | None,
) -> tuple[list[Band], dict[str, Any]]:
    counts = cumulative_viewshed(
        observers=places,
        target_height=height,
        method=wish.method,
        progress=progress,
        **_basis(near, wish),
    )
    bands = [
        Band(f"observers that see it, target {height:g} m", counts.seen),
        Band(f"observers of which it is unknown, target {height:g} m", counts.unknown),
    ]
    lost = (counts.seen == 0) & (counts.unknown > 0)
    summary = _summary(height, near, counts.seen > 0, lost)
    return bands, summary | {"most_observers": int(counts.seen.max())}


def _skyline(
    near: Surroundings, place: Place, height: float, wish: Wish
) -> tuple[list[Band], dict[str, Any]]:
    made = skyline(mount_xyh=place, eye_height=height, method=wish.method, **_basis(near, wish))
    unknown = np.ma.getmaskarray(made)
    values = np.where(unknown, np.uint8(UNKNOWN), made.data)
    name = f"seen from: 1 against terrain, 2 against sky, 3 background unknown; eye {height:g} m"
    summary = _summary(height, near, (made.data > 0) & ~unknown, unknown)
    return [Band(name, values)], summary | {
        "against_sky": int((values == AGAINST_SKY).sum()),
        "background_unknown": int((values == BACKGROUND_UNKNOWN).sum()),
    }


def _probability(
    near: Surroundings, place: Place, height: float, wish: Wish
) -> tuple[list[Band], dict[str, Any]]:
    share = visibility_probability(
        observer_xyh=place,
        target_height=height,
        terrain_sigma=wish.terrain_sigma_m or 0.0,
        correlation_length=wish.correlation_m or 0.0,
        sway=wish.sway_m or 0.0,
        realisations=wish.realisations,
        seed=wish.seed,
        **_basis(near, wish),
    )
    expected = float(np.nansum(share, dtype=np.float64)) * near.cell_m**2
    summary = _summary(height, near, share >= 0.5, np.isnan(share))
    name = f"probability that it is seen, target {height:g} m"
    return [Band(name, share)], summary | {"expected_m2": expected}


def _part(progress: Progress, done: int, wish: Wish) -> Progress:
    """Progress of one target height among several."""
    return lambda share: progress((done + share) / len(wish.target_heights_m))


def _summary(
    height: float, near: Surroundings, seen: np.ndarray, unknown: np.ndarray
) -> dict[str, Any]:
    count = int(seen.sum())
    return {
        "target_height_m": height,
        "seen": count,
        "seen_m2": count * near.cell_m**2,
        "unknown": int(unknown.sum()),
    }


def _measure(near: Surroundings, places: Sequence[Place], wish: Wish) -> SightError | None:
    """The fan's error on this terrain, where the fan is used."""
    if wish.method != "fan" and not wish.probable:
        return None
    return sight_error(
        near.surface,
        near.transform,
        places,
        wish.target_heights_m,
        wish.range_m,
        wish.curvature,
        wish.refraction,
        ground=near.ground,
        spacing=wish.spacing,
        sample=wish.sample,
        seed=wish.seed,
    )


def _tags(result: dict[str, Any], places: Sequence[Place], wish: Wish) -> dict[str, str]:
    """What a reader of the raster must know, as text."""
    tags = {
        "WATCHLINE_VERSION": __version__,
        "WATCHLINE_KIND": result["kind"],
        "WATCHLINE_METHOD": result["method"],
        "WATCHLINE_RANGE_M": f"{wish.range_m:g}",
        "WATCHLINE_REFRACTION": f"{wish.refraction:g}" if wish.curvature else "flat Earth",
        "WATCHLINE_OBSERVERS": str(len(places)),
    }
    if len(places) == 1:
        tags["WATCHLINE_AT"] = ",".join(f"{value:.12g}" for value in places[0])
    if result["error"] is not None:
        tags["WATCHLINE_SPACING"] = f"{wish.spacing:g}"
        tags["WATCHLINE_ERROR"] = result["error_sentence"]
        tags["WATCHLINE_ERROR_JSON"] = json.dumps(result["error"])
    if wish.probable:
        tags["WATCHLINE_TERRAIN_SIGMA_M"] = f"{wish.terrain_sigma_m or 0:g}"
        tags["WATCHLINE_CORRELATION_M"] = f"{wish.correlation_m or 0:g}"
        tags["WATCHLINE_SWAY_M"] = f"{wish.sway_m or 0:g}"
        tags["WATCHLINE_REALISATIONS"] = str(wish.realisations)
        tags["WATCHLINE_SEED"] = str(wish.seed)
    return tags
