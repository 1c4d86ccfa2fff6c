"""The viewshed of one place, from raster to raster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from watchline.errors import UsageError
from watchline.io.viewshed import read_heights, write_viewshed
from watchline.see import viewshed


def parse_observer(text: str) -> tuple[float, float, float]:
    """Observer from ``x,y,h``.

    Raises
    ------
    UsageError
        Not three numbers.
    """
    try:
        x, y, h = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"'{text}' is no place",
            where="--at",
            mend="write x,y,h: coordinates and height above ground in m, e.g. 620000,3457800,12",
        ) from None
    return x, y, h


def see_raster(
    dem: Path,
    at: str,
    to: Path,
    *,
    target_height_m: float,
    range_m: float,
    refraction: float,
    device: str = "cpu",
) -> dict[str, Any]:
    """Compute what is seen from a place and write it as a COG.

    Returns
    -------
    dict
        Counts of cells and the file written, as plain data.
    """
    heights, transform, crs = read_heights(dem)
    seen = viewshed(
        heights,
        transform,
        parse_observer(at),
        target_height_m,
        range_m,
        refraction=refraction,
        device=device,
    )
    write_viewshed(seen, transform, crs, to)
    cell_m2 = abs(transform.a * transform.e)
    count = int(np.ma.filled(seen, False).sum())
    return {
        "file": str(to),
        "seen": count,
        "seen_m2": count * cell_m2,
        "unknown": int(np.ma.getmaskarray(seen).sum()),
        "range_m": range_m,
        "target_height_m": target_height_m,
    }
