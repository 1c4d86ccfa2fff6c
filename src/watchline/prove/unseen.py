"""How often a stretch of the zone is not seen as required: a fault tree for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchline.model.resilience import MOST_PAIRS, StretchSight
from watchline.prove.fault_tree import Basic, Cut, FaultTree, Gate, Node, all_of, any_of
from watchline.prove.network import Network, Way
from watchline.prove.sightings import Sightings

COMMON = "common cause of all "


class Plant:
    """Nodes of a plan's fault tree, each made once.

    Parameters
    ----------
    network : Network
        Elements and what needs which.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.out = {element.label: element.out for element in network.elements}
        self.out |= {COMMON + model: q for model, q in network.common.items()}
        self._ways: dict[Way, Node] = {}
        self._mounts: dict[int, Node] = {}
        self._devices: dict[int, Node] = {}

    def mount(self, k: int) -> Node:
        """Fails when the mount is out, by itself or without a service."""
        if k not in self._mounts:
            devices = len(self.network.device_ids)
            services = [all_of(*map(self._way, ways)) for ways in self.network.ways[k]]
            self._mounts[k] = any_of(*services, self._basic(devices + k))
        return self._mounts[k]

    def device(self, k: int) -> Node:
        """Fails when the device is out by itself or with all of its model."""
        if k not in self._devices:
            causes: list[Node] = [self._basic(k)]
            model = self.network.models[k]
            if model in self.network.common:
                causes.append(Basic(COMMON + model))
            self._devices[k] = any_of(*causes)
        return self._devices[k]

    def unseen(self, devices: frozenset[int], needed: int) -> Node:
        """Fails when fewer mounts than needed have a device left that sees."""
        by_mount: dict[int, list[int]] = {}
        for k in sorted(devices, key=lambda k: (self.network.device_mount[k], k)):
            by_mount.setdefault(int(self.network.device_mount[k]), []).append(k)
        blind = [
            any_of(self.mount(mount), all_of(*map(self.device, mine)))
            for mount, mine in by_mount.items()
        ]
        return Gate(len(blind) - needed + 1, tuple(blind))

    def _way(self, way: Way) -> Node:
        if way not in self._ways:
            self._ways[way] = any_of(*(self._basic(k) for k in sorted(way)))
        return self._ways[way]

    def _basic(self, k: int) -> Basic:
        return Basic(self.network.elements[k].label)


def stretches_unseen(
    sight: Sightings,
    network: Network,
    stretch_m: float,
    progress: Callable[[float], None] | None = None,
) -> tuple[tuple[StretchSight, ...], tuple[tuple[str, float], ...]]:
    """Every stretch of every binding requirement, and the causes of the worst one.

    The top event is that any cell of the stretch that the whole plan sees as required is not seen
    so. Cells that the whole plan does not see are told beside it, not counted.

    Parameters
    ----------
    sight : Sightings
        Who sees what.
    network : Network
        Elements with their shares of time out.
    stretch_m : float
        Length of the stretches.
    progress : callable, optional
        Is told the share done, 0–1.

    Returns
    -------
    stretches : tuple of StretchSight
    causes : tuple of (str, float)
        Events of the worst stretch by importance, largest first.
    """
    plant = Plant(network)
    found: list[StretchSight] = []
    trees: dict[tuple[int, frozenset[frozenset[int]]], tuple] = {}
    worst: tuple[float, FaultTree | None] = (-1.0, None)
    total = sum(np.unique(np.floor(s / stretch_m)).size for s, _ in sight.places)
    for r, requirement in enumerate(sight.requirements):
        s, class_of = sight.places[r]
        number = np.floor(s / stretch_m).astype(np.int64)
        order = np.argsort(number, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
            if not part.size:
                continue
            classes = np.unique(class_of[part])
            seers = _least({frozenset(sight.views_of(k).tolist()) for k in classes if k >= 0})
            key = (requirement.views, seers)
            if key not in trees:
                top = any_of(*(plant.unseen(who, requirement.views) for who in _along(seers)))
                tree = FaultTree(top)
                unseen = tree.probability(plant.out)
                trees[key] = (unseen, tree.cuts(2))
                if unseen > worst[0]:
                    worst = (unseen, tree)
            unseen, cuts = trees[key]
            at = float(number[part[0]]) * stretch_m
            found.append(
                StretchSight(
                    requirement.name,
                    at,
                    min(at + stretch_m, float(np.ceil(s.max()))),
                    unseen,
                    part.size,
                    int((class_of[part] < 0).sum()),
                    tuple(next(iter(cut)) for cut in cuts if len(cut) == 1),
                    _likeliest(cuts, plant.out),
                    sum(len(cut) == 2 for cut in cuts),
                )
            )
            if progress is not None:
                progress(len(found) / total)
    causes: tuple[tuple[str, float], ...] = ()
    if worst[1] is not None:
        weights = worst[1].importance(plant.out)
        ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
        causes = tuple((name, share) for name, share in ranked if share > 0)
    return tuple(found), causes


def _least(sets: set[frozenset[int]]) -> frozenset[frozenset[int]]:
    """Without sets that hold a smaller one: what blinds that one is all that counts."""
    kept: list[frozenset[int]] = []
    for mine in sorted(sets, key=len):
        if not any(other <= mine for other in kept):
            kept.append(mine)
    return frozenset(kept)


def _along(sets: frozenset[frozenset[int]]) -> list[frozenset[int]]:
    return sorted(sets, key=sorted)


def _likeliest(cuts: tuple[Cut, ...], out: dict[str, float]) -> tuple[tuple[str, str], ...]:
    """Pairs among the cut sets, the likeliest first."""
    pairs = [tuple(sorted(cut)) for cut in cuts if len(cut) == 2]
    return tuple(sorted(pairs, key=lambda p: (-out[p[0]] * out[p[1]], p))[:MOST_PAIRS])
