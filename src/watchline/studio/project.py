"""One project as its files stand: the site, its run, what each of the seven steps has."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from watchline.chain.guard import kept_interruption
from watchline.chain.keys import digest, step_keys
from watchline.errors import WatchlineError
from watchline.io.files import sha256_file
from watchline.io.plan import read_plan
from watchline.io.project import project_path, read_site
from watchline.io.run import marked_key, seconds_of_steps
from watchline.io.terrain import read_terrain
from watchline.io.why import WHY_FILE
from watchline.model.plan import Plan, plan_digest
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.standing import SceneShelf
from watchline.studio.answers import Noun, StepState
from watchline.studio.faults import NotThere
from watchline.studio.globe import Globe
from watchline.studio.interruption import Interruptions
from watchline.studio.opened import Place
from watchline.studio.tiles import CellPlaces, TerrainTiles

FILES: dict[Noun, str] = {
    "site": "project.toml",
    "terrain": "terrain.tif",
    "candidates": "candidates.parquet",
    "visibility": "visibility.zarr",
    "plan": "plan.gpkg",
    "proof": "proof.json",
    "report": "report.html",
}
"""The artefact of each step; all but the site's lie in a folder of ``runs/``."""
MARKED: tuple[Noun, ...] = ("terrain", "candidates", "visibility")
"""Steps whose key is kept beside their artefact; a folder's name is the key of the others."""


@dataclass(frozen=True)
class Artefact:
    """What a step has on the disk.

    Attributes
    ----------
    file : Path or None
        None where it was never made.
    state : {"missing", "current", "stale"}
        Stale: made from another state of the project.
    """

    file: Path | None
    state: StepState


