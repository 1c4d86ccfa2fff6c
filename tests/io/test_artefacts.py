"""Candidates, visibility and proof on disk: exact round trips; spoilt files are found out."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from shapely.geometry import Point

import outputs_sample as sample
from watchline.errors import ArtefactError
from watchline.io.candidates import read_candidates, write_candidates
from watchline.io.proof import proof_files, read_proof, write_proof
from watchline.io.visibility import read_visibility, write_visibility
from watchline.model.candidates import CELL_COLUMNS, MOUNT_COLUMNS, Candidates
from watchline.model.proof import Claim, Proof, Witness
from watchline.model.provenance import Provenance
from watchline.model.visibility import Visibility

PROVENANCE = Provenance({"site": "12" * 32, "terrain": "34" * 32}, 5, "0.1.0")
PROOF = sample.make_proof()


def make_candidates() -> Candidates:
    rng = np.random.default_rng(1)
    rows = [
        {
            "mount": k, "site": k // 2, "name": f"{sample.HOSTILE} {k}", "structure": "mast-8",
            "kind": "mast", "height_m": 8.0, "s": rng.uniform(), "t": -rng.uniform(),
            "x": sample.X0 + k, "y": sample.Y0 + k / 3, "ground_z": rng.normal(), "capacity": 4,
            "cost": rng.uniform(), "existing": k == 3,
            "geometry": Point(sample.X0 + k, sample.Y0 + k / 3),
        }
        for k in range(6)
    ]  # fmt: skip
    assert set(MOUNT_COLUMNS) <= set(rows[0])
    cells = pd.DataFrame({name: rng.normal(size=50) for name in CELL_COLUMNS})
    cells.loc[3, "ground_z"] = np.nan
    cells["in:zone"] = rng.random(50) < 0.5
    cells[f"no_watch:{sample.HOSTILE}"] = rng.random(50) < 0.5
    mounts = gpd.GeoDataFrame(pd.DataFrame(rows), crs=sample.CRS)
    return Candidates(mounts, cells, 512.125, (0.5, 1.7), PROVENANCE)


def test_candidates_round_trip(tmp_path) -> None:
    wanted = make_candidates()
    write_candidates(wanted, tmp_path / "new" / "folder")
    found = read_candidates(tmp_path / "new" / "folder")
    pd.testing.assert_frame_equal(pd.DataFrame(found.cells), wanted.cells, check_exact=True)
    assert isinstance(found.mounts, gpd.GeoDataFrame)
    assert found.mounts.crs == wanted.mounts.crs
    pd.testing.assert_frame_equal(
        pd.DataFrame(found.mounts.drop(columns="geometry")),
        pd.DataFrame(wanted.mounts.drop(columns="geometry")),
        check_exact=True,
    )
    assert found.mounts.geometry.geom_equals(wanted.mounts.geometry).all()
    # A field that is added to the artefact must be kept by its files too.
    kept = {"mounts", "cells", "range_m", "target_heights_m", "provenance"}
    assert {field.name for field in dataclasses.fields(Candidates)} == kept
    assert (found.range_m, found.target_heights_m) == (512.125, (0.5, 1.7))
    assert found.provenance == PROVENANCE


def test_candidates_are_written_the_same_twice(tmp_path) -> None:
    for folder in ("a", "b"):
        write_candidates(make_candidates(), tmp_path / folder)
    for name in ("candidates.parquet", "cells.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_candidates_with_cells_of_another_run(tmp_path) -> None:
    write_candidates(make_candidates(), tmp_path)
    other = dataclasses.replace(make_candidates(), cells=make_candidates().cells.iloc[:-1])
    write_candidates(other, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "cells.parquet", tmp_path / "cells.parquet")
    with pytest.raises(ArtefactError, match=r"does not belong to candidates\.parquet"):
        read_candidates(tmp_path)


def test_candidates_of_another_version(tmp_path) -> None:
    old = dataclasses.replace(PROVENANCE, schema_version=0)
    write_candidates(dataclasses.replace(make_candidates(), provenance=old), tmp_path)
    with pytest.raises(ArtefactError, match="another version"):
        read_candidates(tmp_path)


@settings(max_examples=20, deadline=None)
@given(
    bits=hnp.arrays(np.uint64, st.tuples(st.integers(0, 5), st.integers(1, 2), st.integers(0, 4))),
    method=st.text(max_size=20),
)
def test_visibility_round_trip(bits, method) -> None:
    cells = max(0, bits.shape[2] * 64 - 3)
    wanted = Visibility(bits, bits >> np.uint64(1), (0.5, 1.7), cells, method, PROVENANCE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visibility.zarr"
        write_visibility(wanted, path)
        found = read_visibility(path)
        assert [p.name for p in Path(folder).iterdir()] == ["visibility.zarr"]
    np.testing.assert_array_equal(found.visible, wanted.visible)
    np.testing.assert_array_equal(found.unknown, wanted.unknown)
    assert found.visible.dtype == np.uint64
    assert not found.visible.flags.writeable
    for field in ("target_heights_m", "cells", "method", "provenance"):
        assert getattr(found, field) == getattr(wanted, field)


def make_visibility() -> Visibility:
    bits = np.random.default_rng(2).integers(0, 2**63, (700, 2, 800), dtype=np.uint64)
    return Visibility(bits, bits & np.uint64(7), (0.5, 1.7), 800 * 64 - 9, "exact", PROVENANCE)


def test_a_visibility_of_several_chunks_replaces_an_old_one(tmp_path) -> None:
    path = tmp_path / "visibility.zarr"
    path.mkdir()
    (path / "leftover").write_text("old")
    write_visibility(make_visibility(), path)
    assert len(list((path / "visible" / "c").iterdir())) > 1
    assert not (path / "leftover").exists()
    np.testing.assert_array_equal(read_visibility(path).visible, make_visibility().visible)
    assert [p.name for p in tmp_path.iterdir()] == ["visibility.zarr"]


def test_a_lost_or_cut_chunk_of_the_visibility_is_found_out(tmp_path) -> None:
    path = tmp_path / "visibility.zarr"
    write_visibility(make_visibility(), path)
    chunk = next(p for p in sorted((path / "visible" / "c").rglob("*")) if p.is_file())
    content = chunk.read_bytes()
    chunk.unlink()
    with pytest.raises(ArtefactError, match="the array visible is not what was written"):
        read_visibility(path)
    chunk.write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtefactError, match="it is damaged"):
        read_visibility(path)
    chunk.write_bytes(content)
    assert read_visibility(path).cells == 800 * 64 - 9


@pytest.mark.parametrize("spoil", ["missing", "empty folder", "a file", "bad json"])
def test_a_spoilt_visibility(tmp_path, spoil) -> None:
    path = tmp_path / "visibility.zarr"
    if spoil == "empty folder":
        path.mkdir()
    elif spoil == "a file":
        path.write_bytes(b"no zarr")
    elif spoil == "bad json":
        write_visibility(make_visibility(), path)
        (path / "zarr.json").write_text("{")
    with pytest.raises(ArtefactError) as caught:
        read_visibility(path)
    assert "run again" in caught.value.sentence


def assert_same_proof(found: Proof, wanted: Proof) -> None:
    pd.testing.assert_frame_equal(found.cells, wanted.cells, check_exact=True)
    pd.testing.assert_frame_equal(found.chainage, wanted.chainage, check_exact=True)
    for field in ("cell_m", "plan_sha256", "provenance", "holds"):
        assert getattr(found, field) == getattr(wanted, field), field
    assert repr(found.claims) == repr(wanted.claims)  # NaN differs from NaN, its repr does not


def test_proof_round_trip(tmp_path) -> None:
    file = write_proof(PROOF, tmp_path / "proof.json")
    assert_same_proof(read_proof(file), PROOF)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in proof_files(file))
    kept = {"claims", "cells", "chainage", "cell_m", "plan_sha256", "provenance"}
    assert {field.name for field in dataclasses.fields(Proof)} == kept


def test_proof_json_is_strict(tmp_path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    file = write_proof(PROOF, tmp_path / "proof.json")
    content = json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    assert content["claims"][0]["witness"]["value"] == "NaN"
    assert content["holds"] is False


figures = st.floats(allow_nan=True, allow_infinity=True)
witnesses = st.none() | st.builds(
    Witness, figures, figures, figures, figures, figures, st.text(max_size=10)
)
claims = st.builds(
    Claim,
    requirement=st.text(max_size=10),
    kind=st.sampled_from(["coverage", "no_watch", "exclusion", "capacity"]),
    where=st.text(max_size=10),
    condition=st.just("day"),
    verdict=st.sampled_from(["holds", "fails", "unknown"]),
    value=figures,
    lower=figures,
    upper=figures,
    target=figures,
    binding=st.booleans(),
    witness=witnesses,
    cells=st.integers(0, 10**9),
    failing_chainages=st.lists(st.tuples(figures, figures), max_size=3).map(tuple),
    method=st.text(max_size=10),
    detail=st.text(max_size=10),
)


@settings(max_examples=20, deadline=None)
@given(claims=st.lists(claims, max_size=3).map(tuple), cell_m=st.floats(0.1, 100))
def test_any_claims_round_trip(claims, cell_m) -> None:
    wanted = dataclasses.replace(
        PROOF, claims=claims, cell_m=cell_m, cells=PROOF.cells.iloc[:2], chainage=PROOF.chainage
    )
    with tempfile.TemporaryDirectory() as folder:
        found = read_proof(write_proof(wanted, Path(folder) / "p.json"))
    assert_same_proof(found, wanted)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: f.unlink(), "proof.json: it does not exist; run again."),
        (lambda f: f.write_text("{"), "it is damaged (JSONDecodeError"),
        (lambda f: f.write_text("[]"), "it is damaged (TypeError"),
        (lambda f: f.write_bytes(b"\xff\xfe"), "it is damaged (UnicodeDecodeError"),
        (
            lambda f: f.write_text(f.read_text().replace('version": 1', 'version": 9')),
            "it was made by another version",
        ),
        (
            lambda f: f.write_text(f.read_text().replace('"detail"', '"details"')),
            "it is damaged (TypeError",
        ),
        (lambda f: proof_files(f)[1].unlink(), "proof.cells.parquet: it does not exist"),
        (
            lambda f: proof_files(f)[1].write_bytes(proof_files(f)[1].read_bytes()[:-20]),
            "proof.cells.parquet: it is damaged",
        ),
        (
            lambda f: proof_files(f)[2].write_bytes(proof_files(f)[1].read_bytes()),
            "proof.chainage.parquet: it does not belong to proof.json",
        ),
    ],
)  # fmt: skip
def test_a_spoilt_proof(tmp_path, spoil, sentence) -> None:
    file = write_proof(PROOF, tmp_path / "proof.json")
    spoil(file)
    with pytest.raises(ArtefactError) as caught:
        read_proof(file)
    assert sentence in caught.value.sentence
