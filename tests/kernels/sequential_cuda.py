"""The GPU kernels compiled for the processor, run by a single thread.

Numba's simulator of CUDA runs kernels as plain Python: it shows what threads do to one another, but
slowly, and with Python's types. Here the same source is compiled with numba's own typing, with a
stand-in for ``cuda`` whose grid has one block of one thread, so that scenes of real size can be
compared. Kernels must take all of their work in strides of the grid for that.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
from numba import njit

import watchline.kernels


class DeviceArray:
    """What ``cuda.to_device`` gives."""

    def __init__(self, host):
        self.array = np.array(host)

    def copy_to_host(self):
        return self.array.copy()

    def __getitem__(self, key):
        return self.array[key]


class Kernel:
    """A compiled kernel; every launch is one thread that does all."""

    def __init__(self, function):
        self.run = njit(function)

    def __getitem__(self, _):
        return lambda *arguments: self.run(
            *(a.array if isinstance(a, DeviceArray) else a for a in arguments)
        )


def jit(function=None, *, device=False, inline="never", cache=False):
    if function is None:
        return lambda f: jit(f, device=device, inline=inline)
    return njit(function, inline=inline) if device else Kernel(function)


def _module(name, **content):
    module = ModuleType(name)
    module.__dict__.update(content)
    return module


@njit
def _array(shape, dtype):
    return np.empty(shape, dtype)


@njit
def _syncthreads():
    pass


@njit
def _or(array, index, value):
    old = array[index]
    array[index] = old | value
    return old


@njit
def _add(array, index, value):
    old = array[index]
    array[index] = old + value
    return old


@njit
def _max(array, index, value):
    old = array[index]
    array[index] = max(old, value)
    return old


@njit
def _multiply(a, b):
    return a * b


@njit
def _multiply32(a, b):
    return np.float32(a) * np.float32(b)


_ORIGIN, _ONE = (_module(n, x=v, y=v) for n, v in (("origin", 0), ("one", 1)))
cuda = _module(
    "sequential.cuda",
    jit=jit,
    to_device=DeviceArray,
    device_array=lambda shape, kind: DeviceArray(np.full(shape, 77, kind)),
    threadIdx=_ORIGIN,
    blockIdx=_ORIGIN,
    blockDim=_ONE,
    gridDim=_ONE,
    syncthreads=_syncthreads,
    local=_module("local", array=_array),
    shared=_module("shared", array=_array),
    atomic=_module("atomic", or_=_or, add=_add, max=_max),
    libdevice=_module("libdevice", dmul_rn=_multiply, fmul_rn=_multiply32),
)


def load() -> SimpleNamespace:
    """``sight_bits`` and ``fan_bits`` of the GPU modules, on the stand-in."""
    folder = Path(watchline.kernels.__file__).parent
    sys.modules["sequential_cuda_stand_in"] = cuda
    found = {}
    for name in ("cuda_sweep", "cuda_fan", "cuda_sight"):
        source = (folder / f"{name}.py").read_text()
        for old, new in (
            ("from numba import cuda\n", "import sequential_cuda_stand_in as cuda\n"),
            ("from numba.cuda import libdevice\n", "libdevice = cuda.libdevice\n"),
            ("watchline.kernels.cuda_sweep import", "sequential_cuda_sweep import"),
        ):
            source = source.replace(old, new)
        spec = importlib.util.spec_from_loader(f"sequential_{name}", loader=None)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        exec(compile(source, str(folder / f"{name}.py"), "exec"), module.__dict__)
        found[name] = module
    return SimpleNamespace(
        sight_bits=found["cuda_sight"].sight_bits, fan_bits=found["cuda_fan"].fan_bits
    )
