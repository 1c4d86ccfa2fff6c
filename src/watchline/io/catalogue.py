"""Read the catalogue: the shipped files, the user's own laid over them, then own prices."""

from __future__ import annotations

import dataclasses
import importlib.resources
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from watchline.config.catalogue import (
    ASSUMPTION,
    SERVICE_KEYS,
    CatalogueFile,
    parse_catalogue,
    to_device,
    to_services,
    to_structure,
)
from watchline.config.catalogue_faults import suggest
from watchline.config.qualities import quality_classes
from watchline.errors import CatalogueError, ManyFaults, WatchlineError
from watchline.model.catalogue import Catalogue, Device, Services, Structure

PACKAGE = "watchline.catalogue"
SHIPPED_CURRENCY = "EUR"
Item = TypeVar("Item", Device, Structure)
OWN_PRICE = "own price of the project"
_PLACE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)", re.DOTALL)


def load_catalogue(
    paths: Sequence[Path] | None = None,
    prices: Mapping[str, float] | None = None,
    currency: str | None = None,
    *,
    relative_to: Path | None = None,
) -> Catalogue:
    """All that a plan may buy.

    Parameters
    ----------
    paths : sequence of Path, optional
        The user's own catalogue files. An entry whose id is known replaces the earlier one whole;
        of ``[services]`` only the prices that are given.
    prices : mapping of str to float, optional
        Own prices by the id of a device, mast or tower, or by ``power_trench_per_m``,
        ``data_trench_per_m`` and ``connection``; they are laid over all files.
    currency : str, optional
        Currency of all prices; by default that of the own files, else ``EUR``. The shipped example
        prices are not converted: the same figures are taken, and their sources say so.
    relative_to : Path, optional
        Folder from which messages name files.

    Returns
    -------
    Catalogue
        Devices, structures, services and the quality classes of both scales.

    Raises
    ------
    ManyFaults
        Every fault of every file and of the prices, each a
        :class:`~watchline.errors.CatalogueError`.
    """
    faults: list[WatchlineError] = []
    shipped = [parse_catalogue(_read_toml(file, file.name), file.name) for file in shipped_files()]
    own: list[tuple[str, CatalogueFile]] = []
    for path in paths or ():
        name = _name(path, relative_to)
        try:
            own.append((name, parse_catalogue(_read_toml(path, name), name)))
        except ManyFaults as many:
            faults += many.faults
        except CatalogueError as fault:
            faults.append(fault)
    files_read = not faults
    try:
        unit = _currency(currency, own)
    except ManyFaults as many:
        faults += many.faults
        unit = SHIPPED_CURRENCY
    devices: dict[str, Device] = {}
    structures: dict[str, Structure] = {}
    for place, file in [("", file) for file in shipped] + own:
        for device in (to_device(entry, file) for entry in file.devices):
            if device.id in structures:
                faults.append(_taken(place, f"device '{device.id}'", "a mast or tower"))
            devices[device.id] = device if place else _relabel(device, unit)
        for structure in (to_structure(entry, file) for entry in file.structures):
            if structure.id in devices:
                faults.append(_taken(place, f"structure '{structure.id}'", "a device"))
            structures[structure.id] = structure if place else _relabel(structure, unit)
    services = to_services([*shipped, *(file for _, file in own)])
    services = _relabel_services(services, {key for _, file in own for key in _given(file)}, unit)
    catalogue = Catalogue(unit, devices, structures, services, quality_classes())
    known = [*devices, *structures, *SERVICE_KEYS]
    faults += _price_faults(prices or {}, known, complete=files_read)
    if faults:
        raise ManyFaults(faults)
    return _with_prices(catalogue, prices or {})


def shipped_files() -> list[Traversable]:
    """The catalogue files of the package, in alphabetical order."""
    files = importlib.resources.files(PACKAGE).iterdir()
    return sorted((file for file in files if file.name.endswith(".toml")), key=lambda f: f.name)


def _name(path: Path, folder: Path | None) -> str:
    """Path for messages: relative to a folder where it lies below it."""
    if folder is not None and Path(path).resolve().is_relative_to(folder.resolve()):
        return Path(path).resolve().relative_to(folder.resolve()).as_posix()
    return str(path)


