"""Cameras and lights of one plan: one after the other, or cameras that see by the lights.

Where a requirement is asked under a condition with lamps, there are several ways to meet it.
Cameras may see without lamps, by infrared or warmth, and lights be added on poles and on their
masts. With these lights the cameras are then chosen again, and see by them; masts that carry lights
stay. Where many of those stay for the lights alone, or where no camera sees without lamps, lights
are also planned first, on poles of their own. All are proven, and the cheapest that holds is taken.
Later searches go on from the first plan, which more light cannot make worse, with a share of the
effort.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchline.chain.lights import keep_lights, light_step, no_lighting, with_lights
from watchline.chain.progress import Progress
from watchline.chain.rounds import (
    DARK,
    Eyes,
    eyes_by,
    plan_that_holds,
    round_certificate,
    round_proof,
)
from watchline.design.rows import with_lamps
from watchline.errors import InfeasibleError
from watchline.io.run import Run
from watchline.model.candidates import Candidates
from watchline.model.lighting import Lighting
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility
from watchline.model.ways import AFTER, FIRST, TOGETHER, Way
from watchline.prove.light_claims import LightProof, prove_lights

AGAIN_SHARE = 0.1
"""Share of the search effort for cameras by the lights, which start from those without."""
IDLE_SHARE = 0.05
"""Share of the cost of cameras above which masts that stand for lights alone make it worth the work
to plan lights first, on poles of their own."""


@dataclass(frozen=True)
class Task:
    """What is planned, and who listens."""

    site: Site
    terrain: Terrain
    candidates: Candidates
    visibility: Visibility
    run: Run
    listener: Progress
    device: str


@dataclass(frozen=True)
class Found:
    """A plan with its proof.

    Attributes
    ----------
    plan, proof
        Cameras and lights, and the claims on both.
    certificate : str
        File of the certificate of its cameras' bound, in the run.
    light_proof : LightProof or None
        Claims on the lights.
    candidates : Candidates
        What the cameras were chosen from, with the light that they see by.
    ways : tuple of Way
        The ways that were planned; empty where there was no choice.
    unlit : str
        Why no lights give what is asked; the plan then has cameras only. Empty where it has lights
        or needs none.
    """

    plan: Plan
    proof: Proof
    certificate: str
    light_proof: LightProof | None
    candidates: Candidates
    ways: tuple[Way, ...] = ()
    unlit: str = ""


def plan_by_light(task: Task, start: Plan | None) -> Found:
    """The least-cost plan of cameras and lights that holds.

    Raises
    ------
    InfeasibleError
        No plan can satisfy the requirements, in either way.
    """
    found = _cheapest(task, start)
    lighting, light_proof = found.plan.lighting, found.light_proof
    if lighting is not None and light_proof is not None:
        keep_lights(task.run, lighting, light_proof, plan_digest(found.plan))
    return found


def _cheapest(task: Task, start: Plan | None) -> Found:
    site = task.site
    choice = site.lighting is not None and bool(site.lighting.poles.poles) and site.counts_on_lamps
    if choice and site.design.budget is not None:
        # What a budget buys is not compared by cost: cameras see by the lights, which come first.
        try:
            return _first(task, start, None)
        except InfeasibleError as error:
            task.listener.say(f"{error.sentence} Cameras are planned without lights.")
            return _after(task, start)
    try:
        after = _after(task, start)
    except InfeasibleError as error:
        if not choice:
            raise
        task.listener.say(f"{error.sentence} Cameras are planned by the lights instead.")
        return _told(_first(task, start, None), ())
    lighting = after.plan.lighting
    if not choice or lighting is None or not len(lighting.lights):
        return after
    found, first = {AFTER: after}, True
    try:
        found[TOGETHER] = together = _together(task, after)
        first = _idle_cost(together.plan) > IDLE_SHARE * together.plan.cost
    except InfeasibleError as error:
        task.listener.say(f"Cameras by the lights of the plan before: {error.sentence}")
    if first:
        try:
            found[FIRST] = _first(task, after.plan, after)
        except InfeasibleError as error:
            task.listener.say(f"Lights on poles of their own: {error.sentence}")
    if any(other.plan.status == "interrupted" for other in found.values()):
        return after
    ways = [_way(name, one) for name, one in found.items()]
    best = min(ways, key=lambda way: (not way.holds, way.cost))
    return _told(found[best.name], tuple(replace(way, taken=way is best) for way in ways))


def _after(task: Task, start: Plan | None) -> Found:
    """Cameras that see without lamps, then lights, on their masts too."""
    plan, proof, bound_round = _search(task, start, DARK)
    certificate = round_certificate(bound_round)
    light_proof = None
    if task.site.lighting is not None and plan.status != "interrupted":
        try:
            lighting, light_proof = light_step(
                task.site, task.terrain, plan.mounts, task.run, task.listener, folder="lights-after"
            )
        except InfeasibleError as error:
            return _unlit(task, plan, proof, certificate, error)
        if len(lighting.lights) and any(
            task.site.condition(r.condition).by_lamps for r in task.site.requirements
        ):
            # Lamps only add to what was proven without them, but `prove` has them burn.
            plan = replace(plan, lighting=lighting)
            proof = round_proof(
                task.site, task.terrain, plan, task.run, task.listener, 0, name="with-lights-"
            )
        plan, proof = with_lights(plan, proof, lighting, light_proof)
    return Found(plan, proof, certificate, light_proof, task.candidates)


def _unlit(task: Task, plan: Plan, proof: Proof, certificate: str, error: InfeasibleError) -> Found:
    """Cameras alone: what is asked of lights is proven to fail, and the plan says why."""
    task.listener.say(f"{error.sentence} The plan of cameras is kept without lights.")
    none = no_lighting(task.site.crs)
    light_proof = prove_lights(task.site, task.terrain, none)
    plan = replace(plan, notes=(*plan.notes, f"No lights: {error.sentence}"))
    plan, proof = with_lights(plan, proof, none, light_proof)
    return Found(plan, proof, certificate, light_proof, task.candidates, unlit=error.sentence)


def _together(task: Task, after: Found) -> Found:
    """The lights of a plan, and its cameras chosen again to see by them."""
    lighting, light_proof = after.plan.lighting, after.light_proof
    assert lighting is not None and light_proof is not None
    eyes = eyes_by(task.site, task.terrain, lighting, AGAIN_SHARE, after.plan.mounts)
    return _by_lights(task, after.plan, eyes, light_proof)


def _first(task: Task, start: Plan | None, after: Found | None) -> Found:
    """Lights on poles of their own, then cameras that see by them."""
    site, terrain = task.site, task.terrain
    lighting, light_proof = light_step(
        site, terrain, None, task.run, task.listener, folder="lights-first"
    )
    eyes = eyes_by(site, terrain, lighting, 1.0 if after is None else AGAIN_SHARE)
    return _by_lights(task, start, eyes, light_proof)


def _by_lights(task: Task, start: Plan | None, eyes: Eyes, light_proof: LightProof) -> Found:
    """Cameras that see by given lights."""
    plan, proof, bound_round = _search(task, start, eyes)
    lit = with_lamps(task.site, task.candidates, eyes.lamps)
    assert plan.lighting is not None
    plan, proof = with_lights(plan, proof, plan.lighting, light_proof)
    plan = replace(plan, notes=(*plan.notes, _seen_by(task.site, plan.lighting)))
    return Found(plan, proof, round_certificate(bound_round, eyes.name), light_proof, lit)


def _search(task: Task, start: Plan | None, eyes: Eyes) -> tuple[Plan, Proof, int]:
    return plan_that_holds(
        task.site,
        task.terrain,
        task.candidates,
        task.visibility,
        task.run,
        task.listener,
        start,
        task.device,
        eyes,
    )


def _seen_by(site: Site, lighting: Lighting) -> str:
    names = [
        f"'{name}'"
        for name in dict.fromkeys(
            r.condition for r in site.requirements if site.condition(r.condition).by_lamps
        )
    ]
    return (
        f"Under {', '.join(names)} cameras count on the {len(lighting.lights):,} lights of the "
        "plan, which were chosen before them; the bound of the cameras is that of cameras that see "
        "by just this light."
    )


def _idle_cost(plan: Plan) -> float:
    """Cost of the masts on which no camera hangs."""
    used = plan.mounts["mount_id"].isin(plan.devices["mount_id"])
    return float(plan.mounts["cost"][~used].sum())


def _way(name: str, found: Found) -> Way:
    lighting = found.plan.lighting
    return Way(
        name,
        found.plan.cost,
        0.0 if lighting is None else lighting.cost,
        found.plan.lower_bound,
        0.0 if lighting is None else lighting.lower_bound,
        found.proof.holds,
    )


def _told(found: Found, ways: tuple[Way, ...]) -> Found:
    """A plan whose notes tell both ways."""
    note = "No cameras see without lamps what is asked, so lights were chosen before them."
    if ways:
        note = ways_sentence(ways, found.plan.currency)
    return replace(found, plan=replace(found.plan, notes=(*found.plan.notes, note)), ways=ways)


def ways_sentence(ways: tuple[Way, ...], currency: str) -> str:
    """What each way costs, in a few sentences."""
    parts = []
    for way in ways:
        bound = "" if way.lower_bound is None else f", bound {way.lower_bound:,.0f}"
        fails = "" if way.holds else ", not all of it holds"
        parts.append(
            f"{way.name} {way.cost:,.0f} {currency} (cameras {way.cameras:,.0f}, lights "
            f"{way.lights:,.0f}{bound}{fails})"
        )
    taken = next(way.name for way in ways if way.taken)
    return (
        f"Cameras and lights: {'; '.join(parts)}. Taken: {taken}. Each sum of bounds is one of "
        "that way alone, with just these places of lights and this light to see by."
    )
