"""Between the project's coordinates and the map's longitude and latitude."""

from __future__ import annotations

import json
import math
import threading
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod, Transformer
from shapely.geometry.base import BaseGeometry

from watchline.studio.answers import Feature, FeatureCollection, Geometry

DECIMALS = 7
"""Of degrees: 11 mm."""


class Globe:
    """Turns coordinates of one CRS to and from WGS 84; safe between threads.

    Parameters
    ----------
    crs : str
        CRS of the project.
    """

    def __init__(self, crs: str) -> None:
        self.crs = CRS(crs)
        self._there = Transformer.from_crs(self.crs, 4326, always_xy=True)
        self._back = Transformer.from_crs(4326, self.crs, always_xy=True)
        self._lock = threading.Lock()

    def lonlat(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Longitudes and latitudes of places, in degrees."""
        with self._lock:
            lon, lat = self._there.transform(np.asarray(x, float), np.asarray(y, float))
        return np.round(lon, DECIMALS), np.round(lat, DECIMALS)

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Coordinates of one place; infinite where the CRS does not reach."""
        with self._lock:
            x, y = self._back.transform(lon, lat)
        return float(x), float(y)

    def geometry(self, shape: BaseGeometry) -> Geometry:
        """A shape as GeoJSON in longitude and latitude."""
        with self._lock:
            turned = shapely.transform(shape, self._turn)
        return Geometry(**json.loads(shapely.to_geojson(turned)))

    def _turn(self, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        lon, lat = self._there.transform(places[:, 0], places[:, 1])
        return np.round(np.column_stack([lon, lat]), DECIMALS)

    def features(self, frame: gpd.GeoDataFrame) -> FeatureCollection:
        """A table as GeoJSON; unknown figures are null."""
        columns = [name for name in frame.columns if name != frame.geometry.name]
        rows = frame[columns].to_dict("records")
        return FeatureCollection(
            features=[
                Feature(
                    geometry=self.geometry(shape),
                    properties={key: plain(value) for key, value in row.items()},
                )
                for row, shape in zip(rows, frame.geometry, strict=True)
            ]
        )

    def bounds(self, shape: BaseGeometry) -> tuple[float, float, float, float]:
        """West, south, east and north of a shape in degrees."""
        with self._lock:
            west, south, east, north = self._there.transform_bounds(*shape.bounds)
        return west, south, east, north

    def convergence_deg(self, x: float, y: float) -> float:
        """Bearing of grid north from true north at a place, in degrees clockwise."""
        lon, lat = self.lonlat([x, x], [y - 500.0, y + 500.0])
        return float(Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[0])


def plain(value: Any) -> Any:
    """A value as JSON has it; what is unknown is None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def known(value: float) -> float | None:
    """A figure, or None where it is unknown or infinite."""
    return float(value) if math.isfinite(value) else None
