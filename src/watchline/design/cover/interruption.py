"""Ctrl-C during a run: noted at once, heeded where the run looks at its clock.

An exception out of the blue can be lost: Python ignores it in a finalizer, numba's dispatcher turns
it into a SystemError, and HiGHS' wrapper forgets one that comes as a solve ends.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from watchline.design.cover.run import Run


@contextmanager
def noted(run: Run) -> Iterator[None]:
    """Let a first Ctrl-C only be noted in a run; a second one is raised at once.

    Only in the main thread, which alone gets signals, and only where Python's own handler of
    Ctrl-C stands: whoever put another one in its place is told as before.

    Parameters
    ----------
    run : Run
        The run.
    """
    usual = signal.default_int_handler
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        if run.interrupted:
            usual(number, frame)
        run.interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
