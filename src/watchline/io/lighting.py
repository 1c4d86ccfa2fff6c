"""The lights of a project: luminaires with their files, poles, requirements and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapely.geometry import LineString, Point

from watchline.config.lighting import (
    LIGHT_PLACES,
    LightingTable,
    LightLimitTable,
    LightRequirementTable,
    LuminaireTable,
)
from watchline.config.project import ProjectFile
from watchline.geo.chainage import from_chainage
from watchline.io.photometry import read_photometry
from watchline.io.project_faults import suggest
from watchline.model.catalogue import Catalogue
from watchline.model.lighting import (
    LightingRules,
    LightLimit,
    LightRequirement,
    LuminaireOffer,
    PoleRules,
)
from watchline.model.site import Area, NoWatchArea
from watchline.physics.light import grid_spacing_m

if TYPE_CHECKING:
    from watchline.io.project_places import PlacesReader

LARGEST_CELL_M = 5.0
VERTICAL_HEIGHT_M = 1.5
Shapes = tuple[Area | NoWatchArea, ...]


def read_lighting(
    reader: PlacesReader, line: LineString, areas: Shapes, no_watch: Shapes, catalogue: Catalogue
) -> LightingRules | None:
    """What a project says of lights; None where it says nothing. Faults go to the reader."""
    tables = reader.tables
    if not (tables.luminaires or tables.light_requirements or tables.light_limits):
        if tables.lighting is not None:
            reader.fault(
                "poles for lights are offered, but no light",
                "lighting",
                "add [[luminaires]] and [[light_requirements]], or leave lighting out",
            )
        return None
    if not (tables.luminaires and tables.light_requirements):
        lacks = "luminaires" if tables.light_requirements else "light_requirements"
        reader.fault(
            "lights are spoken of, but there are no [[" + lacks + "]]",
            lacks,
            "add one, or leave lights out",
        )
        return None
    rules = tables.lighting or LightingTable()
    if not rules.poles and not rules.on_masts:
        reader.fault(
            "lights may hang nowhere",
            "lighting",
            "add a [[lighting.poles]], or write on_masts = true",
        )
    offers = [_offer(reader, table, i) for i, table in enumerate(tables.luminaires)]
    limits = [
        _limit(reader, table, i, line, (*areas, *no_watch))
        for i, table in enumerate(tables.light_limits)
    ]
    return LightingRules(
        luminaires=tuple(offer for offer in offers if offer is not None),
        poles=_poles(tables, rules, catalogue),
        requirements=tuple(
            _requirement(reader, table, i, [*LIGHT_PLACES, *(area.name for area in areas)])
            for i, table in enumerate(tables.light_requirements)
        ),
        limits=tuple(limit for limit in limits if limit is not None),
    )


def _offer(reader: PlacesReader, table: LuminaireTable, number: int) -> LuminaireOffer | None:
    key = f"luminaires[{number}] '{table.name}'"
    path = reader.input_path(table.file, f"{key}.file")
    photometry = reader.attempt(lambda: read_photometry(path)) if path.is_file() else None
    if photometry is None:
        return None
    power = table.power or photometry.power_w
    if not power > 0:
        reader.fault(f"{table.file} does not say its power", f"{key}.power", 'add power = "… W"')
    return LuminaireOffer(
        name=table.name,
        file=table.file,
        photometry=photometry,
        price=table.price,
        power_w=power,
        maintenance_factor=table.maintenance_factor,
        front_c_deg=table.front,
        azimuths_deg=tuple(dict.fromkeys(table.azimuths)),
        tilts_deg=tuple(dict.fromkeys(table.tilts)),
    )


def _poles(tables: ProjectFile, rules: LightingTable, catalogue: Catalogue) -> PoleRules:
    zone, road = tables.zone, tables.road
    width = zone.outer - zone.inner
    offsets = tuple(rules.offsets)
    if not offsets:
        away = road.width / 2 + tables.candidates.road_clearance
        offsets = (zone.outer,) if road.offset is None else (max(road.offset - away, away),)
    trench = rules.trench_per_m
    return PoleRules(
        poles=tuple((pole.height, pole.price) for pole in rules.poles),
        spacing_m=rules.spacing,
        offsets_m=offsets,
        on_masts=rules.on_masts,
        heads=rules.heads,
        mast_heads=rules.mast_heads,
        feeders=rules.feeders,
        trench_per_m=catalogue.services.power_trench_per_m if trench is None else trench,
        energy_price=rules.energy_price,
        hours_per_year=rules.hours_per_year,
        years=rules.years,
        cell_m=rules.cell or min(grid_spacing_m(width), LARGEST_CELL_M),
        gap=rules.gap,
        work=rules.work,
    )


def _requirement(
    reader: PlacesReader, table: LightRequirementTable, number: int, places: list[str]
) -> LightRequirement:
    if table.where not in places:
        reader.fault(
            f"'{table.where}' is no place of this project",
            f"light_requirements[{number}] '{table.name}'.where",
            suggest(table.where, places),
        )
    height = table.height
    if height is None:
        height = VERTICAL_HEIGHT_M if table.plane == "vertical" else 0.0
    return LightRequirement(
        name=table.name,
        where=table.where,
        plane=table.plane,
        facing=table.facing,
        height_m=height,
        minimum_lx=table.minimum or 0.0,
        average_lx=table.average or 0.0,
        uniformity=table.uniformity or 0.0,
        stretch_m=table.stretch,
        survive=table.survive,
        binding=table.binding,
    )


def _limit(
    reader: PlacesReader, table: LightLimitTable, number: int, line: LineString, areas: Shapes
) -> LightLimit | None:
    key = f"light_limits[{number}] '{table.name}'"
    kinds: dict[str, float | None] = {
        "illuminance": table.maximum,
        "intensity": table.intensity,
        "veil": table.veil,
        "upward": table.upward_ratio,
    }
    kind = next(name for name, value in kinds.items() if value is not None)
    shapes = {area.name: area.polygon for area in areas}
    place: Any = None
    if table.area is not None:
        if table.area not in shapes:
            reader.fault(
                f"there is no area '{table.area}'",
                f"{key}.area",
                suggest(table.area, list(shapes)) if shapes else "draw it under [[areas]]",
            )
            return None
        place = shapes[table.area]
    if table.chainage is not None:
        if table.chainage > line.length:
            reader.fault(
                f"chainage {table.chainage:g} m lies beyond the line's end ({line.length:.0f} m)",
                f"{key}.chainage",
                "correct it",
            )
        x, y = from_chainage(line, [table.chainage], table.offset)  # type: ignore[arg-type]
        place = Point(x[0], y[0])
    offset = None
    if table.across is not None:
        offset = -reader.sign * table.across
    elif table.beyond is not None:
        offset = reader.sign * (reader.tables.zone.outer + table.beyond)
    return LightLimit(
        name=table.name,
        kind=kind,  # type: ignore[arg-type]
        most=float(kinds[kind] or 0.0),
        area=place,
        offset_m=offset,
        height_m=table.height,
        looking_deg=table.looking or 0.0,
        binding=table.binding,
    )
