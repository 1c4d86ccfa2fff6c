"""Certificates on disk: exact round trips, the checker's verdict, and whatever is tampered with."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cover_cases import optimum, random_case

from watchline.design.cover import cover, make_certificate, make_problem
from watchline.errors import ArtefactError
from watchline.io import certificate as files
from watchline.io.certificate import read_certificate, restate_certificate, write_certificate
from watchline.io.zipped import unzip, zip_bytes
from watchline.model.certificate import Certificate, CoverArrays
from watchline.prove.certified import judge_certificate


def made(seed=0, *, budget=False):
    """The certificate of a small random problem, as if a plan of the same cost was reported."""
    case = random_case(seed, budget=budget)
    problem = make_problem(*case.arguments(), **case.options)
    solution = cover(*case.arguments(), **case.options, time_limit=10, work_limit=3)
    arrays = CoverArrays(
        problem.costs, problem.indptr, problem.indices, problem.demand, problem.group,
        problem.group_costs, problem.site, problem.row_cap, problem.row_weight,
        problem.row_class, problem.allowed, problem.capacity, problem.budget,
    )  # fmt: skip
    content = make_certificate(problem, solution)
    bound = None if budget else solution.lower_bound
    certificate = Certificate(
        arrays, content, ("zone", "strip"), "EUR", 5.0, 0, "ab" * 32, solution.cost, bound
    )
    return case, solution, certificate


def good():
    for seed in range(100):
        case, solution, certificate = made(seed)
        if (
            solution.status == "optimal"
            and solution.price_bound > 10
            and certificate.content["cuts"]
        ):
            return case, solution, certificate
    raise AssertionError("no case with a bound among the seeds")


@pytest.mark.parametrize("budget", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_what_was_written_is_read_and_accepted(tmp_path, seed, budget):
    case, solution, certificate = made(seed, budget=budget)
    if solution.status not in ("optimal", "feasible"):
        pytest.skip("no choice to certify")
    write_certificate(certificate, tmp_path / "certificate.json")
    found = read_certificate(tmp_path / "certificate.json")
    assert found.faults == ()
    for name in CoverArrays.array_names():
        one, two = (getattr(c.arrays, name) for c in (certificate, found.certificate))
        assert one.dtype == two.dtype, name
        np.testing.assert_array_equal(one, two)
    assert found.certificate.arrays.budget == certificate.arrays.budget
    assert json.dumps(found.certificate.content, sort_keys=True) == json.dumps(
        certificate.content, sort_keys=True
    )
    proven = judge_certificate(found.certificate, found.faults)
    assert proven.holds, proven.faults
    best = optimum(case)
    if budget:
        weight = np.asarray(case.options.get("row_weight", np.ones(len(case.demand))))
        assert proven.bound >= weight[case.demand > 0].sum() - best - 1e-6
        assert proven.covered == pytest.approx(solution.covered_weight)
    else:
        assert proven.bound <= best + 1e-6
        assert proven.gap == pytest.approx((solution.cost - proven.bound) / solution.cost)


def test_equal_certificates_make_equal_bytes(tmp_path):
    _, _, certificate = good()
    for folder in ("a", "b"):
        write_certificate(certificate, tmp_path / folder / "certificate.json")
    for name in ("certificate.json", "certificate.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_whole_prices_round_the_bound_up_but_never_above_the_optimum(tmp_path):
    raised = 0
    for seed in range(60):
        case, solution, certificate = made(seed)
        whole = not np.any(
            np.concatenate([certificate.arrays.costs, certificate.arrays.group_costs]) % 1
        )
        if solution.status != "optimal" or not whole or solution.price_bound <= 0:
            continue
        proven = judge_certificate(certificate)
        assert proven.bound <= optimum(case) + 1e-6
        raised += proven.bound > solution.price_bound + 1e-6
    assert raised > 3


def test_a_round_is_restated_for_the_plan_that_is_reported(tmp_path):
    _, solution, certificate = good()
    write_certificate(certificate, tmp_path / "rounds" / "certificate-0.json")
    restate_certificate(
        tmp_path / "rounds" / "certificate-0.json",
        tmp_path / "certificate.json",
        plan_sha256="cd" * 32,
        plan_cost=solution.cost + 100.0,
        plan_bound=solution.lower_bound,
    )
    found = read_certificate(tmp_path / "certificate.json")
    proven = judge_certificate(found.certificate, found.faults)
    assert proven.holds, proven.faults
    assert found.certificate.plan_sha256 == "cd" * 32
    assert any("a later round had to cover more" in note for note in proven.notes)
    assert proven.gap > (solution.cost - proven.bound) / solution.cost


def priced(content):
    """The places that hold prices: the certificate itself and the leaves of its tree."""
    found, waiting = [content["certificate"]], [content["certificate"].get("tree", {})]
    while waiting:
        node = waiting.pop()
        if "used" in node:
            waiting += [node["used"], node["unused"]]
        elif node:
            found.append(node)
    return found


def a_price(content, _):
    for place in priced(content):
        for row in place["rows"]:
            row[1] *= 0.5


def a_dearer_price(content, _):
    content["certificate"]["rows"][0][1] *= 100.0
    content["certificate"]["bound"] *= 2.0


def a_cut(content, _):
    for place in priced(content):
        if place["cuts"]:
            place["cuts"][0][-1] += 1e6


def the_choice(content, _):
    content["certificate"]["chosen"].pop()


def the_cost(content, _):
    content["certificate"]["cost"] *= 0.9


def the_bound(content, _):
    content["certificate"]["bound"] *= 1.2


def the_reported_bound(content, _):
    content["plan"]["lower_bound"] *= 1.5


def the_reported_cost(content, _):
    content["plan"]["cost"] *= 0.5


def no_prices(content, _):
    del content["certificate"]["rows"]
    content["certificate"]["rows"] = 5


def a_device_price(_, arrays):
    arrays["costs"][0] *= 0.5


def a_mount_price(_, arrays):
    arrays["group_costs"][0] += 1000.0


def a_column(_, arrays):
    steps = arrays["index_steps"]
    rows = np.cumsum(steps)
    rows[0] = 0 if rows[0] else 1
    arrays["index_steps"] = np.diff(rows, prepend=0).astype(steps.dtype)


def a_demand(_, arrays):
    arrays["demand"][np.flatnonzero(arrays["demand"])[0]] += 1


def a_site(_, arrays):
    arrays["sites"][:] = 0


TAMPERS = (
    a_price, a_dearer_price, a_cut, the_choice, the_cost, the_bound, the_reported_bound,
    the_reported_cost, no_prices, a_device_price, a_mount_price, a_column, a_demand, a_site,
)  # fmt: skip


def tampered(folder: Path, tamper, *, forge: bool) -> files.CertificateFile:
    """The certificate after a change; a forger also sets the digests right again."""
    file, arrays_file = files.certificate_files(folder / "certificate.json")
    content = json.loads(file.read_text())
    entries = unzip(arrays_file.read_bytes())
    arrays = {name[:-4]: np.load(io.BytesIO(data)) for name, data in entries.items()}
    before = {name: array.copy() for name, array in arrays.items()}
    tamper(content, arrays)
    if any(not np.array_equal(before[n], arrays[n], equal_nan=True) for n in arrays):
        entries = {f"{name}.npy": files._npy(array) for name, array in arrays.items()}
        arrays_file.write_bytes(zip_bytes(entries))
    if forge:
        content["problem"]["sha256"] = files.sha256_file(arrays_file)
        content["sha256"] = files._digest(content)
    file.write_text(json.dumps(content))
    return read_certificate(file)


@pytest.mark.parametrize("forge", [False, True])
@pytest.mark.parametrize("tamper", TAMPERS)
def test_a_tampered_file_is_refused_with_a_sentence(tmp_path, tamper, forge):
    _, _, certificate = good()
    write_certificate(certificate, tmp_path / "certificate.json")
    found = tampered(tmp_path, tamper, forge=forge)
    assert bool(found.faults) is not forge
    proven = judge_certificate(found.certificate, found.faults)
    assert not proven.holds
    assert all(fault.endswith(".") for fault in proven.faults)


def test_files_that_are_none_are_errors_of_one_sentence(tmp_path):
    _, _, certificate = good()
    file = tmp_path / "certificate.json"
    write_certificate(certificate, file)
    with pytest.raises(ArtefactError, match="cannot be read"):
        read_certificate(tmp_path / "none.json")
    text = file.read_text()
    for spoilt, what in (
        ("{", "no JSON"),
        ("[]", "no certificate"),
        (text.replace('"kind": "watchline certificate"', '"kind": "poem"'), "no certificate"),
        (text.replace('"schema_version": 1,', '"schema_version": 9,'), "another version"),
        (text.replace('"round": 0', '"round": "x"'), "spoilt"),
    ):
        assert spoilt != text
        file.write_text(spoilt)
        with pytest.raises(ArtefactError, match=what):
            read_certificate(file)
    file.write_text(text)
    arrays = tmp_path / "certificate.npz"
    kept = arrays.read_bytes()
    arrays.write_bytes(kept[:200])
    with pytest.raises(ArtefactError, match="arrays cannot be read"):
        read_certificate(file)
    for name, value in (
        ("groups", np.array([10**6], dtype="<i4")),
        ("indptr", np.array([0, 5], dtype="<i8")),
        ("row_weight", np.array([np.inf])),
    ):
        entries = unzip(kept)
        entries[f"{name}.npy"] = files._npy(value)
        arrays.write_bytes(zip_bytes(entries))
        with pytest.raises(ArtefactError, match="do not fit together"):
            read_certificate(file)
    arrays.unlink()
    with pytest.raises(ArtefactError, match="arrays cannot be read"):
        read_certificate(file)


def test_a_choice_of_another_cost_than_the_plan_of_its_round_is_refused():
    _, solution, certificate = good()
    cheap = judge_certificate(replace(certificate, plan_cost=solution.cost - 5.0))
    assert not cheap.holds
