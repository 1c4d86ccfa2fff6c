"""Read ``project.toml`` and what it names into a :class:`~watchline.model.site.Site`.

Every fault that can be seen is collected and reported together, so that one run of
``watchline check`` shows all that is to mend.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from watchline.config.conditions import all_conditions
from watchline.config.project import (
    PLACES,
    ProjectFile,
)
from watchline.errors import ManyFaults, ProjectError
from watchline.geo.chainage import strip_polygon
from watchline.io.catalogue import load_catalogue
from watchline.io.defence import read_defence
from watchline.io.lighting import read_lighting
from watchline.io.lock import check_lock
from watchline.io.project_faults import schema_faults, suggest
from watchline.io.project_places import PlacesReader
from watchline.io.resilience import read_resilience
from watchline.io.vector import project_crs
from watchline.model.catalogue import Catalogue
from watchline.model.condition import Condition
from watchline.model.provenance import Provenance
from watchline.model.site import (
    Area,
    CandidateRules,
    DesignRules,
    NoWatchArea,
    Requirement,
    Site,
    VisibilityRules,
)
from watchline.physics.reach import BRIGHT_LX, serving_reach_m
from watchline.version import __version__

PROJECT_FILE = "project.toml"


def project_path(path: str | Path) -> Path:
    """Path of the project file of a folder or of the file itself.

    Raises
    ------
    ProjectError
        There is none.
    """
    place = Path(path)
    file = place / PROJECT_FILE if place.is_dir() else place
    if not file.is_file():
        raise ProjectError(
            f"there is no {PROJECT_FILE} in {place}"
            if place.is_dir()
            else f"{file} does not exist",
            mend="name a project folder, or make one with `watchline init LINE DEM`",
        )
    return file.resolve()


def read_project_file(path: Path) -> ProjectFile:
    """``project.toml`` as typed tables, not yet joined with the files that it names.

    Raises
    ------
    ManyFaults
        Every fault of the file.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(
            f"not valid TOML: {error}", where=path.name, mend="correct it"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"cannot be read ({error})", where=path.name, mend="save it as UTF-8"
        ) from error
    try:
        return ProjectFile.model_validate(tables)
    except ValidationError as error:
        raise ManyFaults(schema_faults(error, path.name)) from error


def read_site(path: str | Path) -> Site:
    """Site of a project: its file, its geometry, its catalogue, all checked.

    Parameters
    ----------
    path : str or Path
        Project folder, or its ``project.toml``.

    Raises
    ------
    ManyFaults
        Everything that is wrong, together.
    """
    file = project_path(path)
    tables = read_project_file(file)
    return _Reader(file, tables).site()


def input_names(tables: ProjectFile) -> list[str]:
    """Paths of all inputs that a project file names, as they stand in it."""
    terrain = tables.terrain
    names = [
        tables.line.file,
        tables.road.file,
        terrain.ground,
        terrain.surface,
        terrain.buildings,
        terrain.vegetation,
        *(area.file for area in (*tables.areas, *tables.exclusions, *tables.no_watch)),
        *tables.catalogue.files,
        *(luminaire.file for luminaire in tables.luminaires),
    ]
    return sorted({name for name in names if name is not None})


