"""Shortest paths on the same grid by other means: a plain numba Dijkstra, SciPy, networkx."""

from __future__ import annotations

import heapq
import itertools
import time

import numpy as np
from numba import njit
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

MOVES = [
    (i, j)
    for i, j in itertools.product(range(-2, 3), repeat=2)
    if abs(i) + abs(j) == 1 or abs(i * j) in (1, 2)
]


@njit(cache=True)
def plain_dijkstra(density, start, cell_m):
    """Least cost to each cell by a binary heap with stale entries, sixteen moves, cost by ends."""
    rows, cols = density.shape
    down = np.array([0, 0, 1, -1, 1, 1, -1, -1, 2, 2, -2, -2, 1, 1, -1, -1])
    right = np.array([1, -1, 0, 0, 1, -1, 1, -1, 1, -1, 1, -1, 2, -2, 2, -2])
    length = np.sqrt(down * down + right * right) * cell_m
    value = start.copy().ravel()
    flat = density.ravel()
    done = np.zeros(value.size, dtype=np.bool_)
    heap = [(0.0, 0)]
    heap.pop()
    for u in range(value.size):
        if value[u] < np.inf:
            heapq.heappush(heap, (value[u], u))
    while heap:
        cost, u = heapq.heappop(heap)
        if done[u]:
            continue
        done[u] = True
        i, j = u // cols, u % cols
        for m in range(16):
            k, l = i + down[m], j + right[m]
            if k < 0 or k >= rows or l < 0 or l >= cols:
                continue
            v = k * cols + l
            if done[v]:
                continue
            new = cost + 0.5 * (flat[u] + flat[v]) * length[m]
            if new < value[v]:
                value[v] = new
                heapq.heappush(heap, (new, v))
    return value.reshape(rows, cols)


def grid_edges(density: np.ndarray, cell_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends and cost of every move, each direction once."""
    rows, cols = density.shape
    number = np.arange(rows * cols).reshape(rows, cols)
    ends_a, ends_b, costs = [], [], []
    for down, right in MOVES:
        i, j = max(0, -down), max(0, -right)
        here = (slice(i, i + rows - abs(down)), slice(j, j + cols - abs(right)))
        there = tuple(
            slice(s.start + d, s.stop + d) for s, d in zip(here, (down, right), strict=True)
        )
        mean = 0.5 * (density[here] + density[there])
        ends_a.append(number[here].ravel())
        ends_b.append(number[there].ravel())
        costs.append((mean * cell_m * np.hypot(down, right)).ravel())
    return np.concatenate(ends_a), np.concatenate(ends_b), np.concatenate(costs)


def scipy_spread(density: np.ndarray, starts: list[tuple[int, float]], cell_m: float) -> tuple:
    """Least cost from starts with offsets, over a source beside the grid; values and CPU seconds.

    The graph's assembly counts: a hazard is another graph for every plan.
    """
    begin = time.process_time()
    a, b, cost = grid_edges(density, cell_m)
    low = min(offset for _, offset in starts)
    nodes = np.array([node for node, _ in starts])
    # SciPy takes an explicit zero for no edge: a small cost stands for it.
    extra = np.array([offset - low for _, offset in starts]) + 1e-9
    source = density.size
    graph = coo_matrix(
        (
            np.concatenate([cost, extra]),
            (np.concatenate([a, np.full(nodes.size, source)]), np.concatenate([b, nodes])),
        ),
        shape=(source + 1, source + 1),
    ).tocsr()
    built = time.process_time()
    value = dijkstra(graph, indices=source)[:-1].reshape(density.shape) + low
    end = time.process_time()
    return value, end - begin, end - built


def networkx_spread(density: np.ndarray, starts: list[tuple[int, float]], cell_m: float) -> tuple:
    """The same by networkx; values and CPU seconds, or None where it is not installed."""
    try:
        import networkx
    except ImportError:
        return None, 0.0
    a, b, cost = grid_edges(density, cell_m)
    low = min(offset for _, offset in starts)
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from(zip(a.tolist(), b.tolist(), cost.tolist(), strict=True))
    graph.add_weighted_edges_from((-1, node, offset - low) for node, offset in starts)
    begin = time.process_time()
    found = networkx.single_source_dijkstra_path_length(graph, -1)
    seconds = time.process_time() - begin
    value = np.array([found[k] for k in range(density.size)]).reshape(density.shape) + low
    return value, seconds
