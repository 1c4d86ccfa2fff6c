"""The table of figures that every benchmark prints."""

from __future__ import annotations


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
