"""What would bear a loss, at the prices of the plan's own quantities, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchline.model.plan import Plan
from watchline.model.resilience import Cable, Element, Mend, ResilienceRules
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.prove.network import Network, network_of
from watchline.prove.outages import Outages, lost_m2
from watchline.prove.second_view import second_view
from watchline.prove.sightings import Sightings


def mends_of(
    site: Site, terrain: Terrain, plan: Plan, network: Network, sight: Sightings, found: Outages
) -> tuple[Mend, ...]:
    """Ways to bear the loss of the worst device, the worst mount, and the worst of the cables.

    - A cable: supplied from its other end too, by a tie to the nearest cable of its kind, at the
      catalogue's price of a metre of trench and of one connection; without another cable, by a
      second cable along it to the same supply. The loss is judged anew with the ring.
    - A mount: a twin beside it with the same devices, at the prices of structure, connection and
      devices. It is taken to see what the first sees.
    - A device: a second one on its mount, if the structure has a place free.

    - A mount or a device: a second view of what it leaves unseen, by more devices on other mounts
      (:mod:`watchline.prove.second_view`).

    Parameters
    ----------
    site, terrain, plan
        Prices, structures and cables; the ground.
    network, sight, found
        What hangs on what, who sees what, and what losses cost.
    """
    mends: list[Mend] = []
    for kinds in (
        ("feeder", "feeder supply", "trunk", "trunk supply"),
        ("mount",),
        ("device",),
    ):
        mine = [k for k, element in enumerate(network.elements) if element.kind in kinds]
        if not mine:
            continue
        k = max(mine, key=lambda k: (found.single_m2[k], -k))
        before = float(found.single_m2[k])
        if before == 0.0:
            continue
        element = network.elements[k]
        if element.kind == "mount":
            offered = [_twin(site, plan, element, before)]
        elif element.kind == "device":
            offered = _spare(site, plan, network, k, before)
        else:
            offered = _ring(site, plan, site.resilience, sight, element, before)
        if element.kind in ("mount", "device"):
            offered += _second(site, terrain, plan, network, sight, k, before)
        mends += sorted(offered, key=lambda mend: (mend.cost, mend.lost_m2))
    return tuple(sorted(mends, key=lambda mend: (-mend.before_m2, mend.cost)))


def _ring(
    site: Site,
    plan: Plan,
    rules: ResilienceRules,
    sight: Sightings,
    element: Element,
    before: float,
) -> list[Mend]:
    """Supply of a cable from both ends."""
    cable = next(
        cable
        for cable in rules.cables
        if element.kind.startswith(cable.kind)
        and (element.name == cable.name or element.name.startswith(f"{cable.name}, "))
    )
    if cable.supply == "both":
        return []
    others = [each for each in rules.cables if each.kind == cable.kind and each is not cable]
    far = cable.end_m if cable.supply == "start" else cable.start_m
    services = site.catalogue.services
    metre = services.power_trench_per_m if cable.kind == "feeder" else services.data_trench_per_m
    if others:
        other = min(others, key=lambda each: _gap(far, each))
        length = _gap(far, other)
        what = f"tie the far end of {cable.name} to {other.name}"
        laid = f"{length:.0f} m of cable in a trench and one connection"
        if length < 1.0:
            laid = "their ends meet: one connection"
        how = f"{laid}; {other.name} carries both"
    elif element.kind.endswith("supply"):
        return []  # a second cable to the same supply would be lost with it
    else:
        length = cable.end_m - cable.start_m
        what = f"a second cable along {cable.name}, from its supply to its far end"
        how = f"{length:.0f} m of cable in a trench of its own and one connection"
    ring = replace(
        rules,
        cables=tuple(
            replace(each, supply="both") if each is cable else each for each in rules.cables
        ),
    )
    mended = network_of(plan, ring)
    name = f"{cable.name}, {cable.supply}" if element.kind.endswith("supply") else element.name
    lost = next(
        k
        for k, each in enumerate(mended.elements)
        if each.kind == element.kind and each.name == name
    )
    left = float(lost_m2(sight, mended.devices_out({lost})).sum())
    cost = round(length * metre + services.connection, 2)
    return [Mend(element.label, before, what, cost, left, how)]


def _second(
    site: Site,
    terrain: Terrain,
    plan: Plan,
    network: Network,
    sight: Sightings,
    lost: int,
    before: float,
) -> list[Mend]:
    """More devices on mounts that have places free."""
    found = second_view(site, terrain, plan, network, sight, lost)
    if found is None:
        return []
    count = len(found.devices)
    where = ", ".join(sorted({device.mount_id for device in found.devices}))
    return [
        Mend(
            network.elements[lost].label,
            before,
            f"{count} more device{'s' if count > 1 else ''} on {where}, aimed at what is lost",
            found.cost,
            found.lost_m2,
            "the devices' prices; places free on their structures, seen by the proof's rays, "
            "nothing of a no-watch area in view",
            found.devices,
        )
    ]


def _gap(s_m: float, cable: Cable) -> float:
    return max(cable.start_m - s_m, s_m - cable.end_m, 0.0)


def _twin(site: Site, plan: Plan, element: Element, before: float) -> Mend:
    """The same mount again, right beside it."""
    mount = plan.mounts[plan.mounts["mount_id"].astype(str) == element.name].iloc[0]
    carried = plan.devices[plan.devices["mount_id"].astype(str) == element.name]
    structure = site.catalogue.structures[str(mount["structure"])]
    cost = structure.price + site.catalogue.services.connection + float(carried["cost"].sum())
    return Mend(
        element.label,
        before,
        f"a twin of {element.name} beside it with its {len(carried)} devices",
        round(cost, 2),
        0.0,
        "structure, connection and devices; taken to see the same, on the same cables",
    )


def _spare(site: Site, plan: Plan, network: Network, device: int, before: float) -> list[Mend]:
    """A second device of the same kind on the same mount, where a place is free."""
    element = network.elements[device]
    mount_id = network.mount_ids[int(network.device_mount[device])]
    mount = plan.mounts[plan.mounts["mount_id"].astype(str) == mount_id].iloc[0]
    carried = int((plan.devices["mount_id"].astype(str) == mount_id).sum())
    free = site.catalogue.structures[str(mount["structure"])].capacity - carried
    price = float(
        plan.devices.loc[plan.devices["device_id"].astype(str) == element.name, "cost"].iloc[0]
    )
    if free < 1:
        twin = _twin(site, plan, replace(element, kind="mount", name=mount_id), before)
        return [replace(twin, element=element.label)]
    place = "place" if free == 1 else "places"
    return [
        Mend(
            element.label,
            before,
            f"a second {network.models[device]} beside {element.name} on {mount_id}",
            round(price, 2),
            0.0,
            f"the device's price; {mount_id} has {free} {place} free; a common cause takes both",
        )
    ]


def worst_pair(found: Outages) -> tuple[int, int] | None:
    """The pair whose loss costs most ground; the first of equal ones."""
    size = found.single_m2.size
    if size < 2:
        return None
    return tuple(int(k) for k in np.unravel_index(int(found.double_m2.argmax()), (size, size)))  # type: ignore[return-value]
