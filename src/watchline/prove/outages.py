"""What the loss of any one element, and of any two, leaves of the requirements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchline.kernels.outages import short_weight, single_and_double
from watchline.model.resilience import Element, ElementLoss, Kept
from watchline.prove.network import Network
from watchline.prove.sightings import Sightings
from watchline.prove.verdicts import judge_counts

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outages:
    """Ground that losses cost.

    Attributes
    ----------
    single_m2 : float64 array [elements]
        By the loss of one.
    double_m2 : float64 array [elements, elements]
        By the loss of two, upper triangle; every pair, exact.
    """

    single_m2: FloatArray
    double_m2: FloatArray


def outages(sight: Sightings, network: Network) -> Outages:
    """Ground lost to every single element and to every pair.

    Pairs that put out a mount only together (two cuts of a ring) are judged one by one; all others
    follow from the classes of cells that both touch (:mod:`watchline.kernels.outages`).
    """
    size = len(network.elements)
    hits = np.array([network.devices_out({k}) for k in range(size)])
    weight = sight.cells * sight.area_m2
    touch_start, touch, hit_start, hit = _touches(sight, hits.T)
    single, more = single_and_double(
        sight.start,
        sight.view_mount,
        sight.needed,
        weight,
        touch_start,
        touch,
        hit_start,
        hit,
        size,
    )
    double = np.triu(single[:, None] + single[None, :] + more, 1)
    for a, b in network.entangled():
        double[a, b] = lost_m2(sight, network.devices_out({a, b})).sum()
    return Outages(single, double)


def lost_m2(sight: Sightings, out: BoolArray) -> FloatArray:
    """Ground of each requirement that is lost when some devices are out [requirements]."""
    return short_weight(
        sight.start,
        sight.view,
        sight.view_mount,
        sight.needed,
        sight.cells * sight.area_m2,
        out,
        sight.group,
        len(sight.requirements),
    )


def kept(sight: Sightings, lost: FloatArray) -> tuple[Kept, ...]:
    """Requirements after some ground is lost."""
    found = []
    for r, requirement in enumerate(sight.requirements):
        good = int(sight.whole[r]) - round(float(lost[r]) / sight.area_m2)
        count = int(sight.asked[r])
        judged = judge_counts(good, good, count, requirement.share)
        found.append(Kept(requirement.name, judged.lower, judged.verdict == "holds"))
    return tuple(found)


def loss_of(sight: Sightings, network: Network, lost: tuple[int, ...]) -> ElementLoss:
    """What the loss of some elements leaves, counted anew."""
    out = network.devices_out(frozenset(lost))
    ground = lost_m2(sight, out)
    elements: tuple[Element, ...] = tuple(network.elements[k] for k in lost)
    return ElementLoss(elements, float(ground.sum()), kept(sight, ground), int(out.sum()))


def _touches(sight: Sightings, hits: BoolArray) -> tuple[npt.NDArray[np.int64], ...]:
    """For each class, the elements that put out any of its views, and which.

    Parameters
    ----------
    sight : Sightings
        The classes.
    hits : bool array [devices, elements]
        Devices that each element alone puts out.
    """
    by_device = [np.flatnonzero(row) for row in hits]
    touch_start, touch, hit_start, hit = [0], [], [0], []
    for k in range(sight.needed.size):
        views = sight.views_of(k)
        of = [by_device[device] for device in views]
        element = np.concatenate(of)
        place = np.repeat(np.arange(views.size), [each.size for each in of])
        order = np.lexsort((place, element))
        element, place = element[order], place[order]
        first = np.flatnonzero(np.diff(element, prepend=-1))
        touch.append(element[first])
        hit.append(place)
        hit_start.extend((hit_start[-1] + np.append(first[1:], element.size)).tolist())
        touch_start.append(touch_start[-1] + first.size)
    empty = [np.zeros(0, np.int64)]
    return (
        np.array(touch_start, dtype=np.int64),
        np.concatenate(touch or empty).astype(np.int64),
        np.array(hit_start, dtype=np.int64),
        np.concatenate(hit or empty).astype(np.int64),
    )
