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


@nb.njit(cache=True, nogil=True)
def _map(
    layout: Layout, allowed: NDArray, now: Iterate, tau: Iterate, omega: float, out: Iterate
) -> None:
    """One primal-dual step from ``now`` to ``out``."""
    n_groups, n_atoms = len(layout.fixed), len(layout.atom_group)
    for group in range(n_groups):
        cost = layout.fixed[group]
        for atom in range(layout.atom_first[group], layout.atom_first[group + 1]):
            cost -= layout.atom_cap[atom] * now.mount[atom]
        if layout.site[group] >= 0:
            cost += now.site[layout.site[group]]
        out.y[group] = min(1.0, max(0.0, now.y[group] - tau.y[group] / omega * cost))
    for column in range(len(layout.cost)):
        cost = layout.cost[column]
        for link in range(layout.column_start[column], layout.column_start[column + 1]):
            cost -= now.atom[layout.column_atom[link]]
        out.x[column] = min(1.0, max(0.0, now.x[column] - tau.x[column] / omega * cost))
    for atom in range(n_atoms):
        cost = now.atom[atom] + now.mount[atom]
        for p in range(layout.atom_start[atom], layout.atom_start[atom + 1]):
            cost -= now.row[layout.atom_row[p]]
        z = now.z[atom] - tau.z[atom] / omega * cost
        z = min(1.0 * layout.atom_cap[atom], max(0.0, z))
        out.z[atom] = z
        ahead = 2.0 * z - now.z[atom]
        group = layout.atom_group[atom]
        given = layout.atom_cap[atom] * (2.0 * out.y[group] - now.y[group])
        price = now.mount[atom] + omega * tau.mount[atom] * (ahead - given)
        out.mount[atom] = max(0.0, price)
        seen = 0.0
        for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
            column = layout.member_column[t]
            seen += 2.0 * out.x[column] - now.x[column]
        out.atom[atom] = max(0.0, now.atom[atom] + omega * tau.atom[atom] * (ahead - seen))
    missed = np.zeros(len(allowed))
    for row in range(len(layout.demand)):
        lack = 1.0 * layout.demand[row]
        kind = layout.row_class[row]
        if allowed[kind] > 0.0:
            cost = layout.row_weight[row] * now.miss[kind] - layout.demand[row] * now.row[row]
            out.u[row] = min(1.0, max(0.0, now.u[row] - tau.u[row] / omega * cost))
            ahead = 2.0 * out.u[row] - now.u[row]
            lack -= layout.demand[row] * ahead
            missed[kind] += layout.row_weight[row] * ahead
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            atom = layout.row_atom[q]
            lack -= 2.0 * out.z[atom] - now.z[atom]
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
    if memory[4] == 0.0:
        _steps(layout, allowed, tau)
    for _ in range(steps):
        omega = memory[0]
        _map(layout, allowed, now, tau, omega, out)
        primal = _distance(now.y, out.y, tau.y) + _distance(now.x, out.x, tau.x)
        primal += _distance(now.z, out.z, tau.z) + _distance(now.u, out.u, tau.u)
        dual = _distance(now.row, out.row, tau.row) + _distance(now.atom, out.atom, tau.atom)
        dual += _distance(now.mount, out.mount, tau.mount)
        dual += _distance(now.miss, out.miss, tau.miss) + _distance(now.site, out.site, tau.site)
        residual = np.sqrt(omega * primal + dual / omega)
        memory[4] += 1.0
        if memory[1] == 0.0:
            memory[2] = residual
        count = memory[1]
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
