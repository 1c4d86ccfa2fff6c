"""Rows of the covering problem: one for each cell and binding requirement that it must meet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.candidates import Candidates
from watchline.model.catalogue import Device
from watchline.model.condition import Condition
from watchline.model.site import Requirement, Site
from watchline.physics.lamp_light import LampLight, lamp_table, sector_of
from watchline.physics.reach import at_least_as_hard, serving_reach_m

FloatArray = npt.NDArray[np.float64]
LAMP_COLUMN = "lamp_lx:{condition}@{height:g}:{sector}"
"""Columns of the cells' table with the light of planned lamps on a target; without them, none."""


@dataclass(frozen=True)
class Rows:
    """What must be covered.

    Attributes
    ----------
    cell : int64 array [n]
        Cell of the row, ascending.
    requirement : int64 array [n]
        Number of the requirement in ``requirements``.
    start : int64 array [cells + 1]
        Rows of a cell: ``start[cell] .. start[cell + 1]``.
    requirements : tuple of Requirement
        The binding requirements.
    target : int64 array [requirements]
        Number of each one's target height in the visibility.
    conditions : tuple of Condition
        The condition of each requirement.
    lamp_lx : tuple of float64 array [cells, sectors]
        For each requirement, the least illuminance by the planned lamps on a target at each cell,
        by the sector in which the camera stands (:mod:`watchline.physics.lamp_light`); ``[1, 1]``
        where no lamps count.
    """

    cell: npt.NDArray[np.int64]
    requirement: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    requirements: tuple[Requirement, ...]
    target: npt.NDArray[np.int64]
    conditions: tuple[Condition, ...]
    lamp_lx: tuple[FloatArray, ...]
    _known: dict[tuple[str, float], list[FloatArray]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.cell)

    def reach_m(
        self,
        device: Device,
        focal_mm: float,
        cell: npt.NDArray[np.int64],
        bearing: FloatArray | None = None,
        spread: FloatArray | None = None,
    ) -> FloatArray:
        """Slant distance to which a device serves each requirement at each cell.

        Parameters
        ----------
        device : Device
            The device.
        focal_mm : float
            Its focal length.
        cell : int64 array [n]
            Numbers of the cells.
        bearing, spread : float64 array [n], optional
            Bearing from the device to each cell's centre, and half the angle that the cell takes
            up, rad: they say which side of a target is turned to the device, which matters where
            lamps light it. Without them: the reach from the best side.

        Returns
        -------
        float64 array [requirements, n]
            −1 where it never serves: too dark, or watched for too small a share of time.
        """
        key = (device.id, focal_mm)
        if key not in self._known:
            self._known[key] = [
                np.broadcast_to(
                    serving_reach_m(device, focal_mm, asked, condition, light), light.shape
                )
                for asked, condition, light in zip(
                    self.requirements, self.conditions, self.lamp_lx, strict=True
                )
            ]
        found = np.empty((len(self.requirements), len(cell)))
        for number, known in enumerate(self._known[key]):
            if known.size == 1:
                found[number] = known[0, 0]
            elif bearing is None or spread is None:
                found[number] = known[cell].max(axis=1)
            else:
                # Over a cell the device stands in more than one sector: the darkest counts.
                sides = (bearing + np.pi + turn * spread for turn in (-1.0, 0.0, 1.0))
                reaches = [known[cell, sector_of(side, known.shape[1])] for side in sides]
                found[number] = np.min(reaches, axis=0)
        return found


def make_rows(site: Site, candidates: Candidates, *, implied: bool = False) -> Rows:
    """Rows for the binding requirements; a row that another row of its cell implies is left out.

    A requirement implies another at a cell if it asks for at least the same pixel density, planned
    views and time share of a target that is not taller, lets no cell miss (or, of the same place,
    no larger share), and asks it under the same condition or a harder one: what is seen in the fog
    is seen on a clear day.

    Parameters
    ----------
    site : Site
        The requirements.
    candidates : Candidates
        The cells.
    implied : bool
        Keep the rows that others imply.
    """
    binding = tuple(r for r in site.requirements if r.binding)
    conditions = tuple(site.condition(r.condition) for r in binding)
    cells = candidates.cells
    lamp_lx = tuple(_lamp_lx(cells, r) for r in binding)
    lamps = any(bool(light.any()) for light in lamp_lx)

    def implies(greater: int, lesser: int) -> bool:
        one, other = binding[greater], binding[lesser]
        if site.design.budget is not None and (one.condition != other.condition or one.share < 1):
            return False  # what cannot all be met is worth having in part
        return _implies(one, other) and at_least_as_hard(
            conditions[greater], conditions[lesser], lamps=lamps
        )

    inside = np.column_stack([asked_cells(r, cells) for r in binding])
    for weak in range(len(binding)):
        for strong in range(len(binding)):
            if not implied and weak != strong and implies(strong, weak):
                equal = implies(weak, strong)
                if not equal or strong < weak:
                    inside[:, weak] &= ~inside[:, strong]
    cell, requirement = np.nonzero(inside)
    heights = candidates.target_heights_m
    return Rows(
        cell=cell,
        requirement=requirement,
        start=np.searchsorted(cell, np.arange(len(cells) + 1)),
        requirements=binding,
        target=np.array([heights.index(r.target_height_m) for r in binding], dtype=np.int64),
        conditions=conditions,
        lamp_lx=lamp_lx,
    )


