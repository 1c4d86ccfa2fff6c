"""Fault trees against published cases, closed forms and full enumeration."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchline.physics.availability import at_least_out, split_common_cause
from watchline.prove.fault_tree import Basic, FaultTree, Gate, all_of, any_of, cut_bound


def fails(node, out: set[str]) -> bool:
    """Whether a tree fails when a set of events happens: from the definition."""
    if isinstance(node, Basic):
        return node.name in out
    return sum(fails(each, out) for each in node.inputs) >= node.least


def enumerated(node, names, q):
    """Probability by all states."""
    total = 0.0
    for state in product((False, True), repeat=len(names)):
        chance = 1.0
        for name, is_out in zip(names, state, strict=True):
            chance *= q[name] if is_out else 1 - q[name]
        if fails(node, {name for name, is_out in zip(names, state, strict=True) if is_out}):
            total += chance
    return total


def test_two_trains_of_pump_and_valve():
    """Published: exact .646, bound by minimal cut sets .766144."""
    q = {"pump A": 0.6, "pump B": 0.7, "valve A": 0.4, "valve B": 0.5}
    train = {t: any_of(Basic(f"pump {t}"), Basic(f"valve {t}")) for t in "AB"}
    tree = FaultTree(all_of(train["A"], train["B"]))
    assert tree.probability(q) == pytest.approx(0.646, abs=1e-12)
    assert cut_bound(tree.cuts(), q) == pytest.approx(0.766144, abs=1e-9)
    assert [sorted(cut) for cut in tree.cuts()] == [
        ["pump A", "pump B"], ["pump A", "valve B"], ["pump B", "valve A"], ["valve A", "valve B"]
    ]  # fmt: skip


def test_three_trains_with_common_cause():
    """Published: q .1, β .2 gives .04308; taken as independent it would be .00686."""
    own, common = split_common_cause(0.1, 0.2)
    q = {f"{kind} {t}": own for kind in ("pump", "valve") for t in "ABC"}
    q |= {"all pumps": common, "all valves": common}
    trains = [
        any_of(*(any_of(Basic(f"{kind} {t}"), Basic(f"all {kind}s")) for kind in ("pump", "valve")))
        for t in "ABC"
    ]
    tree = FaultTree(all_of(*trains))
    assert tree.probability(q) == pytest.approx(0.04308, abs=5e-6)
    alone = dict.fromkeys(q, 0.1) | {"all pumps": 0.0, "all valves": 0.0}
    assert tree.probability(alone) == pytest.approx(0.00686, abs=5e-6)
    assert tree.cuts(1) == (frozenset({"all pumps"}), frozenset({"all valves"}))
    # A common cause that strikes either kind is what counts most.
    weight = tree.importance(q)
    assert max(weight, key=weight.get) in ("all pumps", "all valves")


def test_bridge_network():
    """Closed form of the bridge of five equal arms: it fails with 2q² + 2q³ − 5q⁴ + 2q⁵."""
    arms = {name: Basic(name) for name in "abcde"}
    paths = ["ab", "cd", "aed", "ceb"]  # it works while one of these works
    tree = FaultTree(all_of(*(any_of(*(arms[name] for name in path)) for path in paths)))
    for q in (0.01, 0.1, 0.5, 0.9):
        closed = 2 * q**2 + 2 * q**3 - 5 * q**4 + 2 * q**5
        assert tree.probability(dict.fromkeys("abcde", q)) == pytest.approx(closed, rel=1e-12)
    assert {"".join(sorted(cut)) for cut in tree.cuts(3)} == {"ac", "bd", "ade", "bce"}
    assert {"".join(sorted(cut)) for cut in tree.cuts(2)} == {"ac", "bd"}


@pytest.mark.parametrize(("n", "k"), [(3, 2), (5, 3), (8, 2), (6, 6), (4, 1)])
def test_k_out_of_n(n, k):
    tree = FaultTree(Gate(k, tuple(Basic(str(i)) for i in range(n))))
    out = dict.fromkeys(map(str, range(n)), 0.17)
    assert tree.probability(out) == pytest.approx(at_least_out(n, k, 0.17), rel=1e-12)


NAMES = "abcdef"


@st.composite
def trees(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return Basic(draw(st.sampled_from(NAMES)))
    inputs = tuple(draw(trees(depth=depth - 1)) for _ in range(draw(st.integers(1, 4))))
    return Gate(draw(st.integers(1, len(inputs))), inputs)


@settings(max_examples=200, deadline=None)
@given(trees(), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_any_tree_is_its_enumeration(top, shares):
    tree = FaultTree(top)
    q = dict(zip(NAMES, shares, strict=True))
    assert tree.probability(q) == pytest.approx(enumerated(top, tree.names, q), abs=1e-12)
    cutting = [
        set(some) for size in (1, 2) for some in combinations(tree.names, size) if fails(top, some)
    ]
    minimal = [cut for cut in cutting if not any(other < cut for other in cutting)]
    assert sorted(map(sorted, tree.cuts())) == sorted(map(sorted, minimal))