def _read_toml(file: Path | Traversable, name: str) -> dict[str, object]:
    """Content of a TOML file.

    Raises
    ------
    CatalogueError
        It cannot be read, is not UTF-8, or is not TOML (with line and column).
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        match = _PLACE.fullmatch(str(problem))
        what = match["what"] if match else str(problem)
        line = f" line {match['line']}, column {match['column']}" if match else ""
        raise CatalogueError(
            f"it is not valid TOML: {what[:1].lower()}{what[1:]}",
            where=f"{name}{line}",
            mend="correct it there",
        ) from problem
    except UnicodeDecodeError as problem:
        raise CatalogueError(
            f"it is not UTF-8 (byte {problem.start})", where=name, mend="save it as UTF-8"
        ) from problem
    except OSError as problem:
        raise CatalogueError(
            f"it cannot be read ({problem.strerror or problem})",
            where=name,
            mend="check the path and the file's permissions",
        ) from problem


def _currency(wanted: str | None, own: Sequence[tuple[str, CatalogueFile]]) -> str:
    """The one currency of all prices.

    Raises
    ------
    ManyFaults
        It is not written as three capitals, or an own file has another one.
    """
    if wanted is not None and not re.fullmatch("[A-Z]{3}", wanted):
        fault = CatalogueError(
            f"'{wanted}' is no currency",
            where="catalogue.currency",
            mend='write three capitals, e.g. "EUR"',
        )
        raise ManyFaults([fault])
    stated = [(name, file.currency) for name, file in own if file.currency is not None]
    unit = wanted or (stated[0][1] if stated else SHIPPED_CURRENCY)
    others = [(name, other) for name, other in stated if other != unit]
    if others:
        raise ManyFaults(
            [
                CatalogueError(
                    f"its prices are in {other}, those of the project in {unit}",
                    where=f"{name}: currency",
                    mend="convert them, or set the project's catalogue.currency",
                )
                for name, other in others
            ]
        )
    return unit


def _taken(place: str, label: str, what: str) -> CatalogueError:
    where = f"{place}: {label}" if place else label
    return CatalogueError(f"its id is already that of {what}", where=where, mend="rename it")


def _given(file: CatalogueFile) -> set[str]:
    return file.services.model_fields_set if file.services is not None else set()


def _other_currency(unit: str) -> str:
    return (
        f"{ASSUMPTION}: the shipped example figure in {SHIPPED_CURRENCY}, taken as {unit} "
        "without conversion; replace it with an offer"
    )


def _relabel(item: Item, unit: str) -> Item:
    """A shipped item whose price is read in another currency, its source saying so."""
    if unit == SHIPPED_CURRENCY:
        return item
    return dataclasses.replace(item, sources={**item.sources, "price": _other_currency(unit)})


def _relabel_services(services: Services, own: set[str], unit: str) -> Services:
    if unit == SHIPPED_CURRENCY:
        return services
    shipped = {key: _other_currency(unit) for key in SERVICE_KEYS if key not in own}
    return dataclasses.replace(services, sources={**services.sources, **shipped})


def _price_faults(
    prices: Mapping[str, float], known: list[str], *, complete: bool
) -> list[CatalogueError]:
    """Faults of the own prices; unknown keys only if every file could be read."""
    faults = []
    for key, price in prices.items():
        if complete and key not in known:
            faults.append(
                CatalogueError(
                    f"the catalogue has no '{key}'",
                    where="catalogue.prices",
                    mend=suggest(key, known),
                )
            )
        if not math.isfinite(price) or price < 0:
            faults.append(
                CatalogueError(
                    f"the price {price:g} of '{key}' is negative or no number",
                    where="catalogue.prices",
                    mend="give a number of at least 0",
                )
            )
    return faults


def _with_prices(catalogue: Catalogue, prices: Mapping[str, float]) -> Catalogue:
    """The catalogue with own prices, and their sources saying so."""
    devices, structures = dict(catalogue.devices), dict(catalogue.structures)
    services = catalogue.services
    for key, number in prices.items():
        price = float(number)
        if key in devices:
            own = {**devices[key].sources, "price": OWN_PRICE}
            devices[key] = dataclasses.replace(devices[key], price=price, sources=own)
        elif key in structures:
            own = {**structures[key].sources, "price": OWN_PRICE}
            structures[key] = dataclasses.replace(structures[key], price=price, sources=own)
        else:
            own = {**services.sources, key: OWN_PRICE}
            services = dataclasses.replace(services, **{key: price}, sources=own)
    return dataclasses.replace(catalogue, devices=devices, structures=structures, services=services)
