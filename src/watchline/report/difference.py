"""What changed between two plans: mounts, devices, cost, and the claims of their proofs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from watchline.errors import PlanError
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Proof

Change = Literal["added", "removed", "changed"]
SAME_M = 1e-3
SAME_DEG = 1e-3
SAME_MM = 1e-3
NEAR_M = 2.0
"""A mount this near to one of the other plan is the same mount, whatever its id."""
DRAGGED_M = 50.0
"""Farther than this a mount of the same id is taken for another one, unless one plan was edited
from the other."""


@dataclass(frozen=True)
class MountChange:
    """One mount that differs.

    Attributes
    ----------
    change : {"added", "removed", "changed"}
        What happened to it.
    before, after : str
        Its id in each plan, ``""`` where it is not there.
    s : float
        Chainage in m, after the change where it is still there.
    structure_before, structure_after : str
        Its structure in each plan.
    moved_m : float
        How far it moved.
    cost : float
        By how much it became dearer.
    """

    change: Change
    before: str
    after: str
    s: float
    structure_before: str
    structure_after: str
    moved_m: float
    cost: float


@dataclass(frozen=True)
class DeviceChange:
    """One device that differs.

    Attributes
    ----------
    change : {"added", "removed", "changed"}
        What happened to it.
    before, after : str
        Its id in each plan, ``""`` where it is not there.
    mount_before, mount_after : str
        Id of its mount in each plan.
    model_before, model_after : str
        Its model in each plan.
    moved_m, raised_m : float
        How far it moved, and by how much it hangs higher.
    turned_deg, tilted_deg : float
        By how much it was turned clockwise (-180 to 180) and tilted further down.
    focal_mm : float
        By how much its focal length grew.
    cost : float
        By how much it became dearer.
    """

    change: Change
    before: str
    after: str
    mount_before: str
    mount_after: str
    model_before: str
    model_after: str
    moved_m: float
    raised_m: float
    turned_deg: float
    tilted_deg: float
    focal_mm: float
    cost: float


@dataclass(frozen=True)
class ClaimChange:
    """One claim whose verdict or share differs; what one proof lacks is ``""`` and NaN.

    Attributes
    ----------
    requirement, kind, condition : str
        Which claim.
    verdict_before, verdict_after : str
        Its verdicts.
    value_before, value_after : float
        Its figures.
    unit : str
        Their unit; ``share`` is 0–1.
    """

    requirement: str
    kind: str
    condition: str
    verdict_before: str
    verdict_after: str
    value_before: float
    value_after: float
    unit: str = "share"


@dataclass(frozen=True)
class PlanDifference:
    """All that differs between two plans.

    Attributes
    ----------
    before, after : str
        Names of the plans.
    currency : str
        Currency of both.
    cost_before, cost_after : float
        What they cost.
    mounts, devices : tuple
        What was added, removed or changed, in the order of the plans.
    claims : tuple of ClaimChange
        Claims that changed; empty without proofs.
    proven : bool
        Whether both proofs were given.
    """

    before: str
    after: str
    currency: str
    cost_before: float
    cost_after: float
    mounts: tuple[MountChange, ...]
    devices: tuple[DeviceChange, ...]
    claims: tuple[ClaimChange, ...]
    proven: bool

    @property
    def cost(self) -> float:
        """By how much the plan became dearer."""
        return self.cost_after - self.cost_before

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        changes = (*self.mounts, *self.devices, *self.claims)
        return not changes and abs(self.cost) < 0.005


def compare_plans(
    before: Plan,
    after: Plan,
    proof_before: Proof | None = None,
    proof_after: Proof | None = None,
) -> PlanDifference:
    """Compare two plans of one site.

    Mounts of the two plans are the same if they stand within :data:`NEAR_M`, or else if they have
    the same id and one plan was edited from the other (or they stand within :data:`DRAGGED_M`).
    Devices are the same by id on the same mount, then by model and nearest aim on it, then by id.

    Parameters
    ----------
    before, after : Plan
        The plans.
    proof_before, proof_after : Proof, optional
        Their proofs; claims are compared where both are given.

    Returns
    -------
    PlanDifference

    Raises
    ------
    PlanError
        The plans are in different coordinate systems or currencies.
    """
    for what, one, other in (
        ("coordinate system", before.crs, after.crs),
        ("currency", before.currency, after.currency),
    ):
        if one != other:
            raise PlanError(
                f"its {what} is {other}, that of '{before.name}' is {one}",
                where=after.name,
                mend="read both plans with the same project",
            )
    kin = _edited_from(before, after) or _edited_from(after, before)
    mounts = _pair_mounts(_rows(before.mounts), _rows(after.mounts), kin)
    home = {a["mount_id"]: b["mount_id"] for b, a in mounts if a is not None and b is not None}
    devices = _pair_devices(_rows(before.devices), _rows(after.devices), home)
    proven = proof_before is not None and proof_after is not None
    return PlanDifference(
        before=before.name,
        after=after.name,
        currency=after.currency,
        cost_before=before.cost,
        cost_after=after.cost,
        mounts=tuple(c for pair in mounts if (c := _mount_change(*pair)) is not None),
        devices=tuple(c for pair in devices if (c := _device_change(*pair, home)) is not None),
        claims=_claim_changes(proof_before, proof_after)
        if proof_before is not None and proof_after is not None
        else (),
        proven=proven,
    )


Row = dict[str, Any]
Pair = tuple[Row | None, Row | None]


def _rows(frame: Any) -> list[Row]:
    rows = frame.drop(columns=frame.geometry.name).to_dict("records")
    for row, point in zip(rows, frame.geometry, strict=True):
        row |= {"x": point.x, "y": point.y}
    return rows


def _edited_from(one: Plan, other: Plan) -> bool:
    return other.provenance.inputs.get("edited_from") == plan_digest(one)


def _apart_m(one: Row, other: Row) -> float:
    return math.hypot(one["x"] - other["x"], one["y"] - other["y"])


def _turn_deg(before: float, after: float) -> float:
    """Angle from one bearing to another, -180 to 180, clockwise positive."""
    return (after - before + 180.0) % 360.0 - 180.0


def _pair(
    before: list[Row],
    after: list[Row],
    rounds: Iterable[Callable[[Row, Row], tuple[float, ...] | None]],
) -> list[Pair]:
    """Pair rows in rounds: each round takes the pairs of least distance first, None = no pair."""
    old, new = list(range(len(before))), list(range(len(after)))
    found: dict[int, int] = {}
    for distance in rounds:
        offers = sorted(
            (d, i, j) for i in old for j in new if (d := distance(before[i], after[j])) is not None
        )
        for _, i, j in offers:
            if i in old and j in new:
                found[i] = j
                old.remove(i)
                new.remove(j)
    pairs: list[Pair] = [
        (row, after[found[i]] if i in found else None) for i, row in enumerate(before)
    ]
    return pairs + [(None, after[j]) for j in new]


def _pair_mounts(before: list[Row], after: list[Row], kin: bool) -> list[Pair]:
    def here(one: Row, other: Row) -> tuple[float, ...] | None:
        apart = _apart_m(one, other)
        return (one["mount_id"] != other["mount_id"], apart) if apart <= NEAR_M else None

    def named(one: Row, other: Row) -> tuple[float, ...] | None:
        apart = _apart_m(one, other)
        same = one["mount_id"] == other["mount_id"] and (kin or apart <= DRAGGED_M)
        return (apart,) if same else None

    # In kin plans the id is stronger than the place: a mast dragged onto another one's place.
    return _pair(before, after, (named, here) if kin else (here, named))


def _pair_devices(before: list[Row], after: list[Row], home: dict[str, str]) -> list[Pair]:
    def at_home(one: Row, other: Row) -> bool:
        return home.get(other["mount_id"]) == one["mount_id"]

    def aim(one: Row, other: Row) -> tuple[float, ...]:
        turned = abs(_turn_deg(one["azimuth_deg"], other["azimuth_deg"]))
        tilted = abs(other["tilt_deg"] - one["tilt_deg"])
        return turned + tilted, abs(other["focal_mm"] - one["focal_mm"])

    def same(one: Row, other: Row) -> tuple[float, ...] | None:
        twin = at_home(one, other) and one["model"] == other["model"]
        return aim(one, other) if twin and max(aim(one, other)) <= SAME_DEG else None

    def named(one: Row, other: Row) -> tuple[float, ...] | None:
        mine = at_home(one, other) and one["device_id"] == other["device_id"]
        return (0.0,) if mine and one["model"] == other["model"] else None

    def nearest(one: Row, other: Row) -> tuple[float, ...] | None:
        return aim(one, other) if at_home(one, other) and one["model"] == other["model"] else None

    def swapped(one: Row, other: Row) -> tuple[float, ...] | None:
        own = one["device_id"] == other["device_id"]
        return (
            (0.0,) if own and (at_home(one, other) or _apart_m(one, other) <= DRAGGED_M) else None
        )

    return _pair(before, after, (same, named, nearest, swapped))


def _mount_change(old: Row | None, new: Row | None) -> MountChange | None:
    row = new or old
    assert row is not None
    moved = _apart_m(old, new) if old and new else 0.0
    cost = (new["cost"] if new else 0.0) - (old["cost"] if old else 0.0)
    if old and new:
        same = old["structure"] == new["structure"] and old["existing"] == new["existing"]
        if same and moved <= SAME_M and abs(cost) < 0.005:
            return None
    return MountChange(
        change="changed" if old and new else "added" if new else "removed",
        before=old["mount_id"] if old else "",
        after=new["mount_id"] if new else "",
        s=float(row["s"]),
        structure_before=old["structure"] if old else "",
        structure_after=new["structure"] if new else "",
        moved_m=moved,
        cost=float(cost),
    )


def _device_change(old: Row | None, new: Row | None, home: dict[str, str]) -> DeviceChange | None:
    def gain(column: str) -> float:
        return float(new[column] - old[column]) if old and new else 0.0

    cost = (new["cost"] if new else 0.0) - (old["cost"] if old else 0.0)
    turned = _turn_deg(old["azimuth_deg"], new["azimuth_deg"]) if old and new else 0.0
    moved = _apart_m(old, new) if old and new else 0.0
    if old and new:
        same_place = moved <= SAME_M and home.get(new["mount_id"]) == old["mount_id"]
        same_aim = max(abs(turned), abs(gain("tilt_deg"))) <= SAME_DEG
        same_lens = abs(gain("focal_mm")) <= SAME_MM and old["model"] == new["model"]
        same_rest = abs(gain("height_m")) <= SAME_M and abs(cost) < 0.005
        if same_place and same_aim and same_lens and same_rest:
            return None
    return DeviceChange(
        change="changed" if old and new else "added" if new else "removed",
        before=old["device_id"] if old else "",
        after=new["device_id"] if new else "",
        mount_before=old["mount_id"] if old else "",
        mount_after=new["mount_id"] if new else "",
        model_before=old["model"] if old else "",
        model_after=new["model"] if new else "",
        moved_m=moved,
        raised_m=gain("height_m"),
        turned_deg=turned,
        tilted_deg=gain("tilt_deg"),
        focal_mm=gain("focal_mm"),
        cost=float(cost),
    )


def _claim_changes(before: Proof, after: Proof) -> tuple[ClaimChange, ...]:
    def table(proof: Proof) -> dict[tuple[str, str, str], tuple[str, float]]:
        return {(c.requirement, c.kind, c.condition): (c.verdict, c.value) for c in proof.claims}

    units = {(c.requirement, c.kind, c.condition): c.unit for c in (*before.claims, *after.claims)}
    old, new = table(before), table(after)
    nothing = ("", math.nan)
    changes = []
    for key in dict.fromkeys((*old, *new)):
        (verdict, value), (verdict_now, value_now) = old.get(key, nothing), new.get(key, nothing)
        if verdict == verdict_now and abs(value_now - value) < 1e-9:
            continue
        figures = float(value), float(value_now)
        changes.append(ClaimChange(*key, verdict, verdict_now, *figures, units[key]))
    return tuple(changes)
