"""Which luminaires a block of receivers may leave out, with a proven bound on the error.

A luminaire adds at most I·cos/d² to any receiver of a block, with I the highest intensity in the
cone that holds the block, d the least distance to the block's box, and cos the largest cosine that
any of the block's normals can make with a direction from the box to the lamp. Shadows only take
away. Luminaires are left out in the order of these bounds as long as their sum stays within what
is allowed.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from watchline.kernels.light_table import DEGREE, cone_intensity

SLACK = 1.0 + 1e-9  # rounding of a bound


@njit(cache=True)
def block_box(points, normals, heights, begin, end):
    """Box, mean normals and their spread of receivers begin ≤ i < end.

    Returns
    -------
    middle, half : ndarray, shape (3,)
        Of the box that holds every receiver at every height [m].
    mean : ndarray, shape (kinds, 3)
        Mean normal of each kind of receiver.
    spread : ndarray, shape (kinds,)
        Largest distance of a normal from the mean.
    """
    x, y, z = points
    kinds = heights.size
    low = np.full(3, np.inf)
    high = np.full(3, -np.inf)
    mean = np.zeros((kinds, 3))
    spread = np.zeros(kinds)
    for i in range(begin, end):
        low[0], high[0] = min(low[0], x[i]), max(high[0], x[i])
        low[1], high[1] = min(low[1], y[i]), max(high[1], y[i])
        if not np.isnan(z[i]):
            low[2] = min(low[2], z[i] + heights.min())
            high[2] = max(high[2], z[i] + heights.max())
        for k in range(kinds):
            for axis in range(3):
                mean[k, axis] += normals[i, k, axis] / (end - begin)
    for i in range(begin, end):
        for k in range(kinds):
            away = 0.0
            for axis in range(3):
                away += (normals[i, k, axis] - mean[k, axis]) ** 2
            spread[k] = max(spread[k], math.sqrt(away))
    if low[2] > high[2]:  # all unknown: nothing is summed there
        low[2] = high[2] = 0.0
    return (low + high) / 2, (high - low) / 2, mean, spread


@njit(cache=True)
def most_lx(lights, which, box, extinction, out):
    """Write the most that one luminaire can add to each kind of receiver in a box [lx]."""
    x, y, z, frame, table, scale, tables = lights
    middle, half, mean, spread = box
    away = (x[which] - middle[0], y[which] - middle[1], z[which] - middle[2])
    near2 = far2 = 0.0
    for axis in range(3):
        near2 += max(abs(away[axis]) - half[axis], 0.0) ** 2
        far2 += (abs(away[axis]) + half[axis]) ** 2
    near = math.sqrt(near2)
    if near < 1e-3:
        out[:] = np.inf
        return
    centre = math.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
    radius = math.sqrt(half[0] ** 2 + half[1] ** 2 + half[2] ** 2)
    cone = 180.0 if radius >= centre else math.asin(radius / centre) / DEGREE
    f = frame[which]
    along = np.empty(3)
    for axis in range(3):
        along[axis] = -(f[axis, 0] * away[0] + f[axis, 1] * away[1] + f[axis, 2] * away[2])
    light = cone_intensity(tables, table[which], along[0], along[1], along[2], cone)
    light *= scale[which] * math.exp(-extinction * near) / near2 * SLACK
    for k in range(spread.size):
        reach = 0.0
        for axis in range(3):
            reach += mean[k, axis] * away[axis] + abs(mean[k, axis]) * half[axis]
        cosine = spread[k] + reach / (near if reach > 0.0 else math.sqrt(far2))
        out[k] = light * min(max(cosine, 0.0), 1.0)


@njit(cache=True)
def choose(lights, candidates, box, extinction, allowed, spent):
    """Leave out the luminaires that matter least.

    Parameters
    ----------
    lights : Lights
        All luminaires.
    candidates : ndarray of int64
        Those not left out before, ascending.
    box : tuple
        From :func:`block_box`.
    extinction : float
        Of the air [1/m].
    allowed : float
        Most that may be left out in sum [lx]; 0 keeps all that could add anything.
    spent : ndarray, shape (kinds,)
        What was left out before [lx]; raised by what is left out here.

    Returns
    -------
    ndarray of int64
        Those that remain, ascending.
    """
    kinds = spent.size
    most = np.empty((candidates.size, kinds))
    worst = np.empty(candidates.size)
    for c in range(candidates.size):
        most_lx(lights, candidates[c], box, extinction, most[c])
        worst[c] = most[c].max()
    kept = np.ones(candidates.size, dtype=np.bool_)
    for c in np.argsort(worst):
        fits = True
        for k in range(kinds):
            if most[c, k] > 0.0 and not spent[k] + most[c, k] <= allowed:
                fits = False
        if not fits:
            break
        kept[c] = False
        for k in range(kinds):
            spent[k] += most[c, k]
    return candidates[kept]
