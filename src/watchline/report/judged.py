"""What the proof found at each cell, as pictures show it: classes, failing cells, bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from watchline.model.proof import CELL_FAILS, CELL_GOOD, CELL_NOT_JUDGED, CELL_UNKNOWN, Proof
from watchline.model.site import Site
from watchline.report import palette

UInt8Array = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float64]

MOST_VIEWS_SHOWN = 5
# Quality classes beyond those asked are shown up to this multiple, and this far apart.
MOST_TIMES = 4.0
APART_TIMES = 1.6
# A pixel belongs to the nearest cell if it is hardly farther than the cell's corner.
CELL_REACH = 0.75


@dataclass(frozen=True)
class Layer:
    """One way of colouring the cells.

    Attributes
    ----------
    key : str
        ``views`` or ``px``, ``@`` and the target's height.
    title : str
        Name for people.
    height_m : float
        The target's height; 0 where several are meant.
    labels : tuple of str
        Meaning of class 1, 2, …
    classes : uint8 array [cells]
        Class of each cell; 0 = nothing to show.
    colours : tuple of str
        Colour of class 1, 2, …
    """

    key: str
    title: str
    height_m: float
    labels: tuple[str, ...]
    classes: UInt8Array
    colours: tuple[str, ...]


def target_heights(proof: Proof) -> tuple[float, ...]:
    """Target heights of the proof's cells, tallest first."""
    names = [str(name) for name in proof.cells.columns]
    return tuple(
        sorted({float(n.split("@")[1]) for n in names if n.startswith("views@")}, reverse=True)
    )


def column(cells: pd.DataFrame, name: str, height_m: float) -> FloatArray:
    """Column ``name@<height>`` of the cells as float64, NaN where there is none."""
    for key in cells.columns:
        head, at, tail = str(key).partition("@")
        if at and head == name and float(tail) == height_m:
            return cells[key].to_numpy(dtype=np.float64)
    return np.full(len(cells), np.nan)


def unknown_cells(cells: pd.DataFrame, height_m: float) -> npt.NDArray[np.bool_]:
    """Cells at which the answer is unknown."""
    return np.nan_to_num(column(cells, "unknown", height_m)) > 0


def views_class(views: FloatArray) -> UInt8Array:
    """Class of a number of views: 1 for none, then one class per view up to "5 and more"."""
    return (np.clip(np.nan_to_num(views), 0, MOST_VIEWS_SHOWN) + 1).astype(np.uint8)


def density_class(px_per_m: FloatArray, limits: Sequence[float]) -> UInt8Array:
    """Class of a pixel density: 1 below the first limit, then one more per limit reached."""
    values = np.nan_to_num(px_per_m)
    return (np.searchsorted(np.asarray(limits), values, side="right") + 1).astype(np.uint8)


def worst_state(proof: Proof) -> npt.NDArray[np.int8]:
    """Worst state of each cell under the binding claims that do not hold, else "not judged"."""
    worst = np.full(len(proof.cells), CELL_NOT_JUDGED, dtype=np.int8)
    for claim in proof.claims:
        name = f"state:{claim.requirement}"
        if claim.binding and claim.verdict != "holds" and name in proof.cells:
            state = proof.cells[name].to_numpy()
            worst[(state == CELL_UNKNOWN) & (worst != CELL_FAILS)] = CELL_UNKNOWN
            worst[state == CELL_FAILS] = CELL_FAILS
    return worst


def fill_grid(
    places: FloatArray, sizes: FloatArray, classes: UInt8Array, queries: FloatArray
) -> UInt8Array:
    """Class of the nearest cell at each query, 0 where no cell lies near.

    Parameters
    ----------
    places : float64 array [cells, 2]
        Centres of the cells.
    sizes : float64 array [cells]
        Side of each cell in the same units.
    classes : uint8 array [cells]
        Their classes.
    queries : float64 array [queries, 2]
        Centres of the pixels.
    """
    result = np.zeros(len(queries), dtype=np.uint8)
    if not len(places) or not len(queries):
        return result
    reach = CELL_REACH * float(sizes.max())
    distance, index = cKDTree(places).query(queries, distance_upper_bound=reach)
    near = np.isfinite(distance)
    near[near] = distance[near] <= CELL_REACH * sizes[index[near]]
    result[near] = classes[index[near]]
    return result


def cell_layers(proof: Proof, site: Site | None) -> list[Layer]:
    """Layers of views and of best density, for each target height, tallest first.

    Where more than the day is asked for, a layer for each condition follows.

    Without a site the densities asked are unknown, and the best density is shown in the classes of
    its own quartiles.
    """
    layers = []
    for height in target_heights(proof):
        label = f"target {height:g} m"
        views = column(proof.cells, "views", height)
        layers.append(
            Layer(
                f"views@{height:g}",
                f"Views, {label}",
                height,
                (
                    "no view",
                    *(str(k) for k in range(1, MOST_VIEWS_SHOWN)),
                    f"{MOST_VIEWS_SHOWN}+ views",
                    "unknown",
                ),
                _masked(views_class(views), proof.cells, height, MOST_VIEWS_SHOWN + 2),
                (palette.FAIL, *palette.VIEW_COLOURS, palette.UNKNOWN),
            )
        )
        density = column(proof.cells, "px_per_m", height)
        limits = density_limits(density, site)
        names = [f"{limit:g}" for limit in limits]
        labels = [f"under {names[0]}"]
        labels += [f"{a}–{b}" for a, b in pairwise(names)]
        labels += [f"{names[-1]}+ px/m"]
        layers.append(
            Layer(
                f"px@{height:g}",
                f"Best px/m, {label}",
                height,
                (*labels, "unknown"),
                _masked(density_class(density, limits), proof.cells, height, len(labels) + 1),
                (
                    # Without a site nobody knows whether the lowest class fails anything.
                    palette.FAIL if site is not None else palette.BELOW,
                    *_spaced(palette.DENSITY_COLOURS, len(limits)),
                    palette.UNKNOWN,
                ),
            )
        )
    return layers + condition_layers(proof)