def asked_cells(requirement: Requirement, cells: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Cells at which the design asks for a requirement, bool [cells].

    Finer cells that a repair added make a requirement stricter where all cells must hold; where
    some may miss, they would be counted twice, so the coarse ones alone are asked.

    Parameters
    ----------
    requirement : Requirement
        What is asked.
    cells : DataFrame
        Columns :data:`watchline.model.candidates.CELL_COLUMNS` and the places.
    """
    inside = cells[f"in:{requirement.where}"].to_numpy(dtype=bool)
    if requirement.share >= 1.0 or not len(cells):
        return inside
    size = cells["size_m"].to_numpy(dtype=np.float64)
    return inside & (size > 0.99 * size.max())


def _implies(greater: Requirement, lesser: Requirement) -> bool:
    """Whether meeting ``greater`` at a cell meets ``lesser`` there under the same condition too.

    The target height must be equal: a lower target is harder to see over terrain, but its top and
    feet fit into an image that may cut a taller one's head.
    """
    whole = greater.share == 1.0
    # Where both may miss some cells of one place, the greater's good cells are good for both.
    some = greater.where == lesser.where and greater.share >= lesser.share
    return (
        (whole or some)
        and greater.px_per_m >= lesser.px_per_m
        and greater.views_planned >= lesser.views_planned
        and greater.time_share >= lesser.time_share
        and greater.target_height_m == lesser.target_height_m
    )


def with_lamps(site: Site, candidates: Candidates, lamps: LampLight | None) -> Candidates:
    """Candidates whose cells know the light of planned lamps.

    Of a cell the darkest of the middles of its four quarters counts, at which the proof judges.
    Cells that a repair added are judged at their own middle, as the proof judged them.

    Parameters
    ----------
    site : Site
        The requirements, with their conditions.
    candidates : Candidates
        Mounts and cells.
    lamps : callable or None
        The light of the lamps; None leaves the candidates as they are.
    """
    cells = candidates.cells
    if lamps is None or not len(cells):
        return candidates
    size = cells["size_m"].to_numpy(dtype=np.float64)
    quarter = np.where(size > 0.99 * size.max(), size / 4.0, 0.0)
    x, y = (cells[name].to_numpy(dtype=np.float64) for name in ("x", "y"))
    columns: dict[str, FloatArray] = {}
    for requirement in site.requirements:
        condition, height = site.condition(requirement.condition), requirement.target_height_m
        first = LAMP_COLUMN.format(condition=condition.name, height=height, sector=0)
        if not requirement.binding or not condition.by_lamps or first in columns:
            continue
        light = np.min(
            [
                lamp_table(lamps, condition, height, x + east * quarter, y + north * quarter)
                for east in (-1.0, 1.0)
                for north in (-1.0, 1.0)
            ],
            axis=0,
        )
        for sector in range(light.shape[1]):
            name = LAMP_COLUMN.format(condition=condition.name, height=height, sector=sector)
            columns[name] = light[:, sector]
    more = pd.DataFrame(columns, index=cells.index)
    return replace(candidates, cells=pd.concat([cells, more], axis=1))


def _lamp_lx(cells: pd.DataFrame, requirement: Requirement) -> FloatArray:
    """Lamp light on a requirement's target, float64 [cells, sectors]; [1, 1] where there is none.

    Cells that a repair added since have no light that is known: none.
    """
    condition, height = requirement.condition, requirement.target_height_m
    columns: list[FloatArray] = []
    while True:
        name = LAMP_COLUMN.format(condition=condition, height=height, sector=len(columns))
        if name not in cells:
            break
        columns.append(cells[name].to_numpy(dtype=np.float64))
    return np.nan_to_num(np.column_stack(columns)) if columns else np.zeros((1, 1))


def demand_planned(rows: Rows) -> npt.NDArray[np.int64]:
    """Views for which each row is planned, int64 [n].

    A requirement that must survive the loss of any one mount asks for one view in reserve. Where
    no cell may miss, that is exact: k views are left whichever mount is lost if and only if k + 1
    mounts see the cell. Where a share may miss, it is sufficient: the cells with fewer than k + 1
    views are at most as many as may miss, so those that any one loss uncovers are too.
    """
    return np.array([r.views_planned for r in rows.requirements])[rows.requirement]


def demand_implied(rows: Rows) -> npt.NDArray[np.int64]:
    """Views that each row has in *every* plan that meets the requirements, int64 [n].

    Below :func:`demand_planned` where that is only sufficient: a plan may put its cells without a
    reserve on many mounts, so that no single loss uncovers too many. Bounds are proven with these.
    """
    least = [r.views_planned if r.share >= 1.0 else r.views for r in rows.requirements]
    return np.array(least)[rows.requirement]


def allowed_misses(rows: Rows, cells: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Number of cells of each requirement that may stay uncovered, float64 [requirements]."""
    counts = np.array([asked_cells(r, cells).sum() for r in rows.requirements])
    shares = np.array([r.share for r in rows.requirements])
    return np.floor((1.0 - shares) * counts + 1e-9)
