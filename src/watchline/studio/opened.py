"""A plan as it is judged: its standing proof, the claims on its lights, what its cells show."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from watchline.chain.guard import joined
from watchline.chain.lights import no_lighting
from watchline.model.lighting import Lighting
from watchline.model.plan import Plan, plan_digest
from watchline.model.proof import Claim, Proof
from watchline.model.site import Requirement, Site
from watchline.model.terrain import Terrain
from watchline.physics.lamp_light import lamp_table
from watchline.prove.claims import requirement_state
from watchline.prove.light_claims import prove_lights
from watchline.prove.standing import SceneShelf, StandingProof
from watchline.prove.views import Judge, make_judge
from watchline.studio.faults import NotThere
from watchline.studio.interruption import Interruptions, Standing
from watchline.studio.tiles import NOT_ENOUGH, ONE_VIEW, UNKNOWN_VIEW
from watchline.studio.versions import Version

MOST_VIEWS_SHOWN = 3
INTERRUPTION = "interruption"
"""Kind of the claims that are judged in the background."""
STANDING_M = 1.7


@dataclass(frozen=True)
class Place:
    """What all plans of a project share."""

    site: Site
    terrain: Terrain
    shelf: SceneShelf
    interruptions: Interruptions


@dataclass(frozen=True)
class Judged:
    """The claims on a plan at one moment.

    Attributes
    ----------
    claims : tuple of Claim
        All, as `watchline prove` lists them.
    waits : str
        What those on interruption wait for, in words; empty where they wait for nothing.
    """

    claims: tuple[Claim, ...]
    waits: str

    @property
    def holds(self) -> bool:
        """Whether every binding claim holds; what waits does not yet."""
        return all(claim.verdict == "holds" for claim in self.claims if claim.binding)

    @property
    def waiting(self) -> tuple[Claim, ...]:
        """Claims that wait to be judged."""
        return tuple(c for c in self.claims if self.waits and c.kind == INTERRUPTION)

    @property
    def settled(self) -> tuple[Claim, ...]:
        """Claims that are judged."""
        return tuple(c for c in self.claims if not (self.waits and c.kind == INTERRUPTION))


class OpenPlan:
    """One plan with its proof; whoever uses it holds the lock of the plans.

    Attributes
    ----------
    version : Version or None
        Its states, where it is edited; None for the computed plan.
    """

    def __init__(self, place: Place, plan: Plan, version: Version | None, revision: str) -> None:
        self.place = place
        self.version = version
        self.revision = revision
        self.proof = StandingProof(place.site, place.terrain, plan, shelf=place.shelf)
        self._lighting = plan.lighting
        self._light_claims = self._judge_lights(plan.lighting)
        self._digest: tuple[Plan, str] | None = None
        self._judges: dict[str, Judge] = {}
        self._classes: dict[str, npt.NDArray[np.uint8]] = {}

    def copy_for(self, version: Version) -> OpenPlan:
        """The same plan as the beginning of a version: nothing is judged again."""
        other = copy(self)
        other.version, other.revision = version, version.revision
        other.proof = self.proof.copy()
        other.proof.plan = version.plan
        other._judges = dict(self._judges)
        other._classes = dict(self._classes)
        return other

    @property
    def plan(self) -> Plan:
        """The plan that is judged."""
        return self.proof.plan

    def stands(self) -> Judged:
        """All claims at this moment."""
        found = self.interruption
        claims = (*self.proof.claims, *self._light_claims, *found.claims)
        return Judged(claims, found.waits)

    @property
    def digest(self) -> str:
        """What the plan places, as :func:`watchline.model.plan.plan_digest` says it."""
        if self._digest is None or self._digest[0] is not self.plan:
            self._digest = self.plan, plan_digest(self.plan)
        return self._digest[1]

    @property
    def interruption(self) -> Standing:
        """How the claims on interruption stand."""
        if self.place.site.defence is None:
            return Standing(())
        return self.place.interruptions.standing(self.digest)

    def ask_interruption(self, name: str, rest_s: float = 0.0) -> None:
        """Have the claims on interruption judged when editing rests, if they are not judged yet."""
        if self.place.site.defence is not None:
            self.place.interruptions.ask(name, self.plan, self.digest, rest_s)

    def judge(self, plan: Plan, revision: str) -> None:
        """Judge another state of the plan.

        Raises
        ------
        PlanError
            It does not belong to the site; all stays as it was.
        """
        self.revision = revision
        if _same_lights(plan.lighting, self._lighting):
            self.proof.update(plan)
        else:
            place = self.place
            proof = StandingProof(place.site, place.terrain, plan, shelf=place.shelf)
            self._light_claims = self._judge_lights(plan.lighting)
            self.proof, self._lighting = proof, plan.lighting
            self._judges.clear()
        self._classes.clear()

    def check(self, plan: Plan) -> None:
        """Raise where a plan cannot be judged; else it is judged."""
        self.judge(plan, self.revision)

    def _judge_lights(self, lighting: Lighting | None) -> tuple[Claim, ...]:
        site = self.place.site
        if site.lighting is None:
            return ()
        return prove_lights(site, self.place.terrain, lighting or no_lighting(site.crs)).claims

    def whole_proof(self) -> Proof:
        """The proof with the claims on lights and interruption, as the chain writes it."""
        found = self.interruption
        proof = replace(self.proof.proof(), claims=(*self.proof.claims, *self._light_claims))
        proof = replace(proof, plan_sha256=self.digest)
        if found.along is None:
            return replace(proof, claims=(*proof.claims, *found.claims))
        return joined(proof, found.claims, found.along)

    def numbers(self, condition: str) -> list[int]:
        """Requirements that are asked under a condition, by their numbers.

        Raises
        ------
        NotThere
            No requirement is.
        """
        site = self.place.site
        found = [k for k, r in enumerate(site.requirements) if r.condition == condition]
        if not found:
            known = list(dict.fromkeys(r.condition for r in site.requirements))
            raise NotThere(
                f"nothing is asked under '{condition}'",
                where=site.name,
                mend="take one of: " + ", ".join(known),
            )
        return found

    def requirement_at(self, condition: str, cell: int, name: str | None = None) -> int | None:
        """Requirement under a condition whose demands speak of a cell: the most views, then px/m.

        Binding ones speak before those that are only reported, and one that is asked for by its
        name before all others.
        """
        site, wanted = self.place.site, self.proof.asked.wanted
        asking = [k for k in self.numbers(condition) if wanted[k].mask[cell]]
        asking = [k for k in asking if site.requirements[k].name == name] or asking
        rank = site.requirements
        return max(
            asking,
            key=lambda k: (rank[k].binding, rank[k].views, rank[k].px_per_m, -k),
            default=None,
        )

    def classes(self, condition: str) -> npt.NDArray[np.uint8]:
        """Colour of every cell under a condition: its views, or that they are not enough.

        A cell of which several requirements are asked shows the fewest views among the binding
        ones, and is short where any of them is.
        """
        if condition not in self._classes:
            self._classes[condition] = self._coloured(condition)
        return self._classes[condition]

    def _coloured(self, condition: str) -> npt.NDArray[np.uint8]:
        site, asked = self.place.site, self.proof.asked
        numbers = self.numbers(condition)
        binding = [k for k in numbers if site.requirements[k].binding] or numbers
        size = len(asked.cells)
        least = np.full(size, np.iinfo(np.int64).max)
        short, unknown = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        for k in binding:
            judge = asked.wanted[k]
            at, sure, most = requirement_state(site.requirements[k], judge, asked.unknown)
            least[at] = np.minimum(least[at], judge.sure[at])
            short[at] |= ~most
            unknown[at] |= most & ~sure
        judged = least < np.iinfo(np.int64).max
        views = np.clip(least, 1, MOST_VIEWS_SHOWN)
        classes = np.where(judged, ONE_VIEW + views - 1, 0)
        classes[unknown] = UNKNOWN_VIEW
        classes[short] = NOT_ENOUGH
        return classes.astype(np.uint8)

    def seeing(self, condition: str) -> Judge:
        """What "a device sees" means on the map: the least density asked under a condition."""
        if condition not in self._judges:
            site, asked = self.place.site, self.proof.asked
            mine: list[Requirement] = [site.requirements[k] for k in self.numbers(condition)]
            mine = [r for r in mine if r.binding] or mine
            loosest = min(mine, key=lambda r: (r.px_per_m, -r.target_height_m))
            everywhere = np.any(
                [*asked.cells.places.values(), *asked.cells.no_watch.values()], axis=0
            )
            found = site.condition(condition)
            lit = None
            if found.by_lamps and asked.lamps is not None:
                lit = lamp_table(
                    asked.lamps, found, loosest.target_height_m, asked.cells.x, asked.cells.y
                )
            self._judges[condition] = make_judge(
                everywhere,
                loosest.target_height_m,
                loosest.px_per_m,
                0.0,
                condition=found,
                lamp_lx=lit,
            )
        return self._judges[condition]

    def seen(self, device_id: str, condition: str) -> npt.NDArray[np.int64]:
        """Cells that a device surely sees under a condition."""
        return self.proof.seen(device_id, self.seeing(condition))


def _same_lights(one: Lighting | None, other: Lighting | None) -> bool:
    """Whether two plans have the same lights; edits that leave them alone pass them on."""
    if one is other:
        return True
    if one is None or other is None:
        return not len((one or other).lights)  # type: ignore[union-attr]
    return one.lights.equals(other.lights) and one.poles.equals(other.poles)
