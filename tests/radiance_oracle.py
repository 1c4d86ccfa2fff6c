"""Radiance as an outside oracle for light: scenes written from plain arrays, traced by rtrace.

pyradiance bundles the Radiance programs. Photometric tables go in as closed type C data (Radiance
extrapolates files without a plane at 360° and knows no type A); luminaires are small spheres, one
sample each, without any loss of precision by thresholds (-dt 0 -dc 1 -dj 0 -ds 0).
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
from pathlib import Path

import numpy as np

try:
    import pyradiance
except ImportError:  # the oracle is a development dependency
    pyradiance = None

RADIUS_M = 0.0005
LIFT_M = 1e-4
"""rtrace -I starts its rays this far out along the normal; points are set back by it."""


def environment() -> dict[str, str]:
    return {**os.environ, "RAYPATH": f".:{Path(pyradiance.__file__).parent / 'lib'}"}


def program(name: str) -> str:
    return str(Path(pyradiance.__file__).parent / "bin" / name)


def data_file(path: Path, c_deg, gamma_deg, intensity) -> None:
    """A table over C and γ, uniform or not, as a Radiance data file."""

    def axis(values):
        steps = np.diff(values)
        if np.allclose(steps, steps[0], rtol=1e-9):
            return f"{values[0]:.9g} {values[-1]:.9g} {len(values)}"
        return "0 0 {}\n{}".format(len(values), " ".join(f"{v:.9g}" for v in values))

    numbers = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in intensity)
    path.write_text(f"2\n{axis(c_deg)}\n{axis(gamma_deg)}\n{numbers}\n")


def lamp_text(name, data, x, y, z, azimuth_deg, tilt_deg, front_c_deg=0.0, factor=1.0) -> str:
    """One aimed luminaire: a sphere whose light varies with direction."""
    turn = f"-rz {-front_c_deg:.9g} -ry {-(90 - tilt_deg):.9g} -rz {90 - azimuth_deg:.9g}"
    radiance = factor / (math.pi * RADIUS_M**2)
    return (
        f"void brightdata {name}_dist\n11 corr {data} source.cal src_phi src_theta {turn}\n0\n"
        f"1 {radiance:.12g}\n"
        f"{name}_dist light {name}_light\n0\n0\n3 1 1 1\n"
        f"{name}_light sphere {name}\n0\n0\n4 {x:.9g} {y:.9g} {z:.9g} {RADIUS_M}\n"
    )


def terrain_text(surface, cell, x0, y0) -> str:
    """The surface's triangles, split from north-west to south-east, in black paint."""
    rows, cols = surface.shape
    east, north = x0 + cell * np.arange(cols), y0 - cell * np.arange(rows)
    parts = ["void plastic ground\n0\n0\n5 0 0 0 0 0\n"]
    for row in range(rows - 1):
        for col in range(cols - 1):
            nw, ne, sw, se = (
                f"{east[col + j]:.9g} {north[row + i]:.9g} {float(surface[row + i, col + j]):.9g}"
                for i, j in ((0, 0), (0, 1), (1, 0), (1, 1))
            )
            parts.append(f"ground polygon a{row}.{col}\n0\n0\n9 {nw} {se} {ne}\n")
            parts.append(f"ground polygon b{row}.{col}\n0\n0\n9 {nw} {sw} {se}\n")
    return "".join(parts)


def octree(folder: Path, text: str) -> Path:
    scene, out = folder / "scene.rad", folder / "scene.oct"
    scene.write_text(text)
    with out.open("wb") as file:
        subprocess.run(
            [program("oconv"), scene.name],
            cwd=folder, env=environment(), stdout=file, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    return out


def trace(folder: Path, tree: Path, points, normals):
    """Illuminance of points [lx] and the CPU seconds of rtrace."""
    rays = np.concatenate([points - LIFT_M * normals, normals], axis=1).astype("<f8")
    (folder / "rays").write_bytes(rays.tobytes())
    command = [program("rtrace"), "-h", "-w", "-I", "-ab", "0", "-dt", "0", "-dc", "1", "-dj", "0"]
    command += ["-ds", "0", "-dr", "0", "-fdd", tree.name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / "rays").open("rb") as file:
        done = subprocess.run(
            command, cwd=folder, env=environment(), stdin=file, capture_output=True, check=True
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return np.frombuffer(done.stdout, dtype="<f8").reshape(-1, 3)[:, 0].copy(), cpu
