"""One made-up run on the Rafah line, and its report, for all tests of the report."""

from __future__ import annotations

import pytest
import report_sample

from watchline.model.report import Report
from watchline.report import build_report


@pytest.fixture(scope="session")
def run() -> report_sample.Run:
    return report_sample.make_run()


@pytest.fixture(scope="session")
def report(run: report_sample.Run) -> Report:
    return build_report(run.plan, run.proof, run.site, run.terrain)
