"""Examine an installation by using each part once, on a tiny real job."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Finding:
    """One part of the installation: whether it works, and what was seen."""

    part: str
    well: bool
    detail: str


def examine() -> list[Finding]:
    """Try every part that the chain needs."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", lambda: f"{platform.python_version()} on {platform.machine()}"),
        ("processors", lambda: f"{os.cpu_count()}"),
        ("libraries", _libraries),
        ("sight kernel", _sight),
        ("all kernels", _kernels),
        ("GPU", _gpu),
        ("ray caster", _embree),
        ("solver", _solver),
        ("raster formats", _rasters),
        ("vector formats", _vectors),
        ("PDF", _pdf),
        ("disk", _disk),
    ]
    return [_try(part, check) for part, check in checks]


def _try(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, check())
    except Exception as error:
        return Finding(part, False, f"{type(error).__name__}: {error}")


def _libraries() -> str:
    names = ("numpy", "numba", "rasterio", "geopandas", "shapely", "embreex", "highspy", "typst")
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _sight() -> str:
    from affine import Affine

    from watchline.see import viewshed

    surface = np.zeros((20, 20))
    surface[:, 10] = 5.0
    start = time.perf_counter()
    seen = viewshed(surface, Affine(1, 0, 0, 0, -1, 20), (2.5, 10.5, 2.0), 0.0, 100.0)
    if seen[9, 15] or not seen[9, 5]:
        raise RuntimeError("a wall does not hide what lies behind it")
    return f"compiled, a viewshed in {time.perf_counter() - start:.2f} s"


def _kernels() -> str:
    from watchline.chain.warm import warm_up

    return f"compiled; a small line planned and proven in {warm_up():.1f} s"


def _gpu() -> str:
    """A GPU is optional: only one that is there and computes something else is a fault."""
    from watchline.kernels import gpu_fault, gpu_name
    from watchline.see import viewshed

    fault = gpu_fault()
    if fault:
        return f"none can be used, all runs on the processor: {fault}"
    rng = np.random.default_rng(1)
    surface = rng.normal(0.0, 1.0, (18, 1)) + rng.normal(0.0, 1.0, 24)
    where = ((1.0, 0.0, 0.0, 0.0, -1.0, 18.0), (10.3, 7.6, 4.0), 0.5, 100.0)
    for method in ("exact", "fan"):
        ours, theirs = (
            # A ground of its own asks the processor for the same rays as the GPU's.
            viewshed(surface, *where, ground=surface, method=method, device=device)
            for device in ("cpu", "gpu")
        )
        if not np.array_equal(ours.filled(False), theirs.filled(False)):
            raise RuntimeError(f"{gpu_name()} and the processor disagree ({method} method)")
    return f"{gpu_name()} sees what the processor sees"


def _embree() -> str:
    from embreex import rtcore_scene
    from embreex.mesh_construction import TriangleMesh

    scene = rtcore_scene.EmbreeScene()
    triangle = np.array([[[0, 0, 1], [4, 0, 1], [0, 4, 1]]], dtype=np.float32)
    TriangleMesh(scene, triangle)
    origin = np.array([[1, 1, 0]], dtype=np.float32)
    hit = scene.run(origin, np.array([[0, 0, 1]], dtype=np.float32))
    if hit[0] != 0:
        raise RuntimeError("a ray misses a triangle in its way")
    return "a ray hits a triangle"


def _solver() -> str:
    from watchline.design.cover import cover

    found = cover([3.0, 2.0, 2.0], [[0, 1], [0], [1]], [1, 1], time_limit=5)
    if abs(found.cost - 3.0) > 1e-6:
        raise RuntimeError(f"cost {found.cost} instead of 3")
    return "a small problem solved to the optimum"


def _rasters() -> str:
    import rasterio
    from rasterio.drivers import raster_driver_extensions

    known = raster_driver_extensions()
    return f"GDAL {rasterio.__gdal_version__}, {len(known)} kinds of file"


def _vectors() -> str:
    import pyogrio

    drivers = pyogrio.list_drivers()
    missing = [name for name in ("GPKG", "GeoJSON", "ESRI Shapefile") if name not in drivers]
    if missing:
        raise RuntimeError(f"no driver for {', '.join(missing)}")
    return f"{len(drivers)} drivers"


def _pdf() -> str:
    import typst

    return f"{len(typst.compile(b'= watchline')):,} bytes"


def _disk() -> str:
    with tempfile.TemporaryDirectory() as folder:
        free = shutil.disk_usage(Path(folder)).free
    return f"{free / 1e9:.0f} GB free for temporary files"
