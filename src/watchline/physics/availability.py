"""Availability: shares of time from mean times between failures and to repair, and common causes.

Everything is a probability that an element is *out* at a moment, once failures and repairs have
settled; elements fail and are repaired each for itself, but for what a common cause strikes.
"""

from __future__ import annotations

from math import comb

from watchline.physics.detection import availability

HOURS_A_YEAR = 8766.0


def unavailability(mtbf_h: float, mttr_h: float) -> float:
    """Share of time that an element is out, ``MTTR / (MTBF + MTTR)``.

    Parameters
    ----------
    mtbf_h : float
        Mean time from a repair to the next failure, above 0.
    mttr_h : float
        Mean time from a failure to the end of its repair, at least 0.
    """
    return 1.0 - availability(mtbf_h, mttr_h)


def cable_unavailability(mtbf_km_h: float, mttr_h: float, length_m: float) -> float:
    """Share of time that a length of cable is out; failures come in proportion to its length.

    Parameters
    ----------
    mtbf_km_h : float
        Mean time between failures of one kilometre.
    mttr_h : float
        Mean time to repair one.
    length_m : float
        Length, at least 0; a length of 0 never fails.
    """
    if length_m < 0:
        raise ValueError("a length is not below 0")
    if length_m == 0:
        return 0.0
    return unavailability(mtbf_km_h * 1000.0 / length_m, mttr_h)


def split_common_cause(out: float, beta: float) -> tuple[float, float]:
    """Beta-factor model: what of an element's outage is its own, and what strikes all of its kind.

    ``((1 − β)·q, β·q)``. The second is one event for all elements of the kind: a state of its own
    and never multiplied (Fleming 1975, as IEC 61508-6 annex D uses it; from memory).

    Parameters
    ----------
    out : float
        Share of time q that one element is out, from any cause.
    beta : float
        Share of its failures that strike all of its kind together, 0–1.
    """
    if not 0.0 <= beta <= 1.0:
        raise ValueError("beta is a share from 0 to 1")
    return (1.0 - beta) * out, beta * out


def at_least_out(count: int, least: int, out: float) -> float:
    """Probability that at least `least` of `count` equal elements are out, each for itself.

    The closed form of a k-out-of-n system: it works while at least ``count − least + 1`` work.
    """
    return sum(
        comb(count, k) * out**k * (1.0 - out) ** (count - k) for k in range(least, count + 1)
    )


def hours_a_year(out: float) -> float:
    """Hours a year of a share of time."""
    return out * HOURS_A_YEAR