class Project:
    """One state of a project's files; another state is another object.

    Parameters
    ----------
    path : Path
        The project's folder.
    time_s : float or None
        Time limit of the search of the last run that the studio began; None is the project's own.

    Raises
    ------
    WatchlineError
        What is wrong with its files.
    """

    def __init__(self, path: Path, time_s: float | None = None) -> None:
        self.file = project_path(path)
        self.site: Site = read_site(self.file)
        self._stamps = self._stamped()
        self.globe = Globe(self.site.crs)
        self.folder = self.site.folder
        self.keys, self.run = self._run(time_s)
        self._lock = threading.RLock()
        self._terrain: Terrain | None = None
        self._terrain_stamp: tuple[Path | None, tuple[int, int] | None] = None, None
        self._tiles: TerrainTiles | None = None
        self._places: CellPlaces | None = None
        self._known: dict[tuple[object, ...], Any] = {}
        self.shelf = SceneShelf()
        self.interruptions = Interruptions(self.site, lambda: self.terrain)

    def close(self) -> None:
        """Judge nothing more of this state."""
        self.interruptions.close()

    def _stamped(self) -> list[tuple[int, int] | None]:
        """States of the project's file and of all that it names."""
        names = self.site.provenance.inputs
        return [stamp_of(self.file), *(stamp_of(self.site.folder / name) for name in names)]

    def _run(self, time_s: float | None) -> tuple[dict[str, str], Path]:
        """The run of the project as it stands; a search of another length has a run of its own."""
        sites = [self.site]
        if time_s is not None:
            rules = replace(self.site.design, time_limit_s=time_s)
            sites.append(replace(self.site, design=rules))
        runs = [
            (keys, self.site.folder / "runs" / keys["plan"][:12]) for keys in map(step_keys, sites)
        ]
        made = [one for one in runs if (one[1] / FILES["plan"]).exists()]
        return max(made or runs[:1], key=lambda one: _modified(one[1] / FILES["plan"]))

    def changed(self, time_s: float | None) -> bool:
        """Whether its files stand otherwise now; a new plan in the same run is none of that."""
        if self._stamped() != self._stamps or self._run(time_s)[1] != self.run:
            return True
        file = self.artefact("terrain").file
        return self._terrain is not None and (file, stamp_of(file)) != self._terrain_stamp

    def artefact(self, noun: Noun) -> Artefact:
        """What a step has: of this state of the project, else the newest of another one."""
        name = FILES[noun]
        if noun == "site":
            return Artefact(self.file, "current")
        here = self.run / name
        if here.exists() and self._fits(noun, self.run):
            return Artefact(here, "current")
        others = [f for f in self.folder.glob(f"runs/*/{name}") if f.parent != self.run]
        if noun in MARKED:
            for file in others:
                if self._fits(noun, file.parent):
                    return Artefact(file, "current")
        found = [*others, *([here] if here.exists() else [])]
        if not found:
            return Artefact(None, "missing")
        return Artefact(max(found, key=_modified), "stale")

    def _fits(self, noun: Noun, folder: Path) -> bool:
        """Whether a folder's artefact was made from the project as it stands."""
        if noun in MARKED:
            return marked_key(folder, noun) == self.keys[noun]
        if noun != "report":
            return folder == self.run
        try:
            plan = plan_digest(self.computed_plan())
        except WatchlineError:
            return False
        parts = [self.keys["report"], plan]
        keys = [digest(*parts)]
        if (folder / WHY_FILE).is_file():
            keys.append(digest(*parts, sha256_file(folder / WHY_FILE)))
        return marked_key(folder, "report") in keys

    def once(self, file: Path, what: str, make: Callable[[], Any]) -> Any:
        """What was made of a file, until it changes."""
        key = (what, file, stamp_of(file))
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
            return self._known[key]

    def seconds(self, noun: Noun, folder: Path) -> float | None:
        """How long a step took, where the run's log has it; of the plan's, all its searches."""
        log = folder / "run.jsonl"
        if not log.is_file():
            return None
        found: dict[str, float] = self.once(log, "seconds", lambda: seconds_of_steps(folder))
        mine = [
            seconds
            for step, seconds in found.items()
            if step == noun or step.rpartition("-")[0].endswith(noun)
        ]
        return sum(mine) if mine else None

    @property
    def terrain_file(self) -> Path:
        """The terrain's file.

        Raises
        ------
        NotThere
            It is not built yet.
        """
        found = self.artefact("terrain")
        if found.file is None:
            raise NotThere(
                "the terrain is not built yet",
                where=self.site.name,
                mend="run the chain, or `watchline plan`",
            )
        return found.file

    @property
    def terrain(self) -> Terrain:
        """The terrain."""
        with self._lock:
            if self._terrain is None:
                file = self.terrain_file
                self._terrain_stamp = file, stamp_of(file)
                self._terrain = read_terrain(file)
            return self._terrain

    @property
    def place(self) -> Place:
        """What all plans share."""
        return Place(self.site, self.terrain, self.shelf, self.interruptions)

    @property
    def tiles(self) -> TerrainTiles:
        """Tiles of the terrain."""
        with self._lock:
            if self._tiles is None:
                file = self.terrain_file
                self._tiles = TerrainTiles(file, sha256_file(file))
            return self._tiles

    def cell_places(self, make: Callable[[], CellPlaces]) -> CellPlaces:
        """Where the proof's cells are, which all plans share."""
        with self._lock:
            if self._places is None:
                self._places = make()
            return self._places

    def computed_plan(self) -> Plan:
        """The computed plan.

        Raises
        ------
        NotThere
            There is none yet.
        PlanError
            It does not belong to the project any more.
        """
        file = self.artefact("plan").file
        if file is None:
            raise NotThere(
                "this project has no plan yet", where=self.site.name, mend="run the chain"
            )
        plan: Plan = self.once(file, "plan", lambda: self._taken_up(file))
        return plan

    def _taken_up(self, file: Path) -> Plan:
        """The computed plan, with the claims on interruption that its run has of just this plan."""
        plan = read_plan(file, site=self.site)
        with contextlib.suppress(WatchlineError):  # a damaged file: they are judged anew
            found = kept_interruption(self.site, plan, file.parent, self.keys["terrain"])
            if found is not None:
                self.interruptions.put(plan_digest(plan), found)
        return plan


def stamp_of(file: Path | None) -> tuple[int, int] | None:
    """What tells one state of a file from another; None where there is none."""
    try:
        found = None if file is None else file.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)


def _modified(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
