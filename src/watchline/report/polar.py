"""Polar diagram of a luminaire: intensity by direction in its planes, γ = 0 at the bottom."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from watchline.model.photometry import Photometry
from watchline.physics.photometry import PhotometricNumbers, direction_of, intensity_cd
from watchline.report import svg, words
from watchline.report.style import still_css, still_picture

FloatArray = npt.NDArray[np.float64]
WIDTH, HEIGHT = 420.0, 470.0
CENTRE_X, CENTRE_Y, RADIUS = 210.0, 226.0, 168.0
RINGS = 5
STEP_DEG = 0.5
LABELLED_DEG = range(0, 181, 15)
CLASSES = ("curve-cost", "curve-bound", "polar-third")


def ring_step(most: float) -> float:
    """Round value of a ring, so that about five rings hold the largest intensity."""
    rough = most / RINGS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if power * k >= rough * (1 - 1e-9))


def planes_shown(numbers: PhotometricNumbers) -> tuple[float, ...]:
    """C of the half-planes that are drawn to the right: 0°, 90°, and that of the peak."""
    peak = numbers.peak_c_deg
    if numbers.peak_gamma_deg < 1.0 or min(abs((peak - c + 45) % 90 - 45) for c in (0, 90)) < 1.0:
        return (0.0, 90.0)
    return (0.0, 90.0, peak)


def polar_diagram(photometry: Photometry, numbers: PhotometricNumbers, css: str, title: str) -> str:
    """Draw the diagram as a whole SVG file.

    Parameters
    ----------
    photometry : Photometry
        The luminaire.
    numbers : PhotometricNumbers
        Its figures; they give the planes and the scale.
    css : str
        The pictures' style sheet.
    title : str
        Name of the luminaire or of its file.

    Returns
    -------
    str
        The SVG.
    """
    step = ring_step(max(numbers.peak_cd, 1e-9))
    rings = max(1, math.ceil(numbers.peak_cd / step - 1e-9))
    scale = RADIUS / (rings * step)
    parts = [svg.element("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="paper")]
    parts.append(svg.text(12, 18, words.shortened(title, 70), "row-title"))
    parts += _grid(rings, step)
    shown = planes_shown(numbers)
    for plane, class_ in zip(shown, CLASSES, strict=False):
        x, y = _curve(photometry, plane, scale)
        parts.append(svg.element("path", d=svg.path_of_points(x, y, closed=True), class_=class_))
    parts += _legend(shown, numbers)
    return still_picture("".join(parts), WIDTH, HEIGHT, still_css(css), title)


def _curve(photometry: Photometry, plane: float, scale: float) -> tuple[FloatArray, FloatArray]:
    """Points of a plane: C to the right from below upwards, C + 180° down on the left."""
    gamma = np.arange(0.0, 180.0 + STEP_DEG / 2, STEP_DEG)
    right = intensity_cd(photometry, direction_of(plane, gamma)) * scale
    left = intensity_cd(photometry, direction_of(plane + 180.0, gamma))[::-1] * scale
    angle = np.radians(np.concatenate([gamma, gamma[::-1]]))
    side = np.repeat([1.0, -1.0], gamma.size)
    radius = np.concatenate([right, left])
    return (
        CENTRE_X + side * radius * np.sin(angle),
        CENTRE_Y + radius * np.cos(angle),
    )


def _grid(rings: int, step: float) -> list[str]:
    parts = []
    for k in range(1, rings + 1):
        radius = RADIUS * k / rings
        d = (
            f"M{svg.short(CENTRE_X - radius)} {svg.short(CENTRE_Y)}"
            f"a{svg.short(radius)} {svg.short(radius)} 0 1 0 {svg.short(2 * radius)} 0"
            f"a{svg.short(radius)} {svg.short(radius)} 0 1 0 {svg.short(-2 * radius)} 0z"
        )
        parts.append(svg.element("path", d=d, class_="grid"))
    for gamma in LABELLED_DEG:
        for side in (-1.0, 1.0):
            x, y = side * math.sin(math.radians(gamma)), math.cos(math.radians(gamma))
            end_x, end_y = CENTRE_X + RADIUS * x, CENTRE_Y + RADIUS * y
            line = f"M{svg.short(CENTRE_X)} {svg.short(CENTRE_Y)}L{svg.short(end_x)} {end_y:.1f}"
            parts.append(svg.element("path", d=line, class_="grid"))
            if gamma % 30 or (gamma in (0, 180) and side < 0):
                continue
            at_x, at_y = CENTRE_X + (RADIUS + 11) * x, CENTRE_Y + (RADIUS + 11) * y + 2.5
            anchor = "middle" if abs(x) < 0.1 else "start" if side > 0 else "end"
            at_x -= 5 * side if abs(x) > 0.1 else 0
            parts.append(svg.text(at_x, at_y, f"{gamma}°", "axis-text", text_anchor=anchor))
    for k in range(1, rings + 1):
        value = words.number(k * step, 0 if step >= 1 else 2)
        y = CENTRE_Y - RADIUS * k / rings
        parts.append(svg.text(CENTRE_X + 3, y + 8, value, "axis-text"))
    parts.append(svg.text(CENTRE_X + 3, CENTRE_Y - 4, "cd", "axis-text"))
    return parts


def _legend(shown: tuple[float, ...], numbers: PhotometricNumbers) -> list[str]:
    parts, x = [], 12.0
    for plane, class_ in zip(shown, CLASSES, strict=False):
        parts.append(svg.element("path", d=f"M{svg.short(x)} 434h22", class_=class_))
        name = f"C {plane:g}° right, C {(plane + 180) % 360:g}° left"
        parts.append(svg.text(x + 27, 436.5, name, "axis-text"))
        x += 135.0
    said = (
        f"flux {words.number(numbers.flux_lm)} lm   ·   peak {words.number(numbers.peak_cd)} cd at "
        f"C {numbers.peak_c_deg:.0f}°, γ {numbers.peak_gamma_deg:.0f}°"
    )
    parts.append(svg.text(12, 455, said, "axis-text"))
    return parts
