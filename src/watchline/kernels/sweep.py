"""One cone of a fan of rays, swept outward grid line by grid line (see the fan's own module)."""

from __future__ import annotations

import numpy as np
from numba import njit

from watchline.kernels.borrows import BORROWS
from watchline.kernels.buckets import set_bits
from watchline.kernels.cone import (
    BINS,
    CHECK,
    NO_HORIZON,
    PAD,
    cut_rays,
    find_runs,
    plan_cone,
)
from watchline.kernels.lanes import (
    LANES,
    raise_both,
    raise_lanes,
    sample_between,
    sample_line,
)
from watchline.kernels.lanes_plain import NEAR_RAYS
from watchline.kernels.lanes_targets import place_lanes, steeper_lanes
from watchline.kernels.ray import TOUCH_M


@njit(**BORROWS)
def _decide(
    begin, end, sight, rays, first, last, buckets, mounts, heads, extremes, fans, room, planes
):
    """Compare the targets of one line with the horizons of the rays to their left and right."""
    p0, q0, z0, step, wide, reach2 = sight
    _, tp, tq, tz, order, _, runs = buckets
    horizon, flat, holed, holes = fans
    places, lifts, scales = room
    visible, unknown, words = planes
    best, worst, tallest = extremes
    level = z0 + mounts[best] - tallest
    half = np.float32(rays // 2)
    across = horizon.shape[1]
    window = (first, last)
    for block in range(begin, end, LANES):
        place_lanes(
            tp, tq, tz, p0, q0, float(step), wide, half, reach2, level, block, end - block, places,
            lifts, scales, 0,
        )  # fmt: skip
        # What the highest mount does not see of the tallest target is hidden from all.
        some = steeper_lanes(
            places, lifts, scales, np.float32(0.0), rays - 1, flat, best * across, 0
        )
        lost = 0
        if holes:
            lost = _holed_lanes(places, lifts, rays, holed)
            for k in range(heads.size):
                set_bits(lost, block, order, runs, window, unknown, k * words)
        if some & ~lost == 0:
            continue
        for k in range(heads.size):
            low = np.float32(mounts[best] - mounts[worst] + heads[k] - tallest)
            least = steeper_lanes(places, lifts, scales, low, rays - 1, flat, worst * across, 0)
            for m in range(mounts.size):
                seen = some
                # What the lowest mount sees of a target, all see.
                if m == worst or least == some:
                    seen = least
                elif m != best or heads[k] != tallest:
                    lower = np.float32(mounts[best] - mounts[m] + heads[k] - tallest)
                    seen = steeper_lanes(
                        places, lifts, scales, lower, rays - 1, flat, m * across, 0
                    )
                plane = (m * heads.size + k) * words
                set_bits(seen & ~lost, block, order, runs, window, visible, plane)


@njit(**BORROWS)
def _holed_lanes(places, lifts, rays, holed):
    """Which of 16 targets have an unknown node on the nearest ray, as bits."""
    mask = 0
    for lane in range(LANES):
        if lifts[lane] > -np.inf and holed[min(int(places[lane] + 0.5), rays - 1)]:
            mask |= 1 << lane
    return mask


@njit(cache=True)
def empty_horizons(mounts, rays):
    """Room for the horizons of some mounts, and behind them for what is read and not needed."""
    flat = np.empty(mounts * rays + NEAR_RAYS + LANES, dtype=np.float32)
    return flat[: mounts * rays].reshape(mounts, rays)


@njit(**BORROWS)
def split_rays(horizon, holed, low, high):
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


@njit(**BORROWS)
def sample_blocks(
    flat, line, before, q0, away, rays, base, low, high, drops, horizon, slopes, strip
):
    """Sample the blocks low … high - 1 of 16 rays on a grid line and raise their horizons.

    Whole blocks, each placed by itself, so that a ray's value does not depend on which of its
    neighbours still matter. `line` is where the grid line begins in `flat`, `away` nodes from the
    observer at `q0`; with `strip`, samples halfway to the line that begins at `before` count, too.
    `horizon` is flat, `drops` the mounts' heights [m], `slopes` room for 16 and 16.
    """
    between = away - 0.5
    gap, closer = 2.0 * away / rays, 2.0 * between / rays
    scale, nearer = np.float32(1.0 / away), np.float32(1.0 / between if strip else 0.0)
    stride = horizon.size // drops.size
    here, middle = slopes
    for block in range(low, high):
        place = q0 - away + PAD + (block * LANES + 0.5) * gap
        whole = int(place)
        rest = np.float32(place - whole)
        sample_line(flat, line + whole, rest, np.float32(gap), 0, base, scale, here)
        if not strip:
            for m in range(drops.size):
                raise_lanes(here, drops[m] * scale, horizon, m * stride + block * LANES)
            continue
        place = q0 - between + PAD + (block * LANES + 0.5) * closer
        whole = int(place)
        rest = np.float32(place - whole)
        sample_between(
            flat, line + whole, before + whole, rest, np.float32(closer), 0, base, nearer, middle
        )
        for m in range(drops.size):
            raise_both(
                here, drops[m] * scale, middle, drops[m] * nearer, horizon,
                m * stride + block * LANES,
            )  # fmt: skip


@njit(**BORROWS)
def _mark_holes(flat, line, start, at, rays, low, high, holed):
    """Mark the rays of the blocks low … high - 1 that touch an unknown node."""
    gap = 2.0 * at / rays
    for ray in range(low * LANES, high * LANES):
        node = line + int(start + (ray + 0.5) * gap)
        if np.isnan(flat[node]) or np.isnan(flat[node + 1]):
            holed[ray] = True


@njit(**BORROWS)
def sweep_cone(
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
    extremes,
    scratch,
    planes,
):
    """Sweep one cone of one observer and set the bits of its targets.

    p counts the grid lines across the cone's axis, q runs along them, both in node units.

    Parameters
    ----------
    flat : ndarray of float32
        The surface [m], line by line, each with PAD nodes repeated at both ends.
    lines, size : int
        Number of lines, and of nodes on a line without the repeated ones.
    p0, q0, z0 : float
        The observer's place and ground [m].
    step : int
        1 towards higher lines, -1 towards lower ones.
    wide : bool
        Whether targets on the edge between two cones belong to this one.
    reach2 : float
        Square of the range, in cells.
    first, last : int
        Only targets first ≤ j < last are looked at.
    spacing : float
        Largest gap between rays, in cells.
    holes : bool
        Whether the surface has NaN nodes.
    cull : bool
        Whether rays that hide all that remains are cut.
    buckets : tuple
        The targets sorted by line: start of each line, p, q, z, index, and each line's highest z.
    mounts, heads : ndarray
        Heights of mounts and targets [m].
    extremes : tuple
        The highest and the lowest mount, as indices, and the height of the tallest target [m].
    scratch : tuple
        Room to work in.
    planes : tuple
        The observer's planes, visible (h·k·words) and unknown (k·words), flat, and the number of
        words; bits are set in place.
    """
    start, _, tq, _, _, line_top, _ = buckets
    horizon, flat_horizon, holed, slopes, farthest, runs, begins, ends, tops, room, drops = scratch
    fans = (horizon, flat_horizon, holed, holes)
    sight = (p0, q0, z0, step, wide, reach2)
    reach = np.sqrt(reach2)
    own = int(np.floor(p0 + 0.5))
    if step > 0:
        steps = int(min(lines - 1.0, p0 + reach + 1.0)) - own + 1
    else:
        steps = own - int(max(0.0, np.ceil(p0 - reach - 1.0))) + 1
    best, _, tallest = extremes
    rise = tallest - mounts[best]
    end = plan_cone(
        p0, q0, z0, step, own, steps, reach2, start, tq, line_top, rise, begins, ends, farthest,
        tops,
    )  # fmt: skip
    rays = LANES
    horizon[:, :rays] = NO_HORIZON
    holed[:rays] = False
    base = np.float32(z0 + TOUCH_M)
    width = size + 2 * PAD
    count, lowest, highest = find_runs(0, rays, farthest, runs)
    for s in range(end + 1):
        line = own + step * s
        if begins[s] < ends[s]:
            _decide(
                begins[s], ends[s], sight, rays, first, last, buckets, mounts, heads, extremes,
                fans, room, planes,
            )  # fmt: skip
        if s == 0 or s == end:
            continue
        away = (line - p0) * step
        while 2.0 * away > spacing * rays:
            split_rays(horizon, holed, lowest, highest)
            rays *= 2
            count, lowest, highest = find_runs(s, rays, farthest, runs)
        if s % CHECK == 0:
            if cull and not holes and rays >= BINS:
                cut_rays(s, away, rays, tops[s], best, farthest, horizon)
            count, lowest, highest = find_runs(s, rays, farthest, runs)
            if count == 0 and cull:
                break
        gap = 2.0 * away / rays
        # Rays that have left the raster lead to no target any more.
        left = int(np.ceil((-1.0 - q0 + away) / gap - 0.5))
        right = int(np.floor((size - q0 + away) / gap - 0.5)) + 1
        here = line * width
        done = 0
        for r in range(count):
            begin = max(max(runs[r, 0], left) // LANES, done)
            done = max((min(runs[r, 1], right) + LANES - 1) // LANES, done)
            if begin >= done:
                continue
            sample_blocks(
                flat, here, here - step * width, q0, away, rays, base, begin, done, drops,
                flat_horizon, slopes, s > 1,
            )  # fmt: skip
            if holes:
                _mark_holes(flat, here, q0 - away + PAD, away, rays, begin, done, holed)
