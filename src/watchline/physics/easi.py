"""EASI: probability that a response interrupts a sequence of tasks.

The Estimate of Adversary Sequence Interruption (Bennett, Sandia National Laboratories, 1977; as in
Garcia, *The Design and Evaluation of Physical Protection Systems*): the adversary does one task
after another, each may be detected, and a detection counts if the response comes before the last
task ends. Times are normal. Detections of the tasks are independent of each other, which fog or a
power cut make untrue: put such states into cases of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

FloatArray = npt.NDArray[np.float64]

WEIGHT_LEFT: Final = {"beginning": 1.0, "middle": 0.5, "end": 0.0}
"""Share of a task's own delay that is still to come when it is detected there."""
USUAL_SPREAD: Final = 0.3
"""Standard deviation as a share of the mean where none is known (Garcia)."""


@dataclass(frozen=True)
class Easi:
    """What EASI says of one sequence of tasks, or of many.

    Attributes
    ----------
    interruption : float64 array [...]
        Probability of interruption P_I.
    first_detection : float64 array [..., tasks]
        Probability that the task is the first to be detected.
    left_s, left_sd_s : float64 array [..., tasks]
        Mean and standard deviation of the delay left after a detection of the task.
    in_time : float64 array [..., tasks]
        Probability that the response comes in time after it.
    share : float64 array [..., tasks]
        What the task adds to P_I.
    critical : int64 array [...]
        Critical detection point: the last task whose mean delay left is longer than the mean
        response, counted from 0; −1 where there is none and every detection comes too late.
    """

    interruption: FloatArray
    first_detection: FloatArray
    left_s: FloatArray
    left_sd_s: FloatArray
    in_time: FloatArray
    share: FloatArray
    critical: npt.NDArray[np.int64]


@dataclass(frozen=True)
class EasiSensitivity:
    """Derivatives of P_I: what one unit more of each input would change.

    Attributes
    ----------
    detection : float64 array [..., tasks]
        To the task's probability of detection.
    mean, sd : float64 array [..., tasks]
        To the mean and the standard deviation of the task's delay [1/s].
    communication : float64 array [...]
        To the probability of communication.
    response, response_sd : float64 array [...]
        To the mean and the standard deviation of the response time [1/s].
    """

    detection: FloatArray
    mean: FloatArray
    sd: FloatArray
    communication: FloatArray
    response: FloatArray
    response_sd: FloatArray


def easi(
    detection: npt.ArrayLike,
    mean_s: npt.ArrayLike,
    sd_s: npt.ArrayLike,
    weight_left: npt.ArrayLike,
    communication: npt.ArrayLike,
    response_s: npt.ArrayLike,
    response_sd_s: npt.ArrayLike,
) -> Easi:
    """Probability of interruption by EASI.

    ``P_I = Σ_i [Π_{j<i} (1 − D_j)] · D_i · C · Φ((μ_i − R) / √(v_i + σ_R²))`` with
    ``μ_i = w_i m_i + Σ_{k>i} m_k`` and ``v_i = w_i² s_i² + Σ_{k>i} s_k²``. A detection whose
    message fails is lost: the later ones do not get a second chance, so that the factor of the
    tasks before is ``1 − D``, not ``1 − D·C``.

    Parameters
    ----------
    detection : array_like [..., tasks]
        Probability of detection of each task, 0–1.
    mean_s, sd_s : array_like [..., tasks]
        Mean and standard deviation of each task's delay [s].
    weight_left : array_like [..., tasks]
        Share of the task's own delay left when it is detected, of :data:`WEIGHT_LEFT`.
    communication : array_like [...]
        Probability that a detection reaches the response.
    response_s, response_sd_s : array_like [...]
        Mean and standard deviation of the response time [s], from alarm to arrival.

    Returns
    -------
    Easi
        Shapes broadcast. Where nothing is random, a response that needs just the time left is late.

    Raises
    ------
    ValueError
        If a probability lies outside 0–1, a time is negative or no number, or shapes do not fit.
    """
    d, m, s, w = _tasks(detection, mean_s, sd_s, weight_left)
    c, r, q = _response(communication, response_s, response_sd_s, d.ndim - 1)
    left, sd_left = _left(m, s, w)
    ahead = _ahead(d)
    first = ahead * d
    in_time = _in_time(left - r[..., None], np.hypot(sd_left, q[..., None]))
    share = first * c[..., None] * in_time
    late = left <= r[..., None]
    tasks = np.where(late, -1, np.arange(d.shape[-1]))
    critical = np.max(tasks, axis=-1)
    return Easi(share.sum(axis=-1), first, left, sd_left, in_time, share, critical)


