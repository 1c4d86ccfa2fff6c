"""Rounds of designing and proving: until the proof holds, or nothing more can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from watchline.chain.keys import digest, lighting_key
from watchline.chain.lights import hung
from watchline.chain.progress import Progress
from watchline.chain.visibility import round_visibility
from watchline.chain.warm import warm_up
from watchline.design.lamp_light import lamp_light
from watchline.design.plan import design_with_certificate
from watchline.design.repair import tighten
from watchline.design.start import NOT_TAKEN
from watchline.errors import InfeasibleError
from watchline.io.certificate import certificate_files, write_certificate
from watchline.io.plan import read_plan, write_plan
from watchline.io.proof import proof_files, read_proof, write_proof
from watchline.io.run import Run
from watchline.io.tables import read_table, write_table
from watchline.model.candidates import Candidates
from watchline.model.certificate import Certificate
from watchline.model.lighting import Lighting
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Proof
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.model.visibility import Visibility
from watchline.physics.lamp_light import LampLight
from watchline.prove.proof import prove_plan

MOST_STRETCHES = 5
"""Stretches that a sentence names."""

COMPILED_S = 8.0
"""A warm-up longer than this had something to compile."""

REPAIR_SHARE = 0.5
"""Share of the search effort that each repair round gets: it starts from the plan before."""


@dataclass(frozen=True)
class Eyes:
    """By what light a search's cameras see, and what it may spend.

    Attributes
    ----------
    lighting : Lighting or None
        Lights that are there already, in the plan; None where no lamp burns.
    lamps : callable or None
        Their light, by the design's kernel.
    effort : float
        Share of the project's search effort that the first round gets.
    mounts : GeoDataFrame or None
        Masts that carry some of the lights, and so stand; None where none does.
    name : str
        Put before the names of the rounds' files and steps.
    """

    lighting: Lighting | None = None
    lamps: LampLight | None = None
    effort: float = 1.0
    mounts: gpd.GeoDataFrame | None = None
    name: str = ""


DARK = Eyes()


def eyes_by(
    site: Site,
    terrain: Terrain,
    lighting: Lighting,
    effort: float,
    mounts: gpd.GeoDataFrame | None = None,
) -> Eyes:
    """Cameras that see by given lights, some of which may hang on given masts."""
    name = "first-" if mounts is None else "lit-"
    return Eyes(lighting, lamp_light(site, terrain, lighting), effort, mounts, name)


def lights_known(site: Site, lighting: Lighting | None) -> list[object]:
    """What a step depends on besides where lights are there: the offers, and what hangs where."""
    if site.lighting is None or lighting is None:
        return []
    rows = [*lighting.lights.itertuples(index=False, name=None)]
    plain = [[str(value) for value in row] for row in rows]
    return ["lights", lighting_key(site.lighting), plain]


def plan_that_holds(
    site: Site,
    terrain: Terrain,
    candidates: Candidates,
    visibility: Visibility,
    run: Run,
    listener: Progress,
    start: Plan | None,
    device: str = "cpu",
    eyes: Eyes = DARK,
) -> tuple[Plan, Proof, int]:
    """Design, prove, and design again with what the proof found failing, until it holds.

    Each round is a step of its own, so that a killed run goes on from its last finished round.
    Also says which round's bound is stated.
    """
    asked, rounds = site, site.design.repair_rounds
    plan, poses = start, None
    failed: list[str] = []
    bound, any_aims, bound_round, tightened = None, None, 0, False
    left_out: list[str] = []
    for round_ in range(rounds + 1):
        try:
            plan, poses = _round_plan(
                asked,
                candidates,
                visibility,
                run,
                listener,
                round_,
                start=plan,
                more=poses,
                eyes=eyes,
            )
        except InfeasibleError as error:
            if round_ == 0:
                raise
            # The plan before stands, with the claims that it fails and why no other was found.
            failed.append(f"No plan mends that: {error.sentence}")
            listener.say(failed[-1])
            break
        # More cells only say better what is asked; a raised share asks for more than was asked,
        # and its bound would be too high for the asked problem.
        if round_ == 0:
            left_out = [note for note in plan.notes if note.startswith(NOT_TAKEN)]
        if not tightened:
            bound, bound_round = plan.lower_bound, round_
            # Poses do not matter to this one, so the best round's holds for all that ask more.
            any_aims = max(any_aims or 0.0, plan.all_aims_bound or 0.0) or None
        proof = round_proof(site, terrain, plan, run, listener, round_, name=eyes.name)
        if proof.holds or round_ == rounds or plan.status in ("budget", "interrupted"):
            break
        repaired = tighten(asked, terrain, candidates, proof)
        if not repaired.changed:
            break
        failed.append(f"Round {round_ + 1}: the proof found {_failing(proof)}.")
        listener.say(f"{failed[-1]} Designing again with these cells.")
        tightened |= repaired.site != asked
        asked, candidates = repaired.site, repaired.candidates
        visibility = round_visibility(site, terrain, candidates, run, listener, device)
    if failed:
        note = (
            "The proof found earlier designs failing on cells finer than the design's, and they "
            "were designed again with those cells; the bound is that of the last round that asked "
            "for no more than the project does."
        )
        notes = (*plan.notes, *left_out, note, *failed)
        plan = replace(plan, lower_bound=bound, all_aims_bound=any_aims, notes=notes)
    return plan, proof, bound_round


def _failing(proof: Proof) -> str:
    """Which claims fail and where, in words."""
    parts = []
    for claim in proof.claims:
        if claim.binding and claim.verdict != "holds":
            places = [f"{a:.0f}–{b:.0f} m" for a, b in claim.failing_chainages]
            if len(places) > MOST_STRETCHES:
                places[MOST_STRETCHES:] = [f"{len(places) - MOST_STRETCHES} more"]
            parts.append(
                f"'{claim.requirement}' missing on {round((1 - claim.value) * claim.cells):,} of "
                f"{claim.cells:,} cells (s = {', '.join(places)})"
            )
    return "; ".join(parts)


def _round_plan(
    site: Site,
    candidates: Candidates,
    visibility: Visibility,
    run: Run,
    listener: Progress,
    round_: int,
    start: Plan | None,
    more: pd.DataFrame | None,
    eyes: Eyes = DARK,
) -> tuple[Plan, pd.DataFrame]:
    """The plan of a round and the poses that were generated up to it, for the next one."""
    effort = eyes.effort * (1.0 if round_ == 0 else REPAIR_SHARE)

    made: list[Certificate] = []

    def make() -> tuple[Plan, pd.DataFrame]:
        if round_ == 0:
            listener.step("kernels")
            seconds = warm_up()
            if seconds > COMPILED_S:
                listener.say(f"Compiled the kernels in {seconds:.0f} s; this is done once.")
        listener.step("plan", _which(eyes.name, round_))
        designed = design_with_certificate(
            site,
            candidates,
            visibility,
            effort=effort,
            start=start,
            lamps=eyes.lamps,
            more=more,
            progress=hear,
        )
        made.append(replace(designed.certificate, round_=round_))
        return designed.plan, designed.poses

    def hear(step: str, at: float, cost: float | None, bound: float | None) -> None:
        if step == "aims":
            listener.share(at)
        else:
            listener.search(at, effort * site.design.time_limit_s, cost, bound)

    file = f"rounds/{eyes.name}plan-{round_}.gpkg"
    certificate, table = round_certificate(round_, eyes.name), round_poses(round_, eyes.name)
    key = digest(
        run.keys["cameras"],
        round_,
        len(candidates.cells),
        site.requirements,
        site.no_watch,
        *lights_known(site, eyes.lighting),
        *([] if eyes.effort == 1.0 else ["effort", eyes.effort]),
        *([] if eyes.lighting is None or start is None else ["start", plan_digest(start)]),
    )

    def write(found: tuple[Plan, pd.DataFrame], folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write_plan(found[0], folder / file)
        write_table(found[1], folder / table)
        write_certificate(made[0], folder / certificate)

    proven = tuple(path.as_posix() for path in certificate_files(certificate))
    plan, poses = run.step(
        f"{eyes.name}plan-{round_}",
        (file, table, *proven),
        make,
        write,
        lambda folder: (read_plan(folder / file), read_table(folder / table)[0]),
        key=key,
        finished=lambda found: found[0].status != "interrupted",
    )
    return (plan if eyes.lighting is None else hung(eyes.lighting, eyes.mounts, plan)), poses


def round_poses(round_: int, name: str = "") -> str:
    """File of the poses that were generated up to a round."""
    return f"rounds/{name}poses-{round_}.parquet"


def round_certificate(round_: int, name: str = "") -> str:
    """File of the certificate of a round."""
    return f"rounds/{name}certificate-{round_}.json"


def _which(name: str, round_: int) -> str:
    """Which search this is, in words."""
    words = ["by the lights"] if name else []
    return ", ".join(words + ([f"round {round_ + 1}"] if round_ else []))


def round_proof(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    run: Run,
    listener: Progress,
    round_: int,
    *,
    name: str = "",
) -> Proof:
    """Proof of one plan, or what a run has of it; its own lights burn where the plan has them."""
    listener.step("proof", _which(name, round_))
    file = f"rounds/{name}proof-{round_}.json"
    files = tuple(f"rounds/{path.name}" for path in proof_files(file))
    return run.step(
        f"{name}proof-{round_}",
        files,
        lambda: prove_plan(site, terrain, plan, progress=listener.share),
        _into(lambda proof, path: write_proof(proof, path), file),
        lambda folder: read_proof(folder / file),
        key=digest(run.keys["proof"], plan_digest(plan), *lights_known(site, plan.lighting)),
    )


def _into(write: Callable[[object, Path], None], file: str) -> Callable[[object, Path], None]:
    """A writer that makes the folder of its file first."""

    def put(artefact: object, folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        write(artefact, folder / file)

    return put
