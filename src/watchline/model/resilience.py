"""Resilience: what may fail, what each loss leaves, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from watchline.model.provenance import Provenance

ElementKind = Literal["device", "mount", "feeder", "feeder supply", "trunk", "trunk supply"]
MOST_PAIRS = 10
Supply = Literal["start", "end", "both"]


@dataclass(frozen=True)
class Life:
    """Mean times of one kind of element, in hours; infinite where it is not told."""

    mtbf_h: float = float("inf")
    mttr_h: float = 0.0


@dataclass(frozen=True)
class Cable:
    """A feeder (power) or trunk (data) in the road's trench.

    Attributes
    ----------
    name : str
        Its name.
    kind : {"feeder", "trunk"}
        Power or data.
    start_m, end_m : float
        Chainage of its ends; mounts between them hang on it.
    supply : {"start", "end", "both"}
        Ends at which it is supplied.
    per_km : Life
        Mean times of a kilometre of it.
    supply_life : Life
        Mean times of each supply.
    """

    name: str
    kind: Literal["feeder", "trunk"]
    start_m: float
    end_m: float
    supply: Supply = "start"
    per_km: Life = Life()
    supply_life: Life = Life()


@dataclass(frozen=True)
class ResilienceRules:
    """All that is told of failures.

    Attributes
    ----------
    devices, mounts : Life
        Mean times of every device and mount.
    common_cause : float
        Share of a device's failures that strike all devices of its model.
    cables : tuple of Cable
        Feeders and trunks.
    stretch_m : float
        Length of the stretches whose sight is judged.
    """

    devices: Life = Life()
    mounts: Life = Life()
    common_cause: float = 0.0
    cables: tuple[Cable, ...] = ()
    stretch_m: float = 100.0


@dataclass(frozen=True)
class Element:
    """One thing that may be lost.

    Attributes
    ----------
    kind : ElementKind
        What it is.
    name : str
        Which.
    start_m, end_m : float
        Chainage where it lies.
    out : float
        Share of time that it is out, from its own causes; 0 where nothing is told.
    """

    kind: ElementKind
    name: str
    start_m: float
    end_m: float
    out: float

    @property
    def label(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Kept:
    """A requirement after a loss: share of its cells on which it still holds, and whether enough.

    Attributes
    ----------
    requirement : str
        Its name.
    share : float
        Share of its cells, 0–1.
    holds : bool
        Whether that is the share asked for.
    """

    requirement: str
    share: float
    holds: bool


@dataclass(frozen=True)
class ElementLoss:
    """What the loss of one or two elements leaves.

    Attributes
    ----------
    elements : tuple of Element
        What is lost.
    lost_m2 : float
        Ground on which a binding requirement no longer holds, added over requirements.
    kept : tuple of Kept
        Every binding requirement.
    devices : int
        Devices that are out with it.
    """

    elements: tuple[Element, ...]
    lost_m2: float
    kept: tuple[Kept, ...]
    devices: int


@dataclass(frozen=True)
class StretchSight:
    """How often a stretch is not seen as required, and by which failures.

    Attributes
    ----------
    start_m, end_m : float
        Chainage.
    unseen : float
        Probability that a cell of it that the whole plan sees as required is not seen so; exact.
    cells, never : int
        Cells that are asked for, and those of them that even the whole plan does not see.
    single : tuple of str
        Elements that do it alone.
    pairs : tuple of (str, str)
        Pairs that do it, where neither does it alone: the likeliest, at most :data:`MOST_PAIRS`.
    pair_count : int
        All of them.
    """

    requirement: str
    start_m: float
    end_m: float
    unseen: float
    cells: int
    never: int
    single: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    pair_count: int


@dataclass(frozen=True)
class MendDevice:
    """A device that a mend adds, with its mount and aim."""

    mount_id: str
    model: str
    azimuth_deg: float
    tilt_deg: float
    focal_mm: float


@dataclass(frozen=True)
class Mend:
    """A way to bear the loss of an element, with what it costs and what it leaves.

    Attributes
    ----------
    element : str
        What is lost.
    before_m2 : float
        Ground that its loss costs as planned.
    what : str
        In words.
    cost : float
        At the prices of the plan and its catalogue.
    lost_m2 : float
        Ground that the element's loss still costs, recomputed with the mend.
    how : str
        How the price was found, and what it assumes.
    devices : tuple of MendDevice
        Devices with their aims, where the mend adds some on other mounts.
    """

    element: str
    before_m2: float
    what: str
    cost: float
    lost_m2: float
    how: str
    devices: tuple[MendDevice, ...] = ()


@dataclass(frozen=True)
class PatrolSchedule:
    """A patrol's schedule with what it is worth.

    Attributes
    ----------
    name : str
        The patrol.
    start_m, end_m : float
        Its stretch, along the road.
    places : int
        Places of the stretch in the game, a tick of driving apart.
    tick_s : float
        Time of a tick.
    attack_s : float
        Time of the quickest crossing beside the stretch.
    attack_ticks : int
        The same in whole ticks, rounded down.
    beats : int
        Beats in the mix; ``largest_share`` is the largest share of time of any.
    value : float
        The most that a mix of beats catches at its worst place: the yardstick.
    bound : float
        No patrol whatever catches more there.
    mixed : float
        What the mix that was drawn from catches.
    caught, error : float
        What the drawn schedule catches at its worst place, and its standard error.
    worst_s_m : float
        Chainage of that place.
    watched : float
        What it catches of attackers who see the patrol pass and then wait for the best moment.
    guess, entropy_bits : float
        Probability of the commonest time of return to the worst place, and entropy of all.
    days : int
        Days that were drawn and judged.
    by_place : tuple of (float, float)
        Chainage and share caught of every place.
    turns : tuple of (float, float, float, float, float)
        The first day: time, distance along the road, chainage, easting and northing of every turn.
    """

    name: str
    start_m: float
    end_m: float
    places: int
    tick_s: float
    attack_s: float
    attack_ticks: int
    beats: int
    largest_share: float
    value: float
    bound: float
    mixed: float
    caught: float
    error: float
    worst_s_m: float
    watched: float
    guess: float
    entropy_bits: float
    days: int
    by_place: tuple[tuple[float, float], ...]
    turns: tuple[tuple[float, float, float, float, float], ...]


@dataclass(frozen=True)
class Resilience:
    """All that was found.

    Attributes
    ----------
    elements : int
        Elements that may be lost.
    whole : tuple of Kept
        Binding requirements with nothing lost.
    losses : tuple of ElementLoss
        One a single element, worst first.
    worst_pair : ElementLoss or None
        The two elements whose loss costs most ground; None with fewer than two elements.
    pairs : int
        Pairs that were judged, which is all of them.
    mends : tuple of Mend
        For the worst element of each kind, worst first; of each the cheapest first.
    stretches : tuple of StretchSight
        In order of requirement and chainage.
    causes : tuple of (str, float)
        For the stretch that is unseen most often: events, and by which share its probability
        falls if they never happened.
    notes : tuple of str
        What a reader must know.
    patrols : tuple of PatrolSchedule
        Schedules of the site's patrols.
    """

    elements: int
    whole: tuple[Kept, ...]
    losses: tuple[ElementLoss, ...]
    worst_pair: ElementLoss | None
    pairs: int
    mends: tuple[Mend, ...]
    stretches: tuple[StretchSight, ...]
    causes: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    currency: str
    cell_m: float
    patrols: tuple[PatrolSchedule, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def worst(self) -> ElementLoss | None:
        """The single loss that costs most ground."""
        return self.losses[0] if self.losses else None

    @property
    def weakest(self) -> StretchSight | None:
        """The stretch that is unseen most often."""
        return max(self.stretches, key=lambda s: s.unseen) if self.stretches else None
