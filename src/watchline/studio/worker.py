"""The process in which the studio runs the chain: it tells of its progress in lines of JSON.

``python -m watchline.studio.worker PROJECT START AGAIN TIME``. An interrupt (SIGINT) ends the
search and keeps the best plan; so does the end of its standard input, which comes when the studio
is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchline.chain.plan import open_run, plan_project
from watchline.errors import ManyFaults, WatchlineError
from watchline.io.journal import hold_folder
from watchline.io.project import read_site
from watchline.io.run import forget_steps

STEPS = ("site", "terrain", "candidates", "visibility", "plan", "proof", "report")
OF_STEP = {
    "plan": re.compile(r"(.*-)?plan-\d+|certificate|lights.*|light.*"),
    "proof": re.compile(r"(.*-)?proof-\d+"),
}
"""Marks of steps that are made in several rounds; those of the others are their names."""
EVERY_S = 0.1
"""Shares of a step are told at most so often."""


class Lines:
    """Listener of the chain that writes each event as one line of JSON."""

    def __init__(self) -> None:
        self._told = 0.0
        self._lock = threading.Lock()

    def tell(self, **event: Any) -> None:
        """Write one event."""
        with self._lock, contextlib.suppress(BrokenPipeError):  # nobody listens any more
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def step(self, name: str, detail: str = "") -> None:
        """A step begins."""
        self.tell(step=name, detail=detail)

    def share(self, done: float) -> None:
        """The running step is done to this share."""
        if done >= 1.0 or self._due():
            self.tell(share=float(done))

    def search(
        self, seconds: float, limit_s: float, cost: float | None, bound: float | None
    ) -> None:
        """The search stands here."""
        if self._due():
            self.tell(seconds=seconds, limit_s=limit_s, cost=_finite(cost), bound=_finite(bound))

    def say(self, sentence: str) -> None:
        """A sentence for people."""
        self.tell(say=sentence)

    def _due(self) -> bool:
        now = time.monotonic()
        if now - self._told < EVERY_S:
            return False
        self._told = now
        return True


def _finite(value: float | None) -> float | None:
    return None if value is None or not abs(value) < float("inf") else float(value)


def _fault(error: WatchlineError) -> dict[str, Any]:
    several = error.faults if isinstance(error, ManyFaults) else ()
    return {
        "what": error.what,
        "where": error.where,
        "mend": error.mend,
        "faults": [_fault(one) for one in several] if len(several) > 1 else [],
    }


def _end_with_the_studio() -> None:
    """Interrupt this process when the studio is gone."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def _meant(name: str, start: str) -> bool:
    """Whether a step's mark belongs to a noun from ``start`` on."""
    for noun in STEPS[STEPS.index(start) :]:
        pattern = OF_STEP.get(noun)
        if name == noun or (pattern is not None and pattern.fullmatch(name)):
            return True
    return False


def main(project: str, start: str, again: bool, time_s: float | None) -> int:
    """Run the chain; the last line tells how it ended."""
    lines = Lines()
    # A studio that was started in the background of a shell hands on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _end_with_the_studio()
    try:
        hold_folder(Path(project) / "runs" / ".running", "an earlier run is still ending")
        lines.step("site")
        site = read_site(Path(project))
        if time_s is not None:
            site = replace(site, design=replace(site.design, time_limit_s=time_s))
        if again:
            forget_steps(open_run(site, lines).folder, lambda name: _meant(name, start))
        outcome = plan_project(site, lines)
    except WatchlineError as error:
        lines.tell(fault=_fault(error))
        return error.exit_code
    except KeyboardInterrupt:
        lines.tell(stopped=True)
        return 130
    plan = outcome.plan
    lines.tell(
        done=True,
        stopped=plan.status == "interrupted",
        cost=plan.cost,
        bound=plan.lower_bound,
        holds=outcome.proof.holds,
    )
    return 0


if __name__ == "__main__":
    _, folder, noun, made_again, limit = sys.argv
    raise SystemExit(main(folder, noun, made_again == "again", float(limit) if limit else None))
