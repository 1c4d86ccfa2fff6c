"""A plan as DXF (R2010) for CAD: the site in plan, masts upright, in the project's metres."""

from __future__ import annotations

from pathlib import Path

import ezdxf
import geopandas as gpd
import numpy as np
import shapely
from ezdxf.document import Drawing
from ezdxf.layouts import Modelspace
from ezdxf.units import M

from watchline.io.files import atomic_write
from watchline.io.gltf import ground_near
from watchline.io.plan_layers import site_layers, views_layer
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain

LAYERS: dict[str, tuple[int, str]] = {
    "LINE": (30, "guarded line"),
    "ZONE": (8, "zone"),
    "ROAD": (40, "patrol road, centreline"),
    "AREAS": (150, "named areas"),
    "EXCLUSIONS": (252, "no mount here"),
    "NO_WATCH": (210, "not to be watched"),
    "VIEWS": (140, "fields of view on flat ground"),
    "MOUNTS": (250, "masts and towers, from the ground to their tops"),
    "DEVICES": (5, "devices, with an arrow along their aim"),
    "LIGHTS": (2, "lights"),
    "TEXT": (7, "names"),
}
"""Name of each layer, its colour (AutoCAD Color Index) and what it holds."""
TEXT_M = 2.5
AIM_M = 8.0
LOOK_ROUND = ("observer", "ptz")
SIMPLIFY_M = 0.05


def write_dxf(plan: Plan, path: Path | str, *, site: Site, terrain: Terrain) -> Path:
    """Write a plan as DXF. Equal plans make equal bytes.

    Parameters
    ----------
    plan : Plan
        What is placed.
    path : Path or str
        The file, ``*.dxf``.
    site : Site
        Its line, zone, road, areas and catalogue.
    terrain : Terrain
        Where the plan does not know the ground under a mast: a dragged one.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    file = Path(path)
    before = ezdxf.options.write_fixed_meta_data_for_testing
    # Times and random identifiers of the file would make equal plans differ.
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        drawing = ezdxf.new("R2010", setup=True, units=M)
        drawing.header["$PROJECTNAME"] = site.name
        for name, (colour, words) in LAYERS.items():
            drawing.layers.add(name, color=colour).description = words
        space = drawing.modelspace()
        _site(space, site)
        _views(space, plan, site)
        feet = _feet(plan, terrain)
        _mounts(space, plan, feet)
        _devices(space, plan, feet)
        _lights(space, plan, terrain)
        _frame(drawing, site)
        with atomic_write(file) as temporary:
            drawing.saveas(temporary)
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = before
    return file


def _frame(drawing: Drawing, site: Site) -> None:
    """What a reader must know, and the view that a program opens with."""
    west, south, east, north = site.line.buffer(site.zone.outer_m).bounds
    drawing.set_modelspace_vport(
        height=1.1 * max(north - south, (east - west) / 1.6),
        center=((west + east) / 2.0, (south + north) / 2.0),
    )
    text = f"{site.name}; coordinates {site.crs}, metres; heights above the datum of the terrain"
    drawing.modelspace().add_text(
        text, height=TEXT_M * 2.0, dxfattribs={"layer": "TEXT"}
    ).set_placement((west, south - 6.0 * TEXT_M))


def _site(space: Modelspace, site: Site) -> None:
    for name, frame in site_layers(site).items():
        _shapes(space, frame, name.upper())


def _views(space: Modelspace, plan: Plan, site: Site) -> None:
    _shapes(space, views_layer(plan, site), "VIEWS")


def _shapes(space: Modelspace, frame: gpd.GeoDataFrame, layer: str) -> None:
    """Lines as they are, polygons by all their rings."""
    for shape in frame.geometry:
        for piece in shapely.get_parts(shape):
            if piece.is_empty:
                continue
            closed = piece.geom_type == "Polygon"
            lines = [piece.exterior, *piece.interiors] if closed else [piece]
            for line in lines:
                places = shapely.get_coordinates(line.simplify(SIMPLIFY_M))
                if closed:
                    places = places[:-1]
                space.add_lwpolyline(places, close=closed, dxfattribs={"layer": layer})


def _mounts(space: Modelspace, plan: Plan, feet: dict[str, float]) -> None:
    for mount in plan.mounts.itertuples():
        x, y, foot = mount.geometry.x, mount.geometry.y, feet[mount.mount_id]
        top = foot + float(mount.height_m)
        space.add_line((x, y, foot), (x, y, top), dxfattribs={"layer": "MOUNTS"})
        radius = 1.5 if mount.kind == "tower" else 0.6
        space.add_circle((x, y, foot), radius, dxfattribs={"layer": "MOUNTS"})
        words = f"{mount.mount_id} {mount.structure}, {mount.height_m:g} m"
        space.add_text(words, height=TEXT_M, dxfattribs={"layer": "TEXT"}).set_placement(
            (x + 2.0, y + 2.0)
        )


def _devices(space: Modelspace, plan: Plan, feet: dict[str, float]) -> None:
    for device in plan.devices.itertuples():
        x, y = device.geometry.x, device.geometry.y
        z = feet[device.mount_id] + float(device.height_m)
        space.add_point((x, y, z), dxfattribs={"layer": "DEVICES"})
        if device.kind in LOOK_ROUND:
            continue
        bearing, dip = np.radians(device.azimuth_deg), np.radians(device.tilt_deg)
        end = (
            x + AIM_M * np.sin(bearing) * np.cos(dip),
            y + AIM_M * np.cos(bearing) * np.cos(dip),
            z - AIM_M * np.sin(dip),
        )
        line = space.add_line((x, y, z), end, dxfattribs={"layer": "DEVICES"})
        line.set_xdata(
            "ACAD", [(1000, f"{device.device_id}: {device.model}, {device.focal_mm:g} mm")]
        )


def _lights(space: Modelspace, plan: Plan, terrain: Terrain) -> None:
    if plan.lighting is None:
        return
    for light in plan.lighting.lights.itertuples():
        x, y = light.geometry.x, light.geometry.y
        z = float(ground_near(terrain, x, y)) + float(light.height_m)
        space.add_point((x, y, z), dxfattribs={"layer": "LIGHTS"})


def _feet(plan: Plan, terrain: Terrain) -> dict[str, float]:
    """Height of the ground under each mount: what the plan says, else the terrain's."""
    mounts = plan.mounts
    near = ground_near(terrain, mounts.geometry.x.to_numpy(), mounts.geometry.y.to_numpy())
    known = mounts["ground_z"].to_numpy(dtype=np.float64)
    heights = np.where(np.isfinite(known), known, near)
    return dict(zip(mounts["mount_id"], heights.tolist(), strict=True))
