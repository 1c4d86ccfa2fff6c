"""The linear relaxation of plain set covering, solved by HiGHS: exact prices.

Without fixed charges the row–mount cuts say nothing, and the relaxation is the textbook's. On some
ten thousand columns the simplex method needs seconds for what first-order steps only come near.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

from watchline.design.cover.exact import silent_solver
from watchline.design.cover.problem import CoverProblem


class ExactPrices:
    """The linear program of a plain problem, solved in a thread of its own.

    Parameters
    ----------
    problem : CoverProblem
        Plain set covering; see :func:`watchline.design.cover.weights.is_plain`.
    """

    def __init__(self, problem: CoverProblem) -> None:
        self._solver = solver = silent_solver()
        n_rows, n_columns, inf = problem.n_rows, problem.n_columns, highspy.kHighsInf
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n_columns, n_rows
        lp.col_cost_ = problem.costs
        lp.col_lower_, lp.col_upper_ = np.zeros(n_columns), np.full(n_columns, inf)
        lp.row_lower_, lp.row_upper_ = problem.demand.astype(float), np.full(n_rows, inf)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = problem.indptr.astype(np.int32)
        lp.a_matrix_.index_ = problem.indices
        lp.a_matrix_.value_ = np.ones(len(problem.indices))
        solver.passModel(lp)
        solver.HandleUserInterrupt = True
        solver.startSolve()
        self._over = False

    def over(self) -> bool:
        """Return whether it is solved, or has stopped."""
        self._over = self._over or self._solver.wait(0.0)[0]
        return self._over

    def stop(self) -> NDArray[np.float64] | None:
        """Stop it.

        Returns
        -------
        ndarray of float64, shape (n_rows,) or None
            The price of each row, at least 0; None if it had not been solved.
        """
        while not self.over():
            self._solver.cancelSolve()
            self._solver.wait(0.01)
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.maximum(np.asarray(self._solver.getSolution().row_dual, float), 0.0)
