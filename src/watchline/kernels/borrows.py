"""How the inner functions of a kernel are compiled: they borrow arrays and keep none."""

from __future__ import annotations

from typing import Any

BORROWS: dict[str, Any] = {"cache": True, "_nrt": False}
"""For functions that neither make nor return an array.

Numba counts who holds an array, by an atomic instruction each time that one is taken from a tuple
or sliced. In a function called for every grid line this takes as long as its work. What is
compiled so counts nothing, and does not compile if it would have to make an array.
"""
