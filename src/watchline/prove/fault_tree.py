"""Fault trees, evaluated exactly by binary decision diagrams (package ``dd``).

A tree says when the whole fails: a :class:`Gate` fails when at least so many of its inputs do, a
:class:`Basic` event happens with a probability. An event that hangs under many gates is one
variable of the diagram, so that repeated events and common causes are exact: nothing is multiplied
that is not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from dd.bdd import BDD

TRUE = 1
"""The diagram's only leaf; a negative number is the complement of a node."""


@dataclass(frozen=True)
class Basic:
    """A basic event, by its name."""

    name: str


@dataclass(frozen=True, eq=False)
class Gate:
    """Fails when at least `least` of its inputs fail."""

    least: int
    inputs: tuple[Basic | Gate, ...]


Node = Basic | Gate
Cut = frozenset[str]


def any_of(*inputs: Node) -> Gate:
    """Fails with the first of its inputs."""
    return Gate(1, inputs)


def all_of(*inputs: Node) -> Gate:
    """Fails only with all of its inputs."""
    return Gate(len(inputs), inputs)


class FaultTree:
    """A tree as a binary decision diagram.

    Parameters
    ----------
    top : Basic or Gate
        The top event.

    Notes
    -----
    Variables are in the order in which the tree names them first, from the top, left to right: put
    near each other what belongs together.
    """

    def __init__(self, top: Node) -> None:
        self.names = _names(top)
        self._bdd = BDD()
        self._bdd.declare(*self.names)
        self._made: dict[int, int] = {}
        # Gates are remembered by identity: they must live as long as the numbers do.
        self._top = top
        self._root = self._build(top)

    def probability(self, out: Mapping[str, float]) -> float:
        """Probability of the top event, exact.

        Parameters
        ----------
        out : mapping of str to float
            Probability of every basic event; they are independent.
        """
        weights = [out[self._bdd.var_at_level(k)] for k in range(len(self.names))]
        known: dict[int, float] = {TRUE: 1.0}

        def of(node: int) -> float:
            if node < 0:
                return 1.0 - of(-node)
            if node not in known:
                level, low, high = self._bdd.succ(node)
                known[node] = (1.0 - weights[level]) * of(low) + weights[level] * of(high)
            return known[node]

        return of(self._root)

    def importance(self, out: Mapping[str, float]) -> dict[str, float]:
        """Share of the top event's probability that goes with each basic event failing first.

        Criticality importance, ``q·(P(top | out) − P(top | works)) / P(top)``: by so much the
        probability falls when the event never happens.
        """
        whole = self.probability(out)
        if whole == 0.0:
            return dict.fromkeys(self.names, 0.0)
        return {name: 1.0 - self.probability({**out, name: 0.0}) / whole for name in self.names}

    def cuts(self, most: int = 2) -> tuple[Cut, ...]:
        """Minimal cut sets with at most so many events, smallest first, then by name.

        A set of events cuts if the top event follows when they happen and no other does. The
        diagram is walked once: from each node, the small sets that lead to the top event.
        """
        known: dict[tuple[int, int], frozenset[Cut]] = {}

        def of(node: int, size: int) -> frozenset[Cut]:
            if node == TRUE:
                return frozenset([frozenset()])
            if node == -TRUE:
                return frozenset()
            key = (node, size)
            if key not in known:
                level, low, high = self._bdd.succ(abs(node))
                sign = 1 if node > 0 else -1
                found = set(of(sign * low, size))
                if size > 0:
                    name = self._bdd.var_at_level(level)
                    found |= {cut | {name} for cut in of(sign * high, size - 1)}
                known[key] = _minimal(found)
            return known[key]

        return tuple(sorted(of(self._root, most), key=lambda cut: (len(cut), sorted(cut))))

    def _build(self, node: Node) -> int:
        if isinstance(node, Basic):
            return int(self._bdd.var(node.name))
        if id(node) not in self._made:
            # rows[k]: at least k of the inputs so far fail.
            rows = [TRUE] + [-TRUE] * node.least
            for each in node.inputs:
                fails = self._build(each)
                rows = [TRUE] + [
                    self._bdd.ite(fails, rows[k - 1], rows[k]) for k in range(1, node.least + 1)
                ]
            self._made[id(node)] = rows[node.least]
        return self._made[id(node)]


def cut_bound(cuts: Iterable[Cut], out: Mapping[str, float]) -> float:
    """Upper bound from minimal cut sets as if they were independent, ``1 − Π(1 − q_cut)``.

    Holds for a coherent tree of independent events when all minimal cut sets are given (Esary and
    Proschan 1963).
    """
    rest = 1.0
    for cut in cuts:
        chance = 1.0
        for name in cut:
            chance *= out[name]
        rest *= 1.0 - chance
    return 1.0 - rest


def _names(top: Node) -> tuple[str, ...]:
    """Basic events in the order of a walk through the tree."""
    found: dict[str, None] = {}
    seen: set[int] = set()

    def walk(node: Node) -> None:
        if isinstance(node, Basic):
            found.setdefault(node.name)
        elif id(node) not in seen:
            seen.add(id(node))
            for each in node.inputs:
                walk(each)

    walk(top)
    return tuple(found)


def _minimal(found: set[Cut]) -> frozenset[Cut]:
    """Without sets that hold a smaller one of them."""
    kept: set[Cut] = set()
    for cut in sorted(found, key=len):
        smaller = (
            frozenset(part) for size in range(len(cut)) for part in combinations(sorted(cut), size)
        )
        if not any(part in kept for part in smaller):
            kept.add(cut)
    return frozenset(kept)