class _Reader(PlacesReader):
    """Joins the tables of a project with the files that they name, collecting faults."""

    def site(self) -> Site:
        tables = self.tables
        crs = self.attempt(lambda: project_crs(tables.crs, self.at("crs")))
        catalogue = self.attempt(self.catalogue)
        line = self.attempt(self.line) if crs is not None else None
        site_parts, lighting = None, None
        if line is not None:
            zone = self.zone(line)
            road = self.attempt(lambda: self.road(line))
            zone_polygon = strip_polygon(
                line, self.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m
            )
            areas = tuple(
                Area(table.name, polygon)
                for i, table in enumerate(tables.areas)
                if (polygon := self.polygon(table, f"areas[{i}]", line, zone_polygon)) is not None
            )
            exclusions = tuple(
                Area(table.name, polygon)
                for i, table in enumerate(tables.exclusions)
                if (polygon := self.polygon(table, f"exclusions[{i}]", line, zone_polygon))
                is not None
            )
            no_watch = tuple(
                NoWatchArea(table.name, polygon, table.allowed_share, table.px_per_m)
                for i, table in enumerate(tables.no_watch)
                if (polygon := self.polygon(table, f"no_watch[{i}]", line, zone_polygon))
                is not None
            )
            site_parts = (zone, road, areas, exclusions, no_watch)
            if catalogue is not None:
                lighting = read_lighting(self, line, areas, no_watch, catalogue)
        terrain = self.terrain()
        requirements = self.requirements(catalogue)
        if catalogue is not None:
            self.catalogue_keys(catalogue)
        self.attempt(lambda: check_lock(self.folder, self.inputs))
        defence = None
        if site_parts is not None and site_parts[1] is not None:
            known = all_conditions(tables.conditions)
            defence, faults = read_defence(tables, line, *site_parts[:2], known, self.at)
            self.faults.extend(faults)
        resilience, faults = read_resilience(tables, line, self.at)
        self.faults.extend(faults)
        if self.faults:
            raise ManyFaults(self.faults)
        assert crs is not None and catalogue is not None and line is not None
        assert site_parts is not None
        zone, road, areas, exclusions, no_watch = site_parts
        assert road is not None
        return Site(
            name=tables.name,
            folder=self.folder,
            crs=tables.crs,
            line=line,
            side=tables.line.side,
            zone=zone,
            road=road,
            terrain=terrain,
            requirements=requirements,
            catalogue=catalogue,
            candidates=self.candidate_rules(requirements, catalogue),
            visibility=VisibilityRules(tables.visibility.method, tables.visibility.spacing),
            design=DesignRules(
                work_limit=tables.design.work,
                time_limit_s=tables.design.time_limit,
                gap=tables.design.gap,
                repair_rounds=tables.design.repair_rounds,
                budget=tables.design.budget,
            ),
            areas=areas,
            exclusions=exclusions,
            no_watch=no_watch,
            existing_mounts=tuple(self.existing(table, line) for table in tables.existing_mounts),
            defence=defence,
            lighting=lighting,
            resilience=resilience,
            line_credit=tables.line.credit,
            notes=tables.notes,
            seed=tables.seed,
            conditions=used_conditions(requirements, all_conditions(tables.conditions)),
            provenance=Provenance(self.inputs, tables.seed, __version__),
        )

    def catalogue(self) -> Catalogue:
        table = self.tables.catalogue
        paths = [
            self.input_path(name, f"catalogue.files[{i}]") for i, name in enumerate(table.files)
        ]
        paths = [path for path in paths if path.is_file()]
        return load_catalogue(paths, dict(table.prices), table.currency, relative_to=self.folder)

    def requirements(self, catalogue: Catalogue | None) -> tuple[Requirement, ...]:
        places = [*PLACES, *(area.name for area in self.tables.areas)]
        conditions = all_conditions(self.tables.conditions)
        found: list[Requirement] = []
        for i, table in enumerate(self.tables.requirements):
            key = f"requirements[{i}] '{table.name}'"
            if table.where not in places:
                self.fault(
                    f"'{table.where}' is no place of this project",
                    f"{key}.where",
                    suggest(table.where, places),
                )
            px_per_m = table.px_per_m or 0.0
            if table.quality is not None and catalogue is not None:
                if table.quality not in catalogue.qualities:
                    self.fault(
                        f"'{table.quality}' is no quality class",
                        f"{key}.quality",
                        suggest(table.quality, list(catalogue.qualities)),
                    )
                px_per_m = catalogue.qualities.get(table.quality, 0.0)
            for condition in table.conditions or [table.condition or "day"]:
                if condition not in conditions:
                    self.fault(
                        f"'{condition}' is no condition of this project",
                        f"{key}.condition{'s' if table.conditions else ''}",
                        suggest(condition, list(conditions)),
                    )
                several = len(table.conditions or ()) > 1
                found.append(
                    Requirement(
                        name=f"{table.name}, {condition}" if several else table.name,
                        where=table.where,
                        quality=table.quality or "",
                        px_per_m=px_per_m,
                        views=table.views,
                        share=table.share,
                        target_height_m=table.target_height,
                        condition=condition,
                        time_share=table.time_share,
                        binding=table.binding,
                        survive_loss=table.survive_loss or self.tables.design.survive_loss,
                    )
                )
        names = [requirement.name for requirement in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            self.fault(
                f"two requirements are named '{twice[0]}', one of them by its condition",
                "requirements",
                "rename one",
            )
        if not any(requirement.binding for requirement in found):
            self.fault("no requirement is binding", "requirements", "leave binding out of one")
        return tuple(found)

    def catalogue_keys(self, catalogue: Catalogue) -> None:
        """Every key that the project takes from the catalogue must be there."""
        for i, name in enumerate(self.tables.candidates.devices):
            if name not in catalogue.devices:
                self.fault(
                    f"the catalogue has no device '{name}'",
                    f"candidates.devices[{i}]",
                    suggest(name, list(catalogue.devices)),
                )
        named = [
            (f"candidates.structures[{i}]", name)
            for i, name in enumerate(self.tables.candidates.structures)
        ] + [
            (f"existing_mounts[{i}].structure", table.structure)
            for i, table in enumerate(self.tables.existing_mounts)
        ]
        for key, name in named:
            if name not in catalogue.structures:
                self.fault(
                    f"the catalogue has no mast or tower '{name}'",
                    key,
                    suggest(name, list(catalogue.structures)),
                )
            elif catalogue.structures[name].capacity <= self.tables.candidates.spare_capacity:
                self.fault(
                    f"'{name}' carries {catalogue.structures[name].capacity} devices, and "
                    f"spare_capacity = {self.tables.candidates.spare_capacity} leaves none of "
                    "these places",
                    key,
                    "lower candidates.spare_capacity, or leave the structure out",
                )

    def candidate_rules(
        self, requirements: tuple[Requirement, ...], catalogue: Catalogue
    ) -> CandidateRules:
        table = self.tables.candidates
        spacing = table.spacing or default_spacing_m(
            requirements, table.devices, catalogue, all_conditions(self.tables.conditions)
        )
        return CandidateRules(
            spacing_m=spacing,
            crest_spacing_m=table.crest_spacing or spacing / 2,
            road_clearance_m=table.road_clearance,
            devices=tuple(table.devices),
            structures=tuple(table.structures),
            spare_capacity=table.spare_capacity,
        )


def used_conditions(
    requirements: tuple[Requirement, ...], known: dict[str, Condition]
) -> tuple[Condition, ...]:
    """The conditions that requirements name, in the order in which they do."""
    names = dict.fromkeys(requirement.condition for requirement in requirements)
    return tuple(known[name] for name in names)


def default_spacing_m(
    requirements: tuple[Requirement, ...],
    devices: list[str],
    catalogue: Catalogue,
    conditions: dict[str, Condition],
) -> float:
    """Even spacing of mount sites: an eighth of the longest reach, 40 to 200 m."""
    reach = 0.0
    for requirement in requirements:
        for device in (catalogue.devices[name] for name in devices):
            far = serving_reach_m(
                device,
                device.focal_max_mm,
                requirement,
                conditions[requirement.condition],
                BRIGHT_LX,
            )
            reach = max(reach, float(far))
    return float(round(min(200.0, max(40.0, reach / 8)), -1))
