"""Losses of cables in a study of paths: which devices each piece and supply puts out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchline.breach.watch import Watch
from watchline.model.resilience import ResilienceRules
from watchline.prove.network import lay_network


def cable_losses(
    watch: Watch, rules: ResilienceRules
) -> list[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Kind and name of every piece and supply that puts out any device, and the devices.

    A cut of a ring puts out none and is left out.
    """
    at = dict(zip(watch.mount_ids, watch.mount_s_m, strict=True))
    mount_ids = sorted(at, key=lambda name: (at[name], name))
    number = {name: k for k, name in enumerate(mount_ids)}
    network = lay_network(
        tuple(mount_ids),
        np.array([at[name] for name in mount_ids]),
        watch.device_ids,
        np.array([number[name] for name in watch.mount_ids], dtype=np.int64),
        watch.kinds,
        rules,
    )
    found = []
    for k, element in enumerate(network.elements):
        if element.kind in ("device", "mount"):
            continue
        out = network.devices_out({k})
        if out.any():
            found.append((element.kind, element.name, out))
    return found
