"""Memory that was freed goes back to the system.

glibc keeps what lies between blocks still in use, an arena for each thread, and numpy's and
numba's arrays of up to 32 MB are such blocks. What large layouts leave behind when windows are
cut, and what windows leave behind in each round, came to 0.4 GB on a long line.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        # Another C library: it has ways of its own.
        return None
    return trim


def give_back() -> bool:
    """Give freed memory back to the system, where the C library can.

    Returns
    -------
    bool
        Whether it could be asked to.
    """
    trim = _trim()
    if trim is None:
        return False
    trim(0)
    return True
