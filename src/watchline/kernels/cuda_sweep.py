"""One cone of a fan of rays on a GPU, swept outward by one block of threads.

The arithmetic is that of :mod:`watchline.kernels.sweep`, operation by operation, so that the bits
are the same: the same types, and every product rounded by itself (:func:`product`), since a GPU
would fuse it with the sum that follows. What differs is who does what: threads share out the rays
of a line, then its targets; children go to a second row of horizons instead of growing in place;
and rays are walked where a block of them leads to a target, which may be a few more than on the CPU
(what is walked in vain changes no bit).
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import cuda

from watchline.kernels.cone import BINS, PAD
from watchline.kernels.lanes import LANES
from watchline.kernels.ray import TOUCH_M

_NO_HORIZON = np.float32(-1e30)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_OWN, _OTHER = np.float32(0.75), np.float32(0.25)
_MORE = 2  # rays walked on either side of those that matter, for interpolation between rays
_CHECK = 16  # grid lines between two looks at which rays still matter

if numba.config.ENABLE_CUDASIM:  # plain functions: the simulator's calls are slow

    def product(a, b):
        """Multiply float64."""
        return a * b

    product32 = product

else:
    from numba.cuda import libdevice

    @cuda.jit(device=True, inline="always")
    def product(a, b):
        """Multiply float64, rounded before it is added to anything."""
        return libdevice.dmul_rn(a, b)

    @cuda.jit(device=True, inline="always")
    def product32(a, b):
        """Multiply float32, rounded before it is added to anything."""
        return libdevice.fmul_rn(a, b)


@cuda.jit(device=True, inline="always")
def _bound(values, begin, end, limit):
    """First index in the sorted values[begin:end] with a value of at least limit."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < limit:
            begin = middle + 1
        else:
            end = middle
    return begin


