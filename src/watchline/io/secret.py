"""A token in a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from watchline.errors import UsageError
from watchline.io.files import write_error

LEAST_LETTERS = 16
TOKEN_BYTES = 24


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_from(file: Path) -> str:
    """The token in a file; a new one is written into it where there is none.

    Parameters
    ----------
    file : Path
        The file; a new one is readable by its owner only.

    Raises
    ------
    UsageError
        What it holds is no token.
    ArtefactError
        It cannot be read or written.
    """
    try:
        if not file.exists():
            token = new_token()
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="ascii") as target:
                target.write(token + "\n")
            return token
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        if isinstance(problem, OSError):
            raise write_error(problem, file) from problem
        token = ""
    if len(token) < LEAST_LETTERS or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"it holds no token of {LEAST_LETTERS} letters or more",
            where=str(file),
            mend="delete it: a new token is written into it",
        )
    return token
