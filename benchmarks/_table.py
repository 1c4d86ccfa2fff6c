"""The table of figures that every benchmark prints."""

from __future__ import annotations

import argparse
import json


def argument_parser(doc: str, quick: str) -> argparse.ArgumentParser:
    """Options that all benchmarks have; `quick` says what its option leaves out."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    return parser


class Table:
    """Figures with their targets, printed as they come or as JSON at the end."""

    def __init__(self, as_json: bool) -> None:
        self.figures: list[dict] = []
        self.as_json = as_json

    def add(self, name: str, value, unit: str, target: str = "", holds: bool | None = None) -> None:
        """Add a figure."""
        self.figures.append(
            {"name": name, "value": value, "unit": unit, "target": target, "holds": holds}
        )
        if not self.as_json:
            shown = value if isinstance(value, str) else f"{value:,.4g}"
            mark = {True: "holds", False: "MISSES", None: ""}[holds]
            print(f"{name:58} {shown:>12} {unit:12} {target:>12} {mark}", flush=True)

    def at_least(self, name: str, value: float, unit: str, bound: float) -> None:
        """Add a figure that holds at or above its target."""
        self.add(name, value, unit, f"≥ {bound:g}", bool(value >= bound))

    def at_most(self, name: str, value: float, unit: str, bound: float) -> None:
        """Add a figure that holds at or below its target."""
        self.add(name, value, unit, f"≤ {bound:g}", bool(value <= bound))

    def end(self) -> None:
        """Print the figures as JSON, where that was asked for."""
        if self.as_json:
            print("\n".join(json.dumps(figure, ensure_ascii=False) for figure in self.figures))
