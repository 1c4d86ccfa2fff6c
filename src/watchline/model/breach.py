"""Breach: how each adversary would cross a plan's zone, and how often he would be stopped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from watchline.model.provenance import Provenance

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BreachPath:
    """A weakest path.

    Attributes
    ----------
    x, y, s, away_m : float64 array [n]
        Its cells: coordinates, chainage, and distance from the line.
    detected : float64 array [n]
        Probability of having been detected on the way there.
    stopped : float64 array [n]
        Chance that a detection there leads to a stop.
    critical : int
        Place in it of the critical detection point, −1 where no detection helps.
    post : str
        The post or patrol that is soonest at its exit; empty where there is none.
    """

    x: FloatArray
    y: FloatArray
    s: FloatArray
    away_m: FloatArray
    detected: FloatArray
    stopped: FloatArray
    critical: int
    post: str


@dataclass(frozen=True)
class StateCurve:
    """Probability of interruption along the line in one state.

    Attributes
    ----------
    state : str
        Its name.
    probability : float
        Share of time.
    interruption : float64 array [entries]
        By entry; NaN where nobody can come in.
    """

    state: str
    probability: float
    interruption: FloatArray

    @property
    def worst(self) -> float:
        """Least over the entries."""
        return float(np.nanmin(self.interruption))


@dataclass(frozen=True)
class AdversaryBreach:
    """What one adversary can do.

    Attributes
    ----------
    adversary, direction : str
        Who, and which way.
    s_m : float64 array [entries]
        Chainage of the entries.
    states : tuple of StateCurve
        The normal state first.
    path : BreachPath or None
        The weakest path of the normal state; None where nobody can come in.
    """

    adversary: str
    direction: str
    s_m: FloatArray
    states: tuple[StateCurve, ...]
    path: BreachPath | None

    @property
    def curve(self) -> FloatArray:
        """Over all states, by entry, for an adversary who knows the state."""
        total = np.zeros(self.s_m.size)
        for state in self.states:
            total += state.probability * state.interruption
        return total

    @property
    def worst(self) -> float:
        """Over all states, at the weakest entry of each."""
        return float(sum(state.probability * state.worst for state in self.states))


@dataclass(frozen=True)
class LossCase:
    """What the loss of one thing leaves, in the normal state.

    Attributes
    ----------
    kind : str
        What is lost: mount, device, post, patrol, or a kind of :data:`ElementKind` of cables.
    name : str
        Which.
    adversary : str
        The adversary who gains most by it.
    worst : float
        Probability of interruption that is left.
    s_m : float
        Chainage of the entry that has it.
    """

    kind: str
    name: str
    adversary: str
    worst: float
    s_m: float


@dataclass(frozen=True)
class PostAnswer:
    """Where posts must stand so that what is required holds, or why nowhere does.

    Attributes
    ----------
    required : float
        Probability of interruption.
    feasible : bool
        Whether any posts suffice.
    sentence : str
        The answer in words.
    existing : int
        Posts that stand already and are used.
    places : tuple of (float, float, float)
        Chainage and coordinates of the new ones.
    achieved : float
        Probability of interruption with the existing and the new posts, in the normal state.
    """

    required: float
    feasible: bool
    sentence: str
    existing: int
    places: tuple[tuple[float, float, float], ...]
    achieved: float


@dataclass(frozen=True)
class BreachCheck:
    """One independent check: what was compared, and whether it agrees."""

    name: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Breach:
    """All that was found.

    Attributes
    ----------
    required : float
        Probability of interruption asked for.
    adversaries : tuple of AdversaryBreach
        One each.
    losses : tuple of LossCase
        Worst first.
    posts : PostAnswer
        Of the adversary and direction that ask most.
    checks : tuple of BreachCheck
        Independent checks.
    notes : tuple of str
        What a reader must know.
    """

    required: float
    adversaries: tuple[AdversaryBreach, ...]
    losses: tuple[LossCase, ...]
    posts: PostAnswer
    checks: tuple[BreachCheck, ...]
    notes: tuple[str, ...]
    cell_m: float
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def worst(self) -> float:
        """Least probability of interruption over adversaries."""
        return min(found.worst for found in self.adversaries)

    @property
    def holds(self) -> bool:
        """Whether what is required holds and every check agrees."""
        return self.worst >= self.required and all(check.holds for check in self.checks)
