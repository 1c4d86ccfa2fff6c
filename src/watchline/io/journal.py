"""The journal of a plan version: every edit on the disk before it is answered.

One JSON line an entry, only ever added, each forced to the disk. A line that a crash left half
written is the last one, was never answered, and is cut off when the journal is opened again.
Beside it lie whole plans, from which entries are replayed: what the version began with, what
another program made of its file, what was saved.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write, sha256_file, write_error

JOURNAL_FILE = "journal.jsonl"
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Entry:
    """One line of a journal.

    Attributes
    ----------
    number : int
        From 1, without gaps.
    time : str
        ISO 8601 in UTC.
    do : str
        ``base``, ``edit``, ``undo``, ``redo`` or ``saved``.
    content : dict
        What belongs to it.
    """

    number: int
    time: str
    do: str
    content: dict[str, Any]


class Journal:
    """The journal in one folder.

    Parameters
    ----------
    folder : Path
        Where it lies; made by the first entry.

    Raises
    ------
    ArtefactError
        It is damaged elsewhere than in its last line.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / JOURNAL_FILE
        self.entries: list[Entry] = []
        self.id = ""
        if self.file.is_file():
            self._read()

    def _read(self) -> None:
        raw = self.file.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                values = json.loads(line)
                entry = Entry(
                    int(values.pop("number")),
                    str(values.pop("time")),
                    str(values.pop("do")),
                    values,
                )
            except (ValueError, KeyError, TypeError, AttributeError) as problem:
                raise ArtefactError(
                    f"line {number} of the journal is damaged",
                    where=str(self.file),
                    mend="move that folder away: the plan's file holds what was saved",
                ) from problem
            self.entries.append(entry)
        if len(whole) < len(raw):
            with self.file.open("r+b") as file:
                file.truncate(len(whole))
                file.flush()
                os.fsync(file.fileno())
        if self.entries:
            self.id = str(self.entries[0].content.get("journal", ""))

    def add(self, do: str, **content: Any) -> Entry:
        """Add an entry; it is on the disk when this returns.

        Raises
        ------
        ArtefactError
            It cannot be written; the journal is as it was.
        """
        if not self.entries:
            self.id = secrets.token_hex(3)
            content["journal"] = self.id
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = Entry(len(self.entries) + 1, stamp, do, content)
        head = {"number": entry.number, "time": entry.time, "do": do}
        line = json.dumps({**head, **content}, ensure_ascii=True) + "\n"
        size = self.file.stat().st_size if self.file.is_file() else None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as file:
                file.write(line.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            if size is None:
                _sync_folder(self.folder)
        except OSError as problem:
            if size is not None:
                os.truncate(self.file, size)
            raise write_error(problem, self.file) from problem
        self.entries.append(entry)
        return entry

    def keep(self, plan_file: Path, name: str) -> str:
        """Copy a plan's file into the journal's folder, whole or not at all; returns its hash."""
        try:
            with atomic_write(self.folder / name) as temporary:
                shutil.copyfile(plan_file, temporary)
        except FileNotFoundError as problem:
            raise write_error(problem, plan_file) from problem
        return sha256_file(self.folder / name)


def put_in_place(written: Path, target: Path) -> None:
    """Give a file that was written aside its name; it is on the disk under it after that.

    Raises
    ------
    ArtefactError
        It cannot be.
    """
    try:
        written.replace(target)
        _sync_folder(target.parent)
    except OSError as problem:
        raise write_error(problem, target) from problem


def hold_folder(folder: Path, held_by: str = "another studio has this project open") -> int:
    """Hold a folder for this process alone, until it ends or lets go.

    Parameters
    ----------
    folder : Path
        The folder; made where it is missing.
    held_by : str
        What is said where another process holds it.

    Returns
    -------
    int
        Number of the open file that holds it; :func:`let_go` takes it.

    Raises
    ------
    ArtefactError
        Another process holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as problem:
        raise write_error(problem, folder / LOCK_FILE) from problem
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(held)
        raise ArtefactError(
            held_by, where=str(folder.parent.parent), mend="use that one, or wait for its end"
        ) from problem
    return held


def let_go(held: int) -> None:
    """Let go of a folder that :func:`hold_folder` holds."""
    os.close(held)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
