"""Lights of a plan: designed after its masts are known, proven, and put into plan and proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from watchline.chain.keys import digest, lighting_key, step_keys
from watchline.chain.progress import Progress, Silent
from watchline.design.light_repair import Missed, missed_light
from watchline.design.lights import design_lights
from watchline.errors import InfeasibleError, ProjectError
from watchline.io.files import atomic_write
from watchline.io.lights import (
    LIGHTS_FILE,
    POINTS_FILE,
    PROOF_FILE,
    read_light_proof,
    read_lighting_file,
    write_light_layers,
    write_light_proof,
    write_lighting,
)
from watchline.io.report import report_templates
from watchline.io.run import Run
from watchline.io.terrain import build_terrain
from watchline.model.lighting import LIGHT_COLUMNS, POLE_COLUMNS, Lighting
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Claim, Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.light_claims import LightProof, prove_lights
from watchline.report.lights import light_page

LIGHT_PAGE = "lights.html"
MOST_STRETCHES = 5
"""Stretches that a sentence names."""


@dataclass(frozen=True)
class LightOutcome:
    """Lights with their proof, their page and their layers."""

    site: Site
    lighting: Lighting
    proof: LightProof
    page: Path
    layers: Path


def light_step(
    site: Site,
    terrain: Terrain,
    mounts: gpd.GeoDataFrame | None,
    run: Run,
    listener: Progress,
    *,
    folder: str = "lights",
) -> tuple[Lighting, LightProof]:
    """Design and prove the lights of a site until they hold, or take over what a run has of them.

    What a proof finds failing becomes rows of the next design, as for cameras
    (:mod:`watchline.chain.rounds`); each round is a step of its own, in a folder of its own. Where
    lights still fail in the end, their notes say which claims, and why no further round was made.

    Raises
    ------
    InfeasibleError
        No choice of the offered lights gives what is asked.
    """
    rules = site.lighting
    assert rules is not None
    stand = []
    if mounts is not None and rules.poles.on_masts:
        places = zip(mounts.geometry.x, mounts.geometry.y, strict=True)
        stand = [
            [str(name), float(height), *place]
            for name, height, place in zip(
                mounts["mount_id"], mounts["height_m"], places, strict=True
            )
        ]
    key = digest(
        "lights",
        run.keys["terrain"],
        lighting_key(rules),
        site.exclusions,
        site.areas,
        stand,
        site.seed,
    )
    rounds = site.design.repair_rounds
    before: Lighting | None = None
    missed: Missed | None = None
    told: list[str] = []
    for round_ in range(rounds + 1):
        lighting, proof = _light_round(
            site, terrain, mounts, run, listener, f"{folder}/{round_}", key, before, missed
        )
        failing = [c for c in proof.claims if c.binding and c.verdict != "holds"]
        if not failing:
            break
        why = "" if round_ < rounds else f"{rounds:,} rounds were made"
        if before is not None and _same(before, lighting):
            why = "no other lights near there were found that mend it"
        missed = missed_light(site, proof.claims, proof.points, missed)
        if not missed.found:
            why = "no light can mend that"
        told.append(f"Round {round_ + 1}: the proof found {'; '.join(map(_fails, failing))}.")
        if why:
            told[-1] += f" It still does: {why}."
        listener.say(told[-1] + ("" if why else " The lights are designed again there."))
        if why:
            break
        key, before = digest(key, round_, [c.detail for c in failing]), lighting
    if told:
        note = (
            "The proof found earlier choices of lights failing at points between the design's, and "
            "they were designed again with those points; the bound is that of the first choice."
        )
        lighting = replace(lighting, notes=(*lighting.notes, note, *told))
    return lighting, proof


def _light_round(
    site: Site,
    terrain: Terrain,
    mounts: gpd.GeoDataFrame | None,
    run: Run,
    listener: Progress,
    folder: str,
    key: str,
    before: Lighting | None,
    missed: Missed | None,
) -> tuple[Lighting, LightProof]:
    """Lights of one round and their proof, as two steps of a run."""

    def part(run_folder: Path) -> Path:
        (run_folder / folder).mkdir(parents=True, exist_ok=True)
        return run_folder / folder

    listener.step("lights")
    name = folder.replace("/", "-")
    lighting = run.step(
        name,
        (f"{folder}/{LIGHTS_FILE}",),
        lambda: design_lights(
            site, terrain, mounts, before=before, missed=missed, progress=listener.share
        ),
        lambda made, at: write_lighting(made, part(at)),
        lambda at: read_lighting_file(part(at)),
        key=key,
    )
    listener.step("light proof")
    proof = run.step(
        f"{name}-proof",
        (f"{folder}/{PROOF_FILE}", f"{folder}/{POINTS_FILE}"),
        lambda: prove_lights(site, terrain, lighting, progress=listener.share),
        lambda made, at: write_light_proof(made, part(at)),
        lambda at: read_light_proof(part(at)),
        key=digest("light proof", key),
    )
    return lighting, proof


def _same(one: Lighting, other: Lighting) -> bool:
    """Whether the same lights hang at the same places."""
    columns = ["luminaire", "height_m", "s", "t", "azimuth_deg", "tilt_deg"]
    return one.lights[columns].equals(other.lights[columns])


def _fails(claim: Claim) -> str:
    """A failing claim and where it fails, in words."""
    places = [f"{a:.0f}–{b:.0f} m" for a, b in claim.failing_chainages]
    if len(places) > MOST_STRETCHES:
        places[MOST_STRETCHES:] = [f"{len(places) - MOST_STRETCHES} more"]
    unit = "" if claim.unit == "ratio" else f" {claim.unit}"
    return (
        f"'{claim.requirement}' at {claim.value:.4g}{unit}, asked {claim.target:.4g} "
        f"(s = {', '.join(places)})"
    )


def hung(lighting: Lighting, before: gpd.GeoDataFrame | None, plan: Plan) -> Plan:
    """A plan with lights that were hung on the masts of another plan of the same site.

    Masts that carry lights stand, whether a camera hangs on them or not: those that the plan lacks
    are added, at their cost.

    Parameters
    ----------
    lighting : Lighting
        The lights; their poles name masts of `before`.
    before : GeoDataFrame or None
        Masts of the other plan; None where all lights hang on poles of their own.
    plan : Plan
        The plan that gets them.

    Raises
    ------
    InfeasibleError
        The plan has another height where a mast carries lights.
    """
    if before is None:
        return replace(plan, lighting=lighting)
    old = before[before["mount_id"].isin(set(lighting.poles["mount_id"]))]
    known = dict(zip(_spots(plan.mounts), plan.mounts["mount_id"], strict=True))
    names, missing = {"": ""}, []
    for number, (spot, name) in enumerate(zip(_spots(old), old["mount_id"], strict=True)):
        if spot not in known:
            if any(spot[:2] == other[:2] for other in known):
                raise InfeasibleError(
                    "the cameras want another height where a mast carries lights",
                    where=f"mount {name}",
                    mend="nothing: the plan before it stands",
                )
            known[spot] = f"M{len(known) + 1:03d}"
            missing.append(number)
        names[str(name)] = known[spot]
    more = old.iloc[missing].assign(mount_id=[known[s] for s in _spots(old.iloc[missing])])
    mounts = pd.concat([plan.mounts, more], ignore_index=True) if missing else plan.mounts
    poles = lighting.poles.assign(mount_id=[names[str(m)] for m in lighting.poles["mount_id"]])
    return replace(
        plan,
        mounts=mounts,
        cost=plan.cost + float(more["cost"].sum()),
        lighting=replace(lighting, poles=poles),
    )


def _spots(mounts: gpd.GeoDataFrame) -> list[tuple[float, float, float]]:
    """Place and height of masts, to the centimetre."""
    columns = mounts.geometry.x, mounts.geometry.y, mounts["height_m"]
    return [
        (round(float(x), 2), round(float(y), 2), round(float(z), 2))
        for x, y, z in zip(*columns, strict=True)
    ]


def keep_lights(run: Run, lighting: Lighting, found: LightProof, known: str) -> None:
    """Write the lights of a plan into its run, where there was a choice between several.

    Parameters
    ----------
    run : Run
        The run.
    lighting, found
        The lights that were taken, and their proof.
    known : str
        Digest of the plan with them.
    """

    def write(_: None, folder: Path) -> None:
        write_lighting(lighting, folder)
        write_light_proof(found, folder)

    run.step(
        "lights",
        (LIGHTS_FILE, PROOF_FILE, POINTS_FILE),
        lambda: None,
        write,
        lambda _: None,
        key=digest("lights taken", run.keys["plan"], known),
    )


def with_lights(
    plan: Plan, proof: Proof, lighting: Lighting, found: LightProof
) -> tuple[Plan, Proof]:
    """A plan with its lights, and its proof with the claims on them."""
    plan = replace(plan, lighting=lighting)
    proof = replace(proof, claims=(*proof.claims, *found.claims), plan_sha256=plan_digest(plan))
    inputs = {**proof.provenance.inputs, "plan": proof.plan_sha256}
    return plan, replace(proof, provenance=replace(proof.provenance, inputs=inputs))


def no_lighting(crs: str) -> Lighting:
    """No light at all: what a plan without the layer ``lights`` has."""
    frames = (
        gpd.GeoDataFrame({name: [] for name in columns}, geometry=[], crs=crs)
        for columns in (POLE_COLUMNS, LIGHT_COLUMNS)
    )
    return Lighting(*frames, 0.0, None, "edited")


def write_light_page(site: Site, lighting: Lighting, found: LightProof, folder: Path) -> Path:
    """Write the page of the lights: maps, sections and tables."""
    page = light_page(site, lighting, found, report_templates())
    with atomic_write(folder / LIGHT_PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / LIGHT_PAGE


def plan_lights(site: Site, progress: Progress | None = None) -> LightOutcome:
    """Design and prove the lights of a project alone, on poles of their own.

    Parameters
    ----------
    site : Site
        What is asked.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    LightOutcome
        Its files lie in ``runs/<hash>/`` of the site, under ``lights/``.

    Raises
    ------
    ProjectError
        The project says nothing of lights, or offers no pole of their own.
    """
    if site.lighting is None:
        raise ProjectError(
            "the project says nothing of lights",
            where="project.toml",
            mend="add [[luminaires]], [lighting] and [[light_requirements]]",
        )
    if not site.lighting.poles.poles:
        raise ProjectError(
            "lights alone need poles of their own, and none are offered",
            where="project.toml: lighting",
            mend="add a [[lighting.poles]], or run `watchline plan`, which has masts",
        )
    listener = progress or Silent()
    keys = step_keys(site)
    run = Run(site.folder / "runs" / keys["plan"][:12] / "lights", keys, listener.say)
    listener.step("terrain")
    terrain = build_terrain(site)
    lighting, found = light_step(site, terrain, None, run, listener)
    write_lighting(lighting, run.folder)
    write_light_proof(found, run.folder)
    page = write_light_page(site, lighting, found, run.folder)
    layers = write_light_layers(lighting, run.folder / "lights.gpkg")
    return LightOutcome(site, lighting, found, page, layers)
