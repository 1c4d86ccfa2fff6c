"""A plan as it is edited: its states, its journal on the disk, its file.

A version lies in two places. ``plans/<name>.gpkg`` is the plan as people and other programs know
it. ``plans/.studio/<name>/`` holds the journal (:mod:`watchline.io.journal`) with the plans that
its entries start from. An edit is in the journal before it is answered; the file follows when the
editing rests, and says so. Whatever another program makes of the file in the meantime is one more
state, which undo can leave again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from watchline.errors import ArtefactError, WatchlineError
from watchline.io.files import sha256_file
from watchline.io.journal import Journal, put_in_place
from watchline.io.plan import read_plan, refuse_if_open, write_plan
from watchline.io.plan_change import renamed
from watchline.model.plan import Plan
from watchline.model.site import Site
from watchline.studio.edit_answers import Edit
from watchline.studio.edits import make_edits
from watchline.studio.faults import NothingToUndo

FOLDER = ".studio"
EDITS = TypeAdapter(list[Edit])
PLANS_IN_MEMORY = 60
SNAPSHOT_EVERY = 25
"""States are replayed from the last plan that was kept; one is kept at least so often."""


@dataclass
class State:
    """One state of a version.

    Attributes
    ----------
    what : str
        What made it, in words.
    time : str
        When, ISO 8601 in UTC.
    edits : list
        Edits of the state before it; empty where ``file`` says what it is.
    file : str
        Plan in the journal's folder that it is; empty where edits made it.
    plan : Plan or None
        The plan, once it was needed.
    """

    what: str
    time: str
    edits: list[Edit] = field(default_factory=list)
    file: str = ""
    plan: Plan | None = None


class Version:
    """A plan version that people edit.

    Parameters
    ----------
    site : Site
        The project.
    name : str
        Name of the version; its file is ``plans/<name>.gpkg``.

    Raises
    ------
    WatchlineError
        Neither its file nor its journal can be read.
    """

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self.file = site.folder / "plans" / f"{name}.gpkg"
        self.journal = Journal(site.folder / "plans" / FOLDER / name)
        self.states: list[State] = []
        self.at = -1
        self.saved_at = -1
        self._saved_sha = ""
        self._stamp: tuple[int, int] | None = None
        self._number = 0
        for entry in self.journal.entries:
            self._replay(entry.number, entry.time, entry.do, entry.content)
        self.refresh()
        if self.at < 0:
            raise ArtefactError(
                "there is no such plan", where=str(self.file), mend="choose one of the list"
            )
        _ = self.plan

    @classmethod
    def begin(cls, site: Site, name: str, plan: Plan, what: str) -> Version:
        """A new version that begins as another plan stands."""
        file = site.folder / "plans" / f"{name}.gpkg"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_plan(renamed(plan, name), file, site=site)
        version = cls.__new__(cls)
        version.__init__(site, name)  # type: ignore[misc]
        version.states[-1].what = what
        return version

    @staticmethod
    def trial(plan: Plan, edits: list[Edit], site: Site) -> None:
        """Raise what edits of a plan would raise; nothing is kept."""
        make_edits(plan, edits, site, edited_from="")

    @staticmethod
    def nothing(by: int, name: str) -> NothingToUndo:
        """That there is no state to go to."""
        return NothingToUndo(
            "there is nothing to take back" if by < 0 else "there is nothing to make again",
            where=name,
        )

    def _replay(self, number: int, stamp: str, do: str, content: dict[str, Any]) -> None:
        """Follow one entry of the journal."""
        if do == "saved":
            at = self.at - int(content.get("back", 0))
            self.saved_at, self._saved_sha = at, str(content["sha256"])
            if content.get("file"):
                self.states[at].file = str(content["file"])
            return
        self._number = number
        if do == "undo":
            self.at -= 1
            return
        if do == "redo":
            self.at += 1
            return
        if do == "base":
            state = State(str(content["what"]), stamp, file=str(content["file"]))
        else:
            try:
                edits = EDITS.validate_python(content["edits"])
            except ValidationError as problem:
                raise ArtefactError(
                    f"entry {number} of the journal is of another version of the program",
                    where=str(self.journal.file),
                    mend="move that folder away: the plan's file holds what was saved",
                ) from problem
            state = State(words_of(edits), stamp, edits)
        self._push(state)
        if do == "base":
            self.saved_at, self._saved_sha = self.at, str(content["sha256"])

    def _push(self, state: State) -> None:
        del self.states[self.at + 1 :]
        if self.saved_at > self.at:
            self.saved_at = -1
        self.states.append(state)
        self.at = len(self.states) - 1

    @property
    def revision(self) -> str:
        """What an edit must know to be taken."""
        return f"{self.journal.id}-{self._number}"

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self.plan_at(self.at)

    @property
    def saved(self) -> bool:
        """Whether the version's file holds the plan as it stands."""
        return self.saved_at == self.at

    @property
    def changed(self) -> str:
        """When it last changed, ISO 8601 in UTC."""
        return self.journal.entries[self._number - 1].time

    def plan_at(self, at: int) -> Plan:
        """The plan of one state."""
        first = at
        while self.states[first].plan is None and not self.states[first].file:
            first -= 1
        for k in range(first, at + 1):
            state = self.states[k]
            if state.plan is not None:
                continue
            if state.file:
                read = read_plan(self.journal.folder / state.file, site=self.site)
                state.plan = renamed(read, self.name)
            else:
                before = self.states[k - 1].plan
                assert before is not None
                state.plan, _ = make_edits(
                    before, state.edits, self.site, edited_from=_origin(before)
                )
        found = self.states[at].plan
        assert found is not None
        for k, state in enumerate(self.states):
            if abs(k - at) > PLANS_IN_MEMORY:
                state.plan = None
        return found

    def refresh(self) -> bool:
        """Take up what another program made of the version's file; tells whether it did."""
        try:
            stamp = _stamp(self.file)
        except OSError:
            return False
        if stamp == self._stamp:
            return False
        sha = sha256_file(self.file)
        if sha == self._saved_sha:
            self._stamp = stamp
            return False
        read_plan(self.file, site=self.site)  # a fault now, and not in the journal
        name = f"base-{len(self.journal.entries) + 1}.gpkg"
        sha = self.journal.keep(self.file, name)
        what = "opened" if self.at < 0 else "changed by another program"
        entry = self.journal.add("base", file=name, sha256=sha, what=what)
        self._replay(entry.number, entry.time, entry.do, entry.content)
        self._stamp = stamp
        return True

    def edit(
        self, edits: list[Edit], check: Callable[[Plan], None]
    ) -> tuple[Plan, tuple[str, ...]]:
        """Make some edits; they are on the disk when this returns.

        Parameters
        ----------
        edits : list
            The edits.
        check : callable
            Raises where the plan that they make cannot be judged.

        Returns
        -------
        plan : Plan
            The plan after them.
        notes : tuple of str
            What followed from them without being asked for.

        Raises
        ------
        WatchlineError
            They are not possible, or cannot be kept; the version is as it was.
        """
        plan, notes = make_edits(self.plan, edits, self.site, edited_from=_origin(self.plan))
        check(plan)
        entry = self.journal.add("edit", edits=EDITS.dump_python(edits, mode="json"))
        self._number = entry.number
        self._push(State(words_of(edits), entry.time, edits, plan=plan))
        return plan, notes

    def step(self, by: int, check: Callable[[Plan], None]) -> Plan:
        """Undo (−1) or redo (+1).

        Raises
        ------
        NothingToUndo
            There is nothing to take back, or to make again.
        """
        if not (0 <= self.at + by < len(self.states)):
            raise self.nothing(by, self.name)
        plan = self.plan_at(self.at + by)
        check(plan)
        entry = self.journal.add("undo" if by < 0 else "redo")
        self._number = entry.number
        self.at += by
        return plan

    def save(self) -> None:
        """Write the version's file, if it does not hold the plan as it stands.

        Raises
        ------
        ArtefactError
            It cannot be written, or another program has it open with edits of its own.
        """
        job = self.begin_save()
        if job is not None:
            job.write()
            self.finish_save(job)

    def begin_save(self) -> SaveJob | None:
        """What must be written aside, by :meth:`SaveJob.write`; None where all is saved."""
        if self.saved and self.file.is_file():
            return None
        aside = self.journal.folder / f"aside-{self._number}.gpkg"
        return SaveJob(self.states[self.at], self.plan, self.site, aside)

    def finish_save(self, job: SaveJob) -> None:
        """Give what was written aside its name, unless another program wrote the file meanwhile.

        Raises
        ------
        ArtefactError
            It cannot be written, or another program has it open with edits of its own.
        """
        try:
            at = next((k for k, state in enumerate(self.states) if state is job.state), -1)
            if at < 0 or self.refresh():
                return
            refuse_if_open(self.file)
            sha = sha256_file(job.aside)
            keep = ""
            since = at - max((k for k in range(at) if self.states[k].file), default=0)
            if not job.state.file and since >= SNAPSHOT_EVERY:
                keep = f"state-{self._number}.gpkg"
                self.journal.keep(job.aside, keep)
            put_in_place(job.aside, self.file)
        finally:
            job.aside.unlink(missing_ok=True)
        self._stamp = _stamp(self.file)
        self._saved_sha = sha
        steps = self.at - at
        self.journal.add("saved", sha256=sha, file=keep, **({"back": steps} if steps else {}))
        if keep:
            job.state.file = keep
        self.saved_at = at


