"""Working arrays of the search, and its heap of groups."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.kernels.borrows import BORROWS


class Scratch(NamedTuple):
    """Working arrays of the search, so that kernels allocate nothing.

    Attributes
    ----------
    rest, twice : ndarray of int64, shape (n_atoms,)
    gain : ndarray of int64, shape (n_columns,)
        What each column covers; all 0 between calls.
    score : ndarray of float64, shape (n_groups,)
        Heap keys of the groups.
    heap : ndarray of int32, shape (n_groups,)
    factor : ndarray of float64, shape (n_groups,)
        Random error of the judgement of each group.
    place : ndarray of int32, shape (n_groups,)
        Position in the heap, -1 if absent.
    out : ndarray of int64, shape (n_columns,)
    log : ndarray of int64, shape (variable,)
        Changes since the last accepted state: column + 1 added, -(column + 1) removed.
    affinity : ndarray of int64, shape (n_groups,)
    met : ndarray of uint8, shape (n_rows,)
        Marks; all 0 between calls.
    room : ndarray of float64, shape (n_classes,)
    """

    rest: NDArray[np.int64]
    twice: NDArray[np.int64]
    gain: NDArray[np.int64]
    score: NDArray[np.float64]
    factor: NDArray[np.float64]
    heap: NDArray[np.int32]
    place: NDArray[np.int32]
    out: NDArray[np.int64]
    log: NDArray[np.int64]
    affinity: NDArray[np.float64]
    met: NDArray[np.uint8]
    room: NDArray[np.float64]


def make_scratch(layout: Layout) -> Scratch:
    """Return working arrays for a layout.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.

    Returns
    -------
    Scratch
    """
    n_atoms, n_groups, n_columns = len(layout.atom_group), len(layout.fixed), len(layout.cost)
    return Scratch(
        rest=np.zeros(n_atoms, np.int64),
        twice=np.zeros(n_atoms, np.int64),
        gain=np.zeros(n_columns, np.int64),
        score=np.full(n_groups, np.inf),
        factor=np.ones(n_groups),
        heap=np.zeros(n_groups, np.int32),
        place=np.full(n_groups, -1, np.int32),
        out=np.zeros(n_columns + 1, np.int64),
        log=np.zeros(16 * n_columns + 16, np.int64),
        affinity=np.zeros(n_groups),
        met=np.zeros(len(layout.demand), np.uint8),
        room=np.zeros(int(layout.row_class.max(initial=0)) + 1),
    )


@nb.njit(**BORROWS)
def sift(scratch: Scratch, size: int, position: int) -> None:
    """Restore the heap order around one position."""
    heap, place, score = scratch.heap, scratch.place, scratch.score
    item = heap[position]
    while position > 0:
        parent = (position - 1) // 2
        if score[heap[parent]] <= score[item]:
            break
        heap[position] = heap[parent]
        place[heap[position]] = position
        position = parent
    while True:
        child = 2 * position + 1
        if child >= size:
            break
        if child + 1 < size and score[heap[child + 1]] < score[heap[child]]:
            child += 1
        if score[heap[child]] >= score[item]:
            break
        heap[position] = heap[child]
        place[heap[position]] = position
        position = child
    heap[position] = item
    place[item] = position


@nb.njit(**BORROWS)
def pop(scratch: Scratch, size: int) -> int:
    """Take the first item off the heap and return the new size."""
    scratch.place[scratch.heap[0]] = -1
    size -= 1
    if size > 0:
        scratch.heap[0] = scratch.heap[size]
        scratch.place[scratch.heap[0]] = 0
        sift(scratch, size, 0)
    return size
