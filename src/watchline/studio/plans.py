"""Plans of a project: the computed one, and versions that people edit."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from watchline.errors import WatchlineError
from watchline.io.journal import hold_folder, let_go
from watchline.io.plan import read_plan
from watchline.io.plan_tables import SQLITE_MAGIC
from watchline.model.plan import Plan, plan_digest
from watchline.studio.faults import NotThere, TooLarge, WrongKind
from watchline.studio.guard import UPLOAD_BYTES
from watchline.studio.opened import OpenPlan
from watchline.studio.project import Project
from watchline.studio.versions import FOLDER, Version

COMPUTED = "computed"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,59}")
SAVE_AFTER_S = 1.5
"""A version's file is written when nobody has edited it for this long."""
BLOCK_BYTES = 1 << 20
MOST_OPEN = 8
"""Plans whose proofs are kept at a time; the one asked for longest ago is let go first."""


class Plans:
    """The plans of one project, opened when they are first asked for.

    Attributes
    ----------
    lock : RLock
        Held while any of them is read, edited or judged.

    Parameters
    ----------
    project : Project
        The project; :meth:`take_up` gives another state of it.

    Raises
    ------
    ArtefactError
        Another studio has the project open.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.lock = threading.RLock()
        self._judging = threading.Lock()
        self.folder = project.folder / "plans"
        self._held = hold_folder(self.folder / FOLDER)
        self._versions: dict[str, Version] = {}
        self._open: dict[str, OpenPlan] = {}
        self._edited: dict[str, float] = {}
        self._over = threading.Event()
        self._saver = threading.Thread(target=self._save_rested, daemon=True)
        self._saver.start()

    def close(self) -> None:
        """Save what is edited, and let go."""
        if self._over.is_set():
            return
        self._over.set()
        self._saver.join()
        with self.lock:
            for name in list(self._edited):
                self._save(name)
            self.project.close()
            let_go(self._held)

    def take_up(self, project: Project) -> None:
        """Judge all plans by another state of the project from now on."""
        with self.lock:
            for name in list(self._edited):
                self._save(name)
            self.project.close()
            self.project = project
            self._versions.clear()
            self._open.clear()

    def names(self) -> list[str]:
        """Names of the versions, in order."""
        found = {file.stem for file in self.folder.glob("*.gpkg") if self._inside(file)}
        found |= {f.parent.name for f in self.folder.glob(f"{FOLDER}/*/journal.jsonl")}
        return sorted(found - {COMPUTED})

    def _inside(self, file: Path) -> bool:
        """Whether a file really lies in the folder of plans, and not at the end of a link."""
        return not file.name.startswith(".") and file.resolve().parent == self.folder.resolve()

    def version(self, name: str) -> Version:
        """A version, with whatever another program made of its file.

        Raises
        ------
        NotThere
            There is none of that name.
        WatchlineError
            It cannot be read.
        """
        with self.lock:
            if name not in self._versions:
                if name not in self.names():
                    raise NotThere(
                        f"there is no plan '{name}'",
                        where=self.project.site.name,
                        mend="take one of: " + ", ".join([COMPUTED, *self.names()]),
                    )
                self._versions[name] = Version(self.project.site, name)
                if not self._versions[name].saved:
                    self._edited[name] = time.monotonic()
            else:
                self._versions[name].refresh()
            return self._versions[name]

    @contextmanager
    def using(self, name: str) -> Iterator[OpenPlan]:
        """A plan with its proof, held for this thread alone; others may list plans meanwhile.

        Raises
        ------
        NotThere, WatchlineError
            As :meth:`open`.
        """
        self.ready(name)
        with self.lock:
            yield self.open(name)

    def ready(self, name: str) -> None:
        """Judge a plan that was not judged yet, without keeping anyone from the others."""
        with self.lock:
            if name in self._open:
                return  # so that whoever holds the lock already never waits for the other one
        with self._judging:  # one at a time: who asks for the same plan waits for its proof
            with self.lock:
                if name in self._open:
                    return
                project = self.project
                plan, version, revision = self._stands(name)
            found = OpenPlan(project.place, plan, version, revision)
            with self.lock:
                if project is self.project:
                    self._open.setdefault(name, found)

    def _stands(self, name: str) -> tuple[Plan, Version | None, str]:
        """A plan as it stands, not judged."""
        if name == COMPUTED:
            plan = self.project.computed_plan()
            return plan, None, revision_of(plan)
        version = self.version(name)
        return version.plan, version, version.revision

    def open(self, name: str) -> OpenPlan:
        """A plan with its proof, as it stands now.

        Raises
        ------
        NotThere
            There is none of that name.
        WatchlineError
            It cannot be read, or does not belong to the project.
        """
        with self.lock:
            plan, version, revision = self._stands(name)
            found = self._open.pop(name, None)
            if found is None:
                found = OpenPlan(self.project.place, plan, version, revision)
            elif found.revision != revision:
                found.judge(plan, revision)
            self._open[name] = found  # last in order: asked for last
            while len(self._open) > MOST_OPEN:
                del self._open[next(iter(self._open))]
            return found

    def judged(self, name: str) -> OpenPlan | None:
        """A plan, if it was judged in this session and stands so."""
        return self._open.get(name)

    def begin(self, plan: Plan, name: str, what: str, like: OpenPlan | None = None) -> OpenPlan:
        """A new version that begins as a plan; ``like`` is that plan judged already.

        Raises
        ------
        WrongKind
            A version of that name exists.
        """
        with self.lock:
            if not NAME.fullmatch(name) or name == COMPUTED:
                raise WrongKind(
                    f"'{name}' cannot be the name of a version",
                    mend="take letters, digits, - and _, at most 60",
                )
            if name in self.names():
                raise WrongKind(f"there is a plan '{name}' already", mend="take another name")
            version = Version.begin(self.project.site, name, plan, what)
            self._versions[name] = version
            if like is not None:
                self._open[name] = like.copy_for(version)
            return self.open(name)

    def free_name(self, wish: str) -> str:
        """A name that no version has: the wish, or the wish with a number."""
        taken = {*self.names(), COMPUTED}
        if wish not in taken:
            return wish
        return next(
            f"{wish[:55]}-{k}" for k in range(2, 100_000) if f"{wish[:55]}-{k}" not in taken
        )

    def take_in(self, file: BinaryIO, file_name: str, name: str) -> OpenPlan:
        """Import a plan's GeoPackage as a new version.

        Parameters
        ----------
        file : binary file
            What was sent.
        file_name : str
            Name that the sender gave it.
        name : str
            Name of the version; empty takes that of the file, with a number where it is taken.

        Raises
        ------
        WrongKind
            It is no GeoPackage, or the name cannot be one.
        TooLarge
            It is larger than is taken.
        PlanError, ManyFaults
            What is wrong with the plan, each in a sentence.
        """
        wish = name or re.sub(r"[^A-Za-z0-9_\-]+", "-", Path(file_name).stem).strip("-_")[:50]
        aside = self.folder / FOLDER / f"sent-{secrets.token_hex(6)}.gpkg"
        try:
            size = 0
            with aside.open("wb") as target:
                while block := file.read(BLOCK_BYTES):
                    size += len(block)
                    if size > UPLOAD_BYTES:
                        raise TooLarge(f"it is larger than {UPLOAD_BYTES / 2**20:.0f} MiB")
                    if size == len(block) and not block.startswith(SQLITE_MAGIC):
                        raise WrongKind(
                            "it is no GeoPackage", where=file_name, mend="send a plan's .gpkg"
                        )
                    target.write(block)
            if not size:
                raise WrongKind("it is empty", where=file_name, mend="send a plan's .gpkg")
            try:
                plan = read_plan(aside, site=self.project.site)
            except WatchlineError as error:
                raise renamed_fault(error, aside, file_name) from error
        finally:
            aside.unlink(missing_ok=True)
        with self.lock:
            return self.begin(plan, name or self.free_name(wish or "imported"), "imported")

    def edited(self, name: str) -> None:
        """Note that a version was edited, and its file must follow."""
        self._edited[name] = time.monotonic()

    def save(self, name: str) -> Version:
        """Write a version's file now.

        Raises
        ------
        NotThere
            There is no version of that name.
        ArtefactError
            It cannot be written, or another program has it open with edits of its own.
        """
        with self.lock:
            version = self.version(name)
            version.save()
            self._edited.pop(name, None)
            return version

    def _save_rested(self) -> None:
        """Write the files of versions that nobody has edited for a while."""
        while not self._over.wait(SAVE_AFTER_S / 3.0):
            now = time.monotonic()
            for name, at in list(self._edited.items()):
                if now - at >= SAVE_AFTER_S:
                    self._save(name)

    def _save(self, name: str) -> None:
        """Write a version's file if that can be done now; its journal has all edits anyway."""
        at = self._edited.get(name)
        version = self._versions.get(name)
        if at is None or version is None:
            return
        try:
            with self.lock:
                job = version.begin_save()
            if job is not None:
                job.write()  # without the lock: editing goes on
                with self.lock:
                    version.finish_save(job)
        except WatchlineError:
            # Another program has it open, or the disk is full: it stays unsaved, the list of plans
            # says so, and saving it by hand tells why.
            pass
        if self._edited.get(name) == at:
            del self._edited[name]


def revision_of(plan: Plan) -> str:
    """Revision of the computed plan: what it places."""
    return f"{COMPUTED}-{plan_digest(plan)[:12]}"


def renamed_fault(error: WatchlineError, aside: Path, file_name: str) -> WatchlineError:
    """A fault of a file that was sent, by the name that the sender knows."""
    for one in (error, *getattr(error, "faults", ())):
        for known in (str(aside), aside.name):
            one.where = one.where.replace(known, file_name or "the file")
            one.what = one.what.replace(known, file_name or "the file")
    return error
