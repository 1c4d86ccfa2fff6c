"""The page on breach paths: curves along the line, maps of the weakest paths, losses, checks."""

from __future__ import annotations

import jinja2
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import LineString

from watchline.geo.chainage import to_chainage
from watchline.io.report import report_templates
from watchline.model.breach import AdversaryBreach, Breach, Isochrones
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.report import chart as charts
from watchline.report import frame as frames
from watchline.report import images, map, palette, style, svg, ticks, words
from watchline.report.chart import LEFT, RIGHT, Chart
from watchline.report.features import Features, gather
from watchline.report.hillshade import Slopes, slopes
from watchline.report.isochrones import isochrone_row
from watchline.report.picture import Picture

FloatArray = npt.NDArray[np.float64]
CHART_WIDTH, CURVE_HEIGHT = 1000.0, 110.0
RESPONSE_HEIGHT = 70.0
MAP_WIDTH, MAP_HEIGHT = 620.0, 330.0
AROUND_M = 110.0
MOST_LOSSES = 40
CURVES = ("curve-normal", "curve-other", "curve-third", "curve-fourth", "curve-fifth")


def breach_page(breach: Breach, site: Site, terrain: Terrain, plan: Plan) -> str:
    """The page as one HTML file that asks nothing of the network.

    Parameters
    ----------
    breach : Breach
        What was found.
    site, terrain, plan
        What the maps show.
    """
    templates = report_templates()
    features = gather(plan, _no_proof(), site)
    land = slopes(terrain, site.terrain.clamp_below_m)
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        templates["breach.html.j2"]
    )
    return template.render(
        title=f"{site.name}: breach paths",
        breach=breach,
        verdict="holds" if breach.holds else "fails",
        chart=_chart_picture(
            breach.adversaries,
            breach.posts.places,
            breach.required,
            site,
            isochrones=breach.isochrones,
        ),
        design_chart=_design_chart(breach, site),
        sections=[_section(found, k, site, features, land) for k, found in
                  enumerate(breach.adversaries)],
        losses=breach.losses[:MOST_LOSSES],
        more_losses=max(0, len(breach.losses) - MOST_LOSSES),
        pairs=breach.pairs[:MOST_LOSSES],
        more_pairs=max(0, len(breach.pairs) - MOST_LOSSES),
        light=style.variables(palette.LIGHT, palette.DEVICE_COLOURS),
        dark=style.variables(palette.DARK, palette.DEVICE_COLOURS),
        css=templates["report.css"],
        pictures_css=templates["pictures.css"],
        credits=[text for text in (site.line_credit, site.terrain.credit) if text],
        limits=site.terrain.limits,
        version=breach.provenance.watchline_version,
    )  # fmt: skip


def _no_proof() -> Proof:
    """The maps show no claims here."""
    cells = pd.DataFrame({name: np.zeros(0) for name in ("x", "y", "s", "t")})
    return Proof((), cells, pd.DataFrame(), 1.0, "")


def _picture(inside: str, width: float, height: float, title: str) -> str:
    return svg.element(
        "svg",
        svg.title(title),
        inside,
        viewBox=f"0 0 {svg.short(width)} {svg.short(height)}",
        class_="picture",
        role="img",
    )


