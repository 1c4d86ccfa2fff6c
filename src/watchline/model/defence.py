"""Defence: who would cross, what holds him up, what detects him and who comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["inward", "outward"]


@dataclass(frozen=True)
class Gait:
    """One way in which an adversary moves.

    Attributes
    ----------
    name : str
        Walking, running, crawling, driving …
    speed_m_s : float
        On level, open ground.
    target_height_m : float
        Height of what is seen of him.
    by_slope : bool
        Whether slopes slow him by Tobler's rule.
    steepest : float
        Slope (rise over run) above which he cannot go this way.
    """

    name: str
    speed_m_s: float
    target_height_m: float
    by_slope: bool = True
    steepest: float = float("inf")


@dataclass(frozen=True)
class Adversary:
    """Who would cross, and how.

    Attributes
    ----------
    name : str
        His name in figures and reports.
    direction : {"inward", "outward"}
        From the edge of the zone at the line to the far one, or back.
    gaits : tuple of Gait
        How he can move; at every cell he takes what suits him.
    tools : tuple of str
        What he carries: a barrier's delay may depend on it.
    grounds : mapping of str to float
        Factor on his speed in an area or on the road; 0: he cannot go there.
    """

    name: str
    direction: Direction
    gaits: tuple[Gait, ...]
    tools: tuple[str, ...] = ()
    grounds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Barrier:
    """A fence, ditch or wall along the line.

    Attributes
    ----------
    name : str
        Its name.
    distance_m : float
        Distance from the line, on the site's side.
    start_m, end_m : float
        Chainage between which it stands.
    delay_s : float
        Time to cross it without a tool.
    delays_s : mapping of str to float
        Time to cross it with a tool.
    detection : float
        Probability that a sensor on it detects the crossing.
    """

    name: str
    distance_m: float
    start_m: float
    end_m: float
    delay_s: float
    delays_s: Mapping[str, float] = field(default_factory=dict)
    detection: float = 0.0

    def delay_of(self, adversary: Adversary) -> float:
        """Time that it costs an adversary with his best tool [s]."""
        known = [self.delays_s[tool] for tool in adversary.tools if tool in self.delays_s]
        return min([self.delay_s, *known])


@dataclass(frozen=True)
class DetectionGrade:
    """What a walk test says of devices from a pixel density on."""

    px_per_m: float
    probability: float
    within_s: float


@dataclass(frozen=True)
class DetectionRules:
    """How sight becomes detection.

    Attributes
    ----------
    grades : mapping of str to tuple of DetectionGrade
        By kind of device; ``""`` holds for every kind that has none of its own.
    communication : float
        Probability that a detection is judged rightly and reaches the response.
    assessment_s : float
        Time until an operator has judged it.
    availability : float
        Share of time that a device works.
    """

    grades: Mapping[str, tuple[DetectionGrade, ...]]
    communication: float
    assessment_s: float
    availability: float


@dataclass(frozen=True)
class DefenceState:
    """A state that strikes many devices together: fog, a feeder, a trunk.

    Attributes
    ----------
    name : str
        Its name.
    probability : float
        Share of time; what the states leave is the state ``normal``.
    visibility_m : float
        Koschmieder visibility; infinite in clear air.
    factors : mapping of str to float
        Factor on the rate of a kind of device, 1 where not named.
    lost_from_m, lost_to_m : float
        Mounts between these chainages are without power or data; none where they are equal.
    """

    name: str
    probability: float
    visibility_m: float = float("inf")
    factors: Mapping[str, float] = field(default_factory=dict)
    lost_from_m: float = 0.0
    lost_to_m: float = 0.0


NORMAL_STATE = "normal"


@dataclass(frozen=True)
class Post:
    """A manned station from which a response sets out."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Patrol:
    """A unit that is somewhere on a stretch of the road, anywhere as likely.

    Attributes
    ----------
    name : str
        Its name.
    start_m, end_m : float
        Chainage along the road's own centreline.
    """

    name: str
    start_m: float
    end_m: float


@dataclass(frozen=True)
class Surface:
    """A stretch of the road, by its own chainage, with its speed limit and rolling resistance."""

    start_m: float
    end_m: float
    speed_m_s: float
    rolling: float


@dataclass(frozen=True)
class ResponseRules:
    """How fast a response comes.

    Attributes
    ----------
    required : float
        Probability of interruption asked for.
    call_out_s, call_out_sd_s : float
        From the judged alarm until a post's vehicle moves: mean and standard deviation.
    patrol_call_out_s, patrol_call_out_sd_s : float
        The same for a patrol, which sits in it.
    speed_m_s : float
        On the level road.
    rolling : float
        Rolling resistance of the road's surface.
    power_w_kg : float
        Power at the wheels a kilogram of vehicle, which limits the speed uphill.
    surfaces : tuple of Surface
        Stretches of the road that are otherwise.
    cross_speed_m_s : float
        Over the ground between road and exit, and between a post and the road.
    travel_spread : float
        Standard deviation of the travel as a share of it.
    post_cost : float or None
        Price of one new post, where the project names one.
    """

    required: float
    call_out_s: float
    call_out_sd_s: float
    patrol_call_out_s: float
    patrol_call_out_sd_s: float
    speed_m_s: float
    rolling: float
    power_w_kg: float
    surfaces: tuple[Surface, ...]
    cross_speed_m_s: float
    travel_spread: float
    post_cost: float | None = None


@dataclass(frozen=True)
class Defence:
    """All that is told of adversaries, barriers, detection and response.

    Attributes
    ----------
    cell_m : float
        Side of the cells on which paths are sought.
    """

    adversaries: tuple[Adversary, ...]
    barriers: tuple[Barrier, ...]
    detection: DetectionRules
    states: tuple[DefenceState, ...]
    response: ResponseRules
    posts: tuple[Post, ...]
    patrols: tuple[Patrol, ...]
    cell_m: float
