"""JSON that every reader accepts and that gives back what was written.

JSON knows no infinity and no NaN; they are written as the texts ``"Infinity"``, ``"-Infinity"``
and ``"NaN"``, which ``float()`` understands.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd


def to_json(value: Any, *, indent: int | None = None) -> str:
    """A plain value as strict JSON text.

    Parameters
    ----------
    value : object
        Dicts, lists, tuples, texts, numbers (also NumPy's), booleans and None.
    indent : int, optional
        Spaces of indentation; None writes one line.
    """
    return json.dumps(
        plain(value), ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent
    )


def plain(value: Any) -> Any:
    """A value of JSON's own types alone."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def frame_to_plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A small table as plain values: its columns in their order, each with its type."""
    return [
        {"name": str(name), "dtype": str(frame[name].dtype), "values": plain(frame[name].tolist())}
        for name in frame.columns
    ]


def frame_from_plain(columns: list[dict[str, Any]]) -> pd.DataFrame:
    """The table that :func:`frame_to_plain` was given.

    Raises
    ------
    KeyError, TypeError, ValueError
        The values are not of that form.
    """
    made = {}
    for column in columns:
        values = column["values"]
        if str(column["dtype"]).startswith("float"):
            values = [float(value) for value in values]
        made[column["name"]] = pd.Series(values, dtype=column["dtype"])
    return pd.DataFrame(made)
