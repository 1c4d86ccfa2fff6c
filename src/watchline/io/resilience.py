"""The tables on failures and cables of ``project.toml``; what was found, as JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from shapely.geometry import LineString

from watchline.config.project import ProjectFile
from watchline.config.resilience import CableTable, LifeTable
from watchline.errors import ProjectError, WatchlineError
from watchline.io.files import atomic_write
from watchline.io.json_text import to_json
from watchline.model.resilience import (
    Cable,
    Element,
    ElementLoss,
    Kept,
    Life,
    Resilience,
    ResilienceRules,
)

HOUR_S = 3600.0
TABLED = ("turns", "by_place")
"""Parts of a schedule that are too long for the data of the verb."""


def read_resilience(
    tables: ProjectFile, line: LineString | None, at: Callable[[str], str]
) -> tuple[ResilienceRules, list[WatchlineError]]:
    """Rules of a project, and what is wrong with them.

    Parameters
    ----------
    tables : ProjectFile
        The project file.
    line : LineString or None
        The line, as far as read.
    at : callable
        Place of a key, for messages.
    """
    faults: list[WatchlineError] = []
    cables = []
    for key, kind, given in (
        ("feeders", "feeder", tables.feeders),
        ("trunks", "trunk", tables.trunks),
    ):
        for i, table in enumerate(given):
            if line is not None and table.end > line.length + 1.0:
                faults.append(
                    ProjectError(
                        f"end ({table.end:g} m) lies beyond the line's end ({line.length:.0f} m)",
                        where=at(f"{key}[{i}].end"),
                        mend="shorten it",
                    )
                )
            cables.append(_cable(table, kind))
    table = tables.resilience
    devices = table.devices
    return (
        ResilienceRules(
            devices=_life(devices),
            mounts=_life(table.mounts),
            common_cause=0.0 if devices is None else devices.common_cause,
            cables=tuple(cables),
            stretch_m=table.stretch,
        ),
        faults,
    )


def resilience_data(found: Resilience) -> dict[str, Any]:
    """All that was found, as plain data."""
    weakest = found.weakest
    return {
        "elements": found.elements,
        "pairs": found.pairs,
        "cell_m": found.cell_m,
        "currency": found.currency,
        "whole": [_kept(each) for each in found.whole],
        "losses": [_loss(loss) for loss in found.losses],
        "worst_pair": None if found.worst_pair is None else _loss(found.worst_pair),
        "mends": [
            {
                "element": m.element,
                "before_m2": m.before_m2,
                "what": m.what,
                "cost": m.cost,
                "lost_m2": m.lost_m2,
                "how": m.how,
                "devices": [asdict(device) for device in m.devices],
            }
            for m in found.mends
        ],
        "weakest_stretch": None
        if weakest is None
        else {
            "requirement": weakest.requirement,
            "start_m": weakest.start_m,
            "end_m": weakest.end_m,
            "unseen": weakest.unseen,
        },
        "causes": [{"event": name, "share": share} for name, share in found.causes],
        "stretches": [
            {
                "requirement": s.requirement,
                "start_m": s.start_m,
                "end_m": s.end_m,
                "unseen": s.unseen,
                "cells": s.cells,
                "never_seen": s.never,
                "single": list(s.single),
                "pairs": [list(pair) for pair in s.pairs],
                "pair_count": s.pair_count,
            }
            for s in found.stretches
        ],
        "patrols": [
            {
                key: value
                for key, value in asdict(patrol).items()
                if key not in ("turns", "by_place")
            }
            for patrol in found.patrols
        ],
        "notes": list(found.notes),
        "inputs": found.provenance.inputs,
        "watchline_version": found.provenance.watchline_version,
    }


def write_resilience(found: Resilience, folder: Path) -> tuple[Path, ...]:
    """Write ``resilience.json``, ``losses.csv``, ``stretches.csv``, ``patrols.csv`` (schedules).

    Parameters
    ----------
    found : Resilience
        What was found.
    folder : Path
        Where to.
    """
    with atomic_write(folder / "resilience.json") as temporary:
        temporary.write_text(to_json(resilience_data(found), indent=1) + "\n", encoding="utf-8")
    tables = {"losses.csv": _losses(found), "stretches.csv": _stretches(found)}
    if found.patrols:
        tables["patrols.csv"] = _turns(found)
    for name, table in tables.items():
        with atomic_write(folder / name) as temporary:
            table.to_csv(temporary, index=False, float_format="%.9g")
    return (folder / "resilience.json", *(folder / name for name in tables))


def _life(table: LifeTable | None) -> Life:
    return Life() if table is None else Life(table.mtbf / HOUR_S, table.mttr / HOUR_S)


def _cable(table: CableTable, kind: str) -> Cable:
    def life(mtbf: float | None, mttr: float) -> Life:
        return Life() if mtbf is None else Life(mtbf / HOUR_S, mttr / HOUR_S)

    return Cable(
        table.name,
        kind,  # type: ignore[arg-type]
        table.start,
        table.end,
        table.supply,
        life(table.mtbf_km, table.mttr),
        life(table.supply_mtbf, table.supply_mttr),
    )


def _element(element: Element) -> dict[str, Any]:
    return {
        "kind": element.kind,
        "name": element.name,
        "start_m": element.start_m,
        "end_m": element.end_m,
        "out": element.out,
    }


def _kept(kept: Kept) -> dict[str, Any]:
    return {"requirement": kept.requirement, "share": kept.share, "holds": kept.holds}


def _loss(loss: ElementLoss) -> dict[str, Any]:
    return {
        "elements": [_element(element) for element in loss.elements],
        "lost_m2": loss.lost_m2,
        "devices": loss.devices,
        "kept": [_kept(kept) for kept in loss.kept],
    }


def _losses(found: Resilience) -> pd.DataFrame:
    rows = []
    for loss in found.losses:
        row = _element(loss.elements[0]) | {"lost_m2": loss.lost_m2, "devices": loss.devices}
        for kept in loss.kept:
            row[f"kept:{kept.requirement}"] = kept.share
            row[f"holds:{kept.requirement}"] = kept.holds
        rows.append(row)
    return pd.DataFrame(rows)


def _stretches(found: Resilience) -> pd.DataFrame:
    columns = [
        "requirement",
        "start_m",
        "end_m",
        "unseen",
        "cells",
        "never",
        "single",
        "pair_count",
    ]
    rows = [{name: getattr(s, name) for name in columns} for s in found.stretches]
    table = pd.DataFrame(rows, columns=columns)
    table["single"] = ["; ".join(names) for names in table["single"]]
    return table


def _turns(found: Resilience) -> pd.DataFrame:
    """Turns of every patrol on its first day."""
    rows = [
        {"patrol": patrol.name, "clock": _clock(time), "time_s": time, "road_m": r, "s_m": s,
         "x": x, "y": y}
        for patrol in found.patrols
        for time, r, s, x, y in patrol.turns
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _clock(time_s: float) -> str:
    """Time of day from its start, in whole seconds."""
    whole = round(time_s)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
