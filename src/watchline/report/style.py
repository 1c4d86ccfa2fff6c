"""The pictures' style sheet: with colour variables on the page, with fixed colours in the PDF."""

from __future__ import annotations

import re

from watchline.report import palette, svg

STILL_FONT = "'Libertinus Serif'"


def variables(colours: dict[str, str], devices: dict[str, str]) -> str:
    """Declarations of the colour variables of one theme."""
    named = {**colours, **devices}
    return "".join(f"--{name}:{colour};" for name, colour in sorted(named.items()))


def still_css(css: str) -> str:
    """The style sheet with light colours instead of variables, and without what only screens need.

    Parameters
    ----------
    css : str
        The pictures' style sheet, which writes colours as ``var(--name)``.
    """
    named = {**palette.LIGHT, **palette.DEVICE_COLOURS, "font": STILL_FONT}
    fixed = re.sub(r"var\(--([a-z_]+)\)", lambda found: named[found[1]], css)
    return re.sub(r"\s+", " ", fixed.replace("vector-effect: non-scaling-stroke;", "")).strip()


def still_picture(inside: str, width: float, height: float, css: str, title: str) -> str:
    """A whole SVG file of a picture for the PDF.

    Parameters
    ----------
    inside : str
        Its markup.
    width, height : float
        Its size in points.
    css : str
        From :func:`still_css`.
    title : str
        Its name, escaped here.
    """
    size = f"{svg.short(width)} {svg.short(height)}"
    body = svg.title(title) + svg.element("style", css) + inside
    return svg.element(
        "svg",
        body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {size}",
        width=width,
        height=height,
        class_="picture",
    )
