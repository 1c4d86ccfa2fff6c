"""A naive twin of the exact definition, the inside of cells included: no closed form, no fractions.

The ray is cut at its crossings with grid lines. Between the ends' own squares, what each crossing
asks for is computed, and on each piece the highest that is asked for is looked for by sampling the
bilinear surface and closing in on the best sample.
"""

from __future__ import annotations

import itertools
import math

TOUCH = 5e-4
SAMPLES, ROUNDS = 8, 60


def surface_at(surface, u, v, col, row):
    """Bilinear height in the cell (col, row); None where a node with weight is missing."""
    height = 0.0
    for i, south in ((0, 1 - (v - row)), (1, v - row)):
        for j, east in ((0, 1 - (u - col)), (1, u - col)):
            if abs(south * east) > 1e-12:
                height += south * east * surface[row + i][col + j]
    return None if math.isnan(height) else height


def cuts(a, b):
    low, high = min(a, b), max(a, b)
    return [
        (i - a) / (b - a) for i in range(math.floor(low), math.ceil(high) + 1) if low < i < high
    ]


def least_mount(surface, observer, target, target_height):
    """Return the lowest mount [m], -inf if free, or None if unknown.

    ``observer`` and ``target`` are (col, row, ground) in node units; the surface a list of rows.
    """
    rows, cols = len(surface), len(surface[0])
    (u0, v0, ground), (u1, v1, foot) = observer, target
    if math.isnan(ground) or math.isnan(foot):
        return None
    if not all(0 <= u <= cols - 1 and 0 <= v <= rows - 1 for u, v in ((u0, v0), (u1, v1))):
        return None
    own = [(math.floor(u + 0.5), math.floor(v + 0.5)) for u, v in ((u0, v0), (u1, v1))]
    head = foot + target_height

    def place(t):
        u, v = u0 + t * (u1 - u0), v0 + t * (v1 - v0)
        return u, v, min(math.floor(u), cols - 2), min(math.floor(v), rows - 2)

    def skipped(t):
        u, v, *_ = place(t)
        return any(max(abs(u - c), abs(v - r)) < 1 - 1e-9 for c, r in own)

    def asked(t, cell):
        height = surface_at(surface, *place(t)[:2], *cell)
        return None if height is None else (height - TOUCH - head * t) / (1 - t) - ground

    shares = sorted({0.0, 1.0, *cuts(u0, u1), *cuts(v0, v1)})
    found = [asked(t, place(t)[2:]) for t in shares[1:-1] if not skipped(t)]
    for begin, end in itertools.pairwise(shares):
        middle = (begin + end) / 2
        if skipped(middle) or end - begin < 1e-9:
            continue
        cell, step = place(middle)[2:], (end - begin) / SAMPLES
        samples = [asked(begin + i * step, cell) for i in range(SAMPLES + 1)]
        if None in samples:
            return None
        best = max(range(SAMPLES + 1), key=samples.__getitem__)
        low, high = max(begin, begin + (best - 1) * step), min(end, begin + (best + 1) * step)
        for _ in range(ROUNDS):
            third = (high - low) / 3
            if asked(low + third, cell) < asked(high - third, cell):
                low += third
            else:
                high -= third
        found += [samples[best], asked((low + high) / 2, cell)]
    return None if None in found else max(found, default=-math.inf)
