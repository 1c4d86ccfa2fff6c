"""The naive twin of the illuminance kernel: written from the formulas, one pair at a time.

Every grid line and every diagonal of the whole terrain is intersected with the ray, without a
pyramid, a walk or an order; intensities are looked up by searching the table from its beginning.
"""

from __future__ import annotations

import math

TOUCH_M = 5e-4


def triangle_height(surface, col, row):
    """Height of the surface split from north-west to south-east; None on unknown ground."""
    rows, cols = len(surface), len(surface[0])
    if not (0 <= col <= cols - 1 and 0 <= row <= rows - 1):
        return None
    i, j = min(int(col), cols - 2), min(int(row), rows - 2)
    u, v = col - i, row - j
    nw, se = surface[j][i], surface[j + 1][i + 1]
    if u >= v:
        parts = ((1 - u, nw), (u - v, surface[j][i + 1]), (v, se))
    else:
        parts = ((1 - v, nw), (v - u, surface[j + 1][i]), (u, se))
    if any(weight > 1e-9 and math.isnan(height) for weight, height in parts):
        return None
    return sum(weight * height for weight, height in parts if weight > 1e-9)


def shares(a, b):
    """Shares of the way at which a coordinate passes whole numbers."""
    low, high = sorted((a, b))
    found = range(math.floor(low), math.ceil(high) + 1)
    return [(n - a) / (b - a) for n in found if low < n < high]


def clearance(surface, start, end):
    """Least height of the ray above the surface, and whether unknown ground is crossed."""
    (col0, row0, z0), (col1, row1, z1) = start, end
    at = []
    for a, b in ((col0, col1), (row0, row1), (col0 - row0, col1 - row1)):
        if a != b:
            at += shares(a, b)
    least, unknown = math.inf, False
    for t in (0.0, *at, 1.0):
        height = triangle_height(surface, col0 + t * (col1 - col0), row0 + t * (row1 - row0))
        if height is None:
            unknown = True
        else:
            least = min(least, z0 + t * (z1 - z0) - height)
    return least, unknown


def table_intensity(azimuth, polar, table, first, second, pole):
    """Bilinear in both angles, zero outside."""
    theta = math.degrees(math.acos(max(-1.0, min(1.0, pole / math.hypot(first, second, pole)))))
    phi = math.degrees(math.atan2(second, first))
    while phi < azimuth[0] - 1e-9:
        phi += 360.0
    if phi > azimuth[-1] + 1e-9 or not polar[0] - 1e-9 <= theta <= polar[-1] + 1e-9:
        return 0.0
    i = max([k for k in range(len(azimuth) - 1) if azimuth[k] <= phi], default=0)
    j = max([k for k in range(len(polar) - 1) if polar[k] <= theta], default=0)
    u = (phi - azimuth[i]) / (azimuth[i + 1] - azimuth[i])
    v = (theta - polar[j]) / (polar[j + 1] - polar[j])
    low = table[i][j] * (1 - v) + table[i][j + 1] * v
    high = table[i + 1][j] * (1 - v) + table[i + 1][j + 1] * v
    return low * (1 - u) + high * u


def pair_lux(lamp_from_point, frame, table, scale, normal, extinction):
    """Light of one luminaire without any obstacle [lx]."""
    d = math.hypot(*lamp_from_point)
    cosine = sum(a * b for a, b in zip(lamp_from_point, normal, strict=True)) / d
    if cosine <= 0:
        return 0.0
    own = [-sum(a * b for a, b in zip(axis, lamp_from_point, strict=True)) for axis in frame]
    light = table_intensity(*table, *own)
    return scale * light * cosine / d**2 * math.exp(-extinction * d)
