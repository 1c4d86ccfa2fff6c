"""The naive twin of the exact sight kernel: rational arithmetic, one pair at a time.

Written from the convention alone. Nothing here is fast, and nothing is rounded: heights are
compared as fractions, so a ray that touches is exactly that.
"""

from __future__ import annotations

import itertools
import math
from decimal import Decimal, localcontext
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

    # Inside a cell the surface under the ray is a quadratic, which may rise above the crossings.
    shares = sorted({Fraction(0), Fraction(1), *(share for _, _, share, _ in found)})
    for begin, end in itertools.pairwise(shares):
        middle = (begin + end) / 2
        u, v = u0 + middle * (u1 - u0), v0 + middle * (v1 - v0)
        if any(max(abs(u - col), abs(v - row)) < 1 for col, row in own):
            continue
        step = (end - begin) ** 2 * (u1 - u0) * (v1 - v0)
        if step == 0:
            continue
        col, row = math.floor(u), math.floor(v)
        corners = [[node(row + i, col + j) for j in range(2)] for i in range(2)]
        if None in (*corners[0], *corners[1]):
            return None
        (a, b), (c, d) = corners
        bend = a - b - c + d

        def height_at(share):
            x = u0 + share * (u1 - u0) - col  # noqa: B023
            y = v0 + share * (v1 - v0) - row  # noqa: B023
            return a + (b - a) * x + (c - a) * y + bend * x * y  # noqa: B023

        for share in peaks(height_at, head, begin, end):
            least = max(least, (height_at(share) - TOUCH - head * share) / (1 - share) - ground)
    return least


def peaks(height_at, head: Fraction, begin: Fraction, end: Fraction) -> list[Fraction]:
    """Where in (begin, end) the asked mount is stationary, to 40 digits.

    With h = p + q·t + r·t², (h - head·t) / (1 - t) is stationary where
    -r·t² + 2·r·t + (q - head + p) = 0.
    """
    p, at_1, at_2 = height_at(Fraction(0)), height_at(Fraction(1)), height_at(Fraction(2))
    p -= TOUCH
    at_1 -= TOUCH
    at_2 -= TOUCH
    r = (at_2 - 2 * at_1 + p) / 2
    q = at_1 - p - r
    if r == 0:
        return []
    square = 1 + (q - head + p) / r
    if square < 0:
        return []
    with localcontext() as context:
        context.prec = 40
        root = Fraction((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())
    return [share for share in (1 - root, 1 + root) if begin < share < end]
