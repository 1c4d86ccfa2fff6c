"""A luminaire's file: its numbers, and its polar diagram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchline.io.photometry import read_photometry
from watchline.io.picture import write_picture
from watchline.io.report import report_templates
from watchline.model.photometry import Photometry
from watchline.physics.photometry import (
    PhotometricNumbers,
    photometric_numbers,
    photometric_warnings,
)
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
