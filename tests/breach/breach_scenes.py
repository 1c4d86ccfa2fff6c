"""Defences on the proof's made-up plain."""

from __future__ import annotations

from dataclasses import replace

from prove_scenes import EAST, NORTH, flat, plan, site

from watchline.model.defence import (
    Adversary,
    Barrier,
    Defence,
    DefenceState,
    DetectionGrade,
    DetectionRules,
    Gait,
    Patrol,
    Post,
    ResponseRules,
)

WALK = Gait("walking", 1.0, 1.7, by_slope=False)
RULES = ResponseRules(
    required=0.5, call_out_s=20.0, call_out_sd_s=0.0, patrol_call_out_s=5.0,
    patrol_call_out_sd_s=0.0, speed_m_s=1e6, rolling=0.0, power_w_kg=1e9, surfaces=(),
    cross_speed_m_s=1e6, travel_spread=0.0,
)  # fmt: skip


def defence(**change) -> Defence:
    values = {
        "adversaries": (Adversary("walker", "inward", (WALK,)),),
        "barriers": (),
        "detection": DetectionRules({"": (DetectionGrade(5.0, 0.9, 60.0),)}, 1.0, 0.0, 1.0),
        "states": (),
        "response": RULES,
        "posts": (Post("post", EAST + 100.0, NORTH + 10.0),),
        "patrols": (),
        "cell_m": 2.0,
    }
    return Defence(**(values | change))


def rules(**change) -> ResponseRules:
    return replace(RULES, **change)


def scene(outer_m=40.0, length_m=200.0, **change):
    return site(outer_m=outer_m, length_m=length_m, defence=defence(**change))


def eyes(*places):
    """Observers who see all round, one a mount."""
    return plan(
        *({"at": at, "model": "eyes", "height_m": 10.0, "mount": f"M{k:03d}"}
          for k, at in enumerate(places)),
        mounts={f"M{k:03d}": "tower" for k in range(len(places))},
    )  # fmt: skip


__all__ = [
    "EAST",
    "NORTH",
    "WALK",
    "Adversary",
    "Barrier",
    "DefenceState",
    "DetectionGrade",
    "DetectionRules",
    "Gait",
    "Patrol",
    "Post",
    "defence",
    "eyes",
    "flat",
    "rules",
    "scene",
]  # fmt: skip
