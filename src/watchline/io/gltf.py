"""The site as glTF (GLB): terrain round the line, line, zone, road, masts and where devices look.

glTF is right-handed with y up and metres: x is east, y up, z south of the origin, which is told in
the scene's ``extras`` with the CRS, so that the model can be put back in its place.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
import trimesh
from shapely.geometry.base import BaseGeometry
from trimesh.visual.material import PBRMaterial

from watchline.geo.chainage import strip_polygon
from watchline.io.files import atomic_write
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
MOST_NODES = 250_000
"""Nodes of the terrain's mesh: beyond that it is taken coarser."""
BESIDE_M = 300.0
"""Ground beside the zone that is taken along."""
LIFT_M = 0.4
RIBBON_M = {"line": 2.0, "zone": 1.0, "road": 3.0}
COLOURS = {
    "line": (209, 73, 12, 255),
    "zone": (250, 250, 245, 255),
    "road": (122, 106, 79, 255),
    "mount": (40, 46, 50, 255),
    "aim": (31, 122, 112, 110),
    "light": (255, 214, 90, 255),
}
LOW, HIGH = np.array([118, 138, 96]), np.array([196, 180, 150])
STANDS = np.array([140, 132, 124])
STANDS_M = 0.5
MAST_RADIUS_M, TOWER_RADIUS_M = 0.25, 1.4
AIM_M = 40.0
"""Length of the pyramid that shows a device's field of view."""
WIDEST_DEG = 110.0
SEGMENT_M = 5.0


