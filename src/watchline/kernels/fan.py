"""Line of sight by a fan of rays: many observers, heights and targets at once.

Rays leave each observer in four cones. A ray is sampled once on every grid line across its cone's
axis, by one linear interpolation, and once halfway between two lines, by a bilinear one, and keeps
the steepest slope met so far: one horizon a mount height. The number of rays doubles each octave
of range, so that neighbours stay at most `spacing` cells apart; a child takes over three quarters
of its parent's horizon and one of its parent's neighbour's. When the sweep arrives at a target's
grid line, the target is held against the horizons of the two rays that it lies between. As in
:mod:`watchline.kernels.sight`, the own cells of observer and target never block and a ray that
touches sees.

This is a fan after Franklin's R2 (Franklin, Ray and Mehta 1994) with one dial. What it costs to
look between targets is measured against the exact method, not guessed: interpolating between rays
halves the error of taking the nearest, the samples halfway between lines halve it again.

Only directions that lead to a target are walked, and a direction is cut once its rays hide the
highest target that remains from the highest mount: neither changes one bit of the result.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.bits import word_count
from watchline.kernels.grid import Grid, Points
from watchline.kernels.lanes import LANES, sample_between, sample_line
from watchline.kernels.ray import TOUCH_M
from watchline.kernels.sight import RANGE_SLACK, candidates, finite_heights

_BINS = 512  # directions of a cone whose farthest target is known
_NO_HORIZON = -1e30  # finite, so that it can be interpolated
_PAD = LANES + 4  # nodes repeated at both ends of a grid line: lanes may run over
_MORE = 2  # rays walked on either side of those that matter, for interpolation between rays
_CHECK = 16  # grid lines between two looks at which rays still matter


@njit(cache=True)
def _bound(values, begin, end, limit):
    """First index in the sorted values[begin:end] with a value of at least limit."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < limit:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True)
