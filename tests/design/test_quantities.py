"""The bill of quantities sums up to the plan's cost, whatever the plan."""

from __future__ import annotations

import dataclasses
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

import outputs_sample as sample
from watchline.design.propose import mount_cost
from watchline.design.quantities import BILL_COLUMNS, bill_of_quantities
from watchline.errors import PlanError

SITE = sample.make_site()
PLAN = sample.make_plan(SITE)
BILL = bill_of_quantities(SITE, PLAN)


def line(bill: pd.DataFrame, item: str) -> pd.Series:
    rows = bill[bill["item"] == item]
    assert len(rows) == 1
    return rows.iloc[0]


def test_columns_and_groups() -> None:
    assert list(BILL.columns) == list(BILL_COLUMNS)
    groups = list(dict.fromkeys(BILL["group"]))
    assert groups[:4] == ["Structures", "Connections", "Trenches", "Devices"]


def test_it_sums_up_to_the_cost() -> None:
    assert math.fsum(BILL["total"]) == pytest.approx(PLAN.cost, abs=1e-6)
    assert (BILL["total"] == BILL["quantity"] * BILL["unit_price"]).all()
    rest = BILL[BILL["group"] == "Adjustment"]
    assert (rest["total"].abs() <= 0.03).all()
    assert (rest["description"] == "rounding of each mount's price to the cent").all()


def test_items_with_their_quantities() -> None:
    assert line(BILL, "mast-8")["total"] == 2100.0
    assert line(BILL, "tower-15")["quantity"] == 1
    reused = line(BILL, "mast-12")
    assert (reused["quantity"], reused["unit_price"]) == (1, 400.0)
    assert "standing already" in reused["description"]
    camera = line(BILL, "cam-4mp")
    assert (camera["quantity"], camera["total"]) == (3, 2700.0)
    assert camera["description"] == "Model cam-4mp, lens 8–32 mm"
    assert line(BILL, "thermal-25")["description"].endswith("lens 25 mm")
    assert line(BILL, "observer")["total"] == 0.0
    assert line(BILL, "connection")["quantity"] == 3
    trench = shapely.distance(PLAN.mounts.geometry.values, SITE.road.centreline).sum()
    assert line(BILL, "power")["quantity"] == pytest.approx(trench)
    assert line(BILL, "power")["unit_price"] == 38.4
    assert line(BILL, "data")["quantity"] == line(BILL, "power")["quantity"]


def test_sources_are_kept() -> None:
    assert line(BILL, "mast-8")["source"] == "assumption"
    assert line(BILL, "connection")["source"] == "assumption"


def test_prices_that_differ_from_the_catalogue_stand_alone() -> None:
    devices = PLAN.devices.copy()
    devices.loc[0, "cost"] += 500.0
    plan = dataclasses.replace(PLAN, devices=devices, cost=PLAN.cost + 500.0)
    bill = bill_of_quantities(SITE, plan)
    rest = line(bill, "adjustment")
    assert rest["total"] == pytest.approx(500.0, abs=0.05)
    assert "difference between the plan's prices and the catalogue's" in rest["description"]
    assert math.fsum(bill["total"]) == pytest.approx(plan.cost, abs=1e-6)


def test_an_empty_plan_costs_nothing() -> None:
    plan = dataclasses.replace(
        PLAN, mounts=PLAN.mounts.iloc[:0], devices=PLAN.devices.iloc[:0], cost=0.0
    )
    assert bill_of_quantities(SITE, plan).empty


def test_a_plan_of_another_catalogue_is_refused() -> None:
    plan = dataclasses.replace(PLAN, devices=PLAN.devices.assign(model="x"))
    with pytest.raises(PlanError, match="the catalogue has no device 'x'"):
        bill_of_quantities(SITE, plan)


@settings(max_examples=25, deadline=None)
@given(
    places=st.lists(st.tuples(st.floats(-200, 1300), st.floats(-300, 300)), max_size=30),
    choices=st.lists(st.integers(0, 2), min_size=30, max_size=30),
    reuse=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_any_plan_sums_up_to_its_cost(places, choices, reuse) -> None:
    structures = list(SITE.catalogue.structures.values())
    rows = []
    for k, (dx, dy) in enumerate(places):
        structure = structures[choices[k]]
        point = Point(sample.X0 + dx, sample.Y0 + dy)
        price = 123.45 if reuse[k] else structure.price
        trench = point.distance(SITE.road.centreline)
        cost = mount_cost(price, trench, SITE.catalogue.services)
        rows.append(
            {"structure": structure.id, "existing": reuse[k], "cost": cost, "geometry": point}
        )
    columns = ["structure", "existing", "cost", "geometry"]
    mounts = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), crs=sample.CRS)
    devices = PLAN.devices.iloc[: len(places)]
    cost = round(float(mounts["cost"].sum() + devices["cost"].sum()), 2)
    plan = dataclasses.replace(PLAN, mounts=mounts, devices=devices, cost=cost)
    bill = bill_of_quantities(SITE, plan)
    assert math.fsum(bill["total"]) == pytest.approx(cost, abs=1e-6)
    rest = bill.loc[bill["group"] == "Adjustment", "total"]
    assert np.abs(rest).sum() <= 0.005 * (2 * len(mounts) + 1)
    assert bill.loc[bill["item"] == "connection", "quantity"].sum() == len(mounts)
