"""``inputs.lock``: hash, source and licence of every input of a project."""

from __future__ import annotations

import tomllib
from pathlib import Path

from watchline.errors import ManyFaults, ProjectError, WatchlineError
from watchline.io.files import atomic_write

LOCK_FILE = "inputs.lock"


def read_lock(folder: Path) -> dict[str, dict[str, str]]:
    """Entries of a project's ``inputs.lock`` by input path; empty where there is no lock.

    Raises
    ------
    ProjectError
        The lock is not valid TOML, or an entry lacks ``path`` or ``sha256``.
    """
    file = folder / LOCK_FILE
    if not file.is_file():
        return {}
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("input", [])
        return {entry["path"]: entry for entry in entries if entry["sha256"]}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ProjectError(
            f"cannot be read ({error})", where=LOCK_FILE, mend="run `watchline check --lock`"
        ) from error


def check_lock(folder: Path, inputs: dict[str, str]) -> None:
    """Refuse inputs that changed since the lock was written.

    Parameters
    ----------
    folder : Path
        The project's folder.
    inputs : dict of str to str
        SHA-256 of each input, by its path in the project file.

    Raises
    ------
    ManyFaults
        An input differs from its entry.
    """
    locked = read_lock(folder)
    faults: list[WatchlineError] = [
        ProjectError(
            f"{path} has changed since the lock was written",
            where=LOCK_FILE,
            mend="restore it, or accept it with `watchline check --lock`",
        )
        for path, entry in sorted(locked.items())
        if path in inputs and inputs[path] != entry["sha256"]
    ]
    if faults:
        raise ManyFaults(faults)


def write_lock(folder: Path, inputs: dict[str, str]) -> Path:
    """Write ``inputs.lock``, keeping the source and licence of entries that stay.

    Parameters
    ----------
    folder : Path
        The project's folder.
    inputs : dict of str to str
        SHA-256 of each input, by its path; ``project.toml`` itself is left out.
    """
    known = read_lock(folder)
    text = ["# SHA-256, source and licence of every input. Rewritten by `watchline check --lock`."]
    for path in sorted(inputs):
        if path == "project.toml":
            continue
        old = known.get(path, {})
        text += [
            "",
            "[[input]]",
            f"path = {_quoted(path)}",
            f"sha256 = {_quoted(inputs[path])}",
            f"source = {_quoted(old.get('source', ''))}",
            f"licence = {_quoted(old.get('licence', ''))}",
        ]
    file = folder / LOCK_FILE
    with atomic_write(file) as temporary:
        Path(temporary).write_text("\n".join(text) + "\n", encoding="utf-8")
    return file


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
