"""The page on resilience: what losses cost along the line, mends, and unseen stretches."""

from __future__ import annotations

from watchline.io.report import report_templates
from watchline.model.plan import Plan
from watchline.model.resilience import ElementLoss, Resilience
from watchline.model.site import Site
from watchline.physics.availability import hours_a_year
from watchline.report import chart as charts
from watchline.report import palette, style, svg
from watchline.report.chart import LEFT, RIGHT, Chart
from watchline.report.templating import page_template

WIDTH, ROW_HEIGHT, GAP = 1000.0, 90.0, 30.0
MOST_LOSSES, MOST_CAUSES, WORST_STRETCHES = 20, 12, 10
ROWS = (("mount", "Mounts"), ("feeder", "Feeders"), ("trunk", "Trunks"))
BAR = 3.0
TITLE_LETTERS = 24


def resilience_page(found: Resilience, site: Site, plan: Plan) -> str:
    """The page as one HTML file that asks nothing of the network.

    Parameters
    ----------
    found : Resilience
        What was found.
    site, plan
        Line, credits and name.
    """
    templates = report_templates()
    template = page_template(templates, "resilience.html.j2")
    worst = sorted(found.stretches, key=lambda s: -s.unseen)
    return template.render(
        title=f"{site.name}: resilience",
        plan=plan.name,
        found=found,
        losses_chart=_losses_chart(found, site),
        unseen_chart=_unseen_chart(found, site) if any(s.unseen > 0 for s in worst) else "",
        patrols_chart=_patrols_chart(found, site) if found.patrols else "",
        losses=found.losses[:MOST_LOSSES],
        more_losses=max(0, len(found.losses) - MOST_LOSSES),
        holding=sum(all(kept.holds for kept in loss.kept) for loss in found.losses),
        worst=[s for s in worst[:WORST_STRETCHES] if s.unseen > 0],
        hours=hours_a_year,
        causes=found.causes[:MOST_CAUSES],
        light=style.variables(palette.LIGHT, palette.DEVICE_COLOURS),
        dark=style.variables(palette.DARK, palette.DEVICE_COLOURS),
        css=templates["report.css"],
        pictures_css=templates["pictures.css"],
        credits=[text for text in (site.line_credit, site.terrain.credit) if text],
        limits=site.terrain.limits,
        version=found.provenance.watchline_version,
    )


def _chart(site: Site) -> Chart:
    zone = site.zone
    return Chart("", WIDTH, 0.0, LEFT, WIDTH - RIGHT, zone.start_m, zone.end_m)


def _picture(chart: Chart, rows: list[str], y: float, title: str) -> str:
    axis, height = charts.axis(chart, y)
    return svg.element(
        "svg",
        svg.title(title),
        charts.grid(chart, y) + "".join(rows) + axis,
        viewBox=f"0 0 {svg.short(WIDTH)} {svg.short(y + height + 4)}",
        class_="picture",
        role="img",
    )


def _scale(chart: Chart, y: float, title: str, note: str, most: str) -> list[str]:
    """Title of a row, its base and its top with their figures."""
    left, right = svg.short(chart.left), svg.short(chart.right)
    parts = [charts.head(y + 10, title, note, TITLE_LETTERS)]
    for at, label in ((y, most), (y + ROW_HEIGHT, "0")):
        parts.append(svg.element("path", d=f"M{left} {svg.short(at)}H{right}", class_="grid"))
        parts.append(svg.text(chart.left - 4, at + 2.5, label, "axis-text", text_anchor="end"))
    return parts


def _losses_chart(found: Resilience, site: Site) -> str:
    """Ground that each single loss costs, where the element lies."""
    chart = _chart(site)
    rows, y = [], 10.0
    for kind, title in ROWS:
        mine = [loss for loss in found.losses if loss.elements[0].kind == kind]
        if not mine:
            continue
        most = max(loss.lost_m2 for loss in mine)
        rows += _scale(chart, y, title, "ground lost, m²", f"{most:,.0f}" if most else "")
        rows += [_loss_mark(chart, y, loss, most) for loss in mine]
        y += ROW_HEIGHT + GAP
    return _picture(chart, rows, y - GAP + 8, "Ground lost to each single loss")


def _loss_mark(chart: Chart, y: float, loss: ElementLoss, most: float) -> str:
    element = loss.elements[0]
    height = ROW_HEIGHT * loss.lost_m2 / most if most else 0.0
    left, right = (float(chart.x(s)) for s in (element.start_m, element.end_m))
    title = svg.title(f"{element.label}: {loss.lost_m2:,.0f} m² lost, {loss.devices} devices out")
    if element.kind == "mount":
        left, right = left - BAR / 2, right + BAR / 2
    return svg.element(
        "rect", title, x=left, y=y + ROW_HEIGHT - height, width=max(right - left - 0.6, 0.8),
        height=max(height, 0.5), class_="loss-bar",
    )  # fmt: skip


def _unseen_chart(found: Resilience, site: Site) -> str:
    """Hours a year in which each stretch is not seen whole, a row a requirement."""
    chart = _chart(site)
    rows, y = [], 10.0
    for name in dict.fromkeys(s.requirement for s in found.stretches):
        mine = [s for s in found.stretches if s.requirement == name]
        most = max(s.unseen for s in mine)
        label = f"{hours_a_year(most):.0f} h" if most else ""
        rows += _scale(chart, y, name, "hours a year unseen", label)
        for s in mine:
            height = ROW_HEIGHT * s.unseen / most if most else 0.0
            left = float(chart.x(max(s.start_m, chart.start_m)))
            right = float(chart.x(min(s.end_m, chart.end_m)))
            title = svg.title(
                f"{s.start_m:.0f}–{s.end_m:.0f} m: {hours_a_year(s.unseen):.1f} h a year"
            )
            rows.append(
                svg.element("rect", title, x=left, y=y + ROW_HEIGHT - height,
                            width=max(right - left - 0.5, 0.5), height=max(height, 0.5),
                            class_="unseen-bar")
            )  # fmt: skip
        y += ROW_HEIGHT + GAP
    return _picture(chart, rows, y - GAP + 8, "Hours a year in which stretches are not seen whole")


def _patrols_chart(found: Resilience, site: Site) -> str:
    """Share of crossings that each patrol's schedule catches, by chainage."""
    chart = _chart(site)
    rows, y = [], 10.0
    for patrol in found.patrols:
        rows += _scale(chart, y, patrol.name, "share caught", "1")
        places = sorted(patrol.by_place)
        curve = svg.path_of_points(
            chart.x([s for s, _ in places]),
            [y + ROW_HEIGHT * (1.0 - share) for _, share in places],
        )
        left, right = (svg.short(float(chart.x(places[k][0]))) for k in (0, -1))
        at = svg.short(y + ROW_HEIGHT * (1.0 - patrol.value))
        rows.append(svg.element("path", d=f"M{left} {at}H{right}", class_="required"))
        rows.append(svg.element("path", d=curve, class_="curve-normal"))
        y += ROW_HEIGHT + GAP
    return _picture(chart, rows, y - GAP + 8, "Share of crossings that the patrols catch")
