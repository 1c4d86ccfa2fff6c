"""The naive twin of the exact sight kernel: rational arithmetic, one pair at a time.

Written from the convention alone. Nothing here is fast, and nothing is rounded: heights are
compared as fractions, so a ray that touches is exactly that.
"""

from __future__ import annotations

import math
from fractions import Fraction

TOUCH = Fraction(5, 10**4)


def nearest(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def crossings(a: Fraction, b: Fraction) -> list[int]:
    low, high = min(a, b), max(a, b)
    return [i for i in range(math.floor(low), math.ceil(high) + 1) if low < i < high]


def height_on_edge(node, place: Fraction):
    """Linear between two nodes; ``node(i)`` gives a height or None; None if one is missing."""
    below = math.floor(place)
    share = place - below
    ends = [(node(below), 1 - share)] + ([(node(below + 1), share)] if share else [])
    if any(height is None for height, _ in ends):
        return None
    return sum(height * weight for height, weight in ends)


def least_mount(surface, observer, target, target_height):
    """Return the lowest mount as a Fraction, -inf if free, or None if unknown.

    ``observer`` and ``target`` are (col, row, ground) in node units; the surface a list of rows.
    """
    rows, cols = len(surface), len(surface[0])

    def node(row: int, col: int):
        if not (0 <= row < rows and 0 <= col < cols):
            return None
        height = float(surface[row][col])
        return None if math.isnan(height) else Fraction(height)

    if math.isnan(observer[2]) or math.isnan(target[2]):
        return None
    for col, row, _ in (observer, target):
        if not (0 <= col <= cols - 1 and 0 <= row <= rows - 1):
            return None
    u0, v0, ground = (Fraction(float(value)) for value in observer)
    u1, v1, foot = (Fraction(float(value)) for value in target)
    head = foot + Fraction(float(target_height))
    found = []
    for col in crossings(u0, u1):
        share = (col - u0) / (u1 - u0)
        found.append((Fraction(col), v0 + share * (v1 - v0), share, "column"))
    for row in crossings(v0, v1):
        share = (row - v0) / (v1 - v0)
        found.append((u0 + share * (u1 - u0), Fraction(row), share, "row"))

    own = [(nearest(u0), nearest(v0)), (nearest(u1), nearest(v1))]
    least = -math.inf
    for u, v, share, family in found:
        if any(max(abs(u - col), abs(v - row)) < 1 for col, row in own):
            continue
        if family == "column":
            height = height_on_edge(lambda i, c=int(u): node(i, c), v)
        else:
            height = height_on_edge(lambda i, r=int(v): node(r, i), u)
        if height is None:
            return None
        # Visible iff (ground + mount)(1 - share) + head·share >= height - TOUCH.
        least = max(least, (height - TOUCH - head * share) / (1 - share) - ground)
    return least
