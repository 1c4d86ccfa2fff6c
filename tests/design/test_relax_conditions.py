"""The price of a condition: all that is asked under it left out, and what that bounds."""

from dataclasses import replace

from prove_scenes import site

from watchline.config.conditions import STANDARD
from watchline.design.relax import without_condition
from watchline.model.site import Requirement
from watchline.model.why import Change, Why

ASKED = (
    Requirement("a", "zone", "", 20.0),
    Requirement("b", "zone", "", 3.0, condition="night"),
    Requirement("c", "road", "", 3.0, condition="night"),
    Requirement("d", "zone", "", 3.0, condition="fog", binding=False),
)


def asking(*requirements):
    kept = tuple(STANDARD[name] for name in ("day", "night", "fog"))
    return replace(site(*requirements), conditions=kept)


def test_each_condition_with_something_binding_is_left_out_once():
    found = without_condition(asking(*ASKED))
    assert [v.requirement for v in found] == ["day", "night"]
    night = found[1]
    assert (night.kind, night.what) == ("condition", "nothing asked under 'night'")
    assert [r.binding for r in night.site.requirements] == [True, False, False, False]


def test_one_condition_alone_has_no_price():
    assert without_condition(asking(ASKED[0])) == []


def test_the_price_lies_between_the_bounds():
    """With it 100 at least 80; without it 60 at least 50: it costs 20 to 50."""
    change = Change("condition", "night", "", cost=60.0, lower_bound=50.0, saved=40.0)
    why = Why("", "EUR", 100.0, 100.0, 80.0, 1.0, (), (), None, (), (), conditions=(change,))
    assert why.price_of(change) == (20.0, 50.0)
    assert why.price_of(replace(change, cost=None)) is None
    assert why.price_of(replace(change, cost=90.0)) == (0.0, 50.0)
