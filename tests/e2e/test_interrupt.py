"""Ctrl-C during the search, sent to a real process: the best plan, proven and reported."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from small_project import PROJECT, make_project
from watchline.chain.certificate import check_certificate_file

LONG = (
    PROJECT.replace('cell = "5 m"', 'cell = "2.5 m"')
    .replace('spacing = "60 m"', 'spacing = "30 m"')
    .replace('work = 150\ntime_limit = "120 s"', 'work = 30000\ntime_limit = "500 s"')
    .replace('share = "97 %"', "views = 2")
)
"""So much work that the search takes minutes; a bound is sought after a twentieth of it."""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_the_search_and_proof_and_report_follow(tmp_path):
    folder = make_project(tmp_path, LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "watchline", "plan", str(folder), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As in a terminal, also where these tests run in the background of a shell.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    said: list[str] = []
    sent: list[str] = []

    def listen() -> None:
        for line in process.stderr:
            said.append(line)
            # A line of the search that knows a plan and a bound: now there is one to report.
            if not sent and line.startswith("  plan ") and "cost" in line and "bound" in line:
                sent.append(line)
                process.send_signal(signal.SIGINT)

    listener = threading.Thread(target=listen)
    listener.start()
    out = process.stdout.read()
    code = process.wait(timeout=300)
    listener.join()
    error = "".join(said)
    assert sent, error
    assert "gap" in sent[0]
    assert "Traceback" not in error, error
    data = json.loads(out)
    assert data["status"] == "interrupted"
    assert code == (0 if data["holds"] else 1)
    assert "interrupted" in data["notes"][0]
    assert data["gap"] == pytest.approx((data["cost"] - data["lower_bound"]) / data["cost"])
    assert 0 < data["lower_bound"] < data["cost"]
    assert data["claims"][0]["cells"] > 0
    run = Path(data["folder"])
    assert (run / "report.html").is_file()
    assert (run / "proof.json").is_file()
    certificate, proven = check_certificate_file(run)
    assert proven.holds, proven.faults
    assert certificate.plan_bound == data["lower_bound"]
    assert proven.bound == pytest.approx(data["lower_bound"], rel=1e-6)
    # What a search gives that was cut short is never taken for what the whole one would give.
    assert not (run / "steps" / "plan-0.json").exists()
