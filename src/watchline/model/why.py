"""Why: what makes a plan cost what it costs, and what asking for less would save."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from watchline.model.provenance import Provenance

ChangeKind = Literal[
    "share", "views", "quality", "survive_loss", "stretch", "drop", "condition", "reserve"
]


@dataclass(frozen=True)
class Change:
    """One change of what is asked, with what the least-cost search then found.

    Attributes
    ----------
    kind : str
        ``share``, ``views``, ``quality`` (one class lower), ``survive_loss`` (no reserve),
        ``stretch`` (not asked for on 100 m), ``drop`` (the whole requirement), ``condition``
        (all that is asked under one), or ``reserve``
        (everything must survive the loss of a mount: this asks for more).
    requirement : str
        Requirement, or of a ``condition`` the condition, that it speaks of; empty where all.
    what : str
        The change in words.
    cost : float or None
        Cost of the plan found; None if no plan can do it.
    lower_bound : float
        No plan of the offered poses costs less.
    saved : float
        Cost saved against the same search without the change; negative where it costs more.
    priced : float or None
        What the bound pays for the requirement or the condition (``drop`` and ``condition`` only):
        an estimate from its prices alone.
    note : str
        What limits the figure; may be empty.
    """

    kind: ChangeKind
    requirement: str
    what: str
    cost: float | None
    lower_bound: float
    saved: float
    priced: float | None = None
    note: str = ""

    @property
    def gap(self) -> float | None:
        """(cost − bound) / cost of the changed problem."""
        if self.cost is None:
            return None
        return (self.cost - self.lower_bound) / self.cost if self.cost > 0 else 0.0


@dataclass(frozen=True)
class CurvePoint:
    """One point of the curve of cost against cover.

    Attributes
    ----------
    lowered : float
        By how much every requirement's share was lowered, 0–1.
    asked : float
        Share of the cells, counted once for each requirement, that must then be covered.
    covered : float
        Share of them that the plan found covers.
    cost, lower_bound : float
        Its cost, and what no plan that covers what is asked costs less than.
    """

    lowered: float
    asked: float
    covered: float
    cost: float
    lower_bound: float


@dataclass(frozen=True)
class Why:
    """What a plan's cost is made of, by searching again with less asked.

    Attributes
    ----------
    plan_sha256 : str
        The plan that it speaks of.
    currency : str
        Currency of every cost.
    base_cost, base_bound : float
        What the same search finds where nothing is changed, starting from the plan: what changes
        save is counted from here.
    plan_cost : float
        Cost of the plan.
    work : float
        Limit of each search, in million elementary steps.
    requirements : tuple of Change
        Each binding requirement left out (``drop``).
    relaxations : tuple of Change
        Smaller changes, those that save most first.
    reserve : Change or None
        What it would cost that every requirement survives the loss of any one mount; None where
        all do.
    curve : tuple of CurvePoint
        Cost against cover, from the whole share down.
    dearest : tuple of (float, float, float)
        The dearest 100 m by the bound's prices: from, to in m, and the price.
    notes : tuple of str
        What a reader must know.
    conditions : tuple of Change
        Each condition left out, where another one is left: its price.
    """

    plan_sha256: str
    currency: str
    plan_cost: float
    base_cost: float
    base_bound: float
    work: float
    requirements: tuple[Change, ...]
    relaxations: tuple[Change, ...]
    reserve: Change | None
    curve: tuple[CurvePoint, ...]
    dearest: tuple[tuple[float, float, float], ...]
    notes: tuple[str, ...] = ()
    conditions: tuple[Change, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    def price_of(self, change: Change) -> tuple[float, float] | None:
        """Least and most that what a change leaves out can cost; None where no plan was found.

        The least cost with it lies between ``base_bound`` and ``base_cost``, that without it
        between the change's bound and its cost.
        """
        if change.cost is None:
            return None
        return max(0.0, self.base_bound - change.cost), self.base_cost - change.lower_bound
