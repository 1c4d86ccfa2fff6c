import pytest

from watchline.errors import CatalogueError, ManyFaults
from watchline.io.catalogue import load_catalogue, shipped_files

MAST = """
[[structures]]
id = "{key}"
name = "Own mast"
kind = "mast"
height_m = 7
capacity = 2
price = 111
sources = "offer 1"
"""
CAMERA = """
[[devices]]
id = "{key}"
name = "Own camera"
kind = "camera"
width_px = 2000
height_px = 1000
sensor_width_mm = 8.0
focal_min_mm = 4
focal_max_mm = {focal}
range_m = 900
price = 500
sources = "maker's data sheet"
"""


@pytest.fixture
def write(tmp_path):
    def make(name, text):
        path = tmp_path / "catalogue" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


def fail(*args, **kwargs):
    with pytest.raises(ManyFaults) as caught:
        load_catalogue(*args, **kwargs)
    assert all(isinstance(fault, CatalogueError) for fault in caught.value.faults)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_the_shipped_catalogue_loads_alone():
    catalogue = load_catalogue()
    assert catalogue.currency == "EUR"
    assert catalogue.qualities["overview"] == 20.0
    assert len(shipped_files()) >= 8
    assert load_catalogue() == catalogue


def test_own_files_are_laid_over_the_shipped_one_in_order(write):
    shipped = load_catalogue()
    first = write("a.toml", CAMERA.format(key="mine", focal=4) + MAST.format(key="mast-6"))
    second = write("b.toml", CAMERA.format(key="mine", focal=9))
    catalogue = load_catalogue([first, second])
    assert catalogue.devices["mine"].focal_max_mm == 9.0
    assert catalogue.devices["mine"].sources["price"] == "maker's data sheet"
    assert catalogue.structures["mast-6"].price == 111.0
    assert catalogue.structures["mast-6"].height_m == 7.0
    assert set(catalogue.devices) == {*shipped.devices, "mine"}
    assert catalogue.structures["mast-8"] == shipped.structures["mast-8"]
    assert load_catalogue([second, first]).devices["mine"].focal_max_mm == 4.0


def test_own_services_replace_only_what_they_give(write):
    path = write("s.toml", '[services]\nconnection = 1\nsources = "offer 2"\n')
    services = load_catalogue([path]).services
    assert services.connection == 1.0
    assert services.sources["connection"] == "offer 2"
    assert services.power_trench_per_m == load_catalogue().services.power_trench_per_m


def test_own_prices_come_last_and_say_so(write):
    path = write("a.toml", CAMERA.format(key="mine", focal=4))
    prices = {"mine": 1, "mast-8": 2.0, "connection": 0}
    catalogue = load_catalogue([path], prices)
    assert catalogue.devices["mine"].price == 1.0
    assert catalogue.structures["mast-8"].price == 2.0
    assert catalogue.services.connection == 0.0
    for sources in (
        catalogue.devices["mine"].sources,
        catalogue.structures["mast-8"].sources,
    ):
        assert sources["price"] == "own price of the project"
    assert catalogue.services.sources["connection"] == "own price of the project"
    assert catalogue.services.sources["data_trench_per_m"].startswith("assumption")


def test_wrong_prices_are_reported_together():
    text = fail(prices={"mast-66": 1, "mast-8": -1, "mast-10": float("nan")})
    assert text.splitlines() == [
        "catalogue.prices: the catalogue has no 'mast-66'; "
        "write 'mast-6' or 'mast-8', if that is meant.",
        "catalogue.prices: the price -1 of 'mast-8' is negative or no number; "
        "give a number of at least 0.",
        "catalogue.prices: the price nan of 'mast-10' is negative or no number; "
        "give a number of at least 0.",
    ]


def test_another_currency_takes_the_example_figures_and_says_so(write):
    shipped = load_catalogue()
    own = write("a.toml", 'currency = "USD"\n' + CAMERA.format(key="mine", focal=4))
    for catalogue in (load_catalogue([own]), load_catalogue([own], currency="USD")):
        assert catalogue.currency == "USD"
        mast = catalogue.structures["mast-8"]
        assert mast.price == shipped.structures["mast-8"].price
        assert "taken as USD without conversion" in mast.sources["price"]
        assert "taken as USD without conversion" in catalogue.services.sources["connection"]
        assert catalogue.devices["mine"].sources["price"] == "maker's data sheet"
    assert "without conversion" not in str(shipped)


def test_mixed_currencies_are_refused(write):
    own = write("a.toml", 'currency = "USD"\n' + CAMERA.format(key="mine", focal=4))
    assert "a.toml: currency: its prices are in USD, those of the project in EUR; convert" in fail(
        [own], currency="EUR"
    )
    other = write("b.toml", 'currency = "GBP"\n')
    assert "b.toml: currency: its prices are in GBP, those of the project in USD" in fail(
        [own, other]
    )
    assert "catalogue.currency: 'euro' is no currency; write three capitals" in fail(
        currency="euro"
    )


def test_faults_of_all_files_come_together(write, tmp_path):
    first = write("mine.toml", CAMERA.format(key="x", focal=1))
    second = write("yours.toml", MAST.format(key="y") + "[[structures]\n")
    third = tmp_path / "none.toml"
    text = fail([first, second, third], {"mast-8": -1}, relative_to=tmp_path)
    assert text.splitlines() == [
        "catalogue/mine.toml: device 'x': focal_min_mm 4 is larger than focal_max_mm 1; swap them.",
        "catalogue/yours.toml line 10, column 13: it is not valid TOML: expected ']]' at the end "
        "of an array declaration; correct it there.",
        "none.toml: it cannot be read (No such file or directory); "
        "check the path and the file's permissions.",
        "catalogue.prices: the price -1 of 'mast-8' is negative or no number; "
        "give a number of at least 0.",
    ]


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(b'currency = "\xa3"\n')
    assert f"{path}: it is not UTF-8 (byte 12); save it as UTF-8." in fail([path])


def test_a_device_cannot_take_the_id_of_a_mast(write):
    path = write("a.toml", CAMERA.format(key="mast-8", focal=4))
    assert "a.toml: device 'mast-8': its id is already that of a mast or tower; rename it." in fail(
        [path]
    )
    path = write("b.toml", MAST.format(key="fixed-2mp-4mm"))
    assert "b.toml: structure 'fixed-2mp-4mm': its id is already that of a device" in fail([path])
