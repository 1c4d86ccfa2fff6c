"""Build the report: page and PDF from one content."""

from __future__ import annotations

from collections.abc import Sequence

from shapely.geometry import LineString

from watchline.io.report import report_templates
from watchline.model.candidates import Candidates
from watchline.model.plan import Plan
from watchline.model.proof import Proof
from watchline.model.provenance import Provenance
from watchline.model.report import Report
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.why import Why
from watchline.report import frame as frames
from watchline.report import html_page, judged, pdf, sheets, strip, style, words
from watchline.report.charts import LOG_HEIGHT, LOG_WIDTH, Key, legend_picture, search_chart
from watchline.report.content import gather_content, heat_keys
from watchline.report.features import Features, gather
from watchline.report.frame import Frame
from watchline.report.hillshade import Slopes, slopes
from watchline.report.reasons import HEIGHT as CURVE_HEIGHT
from watchline.report.reasons import WIDTH as CURVE_WIDTH
from watchline.report.reasons import gather_reasons

PAGE_CHART_WIDTH = 900.0
PDF_CHART_WIDTH = 758.0
LEAST_ASPECT = 0.42
LEAST_MARGIN_M = 150.0
MARGIN_SHARE = 0.08


def build_report(
    plan: Plan,
    proof: Proof,
    site: Site | None = None,
    terrain: Terrain | None = None,
    candidates: Candidates | None = None,
    why: Why | None = None,
) -> Report:
    """Build the report of a plan and its proof.

    Parameters
    ----------
    plan : Plan
        What is placed.
    proof : Proof
        What holds.
    site : Site, optional
        What was asked; without it the report has no line, zone, requirements or reach.
    terrain : Terrain, optional
        Without it the maps have no relief.
    candidates : Candidates, optional
        What the design chose among; their number is told.
    why : Why, optional
        What asking for less would save; adds a section.

    Returns
    -------
    Report
        To be written by :func:`watchline.io.report.write_report`. Equal input gives an equal
        report: it holds no date and no place of this machine.
    """
    templates = report_templates()
    features = gather(plan, proof, site)
    content = gather_content(plan, proof, site, terrain, candidates, features)
    layers = judged.cell_layers(proof, site)
    failing = judged.failing_layer(proof)
    strip_layers = [layer for layer in layers if layer.height_m in _binding_heights(proof, site)]
    clamp = site.terrain.clamp_below_m if site is not None else None
    land = slopes(terrain, clamp) if terrain is not None else None
    turn = frames.direction_deg(_course(features))
    cut = sheets.cut_sheets(features)
    search = search_chart(plan)
    reasons = gather_reasons(why) if why is not None else None
    counted = words.counted_by(strip.claims_along(proof))

    chart = strip.strip_chart(
        features, proof, strip_layers, plan.cost_along, plan.currency, PAGE_CHART_WIDTH
    )
    view = html_page.page_map(_page_frame(features, turn), features, proof, land, layers, failing)
    html = html_page.render_page(
        content,
        features,
        proof,
        view,
        chart,
        layers,
        strip_layers,
        cut,
        search,
        reasons,
        counted,
        templates,
    )

    css = style.still_css(templates["pictures.css"])
    shown = [layers[0], failing] if layers else [failing]
    pictures = _sheet_pictures(cut, features, proof, land, shown, css)
    pictures["overview.svg"] = _overview(cut, turn, features, proof, land, failing, css)
    pictures["strip.svg"] = _strip_picture(features, proof, strip_layers, plan, css)
    pictures["legend.svg"] = _legend(content.map_keys, "Legend", css, sheets.WIDTH)
    keys = [key for layer in strip_layers for key in _headed(layer)]
    bars = [Key("words", "Bars, per 100 m:"), *html_page.bar_keys(counted)]
    pictures["strip-legend.svg"] = _legend(
        [*keys, *bars], "Legend of the strip chart", css, PDF_CHART_WIDTH
    )
    if search:
        pictures["search.svg"] = style.still_picture(search, LOG_WIDTH, LOG_HEIGHT, css, "Search")
    if reasons is not None and reasons.curve:
        pictures["curve.svg"] = style.still_picture(
            reasons.curve, CURVE_WIDTH, CURVE_HEIGHT, css, "Cost against cover"
        )
    source = pdf.render_typst(
        content,
        cut,
        html_page.strip_text(features, counted),
        view.relief_note,
        f"Cells: {shown[0].title}" if layers else "",
        templates,
        search=bool(search),
        reasons=reasons,
    )
    return Report(
        title=content.title,
        html=html,
        typst=source,
        pictures=dict(sorted(pictures.items())),
        provenance=_provenance(plan, proof),
    )


