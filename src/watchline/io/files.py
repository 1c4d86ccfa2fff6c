"""Files as every artefact needs them: hashed, and written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from watchline.errors import ArtefactError, ProjectError

BLOCK_BYTES = 1 << 20
TEMPORARY_MARK = ".part-"
"""Every temporary name holds it, so that a leftover of a killed run can be told and removed."""


def sha256_file(path: Path | str) -> str:
    """SHA-256 of a file's bytes, read in blocks.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ProjectError
        If the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as problem:
        raise ProjectError(
            f"it cannot be read ({problem.strerror or problem})",
            where=str(path),
            mend="check the path and the file's permissions",
        ) from problem
    return digest.hexdigest()


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Write a file under a temporary name and give it its real name only when it is whole.

    The temporary file lies in the same folder (a rename is atomic within one file system only)
    and keeps the suffix, by which libraries choose a format. Its bytes are on the disk before the
    rename. Whatever goes wrong, the old file stays as it was and no litter remains.

    Parameters
    ----------
    path : Path or str
        Where the file shall be; its folder is made.

    Yields
    ------
    Path
        The temporary name, which the body must write.

    Raises
    ------
    ArtefactError
        If the disk is full, the folder is not writable, or the body wrote nothing.

    Examples
    --------
    >>> with atomic_write("runs/plan.json") as temporary:  # doctest: +SKIP
    ...     temporary.write_text("{}", encoding="utf-8")
    """
    target = Path(path)
    temporary = target.with_name(
        f"{target.stem}{TEMPORARY_MARK}{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if not temporary.exists():
            raise ArtefactError("nothing was written", where=str(target))
        _to_disk(temporary)
        temporary.replace(target)
        _to_disk(target.parent)
    except OSError as problem:
        raise write_error(problem, target) from problem
    finally:
        _remove_litter(temporary)


def write_error(problem: OSError, path: Path) -> ArtefactError:
    """The error to raise where a file could not be written, with the way to mend it.

    Parameters
    ----------
    problem : OSError
        What the system said.
    path : Path
        The file that was to be written.
    """
    mends = {
        errno.ENOSPC: "free some space on that disk, or write elsewhere, and run again",
        errno.EDQUOT: "free some of your quota, or write elsewhere, and run again",
        errno.EACCES: "make the folder writable, or write elsewhere",
        errno.EPERM: "make the folder writable, or write elsewhere",
        errno.EROFS: "write to another folder: that disk is read-only",
        errno.EISDIR: "choose another name: that one is a folder",
        errno.ENOTDIR: "choose another name: a part of the path is a file",
        errno.EEXIST: "choose another name: a part of the path is a file",
        errno.EFBIG: "write to a file system that takes larger files",
    }
    reason = problem.strerror or str(problem) or type(problem).__name__
    return ArtefactError(
        f"it cannot be written ({reason})",
        where=str(path),
        mend=mends.get(problem.errno or 0, "check the disk and the folder's permissions"),
    )


def _to_disk(path: Path) -> None:
    """Force a file's bytes, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        # Some file systems cannot sync a folder; a file that cannot be synced is a failure.
        if not path.is_dir() or problem.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _remove_litter(temporary: Path) -> None:
    """Remove what is left of a temporary file and of the files that libraries lay beside it."""
    with contextlib.suppress(OSError):
        for litter in list(temporary.parent.iterdir()):
            if litter.name.startswith(temporary.stem):
                litter.unlink(missing_ok=True)
