"""The page of lights: every picture is sound SVG, tables and claims are there, texts escaped."""

import re
from xml.etree import ElementTree

import numpy as np
from prove_scenes import flat

from light_scenes import lights, lit_site
from watchline.io.report import report_templates
from watchline.model.lighting import LightRequirement
from watchline.prove.light_claims import prove_lights
from watchline.report.light_pictures import LEVELS_LX, isolux_sheets, level_names
from watchline.report.lights import light_page


def found():
    terrain = flat(cell_m=5.0)
    site = lit_site(
        LightRequirement("zone <b>lit</b>", "zone", minimum_lx=1.0),
        LightRequirement("seen", "line", plane="vertical", height_m=1.5, minimum_lx=1.0),
    )
    plan = lights(*({"at": (x, 12.0), "azimuth_deg": 180.0} for x in np.arange(20.0, 200.0, 40.0)))
    return site, plan, prove_lights(site, terrain, plan)


def test_the_page_is_whole():
    site, plan, proof = found()
    page = light_page(site, plan, proof, report_templates())
    assert page == light_page(site, plan, proof, report_templates())
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    assert len(pictures) > 4
    for picture in pictures:
        ElementTree.fromstring(picture.replace("&nbsp;", " "))
    assert "<b>lit</b>" not in page
    assert "zone &lt;b&gt;lit&lt;/b&gt;" in page
    for said in ("By chainage", "Aims", "L005", "any one pole out", "Limits and method"):
        assert said in page
    assert "NaN" not in page


def test_isolux_maps_show_each_class_where_it_is():
    _, plan, proof = found()
    points = proof.points[proof.points["requirement"] == "zone <b>lit</b>"]
    sheets = isolux_sheets(points, plan, proof.cell_m)
    assert len(sheets) == 1
    assert sheets[0].svg.count("<circle") == 5
    assert len(level_names()) == len(LEVELS_LX) + 2
