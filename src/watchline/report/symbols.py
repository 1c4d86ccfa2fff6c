"""Symbols of the maps and the legend: every kind has its own shape beside its colour."""

from __future__ import annotations

from watchline.report import svg

VERDICT_PATHS = {
    "holds": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "fails": "M0-7L7 0L0 7L-7 0z",
    "unknown": "M0-7L7 6L-7 6z",
}


def mount_symbol(kind: str, *, existing: bool) -> str:
    """A mast is a disc, a tower a square with a cabin; what stands already is hollow."""
    class_ = f"mount {'tower' if kind == 'tower' else 'mast'}{' existing' if existing else ''}"
    if kind == "tower":
        return svg.element(
            "g",
            svg.element("rect", x=-5, y=-5, width=10, height=10),
            svg.element("rect", x=-2, y=-2, width=4, height=4, class_="cabin"),
            class_=class_,
        )
    return svg.element("g", svg.element("circle", r=4), class_=class_)


def verdict_symbol(verdict: str) -> str:
    """Disc, diamond or triangle."""
    return svg.element("path", d=VERDICT_PATHS[verdict], class_=f"verdict {verdict}")


def north_arrow(turn_deg: float) -> str:
    """Arrow to north round the origin, 40 units high."""
    return svg.element(
        "g",
        svg.element("path", d="M0-18L7 12L0 7L-7 12z", class_="north"),
        svg.text(0, -21, "N", "north-n", transform=f"rotate({svg.short(-turn_deg)} 0 -25)"),
        transform=f"rotate({svg.short(turn_deg)})",
    )


def swatch(kind: str, colour: str = "") -> str:
    """Sample of a thing for the legend, within 28 × 14 units from (0, 0)."""
    box = {"x": 1.0, "y": 1.0, "width": 26.0, "height": 12.0}
    if kind in ("mast", "tower", "existing"):
        mark = mount_symbol("mast" if kind == "existing" else kind, existing=kind == "existing")
        return svg.element("g", mark, transform="translate(14 7)")
    if kind in ("fails", "unknown", "holds"):
        return svg.element("g", verdict_symbol(kind), transform="translate(14 7)")
    if kind == "line":
        return svg.element("path", d="M1 7h26", class_="line")
    if kind == "road":
        return svg.element("path", d="M1 7h26", class_="road-edge") + svg.element(
            "path", d="M1 7h26", class_="road"
        )
    if kind.startswith("field-"):
        return svg.element("path", d="M3 7L27 1A26 26 0 0 1 27 13z", class_=f"field {kind[6:]}")
    if kind == "colour":
        return svg.element("rect", fill=colour, stroke="none", class_="chip", **box)
    if kind in ("fail-line", "unknown-line"):
        return svg.element("path", d="M1 7h26", class_=kind)
    if kind in ("exclusion", "no-watch"):
        lines = "M5 13L13 1M13 13L21 1M21 13L26 5M1 7L5 1"
        if kind == "no-watch":
            lines += "M5 1L13 13M13 1L21 13M21 1L26 9M1 7L5 13"
        return svg.element("path", d=lines, class_=f"hatch-{kind}") + svg.element(
            "rect", fill="none", class_=kind, **box
        )
    if kind == "words":
        return ""
    return svg.element("rect", class_=kind, **box)