def easi_sensitivity(
    detection: npt.ArrayLike,
    mean_s: npt.ArrayLike,
    sd_s: npt.ArrayLike,
    weight_left: npt.ArrayLike,
    communication: npt.ArrayLike,
    response_s: npt.ArrayLike,
    response_sd_s: npt.ArrayLike,
) -> EasiSensitivity:
    """Derivatives of :func:`easi`'s P_I to each of its inputs, in closed form.

    Parameters
    ----------
    detection, mean_s, sd_s, weight_left, communication, response_s, response_sd_s
        As in :func:`easi`.

    Returns
    -------
    EasiSensitivity
        To times, 0 where nothing is random: P_I then is a step.
    """
    d, m, s, w = _tasks(detection, mean_s, sd_s, weight_left)
    c, r, q = _response(communication, response_s, response_sd_s, d.ndim - 1)
    left, sd_left = _left(m, s, w)
    ahead = _ahead(d)
    spread = np.hypot(sd_left, q[..., None])
    gain = c[..., None] * _in_time(left - r[..., None], spread)
    safe = np.where(spread > 0, spread, 1.0)
    z = (left - r[..., None]) / safe
    bell = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    density = np.where(spread > 0, bell / safe, 0.0)
    # What the tasks from k on would give if none before was detected: P_I = value[0].
    value = np.zeros((*d.shape[:-1], d.shape[-1] + 1))
    for k in reversed(range(d.shape[-1])):
        value[..., k] = d[..., k] * gain[..., k] + (1.0 - d[..., k]) * value[..., k + 1]
    to_detection = ahead * (gain - value[..., 1:])
    to_left = ahead * d * c[..., None] * density
    to_variance = to_left * np.where(spread > 0, -z / (2.0 * safe), 0.0)
    before = np.cumsum(to_left, axis=-1) - to_left
    before_variance = np.cumsum(to_variance, axis=-1) - to_variance
    return EasiSensitivity(
        detection=to_detection,
        mean=before + w * to_left,
        sd=2.0 * s * (before_variance + w * w * to_variance),
        communication=(ahead * d * _in_time(left - r[..., None], spread)).sum(axis=-1),
        response=-to_left.sum(axis=-1),
        response_sd=2.0 * q * to_variance.sum(axis=-1),
    )


def margin_s(
    delays_s: npt.ArrayLike,
    detected: int,
    weight_left: float,
    assessment_s: float,
    response_s: float,
) -> float:
    """Time to spare for a response when nothing is random; negative where it is late.

    Parameters
    ----------
    delays_s : array_like [tasks]
        Delay of each task [s].
    detected : int
        The task that is detected, counted from 0.
    weight_left : float
        Share of its own delay left then.
    assessment_s, response_s : float
        Time until the alarm is judged, and from there to arrival [s].
    """
    delays = np.asarray(delays_s, dtype=np.float64)
    left = weight_left * delays[detected] + delays[detected + 1 :].sum()
    return float(left - assessment_s - response_s)


def _tasks(
    detection: npt.ArrayLike, mean_s: npt.ArrayLike, sd_s: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    d, m, s, w = np.broadcast_arrays(
        *(np.asarray(a, dtype=np.float64) for a in (detection, mean_s, sd_s, weight))
    )
    if d.ndim == 0 or d.shape[-1] == 0:
        raise ValueError("there is no task; give at least one")
    for name, values, high in (
        ("detection", d, 1.0),
        ("mean_s", m, np.inf),
        ("sd_s", s, np.inf),
        ("weight_left", w, 1.0),
    ):
        _check(name, values, high)
    return d, m, s, w


def _response(
    communication: npt.ArrayLike, response_s: npt.ArrayLike, response_sd_s: npt.ArrayLike, dims: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    found = [np.asarray(a, dtype=np.float64) for a in (communication, response_s, response_sd_s)]
    names = (("communication", 1.0), ("response_s", np.inf), ("response_sd_s", np.inf))
    for (name, high), values in zip(names, found, strict=True):
        _check(name, values, high)
    c, r, q = np.broadcast_arrays(*found)
    if c.ndim > dims:
        raise ValueError("the response has more cases than the tasks; give the tasks that shape")
    return c, r, q


def _check(name: str, values: FloatArray, high: float) -> None:
    bad = ~((values >= 0.0) & (values <= high) & np.isfinite(values))
    if bad.any():
        limits = "a number from 0 to 1" if high == 1.0 else "a number of at least 0"
        raise ValueError(f"{name} = {values[bad].flat[0]:g}; give {limits}")


def _left(m: FloatArray, s: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the delay left after each task's detection."""
    after = np.flip(np.cumsum(np.flip(m, -1), axis=-1), -1) - m
    variance = np.flip(np.cumsum(np.flip(s * s, -1), axis=-1), -1) - s * s
    return w * m + after, np.sqrt(np.maximum(w * w * s * s + variance, 0.0))


def _ahead(d: FloatArray) -> FloatArray:
    """Probability that no task before is detected."""
    missed = np.cumprod(1.0 - d, axis=-1)
    return np.concatenate([np.ones((*d.shape[:-1], 1)), missed[..., :-1]], axis=-1)


def _in_time(spare_s: FloatArray, spread_s: FloatArray) -> FloatArray:
    """Probability that a normal time to spare is above zero."""
    safe = np.where(spread_s > 0, spread_s, 1.0)
    return np.where(spread_s > 0, ndtr(spare_s / safe), (spare_s > 0).astype(np.float64))
