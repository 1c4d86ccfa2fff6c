"""Lights in a project file: units and defaults read, and faults said in a sentence."""

import pytest

from light_project import LIGHTS, make_light_project
from small_project import PROJECT, run_cli
from watchline.chain.keys import step_keys
from watchline.config.project import project_schema
from watchline.io.project import read_site


def test_a_project_with_lights_is_read(tmp_path):
    site = read_site(make_light_project(tmp_path))
    rules = site.lighting
    assert rules.luminaires[0].power_w == 276.0
    assert rules.luminaires[0].front_c_deg == 190.0
    assert rules.requirements[0].height_m == 1.5
    assert rules.requirements[1].average_lx == pytest.approx(2.1527820833)
    assert rules.limits[0].offset_m == -60.0  # the zone lies to the left
    assert rules.poles.trench_per_m == site.catalogue.services.power_trench_per_m
    assert rules.poles.cell_m == pytest.approx(0.2 * 5**1.60206, rel=1e-4)
    assert "inputs/road.ldt" in site.provenance.inputs
    assert rules.poles.energy_cost(1000.0) == pytest.approx(40_000 * 0.15)


def test_what_is_asked_of_light_is_in_the_keys_of_the_report(tmp_path):
    before = step_keys(read_site(make_light_project(tmp_path)))
    changed = LIGHTS.replace('minimum = "1 lx"', 'minimum = "2 lx"')
    after = step_keys(read_site(make_light_project(tmp_path, PROJECT + changed)))
    assert before["plan"] == after["plan"]
    assert before["report"] != after["report"]


def test_the_schema_knows_the_tables():
    schema = project_schema()
    for key in ("lighting", "luminaires", "light_requirements", "light_limits"):
        assert key in schema["properties"]
    fields = schema["$defs"]["LightRequirementTable"]["properties"]
    assert all("description" in field for field in fields.values())


def changed(old, new):
    assert old in LIGHTS
    return LIGHTS.replace(old, new)


CASES = {
    "no unit": (changed('"1 lx"', "1"), r'light_requirements\[0\]\.minimum.*"1 lx"'),
    "wrong unit": (
        changed('"1 lx"', '"1 cd"'),
        r"'cd' is no unit of illuminance.*lx, lux, klx",
    ),
    "nothing asked": (changed('average = "0.2 fc"\n', ""), r"give minimum, average or uniformity"),
    "unknown place": (
        changed('where = "line"', 'where = "lane"'),
        r"'lane' is no place of this project; did you mean 'line'",
    ),
    "missing file": (changed("road.ldt", "rode.ldt"), r"luminaires\[0\] 'road'\.file.*rode\.ldt"),
    "no file of light": (changed("inputs/road.ldt", "inputs/line.geojson"), r"line\.geojson"),
    "two limits in one": (
        changed('maximum = "20 lx"', 'maximum = "20 lx"\nintensity = "1 kcd"'),
        r"light_limits\[0\]: give one of maximum, intensity, veil or upward_ratio",
    ),
    "limit without place": (changed('across = "60 m"\n', ""), r"say where: one of area"),
    "limit of no area": (
        changed('across = "60 m"', 'area = "houses"'),
        r"there is no area 'houses'; draw it under \[\[areas\]\]",
    ),
    "no luminaire": (
        LIGHTS[: LIGHTS.index("[[luminaires]]")] + LIGHTS[LIGHTS.index("[[light_requ") :],
        r"there are no \[\[luminaires\]\]",
    ),
    "nothing asked at all": (
        LIGHTS[: LIGHTS.index("[[light_requ")],
        r"there are no \[\[light_requirements\]\]",
    ),
    "hung nowhere": (
        changed("energy_price = 0.15", "on_masts = false").replace(
            '[[lighting.poles]]\nheight = "10 m"\nprice = 2000\n', ""
        ),
        r"lights may hang nowhere",
    ),
    "tilted too far": (
        changed('front = "190 deg"', 'tilts = ["120 deg"]'),
        r"luminaires\[0\]\.tilts\[0\].*90",
    ),
    "names twice": (
        changed('name = "across"', 'name = "zone lit"'),
        r"the name 'zone lit' stands twice",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_faults_are_one_sentence(case, tmp_path, monkeypatch, capsys):
    text, said = CASES[case]
    folder = make_light_project(tmp_path, PROJECT + text)
    code, out, err = run_cli(monkeypatch, capsys, "check", folder)
    assert code == 3
    assert not out
    assert "Traceback" not in err
    import re

    assert re.search(said, " ".join(err.split())), err
