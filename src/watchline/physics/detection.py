"""Detection of a walker by what watches him: rates, outages, common causes.

A device that has the walker in view detects him at a constant rate, so that the chance of none in a
time is ``e^(−∫γ dt)``. Rates of devices add up as long as their misses are independent, which is
optimistic; what fails together (fog, a power feeder, a trunk) is therefore never a factor of a
rate here, but a state of its own with its probability: see :func:`over_states`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def rate_per_s(probability: npt.ArrayLike, within_s: npt.ArrayLike) -> FloatArray:
    """Rate of detection that gives a probability within a time, ``γ = −ln(1 − p) / T`` [1/s].

    A walk test gives the two: 49 of 50 walkers detected within 10 s, say.

    Parameters
    ----------
    probability : array_like
        Probability of detection, 0 ≤ p < 1.
    within_s : array_like
        Time T in view, above 0 [s].

    Raises
    ------
    ValueError
        If a probability is not below 1 or a time not above 0.
    """
    p, t = np.asarray(probability, dtype=np.float64), np.asarray(within_s, dtype=np.float64)
    if not ((p >= 0) & (p < 1)).all():
        raise ValueError("a probability is not from 0 to below 1; nothing is detected surely")
    if not (t > 0).all():
        raise ValueError("a time is not above 0")
    return np.asarray(-np.log1p(-p) / t)


def graded_rate_per_s(
    density_px_m: npt.ArrayLike, grades_px_m: npt.ArrayLike, rates_per_s: npt.ArrayLike
) -> FloatArray:
    """Rate of one device by the pixel density with which it has the walker in view [1/s].

    The rate of the highest grade that the density reaches; nothing is credited between two grades
    or below the lowest.

    Parameters
    ----------
    density_px_m : array_like
        Density [px/m], 0 where he is not in view.
    grades_px_m : array_like [grades]
        Densities from which the rates hold, rising.
    rates_per_s : array_like [grades]
        The rates.
    """
    grades = np.asarray(grades_px_m, dtype=np.float64)
    if (np.diff(grades) <= 0).any():
        raise ValueError("the grades do not rise")
    rates = np.concatenate([[0.0], np.asarray(rates_per_s, dtype=np.float64)])
    # A density computed to equal a grade, equals it.
    reached = np.asarray(density_px_m, dtype=np.float64) * (1.0 + 1e-9)
    return np.asarray(rates[np.searchsorted(grades, reached, side="right")])


def detection_probability(hazard: npt.ArrayLike) -> FloatArray:
    """Probability of detection along a way, ``1 − e^(−∫γ dt)``, from the integral."""
    return np.asarray(-np.expm1(-np.asarray(hazard, dtype=np.float64)))


def availability(mtbf_s: float, mttr_s: float) -> float:
    """Share of time that a device works, ``MTBF / (MTBF + MTTR)``; any one unit of time."""
    if mtbf_s <= 0 or mttr_s < 0:
        raise ValueError("MTBF must be above 0 and MTTR at least 0")
    return mtbf_s / (mtbf_s + mttr_s)


def outage_hazard(hazard: npt.ArrayLike, available: npt.ArrayLike) -> FloatArray:
    """Hazard of one device over a whole way when it may be out for all of it.

    ``−ln(1 − a + a·e^(−H))``: an outage lasts longer than a crossing, so that the miss is that of
    a mixture. It never exceeds ``−ln(1 − a)``, however long the walker is in view; a rate times
    ``a`` would.

    Parameters
    ----------
    hazard : array_like
        Integral H of the device's rate along the way.
    available : array_like
        Share a of time that it works.
    """
    h, a = np.asarray(hazard, dtype=np.float64), np.asarray(available, dtype=np.float64)
    # log1p(a expm1(-H)) is -inf only for a = 1 and H = inf: then the detection is sure.
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(a * np.expm1(-h)))


def outage_factor(available: npt.ArrayLike, most_hazard: float) -> FloatArray:
    """Factor on a device's rate that never credits more than :func:`outage_hazard`.

    The curve of :func:`outage_hazard` is concave in H, so that up to H = `most_hazard` it lies
    above its chord, whose slope this is. A way with more hazard than that from one device has at
    least :func:`outage_hazard` of `most_hazard` from this device alone.

    Parameters
    ----------
    available : array_like
        Share of time that the device works.
    most_hazard : float
        Where the chord ends, above 0.
    """
    return np.asarray(outage_hazard(most_hazard, available) / most_hazard)


def over_states(probability: npt.ArrayLike, interruption: npt.ArrayLike) -> FloatArray:
    """Probability of interruption over states that exclude each other: ``Σ w_k·P_k``.

    With each state's weakest way this is what a walker who knows the state leaves; one who does
    not know it has one way for all and is stopped at least as often.

    Parameters
    ----------
    probability : array_like [states]
        Probability of each state; must sum to 1.
    interruption : array_like [states, ...]
        Probability of interruption in each.

    Raises
    ------
    ValueError
        If the probabilities are negative or do not sum to 1.
    """
    weights = np.asarray(probability, dtype=np.float64)
    if (weights < 0).any() or abs(weights.sum() - 1.0) > 1e-9:
        raise ValueError(f"the states' probabilities sum to {weights.sum():g}, not to 1")
    return np.asarray(np.tensordot(weights, np.asarray(interruption, dtype=np.float64), axes=1))


def with_remainder(named: Sequence[float]) -> float:
    """Probability of the state in which nothing named has happened.

    Raises
    ------
    ValueError
        If the named ones sum to more than 1.
    """
    rest = 1.0 - float(sum(named))
    if rest < -1e-9:
        raise ValueError(f"the states' probabilities sum to {1.0 - rest:g}, above 1")
    return max(0.0, rest)
