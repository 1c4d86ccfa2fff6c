"""Schema of a catalogue file: devices, masts and towers, power and data, each value with a source.

Units stand in the keys (``focal_min_mm``, ``range_m``), as in makers' data sheets. Every value has
an entry in ``sources``: where it was read, ``"assumption"`` (optionally ``"assumption: why"``), or
``"@key"`` for a text of the file's ``[references]``.

:func:`parse_catalogue` is the door: it collects every fault of a file, also those that the field
types cannot express (missing sources, swapped focal lengths, the same id twice).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from watchline.config.catalogue_faults import check_meaning, translate
from watchline.config.units import Share
from watchline.errors import CatalogueError, ManyFaults
from watchline.model.catalogue import Device, Services, Structure

ASSUMPTION = "assumption"
"""How a source begins that is none: a typical value, to be replaced with the maker's."""


def _texts(value: object) -> object:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, Mapping) and all(isinstance(v, str) and v.strip() for v in value.values()):
        return dict(value)
    raise ValueError(
        'sources are texts; write one text for all values, or a table such as price = "assumption"'
    )


DARK_KEYS = ("f_number", "quantum_efficiency", "read_noise_e")
IR_KEYS = ("ir_intensity_w_sr", "ir_wavelength_nm", "ir_range_m", "ir_quantum_efficiency")

Id = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="Key by which projects name it: small letters, digits and hyphens.",
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=120, description="Name for people.")]
Price = Annotated[float, Field(ge=0, description="Price in the file's currency.")]
Sources = Annotated[
    dict[str, str] | str,
    BeforeValidator(_texts),
    Field(description="Source of each value by its key, or one text that holds for all values."),
]