@dataclass(frozen=True)
class SaveJob:
    """A plan on its way to its file: written aside while the editing may go on."""

    state: State
    plan: Plan
    site: Site
    aside: Path

    def write(self) -> None:
        """Write it aside.

        Raises
        ------
        ArtefactError
            It cannot be written.
        """
        write_plan(self.plan, self.aside, site=self.site)


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


def _origin(plan: Plan) -> str:
    return plan.provenance.inputs.get("edited_from", "")


def words_of(edits: list[Edit]) -> str:
    """Edits in a few words, for the list of undo."""
    words = [_words(edit) for edit in edits]
    return words[0] if len(words) == 1 else f"{words[0]} and {len(words) - 1} more"


def _words(edit: Edit) -> str:
    match edit.action:
        case "move_mount":
            return f"{edit.mount_id} moved"
        case "set_structure":
            return f"{edit.mount_id} on {edit.structure}"
        case "add_mount":
            return f"{edit.structure} set up"
        case "remove_mount":
            return f"{edit.mount_id} removed"
        case "aim_device":
            return f"{edit.device_id} turned"
        case "set_height":
            return f"{edit.device_id} at {edit.height_m:g} m"
        case "set_model":
            return f"{edit.device_id} is {edit.model}"
        case "add_device":
            return f"{edit.model} hung on {edit.mount_id}"
        case "remove_device":
            return f"{edit.device_id} removed"
        case "aim_light":
            return f"{edit.light_id} turned"
        case "remove_light":
            return f"{edit.light_id} removed"


def stamp_of(file: Path) -> str | None:
    """When a file was written, ISO 8601 in UTC; None where there is none."""
    try:
        seconds = file.stat().st_mtime
    except OSError:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def readable(error: WatchlineError) -> str:
    """The first line of an error's sentence."""
    return error.sentence.splitlines()[0]
