"""Zip archives whose bytes follow from their content alone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

FIXED_DATE = (2000, 1, 1, 0, 0, 0)
"""Date of every entry, instead of the time of day."""
LEVEL = 6


def zip_bytes(entries: Mapping[str, bytes]) -> bytes:
    """A zip archive of some entries, in their order.

    Parameters
    ----------
    entries : dict of str to bytes
        Content by name.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def unzip(content: bytes) -> dict[str, bytes]:
    """Content of a zip archive by name, in its order."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
