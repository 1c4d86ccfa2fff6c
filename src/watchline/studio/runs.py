"""Runs of the chain: one at a time, each in a process of its own that can be interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchline.errors import WatchlineError
from watchline.studio.answers import Fault
from watchline.studio.faults import Busy, NotThere
from watchline.studio.run_answers import RunInfo, RunRequest, RunState, RunStep

MOST_MESSAGES = 200
LOOK_EVERY_S = 0.2
"""How often a stream of events looks for something new."""
ALIVE_EVERY_S = 10.0
"""A running step is told again so often, for its seconds."""
SURE_SHARE = 0.03
"""Time left is told when a step is done to this share: before, it would be a guess."""
PATIENCE_S = 20.0
"""How long a closing studio waits for an interrupted run to keep its plan."""


@dataclass
class _Run:
    """One run as its process tells of it."""

    request: RunRequest
    process: subprocess.Popen[str]
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    state: RunState = "running"
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    steps: list[RunStep] = field(default_factory=list)
    step_began: float = field(default_factory=time.monotonic)
    seconds_left: float | None = None
    cost: float | None = None
    bound: float | None = None
    messages: list[str] = field(default_factory=list)
    fault: Fault | None = None
    holds: bool | None = None
    told: bool = False
    changes: int = 0

    def info(self) -> RunInfo:
        """The run as it is answered."""
        now = time.monotonic() if self.ended is None else self.ended
        steps = list(self.steps)
        if steps and not steps[-1].done:
            steps[-1] = steps[-1].model_copy(update={"seconds": round(now - self.step_began, 2)})
        return RunInfo(
            id=self.id,
            state=self.state,
            start=self.request.start,
            started=self.started,
            seconds=round(now - self.began, 2),
            steps=steps,
            share=steps[-1].share if steps else 0.0,
            seconds_left=self.seconds_left,
            cost=self.cost,
            bound=self.bound,
            messages=list(self.messages),
            fault=self.fault,
            holds=self.holds,
        )

    def hear(self, event: dict[str, Any]) -> None:
        """Take up one event."""
        now = time.monotonic()
        if "step" in event:
            self._finish(now)
            self.steps.append(
                RunStep(
                    name=event["step"], detail=event["detail"], share=0.0, seconds=0.0, done=False
                )
            )
            self.step_began, self.seconds_left = now, None
        elif "share" in event:
            self._share(event["share"], now)
        elif "limit_s" in event:
            self.cost = event["cost"] if event["cost"] is not None else self.cost
            self.bound = event["bound"] if event["bound"] is not None else self.bound
            self._set(min(1.0, event["seconds"] / event["limit_s"]))
            self.seconds_left = max(0.0, event["limit_s"] - event["seconds"])
        elif "say" in event:
            self.messages = [*self.messages, event["say"]][-MOST_MESSAGES:]
        elif "fault" in event:
            self.told, self.state = True, "failed"
            self.fault = Fault.model_validate(event["fault"])
        elif "done" in event or "stopped" in event:
            self.told = True
            self.state = "stopped" if event.get("stopped") else "done"
            if "done" in event:
                self._finish(now)
                self.cost, self.bound = event["cost"], event["bound"]
                self.holds = event["holds"]
        self.changes += 1

    def _finish(self, now: float) -> None:
        if self.steps:
            self.steps[-1] = self.steps[-1].model_copy(
                update={"share": 1.0, "done": True, "seconds": round(now - self.step_began, 2)}
            )

    def _share(self, done: float, now: float) -> None:
        self._set(done)
        self.seconds_left = None
        if done >= SURE_SHARE:
            self.seconds_left = round((now - self.step_began) * (1.0 - done) / done, 1)

    def _set(self, done: float) -> None:
        if self.steps:
            done = min(max(float(done), 0.0), 1.0)
            self.steps[-1] = self.steps[-1].model_copy(update={"share": done})


class Runs:
    """Runs of one project.

    Attributes
    ----------
    time_s : float or None
        Time limit of the search of the last run that was begun; None is the project's own.

    Parameters
    ----------
    folder : Path
        The project's folder.
    ended : callable
        Is called when a run is over.
    """

    def __init__(self, folder: Path, ended: Callable[[], object]) -> None:
        self.folder = folder
        self.time_s: float | None = None
        self._ended = ended
        self._run: _Run | None = None
        self._lock = threading.Lock()

    def start(self, request: RunRequest) -> RunInfo:
        """Begin a run.

        Raises
        ------
        Busy
            One is going on.
        """
        with self._lock:
            if self._run is not None and self._run.ended is None:
                raise Busy(
                    "a run is going on",
                    where=self.folder.name,
                    mend="wait for its end, or cancel it",
                )
            self.time_s = request.time_s
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "watchline.studio.worker",
                    str(self.folder),
                    request.start,
                    "again" if request.again else "",
                    "" if request.time_s is None else repr(request.time_s),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C in the studio's terminal is the studio's
            )
            run = self._run = _Run(request, process)
            threading.Thread(target=self._listen, args=(run,), daemon=True).start()
            return run.info()

    def listed(self) -> list[RunInfo]:
        """The run that goes on, or the last one; none before the first."""
        with self._lock:
            return [] if self._run is None else [self._run.info()]

    def current(self) -> RunInfo:
        """The run that goes on, or the last one.

        Raises
        ------
        NotThere
            There was none since the studio was opened.
        """
        if self._run is None:
            raise NotThere("there was no run yet", where=self.folder.name, mend="begin one")
        return self._run.info()

    def stop(self) -> RunInfo:
        """Cancel the run: the search ends, and the best plan is kept.

        Raises
        ------
        NotThere
            There was none since the studio was opened.
        """
        run = self._run
        info = self.current()
        with self._lock:
            if run is not None and run.ended is None and run.state == "running":
                run.state = "stopping"
                run.changes += 1
                with contextlib.suppress(ProcessLookupError):
                    run.process.send_signal(signal.SIGINT)
                info = run.info()
        return info

    def close(self) -> None:
        """Cancel the run and wait a while for its end."""
        run = self._run
        if run is None or run.ended is not None:
            return
        self.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.process.wait(PATIENCE_S)
        if run.process.poll() is None:
            run.process.kill()

    async def follow(self) -> AsyncIterator[RunInfo]:
        """The run as it goes on, until its end."""
        run = self._run
        if run is None:
            return
        seen, told = -1, 0.0
        while True:
            over = run.ended is not None
            if run.changes != seen or over or time.monotonic() - told > ALIVE_EVERY_S:
                seen, told = run.changes, time.monotonic()
                yield run.info()
            if over:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _listen(self, run: _Run) -> None:
        """Read what the process tells until it ends."""
        errors: list[str] = []
        assert run.process.stdout is not None and run.process.stderr is not None
        stderr = run.process.stderr
        reader = threading.Thread(target=lambda: errors.extend(stderr), daemon=True)
        reader.start()
        for line in run.process.stdout:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                run.hear(json.loads(line))
        code = run.process.wait()
        reader.join(1.0)
        if not run.told:
            stopped = run.state == "stopping"
            run.state = "stopped" if stopped else "failed"
            if not stopped:
                said = errors[-1].strip() if errors else f"exit code {code}"
                run.fault = Fault(
                    what="the run ended before its time",
                    where=said[:400],
                    mend="begin it again: finished steps are kept",
                )
        run.seconds_left = None
        with contextlib.suppress(WatchlineError):
            self._ended()  # what is wrong with the project's files is told when they are asked for
        run.ended = time.monotonic()
        run.changes += 1
