"""The contract with the page: the file is the code's, and no request makes the server fail."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from studio_project import make_studio_project
from watchline.studio.app import create_app
from watchline.studio.guard import Rules
from watchline.studio.openapi import openapi_text
from watchline.studio.studio import Studio

EXAMPLES = 6
"""Requests for each operation; the same ones in every run."""
OPENAPI = Path(__file__).parents[2] / "web" / "openapi.json"
REAL = {"plan": "mine", "other": "computed", "device": "D001", "condition": "day", "name": "zone"}
"""What half of the requests name, so that they come past "there is no such plan"."""


def test_the_file_that_the_page_is_built_from_is_up_to_date():
    assert OPENAPI.read_text(encoding="utf-8") == openapi_text() + "\n", (
        "run `python -m watchline.studio.openapi > web/openapi.json`"
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    studio = Studio(make_studio_project(tmp_path_factory.mktemp("contract") / "small"))
    # A request that would begin a run is taken; what a run does is tested with the real server.
    studio.runs.start = lambda request: studio.runs.current()
    studio.copy("computed", "mine")
    yield studio, create_app(studio, Rules(host="testserver"))
    studio.close()


def test_no_request_makes_it_fail(served):
    studio, app = served
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    statuses = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        seen = statuses.setdefault(f"{operation.method} {operation.path}", set())

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), real=st.booleans())
        def ask(case, real):
            if real:
                path = case.path_parameters or {}
                case.path_parameters = {key: REAL.get(key, value) for key, value in path.items()}
                case.query = {
                    key: REAL["condition"] if key == "condition" else value
                    for key, value in (case.query or {}).items()
                    if key != "device"
                }
                if "If-Match" in (case.headers or {}):
                    case.headers["If-Match"] = studio.detail("mine").revision
            answer = case.call()
            assert answer.status_code < 500, (
                case.as_curl_command(),
                answer.text[:400],
            )
            seen.add(  # noqa: B023 - it is called before the next turn
                answer.status_code
            )
            if answer.status_code >= 400:
                told = answer.json()
                assert {"what", "where", "mend"} <= told.keys() and told["what"]

        ask()
    assert len(statuses) >= 28
    # The requests came through: most operations did what they are for.
    good = [name for name, seen in statuses.items() if min(seen) < 400]
    assert len(good) > 0.7 * len(statuses), sorted(set(statuses) - set(good))
