"""The command line: one file a verb; data on stdout, progress on stderr."""

from watchline.cli.app import app, main

__all__ = ["app", "main"]