def write_glb(plan: Plan, path: Path | str, *, site: Site, terrain: Terrain) -> Path:
    """Write the site and its plan as one GLB file.

    Parameters
    ----------
    plan : Plan
        What is placed.
    path : Path or str
        The file, ``*.glb``.
    site : Site
        Its line, zone and road.
    terrain : Terrain
        What the ground is made of.

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
    model = _Model(site, terrain)
    scene = trimesh.Scene()
    scene.add_geometry(model.ground(), node_name="terrain", geom_name="terrain")
    zone = site.zone
    strip = strip_polygon(
        site.line, site.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m
    )
    for name, shape in (("line", site.line), ("zone", strip), ("road", site.road.centreline)):
        ribbon = model.ribbon(shape, name)
        if ribbon is not None:
            scene.add_geometry(ribbon, node_name=name, geom_name=name)
    for name, mesh in (
        *model.mounts(plan),
        *model.aims(plan, site),
        *model.lights(plan),
    ):
        scene.add_geometry(mesh, node_name=name, geom_name=name)
    scene.metadata["extras"] = {
        "name": site.name,
        "crs": site.crs,
        "origin": [model.x, model.y, model.z],
        "axes": "x east, y up, z south; metres from the origin",
        "credit": site.terrain.credit,
    }
    with atomic_write(file) as temporary:
        temporary.write_bytes(scene.export(file_type="glb"))
    return file


def ground_near(terrain: Terrain, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    """Height of the ground at the nearest node [m]; the lowest of all where it is unknown.

    For drawings only, which have no word for an unknown height.
    """
    return _near(terrain, terrain.ground, x, y)


def _near(
    terrain: Terrain, heights: npt.NDArray[np.float32], x: npt.ArrayLike, y: npt.ArrayLike
) -> FloatArray:
    west, north = terrain.origin
    col = np.clip(np.rint((np.asarray(x) - west) / terrain.cell_m), 0, heights.shape[1] - 1)
    row = np.clip(np.rint((north - np.asarray(y)) / terrain.cell_m), 0, heights.shape[0] - 1)
    found = heights[row.astype(np.int64), col.astype(np.int64)].astype(np.float64)
    return np.where(np.isfinite(found), found, float(np.nanmin(heights)))


class _Model:
    """Turns places of the site into the model's coordinates."""

    def __init__(self, site: Site, terrain: Terrain) -> None:
        self.terrain = terrain
        self.area = site.line.buffer(site.zone.outer_m + BESIDE_M)
        west, south, east, north = self.area.bounds
        self.x, self.y = round((west + east) / 2.0, 1), round((south + north) / 2.0, 1)
        self.z = 0.0

    def place(self, x: npt.ArrayLike, y: npt.ArrayLike, z: npt.ArrayLike) -> FloatArray:
        """Places in the model, float64 [n, 3]."""
        east, north = np.asarray(x, float) - self.x, np.asarray(y, float) - self.y
        return np.stack(np.broadcast_arrays(east, np.asarray(z, float) - self.z, -north), axis=-1)

    def height(self, x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
        """Height of the surface at the nearest node; the lowest of all where it is unknown."""
        return _near(self.terrain, self.terrain.surface, x, y)

    def foot(self, x: float, y: float) -> float:
        """Height of the ground under something that stands there."""
        return float(ground_near(self.terrain, x, y))

    def ground(self) -> trimesh.Trimesh:
        """The terrain near the line; squares with an unknown node are left out."""
        terrain = self.terrain
        west, south, east, north = self.area.bounds
        x0, y0 = terrain.origin
        rows, cols = terrain.surface.shape
        left = max(0, math.floor((west - x0) / terrain.cell_m))
        right = min(cols - 1, math.ceil((east - x0) / terrain.cell_m))
        top = max(0, math.floor((y0 - north) / terrain.cell_m))
        bottom = min(rows - 1, math.ceil((y0 - south) / terrain.cell_m))
        wanted = self.area.area / terrain.cell_m**2
        step = max(1, math.ceil(math.sqrt(wanted / MOST_NODES)))
        row, col = np.arange(top, bottom + 1, step), np.arange(left, right + 1, step)
        heights = terrain.surface[np.ix_(row, col)].astype(np.float64)
        above = heights - terrain.ground[np.ix_(row, col)]
        x, y = np.meshgrid(x0 + col * terrain.cell_m, y0 - row * terrain.cell_m)
        shapely.prepare(self.area)
        usable = np.isfinite(heights) & shapely.contains_xy(self.area, x, y)
        number = np.arange(heights.size).reshape(heights.shape)
        whole = usable[:-1, :-1] & usable[1:, :-1] & usable[:-1, 1:] & usable[1:, 1:]
        nw, ne = number[:-1, :-1][whole], number[:-1, 1:][whole]
        sw, se = number[1:, :-1][whole], number[1:, 1:][whole]
        faces = np.concatenate([np.stack([nw, sw, se], 1), np.stack([nw, se, ne], 1)])
        share = np.nan_to_num((heights - np.nanmin(heights)) / max(np.ptp(heights[usable]), 1.0))
        colours = LOW + np.clip(share, 0, 1)[:, :, None] * (HIGH - LOW)
        colours[np.nan_to_num(above) > STANDS_M] = STANDS
        mesh = trimesh.Trimesh(
            self.place(x.ravel(), y.ravel(), np.nan_to_num(heights).ravel()),
            faces,
            vertex_colors=np.column_stack(
                [colours.reshape(-1, 3), np.full(heights.size, 255)]
            ).astype(np.uint8),
            process=False,
        )
        mesh.remove_unreferenced_vertices()
        return mesh

    def ribbon(self, shape: BaseGeometry, name: str) -> trimesh.Trimesh | None:
        """A line as a band on the ground; a polygon's outline."""
        lines = shape.boundary if shape.geom_type.endswith("Polygon") else shape
        half = RIBBON_M[name] / 2.0
        vertices: list[FloatArray] = []
        faces: list[npt.NDArray[np.int64]] = []
        count = 0
        for part in shapely.get_parts(lines):
            places = shapely.get_coordinates(shapely.segmentize(part, SEGMENT_M))
            if len(places) < 2:
                continue
            along = np.gradient(places, axis=0)
            length = np.hypot(along[:, 0], along[:, 1])
            across = (
                np.column_stack([-along[:, 1], along[:, 0]])
                / np.where(length > 0, length, 1.0)[:, None]
            )
            z = self.height(places[:, 0], places[:, 1]) + LIFT_M
            for side in (half, -half):
                edge = places + side * across
                vertices.append(self.place(edge[:, 0], edge[:, 1], z))
            n = len(places)
            first = count + np.arange(n - 1)
            faces.append(np.stack([first, first + n, first + n + 1], 1))
            faces.append(np.stack([first, first + n + 1, first + 1], 1))
            count += 2 * n
        if not vertices:
            return None
        return _painted(np.concatenate(vertices), np.concatenate(faces), name)

    def mounts(self, plan: Plan) -> list[tuple[str, trimesh.Trimesh]]:
        """Masts and towers as upright cylinders, each a node of its own name."""
        found = []
        for mount in plan.mounts.itertuples():
            x, y = mount.geometry.x, mount.geometry.y
            foot = mount.ground_z if np.isfinite(mount.ground_z) else self.foot(x, y)
            ends = self.place([x, x], [y, y], [foot, foot + mount.height_m])
            radius = TOWER_RADIUS_M if mount.kind == "tower" else MAST_RADIUS_M
            body = trimesh.creation.cylinder(radius=radius, segment=ends, sections=12)
            found.append((f"mount {mount.mount_id}", _painted(body.vertices, body.faces, "mount")))
        return found

    def aims(self, plan: Plan, site: Site) -> list[tuple[str, trimesh.Trimesh]]:
        """Where devices look, as pyramids of their fields of view."""
        ground = dict(zip(plan.mounts["mount_id"], plan.mounts["ground_z"], strict=True))
        found = []
        for device in plan.devices.itertuples():
            model = site.catalogue.devices.get(str(device.model))
            if model is None or model.kind in ("observer", "ptz"):
                continue
            x, y = device.geometry.x, device.geometry.y
            foot = float(ground.get(device.mount_id, np.nan))
            foot = foot if math.isfinite(foot) else self.foot(x, y)
            half = math.radians(min(device.hfov_deg, WIDEST_DEG)) / 2.0
            tall = math.radians(min(device.vfov_deg, WIDEST_DEG)) / 2.0
            bearing, dip = math.radians(device.azimuth_deg), math.radians(device.tilt_deg)
            forward = np.array(
                [
                    math.sin(bearing) * math.cos(dip),
                    math.cos(bearing) * math.cos(dip),
                    -math.sin(dip),
                ]
            )
            right = np.array([math.cos(bearing), -math.sin(bearing), 0.0])
            up = np.cross(right, forward)
            corners = [
                AIM_M * (forward + a * math.tan(half) * right + b * math.tan(tall) * up)
                for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
            eye = np.array([x, y, foot + device.height_m])
            points = np.array([eye, *(eye + corner for corner in corners)])
            vertices = self.place(points[:, 0], points[:, 1], points[:, 2])
            sides = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1]]
            found.append((f"device {device.device_id}", _painted(vertices, np.array(sides), "aim")))
        return found

    def lights(self, plan: Plan) -> list[tuple[str, trimesh.Trimesh]]:
        """Lights as small balls."""
        if plan.lighting is None:
            return []
        found = []
        for light in plan.lighting.lights.itertuples():
            x, y = light.geometry.x, light.geometry.y
            ball = trimesh.creation.icosphere(subdivisions=1, radius=0.4)
            centre = self.place(x, y, self.foot(x, y) + light.height_m)
            found.append(
                (
                    f"light {light.light_id}",
                    _painted(ball.vertices + centre, ball.faces, "light"),
                )
            )
        return found


def _painted(vertices: npt.ArrayLike, faces: npt.ArrayLike, name: str) -> trimesh.Trimesh:
    """A mesh of one colour, seen from both sides."""
    colour = COLOURS[name]
    material = PBRMaterial(
        name=name,
        baseColorFactor=colour,
        metallicFactor=0.0,
        roughnessFactor=0.9,
        doubleSided=True,
        alphaMode="BLEND" if colour[3] < 255 else "OPAQUE",
    )
    visual = trimesh.visual.TextureVisuals(material=material)
    return trimesh.Trimesh(vertices, faces, visual=visual, process=False)
