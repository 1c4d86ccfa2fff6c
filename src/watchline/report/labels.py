"""Labels that do not cover each other: greedy placement round a mark, and spreading on an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchline.report.svg import text_width

SIZE = 7.0
GAP = 2.0


@dataclass(frozen=True)
class Spot:
    """Where a label's baseline begins, and its anchor (``start``, ``middle`` or ``end``)."""

    x: float
    y: float
    anchor: str


@dataclass
class Placer:
    """Gives each label the first free place round its mark.

    Attributes
    ----------
    width, height : float
        Size of the picture; a label outside it is never placed.
    """

    width: float
    height: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def block(self, left: float, top: float, right: float, bottom: float) -> None:
        """Keep labels off a box."""
        self.taken.append((left, top, right, bottom))

    def place(self, x: float, y: float, words: str) -> Spot | None:
        """Place a label beside (x, y), or return None where every place is taken."""
        width = text_width(words, SIZE)
        for spot, left in (
            (Spot(x, y - 6.5, "middle"), x - width / 2),
            (Spot(x, y + 6 + SIZE, "middle"), x - width / 2),
            (Spot(x + 6.5, y + SIZE * 0.35, "start"), x + 6.5),
            (Spot(x - 6.5, y + SIZE * 0.35, "end"), x - 6.5 - width),
            (Spot(x + 5, y - 5, "start"), x + 5),
            (Spot(x - 5, y - 5, "end"), x - 5 - width),
            (Spot(x + 5, y + 5 + SIZE, "start"), x + 5),
            (Spot(x - 5, y + 5 + SIZE, "end"), x - 5 - width),
        ):
            box = (left, spot.y - SIZE * 0.8, left + width, spot.y + SIZE * 0.2)
            if self._free(box):
                self.taken.append(box)
                return spot
        return None

    def _free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width or bottom > self.height:
            return False
        return not any(
            left < r and l < right and top < b and t < bottom for l, t, r, b in self.taken
        )


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move sorted places as little as needed so that neighbours keep a gap within [low, high].

    Parameters
    ----------
    places : sequence of float
        Wanted places, ascending.
    gap : float
        Least distance between neighbours; made smaller where the space is too short for it.
    low, high : float
        Space that may be used.

    Returns
    -------
    list of float
        Places in the same order.
    """
    if not places:
        return []
    gap = min(gap, (high - low) / max(len(places) - 1, 1))
    # Blocks of labels that touch are centred on the mean of their wanted places (isotonic
    # regression after subtracting the gaps; pool adjacent violators).
    blocks: list[tuple[float, int]] = []
    for index, wanted in enumerate(places):
        total, count = wanted - index * gap, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            earlier, members = blocks.pop()
            total, count = total + earlier, count + members
        blocks.append((total, count))
    result: list[float] = []
    top = high - gap * (len(places) - 1)
    for total, count in blocks:
        base = min(max(total / count, low), max(top, low))
        result += [base + gap * (len(result) + k) for k in range(count)]
    return result
