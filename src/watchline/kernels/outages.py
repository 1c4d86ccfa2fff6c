"""What single and double losses cost, from who sees each class of cells.

A *class* is a set of cells that are seen by the same devices for the same requirement. With
``k(S)`` = 1 where the loss of the set S leaves the class short, the ground that the loss of a and b
costs is ``L(a) + L(b) + D(a, b)``, ``L`` the sums of ``w·k({a})`` and ``D`` those of
``w·(k({a, b}) − k({a}) − k({b}))`` over classes. ``D`` is not 0 only where both touch the class:
so the work follows the classes' own elements and not all pairs.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def single_and_double(start, view_mount, needed, weight, touch_start, touch, hit_start, hit, size):
    """Weights lost to each element, and what each pair adds to the sum of its two.

    Parameters
    ----------
    start : int64 array [classes + 1]
        Views of a class: from here to the next; those of one mount lie together.
    view_mount : int64 array [views]
        Mount of each view.
    needed : int64 array [classes]
        Views from different mounts that are needed.
    weight : float64 array [classes]
        Weight, such as area.
    touch_start : int64 array [classes + 1]
        Elements that touch a class: from here to the next.
    touch : int64 array [touches]
        Their numbers, rising within a class.
    hit_start : int64 array [touches + 1]
        Views of the class that each of them puts out: from here to the next.
    hit : int64 array [hits]
        Their places among the class's views.
    size : int
        Number of elements.

    Returns
    -------
    single : float64 array [size]
    double : float64 array [size, size]
        Upper triangle.
    """
    single = np.zeros(size)
    double = np.zeros((size, size))
    longest = 0
    for c in range(needed.size):
        longest = max(longest, start[c + 1] - start[c])
    gone = np.zeros(longest, np.int64)
    for c in range(needed.size):
        views = view_mount[start[c] : start[c + 1]]
        first, last = touch_start[c], touch_start[c + 1]
        dies = np.zeros(last - first, np.bool_)
        for i in range(first, last):
            for h in range(hit_start[i], hit_start[i + 1]):
                gone[hit[h]] += 1
            dies[i - first] = _mounts_left(views, gone) < needed[c]
            if dies[i - first]:
                single[touch[i]] += weight[c]
            for j in range(first, i):
                if dies[i - first] and dies[j - first]:
                    double[touch[j], touch[i]] -= weight[c]
                elif not dies[i - first] and not dies[j - first]:
                    for h in range(hit_start[j], hit_start[j + 1]):
                        gone[hit[h]] += 1
                    if _mounts_left(views, gone) < needed[c]:
                        double[touch[j], touch[i]] += weight[c]
                    for h in range(hit_start[j], hit_start[j + 1]):
                        gone[hit[h]] -= 1
            for h in range(hit_start[i], hit_start[i + 1]):
                gone[hit[h]] -= 1
    return single, double


@njit(cache=True)
def short_weight(start, view, view_mount, needed, weight, out, group, groups):
    """Weight of the classes that are left short when some devices are out, by group.

    Parameters
    ----------
    start, view_mount, needed, weight
        As in :func:`single_and_double`.
    view : int64 array [views]
        Device of each view.
    out : bool array [devices]
        Devices that are out.
    group : int64 array [classes]
        Group of each class, such as its requirement.
    groups : int
        Number of groups.
    """
    found = np.zeros(groups)
    for c in range(needed.size):
        left, before = 0, -1
        for v in range(start[c], start[c + 1]):
            if not out[view[v]] and view_mount[v] != before:
                left += 1
                before = view_mount[v]
        if left < needed[c]:
            found[group[c]] += weight[c]
    return found


@njit(cache=True)
def _mounts_left(views, gone):
    left, before = 0, -1
    for v in range(views.size):
        if gone[v] == 0 and views[v] != before:
            left += 1
            before = views[v]
    return left