def _binding_heights(proof: Proof, site: Site | None) -> set[float]:
    """Target heights of the binding requirements; all heights without a site."""
    heights = set(judged.target_heights(proof))
    if site is None:
        return heights
    return {r.target_height_m for r in site.requirements if r.binding} & heights or heights


def _course(features: Features) -> LineString:
    """The line, or without a site the way from the first mount to the last."""
    if features.line is not None:
        return features.line
    places = [(mount.x, mount.y) for mount in features.mounts]
    return LineString(places) if len(set(places)) > 1 else LineString([(0.0, 0.0), (1.0, 0.0)])


def _page_frame(features: Features, turn_deg: float) -> Frame:
    x0, y0, x1, y1 = features.extent.bounds
    margin = max(LEAST_MARGIN_M, MARGIN_SHARE * max(x1 - x0, y1 - y0))
    return frames.around(features.extent, turn_deg, margin_m=margin, least_aspect=LEAST_ASPECT)


def _sheet_pictures(
    cut: Sequence[sheets.Sheet],
    features: Features,
    proof: Proof,
    land: Slopes | None,
    layers: Sequence[judged.Layer],
    css: str,
) -> dict[str, str]:
    pictures = {}
    for sheet in cut:
        inside = sheets.still_map(
            sheet.frame,
            features,
            proof,
            land,
            layers,
            f"s{sheet.number}",
            overview=False,
        )
        pictures[f"sheet-{sheet.number}.svg"] = style.still_picture(
            inside, sheet.frame.width, sheet.frame.height, css, sheet.title
        )
    return pictures


def _overview(
    cut: Sequence[sheets.Sheet],
    turn_deg: float,
    features: Features,
    proof: Proof,
    land: Slopes | None,
    failing: judged.Layer,
    css: str,
) -> str:
    frame = frames.fit(
        features.extent,
        turn_deg,
        width=sheets.WIDTH,
        height=sheets.OVERVIEW_HEIGHT,
        margin=sheets.MARGIN,
    )
    inside = sheets.still_map(
        frame, features, proof, land, [failing], "o", overview=True, sheets=cut
    )
    return style.still_picture(inside, frame.width, frame.height, css, "Overview map")


def _strip_picture(
    features: Features, proof: Proof, layers: Sequence[judged.Layer], plan: Plan, css: str
) -> str:
    chart = strip.strip_chart(
        features, proof, layers, plan.cost_along, plan.currency, PDF_CHART_WIDTH
    )
    return style.still_picture(chart.svg, chart.width, chart.height, css, "Strip chart")


def _headed(layer: judged.Layer) -> list[Key]:
    """A layer's legend with its title before it."""
    return [Key("words", f"{layer.title}:"), *heat_keys(layer)]


def _legend(keys: Sequence[Key], title: str, css: str, width: float) -> str:
    inside, height = legend_picture(keys, width)
    return style.still_picture(inside, width, height, css, title)


def _provenance(plan: Plan, proof: Proof) -> Provenance:
    """A report is made from a plan and its proof, whose inputs it names."""
    inputs = {f"plan/{name}": digest for name, digest in plan.provenance.inputs.items()}
    inputs |= {f"proof/{name}": digest for name, digest in proof.provenance.inputs.items()}
    inputs["plan"] = proof.plan_sha256
    version = proof.provenance.watchline_version or plan.provenance.watchline_version
    return Provenance(inputs, plan.provenance.seed, version)
