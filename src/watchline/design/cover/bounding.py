"""The lower bound as it grows: working rows, their relaxation, and the best prices so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numba as nb
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.dual import Prices, ascend, bound_of
from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of
from watchline.design.cover.problem import CoverProblem
from watchline.design.cover.relaxation import Iterate, make_iterate, prices_of, relax


@nb.njit(cache=True, nogil=True)
def views_of(layout: Layout, y: NDArray, x: NDArray) -> NDArray:
    """Return the fractional views of every row."""
    z = np.zeros(len(layout.atom_group))
    for atom in range(len(z)):
        seen = 0.0
        for t in range(layout.member_start[atom], layout.member_start[atom + 1]):
            seen += x[layout.member_column[t]]
        z[atom] = min(seen, layout.atom_cap[atom] * y[layout.atom_group[atom]])
    views = np.zeros(len(layout.demand))
    for row in range(len(views)):
        for q in range(layout.row_start[row], layout.row_start[row + 1]):
            views[row] += z[layout.row_atom[q]]
    return views


@nb.njit(cache=True, nogil=True)
def carry(
    old: Layout, new: Layout, place: NDArray, now: Iterate, out: Iterate, atoms_only: bool
) -> None:
    """Carry an iterate over to a layout with more rows (an atom keeps its columns)."""
    for row in range(len(old.demand)):
        target = place[row]
        if not atoms_only:
            out.row[target] = now.row[row]
            out.u[target] = now.u[row]
        for t in range(old.row_start[row + 1] - old.row_start[row]):
            a = old.row_atom[old.row_start[row] + t]
            b = new.row_atom[new.row_start[target] + t]
            out.atom[b] = now.atom[a]
            out.mount[b] = now.mount[a]
            out.z[b] = now.z[a]


@dataclass
class Bounder:
    """The best bound so far and what is needed to raise it.

    Attributes
    ----------
    problem : CoverProblem
        The whole problem.
    layout : Layout
        Its atoms.
    allowed : ndarray of float64
        Row weight that may stay uncovered, per class (in budget mode a guess that is improved).
    rows : ndarray of int
        Working rows.
    seed : int
        Seed of the order of the price ascent.
    bound : float
        Best bound of the cost (in budget mode: least uncovered weight).
    prices : Prices
        Prices of the best bound, on the working rows' layout.
    price_rows : ndarray of int
        Working rows to which ``prices`` belong.
    price_layout : Layout
        Layout to which ``prices`` belong.
    work : float
        Steps done, in millions.
    """

    problem: CoverProblem
    layout: Layout
    allowed: NDArray[np.float64]
    rows: NDArray[np.intp]
    seed: int = 0
    bound: float = -np.inf
    work: float = 0.0
    prices: Prices | None = None
    price_rows: NDArray[np.intp] | None = None
    price_layout: Layout | None = None
    part: Layout = field(init=False)
    iterates: list[Iterate] = field(init=False)
    memory: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self._build(None)

    def _build(self, previous: tuple[Layout, Iterate, NDArray[np.intp]] | None) -> None:
        self.part = part_of(self.layout, self.rows)
        classes = len(self.allowed)
        self.iterates = [make_iterate(self.part, classes) for _ in range(4)]
        self.work += len(self.layout.atom_row) / 1e6
        now, _, anchor, _ = self.iterates
        omega = float(np.median(self.problem.costs)) if self.problem.n_columns else 0.0
        omega = max(1e-6, omega)
        if previous is not None:
            old, last, rows = previous
            place = np.searchsorted(self.rows, rows)
            for target in (now, anchor):
                target.y[:], target.x[:] = last.y, last.x
                target.miss[:], target.site[:] = last.miss, last.site
                carry(old, self.part, place, last, target, False)
            omega = float(self.memory[0])
        self.memory = np.array([omega, 0.0, 0.0, 0.0, 0.0])

    @property
    def step_work(self) -> float:
        """Work of one step of the relaxation, in millions."""
        part = self.part
        links = 3 * len(part.column_atom) + 6 * len(part.atom_group)
        return (500 + 2 * len(part.atom_row) + links) / 1e6

    @property
    def settled(self) -> bool:
        """Whether the relaxation is solved as far as floating point can tell."""
        return self.memory[4] > 1000 and self.memory[3] <= 1e-7

    def advance(self, steps: int) -> None:
        """Run some steps of the relaxation and keep the prices if their bound is better.

        Parameters
        ----------
        steps : int
            Number of steps.
        """
        now, out, anchor, tau = self.iterates
        relax(self.part, self.allowed, now, out, anchor, tau, self.memory, steps)
        self.work += steps * self.step_work
        self._judge(prices_of(out))

    def _judge(self, raw: Prices) -> None:
        part = self.part
        miss = raw.miss.copy()
        if self.problem.budget is not None:
            miss = np.maximum(miss, 1e-9)
        limited = (self.allowed[part.row_class] > 0) & (part.demand > 0)
        limit = np.full(len(part.demand), np.inf)
        limit[limited] = (miss[part.row_class] * part.row_weight)[limited] / part.demand[limited]
        row, atom = raw.row.copy(), raw.atom.copy()
        order = np.random.default_rng(self.seed).permutation(len(row))
        self.work += 4 * len(part.atom_row) / 1e6
        ascend(part, row, atom, limit, order)
        for prices in (Prices(row, atom, miss), Prices(raw.row, raw.atom, miss)):
            if self.problem.budget is None:
                value = bound_of(part, prices, self.allowed)
            else:
                value = self._missed(prices)
            self._keep(prices, value)

    def _keep(self, prices: Prices, value: float) -> None:
        """Keep prices on the working rows if what they prove is better."""
        if value > self.bound:
            self.bound = value
            self.prices, self.price_rows, self.price_layout = prices, self.rows, self.part

    def offer(self, row_price: NDArray[np.float64]) -> None:
        """Keep prices of rows if their bound is better, where groups have no fixed costs.

        Parameters
        ----------
        row_price : ndarray of float64, shape (n_rows,)
            A price for every row of the problem; those of the working rows are read.
        """
        part, row = self.part, row_price[self.rows]
        spans = np.diff(part.atom_start)
        atom = np.repeat(np.arange(len(spans)), spans)
        # What an atom's rows pay goes to its columns, none to a mount.
        atom_price = np.bincount(atom, row[part.atom_row], len(spans))
        prices = Prices(row, atom_price, np.zeros(len(self.allowed)))
        self.work += len(part.atom_row) / 1e6
        self._keep(prices, bound_of(part, prices, self.allowed))

    def _missed(self, prices: Prices) -> float:
        """Return the least row weight that the budget leaves uncovered, by these prices.

        With the miss price μ, cost + μ · missed ≥ D(μ) for every choice, so that
        missed ≥ (D(μ) − budget) / μ.
        """
        tiny = np.full(len(self.allowed), 1e-300)
        cost = bound_of(self.part, prices, tiny)
        missed = (cost - float(self.problem.budget or 0.0)) / float(prices.miss[0])
        return missed * (1 - 1e-15) if missed > 0 else missed

    def add_rows(self, most: int) -> int:
        """Add the rows that the present relaxed choice violates most.

        Parameters
        ----------
        most : int
            The most rows to add.

        Returns
        -------
        int
            Number of rows added.
        """
        out = self.iterates[1]
        views = views_of(self.layout, out.y, out.x)
        self.work += len(self.layout.atom_row) / 1e6
        demand = self.problem.demand
        lack = (demand - views) / np.maximum(demand, 1)
        lack[self.rows] = 0.0
        soft = self.allowed[self.problem.row_class] > 0
        wrong = np.flatnonzero((lack > 0.02) | (soft & (lack > 0.5)))
        if len(wrong) > most:
            # Half the most violated, half at random: neighbours tend to be violated together.
            rank = wrong[np.argsort(-lack[wrong], kind="stable")]
            rest = np.random.default_rng(len(self.rows)).permutation(rank[most // 2 :])
            wrong = np.concatenate([rank[: most // 2], rest[: most - most // 2]])
        if len(wrong):
            previous = (self.part, self.iterates[0], self.rows)
            self.iterates = []
            self.rows = np.sort(np.concatenate([self.rows, wrong]))
            self._build(previous)
        return len(wrong)

    def conclude(self) -> None:
        """Give up all layouts, and with them what could raise the bound further."""
        self.layout = self.part = self.price_layout = None
        self.iterates = []

    def guess_miss(self) -> None:
        """In budget mode, move the allowed weight to what the present prices say (Newton)."""
        self.allowed = np.maximum(np.array([self.bound]), 1e-9)
