"""Which device computes lines of sight: the processor, or a GPU if one can be used.

The GPU is an optional extra. Nothing of it is imported before a GPU is asked for.
"""

from __future__ import annotations

import functools
import importlib.util
import warnings
from collections.abc import Callable

import numba

from watchline.errors import UsageError, WatchlineError
from watchline.kernels.fan import fan_bits
from watchline.kernels.sight import sight_bits

DEVICES = ("cpu", "gpu", "auto")
"""What may be asked for: ``"auto"`` takes a GPU where one can be used, else the processor."""

METHODS = ("exact", "fan")

_INSTALL = 'pip install "watchline[gpu]"'


def gpu_fault() -> str:
    """Say why no GPU can be used; empty if one can.

    Returns
    -------
    str
        A clause such as "there is no NVIDIA GPU or no driver for it".
    """
    if numba.config.ENABLE_CUDASIM:
        return ""
    if importlib.util.find_spec("numba_cuda") is None:
        return f"the extra for GPUs is not installed ({_INSTALL})"
    try:
        from numba import cuda

        if cuda.is_available():
            return ""
        return "there is no NVIDIA GPU, or no driver that this CUDA toolkit can use"
    except Exception as fault:  # a broken toolkit fails in many ways, at import too
        words = str(fault).strip() or type(fault).__name__
        return f"CUDA does not start: {words.splitlines()[-1]}"


def gpu_name() -> str:
    """Name of the GPU that would be used; only where :func:`gpu_fault` is empty."""
    if numba.config.ENABLE_CUDASIM:
        return "simulated GPU"
    from numba import cuda

    name = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def choose_device(device: str) -> str:
    """Turn what was asked for into what will be used.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        What was asked for.

    Returns
    -------
    str
        ``"cpu"`` or ``"gpu"``.

    Raises
    ------
    UsageError
        The name is none of these, or a GPU was asked for and none can be used.
    """
    if device not in DEVICES:
        raise UsageError(f"device = {device!r}", mend='pass "cpu", "gpu" or "auto"')
    if device == "cpu":
        return "cpu"
    fault = gpu_fault()
    if not fault:
        return "gpu"
    if device == "gpu":
        raise UsageError(
            f"no GPU can be used: {fault}",
            where="device",
            mend='mend that, or choose "cpu" or "auto"',
        )
    return "cpu"


def sight_on(device: str, method: str = "exact") -> Callable:
    """Return the function that computes lines of sight by a method on a device.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        Where.
    method : {"exact", "fan"}
        How.

    Returns
    -------
    callable
        :func:`watchline.kernels.sight.sight_bits` or :func:`watchline.kernels.fan.fan_bits`, or
        their twin on the GPU with the same arguments and results.

    Raises
    ------
    UsageError
        As :func:`choose_device`, or the method is none of these.
    WatchlineError
        When called: the GPU gave up, out of memory for example.
    """
    if method not in METHODS:
        raise UsageError(f"method = {method!r}", mend='pass "exact" or "fan"')
    if choose_device(device) == "cpu":
        return sight_bits if method == "exact" else fan_bits
    if method == "exact":
        from watchline.kernels import cuda_sight

        return _in_a_sentence(cuda_sight.sight_bits)
    from watchline.kernels import cuda_fan

    return _in_a_sentence(cuda_fan.fan_bits)


def _in_a_sentence(function: Callable) -> Callable:
    """Turn what CUDA raises into an error of ours; nothing is computed on the processor instead."""

    @functools.wraps(function)
    def run(*arguments, **options):
        try:
            with warnings.catch_warnings():
                # That a small job leaves most of the GPU idle is no news to whoever asked for it.
                warnings.filterwarnings("ignore", message="Grid size")
                return function(*arguments, **options)
        except Exception as fault:
            if not type(fault).__module__.startswith(("numba.cuda", "cuda.")):
                raise
            words = " ".join(str(fault).split()) or type(fault).__name__
            raise WatchlineError(
                f"the GPU failed: {words}", where="device", mend='choose "cpu", or a smaller job'
            ) from fault

    return run