@cuda.jit(device=True, inline="always")
def _plan_line(s, p0, q0, z0, step, own, reach2, start, tq, line_top, rise, begins, ends, tops):
    """Find the targets near line s; return whether there are any and the bins that lead there."""
    line = own + step * s
    begins[s] = 0
    ends[s] = 0
    tops[s] = -math.inf
    begin, end, first_bin, last_bin = 0, 0, 0, -1
    if start[line] < start[line + 1]:
        away = line - p0 if step > 0 else p0 - line
        inner = max(away - 0.5, 0.0)
        outer = away + 0.5
        width = min(outer, math.sqrt(max(reach2 - product(inner, inner), 0.0))) + 1e-6
        begin = _bound(tq, start[line], start[line + 1], q0 - width)
        end = _bound(tq, begin, start[line + 1], q0 + width)
    if begin < end:
        begins[s] = begin
        ends[s] = end
        top = line_top[line] + rise - z0
        if inner > 0.0:
            tops[s] = top / inner if top > 0.0 else top / outer
            low, high = tq[begin] - q0, tq[end - 1] - q0
            low /= inner if low < 0.0 else outer
            high /= outer if high < 0.0 else inner
            first_bin = max(int((low - 1e-6 + 1.0) * (BINS // 2)), 0)
            last_bin = min(int((high + 1e-6 + 1.0) * (BINS // 2)), BINS - 1)
        else:
            tops[s] = math.inf
            last_bin = BINS - 1
    return begin < end, first_bin, last_bin


@cuda.jit(device=True, inline="always")
def _decide(
    at, p0, q0, z0, step, wide, reach2, first, last, rays, tp, tq, tz, order, mounts, heads, best,
    tallest, horizon, holed, holes, visible, unknown, i,
):  # fmt: skip
    """Hold one target against the horizons of the rays to its left and right."""
    dp = tp[at] - p0 if step > 0 else p0 - tp[at]
    dq = tq[at] - q0
    aside = abs(dq)
    scale = _ONE / np.float32(max(dp, 1e-9))
    j = order[at]
    off = product(dp, dp) + product(dq, dq) > reach2 or aside > dp
    off = off or (aside == dp and not wide) or (dp == 0.0 and step < 0)
    if not off and first <= j < last:
        place = product32(product32(np.float32(dq), scale) + _ONE, np.float32(rays // 2)) - _HALF
        place = max(place, np.float32(0.0))
        lift = product32(np.float32(tz[at] - (z0 + mounts[best] - tallest)), scale)
        ray = min(int(place), rays - 2)
        share = np.float32(min(place, np.float32(rays - 1)) - np.float32(ray))
        hole = holes and holed[ray if share < _HALF else ray + 1] != 0
        word = j // 64
        bit = np.uint64(1) << np.uint64(j % 64)
        low, high = horizon[best, ray], horizon[best, ray + 1]
        # What the highest mount does not see of the tallest target is hidden from all.
        if hole or not lift < low + product32(share, high - low):
            for k in range(heads.size):
                if hole:
                    cuda.atomic.or_(unknown, (i, k, word), bit)
                    continue
                for m in range(mounts.size):
                    low, high = horizon[m, ray], horizon[m, ray + 1]
                    lower = np.float32(mounts[best] - mounts[m] + heads[k] - tallest)
                    eye = lift + product32(lower, scale)
                    if eye >= low + product32(share, high - low):
                        cuda.atomic.or_(visible, (i, m, k, word), bit)


@cuda.jit(device=True, inline="always")
def _split_ray(k, rays, old, new, old_holed, new_holed):
    """Give ray k two children, each a quarter of the way to its parent's neighbour."""
    for m in range(old.shape[0]):
        middle = product32(_OWN, old[m, k])
        new[m, 2 * k] = middle + product32(_OTHER, old[m, max(k - 1, 0)])
        new[m, 2 * k + 1] = middle + product32(_OTHER, old[m, min(k + 1, rays - 1)])
    new_holed[2 * k] = old_holed[k]
    new_holed[2 * k + 1] = old_holed[k]


@cuda.jit(device=True, inline="always")
def _hides_all(b, away, rays, top, horizon):
    """Whether all rays of a bin hide what remains even from the highest mount."""
    each = rays // BINS
    # A millimetre and float32 rounding to spare: what is cut must be hidden without the cut, too.
    limit = top + product(1e-5, abs(top)) + 2e-3 / away
    hides = True
    for k in range(b * each, (b + 1) * each):
        hides = hides and horizon[k] > limit
    return hides


@cuda.jit(device=True, inline="always")
def _leads_on(block, s, rays, farthest):
    """Whether any of 16 rays, or of the neighbours that they lend to, leads to a target."""
    low = max(((block * LANES - _MORE) * BINS) // rays - 1, 0)
    high = min(((block + 1) * LANES + _MORE) * BINS // rays + 1, BINS)
    leads = False
    for b in range(low, high):
        leads = leads or farthest[b] >= s
    return leads


@cuda.jit(device=True, inline="always")
def _raise_ray(flat, line, other, start, at, rays, base, block, lane, drops, horizon, ray):
    """Sample one ray at the distance `at` and raise its horizons.

    `line` and `other` are where two grid lines begin in `flat`: the sample lies halfway between
    them. Placed by its block of 16 rays, as on the CPU.
    """
    gap = 2.0 * at / rays
    scale = np.float32(1.0 / at)
    place = start + product(block * LANES + 0.5, gap)
    whole = int(place)
    q = np.float32(place - whole) + product32(np.float32(lane), np.float32(gap))
    node = int(q)
    near, far = flat[line + whole + node], flat[line + whole + node + 1]
    if other != line:
        near = product32(near + flat[other + whole + node], _HALF)
        far = product32(far + flat[other + whole + node + 1], _HALF)
    height = near + product32(q - np.float32(node), far - near)
    slope = product32(height - base, scale)
    for m in range(drops.size):
        value = slope - product32(drops[m], scale)
        if value > horizon[m, ray]:
            horizon[m, ray] = value


@cuda.jit(cache=True)
def sweep_kernel(
    flat, lines, size, places_p, places_q, ground, reach2, first, last, wide, spacing, holes, cull,
    start, tp, tq, tz, order, line_top, mounts, drops, heads, best, tallest, horizons, holed_rays,
    begins, ends, tops, lists, visible, unknown,
):  # fmt: skip
    """Sweep the two cones along one axis for every site; bits are set in place.

    A block takes one cone of one site at a time, and the blocks' own rows of `horizons` (blocks, 2,
    mounts, rays), `holed_rays` (blocks, 2, rays), `begins`, `ends`, `tops` (blocks, lines) and
    `lists` (blocks, rays / 16) are its room to work in. For the rest see
    :func:`watchline.kernels.sweep.sweep_cone`.
    """
    thread, threads, own_room = cuda.threadIdx.x, cuda.blockDim.x, cuda.blockIdx.x
    farthest = cuda.shared.array(BINS, numba.int32)
    shared = cuda.shared.array(2, numba.int32)  # last line with a target; blocks of rays to walk
    begin_of, end_of, top_of = begins[own_room], ends[own_room], tops[own_room]
    active = lists[own_room]
    width = size + 2 * PAD
    rise = tallest - mounts[best]
    for job in range(cuda.blockIdx.x, 2 * ground.size, cuda.gridDim.x):
        i = job // 2
        step = 1 if job % 2 == 0 else -1
        p0, q0, z0 = places_p[i], places_q[i], ground[i]
        inside = 0.0 <= p0 <= lines - 1 and 0.0 <= q0 <= size - 1
        if math.isnan(z0) or not inside:
            continue
        reach = math.sqrt(reach2[i])
        own = int(math.floor(p0 + 0.5))
        if step > 0:
            steps = int(min(lines - 1.0, p0 + reach + 1.0)) - own + 1
        else:
            steps = own - int(math.ceil(max(p0 - reach - 1.0, 0.0))) + 1

        for b in range(thread, BINS, threads):
            farthest[b] = -1
        if thread == 0:
            shared[0] = -1
        cuda.syncthreads()
        for s in range(thread, steps, threads):
            some, first_bin, last_bin = _plan_line(
                s, p0, q0, z0, step, own, reach2[i], start, tq, line_top, rise, begin_of, end_of,
                top_of,
            )  # fmt: skip
            if some:
                cuda.atomic.max(shared, 0, s)
                for b in range(first_bin, last_bin + 1):
                    cuda.atomic.max(farthest, b, s)
        cuda.syncthreads()
        final = shared[0]
        if thread == 0:
            for s in range(final - 1, -1, -1):
                top_of[s] = max(top_of[s], top_of[s + 1])

        now, rays = 0, LANES
        for k in range(thread, rays, threads):
            for m in range(mounts.size):
                horizons[own_room, 0, m, k] = _NO_HORIZON
            holed_rays[own_room, 0, k] = 0
        base = np.float32(z0 + TOUCH_M)
        going = final >= 0
        s = 0
        while going:
            horizon, holed = horizons[own_room, now], holed_rays[own_room, now]
            cuda.syncthreads()
            for at in range(begin_of[s] + thread, end_of[s], threads):
                _decide(
                    at, p0, q0, z0, step, wide, reach2[i], first[i], last[i], rays, tp, tq, tz,
                    order, mounts, heads, best, tallest, horizon, holed, holes, visible, unknown, i,
                )  # fmt: skip
            line = own + step * s
            away = line - p0 if step > 0 else p0 - line
            look = s % _CHECK == 0
            if s > 0 and s < final:
                while 2.0 * away > product(spacing, rays):
                    old, old_holed = horizons[own_room, now], holed_rays[own_room, now]
                    now = 1 - now
                    new, new_holed = horizons[own_room, now], holed_rays[own_room, now]
                    for k in range(thread, rays, threads):
                        _split_ray(k, rays, old, new, old_holed, new_holed)
                    rays *= 2
                    look = True
                    cuda.syncthreads()
            horizon, holed = horizons[own_room, now], holed_rays[own_room, now]
            if look:
                cuda.syncthreads()
                if cull and not holes and rays >= BINS and s > 0 and s % _CHECK == 0:
                    for b in range(thread, BINS, threads):
                        if farthest[b] >= s and _hides_all(b, away, rays, top_of[s], horizon[best]):
                            farthest[b] = -2
                if thread == 0:
                    shared[1] = 0
                cuda.syncthreads()
                for block in range(thread, rays // LANES, threads):
                    if _leads_on(block, s, rays, farthest):
                        active[cuda.atomic.add(shared, 1, 1)] = block
                cuda.syncthreads()
                going = shared[1] > 0 or not cull
            if s > 0 and s < final and going:
                gap = 2.0 * away / rays
                # Rays that have left the raster lead to no target any more.
                left = max(int(math.ceil((-1.0 - q0 + away) / gap - 0.5)), 0) // LANES
                right = int(math.floor((size - q0 + away) / gap - 0.5)) + 1
                right = (min(right, rays) + LANES - 1) // LANES
                here = line * width
                cuda.syncthreads()
                for k in range(thread, shared[1] * LANES, threads):
                    block, lane = active[k // LANES], k % LANES
                    ray = block * LANES + lane
                    if left <= block < right:
                        side = q0 - away + PAD
                        _raise_ray(
                            flat, here, here, side, away, rays, base, block, lane, drops, horizon,
                            ray,
                        )  # fmt: skip
                        if holes:
                            node = here + int(side + product(ray + 0.5, gap))
                            if math.isnan(flat[node]) or math.isnan(flat[node + 1]):
                                holed[ray] = 1
                        if s > 1:
                            between = away - 0.5
                            _raise_ray(
                                flat, here, here - step * width, q0 - between + PAD, between, rays,
                                base, block, lane, drops, horizon, ray,
                            )  # fmt: skip
            s += 1
            going = going and s <= final
        cuda.syncthreads()
