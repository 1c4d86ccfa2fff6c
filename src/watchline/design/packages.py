"""The best package of a mount: what its devices are worth at most, over all aims, for given prices.

With a price λ_i on each row, a mount with at most C devices is worth no more than

    max Σ λ_i z_i − Σ c_a x_a,   z_i <= 1,  z_i <= Σ_{a sees i} x_a,  Σ x_a <= C,

where a runs over *all* aims of its lenses. The dual splits λ_i into what the mount itself may earn
and what its devices pay, σ_i:

    min Σ (λ_i − σ_i) + C·π,   0 <= σ_i <= λ_i,   Σ_{i seen by a} σ_i <= c_a + π for all aims a.

It is solved with few aims, and the aims that it breaks are found by pricing until none is broken by
much. Then σ is scaled down until the best aim of every lens, priced once more, breaks nothing: from
then on the value holds for all aims, whatever the tolerances before.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt

from watchline.design.cover.exact import silent_solver
from watchline.design.poses import Lens
from watchline.design.pricing import Field, PricedAim, Sighting, best_aim, make_field

FloatArray = npt.NDArray[np.float64]
CLOSE = 1.002
"""An aim worth more than this times its cost is broken by enough to go on."""
MOST_ROUNDS = 25
CUTS_AT_ONCE = 6
"""Aims of one lens that a round may add."""
ROUNDING = 1e-9
"""Relative room for the rounding of sums of a few thousand prices."""


@dataclass(frozen=True)
class Package:
    """What a mount can be worth.

    Attributes
    ----------
    most : float
        No choice of at most the mount's number of devices is worth more, whatever their aims.
    least : float
        What the aims found are worth by fractions: ``most`` cannot be below it by these means.
    aims : tuple of PricedAim
        Aims that the fractional best package uses.
    """

    most: float
    least: float
    aims: tuple[PricedAim, ...]


def best_package(
    sight: Sighting,
    lenses: list[tuple[Lens, npt.NDArray[np.bool_]]],
    price: FloatArray,
    capacity: int,
    enough: float,
) -> Package:
    """Bound what a mount's devices can be worth over all aims.

    Parameters
    ----------
    sight : Sighting
        Rows in sight of the mount.
    lenses : list of (Lens, bool array [rows in sight])
        Lenses on offer there with the rows that each serves.
    price : float64 array [rows in sight]
        λ, at least 0.
    capacity : int
        Most devices.
    enough : float
        Stop as soon as ``most`` is at most this.

    Returns
    -------
    Package
    """
    able = np.zeros(len(sight), dtype=bool)
    for _, near in lenses:
        able |= near
    at = np.flatnonzero(able & (price > 0))
    if not len(at):
        return Package(0.0, 0.0, ())
    sight, price = sight.part(at), price[at]
    total = float(price.sum())
    if total <= enough:
        return Package(total, 0.0, ())
    fields = [make_field(sight, lens, near[at]) for lens, near in lenses if near[at].any()]
    master = _Master(price, capacity)
    paid, extra = price, 0.0
    least, most = 0.0, total
    for _ in range(MOST_ROUNDS):
        worst, found, safe = _broken(fields, paid, extra)
        most = min(most, (total - safe + capacity * extra) * (1 + ROUNDING))
        least = total - float(paid.sum()) + capacity * extra
        if most <= enough or worst <= CLOSE:
            break
        for aim, held in found:
            master.add(aim, held)
        paid, extra = master.solve()
    return Package(most, least, master.used())


def _broken(
    fields: list[Field], paid: FloatArray, extra: float
) -> tuple[float, list[tuple[PricedAim, npt.NDArray[np.bool_]]], float]:
    """Aims that are worth more than they cost, and what rows can pay so that no aim is.

    Returns
    -------
    worst : float
        Largest ratio of worth to cost of any aim.
    found : list of (PricedAim, bool array)
        Aims that are worth more, with the rows that they hold.
    safe : float
        Sum of what the rows pay after the rows of such aims have been lowered.
    """
    worst, found = 0.0, []
    safe = paid.copy()
    for field in fields:
        cost = field.lens.device.price + extra
        for number in range(CUTS_AT_ONCE):
            if float(safe[field.near].sum()) <= cost * (1 - ROUNDING):
                break
            aim, held = best_aim(field, safe)
            ratio = aim.most * (1 + ROUNDING) / cost if cost > 0 else np.inf
            if number == 0:
                worst = max(worst, ratio)
            if ratio <= 1.0:
                break
            if ratio <= CLOSE or number == CUTS_AT_ONCE - 1:
                safe[field.near] /= ratio
                break
            found.append((aim, held))
            # Only the rows of this aim must pay less; the others may go on paying all.
            safe[held] /= ratio
    return worst, found, float(safe.sum())


class _Master:
    """The dual over the aims found so far: how to split the prices."""

    def __init__(self, price: FloatArray, capacity: int) -> None:
        self.count = len(price)
        self.price = price
        self.aims: list[PricedAim] = []
        self.model = silent_solver()
        program = highspy.HighsLp()
        program.num_col_ = self.count + 1
        program.num_row_ = 0
        program.col_cost_ = np.concatenate([np.full(self.count, -1.0), [float(capacity)]])
        program.col_lower_ = np.zeros(self.count + 1)
        program.col_upper_ = np.concatenate([price, [highspy.kHighsInf]])
        program.a_matrix_.start_ = np.zeros(self.count + 2, dtype=np.int32)
        self.model.passModel(program)

    def add(self, aim: PricedAim, held: npt.NDArray[np.bool_]) -> None:
        """Ask that the rows that an aim holds pay no more than it costs."""
        held = np.flatnonzero(held)
        index = np.concatenate([held, [self.count]]).astype(np.int32)
        value = np.concatenate([np.ones(len(held)), [-1.0]])
        self.model.addRow(-highspy.kHighsInf, aim.lens.device.price, len(index), index, value)
        self.aims.append(aim)

    def solve(self) -> tuple[FloatArray, float]:
        """What each row pays, and the price of one more device."""
        self.model.run()
        value = np.asarray(self.model.getSolution().col_value)
        value = np.where(np.isfinite(value), np.maximum(value, 0.0), 0.0)
        return np.minimum(value[:-1], self.price), float(value[-1])

    def used(self) -> tuple[PricedAim, ...]:
        """Aims that the best package uses."""
        if not self.aims:
            return ()
        dual = np.asarray(self.model.getSolution().row_dual)
        return tuple(aim for aim, share in zip(self.aims, dual, strict=False) if share < -1e-6)