class Table(BaseModel):
    """A table of a catalogue file: unknown keys and wrong types refused, values frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Entry(Table):
    """What every device has."""

    id: Id
    name: Name
    range_m: float = Field(
        gt=0, description="Distance beyond which it never counts, whatever the pixel density."
    )
    price: Price
    power_w: float = Field(0.0, ge=0, description="Electrical power.")
    sources: Sources


class LensEntry(Entry):
    """What every device with a sensor and a lens has."""

    width_px: int = Field(gt=0, le=100_000, description="Image width of one sensor.")
    height_px: int = Field(gt=0, le=100_000, description="Image height of one sensor.")
    sensor_width_mm: float = Field(gt=0, description="Width of the active sensor.")
    focal_min_mm: float = Field(gt=0, description="Shortest focal length of the lens.")
    focal_max_mm: float = Field(gt=0, description="Longest; the same for a fixed lens.")


class VisibleEntry(LensEntry):
    """What every visible camera may say of its sight in the dark."""

    f_number: float | None = Field(
        None, ge=0.5, le=32, description="F-number of the lens; without it, by daylight only."
    )
    quantum_efficiency: float | None = Field(
        None, gt=0, le=1, description="Electrons a photon of white light, colour filters included."
    )
    read_noise_e: float | None = Field(
        None, gt=0, le=200, description="Read noise in electrons (EMVA 1288: temporal dark noise)."
    )
    ir_intensity_w_sr: float | None = Field(
        None, gt=0, description="Radiant intensity of the built-in infrared in W/sr."
    )
    ir_wavelength_nm: float | None = Field(
        None, ge=700, le=1100, description="Wavelength of the built-in infrared in nm."
    )
    ir_range_m: float | None = Field(
        None, gt=0, description="Range of the built-in infrared as the maker states it."
    )
    ir_quantum_efficiency: float | None = Field(
        None, gt=0, le=1, description="Electrons a photon at that wavelength."
    )

    @model_validator(mode="after")
    def _whole(self) -> VisibleEntry:
        for together in (DARK_KEYS, IR_KEYS):
            given = [key for key in together if getattr(self, key) is not None]
            missing = [key for key in together if key not in given]
            if given and missing:
                raise ValueError(
                    f"{given[0]} stands without {', '.join(missing)}; give all of "
                    f"{', '.join(together)}, or none"
                )
        if self.ir_intensity_w_sr is not None and self.f_number is None:
            raise ValueError(f"infrared needs a sensor; give {', '.join(DARK_KEYS)} too")
        return self


class CameraEntry(VisibleEntry):
    """A visible camera that keeps its aim."""

    kind: Literal["camera"]
    time_share: Share = Field(1.0, gt=0, description="Share of time in which it watches.")


class ThermalEntry(LensEntry):
    """A thermal camera that keeps its aim."""

    kind: Literal["thermal"]
    time_share: Share = Field(1.0, gt=0, description="Share of time in which it watches.")
    netd_mk: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="Noise equivalent temperature difference in mK; without it the camera counts "
        "under no condition.",
    )


class PtzEntry(VisibleEntry):
    """A camera that turns: it watches one place at a time."""

    kind: Literal["ptz"]
    time_share: Share = Field(
        gt=0, lt=1, description="Share of time in which it watches a given cell; below 1."
    )


class PanoramicEntry(VisibleEntry):
    """Several equal sensors in one housing, spread evenly."""

    kind: Literal["panoramic"]
    sensors: int = Field(ge=2, le=32, description="Number of sensors.")
    spacing_deg: float = Field(gt=0, le=180, description="Angle between neighbouring axes.")
    time_share: Share = Field(1.0, gt=0, description="Share of time in which it watches.")


class ObserverEntry(Entry):
    """A person, with or without optics."""

    kind: Literal["observer"]
    acuity_arcmin: float = Field(
        gt=0, le=60, description="Smallest angle told apart, divided by the magnification."
    )
    time_share: Share = Field(
        gt=0, description="Share of time in which a given cell is really looked at."
    )


AnyDevice = CameraEntry | ThermalEntry | PtzEntry | PanoramicEntry | ObserverEntry
DeviceEntry = Annotated[AnyDevice, Field(discriminator="kind")]


class StructureEntry(Table):
    """A mast, or a tower with a cabin, of one height."""

    id: Id
    name: Name
    kind: Literal["mast", "tower"]
    height_m: float = Field(gt=0, le=200, description="Height of the devices above the ground.")
    capacity: int = Field(ge=1, le=100, description="Most devices that it can carry.")
    price: Price
    sources: Sources


class ServicesTable(Table):
    """Power and data for a mount; an own file may give only some of the prices."""

    power_trench_per_m: Price | None = Field(None, description="A metre of trench with cable.")
    data_trench_per_m: Price | None = Field(None, description="A metre of fibre in that trench.")
    connection: Price | None = Field(None, description="Connecting one mount.")
    sources: Sources


class CatalogueFile(Table):
    """A whole catalogue file."""

    schema_version: Literal[1] = Field(1, description="Version of this schema.")
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Currency of the prices, e.g. EUR."
    )
    references: dict[str, str] = Field(
        default_factory=dict, description='Texts that sources name as "@key".'
    )
    devices: list[DeviceEntry] = Field(default_factory=list)
    structures: list[StructureEntry] = Field(default_factory=list)
    services: ServicesTable | None = None


SECTION_TABLES: Mapping[str, type[Table]] = {
    "structures": StructureEntry,
    "services": ServicesTable,
}
SERVICE_KEYS = tuple(key for key in ServicesTable.model_fields if key != "sources")
DEVICE_ENTRIES: Mapping[str, type[Entry]] = {
    kind: model
    for model in (CameraEntry, ThermalEntry, PtzEntry, PanoramicEntry, ObserverEntry)
    for kind in get_args(model.model_fields["kind"].annotation)
}


def parse_catalogue(tables: Mapping[str, Any], where: str) -> CatalogueFile:
    """Typed content of a catalogue file.

    Parameters
    ----------
    tables : mapping
        What the TOML parser gave.
    where : str
        Name of the file, for messages.

    Raises
    ------
    ManyFaults
        Every fault of the file, each a :class:`~watchline.errors.CatalogueError`.
    """
    faults: list[CatalogueError] = []
    file = None
    try:
        file = CatalogueFile.model_validate(tables)
    except ValidationError as error:
        faults += translate(error, tables, where, _keys_of)
    faults += check_meaning(tables, where)
    if faults or file is None:
        # All faults of one entry stand together, in the order in which entries were first blamed.
        places = {fault.where: None for fault in faults}
        order = {place: number for number, place in enumerate(places)}
        raise ManyFaults(sorted(faults, key=lambda fault: order[fault.where]))
    return file


def to_device(entry: AnyDevice, file: CatalogueFile) -> Device:
    """Device of an entry, with a source for each value.

    Parameters
    ----------
    entry : CameraEntry, ThermalEntry, PtzEntry, PanoramicEntry or ObserverEntry
        One entry of ``devices``.
    file : CatalogueFile
        Its file, which holds the references.
    """
    sources = _sources(entry, file)
    if isinstance(entry, ObserverEntry):
        optics: dict[str, Any] = {
            "width_px": 0,
            "height_px": 0,
            "sensor_width_mm": 0.0,
            "focal_min_mm": 0.0,
            "focal_max_mm": 0.0,
            "acuity_arcmin": entry.acuity_arcmin,
        }
    else:
        optics = {
            "width_px": entry.width_px,
            "height_px": entry.height_px,
            "sensor_width_mm": entry.sensor_width_mm,
            "focal_min_mm": entry.focal_min_mm,
            "focal_max_mm": entry.focal_max_mm,
            "acuity_arcmin": 0.0,
        }
    if isinstance(entry, VisibleEntry):
        optics |= {key: getattr(entry, key) or 0.0 for key in DARK_KEYS + IR_KEYS}
    elif isinstance(entry, ThermalEntry):
        optics["netd_mk"] = entry.netd_mk or 0.0
    several = entry if isinstance(entry, PanoramicEntry) else None
    return Device(
        id=entry.id,
        name=entry.name,
        kind=entry.kind,
        sensors=several.sensors if several else 1,
        spacing_deg=several.spacing_deg if several else 0.0,
        time_share=entry.time_share,
        range_m=entry.range_m,
        price=entry.price,
        power_w=entry.power_w,
        sources=sources,
        **optics,
    )


def to_structure(entry: StructureEntry, file: CatalogueFile) -> Structure:
    """Mast or tower of an entry, with a source for each value.

    Parameters
    ----------
    entry : StructureEntry
        One entry of ``structures``.
    file : CatalogueFile
        Its file, which holds the references.
    """
    return Structure(
        id=entry.id,
        name=entry.name,
        kind=entry.kind,
        height_m=entry.height_m,
        capacity=entry.capacity,
        price=entry.price,
        sources=_sources(entry, file),
    )


def to_services(files: list[CatalogueFile]) -> Services:
    """Prices of power and data: of each the last file's that gives it.

    Parameters
    ----------
    files : list of CatalogueFile
        In the order in which they are laid over one another; the first gives all prices.

    Raises
    ------
    CatalogueError
        If no file gives one of the prices.
    """
    prices: dict[str, float] = {}
    sources: dict[str, str] = {}
    for file in files:
        if file.services is None:
            continue
        given = file.services.model_dump(include=set(SERVICE_KEYS), exclude_none=True)
        prices.update(given)
        sources.update(_sources(file.services, file))
    missing = [key for key in SERVICE_KEYS if key not in prices]
    if missing:
        raise CatalogueError(
            f"no catalogue file gives {missing[0]}", where="services", mend="add it"
        )
    return Services(**prices, sources=sources)


def catalogue_schema() -> dict[str, Any]:
    """JSON Schema of a catalogue file."""
    schema = CatalogueFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "watchline catalogue file"
    return schema


def _sources(entry: Table, file: CatalogueFile) -> dict[str, str]:
    """Source of each value that the entry gives; what its kind fixes is said so."""
    given = entry.model_fields_set - {"id", "name", "kind", "sources"}
    written = entry.sources  # type: ignore[attr-defined]
    found = {}
    for key in type(entry).model_fields:
        if key in given:
            text = written if isinstance(written, str) else written[key]
            found[key] = file.references[text[1:]] if text.startswith("@") else text
        elif key == "time_share":
            found[key] = "by definition: it keeps its aim all the time"
        elif key == "power_w":
            found[key] = "by definition: left out, so none"
    return found


def _keys_of(section: str, kind: object) -> list[str]:
    """Keys that an entry may have, for suggestions."""
    if section == "devices":
        return list(DEVICE_ENTRIES.get(str(kind), CameraEntry).model_fields)
    return list(SECTION_TABLES.get(section, CatalogueFile).model_fields)
