"""The row–mount linear relaxation solved by a restarted first-order method (numba).

Primal-dual hybrid gradient with diagonal preconditioning (Pock & Chambolle, ICCV 2011),
reflected Halpern steps and restarts on the fixed-point residual (Lu & Yang, 2024). It needs two
passes over the row–atom pairs an iteration and no factorisation. Its inner accuracy does not
matter for the bound, which :func:`watchline.design.cover.dual.bound_of` takes from the prices.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices
from watchline.design.cover.layout import Layout

LOOK = 4.0
"""Steps between two looks at the residual, which costs a fifth of a step."""


class Iterate(NamedTuple):
    """Primal and dual values of the relaxation.

    Attributes
    ----------
    y, x, z, u : ndarray of float64
        Groups opened, columns chosen, counted views per atom, rows left uncovered.
    row, atom, mount, miss, site : ndarray of float64
        λ, σ, the prices of ``z ≤ e y``, μ, and the prices of the sites.
    """

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    z: NDArray[np.float64]
    u: NDArray[np.float64]
    row: NDArray[np.float64]
    atom: NDArray[np.float64]
    mount: NDArray[np.float64]
    miss: NDArray[np.float64]
    site: NDArray[np.float64]


def make_iterate(layout: Layout, n_classes: int) -> Iterate:
    """Return the iterate of zeros for a layout.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    n_classes : int
        Number of row classes.

    Returns
    -------
    Iterate
    """
    n_groups, n_atoms, n_rows = len(layout.fixed), len(layout.atom_group), len(layout.demand)
    return Iterate(
        y=np.zeros(n_groups),
        x=np.zeros(len(layout.cost)),
        z=np.zeros(n_atoms),
        u=np.zeros(n_rows),
        row=np.zeros(n_rows),
        atom=np.zeros(n_atoms),
        mount=np.zeros(n_atoms),
        miss=np.zeros(n_classes),
        site=np.zeros(int(layout.site.max(initial=-1)) + 1),
    )


@nb.njit(cache=True, nogil=True)
def _steps(layout: Layout, allowed: NDArray, tau: Iterate) -> None:
    """Fill ``tau`` with the preconditioned step of every primal and dual value."""
    for group in range(len(layout.fixed)):
        total = 1e-9
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            total += layout.atom_cap[atom]
        if layout.site[group] >= 0:
            total += 1.0
            tau.site[layout.site[group]] += 1.0
        tau.y[group] = 1.0 / total
    tau.site[:] = 1.0 / np.maximum(tau.site, 1.0)
    for column in range(len(layout.cost)):
        links = layout.column_start[column + 1] - layout.column_start[column]
        tau.x[column] = 1.0 / max(links, 1)
    for atom in range(len(layout.atom_group)):
        rows = layout.atom_start[atom + 1] - layout.atom_start[atom]
        tau.z[atom] = 1.0 / (rows + 2.0)
        members = layout.member_start[atom + 1] - layout.member_start[atom]
        # An atom without columns counts its group alone: no column is asked to pay for it.
        tau.atom[atom] = 1.0 / (members + 1.0) if members > 0 else 0.0
        tau.mount[atom] = 1.0 / (layout.atom_cap[atom] + 1.0)
    for row in range(len(layout.demand)):
        kind = layout.row_class[row]
        total = max(1.0 * (layout.row_start[row + 1] - layout.row_start[row]), 1.0)
        if allowed[kind] > 0.0:
            total += layout.demand[row]
            tau.miss[kind] += layout.row_weight[row]
            tau.u[row] = 1.0 / max(layout.demand[row] + layout.row_weight[row], 1e-9)
        tau.row[row] = 1.0 / total
    tau.miss[:] = 1.0 / np.maximum(tau.miss, 1e-9)


class _Places(NamedTuple):
    """Where the entries of the layout's lists belong, and sums on the way.

    Every list is walked flat, and adds to places that differ from one entry to the next: short
    inner loops would be mispredicted, and repeated places wait for one another.

    Attributes
    ----------
    pair_atom, pair_row, view_atom, link_column, link_atom, member_atom, member_column
        Both ends of each entry of the layout's ``atom_row``, ``row_atom`` (the rows aside),
        ``column_atom`` and ``member_column``. Unsigned: no place is looked at from the end.
    column, atom, seen, row : ndarray of float64
        Sums for each column, atom (twice) and row.
    """

    pair_atom: NDArray[np.uint32]
    pair_row: NDArray[np.uint32]
    view_atom: NDArray[np.uint32]
    link_column: NDArray[np.uint32]
    link_atom: NDArray[np.uint32]
    member_atom: NDArray[np.uint32]
    member_column: NDArray[np.uint32]
    column: NDArray[np.float64]
    atom: NDArray[np.float64]
    seen: NDArray[np.float64]
    row: NDArray[np.float64]


def _places(layout: Layout) -> _Places:
    n_atoms, n_columns = len(layout.atom_group), len(layout.cost)
    atoms, columns = np.arange(n_atoms, dtype=np.uint32), np.arange(n_columns, dtype=np.uint32)
    return _Places(
        pair_atom=np.repeat(atoms, np.diff(layout.atom_start)),
        pair_row=layout.atom_row.view(np.uint32),
        view_atom=layout.row_atom.view(np.uint32),
        link_column=np.repeat(columns, np.diff(layout.column_start)),
        link_atom=layout.column_atom.view(np.uint32),
        member_atom=np.repeat(atoms, np.diff(layout.member_start)),
        member_column=layout.member_column.view(np.uint32),
        column=np.empty(n_columns),
        atom=np.empty(n_atoms),
        seen=np.empty(n_atoms),
        row=np.empty(len(layout.demand)),
    )


@nb.njit(cache=True, nogil=True)
def _map(
    layout: Layout,
    at: _Places,
    allowed: NDArray,
    now: Iterate,
    tau: Iterate,
    omega: float,
    out: Iterate,
) -> None:
    """One primal-dual step from ``now`` to ``out``."""
    per_omega = 1.0 / omega
    n_groups, n_rows = len(layout.fixed), len(layout.demand)
    for group in range(n_groups):
        cost = layout.fixed[group]
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            cost -= layout.atom_cap[atom] * now.mount[atom]
        if layout.site[group] >= 0:
            cost += now.site[layout.site[group]]
        out.y[group] = min(1.0, max(0.0, now.y[group] - tau.y[group] * per_omega * cost))
    at.column[:] = layout.cost
    for t in range(len(at.member_column)):
        at.column[at.member_column[t]] -= now.atom[at.member_atom[t]]
    for column in range(len(layout.cost)):
        x = min(1.0, max(0.0, now.x[column] - tau.x[column] * per_omega * at.column[column]))
        out.x[column] = x
        at.column[column] = 2.0 * x - now.x[column]
    at.seen[:] = 0.0
    for link in range(len(at.link_atom)):
        at.seen[at.link_atom[link]] += at.column[at.link_column[link]]
    at.atom[:] = 0.0
    for row in range(n_rows):
        price = now.row[row]
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            at.atom[at.view_atom[q]] += price
    for group in range(n_groups):
        given = 2.0 * out.y[group] - now.y[group]
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            cost = now.atom[atom] + now.mount[atom] - at.atom[atom]
            z = now.z[atom] - tau.z[atom] * per_omega * cost
            z = min(1.0 * layout.atom_cap[atom], max(0.0, z))
            out.z[atom] = z
            ahead = 2.0 * z - now.z[atom]
            at.atom[atom] = ahead
            step = omega * tau.mount[atom] * (ahead - layout.atom_cap[atom] * given)
            out.mount[atom] = max(0.0, now.mount[atom] + step)
            step = omega * tau.atom[atom] * (ahead - at.seen[atom])
            out.atom[atom] = max(0.0, now.atom[atom] + step)
    at.row[:] = 0.0
    for p in range(len(at.pair_row)):
        at.row[at.pair_row[p]] += at.atom[at.pair_atom[p]]
    missed = np.zeros(len(allowed))
    for row in range(n_rows):
        lack = 1.0 * layout.demand[row] - at.row[row]
        kind = layout.row_class[row]
        if allowed[kind] > 0.0:
            cost = layout.row_weight[row] * now.miss[kind] - layout.demand[row] * now.row[row]
            out.u[row] = min(1.0, max(0.0, now.u[row] - tau.u[row] * per_omega * cost))
            ahead = 2.0 * out.u[row] - now.u[row]
            lack -= layout.demand[row] * ahead
            missed[kind] += layout.row_weight[row] * ahead
        out.row[row] = max(0.0, now.row[row] + omega * tau.row[row] * lack)
    for kind in range(len(allowed)):
        price = now.miss[kind] + omega * tau.miss[kind] * (missed[kind] - allowed[kind])
        out.miss[kind] = max(0.0, price)
    used = np.zeros(len(now.site))
    for group in range(n_groups):
        if layout.site[group] >= 0:
            used[layout.site[group]] += 2.0 * out.y[group] - now.y[group]
    for site in range(len(used)):
        out.site[site] = max(0.0, now.site[site] + omega * tau.site[site] * (used[site] - 1.0))


@nb.njit(cache=True, nogil=True)
def _distance(a: NDArray, b: NDArray, tau: NDArray) -> float:
    total = 0.0
    for i in range(len(a)):
        if tau[i] > 0.0:
            total += (a[i] - b[i]) ** 2 / tau[i]
    return total


@nb.njit(cache=True, nogil=True)
def _halpern(now: NDArray, out: NDArray, anchor: NDArray, share: float) -> None:
    for i in range(len(now)):
        now[i] = share * (2.0 * out[i] - now[i]) + (1.0 - share) * anchor[i]


@nb.njit(cache=True, nogil=True)
def _relax(
    layout: Layout,
    at: _Places,
    allowed: NDArray,
    now: Iterate,
    out: Iterate,
    anchor: Iterate,
    tau: Iterate,
    memory: NDArray,
    steps: int,
) -> None:
    """The steps of :func:`relax`."""
    if memory[4] == 0.0:
        _steps(layout, allowed, tau)
    for _ in range(steps):
        omega = memory[0]
        _map(layout, at, allowed, now, tau, omega, out)
        memory[4] += 1.0
        count = memory[1]
        restart = False
        if count % LOOK == 0.0:
            primal = _distance(now.y, out.y, tau.y) + _distance(now.x, out.x, tau.x)
            primal += _distance(now.z, out.z, tau.z) + _distance(now.u, out.u, tau.u)
            dual = _distance(now.row, out.row, tau.row) + _distance(now.atom, out.atom, tau.atom)
            dual += _distance(now.mount, out.mount, tau.mount)
            dual += _distance(now.miss, out.miss, tau.miss)
            dual += _distance(now.site, out.site, tau.site)
            residual = np.sqrt(omega * primal + dual / omega)
            if count == 0.0:
                memory[2] = residual
            restart = count > 0.0 and (
                residual <= 0.2 * memory[2]
                or (residual <= 0.8 * memory[2] and residual > memory[3])
                or count >= 0.36 * memory[4]
            )
            memory[3] = residual
        if restart:
            primal = _distance(anchor.y, out.y, tau.y) + _distance(anchor.x, out.x, tau.x)
            primal += _distance(anchor.z, out.z, tau.z) + _distance(anchor.u, out.u, tau.u)
            dual = _distance(anchor.row, out.row, tau.row)
            dual += _distance(anchor.atom, out.atom, tau.atom)
            dual += _distance(anchor.mount, out.mount, tau.mount)
            dual += _distance(anchor.miss, out.miss, tau.miss)
            dual += _distance(anchor.site, out.site, tau.site)
            if primal > 1e-20 and dual > 1e-20:
                memory[0] = np.exp(0.5 * np.log(np.sqrt(dual / primal)) + 0.5 * np.log(omega))
            for a, b, c in (
                (now.y, out.y, anchor.y),
                (now.x, out.x, anchor.x),
                (now.z, out.z, anchor.z),
                (now.u, out.u, anchor.u),
                (now.row, out.row, anchor.row),
                (now.atom, out.atom, anchor.atom),
                (now.mount, out.mount, anchor.mount),
                (now.miss, out.miss, anchor.miss),
                (now.site, out.site, anchor.site),
            ):
                a[:] = b
                c[:] = b
            memory[1] = 0.0
            continue
        share = (count + 1.0) / (count + 2.0)
        for a, b, c in (
            (now.y, out.y, anchor.y),
            (now.x, out.x, anchor.x),
            (now.z, out.z, anchor.z),
            (now.u, out.u, anchor.u),
            (now.row, out.row, anchor.row),
            (now.atom, out.atom, anchor.atom),
            (now.mount, out.mount, anchor.mount),
            (now.miss, out.miss, anchor.miss),
            (now.site, out.site, anchor.site),
        ):
            _halpern(a, b, c, share)
        memory[1] += 1.0


def relax(
    layout: Layout,
    allowed: NDArray,
    now: Iterate,
    out: Iterate,
    anchor: Iterate,
    tau: Iterate,
    memory: NDArray,
    steps: int,
) -> None:
    """Run a number of steps; ``out`` then holds the last plain primal-dual step.

    Parameters
    ----------
    layout : Layout
        The problem in atoms.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class.
    now, out, anchor, tau : Iterate
        The iterate, its image, the anchor of the restart and the step sizes.
    memory : ndarray of float64, shape (5,)
        Primal weight ω, steps since the restart, residual at the restart, residual before, all
        steps: carried from call to call.
    steps : int
        Number of steps.
    """
    _relax(layout, _places(layout), allowed, now, out, anchor, tau, memory, steps)


def prices_of(iterate: Iterate) -> Prices:
    """Return copies of the prices of an iterate.

    Parameters
    ----------
    iterate : Iterate
        The iterate.

    Returns
    -------
    Prices
    """
    return Prices(iterate.row.copy(), iterate.atom.copy(), iterate.miss.copy())
