"""A device's picture of the site, with its rings of pixel density."""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from shapely.geometry import Point

from watchline.geo.chainage import strip_polygon
from watchline.model.catalogue import Device
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.field import whole_field_deg
from watchline.physics.optics import distance_for_density, observer_density
from watchline.prove.devices import Perch, PlacedDevice
from watchline.prove.heights import relief_of
from watchline.report.camera_view import Drawn, Projection, Ring, View, draw_view
from watchline.report.png import encode_colours
from watchline.studio.faults import NotThere
from watchline.studio.look_answers import PictureInfo, PictureRing
from watchline.studio.opened import OpenPlan

LINE, ZONE, ROAD, MAST = (209, 73, 12), (245, 245, 240), (122, 106, 79), (27, 33, 36)
RINGS = (
    (253, 231, 37),
    (110, 214, 90),
    (64, 205, 200),
    (110, 160, 255),
    (190, 130, 255),
    (255, 110, 160),
)
"""Colours from the finest density to the coarsest."""
ROUND_DEG = 120.0
"""Wider than this a picture is unrolled from a cylinder: a flat one would stretch its sides."""
PERSON_VFOV_DEG = 60.0
TALLEST_SHARE, LOWEST_SHARE = 0.8, 0.18
NIGHT_LX = 50.0


@dataclass(frozen=True)
class Camera:
    """One device of a plan, ready to be drawn."""

    site: Site
    plan: Plan
    device_id: str
    condition: str
    view: View
    rings: tuple[Ring, ...]

    @classmethod
    def of(cls, found: OpenPlan, device_id: str, condition: str, width: int) -> Camera:
        """The camera of a device.

        Raises
        ------
        NotThere
            The ground under it is unknown, so nobody knows how high it hangs.
        """
        site = found.place.site
        found.numbers(condition)  # a condition that nothing asks for is said here
        perch, device = next(
            (perch, device)
            for perch in found.proof.perches
            for device in perch.devices
            if device.device_id == device_id
        )
        if math.isnan(perch.z):
            raise NotThere(
                "the ground under it is unknown, so its picture is too",
                where=device_id,
                mend="move its mount onto known ground",
            )
        view = _view(site, perch, device, condition, width)
        return cls(site, found.plan, device_id, condition, view, _rings(site, device))

    def info(self, plan: str) -> PictureInfo:
        """What the picture shows."""
        view = self.view
        query = urlencode({"condition": self.condition})
        return PictureInfo(
            device_id=self.device_id,
            width=view.width,
            height=view.height,
            hfov_deg=view.hfov_deg,
            vfov_deg=view.vfov_deg,
            projection=view.projection,
            rings=[
                PictureRing(
                    quality=ring.name,
                    px_per_m=ring.px_per_m,
                    distance_m=_distance(view.device, view.focal_mm, ring.px_per_m),
                    colour="#{:02x}{:02x}{:02x}".format(*ring.colour),
                )
                for ring in self.rings
            ],
            image=f"/api/plans/{quote(plan)}/devices/{quote(self.device_id)}/picture.png?{query}",
        )


def _view(site: Site, perch: Perch, device: PlacedDevice, condition: str, width: int) -> View:
    model = device.model
    hfov, vfov = whole_field_deg(model, device.focal_mm)
    tilt, azimuth = device.tilt_deg, device.azimuth_deg
    projection: Projection = "flat"
    if model.kind == "ptz":
        hfov, vfov = model.sensor_fov_deg(device.focal_mm)
    elif model.is_person:
        hfov, vfov, tilt = 360.0, PERSON_VFOV_DEG, PERSON_VFOV_DEG / 6.0
    if hfov > ROUND_DEG or model.sensors > 1:
        projection = "cylinder"
        share = vfov / hfov
    else:
        share = math.tan(math.radians(vfov) / 2.0) / math.tan(math.radians(hfov) / 2.0)
    air = site.condition(condition)
    finite = math.isfinite(air.visibility_m) and model.kind != "thermal"
    return View(
        x=perch.x,
        y=perch.y,
        z=perch.z,
        device=model,
        azimuth_deg=azimuth,
        tilt_deg=tilt,
        focal_mm=device.focal_mm,
        hfov_deg=hfov,
        vfov_deg=vfov,
        projection=projection,
        width=width,
        height=round(width * min(max(share, LOWEST_SHARE), TALLEST_SHARE)),
        extinction_per_m=air.extinction_per_m if finite else 0.0,
        night=air.ambient_lx < NIGHT_LX,
        thermal=model.kind == "thermal",
    )


def _rings(site: Site, device: PlacedDevice) -> tuple[Ring, ...]:
    """Densities that the project asks for, and the classes between the coarsest and finest."""
    asked: dict[float, str] = {}
    for requirement in site.requirements:
        if requirement.px_per_m > 0:
            asked.setdefault(
                requirement.px_per_m, requirement.quality or f"{requirement.px_per_m:g} px/m"
            )
    for name, density in site.catalogue.qualities.items():
        if ":" not in name and len(asked) < len(RINGS) and density not in asked:
            asked[density] = name
    finest_first = sorted(asked.items(), reverse=True)[-len(RINGS) :]
    return tuple(Ring(name, density, RINGS[k]) for k, (density, name) in enumerate(finest_first))


def _distance(model: Device, focal_mm: float, px_per_m: float) -> float:
    """Slant distance on the axis at which a density is reached."""
    if model.is_person:
        return float(observer_density(model.acuity_arcmin, px_per_m))
    return float(distance_for_density(model.focal_px(focal_mm), px_per_m))


def picture_of(camera: Camera, terrain: Terrain, rings: bool) -> bytes:
    """The picture as PNG."""
    site, zone = camera.site, camera.site.zone
    strip = strip_polygon(
        site.line, site.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m
    )
    drawn = [Drawn(site.road.centreline, ROAD), Drawn(strip, ZONE), Drawn(site.line, LINE, 3)]
    view = camera.view
    for mount in camera.plan.mounts.itertuples():
        point: Point = mount.geometry
        if math.hypot(point.x - view.x, point.y - view.y) > 1.0:
            drawn.append(Drawn(point, MAST, 2, float(mount.height_m)))
    picture = draw_view(view, relief_of(terrain), drawn, camera.rings if rings else ())
    return encode_colours(picture)
