"""Files are written whole or not at all."""

import errno
import hashlib
import os

import pytest

from watchline.errors import ArtefactError, ProjectError
from watchline.io import files
from watchline.io.files import atomic_write, sha256_file


def test_sha256_of_a_file_longer_than_a_block(tmp_path):
    content = os.urandom(files.BLOCK_BYTES + 17)
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert sha256_file(path) == hashlib.sha256(content).hexdigest()


def test_sha256_of_a_missing_file_says_which(tmp_path):
    with pytest.raises(ProjectError, match=r"gone\.tif: it cannot be read") as caught:
        sha256_file(tmp_path / "gone.tif")
    assert caught.value.exit_code == 3


def test_the_file_appears_whole_with_its_suffix_kept_meanwhile(tmp_path):
    target = tmp_path / "new" / "plan.json"
    with atomic_write(target) as temporary:
        assert temporary.suffix == ".json"
        assert temporary.parent == target.parent
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [p.name for p in target.parent.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("problem", [ValueError("a bug"), KeyboardInterrupt()])
def test_an_exception_leaves_the_old_file_and_no_litter(tmp_path, problem):
    target = tmp_path / "plan [mine].gpkg"
    target.write_text("old")
    with pytest.raises(type(problem)), atomic_write(target) as temporary:
        temporary.write_text("half")
        temporary.with_name(temporary.name + "-wal").write_text("beside")
        raise problem
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan [mine].gpkg"]


def test_a_full_disk_is_told_with_its_mend(tmp_path):
    target = tmp_path / "terrain.tif"
    with pytest.raises(ArtefactError) as caught, atomic_write(target) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.sentence == (
        f"{target}: it cannot be written (No space left on device); free some space on that disk,"
        " or write elsewhere, and run again."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_syncing_keeps_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "terrain.tif"
    target.write_text("old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ArtefactError, match="No space left"), atomic_write(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["terrain.tif"]


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "runs").write_text("I am a file")
    with (
        pytest.raises(ArtefactError, match="a part of the path is a file"),
        atomic_write(tmp_path / "runs" / "plan.json"),
    ):
        pass


def test_a_body_that_writes_nothing_is_told(tmp_path):
    with pytest.raises(ArtefactError, match="nothing was written"), atomic_write(tmp_path / "a"):
        pass
