"""Breach: how each adversary would cross a plan's zone, and how often he would be stopped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from watchline.model.proof import Claim
from watchline.model.provenance import Provenance

FloatArray = npt.NDArray[np.float64]
SURE_RESPONSE = 0.9
"""Probability with which the slower of the two response times that are told is kept."""


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
class DrawnPath:
    """A weakest path as it is drawn on a map.

    Attributes
    ----------
    adversary : str
        Who walks it.
    interruption : float
        The least probability of interruption of the normal state, which it has.
    responds : str
        The post or patrol that is soonest at its exit; empty where there is none.
    xy : tuple of (float, float)
        Its course.
    """

    adversary: str
    interruption: float
    responds: str
    xy: tuple[tuple[float, float], ...]


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
        """Least over the entries; 1 where nobody can come in anywhere."""
        known = self.interruption[np.isfinite(self.interruption)]
        return float(known.min()) if known.size else 1.0


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
    curve : float64 array [entries]
        Over all states, by entry, for an adversary who knows the state.
    worst : float
        Least over the entries of `curve`; 1 where nobody can come in anywhere.
    worst_each : float
        Over all states, at the weakest entry of each: for an adversary who waits for the state and
        chooses the entry by it. At most `worst`.
    response_s : float64 array [2, exits]
        Time from a detection until a response stands at the exit of each row: its median, and what
        it keeps with :data:`SURE_RESPONSE`; infinite where nobody comes.
    """

    adversary: str
    direction: str
    s_m: FloatArray
    states: tuple[StateCurve, ...]
    path: BreachPath | None
    curve: FloatArray
    worst: float
    worst_each: float
    response_s: FloatArray = field(default_factory=lambda: np.full((2, 0), np.inf))


