import copy
import tomllib

import pytest

from watchline.config.catalogue import (
    DEVICE_ENTRIES,
    CatalogueFile,
    catalogue_schema,
    parse_catalogue,
    to_device,
    to_services,
    to_structure,
)
from watchline.errors import CatalogueError, ManyFaults

GOOD = """
schema_version = 1
currency = "USD"
[references]
sheet = "maker's data sheet 7/2025"
[[devices]]
id = "cam"
name = "Camera"
kind = "camera"
width_px = 2000
height_px = 1000
sensor_width_mm = 8.0
focal_min_mm = 4
focal_max_mm = 12.0
range_m = 900
price = 500
[devices.sources]
width_px = "@sheet"
height_px = "@sheet"
sensor_width_mm = "@sheet"
focal_min_mm = "assumption"
focal_max_mm = "assumption: looks so"
range_m = "assumption"
price = "offer 12"
[[devices]]
id = "turner"
name = "PTZ"
kind = "ptz"
width_px = 2000
height_px = 1000
sensor_width_mm = 8.0
focal_min_mm = 4
focal_max_mm = 40
time_share = "5 %"
range_m = 900
price = 500
power_w = 50
sources = "@sheet"
[[devices]]
id = "all-round"
name = "Panorama"
kind = "panoramic"
width_px = 2000
height_px = 1000
sensor_width_mm = 8.0
focal_min_mm = 4
focal_max_mm = 4
sensors = 4
spacing_deg = 90
range_m = 900
price = 500
sources = "assumption"
[[devices]]
id = "person"
name = "Person"
kind = "observer"
acuity_arcmin = 1
time_share = 0.1
range_m = 900
price = 500
sources = "assumption"
[[structures]]
id = "mast"
name = "Mast"
kind = "mast"
height_m = 7
capacity = 2
price = 100
sources = "assumption"
[services]
connection = 10
sources = "offer 13"
"""


@pytest.fixture
def tables():
    return tomllib.loads(GOOD)


def faults_of(tables):
    with pytest.raises(ManyFaults) as caught:
        parse_catalogue(tables, "mine.toml")
    assert all(isinstance(fault, CatalogueError) for fault in caught.value.faults)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_entries_become_devices(tables):
    file = parse_catalogue(tables, "mine.toml")
    camera, turner, panorama, person = (to_device(entry, file) for entry in file.devices)
    assert camera.focal_px(12.0) == pytest.approx(3000)
    assert (camera.sensors, camera.spacing_deg, camera.time_share) == (1, 0.0, 1.0)
    assert camera.sources["width_px"] == "maker's data sheet 7/2025"
    assert camera.sources["focal_max_mm"] == "assumption: looks so"
    assert camera.sources["time_share"].startswith("by definition")
    assert camera.sources["power_w"].startswith("by definition")
    assert turner.time_share == pytest.approx(0.05)
    assert set(turner.sources.values()) == {"maker's data sheet 7/2025"}
    assert (panorama.sensors, panorama.spacing_deg) == (4, 90.0)
    assert person.is_person
    assert person.width_px == 0
    assert person.acuity_arcmin == 1.0


def test_entries_become_structures_and_services(tables):
    file = parse_catalogue(tables, "mine.toml")
    mast = to_structure(file.structures[0], file)
    assert (mast.kind, mast.height_m, mast.capacity, mast.price) == ("mast", 7.0, 2, 100.0)
    assert set(mast.sources) == {"height_m", "capacity", "price"}
    with pytest.raises(CatalogueError, match="no catalogue file gives power_trench_per_m; add it"):
        to_services([file])
    whole = copy.deepcopy(tables)
    whole["services"] = {
        "power_trench_per_m": 1.0,
        "data_trench_per_m": 2.0,
        "connection": 3.0,
        "sources": "assumption",
    }
    services = to_services([parse_catalogue(whole, "whole.toml"), file])
    assert services.connection == 10.0
    assert services.data_trench_per_m == 2.0
    assert services.sources["connection"] == "offer 13"
    assert services.sources["data_trench_per_m"] == "assumption"


def change(section, number, **values):
    def apply(tables):
        tables[section][number].update(values)

    return apply


