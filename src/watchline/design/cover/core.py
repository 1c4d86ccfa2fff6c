"""The core of a long problem: the few rows that tell where columns are needed.

A choice that covers the rows with a price covers nearly all others along with them. The search
moves on these rows alone, which makes its steps many times cheaper, and takes in the rows that its
best choices leave open, until they leave none (row generation, as for a relaxation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.layout import Layout
from watchline.design.cover.part import part_of
from watchline.design.cover.state import State, add_column, make_state

TAKEN = 6
"""One of so many rows that a choice leaves open is taken into the core: neighbours go together."""
FEWEST = 40
"""At least so many are taken, or all."""


class Core:
    """The rows of the core, and states of the search on them.

    Parameters
    ----------
    ground : Layout
        The problem in atoms, of all rows.
    weight : ndarray of int64, shape (n_rows,)
        Search weight of each row.
    allowed : ndarray of float64, shape (n_classes,)
        Row weight that may stay uncovered, per class: less than any row's.
    rows : ndarray of int
        First rows, in rising order.
    """

    def __init__(
        self,
        ground: Layout,
        weight: NDArray[np.int64],
        allowed: NDArray[np.float64],
        rows: NDArray[np.intp],
    ) -> None:
        self.ground, self.weight, self.allowed = ground, weight, allowed
        self.rows = rows
        self.layout = part_of(ground, rows)
        self._taken: list[NDArray[np.intp]] = []

    @property
    def step_work(self) -> float:
        """Work of taking rows in, in million steps."""
        return len(self.ground.atom_row) / 1e6

    def take(self, open_rows: NDArray[np.intp], random: NDArray[np.uint64]) -> None:
        """Take some of the rows that a choice leaves open into the core.

        Parameters
        ----------
        open_rows : ndarray of int
            The rows.
        random : ndarray of uint64, shape (1,)
            State of the random numbers; read only.
        """
        most = max(FEWEST, len(open_rows) // TAKEN)
        picked = np.random.default_rng(int(random[0])).permutation(open_rows)[:most]
        self._taken.append(picked)
        self.rows = np.union1d(self.rows, picked).astype(np.intp)
        self.layout = part_of(self.ground, self.rows)

    def latest(self, count: int) -> NDArray[np.intp]:
        """Return the rows that were taken last: those that good choices leave open.

        Parameters
        ----------
        count : int
            How many at most.

        Returns
        -------
        ndarray of int
            In rising order.
        """
        taken = np.concatenate([np.zeros(0, np.intp), *self._taken])
        return np.sort(taken[max(0, len(taken) - count) :])

    def state_of(self, chosen: NDArray[np.bool_], old: State) -> State:
        """Return the search's state on the core's rows.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_columns,)
            Columns of the ground.
        old : State
            Its work and random numbers go on.

        Returns
        -------
        State
        """
        return _filled(self.layout, self.weight[self.rows], self.allowed, chosen, old)

    def whole_state(self, chosen: NDArray[np.bool_], old: State) -> State:
        """Return the state of a choice on all rows, with no work done.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_columns,)
            Columns of the ground.
        old : State
            Its random numbers go on.

        Returns
        -------
        State
        """
        state = _filled(self.ground, self.weight, self.allowed, chosen, old)
        state.work[:] = 0
        return state


def _filled(
    layout: Layout,
    weight: NDArray[np.int64],
    allowed: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    old: State,
) -> State:
    state = make_state(layout, weight, np.ones(len(weight), bool), allowed, 0)
    for column in np.flatnonzero(chosen):
        add_column(layout, state, column)
    state.work[:], state.random[:] = old.work, old.random
    return state