@dataclass(frozen=True)
class LossCase:
    """What the loss of one thing leaves, in the normal state.

    Attributes
    ----------
    kind : str
        What is lost: mount, device, post, patrol, two mounts (``mounts``), or a kind of
        :data:`ElementKind` of cables.
    name : str
        Which.
    adversary : str
        The adversary who gains most by it.
    worst : float
        Probability of interruption that is left.
    s_m : float
        Chainage of the entry that has it.
    fall, fall_s_m : float
        By how much the loss lowers the probability of interruption at the entry where it lowers it
        most, of any adversary, and where that is: it tells losses apart that leave the same worst.
    """

    kind: str
    name: str
    adversary: str
    worst: float
    s_m: float
    fall: float
    fall_s_m: float

    @property
    def label(self) -> str:
        """Kind and name, the kind once."""
        return self.name if self.name.startswith(self.kind) else f"{self.kind} {self.name}"


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
    late : tuple of (float, float)
        Stretches of the line, from–to in m, with exits that no post serves in time.
    """

    required: float
    feasible: bool
    sentence: str
    existing: int
    places: tuple[tuple[float, float, float], ...]
    achieved: float
    late: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class BestPosts:
    """What a given number of new posts can do at best, in the normal state.

    Attributes
    ----------
    number : int
        How many were asked for.
    places : tuple of (float, float, float)
        Chainage and coordinates; fewer than asked for where fewer suffice.
    served, exits : int
        Exits at which the response is in time for what is required, with these and the existing
        posts, the most that this number can serve; and all exits, of all adversaries.
    achieved : float
        Least probability of interruption with them over all entries, by the weakest paths.
    failing : tuple of int
        Entries below the required probability, one figure an adversary.
    """

    number: int
    places: tuple[tuple[float, float, float], ...]
    served: int
    exits: int
    achieved: float
    failing: tuple[int, ...]


@dataclass(frozen=True)
class PostChoice:
    """One choice of new posts, and what devices cost beside it.

    Attributes
    ----------
    posts : int
        How many.
    hopeless : int
        Entries that no device makes hold beside them.
    posts_cost : float or None
        What they cost; None where the project names no price.
    devices_cost, lower_bound : float or None
        What the addition of mounts and devices costs, and its least; None where it was not
        designed, because the choice could not be the best.
    short : int or None
        Entries that still fail with it.
    taken : bool
        Whether it is the one that was taken.
    """

    posts: int
    hopeless: int
    posts_cost: float | None
    devices_cost: float | None
    lower_bound: float | None
    short: int | None
    taken: bool = False


@dataclass(frozen=True)
class InterruptionDesign:
    """A plan designed for interruption beside the one that it was made from, and its price.

    Attributes
    ----------
    holds : bool
        Whether every entry holds and every check agrees.
    sentence : str
        The answer in words.
    currency : str
        Of every cost.
    cost_before, cost_after : float
        Of mounts and devices, without new posts.
    lower_bound : float
        Least cost of any addition of the offered poses, with these posts.
    posts : tuple of (float, float, float)
        Chainage and coordinates of the new posts.
    posts_cost : float or None
        What they cost; None where the project names no price.
    mounts, devices : int
        How many were added.
    worst_before, worst_after : float
        Least probability of interruption over all states; after: at the entries that are not
        response-infeasible.
    adversaries : tuple of AdversaryBreach
        What each adversary can do against the designed plan with its posts.
    hopeless, short : tuple of (float, float)
        Stretches, from–to in m, whose entries are response-infeasible, and which still fail.
    hopeless_entries, entries : int
        How many entries are response-infeasible, of how many.
    rounds, cuts : int
        Of the search.
    checks : tuple of BreachCheck
        Independent checks of the designed plan.
    choices : tuple of PostChoice
        Choices of posts that were weighed against devices, fewest posts first.
    """

    holds: bool
    sentence: str
    currency: str
    cost_before: float
    cost_after: float
    lower_bound: float
    posts: tuple[tuple[float, float, float], ...]
    posts_cost: float | None
    mounts: int
    devices: int
    worst_before: float
    worst_after: float
    adversaries: tuple[AdversaryBreach, ...]
    hopeless: tuple[tuple[float, float], ...]
    short: tuple[tuple[float, float], ...]
    hopeless_entries: int
    entries: int
    rounds: int
    cuts: int
    checks: tuple[BreachCheck, ...]
    choices: tuple[PostChoice, ...] = ()

    @property
    def price(self) -> float:
        """What the difference costs, new posts included where their price is known."""
        return self.cost_after - self.cost_before + (self.posts_cost or 0.0)


@dataclass(frozen=True)
class Isochrones:
    """How long a response takes to every cell of the zone.

    Attributes
    ----------
    s_m : float64 array [rows]
        Chainage of the rows.
    away_m : float64 array [cols]
        Distance of the columns from the line.
    time_s : float64 array [rows, cols]
        Median from a detection until the soonest unit stands there; infinite where nobody comes.
    """

    s_m: FloatArray
    away_m: FloatArray
    time_s: FloatArray


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
    pairs : tuple of LossCase
        Losses of two mounts at once, worst first; empty where they were not asked for.
    design : InterruptionDesign or None
        A plan designed for what is required, where it was asked for.
    best_posts : BestPosts or None
        The best places of a given number of posts, where one was given.
    claims : tuple of Claim
        What is required, judged.
    isochrones : Isochrones or None
        Response times over the zone, with the posts that stand.
    """

    required: float
    adversaries: tuple[AdversaryBreach, ...]
    losses: tuple[LossCase, ...]
    posts: PostAnswer
    checks: tuple[BreachCheck, ...]
    notes: tuple[str, ...]
    cell_m: float
    pairs: tuple[LossCase, ...] = ()
    design: InterruptionDesign | None = None
    best_posts: BestPosts | None = None
    claims: tuple[Claim, ...] = ()
    isochrones: Isochrones | None = None
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def weakest(self) -> AdversaryBreach:
        """The adversary who is stopped least."""
        return min(self.adversaries, key=lambda found: found.worst)

    @property
    def worst(self) -> float:
        """Least probability of interruption over adversaries."""
        return self.weakest.worst

    @property
    def holds(self) -> bool:
        """Whether every claim holds, binding or not, and every check agrees."""
        return all(claim.verdict == "holds" for claim in self.claims) and all(
            check.holds for check in self.checks
        )


@dataclass(frozen=True)
class Interruption:
    """What a plan's proof says of interruption.

    Attributes
    ----------
    claims : tuple of Claim
        One an adversary and demand.
    along : DataFrame
        Their shares along the line.
    paths : tuple of DrawnPath
        The weakest path of each adversary who can come in, in the normal state.
    """

    claims: tuple[Claim, ...]
    along: pd.DataFrame
    paths: tuple[DrawnPath, ...]


def drawn_paths(adversaries: tuple[AdversaryBreach, ...]) -> tuple[DrawnPath, ...]:
    """The weakest paths of adversaries that are more than a point."""
    return tuple(
        DrawnPath(
            found.adversary,
            found.states[0].worst,
            found.path.post,
            tuple(zip(found.path.x.tolist(), found.path.y.tolist(), strict=True)),
        )
        for found in adversaries
        if found.path is not None and found.path.x.size > 1
    )
