"""Candidates, visibility and proof on disk: exact round trips; spoilt files are found out."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

import outputs_sample as sample
from watchline.errors import ArtefactError
from watchline.io.candidates import read_candidates, write_candidates
from watchline.io.proof import proof_files, read_proof, write_proof
from watchline.io.visibility import VisibilityWriter, read_visibility, write_visibility
from watchline.model.candidates import CELL_COLUMNS, MOUNT_COLUMNS, Candidates
from watchline.model.proof import Claim, Proof, Witness
from watchline.model.provenance import Provenance
from watchline.model.visibility import Layout, MemoryPlanes, Visibility

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


def random_layout(rng, mounts: int, cells: int, targets: int = 2) -> Layout:
    """Sites with none, one or two runs of words, mounts on them in any order."""
    words = -(-cells // 64)
    sites = max(1, mounts // 2)
    runs = [np.sort(rng.integers(0, words + 1, 2 * rng.integers(0, 3))) for _ in range(sites)]
    return Layout(
        cells=cells,
        targets=targets,
        site=rng.integers(0, sites, mounts),
        run_start=np.cumsum([0, *(len(run) // 2 for run in runs)]).astype(np.int64),
        run_first=np.concatenate([run[::2] for run in runs]).astype(np.int64),
        run_last=np.concatenate([run[1::2] for run in runs]).astype(np.int64),
    )


def random_visibility(seed: int, mounts: int, cells: int, method: str = "exact") -> Visibility:
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, mounts, cells)
    planes = (
        rng.integers(0, 2**64, (2, count), dtype=np.uint64)
        for count in (layout.visible_words, layout.unknown_words)
    )
    return Visibility(layout, MemoryPlanes(*planes), (0.5, 1.7), method, PROVENANCE)


def assert_same_visibility(found: Visibility, wanted: Visibility) -> None:
    for field in ("target_heights_m", "cells", "mounts", "method", "provenance"):
        assert getattr(found, field) == getattr(wanted, field)
    for mount in range(wanted.mounts):
        np.testing.assert_array_equal(found.cells_of(mount), wanted.cells_of(mount))
        np.testing.assert_array_equal(found.visible_at(mount), wanted.visible_at(mount))
        np.testing.assert_array_equal(found.unknown_at(mount), wanted.unknown_at(mount))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1_000), mounts=st.integers(0, 9), cells=st.integers(1, 400),
    method=st.text(max_size=20),
)  # fmt: skip
def test_visibility_round_trip(seed, mounts, cells, method) -> None:
    wanted = random_visibility(seed, mounts, cells, method)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visibility.zarr"
        write_visibility(wanted, path)
        assert_same_visibility(read_visibility(path), wanted)
        assert [p.name for p in Path(folder).iterdir()] == ["visibility.zarr"]


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 128 words on disk, of which a reader keeps one or two."""
    monkeypatch.setattr("watchline.io.visibility.CHUNK_BYTES", 2_048)
    monkeypatch.setattr("watchline.io.visibility.KEPT_CHUNKS", 1)


def make_visibility() -> Visibility:
    return random_visibility(2, 40, 64 * 100 - 9)


@pytest.mark.usefixtures("small_chunks")
def test_a_visibility_of_several_chunks_replaces_an_old_one(tmp_path) -> None:
    path = tmp_path / "visibility.zarr"
    path.mkdir()
    (path / "leftover").write_text("old")
    write_visibility(make_visibility(), path)
    assert len(list((path / "visible" / "c" / "0").iterdir())) > 5
    assert not (path / "leftover").exists()
    assert_same_visibility(read_visibility(path), make_visibility())
    assert [p.name for p in tmp_path.iterdir()] == ["visibility.zarr"]


@pytest.mark.usefixtures("small_chunks")
def test_bits_that_come_in_pieces_of_any_size_are_kept(tmp_path) -> None:
    wanted = make_visibility()
    sink = VisibilityWriter(tmp_path / "visibility.zarr")
    sink.begin(wanted.layout)
    cuts = np.unique(np.random.default_rng(3).integers(0, wanted.layout.visible_words, 25))
    for first, last in itertools.pairwise([0, *cuts, wanted.layout.visible_words]):
        sink.add(wanted.planes.visible(first, last), wanted.planes.unknown(first, last))
    assert not (tmp_path / "visibility.zarr").exists()
    assert_same_visibility(sink.finish((0.5, 1.7), "exact", PROVENANCE), wanted)


def test_a_visibility_of_which_bits_are_missing_is_never_kept(tmp_path) -> None:
    wanted = make_visibility()
    sink = VisibilityWriter(tmp_path / "visibility.zarr")
    sink.begin(wanted.layout)
    sink.add(wanted.planes.visible(0, 5), wanted.planes.unknown(0, 5))
    with pytest.raises(ValueError, match="5 words came"):
        sink.finish((0.5, 1.7), "exact", PROVENANCE)
    sink.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plane", ["visible", "unknown"])
@pytest.mark.usefixtures("small_chunks")
def test_a_lost_or_cut_chunk_of_the_visibility_is_found_out(tmp_path, plane) -> None:
    path = tmp_path / "visibility.zarr"
    write_visibility(make_visibility(), path)
    chunk = sorted((path / plane / "c" / "0").iterdir())[1]
    content = chunk.read_bytes()
    chunk.unlink()
    with pytest.raises(ArtefactError, match=f"the array {plane} is not what was written"):
        read_visibility(path)
    # Without looking at all of it first, it is found out when its mounts are asked for.
    found = read_visibility(path, verify=False)
    with pytest.raises(ArtefactError, match="not what was written"):
        [(found.visible_at(mount), found.unknown_at(mount)) for mount in range(found.mounts)]
    chunk.write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtefactError, match="it is damaged"):
        read_visibility(path)
    chunk.write_bytes(content)
    assert read_visibility(path).cells == 64 * 100 - 9


def test_a_visibility_of_the_earlier_layout_is_told_to_be_made_again(tmp_path) -> None:
    path = tmp_path / "visibility.zarr"
    root = zarr.create_group(store=path, zarr_format=3)
    for name in ("visible", "unknown"):
        root.create_array(name, shape=(3, 2, 4), dtype=np.uint64, chunks=(3, 2, 4))
    root.attrs.update({"cells": 250, "sha256": {}, "provenance": PROVENANCE.as_dict()})
    with pytest.raises(ArtefactError, match=r"has layout 1, and this program reads 2; delete it"):
        read_visibility(path)


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
