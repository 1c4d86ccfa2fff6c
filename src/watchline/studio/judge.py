"""The process that judges claims on interruption for the studio, one plan after another.

``python -m watchline.studio.judge``. It is told the site and its terrain once, then a number and a
plan for each job; a number without a plan ends that job. The end of its standard input, which
comes when the studio is gone, ends the process. Each job is answered by one last message: findings,
a fault, or that it was stopped; before that come shares. Messages both ways are pickles, as the two
processes are one program.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
import time
from typing import Any, BinaryIO

from watchline.chain.guard import interruption_of
from watchline.errors import WatchlineError
from watchline.model.plan import Plan

NICER = 10
"""Answers to edits go first where processors are few."""
EVERY_S = 0.25
"""Shares are told at most so often."""


class Stopped(Exception):
    """The job that runs is not wanted any more."""


class Inbox:
    """Jobs, read beside the work."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._came = threading.Condition()
        self._job: tuple[int, Plan] | None = None
        self._stopped = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                number, plan = pickle.load(self._source)
            except (EOFError, OSError, pickle.UnpicklingError):
                os._exit(0)  # the studio is gone; there is nothing to keep
            with self._came:
                if plan is None:
                    self._stopped = number
                else:
                    self._job = number, plan
                    self._came.notify()

    def take(self) -> tuple[int, Plan]:
        """The next job, as soon as there is one."""
        with self._came:
            while self._job is None:
                self._came.wait()
            job, self._job = self._job, None
            return job

    def stopped(self, number: int) -> bool:
        """Whether a job is not wanted any more."""
        return self._stopped == number


def main() -> None:
    """Judge until the studio is gone."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no such thing
        os.nice(NICER)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # what a library prints is no message
    site, terrain = pickle.load(sys.stdin.buffer)
    inbox = Inbox(sys.stdin.buffer)

    def tell(**message: Any) -> None:
        try:
            pickle.dump(message, answers)
            answers.flush()
        except OSError:
            os._exit(0)  # nobody listens any more

    while True:
        number, plan = inbox.take()
        told = 0.0

        def share(done: float, number: int = number) -> None:
            nonlocal told
            if inbox.stopped(number):
                raise Stopped
            if time.monotonic() - told > EVERY_S:
                told = time.monotonic()
                tell(number=number, share=float(done))

        try:
            share(0.0)
            found = interruption_of(site, terrain, plan, share)
        except Stopped:
            tell(number=number, stopped=True)
        except WatchlineError as error:
            tell(number=number, fault=error.sentence)
        else:
            tell(number=number, found=found)


if __name__ == "__main__":
    main()
