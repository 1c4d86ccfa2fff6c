"""The synthetic photometric files and the formula that they were made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
SYNTHETIC = sorted(
    p for p in (DATA / "photometry_synthetic").iterdir() if p.suffix in (".ies", ".ldt")
)
REAL = sorted((DATA / "photometry").glob("*.ldt"))


def unit(c_deg, gamma_deg):
    c, g = np.radians(c_deg), np.radians(gamma_deg)
    return np.stack(
        np.broadcast_arrays(np.sin(g) * np.cos(c), np.sin(g) * np.sin(c), -np.cos(g)), axis=-1
    )


AXIS = unit(30.0, 50.0)


def formula_cd(name: str, direction):
    """Intensity of SOURCE.txt, with the symmetry that the file's name says."""
    x, y, z = np.moveaxis(np.asarray(direction, dtype=float), -1, 0)
    if "90_270" in name or name == "L3":
        x = np.abs(x)
    elif "half" in name or name == "L2":
        y = np.abs(y)
    elif "quad" in name or name == "L4":
        x, y = np.abs(x), np.abs(y)
    elif "axial" in name or name.startswith("L1"):
        x, y = np.hypot(x, y), np.zeros_like(y)
    along = x * AXIS[0] + y * AXIS[1] + z * AXIS[2]
    return 1000 * np.maximum(0, along) ** 6 + 100 * (1 + 0.5 * x + 0.3 * y)


def tabulated(name: str, path: Path):
    """Directions of a file's own angles, from its words alone, without the reader under test."""
    if path.suffix == ".ldt":
        return _tabulated_ldt(path)
    lines = path.read_text("latin-1").replace(",", " ").splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("TILT="))
    at += 5 if "INCLUDE" in lines[at] else 1
    words = " ".join(lines[at:]).split()
    polar, planes, kind = int(words[3]), int(words[4]), int(words[5])
    numbers = np.array([float(w) for w in words[13 : 13 + polar + planes]])
    v, h = np.meshgrid(numbers[:polar], numbers[polar:])
    if kind == 1:
        return unit(h, v)
    v, h = np.radians(v), np.radians(h)
    if kind == 2:
        parts = (np.cos(h) * np.sin(v), np.sin(h), -np.cos(h) * np.cos(v))
    else:
        parts = (np.sin(v), np.cos(v) * np.sin(h), -np.cos(v) * np.cos(h))
    return np.stack(parts, axis=-1)


def _tabulated_ldt(path: Path):
    lines = path.read_text("latin-1").replace(",", ".").splitlines()
    planes, angles, sets = int(lines[3]), int(lines[5]), int(lines[25])
    at = 26 + 6 * sets + 10
    c = [float(v) for v in lines[at : at + planes]]
    gamma = [float(v) for v in lines[at + planes : at + planes + angles]]
    return unit(*np.meshgrid(c, gamma))
