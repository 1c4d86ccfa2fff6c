import pytest

from watchline.config.qualities import DORI, OODPCVS, quality_classes


def test_the_newer_scale_is_the_default():
    classes = quality_classes()
    assert {name: classes[name] for name in OODPCVS} == {
        "overview": 20,
        "outline": 40,
        "discern": 80,
        "perceive": 125,
        "characterise": 250,
        "validate": 500,
        "scrutinise": 1500,
    }
    assert "detect" not in classes
    assert classes["oodpcvs:overview"] == 20


def test_the_older_scale_has_a_prefix():
    classes = quality_classes()
    assert [classes[f"dori:{name}"] for name in DORI] == [12.5, 25, 62.5, 125, 250]
    assert quality_classes("dori")["detect"] == 25
    assert "overview" not in quality_classes("dori")


@pytest.mark.parametrize("scale", [OODPCVS, DORI])
def test_classes_ascend(scale):
    assert list(scale.values()) == sorted(scale.values())
