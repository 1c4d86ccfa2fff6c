"""Where the things of ``project.toml`` stand: line, zone, road, areas, terrain, existing mounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from watchline.config.project import AreaTable, ExistingMountTable, ProjectFile
from watchline.errors import LineError, ManyFaults, ProjectError, WatchlineError
from watchline.geo.chainage import from_chainage, part, vertices
from watchline.io.files import sha256_file
from watchline.io.vector import read_layer, read_line, read_polygons
from watchline.model.site import ExistingMount, Road, TerrainSource, Zone

Result = TypeVar("Result")


class PlacesReader:
    """Reads the files that the tables of a project name, collecting faults.

    Parameters
    ----------
    file : Path
        ``project.toml``.
    tables : ProjectFile
        What stands in it.
    """

    def __init__(self, file: Path, tables: ProjectFile) -> None:
        self.file = file
        self.folder = file.parent
        self.tables = tables
        self.faults: list[WatchlineError] = []
        self.inputs: dict[str, str] = {"project.toml": sha256_file(file)}

    def attempt(self, step: Callable[[], Result]) -> Result | None:
        """Result of a step, or None with its fault kept."""
        try:
            return step()
        except ManyFaults as many:
            self.faults.extend(many.faults)
        except WatchlineError as fault:
            self.faults.append(fault)
        return None

    def fault(self, what: str, key: str, mend: str) -> None:
        """Keep a fault of the project file."""
        self.faults.append(ProjectError(what, where=self.at(key), mend=mend))

    def at(self, key: str) -> str:
        """Place of a key, for messages."""
        return f"{self.file.name}: {key}"

    def input_path(self, name: str, key: str) -> Path:
        """Absolute path of an input; its hash is noted."""
        path = (self.folder / name).resolve()
        if path.is_file():
            self.inputs[name] = sha256_file(path)
        else:
            self.fault(f"the file {name} does not exist", key, "correct the path")
        return path

    @property
    def sign(self) -> int:
        """1 where the zone lies left of the line, -1 where it lies right of it."""
        return 1 if self.tables.line.side == "left" else -1

    def line(self) -> LineString:
        """The line, in its direction."""
        table = self.tables.line
        path = self.input_path(table.file, "line.file")
        if not path.is_file():
            return None  # type: ignore[return-value] # the fault is kept
        where = self.at("line.file")
        frame = read_layer(
            path, layer=table.layer, crs=table.crs, to_crs=self.tables.crs, where=where
        )
        line = read_line(frame, path, where)
        return LineString(vertices(line)[::-1]) if table.reverse else line

    def zone(self, line: LineString) -> Zone:
        """The zone; its limits must lie along the line."""
        table = self.tables.zone
        length = line.length
        end = length if table.end is None else table.end
        start = table.start or 0.0
        if end > length + 1.0:
            self.fault(
                f"end ({end:g} m) lies beyond the line's end ({length:.0f} m)",
                "zone.end",
                "leave it out, or shorten it",
            )
        if start >= length:
            self.fault(
                f"start ({start:g} m) lies beyond the line's end ({length:.0f} m)",
                "zone.start",
                "shorten it",
            )
            start = 0.0
        return Zone(
            table.inner, table.outer, start, min(end, length), table.cell, table.fence_strip
        )

    def road(self, line: LineString) -> Road:
        """The road, drawn in a file or at an offset from the line."""
        table = self.tables.road
        if table.file is not None:
            path = self.input_path(table.file, "road.file")
            where = self.at("road.file")
            frame = read_layer(
                path, layer=table.layer, crs=table.crs, to_crs=self.tables.crs, where=where
            )
            return Road(read_line(frame, path, where, what="road"), table.width)
        assert table.offset is not None
        end = line.length if table.end is None else table.end
        if end > line.length + 1.0:
            raise LineError(
                f"end ({end:g} m) lies beyond the line's end ({line.length:.0f} m)",
                where=self.at("road.end"),
                mend="shorten it",
            )
        piece = part(line, table.start or 0.0, min(end, line.length))
        curve = piece.offset_curve(self.sign * table.offset) if table.offset else piece
        if curve.geom_type != "LineString" or curve.is_empty:
            raise LineError(
                f"a road at {table.offset:g} m from the line falls apart at its bends",
                where=self.at("road.offset"),
                mend="choose a smaller offset, or draw the road and give it as file",
            )
        return Road(curve, table.width)

    def polygon(
        self, table: AreaTable, key: str, line: LineString, zone: Polygon | MultiPolygon
    ) -> Polygon | MultiPolygon | None:
        """The polygon of a table; None, and a fault kept, where there is none."""

        def read() -> Polygon | MultiPolygon:
            if table.circle is not None:
                x, y = from_chainage(line, [table.circle.chainage], table.circle.offset)  # type: ignore[arg-type]
                shape = Point(x[0], y[0]).buffer(table.circle.radius, quad_segs=32)
                if table.circle.chainage > line.length:
                    raise ProjectError(
                        f"chainage {table.circle.chainage:g} m lies beyond the line's end "
                        f"({line.length:.0f} m)",
                        where=self.at(f"{key}.circle"),
                        mend="correct it",
                    )
            else:
                assert table.file is not None
                path = self.input_path(table.file, f"{key}.file")
                where = self.at(f"{key}.file")
                frame = read_layer(
                    path, layer=table.layer, crs=table.crs, to_crs=self.tables.crs, where=where
                )
                shape = read_polygons(frame, path, where)
            if table.within_zone:
                shape = shape.intersection(zone)
                if shape.is_empty:
                    raise ProjectError(
                        f"'{table.name}' does not touch the zone",
                        where=self.at(key),
                        mend="move it, or leave out within_zone",
                    )
            return shape

        return self.attempt(read)

    def terrain(self) -> TerrainSource:
        """Where heights come from."""
        table = self.tables.terrain

        def path(name: str | None, key: str) -> Path | None:
            return None if name is None else self.input_path(name, f"terrain.{key}")

        ground = path(table.ground, "ground")
        assert ground is not None
        return TerrainSource(
            ground=ground,
            surface=path(table.surface, "surface"),
            buildings=path(table.buildings, "buildings"),
            vegetation=path(table.vegetation, "vegetation"),
            crs=table.crs,
            cell_m=table.cell,
            nodata=table.nodata,
            clamp_below_m=table.clamp_below,
            vertical_unit=table.unit,
            vertical_datum=self.tables.vertical_datum,
            refraction=table.refraction,
            height_error_m=table.height_error,
            credit=table.credit,
            limits=table.limits,
        )

    def existing(self, table: ExistingMountTable, line: LineString) -> ExistingMount:
        """A mount that stands already."""
        if table.x is not None and table.y is not None:
            x, y = table.x, table.y
        else:
            assert table.chainage is not None and table.offset is not None
            xs, ys = from_chainage(line, [table.chainage], table.offset)  # type: ignore[arg-type]
            x, y = float(xs[0]), float(ys[0])
        return ExistingMount(table.name, x, y, table.structure, table.reuse_cost)
