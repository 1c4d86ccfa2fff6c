"""The contract with the page: ``python -m watchline.studio.openapi`` prints it as JSON."""

from __future__ import annotations

import json
import sys

from watchline.studio.app import create_app


def openapi_text() -> str:
    """The OpenAPI description, the same bytes for the same routes."""
    return json.dumps(create_app(None).openapi(), indent=2, sort_keys=True, ensure_ascii=True)


if __name__ == "__main__":
    sys.stdout.write(openapi_text() + "\n")
