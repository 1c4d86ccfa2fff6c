"""How likely a cell is seen when the terrain model is uncertain and the mast sways."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels import REFRACTION_COEFFICIENT, make_grid
from watchline.kernels.error_field import (
    ErrorFields,
    coarse_shape,
    coarse_step,
    draw_error_fields,
    interpolate_error,
)
from watchline.kernels.probability import LOST, count_realisations
from watchline.tools.scene import Scene, check_height, read_scene

FIELD_BYTES = 256e6
"""Room for the errors of the realisations that are swept together; the rest waits its turn."""

_SWAY_STREAM = 1 << 40  # sway draws from another stream than the fields


def visibility_probability(
    surface: ArrayLike,
    transform: Sequence[float],
    observer_xyh: tuple[float, float, float],
    target_height: float,
    max_range: float,
    *,
    terrain_sigma: float,
    correlation_length: float,
    sway: float = 0.0,
    realisations: int = 100,
    seed: int = 0,
    curvature: bool = True,
    refraction: float = REFRACTION_COEFFICIENT,
    ground: ArrayLike | None = None,
    spacing: float = 0.5,
) -> NDArray[np.float32]:
    """Return how likely an observer sees each cell, given what is not known of the terrain.

    The terrain's error is a Gaussian random field with the correlation exp(-(d/ℓ)²) at the
    distance d. Ground and surface share it: under an observer or a target that stands on ground
    too low in the model, the ground rises with the surface beside it. One sweep of the fan serves
    all realisations.

    Parameters
    ----------
    surface, transform, observer_xyh, target_height, max_range, curvature, refraction, ground
        As in :func:`watchline.viewshed`.
    terrain_sigma : float
        Standard deviation of the terrain's error [m]. Accuracy statements often give the error
        at 90 % (divide it by 1.645) or at 95 % (by 1.960).
    correlation_length : float
        Distance ℓ at which the error's correlation is 1/e [m]; a "practical range" is √3·ℓ.
    sway : float
        Standard deviation of the head's horizontal movement, in each of two directions [m]; at
        most half a cell.
    realisations : int
        How many terrains are drawn. The share p has the standard error √(p(1 - p)/n): at most
        0.05 for 100.
    seed : int
        Seed; the same seed gives the same terrains.
    spacing : float
        Largest gap between the fan's rays, in cells, above 0 and at most 1.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Share of the realisations in which the cell is seen; 0 beyond `max_range`, NaN where
        unknown: no data in the cell or under the ray.

    Raises
    ------
    TerrainError
        If the grid is not square and north up, or the observer stands outside it or on no data.
    UsageError
        If arguments have the wrong shape or are out of bounds.

    Examples
    --------
    A wall of 10 m halfway, and the sight line to the target just touches it:

    >>> import numpy as np
    >>> wall = np.zeros((61, 61))
    >>> wall[:, 30] = 10
    >>> seen = visibility_probability(
    ...     wall, (1, 0, 0, 0, -1, 61), (0.5, 30.5, 10), 10, 100,
    ...     terrain_sigma=0.1, correlation_length=4, realisations=2000, curvature=False)
    >>> float(seen[30, 60].round(1)), float(seen[30, 20])
    (0.5, 1.0)
    """
    _check(terrain_sigma, correlation_length, sway, realisations, spacing)
    head = check_height(target_height)
    scene = read_scene(surface, transform, observer_xyh, max_range, curvature, refraction, ground)
    if sway > scene.grid.cell_m / 2:
        raise UsageError(
            f"sway = {sway} m is more than half a cell of {scene.grid.cell_m} m",
            mend="take coarser terrain: sideways movement is only left out below that",
        )
    seen = np.zeros(scene.grid.surface_m.shape, dtype=np.int32)
    at_once = _at_once(scene, correlation_length, realisations)
    for begin in range(0, realisations, at_once):
        some = range(begin, min(begin + at_once, realisations))
        fields = draw_error_fields(
            scene.grid.surface_m.shape,
            scene.grid.cell_m,
            float(terrain_sigma),
            float(correlation_length),
            some,
            seed,
        )
        swayed = np.stack(
            [
                np.random.default_rng([seed, _SWAY_STREAM, number]).normal(0.0, 1.0, 2)
                for number in some
            ]
        )
        seen += _count(scene, fields, float(sway) * swayed, head, float(max_range), spacing)
    result = np.zeros(scene.shape, dtype=np.float32)
    result[scene.window] = np.where(seen < 0, np.nan, seen / np.float32(realisations))
    return result


def _count(
    scene: Scene,
    fields: ErrorFields,
    sway_m: NDArray[np.float64],
    head: float,
    reach: float,
    spacing: float,
) -> NDArray[np.int32]:
    row, col = scene.node
    foot = scene.ground_m + interpolate_error(fields, np.array([row]), np.array([col]))[0]
    grid = make_grid(scene.grid.surface_m, *scene.grid[1:])
    counts = count_realisations(
        grid,
        scene.stand_m,
        (scene.x_m, scene.y_m),
        foot + scene.height_m,
        head,
        reach,
        fields,
        sway_m,
        spacing,
    )
    # Unknown is unknown in every realisation: far below zero, whatever the others add.
    return np.where(counts == LOST, np.int32(-(1 << 24)), counts)


def _at_once(scene: Scene, correlation_length: float, realisations: int) -> int:
    """How many realisations fit into the room for them, a multiple of 16 where not all do."""
    shape = scene.grid.surface_m.shape
    rows, cols = coarse_shape(shape, coarse_step(correlation_length, scene.grid.cell_m))
    fit = int(FIELD_BYTES / (rows * cols * 4.0))
    return min(realisations, max(fit // 16 * 16, 16))


def _check(sigma: float, length: float, sway: float, realisations: int, spacing: float) -> None:
    for name, value in (
        ("terrain_sigma", sigma),
        ("correlation_length", length),
        ("sway", sway),
    ):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{name} = {value}", mend="pass metres, at least 0")
    if realisations != int(realisations) or not 1 <= realisations <= 10_000:
        raise UsageError(f"realisations = {realisations}", mend="draw 1 to 10,000 terrains")
    if not 0 < spacing <= 1:
        raise UsageError(f"spacing = {spacing}", mend="pass a spacing above 0 and at most 1 cell")
