"""Ways to plan cameras and lights: what each costs, and which was taken."""

from __future__ import annotations

from dataclasses import dataclass

AFTER = "one after the other"
TOGETHER = "together"
FIRST = "lights first"


@dataclass(frozen=True)
class Way:
    """One way to plan cameras and lights for the same requirements.

    Attributes
    ----------
    name : str
        :data:`AFTER`: cameras that see without lamps, then lights on poles and on their masts.
        :data:`TOGETHER`: the same lights, and cameras that are chosen again and see by them.
        :data:`FIRST`: lights on poles of their own, then cameras that see by them.
    cameras, lights : float
        Cost of mounts and devices, and of lights with their poles and energy.
    cameras_bound, lights_bound : float or None
        Proven least cost of each: of cameras that see by just this light, and of lights on just
        these places. None where there is no bound.
    holds : bool
        Whether all binding claims hold in the proof.
    taken : bool
        Whether it is the plan.
    """

    name: str
    cameras: float
    lights: float
    cameras_bound: float | None
    lights_bound: float | None
    holds: bool
    taken: bool = False

    @property
    def cost(self) -> float:
        """Cost of both."""
        return self.cameras + self.lights

    @property
    def lower_bound(self) -> float | None:
        """Sum of both bounds: a bound of this way only, with just these lights' places and light.

        Other lights might let other cameras see, so it bounds no other choice of both.
        """
        if self.cameras_bound is None or self.lights_bound is None:
            return None
        return self.cameras_bound + self.lights_bound
