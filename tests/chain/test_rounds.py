"""Rounds of design and proof: which bound is stated, and what a failed repair leaves."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from small_project import make_project
from watchline.chain import rounds as chain_rounds
from watchline.chain.progress import Silent
from watchline.errors import InfeasibleError
from watchline.io.project import read_site


class Plan(SimpleNamespace):
    """Just what the rounds read of a plan; ``replace`` works on it."""

    def __replace__(self, **changes):
        return Plan(**{**vars(self), **changes})


@pytest.fixture
def rounds(tmp_path, monkeypatch):
    """Run the rounds with plans, proofs and repairs from lists."""
    site = read_site(make_project(tmp_path))

    def run(plans, holds, repairs):
        plans, holds, repairs = iter(plans), iter(holds), iter(repairs)

        def next_plan(*_, **__):
            found = next(plans)
            if isinstance(found, Exception):
                raise found
            return found, None

        def next_proof(*_, **__):
            good = next(holds)
            claim = SimpleNamespace(
                binding=True,
                verdict="holds" if good else "fails",
                requirement="zone",
                value=0.9,
                cells=100,
                failing_chainages=((10.0, 20.0),),
            )
            return SimpleNamespace(holds=good, claims=(claim,))

        def next_repair(asked, terrain, candidates, proof):
            harder = next(repairs)
            requirement = replace(asked.requirements[0], share=0.99)
            tightened = replace(asked, requirements=(requirement, *asked.requirements[1:]))
            return SimpleNamespace(
                site=tightened if harder == "share" else asked,
                candidates=candidates,
                added=0,
                changed=True,
            )

        monkeypatch.setattr(chain_rounds, "_round_plan", next_plan)
        monkeypatch.setattr(chain_rounds, "round_proof", next_proof)
        monkeypatch.setattr(chain_rounds, "tighten", next_repair)
        monkeypatch.setattr(chain_rounds, "round_visibility", lambda *_: None)
        monkeypatch.setattr(chain_rounds, "replace", lambda plan, **new: plan.__replace__(**new))
        plan, proof, bound_round = chain_rounds.plan_that_holds(
            site, None, SimpleNamespace(cells=[]), None, None, Silent(), None
        )
        return plan, proof, bound_round

    return run


def plan_of(bound):
    return Plan(lower_bound=bound, all_aims_bound=None, status="feasible", notes=())


def test_more_cells_raise_the_stated_bound(rounds):
    plan, _, bound_round = rounds([plan_of(10), plan_of(12)], [False, True], ["cells"])
    assert plan.lower_bound == 12
    assert bound_round == 1


def test_a_raised_share_never_raises_the_stated_bound(rounds):
    plan, _, bound_round = rounds(
        [plan_of(10), plan_of(11), plan_of(15), plan_of(16)],
        [False, False, False, True],
        ["cells", "share", "cells"],
    )
    assert plan.lower_bound == 11
    assert bound_round == 1
    assert len([note for note in plan.notes if note.startswith("Round")]) == 3


def test_a_repair_that_cannot_be_leaves_the_plan_before_and_says_why(rounds):
    plan, proof, _ = rounds(
        [plan_of(10), InfeasibleError("no way", where="s = 5 m", mend="relax")], [False], ["cells"]
    )
    assert plan.lower_bound == 10
    assert not proof.holds
    assert any("No plan mends that: s = 5 m: no way; relax." in note for note in plan.notes)


def test_a_first_design_that_cannot_be_is_the_users_to_hear(rounds):
    with pytest.raises(InfeasibleError):
        rounds([InfeasibleError("no way")], [], [])
