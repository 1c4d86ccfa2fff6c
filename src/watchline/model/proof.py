"""Proof: does the plan hold? A list of claims, each with verdict, bounds, witness and method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from watchline.errors import ClaimFailed
from watchline.model.provenance import Provenance

Verdict = Literal["holds", "fails", "unknown"]

ClaimKind = Literal[
    "coverage",
    "loss",
    "no_watch",
    "exclusion",
    "capacity",
    "light",
    "light_loss",
    "light_limit",
    "interruption",
]

_JUDGED_ON = {
    "interruption": ("entry", "entries"),
    "capacity": ("mount", "mounts"),
    # Where mounts and devices stand; points, or stretches of them; poles and lights.
    **dict.fromkeys(("exclusion", "light", "light_loss", "light_limit"), ("place", "places")),
}

CELL_GOOD, CELL_FAILS, CELL_UNKNOWN, CELL_NOT_JUDGED = 1, 0, -1, -2
"""States of a cell under a claim, in the ``state:<claim>`` columns of a proof's cells."""


def loss_claim_name(requirement: str) -> str:
    """Name of the claim that a requirement holds when any one mount is lost."""
    return f"{requirement}, any one mount lost"


@dataclass(frozen=True)
class Witness:
    """The cell that shows a verdict.

    Attributes
    ----------
    x, y, s, t : float
        Where it is: CRS coordinates, chainage and offset in m.
    value : float
        What was found there (views, or px/m).
    why : str
        In words: terrain hides it, out of range, outside every field of view, unknown ground …
    """

    x: float
    y: float
    s: float
    t: float
    value: float
    why: str


@dataclass(frozen=True)
class Claim:
    """One requirement, judged.

    Attributes
    ----------
    requirement : str
        Name of the requirement or limit.
    kind : {"coverage", "loss", "no_watch", "exclusion", "capacity", "light", …}
        What is judged; ``loss``: a requirement when any one mount is lost, with the figures of the
        worst loss. ``light``, ``light_loss``: the least figure found must reach the target;
        ``light_limit``: the largest must not exceed it. ``interruption``: the least probability
        of interruption over all entries must reach it.
    where : str
        Place that it speaks of.
    condition : str
        Condition under which it was judged.
    verdict : {"holds", "fails", "unknown"}
        Unknown cells never count as covered.
    value, lower, upper : float
        Share of cells that satisfy it: surely (``value`` = ``lower``), and at most (``upper``,
        had every unknown cell been good).
    target : float
        Share asked for.
    binding : bool
        False: reported beside the binding claims, the plan was not designed for it.
    witness : Witness or None
        The worst failing or unknown cell; the tightest one where it holds.
    cells : int
        Number of cells judged, or of what `judged_on` says.
    failing_chainages : tuple of (float, float)
        Stretches of the line, from–to in m, that hold cells which fail or are unknown.
    method : str
        How it was computed.
    detail : str
        The claim as a sentence.
    unit : str
        ``share``: figures are shares of cells, as said above. Claims on light have figures of
        their own: ``lx``, ``cd``, ``cd/m²`` or ``ratio``; those on interruption ``P_I``.
    """

    requirement: str
    kind: ClaimKind
    where: str
    condition: str
    verdict: Verdict
    value: float
    lower: float
    upper: float
    target: float
    binding: bool
    witness: Witness | None
    cells: int
    failing_chainages: tuple[tuple[float, float], ...]
    method: str
    detail: str
    unit: str = "share"

    @property
    def judged_on(self) -> tuple[str, str]:
        """What `cells` counts, as a noun for one and for many."""
        return _JUDGED_ON.get(self.kind, ("cell", "cells"))


@dataclass(frozen=True)
class Proof:
    """All claims of one plan, and the tables that they were read from.

    Attributes
    ----------
    claims : tuple of Claim
        One per requirement and limit.
    cells : DataFrame
        One row per proof cell: ``x, y, s, t, size_m, ground_z``; ``in:<where>`` flags; then per
        target height ``views@<height>`` (mounts that see it at the lowest asked px/m),
        ``px_per_m@<height>`` (best density) and ``unknown@<height>``; and per claim on cells
        ``state:<claim>``: 1 good, 0 fails, −1 unknown, −2 not judged there. A cell is good under
        a claim on losses if it keeps its views whichever mount is lost.
    chainage : DataFrame
        One row per 100 m and claim: ``requirement, s_from, s_to, cells, share, unknown_share``.
    plan_sha256 : str
        Hash of the plan's content: a proof never outlives an edited plan.
    """

    claims: tuple[Claim, ...]
    cells: pd.DataFrame
    chainage: pd.DataFrame
    cell_m: float
    plan_sha256: str
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def holds(self) -> bool:
        """Whether every binding claim holds."""
        return all(claim.verdict == "holds" for claim in self.claims if claim.binding)

    def raise_if_failed(self) -> None:
        """Raise :class:`watchline.errors.ClaimFailed` unless every binding claim holds."""
        bad = [claim for claim in self.claims if claim.binding and claim.verdict != "holds"]
        if bad:
            first = bad[0]
            place = ", ".join(f"s = {a:.0f}–{b:.0f} m" for a, b in first.failing_chainages[:3])
            raise ClaimFailed(
                f"claim '{first.requirement}' {first.verdict}: {first.detail}"
                + (f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""),
                where=place,
                mend="add or re-aim devices there, or relax the requirement",
            )
