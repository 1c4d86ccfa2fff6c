"""What every sweep of a cone shares: which lines and directions lead to a target, and until when.

A cone is a quarter of the directions round an observer. p counts the grid lines across its axis,
q runs along them, both in node units; s counts the lines from the observer's own outward.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from watchline.kernels.borrows import BORROWS
from watchline.kernels.lanes import LANES

BINS = 512  # directions of a cone whose farthest target is known
PAD = LANES + 12  # nodes repeated at both ends of a grid line: lanes may run over
CHECK = 16  # grid lines between two looks at which rays still matter
NO_HORIZON = -1e30  # finite, so that it can be interpolated
_MORE = 2  # rays walked on either side of those that matter, for interpolation between rays


@njit(**BORROWS)
def _bound(values, begin, end, limit):
    """First index in the sorted values[begin:end] with a value of at least limit."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < limit:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(**BORROWS)
def plan_cone(
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
            first_bin = max(int((low - 1e-6 + 1.0) * (BINS // 2)), 0)
            last_bin = min(int((high + 1e-6 + 1.0) * (BINS // 2)), BINS - 1)
        else:
            tops[s] = np.inf
            first_bin, last_bin = 0, BINS - 1
        for b in range(first_bin, last_bin + 1):
            farthest[b] = s
    for s in range(last - 1, -1, -1):
        tops[s] = max(tops[s], tops[s + 1])
    return last


@njit(**BORROWS)
def cut_rays(s, away, rays, top, best, farthest, horizon):
    """Drop the directions whose rays all hide what remains even from the highest mount.

    Their entry in `farthest` becomes -2 less itself.
    """
    each = rays // BINS
    # A millimetre and float32 rounding to spare: what is cut must be hidden without the cut, too.
    limit = top + 1e-5 * abs(top) + 2e-3 / away
    for b in range(BINS):
        if farthest[b] < s:
            continue
        hidden = True
        for k in range(b * each, (b + 1) * each):
            if not horizon[best, k] > limit:
                hidden = False
                break
        if hidden:
            farthest[b] = -2 - farthest[b]


@njit(**BORROWS)
def find_runs(s, rays, farthest, runs):
    """List the runs of rays that still matter.

    Returns their number, and the first and last + 1 of the rays that lead to a target, cut or not:
    what was cut hides by the horizon that it had, and so must its children.
    """
    count = 0
    first = BINS
    last = 0
    for b in range(BINS):
        if max(farthest[b], -2 - farthest[b]) >= s:
            first = min(first, b)
            last = b + 1
    b = 0
    while b < BINS:
        if farthest[b] < s:
            b += 1
            continue
        begin = b
        while b < BINS and farthest[b] >= s:
            b += 1
        low = max(begin * rays // BINS - _MORE, 0)
        high = min((b * rays + BINS - 1) // BINS + _MORE, rays)
        if count > 0 and low <= runs[count - 1, 1]:
            runs[count - 1, 1] = high
        else:
            runs[count, 0] = low
            runs[count, 1] = high
            count += 1
    first = max(first * rays // BINS - _MORE, 0)
    last = min((last * rays + BINS - 1) // BINS + _MORE, rays)
    return count, first, last
