"""The tables on adversaries and response of ``project.toml``, joined with line, zone and road."""

from __future__ import annotations

from collections.abc import Callable

from shapely.geometry import LineString, Point

from watchline.config.project import ProjectFile
from watchline.config.response import PostTable, ResponseTable
from watchline.errors import ProjectError, WatchlineError
from watchline.geo.chainage import from_chainage
from watchline.io.project_faults import suggest
from watchline.model.defence import (
    NORMAL_STATE,
    Adversary,
    Barrier,
    Defence,
    DefenceState,
    DetectionGrade,
    DetectionRules,
    Gait,
    Patrol,
    Post,
    ResponseRules,
    Surface,
)
from watchline.model.site import Road, Zone
from watchline.physics.detection import availability

LEAST_CELLS_ACROSS = 4


def read_defence(
    tables: ProjectFile,
    line: LineString,
    zone: Zone,
    road: Road,
    at: Callable[[str], str],
) -> tuple[Defence | None, list[WatchlineError]]:
    """Defence of a project, or None where its file tells nothing of it, and what is wrong.

    Parameters
    ----------
    tables : ProjectFile
        The project file.
    line, zone, road
        The site's, as far as read.
    at : callable
        Place of a key, for messages.
    """
    if not tables.adversaries or tables.detection is None or tables.response is None:
        return None, []
    faults: list[WatchlineError] = []

    def fault(what: str, key: str, mend: str) -> None:
        faults.append(ProjectError(what, where=at(key), mend=mend))

    places = ["road", *(area.name for area in tables.areas)]
    tools = {tool for adversary in tables.adversaries for tool in adversary.tools}
    for i, adversary in enumerate(tables.adversaries):
        for name in adversary.grounds:
            if name not in places:
                fault(
                    f"'{name}' is no area of this project",
                    f"adversaries[{i}].grounds",
                    suggest(name, places),
                )
    for i, barrier in enumerate(tables.barriers):
        if not zone.inner_m < barrier.distance < zone.outer_m:
            fault(
                f"distance ({barrier.distance:g} m) is not inside the zone "
                f"({zone.inner_m:g}–{zone.outer_m:g} m)",
                f"barriers[{i}].distance",
                "move it into the zone, or leave the barrier out",
            )
        for tool in barrier.delays:
            if tool not in tools:
                fault(
                    f"no adversary carries '{tool}'",
                    f"barriers[{i}].delays",
                    suggest(tool, sorted(tools)),
                )
    for i, state in enumerate(tables.states):
        if state.name == NORMAL_STATE:
            fault(f"'{NORMAL_STATE}' is what the states leave", f"states[{i}].name", "rename it")
    length = road.centreline.length
    stretches = [("patrols", i, patrol.end) for i, patrol in enumerate(tables.patrols)]
    stretches += [("response.surfaces", i, s.end) for i, s in enumerate(tables.response.surfaces)]
    for key, i, end in stretches:
        if end > length + 1.0:
            fault(
                f"end ({end:g} m) lies beyond the road's end ({length:.0f} m)",
                f"{key}[{i}].end",
                "shorten it",
            )
    cell = tables.response.path_cell
    if cell * LEAST_CELLS_ACROSS > zone.outer_m - zone.inner_m:
        fault(
            f"path_cell ({cell:g} m) is too coarse for a zone "
            f"{zone.outer_m - zone.inner_m:g} m wide",
            "response.path_cell",
            f"take at most a quarter of its width, {(zone.outer_m - zone.inner_m) / 4:g} m",
        )
    posts = []
    for i, table in enumerate(tables.posts):
        if table.chainage is not None and table.chainage > line.length + 1.0:
            fault(
                f"chainage {table.chainage:g} m lies beyond the line's end ({line.length:.0f} m)",
                f"posts[{i}].chainage",
                "correct it",
            )
        posts.append(_post(table, line, road))
    if faults:
        return None, faults
    return (
        Defence(
            adversaries=tuple(_adversaries(tables)),
            barriers=tuple(
                Barrier(
                    name=table.name,
                    distance_m=table.distance,
                    start_m=zone.start_m if table.start is None else table.start,
                    end_m=zone.end_m if table.end is None else table.end,
                    delay_s=table.delay,
                    delays_s=dict(table.delays),
                    detection=table.detection,
                )
                for table in tables.barriers
            ),
            detection=_detection(tables),
            states=tuple(
                DefenceState(
                    name=table.name,
                    probability=table.probability,
                    visibility_m=table.visibility or float("inf"),
                    factors=dict(table.factors),
                    lost_from_m=table.lost.start if table.lost else 0.0,
                    lost_to_m=table.lost.end if table.lost else 0.0,
                )
                for table in tables.states
            ),
            response=_response(tables.response),
            posts=tuple(posts),
            patrols=tuple(Patrol(table.name, table.start, table.end) for table in tables.patrols),
            cell_m=cell,
        ),
        [],
    )


def _adversaries(tables: ProjectFile) -> list[Adversary]:
    return [
        Adversary(
            name=table.name,
            direction=table.direction,
            gaits=tuple(
                Gait(
                    gait.name,
                    gait.speed,
                    gait.target_height,
                    gait.by_slope,
                    float("inf") if gait.steepest is None else gait.steepest,
                )
                for gait in table.gaits
            ),
            tools=tuple(table.tools),
            grounds=dict(table.grounds),
        )
        for table in tables.adversaries
    ]


def _detection(tables: ProjectFile) -> DetectionRules:
    table = tables.detection
    assert table is not None
    works = 1.0 if table.availability is None else table.availability
    if table.mtbf is not None and table.mttr is not None:
        works = availability(table.mtbf, table.mttr)
    grades: dict[str, list[DetectionGrade]] = {}
    for grade in table.grades:
        found = DetectionGrade(grade.px_per_m, grade.probability, grade.within)
        grades.setdefault(grade.kind or "", []).append(found)
    return DetectionRules(
        grades={kind: tuple(sorted(g, key=lambda x: x.px_per_m)) for kind, g in grades.items()},
        communication=table.communication,
        assessment_s=table.assessment,
        availability=works,
    )


def _response(table: ResponseTable) -> ResponseRules:
    return ResponseRules(
        required=table.required,
        call_out_s=table.call_out,
        call_out_sd_s=table.call_out_sd,
        patrol_call_out_s=table.patrol_call_out,
        patrol_call_out_sd_s=table.patrol_call_out_sd,
        speed_m_s=table.speed,
        rolling=table.rolling,
        power_w_kg=table.power,
        surfaces=tuple(Surface(s.start, s.end, s.speed, s.rolling) for s in table.surfaces),
        cross_speed_m_s=table.cross_speed,
        travel_spread=table.travel_spread,
        post_cost=table.post_cost,
    )


def _post(table: PostTable, line: LineString, road: Road) -> Post:
    if table.x is not None and table.y is not None:
        return Post(table.name, table.x, table.y)
    offset = 0.0 if table.offset is None else table.offset
    xs, ys = from_chainage(line, [table.chainage], offset)  # type: ignore[list-item]
    x, y = float(xs[0]), float(ys[0])
    if table.offset is None:
        place = road.centreline.interpolate(road.centreline.project(Point(x, y)))
        x, y = place.x, place.y
    return Post(table.name, x, y)
