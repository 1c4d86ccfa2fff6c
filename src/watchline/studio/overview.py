"""The project as the page needs it first: its line, its demands, its steps, its plans."""

from __future__ import annotations

from pyproj import CRS

from watchline.studio.answers import (
    ConditionInfo,
    PlanEntry,
    ProjectInfo,
    RequirementInfo,
    Units,
    ZoneInfo,
)
from watchline.studio.globe import known
from watchline.studio.project import Project
from watchline.studio.steps import steps_of
from watchline.version import __version__


def project_info(project: Project, plans: list[PlanEntry]) -> ProjectInfo:
    """All of it; ``plans`` are the project's plans as its desk lists them."""
    site, globe = project.site, project.globe
    crs = CRS(site.crs)
    terrain_bounds = None
    if project.artefact("terrain").file is not None:
        terrain_bounds = project.tiles.bounds
    bounds = globe.bounds(site.line.buffer(site.zone.outer_m))
    middle = site.line.interpolate(0.5, normalized=True)
    lon, lat = globe.lonlat(middle.x, middle.y)
    axis = crs.axis_info[0]
    zone = site.zone
    return ProjectInfo(
        name=site.name,
        folder=project.folder.name,
        version=__version__,
        line_m=site.line.length,
        road_m=site.road.centreline.length,
        bounds=bounds,
        terrain_bounds=terrain_bounds,
        centre=(float(lon), float(lat)),
        crs=site.crs,
        side=site.side,
        zone=ZoneInfo(
            inner_m=zone.inner_m,
            outer_m=zone.outer_m,
            start_m=zone.start_m,
            end_m=zone.end_m,
            side=site.side,
        ),
        conditions=[
            ConditionInfo(
                name=one.name,
                ambient_lx=one.ambient_lx,
                visibility_m=known(one.visibility_m),
                by_lamps=one.by_lamps,
                requirements=[r.name for r in site.requirements if r.condition == one.name],
            )
            for one in site.conditions
        ],
        requirements=[
            RequirementInfo(
                name=r.name,
                where=r.where,
                quality=r.quality,
                px_per_m=r.px_per_m,
                views=r.views,
                share=r.share,
                target_height_m=r.target_height_m,
                condition=r.condition,
                binding=r.binding,
                survive_loss=r.survive_loss,
            )
            for r in site.requirements
        ],
        steps=steps_of(project),
        plans=plans,
        units=Units(
            crs=site.crs,
            crs_name=crs.name,
            crs_unit=axis.unit_name,
            metres_per_crs_unit=axis.unit_conversion_factor,
            vertical_datum=site.terrain.vertical_datum,
            height_unit=site.terrain.vertical_unit,
            currency=site.catalogue.currency,
        ),
        notes=site.notes,
        credits=list(dict.fromkeys(c for c in (site.line_credit, site.terrain.credit) if c)),
        limits=[text for text in (site.terrain.limits,) if text],
    )