def _chart_picture(
    adversaries: tuple[AdversaryBreach, ...],
    new_posts: tuple[tuple[float, float, float], ...],
    required: float,
    site: Site,
    shaded: tuple[tuple[float, float], ...] = (),
    isochrones: Isochrones | None = None,
) -> str:
    """Curves of every adversary in every state, responses, and posts, along the line."""
    zone = site.zone
    chart = Chart("", CHART_WIDTH, 0.0, LEFT, CHART_WIDTH - RIGHT, zone.start_m, zone.end_m)
    parts, y = [], 8.0
    for found in adversaries:
        parts.append(_curve_row(chart, y, found, required))
        y += CURVE_HEIGHT + 26.0
    response, height = _response_row(chart, y, adversaries)
    parts.append(response)
    y += height
    if isochrones is not None:
        bands, height = isochrone_row(chart, y, isochrones)
        parts.append(bands)
        y += height
    post_row, height = _posts_row(chart, y, new_posts, site)
    parts.append(post_row)
    y += height
    axis, height = charts.axis(chart, y)
    shades = "".join(
        svg.element("rect", svg.title(f"response-infeasible, {a:.0f}–{b:.0f} m"),
                    x=float(chart.x(a)), y=8.0,
                    width=max(1.0, float(chart.x(b)) - float(chart.x(a))), height=y - 8.0,
                    class_="shade")
        for a, b in shaded
    )  # fmt: skip
    inside = shades + charts.grid(chart, y) + "".join(parts) + axis
    return _picture(inside, CHART_WIDTH, y + height + 4, "Probability of interruption by chainage")


def _design_chart(breach: Breach, site: Site) -> str:
    design = breach.design
    if design is None:
        return ""
    return _chart_picture(design.adversaries, design.posts, breach.required, site, design.hopeless)


def _response_row(
    chart: Chart, y: float, adversaries: tuple[AdversaryBreach, ...]
) -> tuple[str, float]:
    """Response times at the exits of each direction: the isochrones of the road, unrolled."""
    seen: dict[str, AdversaryBreach] = {}
    for found in adversaries:
        if np.isfinite(found.response_s).any():
            seen.setdefault(found.direction, found)
    if not seen:
        return "", 0.0
    most = max(float(found.response_s[np.isfinite(found.response_s)].max())
               for found in seen.values())  # fmt: skip
    step = next(s for s in (10, 30, 60, 120, 300, 600, 1800, 3600, 36000) if 4 * s >= most)
    top = step * int(np.ceil(most / step))

    def down(seconds: npt.ArrayLike) -> FloatArray:
        return y + RESPONSE_HEIGHT * (1.0 - np.asarray(seconds, dtype=np.float64) / top)

    left, right = svg.short(chart.left), svg.short(chart.right)
    parts = [charts.head(y + 10, "Response", "s, by exit")]
    for seconds in range(0, top + 1, step):
        at = svg.short(float(down(seconds)))
        parts.append(svg.element("path", d=f"M{left} {at}H{right}", class_="grid"))
        parts.append(
            svg.text(chart.left - 4, float(down(seconds)) + 2.5, f"{seconds}", "axis-text",
                     text_anchor="end")
        )  # fmt: skip
    for k, (direction, found) in enumerate(seen.items()):
        for times, faint in zip(found.response_s[::-1], (True, False), strict=True):
            known = np.isfinite(times)
            path = svg.path_of_points(chart.x(found.s_m[known]), down(times[known]))
            class_ = CURVES[min(k, len(CURVES) - 1)] + (" faint" if faint else "")
            parts.append(svg.element("path", svg.title(direction), d=path, class_=class_))
        line = y + 36 + 11 * k
        stroke = f"M0 {svg.short(line - 2.5)}H16"
        parts.append(svg.element("path", d=stroke, class_=CURVES[min(k, len(CURVES) - 1)]))
        parts.append(svg.text(20, line, direction, "row-note"))
    return svg.element("g", *parts), RESPONSE_HEIGHT + 22.0