def _plan_cone(
    p0, q0, z0, step, own, steps, reach2, start, tq, line_top, rise, begins, ends, farthest, tops
):
    """Find each line's targets and each direction's last line; return the last line with any.

    `tops` becomes the steepest slope to a target on this line or a later one, seen from the
    highest mount; `rise` is the highest target less the highest mount.
    """
    farthest[:] = -1
    last = -1
    for s in range(steps):
        line = own + step * s
        begins[s] = 0
        ends[s] = 0
        tops[s] = -np.inf
        if start[line] == start[line + 1]:
            continue
        away = (line - p0) * step
        inner = max(away - 0.5, 0.0)
        outer = away + 0.5
        width = min(outer, np.sqrt(max(reach2 - inner * inner, 0.0))) + 1e-6
        begin = _bound(tq, start[line], start[line + 1], q0 - width)
        end = _bound(tq, begin, start[line + 1], q0 + width)
        if begin == end:
            continue
        begins[s] = begin
        ends[s] = end
        last = s
        top = line_top[line] + rise - z0
        if inner > 0.0:
            tops[s] = top / inner if top > 0 else top / outer
            low = tq[begin] - q0
            high = tq[end - 1] - q0
            low /= inner if low < 0 else outer
            high /= outer if high < 0 else inner
            first_bin = max(int((low - 1e-6 + 1.0) * (_BINS // 2)), 0)
            last_bin = min(int((high + 1e-6 + 1.0) * (_BINS // 2)), _BINS - 1)
        else:
            tops[s] = np.inf
            first_bin, last_bin = 0, _BINS - 1
        for b in range(first_bin, last_bin + 1):
            farthest[b] = s
    for s in range(last - 1, -1, -1):
        tops[s] = max(tops[s], tops[s + 1])
    return last


@njit(cache=True)
def _decide(
    begin,
    end,
    p0,
    q0,
    z0,
    step,
    wide,
    rays,
    reach2,
    first,
    last,
    targets,
    order,
    mounts,
    heads,
    horizon,
    holed,
    visible,
    unknown,
):
    """Compare the targets of one line with the horizons of the rays to their left and right."""
    tp, tq, tz = targets
    half = rays / 2
    for i in range(begin, end):
        j = order[i]
        if j < first or j >= last:
            continue
        dp = (tp[i] - p0) * step
        dq = tq[i] - q0
        if dp < 0.0 or abs(dq) > dp or (abs(dq) == dp and not wide):
            continue
        if dp == 0.0 and step < 0:
            continue
        if dp * dp + dq * dq > reach2:
            continue
        word = j // 64
        shift = np.uint64(j % 64)
        slope_per_metre = 1.0 / max(dp, 1e-9)
        place = min(max((dq * slope_per_metre + 1.0) * half - 0.5, 0.0), rays - 1.000001)
        ray = int(place)
        share = place - ray
        if holed[ray if share < 0.5 else ray + 1]:
            for k in range(heads.size):
                unknown[k, word] |= np.uint64(1) << shift
            continue
        for k in range(heads.size):
            top = tz[i] + heads[k] - z0
            for m in range(mounts.size):
                level = horizon[m, ray] * (1.0 - share) + horizon[m, ray + 1] * share
                seen = (top - mounts[m]) * slope_per_metre >= level
                visible[m, k, word] |= np.uint64(seen) << shift


@njit(cache=True)
def _split_rays(horizon, holed, low, high):
    """Give every ray of low … high - 1 two children, in place.

    A child lies a quarter of the way to its parent's neighbour, and takes on that much of it.
    """
    own, other = np.float32(0.75), np.float32(0.25)
    for m in range(horizon.shape[0]):
        row = horizon[m]
        right = row[high - 1]
        for k in range(high - 1, low - 1, -1):
            middle = row[k]
            left = row[max(k - 1, low)]
            row[2 * k + 1] = own * middle + other * right
            row[2 * k] = own * middle + other * left
            right = middle
    for k in range(high - 1, low - 1, -1):
        holed[2 * k + 1] = holed[k]
        holed[2 * k] = holed[k]


@njit(cache=True)
def _cut_rays(s, away, rays, top, best, farthest, horizon):
    """Drop the directions whose rays all hide what remains even from the highest mount.

    Their entry in `farthest` becomes -2 less itself.
    """
    each = rays // _BINS
    # A millimetre and float32 rounding to spare: what is cut must be hidden without the cut, too.
    limit = top + 1e-5 * abs(top) + 2e-3 / away
    for b in range(_BINS):
        if farthest[b] < s:
            continue
        hidden = True
        for k in range(b * each, (b + 1) * each):
            if not horizon[best, k] > limit:
                hidden = False
                break
        if hidden:
            farthest[b] = -2 - farthest[b]


@njit(cache=True)
def _find_runs(s, rays, farthest, runs):
    """List the runs of rays that still matter.

    Returns their number, and the first and last + 1 of the rays that lead to a target, cut or not:
    what was cut hides by the horizon that it had, and so must its children.
    """
    count = 0
    first = _BINS
    last = 0
    for b in range(_BINS):
        if max(farthest[b], -2 - farthest[b]) >= s:
            first = min(first, b)
            last = b + 1
    b = 0
    while b < _BINS:
        if farthest[b] < s:
            b += 1
            continue
        begin = b
        while b < _BINS and farthest[b] >= s:
            b += 1
        low = max(begin * rays // _BINS - _MORE, 0)
        high = min((b * rays + _BINS - 1) // _BINS + _MORE, rays)
        if count > 0 and low <= runs[count - 1, 1]:
            runs[count - 1, 1] = high
        else:
            runs[count, 0] = low
            runs[count, 1] = high
            count += 1
    first = max(first * rays // _BINS - _MORE, 0)
    last = min((last * rays + _BINS - 1) // _BINS + _MORE, rays)
    return count, first, last


@njit(cache=True)
def _raise_horizon(slopes, count, drop, horizon):
    for i in range(count):
        slope = slopes[i] - drop
        horizon[i] = slope if slope > horizon[i] else horizon[i]


@njit(cache=True)
def _sweep_cone(
    flat,
    lines,
    size,
    p0,
    q0,
    z0,
    step,
    wide,
    reach2,
    first,
    last,
    spacing,
    holes,
    cull,
    buckets,
    mounts,
    heads,
    scratch,
    visible,
    unknown,
):
    start, tp, tq, tz, order, line_top = buckets
    horizon, holed, slopes, farthest, runs, begins, ends, tops = scratch
    reach = np.sqrt(reach2)
    own = int(np.floor(p0 + 0.5))
    if step > 0:
        steps = int(min(lines - 1.0, p0 + reach + 1.0)) - own + 1
    else:
        steps = own - int(max(0.0, np.ceil(p0 - reach - 1.0))) + 1
    best = int(np.argmax(mounts))
    rise = heads.max() - mounts[best]
    end = _plan_cone(
        p0, q0, z0, step, own, steps, reach2, start, tq, line_top, rise, begins, ends, farthest,
        tops,
    )  # fmt: skip
    rays = LANES
    horizon[:, :rays] = _NO_HORIZON
    holed[:rays] = False
    base = np.float32(z0 + TOUCH_M)
    width = size + 2 * _PAD
    count, lowest, highest = _find_runs(0, rays, farthest, runs)
    for s in range(end + 1):
        line = own + step * s
        if begins[s] < ends[s]:
            _decide(
                begins[s], ends[s], p0, q0, z0, step, wide, rays, reach2, first, last,
                (tp, tq, tz), order, mounts, heads, horizon, holed, visible, unknown,
            )  # fmt: skip
        if s == 0 or s == end:
            continue
        away = (line - p0) * step
        while 2.0 * away > spacing * rays:
            _split_rays(horizon, holed, lowest, highest)
            rays *= 2
            count, lowest, highest = _find_runs(s, rays, farthest, runs)
        if s % _CHECK == 0:
            if cull and not holes and rays >= _BINS:
                _cut_rays(s, away, rays, tops[s], best, farthest, horizon)
            count, lowest, highest = _find_runs(s, rays, farthest, runs)
            if count == 0 and cull:
                break
        gap = 2.0 * away / rays
        # Rays that have left the raster lead to no target any more.
        left = int(np.ceil((-1.0 - q0 + away) / gap - 0.5))
        right = int(np.floor((size - q0 + away) / gap - 0.5)) + 1
        for r in range(count):
            low = max(runs[r, 0], left)
            many = min(runs[r, 1], right) - low
            if many <= 0:
                continue
            for back in range(2 if s > 1 else 1):
                at = away - 0.5 * back
                gap = 2.0 * at / rays
                place = q0 - at + (low + 0.5) * gap + _PAD
                node = int(np.floor(place))
                place -= node
                node += line * width
                gap, scale = np.float32(gap), np.float32(1.0 / at)
                for i in range(0, many, LANES):
                    if back == 0:
                        sample_line(flat, node, np.float32(place), gap, i, base, scale, slopes)
                    else:
                        sample_between(
                            flat, node, node - step * width, np.float32(place), gap, i, base,
                            scale, slopes,
                        )  # fmt: skip
                for m in range(mounts.size):
                    _raise_horizon(
                        slopes, many, np.float32(mounts[m]) * scale, horizon[m, low : low + many]
                    )
                if holes:
                    for i in range(many):
                        if np.isnan(slopes[i]):
                            holed[low + i] = True


@njit(cache=True, parallel=True)
def _fan_bits(
    flats,
    rows,
    cols,
    cell,
    x0,
    y0,
    ox,
    oy,
    oz,
    mounts,
    tx,
    ty,
    lost,
    by_col,
    by_row,
    heads,
    reach,
    first,
    last,
    spacing,
    holes,
    cull,
    parts,
    visible,
    unknown,
):
    """Fill the planes; `parts` is 4 to share one observer's cones out, else 1."""
    by_col_flat, by_row_flat = flats
    jobs = ox.size * parts
    chunks = min(jobs, 64)
    longest = max(rows, cols)
    for chunk in prange(chunks):
        rays = LANES
        while 2.0 * longest > spacing * rays:
            rays *= 2
        scratch = (
            np.empty((mounts.size, rays), dtype=np.float32),
            np.empty(rays, dtype=np.bool_),
            np.empty(rays + LANES, dtype=np.float32),
            np.empty(_BINS, dtype=np.int64),
            np.empty((_BINS, 2), dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest),
        )
        for job in range(chunk * jobs // chunks, (chunk + 1) * jobs // chunks):
            i = job // parts
            part = job % parts
            col = (ox[i] - x0) / cell
            row = (y0 - oy[i]) / cell
            reach2 = (reach[i] / cell) ** 2 * RANGE_SLACK
            inside = 0.0 <= col <= cols - 1 and 0.0 <= row <= rows - 1
            if np.isnan(oz[i]) or not inside:
                for j in range(first[i], last[i]):
                    _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
                continue
            for j in lost:
                if first[i] <= j < last[i]:
                    _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
            for cone in range(4):
                if parts > 1 and cone != part:
                    continue
                step = 1 if cone % 2 == 0 else -1
                if cone < 2:
                    _sweep_cone(
                        by_col_flat, cols, rows, col, row, oz[i], step, True, reach2,
                        first[i], last[i], spacing, holes, cull, by_col, mounts, heads, scratch,
                        visible[i, part], unknown[i, part],
                    )  # fmt: skip
                else:
                    _sweep_cone(
                        by_row_flat, rows, cols, row, col, oz[i], step, False, reach2,
                        first[i], last[i], spacing, holes, cull, by_row, mounts, heads, scratch,
                        visible[i, part], unknown[i, part],
                    )  # fmt: skip


@njit(cache=True)
def _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown):
    """Set a target without a ray unknown if it is in range."""
    dp = (tx[j] - x0) / cell - col
    dq = (y0 - ty[j]) / cell - row
    if dp * dp + dq * dq <= reach2:
        for k in range(unknown.shape[0]):
            unknown[k, j // 64] |= np.uint64(1) << np.uint64(j % 64)


def _bucket(found, p, q, z, lines):
    """Sort the targets `found` by the grid line nearest to them, then along it.

    Returns start (lines + 1), p, q, z, original index, and the highest z of each line.
    """
    line = np.floor(p[found] + 0.5).astype(np.int64)
    sort = np.lexsort((q[found], line))
    order, line = found[sort], line[sort]
    line_top = np.full(lines, -np.inf)
    np.maximum.at(line_top, line, z[order])
    start = np.searchsorted(line, np.arange(lines + 1))
    return start, p[order], q[order], z[order], order, line_top


def fan_bits(
    grid: Grid,
    observers: Points,
    mount_heights_m: ArrayLike,
    targets: Points,
    target_heights_m: ArrayLike,
    max_range_m: ArrayLike = np.inf,
    *,
    spacing: float = 0.5,
    first_target: ArrayLike | None = None,
    last_target: ArrayLike | None = None,
    cull: bool = True,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Tell which observer sees which target, by a fan of rays.

    Parameters
    ----------
    grid, observers, mount_heights_m, targets, target_heights_m, max_range_m
        As in :func:`watchline.kernels.sight.sight_bits`.
    spacing : float
        Largest gap between neighbouring rays, in cells, above 0 and at most 1: 1 is for work on
        screen, 0.5 for design, 0.25 for surfaces with buildings.
    first_target, last_target : int or array_like of int, shape (n,), optional
        Only targets first ≤ j < last are looked at.
    cull : bool
        Whether rays that hide all that remains are cut; the result is the same to the bit.

    Returns
    -------
    visible : ndarray of uint64, shape (n, h, k, words)
        As :func:`watchline.kernels.sight.sight_bits`.
    unknown : ndarray of uint64, shape (n, k, words)
        The rays through unknown ground.

    Raises
    ------
    UsageError
        If shapes do not go together, or a height, range or spacing is out of bounds.
    """
    if not 0 < spacing <= 1:
        raise UsageError(f"spacing = {spacing}", mend="pass a spacing above 0 and at most 1 cell")
    mounts = finite_heights(mount_heights_m, "mount_heights_m")
    heads = finite_heights(target_heights_m, "target_heights_m")
    reach, first, last = candidates(observers, targets, max_range_m, first_target, last_target)
    surface = grid.surface_m
    rows, cols = surface.shape
    # Relative to the middle of the heights, float32 rounds by less than 0.1 mm within ± 1 km.
    level = np.nanmean(surface) if not np.isnan(surface).all() else 0.0
    relative = (surface - level).astype(np.float32)
    ends = ((0, 0), (_PAD, _PAD))
    flats = (
        np.pad(relative.T, ends, mode="edge").ravel(),
        np.pad(relative, ends, mode="edge").ravel(),
    )
    col = (targets.x_m - grid.x0_m) / grid.cell_m
    row = (grid.y0_m - targets.y_m) / grid.cell_m
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    found = np.flatnonzero(inside & ~np.isnan(targets.z_m))
    lost = np.flatnonzero(~inside | np.isnan(targets.z_m))
    z = targets.z_m - level
    words = word_count(col.size)
    sites = observers.x_m.size
    parts = 4 if sites < 8 else 1
    visible = np.zeros((sites, parts, mounts.size, heads.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, parts, heads.size, words), dtype=np.uint64)
    _fan_bits(
        flats,
        rows,
        cols,
        *grid[1:],
        observers.x_m,
        observers.y_m,
        observers.z_m - level,
        mounts,
        targets.x_m,
        targets.y_m,
        lost,
        _bucket(found, col, row, z, cols),
        _bucket(found, row, col, z, rows),
        heads,
        reach,
        first,
        last,
        float(spacing),
        bool(np.isnan(surface).any()),
        cull,
        parts,
        visible,
        unknown,
    )
    if parts == 1:
        return visible[:, 0], unknown[:, 0]
    return np.bitwise_or.reduce(visible, axis=1), np.bitwise_or.reduce(unknown, axis=1)
