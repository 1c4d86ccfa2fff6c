"""Quality classes: how finely a target must be seen, in pixels per metre across it.

Two scales of the standard ship. The newer one, OODPCVS of IEC 62676-4:2025, is the default; the
older one, DORI of EN 62676-4:2014, is named with a prefix (``"dori:detect"``), because words such
as "identify" are still written into contracts. A third, ``"johnson:detect"`` and so on, is
Johnson's (1958) for thermal cameras and long ranges: line pairs of two pixels on the 0.75 m of a
person at which half of trained people do the task.

Source of the figures: 500 px/m (validate) was seen in the listing of IEC 62676-4:2025, the other
six in a vendor's page of 2024; the DORI figures in makers' tables that quote EN 62676-4:2014. The
standards themselves are sold and were not at hand: check them before a figure enters a contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Scale = Literal["oodpcvs", "dori", "johnson"]

OODPCVS: Mapping[str, float] = MappingProxyType(
    {
        "overview": 20.0,
        "outline": 40.0,
        "discern": 80.0,
        "perceive": 125.0,
        "characterise": 250.0,
        "validate": 500.0,
        "scrutinise": 1500.0,
    }
)
"""IEC 62676-4:2025, px/m."""

DORI: Mapping[str, float] = MappingProxyType(
    {
        "monitor": 12.5,
        "detect": 25.0,
        "observe": 62.5,
        "recognise": 125.0,
        "identify": 250.0,
    }
)
"""EN 62676-4:2014, px/m."""

JOHNSON: Mapping[str, float] = MappingProxyType(
    {
        name: round(2.0 * line_pairs / 0.75, 3)
        for name, line_pairs in (
            ("detect", 1.0),
            ("orient", 1.4),
            ("recognise", 4.0),
            ("identify", 6.4),
        )
    }
)
"""Johnson 1958, px/m: two pixels a line pair on a critical dimension of 0.75 m."""

SCALES: Mapping[Scale, Mapping[str, float]] = MappingProxyType(
    {"oodpcvs": OODPCVS, "dori": DORI, "johnson": JOHNSON}
)


def quality_classes(scale: Scale = "oodpcvs") -> dict[str, float]:
    """Pixel density of every quality class by name, in px/m.

    Parameters
    ----------
    scale : {"oodpcvs", "dori", "johnson"}
        Scale whose classes may be named without a prefix.

    Returns
    -------
    dict of str to float
        The classes of that scale under their plain names, then those of all scales with their
        prefix: ``overview``, ``oodpcvs:overview``, ``dori:detect``.
    """
    prefixed = {
        f"{prefix}:{name}": density
        for prefix, classes in SCALES.items()
        for name, density in classes.items()
    }
    return {**SCALES[scale], **prefixed}
