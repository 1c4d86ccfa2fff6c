"""What lights add at few places from any distance, for limits: every pair is traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from watchline.physics.luminaires import aimed_intensity_cd
from watchline.prove.heights import Relief
from watchline.prove.light import LEAST_LX, Lamp, Meters, clear_rays
from watchline.prove.scene import build_scene

FloatArray = npt.NDArray[np.float64]
Weight = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
NEAR_M = 1000.0
"""Shadows are traced up to here; farther lights count as if nothing stood in between."""
PIECE_M = 1000.0


def head_on(
    relief: Relief, lamps: Sequence[Lamp], meters: Meters, weight: Weight
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Sum ``I/d² · weight`` of all lamps at places.

    Parameters
    ----------
    relief : Relief
        The terrain.
    lamps : sequence of Lamp
        The lights, as they count.
    meters : Meters
        The places, in order of chainage.
    weight : callable
        Of the vectors to a lamp [n, 3], their lengths and the places' normals.

    Returns
    -------
    sure, most : float64 array [n]
        By rays that are surely clear, and with those that may be.
    which : int64 array [n]
        The lamp that adds most.
    """
    count = meters.x.size
    sure, most, top = np.zeros(count), np.zeros(count), np.zeros(count)
    which = np.zeros(count, dtype=np.int64)
    edges = np.arange(meters.s[0], meters.s[-1] + PIECE_M, PIECE_M) if count else np.zeros(0)
    bounds = [*np.searchsorted(meters.s, edges).tolist(), count]
    for first, last in pairwise(bounds):
        if first == last:
            continue
        place = np.stack([a[first:last] for a in (meters.x, meters.y, meters.z)], axis=1)
        level = [
            np.hypot(place[:, 0] - one.luminaire.x, place[:, 1] - one.luminaire.y) for one in lamps
        ]
        near = [k for k, away in enumerate(level) if away.min() <= NEAR_M]
        scene = None
        if near:
            hull_x = np.concatenate([place[:, 0], [lamps[k].luminaire.x for k in near]])
            hull_y = np.concatenate([place[:, 1], [lamps[k].luminaire.y for k in near]])
            scene = build_scene(relief, hull_x, hull_y)
        for k, lamp in enumerate(lamps):
            one = lamp.luminaire
            away = np.array([one.x, one.y, one.z]) - place
            distance = np.sqrt((away**2).sum(axis=1))
            light = aimed_intensity_cd(one, np.nan_to_num(-away)) / distance**2
            light = np.nan_to_num(light * weight(away, distance, meters.normals[first:last]))
            clear = np.zeros(last - first, dtype=bool)
            blocked = np.zeros(last - first, dtype=bool)
            at = np.flatnonzero((light > LEAST_LX) & (level[k] <= NEAR_M))
            if scene is not None and at.size:
                free, unknown = clear_rays(scene, one, *place[at].T)
                clear[at] = free & ~unknown
                blocked[at] = ~free & ~unknown
            sure[first:last] += np.where(clear, light, 0.0)
            given = np.where(blocked, 0.0, light)
            most[first:last] += given
            more = given > top[first:last]
            top[first:last] = np.where(more, given, top[first:last])
            which[first:last] = np.where(more, k, which[first:last])
    return sure, most, which
