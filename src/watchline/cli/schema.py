"""``watchline schema``: the JSON Schema of the files that people write."""

from __future__ import annotations

import json
import sys

import typer


def schema(
    of: str = typer.Argument("project", help="Which file: project or catalogue."),
) -> None:
    """Print the JSON Schema of project.toml or of a catalogue file on stdout."""
    from watchline.config.catalogue import catalogue_schema
    from watchline.config.project import project_schema
    from watchline.errors import UsageError

    schemas = {"project": project_schema, "catalogue": catalogue_schema}
    if of not in schemas:
        raise UsageError(f"there is no schema of '{of}'", mend="take project or catalogue")
    sys.stdout.write(json.dumps(schemas[of](), indent=2) + "\n")