def _curve_row(chart: Chart, y: float, found: AdversaryBreach, required: float) -> str:
    def down(p: npt.ArrayLike) -> FloatArray:
        return y + CURVE_HEIGHT * (1.0 - np.asarray(p, dtype=np.float64))

    left, right = svg.short(chart.left), svg.short(chart.right)
    parts = [charts.head(y + 10, found.adversary, "P_I by entry")]
    for share in (0.0, 0.5, 1.0):
        at = svg.short(float(down(share)))
        parts.append(svg.element("path", d=f"M{left} {at}H{right}", class_="grid"))
        parts.append(
            svg.text(chart.left - 4, float(down(share)) + 2.5, f"{share:g}", "axis-text",
                     text_anchor="end")
        )  # fmt: skip
    at = svg.short(float(down(required)))
    parts.append(svg.element("path", svg.title(f"required {required:g}"), d=f"M{left} {at}H{right}",
                             class_="required"))  # fmt: skip
    for k in reversed(range(len(found.states))):
        state = found.states[k]
        known = np.isfinite(state.interruption)
        if not known.any():
            continue
        path = svg.path_of_points(chart.x(found.s_m[known]), down(state.interruption[known]))
        name = f"{state.state}: worst {state.worst:.3f}"
        parts.append(
            svg.element("path", svg.title(name), d=path, class_=CURVES[min(k, len(CURVES) - 1)])
        )
    # Names of the states in the left margin, each with a stroke of its curve.
    for k, state in enumerate(found.states):
        line = y + 36 + 11 * k
        stroke = f"M0 {svg.short(line - 2.5)}H16"
        parts.append(svg.element("path", d=stroke, class_=CURVES[min(k, len(CURVES) - 1)]))
        name = words.shortened(state.state, 22)
        parts.append(svg.text(20, line, f"{name} {state.worst:.2f}", "row-note"))
    if found.path is not None:
        entry = float(chart.x(found.path.s[0]))
        value = float(down(found.states[0].worst))
        parts.append(svg.element("circle", cx=entry, cy=value, r=3.4, class_="weak-dot"))
    return svg.element("g", *parts)


def _posts_row(
    chart: Chart, y: float, new_posts: tuple[tuple[float, float, float], ...], site: Site
) -> tuple[str, float]:
    """Posts that stand, patrols, and new posts that would be needed."""
    defence = site.defence
    assert defence is not None
    parts = [charts.head(y + 10, "Posts and patrols", "")]
    for patrol in defence.patrols:
        ends = shapely.line_interpolate_point(
            site.road.centreline, np.array([patrol.start_m, patrol.end_m])
        )
        s, _, _ = to_chainage(site.line, shapely.get_x(ends), shapely.get_y(ends))
        a, b = (svg.short(float(v)) for v in chart.x(np.sort(s)))
        parts.append(
            svg.element("path", svg.title(patrol.name), d=f"M{a} {svg.short(y + 16)}H{b}",
                        class_="patrol")
        )  # fmt: skip
    marks = []
    for post in defence.posts:
        s, _, _ = to_chainage(site.line, np.array([post.x]), np.array([post.y]))
        marks.append((float(s[0]), post.name, "post"))
    marks += [(s, "new post", "post new") for s, _, _ in new_posts]
    for s, name, class_ in marks:
        x = float(chart.x(s))
        box = svg.element("rect", svg.title(f"{name}, s = {s:.0f} m"), x=x - 4, y=y + 6, width=8,
                          height=8, class_=class_)  # fmt: skip
        parts.append(box)
    return svg.element("g", *parts), 26.0


def _section(
    found: AdversaryBreach, number: int, site: Site, features: Features, land: Slopes
) -> dict[str, object]:
    path = found.path
    if path is None or path.x.size < 2:
        return {"name": found.adversary, "found": found, "map": "", "text": "Nobody can come in."}
    point = "No detection on it helps: the response is later than his way out from everywhere."
    if path.critical >= 0:
        point = (
            f"The critical detection point lies at s = {path.s[path.critical]:.0f} m, "
            f"{path.away_m[path.critical]:.0f} m from the line: behind it the response is more "
            f"often late than in time. Up to there he is detected with "
            f"{path.detected[path.critical]:.3f}."
        )
    text = (
        f"In at s = {path.s[0]:.0f} m, out at s = {path.s[-1]:.0f} m; detected on the whole way "
        f"with {path.detected[-1]:.3f}, stopped with {found.states[0].worst:.3f} in the normal "
        f"state. {point} {path.post[:1].upper() + path.post[1:] or 'Nobody'} is soonest at his "
        "exit."
    )
    return {
        "name": found.adversary,
        "found": found,
        "map": _path_map(found, number, site, features, land),
        "text": text,
    }


