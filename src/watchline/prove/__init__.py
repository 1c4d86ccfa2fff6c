"""The proof: does a plan hold? Recomputed from site, terrain and plan, never from the design."""

from watchline.prove.explain import DeviceView, explain_cell
from watchline.prove.proof import prove_plan

__all__ = ["DeviceView", "explain_cell", "prove_plan"]
