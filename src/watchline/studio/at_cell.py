"""One cell: who sees it, at what px/m, by what light, and why the others do not."""

from __future__ import annotations

import math

import numpy as np
import shapely

from watchline.geo.chainage import to_chainage
from watchline.model.site import Requirement
from watchline.physics.acquisition import margin, scene_lx
from watchline.physics.lamp_light import lamp_table, sector_of
from watchline.physics.optics import apparent_rise_m
from watchline.prove.devices import Perch, PlacedDevice
from watchline.prove.explain import (
    HIDES,
    NO_DATA,
    NOT_MADE_OUT,
    OUTSIDE,
    SEES,
    TOO_COARSE,
    TOO_FAR,
    TOO_SELDOM,
    Asked,
    DeviceView,
    obstacle_at,
    summarise,
)
from watchline.prove.heights import Relief
from watchline.prove.sightline import look_along
from watchline.studio.globe import Globe, known
from watchline.studio.look_answers import Block, CellAnswer, CellView, Profile, Reason
from watchline.studio.opened import OpenPlan
from watchline.studio.tiles import CellPlaces

REASONS: dict[int, Reason] = {
    SEES: "sees",
    NOT_MADE_OUT: "not_made_out",
    HIDES: "hidden",
    NO_DATA: "no_data",
    TOO_COARSE: "too_coarse",
    OUTSIDE: "outside",
    TOO_FAR: "too_far",
    TOO_SELDOM: "too_seldom",
}
MOST_VIEWS = 60
"""Views told of: those that see it, then those nearest to seeing it."""
MOST_STEPS = 400
STEPS_PER_CELL = 2.0


def cell_answer(
    plan: OpenPlan,
    name: str,
    globe: Globe,
    places: CellPlaces,
    lonlat: tuple[float, float],
    condition: str,
    device: str | None,
    requirement: str | None = None,
) -> CellAnswer:
    """Explain the cell under a place of the map; elsewhere the place itself is explained.

    Parameters
    ----------
    plan : OpenPlan
        The plan.
    name : str
        Its name.
    globe, places
        Of its project.
    lonlat : tuple of float
        The place.
    condition : str
        Condition under which it is judged.
    device : str or None
        Whose sight line is drawn; by default that of the view told first.
    requirement : str or None
        Whose demands are asked about, where it asks for this cell; by default the hardest.
    """
    site, asked = plan.place.site, plan.proof.asked
    cells, relief = asked.cells, asked.relief
    x, y = globe.place(*lonlat)
    number = int(places.find([x], [y])[0])
    of_requirement = None
    if number >= 0:
        x, y = float(cells.x[number]), float(cells.y[number])
        of_requirement = plan.requirement_at(condition, number, requirement)
    loosest = min(plan.numbers(condition), key=lambda k: site.requirements[k].px_per_m)
    judged = site.requirements[loosest if of_requirement is None else of_requirement]
    s, t, _ = to_chainage(site.line, np.array([x]), np.array([y]))
    wanted = Asked(judged.target_height_m, judged.px_per_m, judged.time_share, condition)
    views = plan.proof.explain(x, y, wanted)
    teller = _Teller(plan, globe, judged, (x, y))
    ground = float(relief.ground_at(x, y)[0])
    lon, lat = globe.lonlat(x, y)
    half = cells.cell_m / 2.0
    return CellAnswer(
        plan=name,
        revision=plan.revision,
        lon=float(lon),
        lat=float(lat),
        s=float(s[0]),
        t=float(t[0]),
        cell=globe.geometry(shapely.box(x - half, y - half, x + half, y + half)),
        ground_z=known(ground),
        places=[]
        if number < 0
        else [where for where, flag in {**cells.places, **cells.no_watch}.items() if flag[number]],
        condition=condition,
        requirement=judged.name,
        target_height_m=judged.target_height_m,
        px_per_m=judged.px_per_m,
        views_asked=judged.views,
        mounts=list(dict.fromkeys(v.mount_id for v in views if v.reason == SEES)),
        verdict=_verdict(plan, of_requirement, number),
        summary=summarise(views, judged.views),
        views=[teller.view(view) for view in views[:MOST_VIEWS]],
        profile=teller.profile(views, device),
    )


def _verdict(plan: OpenPlan, requirement: int | None, number: int) -> str:
    """What the proof says of the cell."""
    if requirement is None:
        return "not asked"
    asked = plan.proof.asked
    judge, views = asked.wanted[requirement], plan.place.site.requirements[requirement].views
    if judge.sure[number] >= views:
        return "good"
    return "unknown" if judge.most[number] >= views or asked.unknown[number] else "fails"


