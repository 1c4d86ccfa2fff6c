"""Viewsheds by other programs for the same sites and cells: GDAL and GRASS, where found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

GDAL_WORKER = """
import sys, time
import numpy as np
from osgeo import gdal
gdal.UseExceptions()
job = np.load(sys.argv[1])
z, cell, reach = job["z"], float(job["cell"]), float(job["reach"])
rows, cols = z.shape
source = gdal.GetDriverByName("MEM").Create("", cols, rows, 1, gdal.GDT_Float32)
source.SetGeoTransform((0, cell, 0, 0, 0, -cell))
band = source.GetRasterBand(1)
band.WriteRaster(0, 0, cols, rows, z.tobytes())
out = np.zeros((len(job["col"]), len(job["height"]), len(job["at"])), dtype=bool)
plane = np.zeros((rows, cols), dtype=bool)
spent = 0.0
for i, (col, row) in enumerate(zip(job["col"], job["row"])):
    for m, height in enumerate(job["height"]):
        begin = time.process_time()
        seen = gdal.ViewshedGenerate(
            band, "MEM", "", [], (col + 0.5) * cell, -(row + 0.5) * cell, float(height),
            float(job["head"]), 1, 0, 0, -1, 0.0, gdal.GVM_Edge, reach, heightMode=gdal.GVOT_NORMAL)
        spent += time.process_time() - begin
        left, _, _, top = (round(v / cell) for v in seen.GetGeoTransform()[:4])
        part = np.frombuffer(seen.GetRasterBand(1).ReadRaster(), dtype=np.uint8)
        part = part.reshape(seen.RasterYSize, seen.RasterXSize) == 1
        plane[:] = False
        plane[-top:-top + part.shape[0], left:left + part.shape[1]] = part
        out[i, m] = plane.ravel()[job["at"]]
np.savez(sys.argv[2], seen=np.packbits(out, axis=-1), cpu=spent, version=gdal.__version__)
"""

GRASS_WORKER = """
import os, resource, subprocess, sys
import numpy as np
job = np.load(sys.argv[1])
z, cell, reach = job["z"].astype("<f4"), float(job["cell"]), float(job["reach"])
rows, cols = z.shape
folder = os.path.dirname(sys.argv[1])
raw = os.path.join(folder, "z.bin")
z.tofile(raw)
env = {**os.environ, "GRASS_VERBOSE": "0"}
def run(*words):
    subprocess.run(words, check=True, env=env, capture_output=True)
bounds = [f"north={rows * cell}", "south=0", f"east={cols * cell}", "west=0"]
run("g.region", f"n={rows * cell}", "s=0", f"e={cols * cell}", "w=0",
    f"rows={rows}", f"cols={cols}")
run("r.in.bin", "-f", f"input={raw}", "output=z", "bytes=4", "order=little", *bounds,
    f"rows={rows}", f"cols={cols}")
out = np.zeros((len(job["col"]), len(job["height"]), len(job["at"])), dtype=bool)
spent = 0.0
for i, (col, row) in enumerate(zip(job["col"], job["row"])):
    for m, height in enumerate(job["height"]):
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("r.viewshed", "-b", "--overwrite", "input=z", "output=v",
            f"coordinates={(col + 0.5) * cell},{(rows - row - 0.5) * cell}",
            f"observer_elevation={float(height)}", f"target_elevation={float(job['head'])}",
            f"max_distance={min(reach, 1e9)}", "memory=2000")
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent += end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
        plane = os.path.join(folder, "v.bin")
        run("r.out.bin", "-i", "--overwrite", "input=v", f"output={plane}", "bytes=1", "null=0")
        out[i, m] = np.fromfile(plane, dtype=np.uint8)[job["at"]] == 1
version = subprocess.run(["g.version"], capture_output=True, text=True).stdout.split()[1]
np.savez(sys.argv[2], seen=np.packbits(out, axis=-1), cpu=spent, version=version)
"""

Found = tuple[np.ndarray, float, str] | None


def gdal(**job: object) -> Found:
    """Run GDAL's viewshed by whichever Python here has ``osgeo``; planes, CPU seconds, version."""
    return _run(job, GDAL_WORKER, [[sys.executable, "-c"], ["/usr/bin/python3", "-c"]])


def grass(**job: object) -> Found:
    """Run GRASS's r.viewshed, the same way."""
    if shutil.which("grass") is None:
        return None
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    python = sys.executable if _has_numpy(sys.executable) else python
    return _run(job, GRASS_WORKER, [["grass", "--tmp-location", "XY", "--exec", python, "-c"]])


def _has_numpy(python: str) -> bool:
    return subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0


def _run(job: dict[str, object], worker: str, callers: list[list[str]]) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder) / "job.npz", Path(folder) / "result.npz"
        np.savez(given, **job)
        for caller in callers:
            try:
                done = subprocess.run(
                    [*caller, worker, given, result], capture_output=True, text=True
                )
            except OSError:
                continue
            if done.returncode == 0:
                found = np.load(result)
                seen = np.unpackbits(found["seen"], axis=-1, count=len(job["at"])).view(bool)
                return seen, float(found["cpu"]), str(found["version"])
            # A Python without the bindings, or without what they need here, is no peer.
            if not any(f"No module named '{name}'" in done.stderr for name in ("osgeo", "numpy")):
                raise RuntimeError(done.stderr)
    return None


PEERS = {"GDAL": gdal, "GRASS": grass}
