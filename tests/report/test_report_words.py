"""Numbers and verdicts in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchline.model.proof import Claim, Proof
from watchline.report import words
from watchline.report.tables import claims_table

CLAIM = Claim(
    requirement="zone once",
    kind="coverage",
    where="zone",
    condition="day",
    verdict="holds",
    value=1.0,
    lower=1.0,
    upper=1.0,
    target=1.0,
    binding=True,
    witness=None,
    cells=10,
    failing_chainages=(),
    method="rays",
    detail="",
)


def proof_of(*verdicts: str, binding: bool = True) -> Proof:
    claims = tuple(
        replace(CLAIM, requirement=f"claim {k}", verdict=verdict, binding=binding)
        for k, verdict in enumerate(verdicts, start=1)
    )
    return Proof(claims, pd.DataFrame(), pd.DataFrame(), 5.0, "0" * 64)


@pytest.mark.parametrize(
    ("verdicts", "line", "overall"),
    [
        (["holds"], "1 of 1 claim holds", "holds"),
        (["holds"] * 7, "7 of 7 claims hold", "holds"),
        (["holds", "fails"], "1 of 2 claims hold; ‘claim 2’ fails", "fails"),
        (["fails", "fails"], "0 of 2 claims hold; ‘claim 1’ and ‘claim 2’ fail", "fails"),
        (["holds", "unknown"], "1 of 2 claims hold; ‘claim 2’ is unknown", "unknown"),
        (
            ["unknown", "fails", "unknown"],
            "0 of 3 claims hold; ‘claim 2’ fails; ‘claim 1’ and ‘claim 3’ are unknown",
            "fails",
        ),
        (
            ["fails"] * 6,
            "0 of 6 claims hold; ‘claim 1’, ‘claim 2’, ‘claim 3’, ‘claim 4’ and 2 more fail",
            "fails",
        ),
        ([], "No claim was asked for", "unknown"),
    ],
)
def test_verdict_line_says_what_holds_and_what_does_not(verdicts, line, overall):
    proof = proof_of(*verdicts)
    assert words.verdict_line(proof) == line
    assert words.overall_verdict(proof) == overall


def test_reported_claims_never_count_as_asked_for():
    reported = proof_of("fails", "holds", binding=False)
    assert words.verdict_line(reported) == "No claim was asked for"
    assert words.reported_line(reported) == (
        "Reported besides, not asked for: ‘claim 2’ holds; ‘claim 1’ fails."
    )
    assert words.reported_line(proof_of("holds")) == ""


def test_numbers_have_thousands_units_and_a_true_minus():
    assert words.number(1_591_360) == "1\u202f591\u202f360"
    assert words.number(-12.34, 1) == "−12.3"
    assert words.number(-0.001, 1) == "0.0"
    assert words.metres(1250.4) == "1\u202f250\u00a0m"
    assert words.money(None, "EUR") == "—"
    assert words.number(float("nan")) == "—"
    assert words.bearing(359.7) == "000°"
    assert words.bearing(7.2) == "007°"


@given(st.floats(0, 1))
def test_a_share_below_one_never_reads_as_full(share):
    assert (words.percent(share) == "100\u00a0%") == (share > 1 - 1e-12)


@given(st.floats(1e-6, 1))
def test_an_open_gap_never_reads_as_closed(gap):
    assert words.gap_percent(gap) != "0\u00a0%"


def test_closed_gap_reads_as_closed():
    assert words.gap_percent(0.0) == "0\u00a0%"
    assert words.gap_percent(None) == "—"


def test_the_longest_stretches_are_named_in_the_order_of_the_line():
    pairs = [(10.0, 20.0), (300.0, 900.0), (100.0, 250.0), (50.0, 55.0)]
    text = words.stretches(pairs, most=2).replace("\u2060", "").replace("\u00a0", " ")
    assert text == "s = 100–250 m, s = 300–900 m and 2 more"
    assert words.stretches([]) == ""


def test_place_off_the_line():
    assert words.place(np.nan, 3.0) == "off the line"


@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        ("coverage", 1204, "1\u202f204\u00a0cells"),
        ("coverage", 1, "1\u00a0cell"),
        ("interruption", 312, "312\u00a0entries"),
        ("interruption", 1, "1\u00a0entry"),
        ("capacity", 4, "4\u00a0mounts"),
        ("exclusion", 1, "1\u00a0place"),
        ("light", 559, "559\u00a0places"),
    ],
)
def test_a_claim_names_what_it_counts(kind, count, text):
    unit = {"interruption": "P_I", "light": "lx"}.get(kind, "share")
    claim = replace(CLAIM, kind=kind, unit=unit, cells=count)
    assert words.plural(claim.cells, *claim.judged_on) == text
    proof = Proof((claim,), pd.DataFrame(), pd.DataFrame(), 5.0, "0" * 64)
    assert claims_table(proof, None).rows[0].cells[4] == text


def test_a_legend_names_all_that_its_bars_count():
    crossing = replace(CLAIM, kind="interruption", requirement="interrupted: runner")
    assert words.counted_by((CLAIM, CLAIM)) == "cells"
    assert words.counted_by((crossing,)) == "entries"
    assert words.counted_by((CLAIM, crossing)) == "cells or entries"
    assert words.counted_by(()) == "cells"
