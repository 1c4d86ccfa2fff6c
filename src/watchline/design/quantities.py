"""Bill of quantities: what has to be bought and built for a plan, item by item."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely

from watchline.errors import PlanError
from watchline.model.plan import Plan
from watchline.model.site import Site

BILL_COLUMNS = {
    "group": "Structures, Connections, Trenches, Devices or Adjustment",
    "item": "key in the catalogue, or what is done",
    "description": "in words",
    "unit": "piece, m or sum",
    "quantity": "how many, or how long",
    "unit_price": "price of one, in the plan's currency",
    "total": "quantity times unit price",
    "source": "source of the price, or assumption",
}
PRICE_DECIMALS = 2
CENT = 0.005


def bill_of_quantities(site: Site, plan: Plan) -> pd.DataFrame:
    """Items of a plan with quantities and prices; their totals sum up to ``plan.cost``.

    The price of a mount is split into its structure (or the reuse of what stands), its connection
    and its trenches for power and data from the road's centreline. Lengths are given to the
    centimetre; what this and the rounding of each mount's price to the cent leave over, and what a
    plan's prices differ from the catalogue, stands in a last line of its own.

    Parameters
    ----------
    site : Site
        Its catalogue and road.
    plan : Plan
        What is placed; its keys must be in the catalogue.

    Returns
    -------
    DataFrame
        Columns :data:`BILL_COLUMNS`.

    Raises
    ------
    PlanError
        The plan names a device or structure that the catalogue lacks.
    """
    _check_keys(plan.mounts["structure"], site.catalogue.structures, "mast or tower")
    _check_keys(plan.devices["model"], site.catalogue.devices, "device")
    rows = [*_structures(site, plan), *_services(site, plan), *_devices(site, plan)]
    left_over = plan.cost - math.fsum(row["total"] for row in rows)
    if abs(left_over) > 1e-6:
        # A mount's price is rounded once, a reused one's share of it once more.
        rounding = abs(left_over) <= CENT * (2 * len(plan.mounts) + 1)
        words = (
            "rounding of each mount's price to the cent"
            if rounding
            else "difference between the plan's prices and the catalogue's"
        )
        rows.append(_row("Adjustment", "adjustment", words, "sum", 1, round(left_over, 6), ""))
    frame = pd.DataFrame(rows, columns=list(BILL_COLUMNS))
    return frame.astype({"quantity": "float64", "unit_price": "float64", "total": "float64"})


def _check_keys(used: pd.Series, known: Mapping[str, object], what: str) -> None:
    unknown = sorted(set(used) - set(known))
    if unknown:
        raise PlanError(
            f"the catalogue has no {what} '{unknown[0]}'",
            where="bill of quantities",
            mend="read the plan with its own project, or add it to the catalogue",
        )


def _row(
    group: str,
    item: str,
    description: str,
    unit: str,
    quantity: float,
    unit_price: float,
    source: str,
) -> dict[str, str | float]:
    return {
        "group": group,
        "item": item,
        "description": description,
        "unit": unit,
        "quantity": quantity,
        "unit_price": unit_price,
        "total": quantity * unit_price,
        "source": source,
    }


def _trench_m(site: Site, plan: Plan) -> np.ndarray:
    """Length of each mount's trench, from the road's centreline."""
    return np.asarray(shapely.distance(plan.mounts.geometry.to_numpy(), site.road.centreline))


def _structures(site: Site, plan: Plan) -> list[dict[str, str | float]]:
    services = site.catalogue.services
    per_metre = services.power_trench_per_m + services.data_trench_per_m
    new: dict[str, int] = {}
    reused: dict[tuple[str, float], int] = {}
    for mount, trench in zip(plan.mounts.itertuples(), _trench_m(site, plan), strict=True):
        if mount.existing:
            price = mount.cost - services.connection - per_metre * trench
            key = str(mount.structure), round(float(price), PRICE_DECIMALS)
            reused[key] = reused.get(key, 0) + 1
        else:
            new[mount.structure] = new.get(mount.structure, 0) + 1
    rows = []
    for key, count in sorted(new.items()):
        structure = site.catalogue.structures[key]
        words = f"{structure.name}, with foundation and erection"
        source = structure.sources.get("price", "")
        rows.append(_row("Structures", key, words, "piece", count, structure.price, source))
    for (key, price), count in sorted(reused.items()):
        words = f"{site.catalogue.structures[key].name}, standing already: inspection and cabling"
        rows.append(_row("Structures", key, words, "piece", count, price, "project file"))
    return rows


def _services(site: Site, plan: Plan) -> list[dict[str, str | float]]:
    services = site.catalogue.services
    if not len(plan.mounts):
        return []
    length = float(_trench_m(site, plan).sum())
    lines = [
        ("Connections", "connection", "connection of a mount: cabinet, earthing, switch", "piece",
         len(plan.mounts), services.connection, "connection"),
        ("Trenches", "power", "trench with power cable from the road to the mount", "m", length,
         services.power_trench_per_m, "power_trench_per_m"),
        ("Trenches", "data", "data cable in or beside it", "m", length,
         services.data_trench_per_m, "data_trench_per_m"),
    ]  # fmt: skip
    return [_row(*line[:-1], services.sources.get(line[-1], "")) for line in lines]


def _devices(site: Site, plan: Plan) -> list[dict[str, str | float]]:
    rows = []
    for key, count in sorted(plan.devices["model"].value_counts().items()):
        device = site.catalogue.devices[str(key)]
        lens = ""
        if device.focal_max_mm > device.focal_min_mm:
            lens = f", lens {device.focal_min_mm:g}–{device.focal_max_mm:g} mm"
        elif device.focal_max_mm:
            lens = f", lens {device.focal_max_mm:g} mm"
        source = device.sources.get("price", "")
        words = f"{device.name}{lens}"
        rows.append(_row("Devices", str(key), words, "piece", int(count), device.price, source))
    return rows
