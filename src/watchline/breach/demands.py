"""Demands: what is asked of the probability of interruption, in the mean over states or in one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.model.defence import Defence, DefenceState
from watchline.physics.detection import with_remainder

FloatArray = npt.NDArray[np.float64]
ALL_STATES = "all states"


@dataclass(frozen=True)
class Demand:
    """``Σ weight_k · P_k ≥ required`` at every entry, k over the normal state and the named ones.

    Attributes
    ----------
    name : str
        The state that it speaks of, or :data:`ALL_STATES`.
    weights : tuple of float
        One a state of :func:`states_of`; they sum to 1.
    required : float
        Probability of interruption.
    """

    name: str
    weights: tuple[float, ...]
    required: float

    def mean(self, curves: list[FloatArray]) -> FloatArray:
        """The weighted curve; NaN where nobody can come in."""
        total = np.zeros_like(curves[0])
        for weight, curve in zip(self.weights, curves, strict=True):
            if weight > 0:
                total = total + weight * curve
        return total


def states_of(defence: Defence) -> tuple[DefenceState | None, ...]:
    """The normal state, which is None, and the named ones."""
    return (None, *defence.states)


def demands_of(defence: Defence) -> tuple[Demand, ...]:
    """What is required over all states, then in each state that has a figure of its own."""
    shares = [state.probability for state in defence.states]
    found = [
        Demand(ALL_STATES, (with_remainder(shares), *shares), defence.response.required),
    ]
    for k, state in enumerate(defence.states):
        if state.required is not None:
            alone = tuple(float(j == k + 1) for j in range(len(shares) + 1))
            found.append(Demand(state.name, alone, state.required))
    return tuple(found)
