"""The process of a run ends with the studio, however the studio was started."""

import json
import os
import signal
import subprocess
import sys

import pytest

from small_project import PROJECT, make_project

LONG = PROJECT.replace('work = 150\ntime_limit = "120 s"', 'work = 30000\ntime_limit = "500 s"')


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_run_of_a_studio_in_the_background_ends_with_it(tmp_path):
    folder = make_project(tmp_path, LONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "watchline.studio.worker", str(folder), "site", "", ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # What a shell does to what it starts in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    first = process.stdout.readline()
    assert json.loads(first)
    # The studio is gone.
    process.stdin.close()
    last = process.stdout.read().splitlines()[-1]
    process.wait(timeout=120)
    assert json.loads(last)["stopped"] is True