def drop(section, number, *path):
    def apply(tables):
        entry = tables[section][number]
        for step in path[:-1]:
            entry = entry[step]
        del entry[path[-1]]

    return apply


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            change("devices", 0, focal_min_mm=12, focal_max_mm=4),
            "mine.toml: device 'cam': focal_min_mm 12 is larger than focal_max_mm 4; swap them.",
        ),
        (
            change("devices", 0, price=-5),
            "mine.toml: device 'cam': price -5 is negative; leave the sign out.",
        ),
        (
            change("structures", 0, price=-5.5),
            "mine.toml: structure 'mast': price -5.5 is negative; leave the sign out.",
        ),
        (
            change("devices", 0, kind="camra"),
            "mine.toml: device 'cam': the kind 'camra' is unknown; "
            "write camera, thermal, ptz, panoramic or observer.",
        ),
        (drop("devices", 0, "kind"), "mine.toml: device 'cam': kind is missing; write camera, "),
        (
            change("structures", 0, kind="pole"),
            "mine.toml: structure 'mast': the kind 'pole' is unknown; write mast or tower.",
        ),
        (
            drop("devices", 0, "sources", "price"),
            "mine.toml: device 'cam': price has no source; "
            'write price = "assumption", or where it was read, into its sources.',
        ),
        (drop("devices", 3, "sources"), "device 'person': there are no sources; write sources"),
        (change("devices", 3, sources=" "), "device 'person': sources: sources are texts"),
        (
            change("devices", 1, sources="@shet"),
            "device 'turner': the source of sources, '@shet', is not among the file's "
            "[references]; write 'sheet', if that is meant.",
        ),
        (drop("devices", 0, "range_m"), "sources names 'range_m', which is not given"),
        (drop("devices", 1, "range_m"), "device 'turner': range_m is missing; add it, with its"),
        (drop("devices", 1, "name"), "device 'turner': name is missing; add it."),
        (
            change("devices", 1, focal_mm=3),
            "device 'turner': the key 'focal_mm' is unknown; write 'focal_min_mm' or "
            "'focal_max_mm', if that is meant.",
        ),
        (change("devices", 3, width_px=3), "device 'person': the key 'width_px' is unknown"),
        (
            change("devices", 3, id="cam"),
            "device 'cam': the id 'cam' stands twice (also as devices[0]); rename one.",
        ),
        (change("structures", 0, id="cam"), "structure 'cam': the id 'cam' stands twice"),
        (
            change("devices", 0, id="My Cam"),
            "device 'My Cam': id 'My Cam' is not written as it must be; use small letters",
        ),
        (
            change("devices", 0, sensor_width_mm=0.31),
            "device 'cam': sensor_width_mm 0.31 over 2000 px makes pixels of 0.155 µm; give the",
        ),
        (
            change("devices", 2, spacing_deg=100),
            "device 'all-round': 4 sensors every 100 deg are more than a full circle; "
            "give a spacing_deg of at most 90.",
        ),
        (change("devices", 1, time_share=1.0), "device 'turner': time_share is 1.0; give a number"),
        (
            change("devices", 3, time_share=0),
            "device 'person': time_share is 0.0; give a number ab",
        ),
        (
            change("devices", 3, time_share=20),
            "device 'person': time_share: 20 is no share; write \"20 %\" or 0.2.",
        ),
        (
            change("devices", 0, width_px="2000"),
            "width_px: input should be a valid integer, not '2",
        ),
        (change("devices", 0, price=float("nan")), "device 'cam': price is nan; give a number."),
        (change("devices", 0, price=True), "device 'cam': price: input should be a valid number"),
        (change("structures", 0, height_m=0), "height_m is 0; give a number above 0."),
        (change("structures", 0, capacity=0), "capacity is 0; give a number of at least 1."),
        (lambda t: t.update(currency="euro"), "mine.toml: currency 'euro' is not written as it"),
        (lambda t: t.update(device=[]), "mine.toml: the key 'device' is unknown; write 'devices'"),
        (
            lambda t: t.update(devices={"cam": {}}),
            "mine.toml: devices is no list of tables; begin each entry with [[devices]]",
        ),
        (lambda t: t["services"].update(trench=3), "the key 'services.trench' is unknown"),
        (lambda t: t["services"].update(sources={}), "mine.toml: services: connection has no so"),
        (lambda t: t["devices"].append(3), "mine.toml: devices[4]: "),
        (lambda t: t.update(schema_version=2), "mine.toml: schema_version"),
    ],
)
def test_each_fault_says_where_what_and_how_to_mend_it(tables, spoil, sentence):
    spoil(tables)
    assert sentence in faults_of(tables)


def test_all_faults_of_a_file_come_together_entry_by_entry(tables):
    tables["devices"][0].update(price=-1, focal_min_mm=99)
    del tables["devices"][0]["sources"]["width_px"]
    tables["devices"][3]["acuity_arcmin"] = 0
    tables["structures"][0]["kind"] = "pole"
    lines = faults_of(tables).splitlines()
    assert len(lines) == 5
    assert [line.split(": ")[1] for line in lines] == [
        *["device 'cam'"] * 3,
        "device 'person'",
        "structure 'mast'",
    ]


def test_entries_are_frozen(tables):
    file = parse_catalogue(tables, "mine.toml")
    with pytest.raises(ValueError, match="frozen"):
        file.devices[0].price = 3.0


def test_json_schema_names_every_section_and_kind():
    schema = catalogue_schema()
    assert set(schema["properties"]) == set(CatalogueFile.model_fields)
    assert set(schema["properties"]["devices"]["items"]["discriminator"]["mapping"]) == set(
        DEVICE_ENTRIES
    )
    assert schema["additionalProperties"] is False
    for table in schema["$defs"].values():
        assert table["additionalProperties"] is False
        for key, field in table["properties"].items():
            assert key in {"kind"} or "description" in field, key