class _Teller:
    """Tells the views of one place."""

    def __init__(
        self, plan: OpenPlan, globe: Globe, requirement: Requirement, place: tuple[float, float]
    ) -> None:
        self.plan, self.globe, self.requirement, self.place = plan, globe, requirement, place
        asked = plan.proof.asked
        self.relief: Relief = asked.relief
        self.condition = asked.site.condition(requirement.condition)
        self.lit = lamp_table(
            asked.lamps,
            self.condition,
            requirement.target_height_m,
            np.array([place[0]]),
            np.array([place[1]]),
        )[0]
        self.ground = float(self.relief.ground_at(*place)[0])
        self.hung: dict[str, tuple[Perch, PlacedDevice]] = {
            device.device_id: (perch, device)
            for perch in plan.proof.perches
            for device in perch.devices
        }

    def view(self, view: DeviceView) -> CellView:
        """One device's view, or why it has none."""
        perch, device = self.hung[view.device_id]
        east, north = self.place[0] - perch.x, self.place[1] - perch.y
        side = sector_of(np.array([math.atan2(-east, -north)]), self.lit.size)[0]
        lamps = float(self.lit[side])
        asked, found = self.requirement.px_per_m, None
        if asked > 0 and math.isfinite(view.distance_m):
            found = known(
                float(
                    margin(
                        device.model, device.focal_mm, self.condition, asked, view.distance_m, lamps
                    )
                )
            )
        return CellView(
            device_id=view.device_id,
            mount_id=view.mount_id,
            model_name=device.model.name,
            sees=view.reason == SEES,
            reason=REASONS[view.reason],
            why=view.why,
            px_per_m=known(view.px_per_m) or 0.0,
            distance_m=known(view.distance_m),
            lamp_lx=lamps,
            scene_lx=float(scene_lx(self.condition, lamps)),
            margin=found,
            block=self._block(view, perch),
        )

    def _ends(self, perch: Perch) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Both ends of a sight line, heights folded."""
        x, y = self.place
        eye = float(self.relief.fold(perch.z, perch.x, perch.y))
        top = float(self.relief.fold(self.ground + self.requirement.target_height_m, x, y))
        return (perch.x, perch.y, eye), (x, y, top)

    def _block(self, view: DeviceView, perch: Perch) -> Block | None:
        x, y = view.block_x, view.block_y
        if math.isnan(x):
            return None
        site = self.plan.place.site
        s, t, _ = to_chainage(site.line, np.array([x]), np.array([y]))
        lon, lat = self.globe.lonlat(x, y)
        hidden = view.reason == HIDES
        return Block(
            lon=float(lon),
            lat=float(lat),
            s=float(s[0]),
            t=float(t[0]),
            distance_m=math.hypot(x - perch.x, y - perch.y),
            over_m=known(look_along(self.relief, *self._ends(perch)).over_m) if hidden else None,
            what=obstacle_at(self.relief, x, y) if hidden else "no data",
        )

    def profile(self, views: tuple[DeviceView, ...], device: str | None) -> Profile | None:
        """The terrain under one sight line; the Earth's bend is taken off the heights."""
        wanted = device or (views[0].device_id if views else "")
        if wanted not in self.hung or math.isnan(self.ground):
            return None
        perch, _ = self.hung[wanted]
        if math.isnan(perch.z):
            return None
        relief = self.relief
        length = math.hypot(self.place[0] - perch.x, self.place[1] - perch.y)
        steps = int(np.clip(length / relief.cell_m * STEPS_PER_CELL, 2, MOST_STEPS)) + 1
        share = np.linspace(0.0, 1.0, steps)
        x = perch.x + share * (self.place[0] - perch.x)
        y = perch.y + share * (self.place[1] - perch.y)
        away = share * length

        def flat(heights: np.ndarray) -> np.ndarray:
            return perch.z + apparent_rise_m(heights - perch.z, away, relief.refraction)

        ground, surface = flat(relief.ground_at(x, y)), flat(relief.surface_at(x, y))
        top = self.ground + self.requirement.target_height_m
        end = perch.z + float(apparent_rise_m(top - perch.z, length, relief.refraction))
        lon, lat = self.globe.lonlat(x, y)
        s = to_chainage(self.plan.place.site.line, x, y)[0]
        return Profile(
            device_id=wanted,
            distance_m=np.round(away, 2).tolist(),
            ground_m=[known(round(z, 3)) for z in ground.tolist()],
            surface_m=[known(round(z, 3)) for z in surface.tolist()],
            ray_m=np.round(perch.z + share * (end - perch.z), 3).tolist(),
            s=np.round(s, 1).tolist(),
            lon=lon.tolist(),
            lat=lat.tolist(),
        )
