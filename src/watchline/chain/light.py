"""A luminaire's file: its numbers and its polar diagram. Luminaires on terrain: their light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from watchline.errors import TerrainError
from watchline.io.luminaires import read_luminaires
from watchline.io.photometry import read_photometry
from watchline.io.picture import write_picture
from watchline.io.report import report_templates
from watchline.io.viewshed import read_heights, write_light
from watchline.kernels.grid import make_grid
from watchline.model.photometry import Photometry
from watchline.physics.illumination import UPWARDS, Receivers, cast_light, facing
from watchline.physics.light import uniformity
from watchline.physics.photometry import (
    PhotometricNumbers,
    photometric_numbers,
    photometric_warnings,
)
from watchline.physics.weather import extinction_per_m
from watchline.report.polar import polar_diagram


@dataclass(frozen=True)
class ShownLight:
    """What a photometric file says.

    Attributes
    ----------
    photometry : Photometry
        The table.
    numbers : PhotometricNumbers
        Its figures.
    warnings : tuple of str
        What a reader of the figures must know.
    picture : Path or None
        The polar diagram's file.
    """

    photometry: Photometry
    numbers: PhotometricNumbers
    warnings: tuple[str, ...]
    picture: Path | None


def show_light(file: Path, to: Path | None) -> ShownLight:
    """Read a photometric file, compute its figures, and draw its polar diagram.

    Parameters
    ----------
    file : Path
        LM-63 or EULUMDAT.
    to : Path, optional
        Where to write the diagram, ``.svg`` or ``.png``; None draws none.
    """
    photometry = read_photometry(file)
    numbers = photometric_numbers(photometry)
    if to is not None:
        css = report_templates()["pictures.css"]
        name = " ".join(part for part in (photometry.maker, photometry.name) if part)
        write_picture(polar_diagram(photometry, numbers, css, name or file.name), to)
    return ShownLight(photometry, numbers, tuple(photometric_warnings(photometry)), to)


def light_data(shown: ShownLight) -> dict[str, Any]:
    """What a photometric file says, as plain data; what is unknown is null."""
    photometry, numbers = shown.photometry, shown.numbers
    return {
        "name": photometry.name,
        "maker": photometry.maker,
        "number": photometry.number,
        "lamp": photometry.lamp,
        "format": photometry.format,
        "type": photometry.type,
        "planes": len(photometry.azimuth_deg) - int(photometry.closed),
        "angles": len(photometry.polar_deg),
        "size_m": list(photometry.size_m),
        "flux_lm": numbers.flux_lm,
        "declared_flux_lm": _known(photometry.declared_flux_lm),
        "lamp_flux_lm": _known(numbers.lamp_flux_lm),
        "efficiency": _known(numbers.efficiency),
        "power_w": _known(numbers.power_w),
        "efficacy_lm_per_w": _known(numbers.efficacy_lm_per_w),
        "peak_cd": numbers.peak_cd,
        "peak_c_deg": numbers.peak_c_deg,
        "peak_gamma_deg": numbers.peak_gamma_deg,
        "beam_deg": [_known(angle) for angle in numbers.beam_deg],
        "field_deg": [_known(angle) for angle in numbers.field_deg],
        "upward_share": numbers.upward_share,
        "warnings": list(shown.warnings),
        "sha256": photometry.sha256,
        "picture": None if shown.picture is None else str(shown.picture),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def map_light(
    dem: Path,
    luminaires: Path,
    to: Path,
    *,
    height_m: float,
    toward_deg: float | None,
    reach_m: float,
    maintenance: float,
    visibility_m: float | None,
    skip_lx: float,
) -> dict[str, Any]:
    """Compute the illuminance of luminaires on a terrain and write it as a COG.

    Parameters
    ----------
    dem, luminaires, to : Path
        Heights, list of luminaires, and the raster to write.
    height_m : float
        Height of the receivers above the ground.
    toward_deg : float, optional
        Bearing that they look to; None is horizontal illuminance.
    reach_m : float
        Cells farther than this from every luminaire are left out.
    maintenance : float
        Maintenance factor.
    visibility_m : float, optional
        Visibility in Koschmieder's sense; None is clear air.
    skip_lx : float
        Most that may be left out on any cell.

    Returns
    -------
    dict
        Figures over the cells within reach, as plain data.
    """
    heights, transform, crs = read_heights(dem)
    if transform.b or transform.d or not math.isclose(transform.a, -transform.e, rel_tol=1e-6):
        raise TerrainError(
            "its cells are not square and north up",
            where=str(dem),
            mend="warp it to a north-up grid of square cells",
        )
    cell = transform.a
    grid = make_grid(heights, cell, transform.c + cell / 2, transform.f - cell / 2)
    lamps = read_luminaires(luminaires)
    rows, cols = heights.shape
    x = grid.x0_m + cell * np.arange(cols)
    y = grid.y0_m - cell * np.arange(rows)
    for lamp in lamps:
        if not (x[0] <= lamp.x <= x[-1] and y[-1] <= lamp.y <= y[0]):
            raise TerrainError(
                f"the luminaire at x = {lamp.x:.2f}, y = {lamp.y:.2f} lies outside the raster",
                where=str(dem),
                mend="give a place inside, in the raster's own coordinates",
            )
    all_x, all_y = (axis.ravel() for axis in np.meshgrid(x, y))
    feet = cKDTree([(lamp.x, lamp.y) for lamp in lamps])
    distance, _ = feet.query(np.column_stack([all_x, all_y]), distance_upper_bound=reach_m)
    near = np.isfinite(distance) & np.isfinite(heights.ravel())
    normal = UPWARDS if toward_deg is None else facing(toward_deg)
    found = cast_light(
        grid,
        grid,
        lamps,
        Receivers(all_x[near], all_y[near], (height_m,), np.array([normal])),
        extinction_per_m=0.0 if visibility_m is None else float(extinction_per_m(visibility_m)),
        skip_lx=skip_lx / maintenance,
    )
    bands = {}
    for name, values in (("illuminance", found.lux), ("unknown", found.unknown_lx)):
        band = np.full(heights.size, np.nan, dtype=np.float32)
        band[near] = maintenance * values[:, 0]
        bands[name] = band.reshape(heights.shape)
    write_light(bands, transform, crs, to)
    lux = maintenance * found.lux[:, 0]
    least = uniformity(lux)[0] if lux.size else 0.0
    return {
        "file": str(to),
        "luminaires": len(lamps),
        "cells": int(near.sum()),
        "mean_lx": float(lux.mean()) if lux.size else 0.0,
        "min_lx": float(lux.min()) if lux.size else 0.0,
        "max_lx": float(lux.max()) if lux.size else 0.0,
        "uniformity": least,
        "dark_cells": int((lux <= 0).sum()),
        "unknown_cells": int((found.unknown_lx > 0).sum()),
        "left_out_lx": float(maintenance * found.skipped_lx.max()) if lux.size else 0.0,
        "maintenance_factor": maintenance,
    }
