"""The errors of watchline: each says what, where and how to mend it, in one sentence.

Every error that a user can cause is a :class:`WatchlineError`. The command line turns it into one
line on stderr and the class's exit code; a library user catches the class.
"""

from __future__ import annotations


class WatchlineError(Exception):
    """Base of every error that a user can mend.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    where : str, optional
        Where it is: a file, ``file: key`` or a chainage such as ``s = 1250 m``.
    mend : str, optional
        What to do about it, as an imperative.
    """

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what.rstrip(".")
        self.where = where
        self.mend = mend.rstrip(".")
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The error as one sentence, in the form "where: what; mend"."""
        head = f"{self.where}: " if self.where else ""
        tail = f"; {self.mend}" if self.mend else ""
        end = "" if tail.endswith("?") else "."
        return f"{head}{self.what}{tail}{end}"


class ProjectError(WatchlineError):
    """The project file, or an input that it names, is wrong."""


class ManyFaults(ProjectError):
    """Several faults of one project, reported together.

    Parameters
    ----------
    faults : sequence of WatchlineError
        The faults, in the order in which they were found; at least one.
    """

    def __init__(self, faults: list[WatchlineError]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        super().__init__(
            f"{count} faults" if count != 1 else self.faults[0].what,
            where="" if count != 1 else self.faults[0].where,
            mend="" if count != 1 else self.faults[0].mend,
        )

    @property
    def sentence(self) -> str:
        """All faults, one sentence a line."""
        return "\n".join(fault.sentence for fault in self.faults)


class LineError(ProjectError):
    """The line is unusable: zero length, self-crossing, outside the terrain."""


class TerrainError(ProjectError):
    """A raster is unreadable, in feet, without CRS, or does not cover the zone."""


class CatalogueError(ProjectError):
    """The device catalogue is wrong or lacks a device that the project names."""


class PhotometryError(ProjectError):
    """A photometric file is unreadable or contradicts itself."""


class PlanError(ProjectError):
    """A plan file cannot be read or does not belong to the project."""


class ArtefactError(WatchlineError):
    """An artefact in ``runs/`` cannot be written or read back."""


class InfeasibleError(WatchlineError):
    """No plan can satisfy the requirements: which metres, why, and the cheapest relaxation."""

    exit_code = 4


class UsageError(WatchlineError):
    """A verb was called with arguments that do not go together."""

    exit_code = 2


class ClaimFailed(WatchlineError):
    """A claim of a proof does not hold (raised by ``proof.raise_if_failed``)."""

    exit_code = 1
