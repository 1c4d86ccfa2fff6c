"""Pricing: the best aim of a lens on a mount, over continuous azimuth and tilt.

With a price on each row, the worth of an aim is the sum of the prices of the rows that it covers.
The best aim is found over all azimuths and tilts at once (:mod:`watchline.kernels.aims`); its worth
is an upper bound of what any aim of the lens can be worth, the enumerated ones included.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from watchline.design.poses import Lens
from watchline.design.rows import Rows
from watchline.design.sightlines import MountView
from watchline.kernels.aims import Sweep, deepest_aim, make_sweep

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sighting:
    """Rows that one mount has in sight, one entry a row.

    Attributes
    ----------
    row : int64 array [n]
        Numbers of the rows, ascending.
    requirement : int64 array [n]
        Number of each row's requirement.
    bearing, spread, top, feet, far_m : float64 array [n]
        Directions of the row's cell and target (:class:`watchline.design.sightlines.MountView`).
    """

    row: npt.NDArray[np.int64]
    requirement: npt.NDArray[np.int64]
    bearing: FloatArray
    spread: FloatArray
    top: FloatArray
    feet: FloatArray
    far_m: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def part(self, at: npt.NDArray[np.int64]) -> Sighting:
        """Only some of the rows."""
        return Sighting(*(getattr(self, each.name)[at] for each in fields(self)))


@dataclass(frozen=True)
class PricedAim:
    """The best aim of a lens.

    Attributes
    ----------
    lens : Lens
        The lens.
    azimuth, tilt : float
        The aim in rad; 0 for devices that turn or look all round.
    most : float
        No aim of the lens is worth more.
    """

    lens: Lens
    azimuth: float
    tilt: float
    most: float


def sighting(view: MountView, rows: Rows) -> Sighting:
    """Rows that a mount has in sight.

    Parameters
    ----------
    view : MountView
        What the mount sees.
    rows : Rows
        What must be covered.
    """
    first, last = rows.start[view.cell], rows.start[view.cell + 1]
    count = last - first
    place = np.repeat(np.arange(len(view.cell)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[place]
    target = rows.target[rows.requirement[row]]
    seen = view.seen[target, place]
    row, place, target = row[seen], place[seen], target[seen]
    return Sighting(
        row=row,
        requirement=rows.requirement[row],
        bearing=view.bearing[place],
        spread=view.spread[place],
        top=view.top[target, place],
        feet=view.feet[place],
        far_m=view.far_m[place],
    )


def served(sight: Sighting, lens: Lens, rows: Rows) -> npt.NDArray[np.bool_]:
    """Whether each row in sight lies in the reach of a lens, whatever its aim."""
    reach = rows.reach_m(
        lens.device, lens.focal_mm, rows.cell[sight.row], sight.bearing, sight.spread
    )
    near = sight.far_m <= reach[sight.requirement, np.arange(len(sight))]
    if lens.full_circle:
        tall = np.arctan(sight.top) - np.arctan(sight.feet)
        near &= (sight.top <= lens.tan_v) & (sight.feet >= -lens.tan_h)
        near &= tall <= lens.most_height
    return near


@dataclass(frozen=True)
class Field:
    """A lens on a mount, ready to be priced many times.

    Attributes
    ----------
    lens : Lens
        The lens.
    near : bool array [rows in sight]
        Rows that it can serve with some aim, as far as reach and height go.
    sweep : Sweep or None
        Boxes of aims of those rows; None for devices that turn or look all round.
    """

    lens: Lens
    near: npt.NDArray[np.bool_]
    sweep: Sweep | None


def make_field(sight: Sighting, lens: Lens, near: npt.NDArray[np.bool_]) -> Field:
    """Prepare a lens on a mount for pricing.

    Parameters
    ----------
    sight : Sighting
        Rows in sight of the mount.
    lens : Lens
        The lens.
    near : bool array [rows in sight]
        From :func:`served`.
    """
    if lens.full_circle:
        return Field(lens, near, None)
    sweep = make_sweep(
        sight.bearing,
        sight.spread,
        sight.top,
        sight.feet,
        near.astype(np.float64),
        lens.sensor_azimuths(0.0),
        lens.half_h,
        lens.half_v,
    )
    return Field(lens, near, sweep)


def best_aim(field: Field, worth: FloatArray) -> tuple[PricedAim, npt.NDArray[np.bool_]]:
    """Best aim of a lens over continuous azimuth and tilt.

    Parameters
    ----------
    field : Field
        The lens on its mount.
    worth : float64 array [rows in sight]
        Price of each row, at least 0.

    Returns
    -------
    aim : PricedAim
        The aim and the bound of what any aim is worth.
    held : bool array [rows in sight]
        The rows that make up that bound; a few of them may stick out of the frame a little
        (:func:`watchline.kernels.aims.aim_boxes`).
    """
    if field.sweep is None:
        return PricedAim(field.lens, 0.0, 0.0, float(worth[field.near].sum())), field.near
    held = np.empty(len(worth), dtype=np.bool_)
    most, azimuth, tilt = deepest_aim(field.sweep, worth, held)
    return PricedAim(field.lens, azimuth, tilt, most), held
