"""Terrain: the ground and what stands on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr

from watchline.model.provenance import Provenance


@dataclass(frozen=True)
class Terrain:
    """Heights on one square, north-up grid in the site's CRS.

    Attributes
    ----------
    data : xarray.Dataset
        Variables ``ground`` and ``surface``, float32 [y, x], metres, NaN = unknown; coordinates
        ``x`` (ascending) and ``y`` (descending) are cell centres.
    crs : str
        CRS of the grid.
    refraction : float
        Refraction coefficient k.
    notes : tuple of str
        What a reader must know: credit, datum, limits, what was converted or filled.
    """

    data: xr.Dataset
    crs: str
    refraction: float
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def cell_m(self) -> float:
        """Side of a cell in metres."""
        return float(self.data.x[1] - self.data.x[0])

    @property
    def origin(self) -> tuple[float, float]:
        """Centre (x, y) of the upper-left cell."""
        return float(self.data.x[0]), float(self.data.y[0])

    @property
    def x(self) -> npt.NDArray[np.float64]:
        """Eastings of the cells' centres, ascending, float64 [cols]."""
        return np.asarray(self.data.x.values, dtype=np.float64)

    @property
    def y(self) -> npt.NDArray[np.float64]:
        """Northings of the cells' centres, descending, float64 [rows]."""
        return np.asarray(self.data.y.values, dtype=np.float64)

    @property
    def ground(self) -> npt.NDArray[np.float32]:
        """Heights of the bare ground, float32 [rows, cols]."""
        return np.asarray(self.data["ground"].values)

    @property
    def surface(self) -> npt.NDArray[np.float32]:
        """Heights of what blocks sight, float32 [rows, cols]."""
        return np.asarray(self.data["surface"].values)

    def surface_piece(self, rows: slice, cols: slice) -> npt.NDArray[np.float32]:
        """Heights of what blocks sight on some rows and columns (a view), float32."""
        return self.surface[rows, cols]

    @property
    def has_obstacles(self) -> bool:
        """Whether anything stands above the ground."""
        return bool(np.nanmax(self.surface - self.ground) > 0)

    @property
    def local_origin(self) -> tuple[float, float]:
        """Centre of the grid: the origin for curvature."""
        return float(self.data.x.mean()), float(self.data.y.mean())
