"""Colours of views on the map: told apart without colour vision by their lightness."""

from __future__ import annotations

LEGEND: tuple[tuple[str, str], ...] = (
    ("not enough views", "#d1490c"),
    ("one view", "#b9d7cf"),
    ("two views", "#6fb3a6"),
    ("three views or more", "#1f7a70"),
    ("unknown", "#9a5b9e"),
)
"""What a cell is, and its colour; a cell with enough views is coloured by their number."""
OPACITY = 175
"""Of the views over the map, 0-255."""
