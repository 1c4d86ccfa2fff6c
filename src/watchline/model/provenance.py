"""What every artefact carries about where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Provenance:
    """Where an artefact came from; equal provenance means equal content.

    Attributes
    ----------
    inputs : dict of str to str
        SHA-256 of each thing it was made from, by name.
    seed : int
        Seed of every random choice on the way.
    watchline_version : str
        Version of the program that made it.
    schema_version : int
        Version of the artefact's layout.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    watchline_version: str = ""
    schema_version: int = SCHEMA_VERSION

    def as_dict(self) -> dict[str, Any]:
        """Plain dict for JSON and file attributes."""
        return {
            "schema_version": self.schema_version,
            "watchline_version": self.watchline_version,
            "seed": self.seed,
            "inputs": dict(sorted(self.inputs.items())),
        }
