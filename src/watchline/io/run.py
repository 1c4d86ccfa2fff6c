"""A run: one folder under ``runs/`` with the artefacts of one site, found again by their keys."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from watchline.errors import WatchlineError
from watchline.io.files import atomic_write

Artefact = TypeVar("Artefact")


@dataclass(frozen=True)
class Run:
    """One folder of artefacts.

    Attributes
    ----------
    folder : Path
        ``runs/<first twelve digits of the plan's key>``.
    keys : dict of str to str
        Key of every step.
    say : callable
        Takes a sentence for people (what was taken over, what had to be made again).
    """

    folder: Path
    keys: dict[str, str]
    say: Callable[[str], None]

    def step(
        self,
        name: str,
        files: tuple[str, ...],
        make: Callable[[], Artefact],
        write: Callable[[Artefact, Path], None],
        read: Callable[[Path], Artefact],
        *,
        key: str | None = None,
        finished: Callable[[Artefact], bool] = lambda _: True,
    ) -> Artefact:
        """Artefact of a step: read back if this or another run has it, else made and kept.

        Parameters
        ----------
        name : str
            Name of the step.
        files : tuple of str
            Names of the files (or folders) that it writes.
        make : callable
            Computes the artefact.
        write, read : callable
            Write it into a folder, and read it back from one.
        key : str, optional
            Key of the step; None takes the run's.
        finished : callable, optional
            Whether an artefact is what the step would always give. One that is not is written for
            people to use, but never taken for the step's result.
        """
        key = self.keys[name] if key is None else key
        if self._adopt(name, files, key):
            try:
                return read(self.folder)
            except WatchlineError as error:
                # Whatever is wrong with a kept file, it can be made again.
                self.say(f"{error.sentence} It is made again.")
        start = time.perf_counter()
        artefact = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._mark(name).unlink(missing_ok=True)
        write(artefact, self.folder)
        seconds = time.perf_counter() - start
        if not finished(artefact):
            self.log(step=name, unfinished_after=round(seconds, 3), key=key)
            return artefact
        # Told first: who sees the key may kill the run, and then the log must hold the step.
        self.log(step=name, seconds=round(seconds, 3), key=key)
        with atomic_write(self._mark(name)) as temporary:
            text = json.dumps({"step": name, "key": key, "files": files})
            temporary.write_text(text + "\n", encoding="utf-8")
        return artefact

    def _mark(self, name: str) -> Path:
        folder = self.folder / "steps"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.json"

    def _adopt(self, name: str, files: tuple[str, ...], key: str) -> bool:
        """Whether the step's files are here; a sister run's are linked in."""
        if _holds(self.folder, name, files, key):
            return True
        for other in sorted(self.folder.parent.glob("*")):
            if other != self.folder and _holds(other, name, files, key):
                self.folder.mkdir(parents=True, exist_ok=True)
                for file in files:
                    _link(other / file, self.folder / file)
                _link(other / "steps" / f"{name}.json", self._mark(name))
                self.log(step=name, taken_from=other.name, key=key)
                return True
        return False

    def log(self, **event: Any) -> None:
        """Add a line to ``run.jsonl``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with (self.folder / "run.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": stamp, **event}) + "\n")


def marked_key(folder: Path, name: str) -> str:
    """Key that a step's artefact in a run's folder was made with; empty where there is none."""
    try:
        found = json.loads((folder / "steps" / f"{name}.json").read_text(encoding="utf-8"))
        return str(found["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def seconds_of_steps(folder: Path) -> dict[str, float]:
    """Seconds that the steps of a run took, by its log; the last time that each was made."""
    found: dict[str, float] = {}
    for line in (folder / "run.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
            found[str(event["step"])] = float(event["seconds"])
        except (ValueError, KeyError, TypeError):
            continue  # a line that a crash cut, or that says where a step was taken from
    return found


def forget_steps(folder: Path, is_meant: Callable[[str], bool]) -> None:
    """Let steps be made again: their marks go, here and where other runs share their keys."""
    for mark in (folder / "steps").glob("*.json"):
        if not is_meant(mark.stem):
            continue
        key = marked_key(folder, mark.stem)
        for other in folder.parent.glob(f"*/steps/{mark.name}"):
            if marked_key(other.parents[1], mark.stem) == key:
                other.unlink(missing_ok=True)


def _holds(folder: Path, name: str, files: tuple[str, ...], key: str) -> bool:
    mark = folder / "steps" / f"{name}.json"
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return found.get("key") == key and all((folder / file).exists() for file in files)


def _link(source: Path, target: Path) -> None:
    """Hard links where the file system has them, copies elsewhere; both leave the source alone."""
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    copy = _link_file
    if source.is_dir():
        shutil.copytree(source, target, copy_function=copy)
    else:
        copy(str(source), str(target))


def _link_file(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