def _path_map(
    found: AdversaryBreach, number: int, site: Site, features: Features, land: Slopes
) -> str:
    """The weakest path on the ground, thick as long as a detection still helps."""
    path = found.path
    assert path is not None
    course = LineString(np.column_stack([path.x, path.y]))
    line = site.line
    middle = line.project(course.centroid)
    piece = LineString(
        [line.interpolate(max(0.0, middle - 1.0)), line.interpolate(min(line.length, middle + 1.0))]
    )
    frame = frames.fit(
        course.buffer(AROUND_M), frames.direction_deg(piece), width=MAP_WIDTH, height=MAP_HEIGHT
    )
    picture = Picture(frame, still=True, prefix=f"p{number}")
    right, down = frame.to_picture(path.x, path.y)
    k = path.critical
    parts = [
        map.definitions(picture, features),
        svg.element("rect", width=frame.width, height=frame.height, class_="ground"),
        images.relief_image(land, frame),
        map.ground_layer(picture, features),
        map.road_layer(picture, features),
        _barriers(site, frame),
        map.line_layer(picture, features, ticks.label_step(frame.width / frame.scale, 9)),
        svg.element("path", d=svg.path_of_points(right, down), class_="path-halo"),
        svg.element("path", d=svg.path_of_points(right[max(k, 0):], down[max(k, 0):]),
                    class_="path-late"),
    ]  # fmt: skip
    if k > 0:
        inside = svg.path_of_points(right[: k + 1], down[: k + 1])
        parts.append(svg.element("path", d=inside, class_="path-early"))
    parts.append(map.mounts_layer(picture, features))
    parts += _posts(site, frame)
    marks = [(0, "in", "weak-dot"), (path.x.size - 1, "out", "weak-dot")]
    if k >= 0:
        marks.append((k, "critical", "critical-dot"))
    for at, name, class_ in marks:
        x, y = float(right[at]), float(down[at])
        parts.append(svg.element("circle", cx=x, cy=y, r=4.2, class_=class_))
        parts.append(svg.text(x + 7, y + 3, name, "name"))
    parts += [
        map.scale_bar(frame, 10, frame.height - 8, 110),
        svg.element("rect", width=frame.width, height=frame.height, class_="box"),
    ]
    clip = svg.element(
        "clipPath",
        svg.element("rect", width=frame.width, height=frame.height),
        id=f"p{number}-frame",
    )
    inside = svg.element("g", *parts, clip_path=f"url(#p{number}-frame)")
    return _picture(clip + inside, frame.width, frame.height, f"Weakest path: {found.adversary}")


def _barriers(site: Site, frame: frames.Frame) -> str:
    defence = site.defence
    assert defence is not None
    parts = []
    for barrier in defence.barriers:
        start, end = max(0.0, barrier.start_m), min(site.line.length, barrier.end_m)
        piece = shapely.ops.substring(site.line, start, end)
        curve = piece.offset_curve(site.sign * barrier.distance_m)
        if not curve.is_empty:
            parts.append(
                svg.element("path", svg.title(barrier.name),
                            d=svg.path_of_geometry(curve, frame), class_="barrier")
            )  # fmt: skip
    return svg.element("g", *parts)


def _posts(site: Site, frame: frames.Frame) -> list[str]:
    defence = site.defence
    assert defence is not None
    parts = []
    for post in defence.posts:
        x, y = (float(v) for v in frame.to_picture(post.x, post.y))
        if 0 <= x <= frame.width and 0 <= y <= frame.height:
            parts.append(svg.element("rect", svg.title(post.name), x=x - 5, y=y - 5, width=10,
                                     height=10, class_="post"))  # fmt: skip
            parts.append(svg.text(x + 8, y + 3, post.name, "name"))
    return parts
