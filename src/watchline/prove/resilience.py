"""Resilience of a plan: every single loss, every pair, and how often stretches are not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchline.model.plan import Plan, plan_digest
from watchline.model.provenance import Provenance
from watchline.model.resilience import Resilience, ResilienceRules
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.mends import mends_of, worst_pair
from watchline.prove.network import Network, network_of
from watchline.prove.outages import kept, loss_of, outages
from watchline.prove.proof import CELLS_PER_DESIGN_CELL
from watchline.prove.sightings import sightings_of
from watchline.prove.unseen import stretches_unseen

SIGHT_SHARE = 0.4
"""Share of the work that is sight, as told to who listens."""


def resilience_of(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    *,
    cell_m: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> Resilience:
    """Judge what a plan leaves when things fail, from site, terrain and plan alone.

    Sight is that of the proof: rays on the triangulated surface, device by device. Losses and
    pairs of losses are counted exactly, all of them; the probability that a stretch is not seen as
    required is that of its fault tree, exactly.

    Parameters
    ----------
    site, terrain, plan
        What is asked, the ground, what is placed.
    cell_m : float, optional
        Side of the cells; by default that of the proof.
    progress : callable, optional
        Is told the share done, 0–1.

    Raises
    ------
    PlanError
        The plan does not belong to the site.
    """
    size = site.zone.cell_m / CELLS_PER_DESIGN_CELL if cell_m is None else cell_m

    def share(of: float, start: float) -> Callable[[float], None]:
        return lambda done: None if progress is None else progress(start + of * done)

    network = network_of(plan, site.resilience)
    sight = sightings_of(site, terrain, plan, network, size, share(SIGHT_SHARE, 0.0))
    found = outages(sight, network)
    losses = [loss_of(sight, network, (k,)) for k in range(len(network.elements))]
    losses.sort(key=lambda loss: (-loss.lost_m2, loss.elements[0].kind, loss.elements[0].name))
    pair = worst_pair(found)
    stretches, causes = stretches_unseen(
        sight, network, site.resilience.stretch_m, share(1.0 - SIGHT_SHARE, SIGHT_SHARE)
    )
    count = len(network.elements)
    return Resilience(
        elements=count,
        whole=kept(sight, np.zeros(len(sight.requirements))),
        losses=tuple(losses),
        worst_pair=None if pair is None else loss_of(sight, network, pair),
        pairs=count * (count - 1) // 2,
        mends=mends_of(site, terrain, plan, network, sight, found),
        stretches=stretches,
        causes=causes,
        notes=_notes(site, site.resilience, network),
        currency=plan.currency,
        cell_m=size,
        provenance=Provenance(
            {**site.provenance.inputs, **terrain.provenance.inputs, "plan": plan_digest(plan)},
            site.seed,
            site.provenance.watchline_version,
        ),
    )


def _notes(site: Site, rules: ResilienceRules, network: Network) -> tuple[str, ...]:
    """What the figures assume, and what is not told."""
    notes = [
        "Elements fail and are repaired each for itself; what strikes together is an event of its "
        "own, never a product. Repairs do not wait for each other.",
        "Binding requirements are judged, each under its own condition. Fog and other states are "
        "not failures: see `watchline paths`, which also says what the loss of a post leaves.",
        "What a loss costs is ground on which a requirement no longer holds, added over "
        "requirements: ground that two requirements lose counts twice.",
    ]
    lacking = []
    if np.isinf(rules.devices.mtbf_h):
        lacking.append("devices")
    if np.isinf(rules.mounts.mtbf_h):
        lacking.append("mounts")
    lacking += [c.name for c in rules.cables if np.isinf(c.per_km.mtbf_h)]
    lacking += [f"supply of {c.name}" for c in rules.cables if np.isinf(c.supply_life.mtbf_h)]
    if lacking:
        notes.append(
            "No mean times are told of " + ", ".join(lacking) + ": in the probabilities these "
            "never fail. Their losses are judged all the same."
        )
    for kind, key in (("feeder", "feeders"), ("trunk", "trunks")):
        if not any(cable.kind == kind for cable in rules.cables):
            notes.append(f"The project tells of no {key}: their losses are not judged.")
    if network.unserved:
        notes.append(
            "No cable reaches " + ", ".join(network.unserved) + ": taken as always served."
        )
    return tuple(notes)