def condition_layers(proof: Proof) -> list[Layer]:
    """For each condition, where what is asked under it is seen; none where only day is asked."""
    names = list(dict.fromkeys(c.condition for c in proof.claims if c.kind == "coverage"))
    if names in ([], ["day"]):
        return []
    return [
        Layer(
            f"condition@{number}",
            f"Under \u2018{name}\u2019",
            0.0,
            ("seen as asked", "not seen as asked", "unknown"),
            _condition_classes(proof, name),
            (palette.VIEW_COLOURS[2], palette.FAIL, palette.UNKNOWN),
        )
        for number, name in enumerate(names)
    ]


def _condition_classes(proof: Proof, condition: str) -> UInt8Array:
    """Worst state of each cell under the binding claims of a condition, as classes from 1 on."""
    classes = np.zeros(len(proof.cells), dtype=np.uint8)
    claims = [c for c in proof.claims if c.kind == "coverage" and c.condition == condition]
    for claim in [c for c in claims if c.binding] or claims:
        state = proof.cells.get(f"state:{claim.requirement}")
        if state is not None:
            found = np.select(
                [state == CELL_FAILS, state == CELL_UNKNOWN, state == CELL_GOOD], [2, 3, 1], 0
            )
            worse = (found == 2) | ((found == 3) & (classes != 2)) | (classes == 0)
            classes[worse] = found[worse]
    return classes


def _masked(
    classes: UInt8Array, cells: pd.DataFrame, height_m: float, unknown_class: int
) -> UInt8Array:
    """Classes where something is asked; unseen for want of data is a class of its own."""
    dark = (classes == 1) & unknown_cells(cells, height_m)
    known = np.where(dark, unknown_class, classes)
    places = [name for name in cells.columns if str(name).startswith("in:")]
    if places:
        known[~cells[places].to_numpy(dtype=bool).any(axis=1)] = 0
    return known.astype(np.uint8)


def density_limits(density: FloatArray, site: Site | None) -> tuple[float, ...]:
    """Densities between the classes: those of the catalogue's qualities from the least asked on."""
    if site is None:
        known = density[np.isfinite(density) & (density > 0)]
        if not known.size:
            return (20.0,)
        return tuple(sorted({float(round(q)) for q in np.percentile(known, [5, 25, 50, 75])}))
    limits = {r.px_per_m for r in site.requirements if r.px_per_m > 0} or {20.0}
    least, most = min(limits), MOST_TIMES * max(limits)
    for quality in sorted(site.catalogue.qualities.values()):
        apart = all(max(quality, q) >= APART_TIMES * min(quality, q) for q in limits)
        if least <= quality <= most and apart and len(limits) < len(palette.DENSITY_COLOURS):
            limits.add(quality)
    return tuple(sorted(limits)[: len(palette.DENSITY_COLOURS)])


def _spaced(colours: tuple[str, ...], count: int) -> tuple[str, ...]:
    """``count`` colours spread over a scale, from its first to its last."""
    if count == 1:
        return (colours[0],)
    return tuple(colours[round(k * (len(colours) - 1) / (count - 1))] for k in range(count))


def failing_layer(proof: Proof) -> Layer:
    """Cells under a binding claim that does not hold: failing, or not known."""
    state = worst_state(proof)
    classes = np.select([state == CELL_FAILS, state == CELL_UNKNOWN], [1, 2], 0)
    return Layer(
        "failing",
        "Failing cells",
        0.0,
        ("fails", "unknown"),
        classes.astype(np.uint8),
        (palette.FAIL, palette.UNKNOWN),
    )


def line_bins(proof: Proof, start_m: float, end_m: float, most: int = 1300) -> dict[str, object]:
    """Worst findings per bin of chainage, for the page's read-out.

    Returns
    -------
    dict
        ``start`` and ``step`` in m, ``ground`` (lowest ground, m) and per target height ``views``
        and ``px`` (the least in the bin); None where no cell lies.
    """
    step = 10.0 * math.ceil((end_m - start_m) / most / 10.0)
    count = max(1, math.ceil((end_m - start_m) / step))
    s = proof.cells["s"].to_numpy(dtype=np.float64)
    inside = np.isfinite(s) & (s >= start_m) & (s <= end_m)
    index = np.clip(((s[inside] - start_m) / step).astype(np.int64), 0, count - 1)

    def least(values: FloatArray, decimals: int) -> list[float | None]:
        found = np.full(count, np.inf)
        np.minimum.at(found, index, np.nan_to_num(values[inside], nan=0.0))
        return [None if not math.isfinite(v) else round(float(v), decimals) for v in found]

    heights = target_heights(proof)
    ground = proof.cells["ground_z"].to_numpy(dtype=np.float64)
    return {
        "start": start_m,
        "step": step,
        "heights": list(heights),
        "ground": least(ground, 1),
        "views": [least(column(proof.cells, "views", h), 0) for h in heights],
        "px": [least(column(proof.cells, "px_per_m", h), 1) for h in heights],
    }
