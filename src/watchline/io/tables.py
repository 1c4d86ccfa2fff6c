"""Tables as Parquet with our own metadata beside the columns, whole or not at all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from watchline.errors import ArtefactError
from watchline.io.files import atomic_write
from watchline.io.json_text import to_json
from watchline.model.provenance import Provenance

METADATA_KEY = b"watchline"
COMPRESSION = "zstd"
MEND = "delete it and run again; it is made anew"


def write_table(frame: pd.DataFrame, path: Path, metadata: dict[str, Any] | None = None) -> None:
    """Write a table as Parquet, a GeoDataFrame as GeoParquet.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Its index is not kept.
    path : Path
        The file.
    metadata : dict, optional
        Plain values, kept in the file's metadata.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    plain = frame.reset_index(drop=True)
    with atomic_write(path) as temporary:
        if isinstance(plain, gpd.GeoDataFrame):
            plain.to_parquet(temporary, index=False)
            table = pq.read_table(temporary)
        else:
            table = pa.Table.from_pandas(plain, preserve_index=False)
        kept = dict(table.schema.metadata or {})
        kept[METADATA_KEY] = to_json(metadata or {}).encode("utf-8")
        pq.write_table(table.replace_schema_metadata(kept), temporary, compression=COMPRESSION)


def read_table(path: Path, *, geo: bool = False) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table and the metadata that :func:`write_table` was given.

    Parameters
    ----------
    path : Path
        The file.
    geo : bool
        Read a GeoDataFrame.

    Raises
    ------
    ArtefactError
        It is missing or damaged.
    """
    with damage(path):
        metadata = json.loads((pq.read_schema(path).metadata or {})[METADATA_KEY])
        frame = gpd.read_parquet(path) if geo else pq.read_table(path).to_pandas()
    return frame, metadata


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn whatever reading a spoilt artefact raises into an :class:`ArtefactError`."""
    try:
        yield
    except FileNotFoundError as problem:
        raise ArtefactError("it does not exist", where=str(path), mend="run again") from problem
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as problem:
        # pyarrow's, zarr's and the decompressors' own errors are among these.
        text = " ".join(str(problem).split())[:120]
        raise ArtefactError(
            f"it is damaged ({type(problem).__name__}: {text})", where=str(path), mend=MEND
        ) from problem


def provenance_from(values: dict[str, Any]) -> Provenance:
    """The provenance that :meth:`Provenance.as_dict` gave.

    Raises
    ------
    TypeError
        The values are not of that form.
    """
    return Provenance(
        inputs=dict(values["inputs"]),
        seed=int(values["seed"]),
        watchline_version=str(values["watchline_version"]),
        schema_version=int(values["schema_version"]),
    )
