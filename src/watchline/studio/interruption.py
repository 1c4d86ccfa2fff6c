"""Claims on interruption of edited plans: judged in the background, by what a plan places.

A study of the weakest paths takes seconds, an edit must be answered at once. So a process of its
own (:mod:`watchline.studio.judge`) takes the plans that are asked for, one at a time, when their
editing rests; the newest state of a plan replaces what was asked of it before. What it finds is
kept by the plan's digest: a figure can only be shown for the plan that it was found for, and is
there at once when undo leads back to it.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from watchline.breach.claims import claims_not_judged
from watchline.errors import WatchlineError
from watchline.model.breach import DrawnPath, Interruption
from watchline.model.plan import Plan
from watchline.model.proof import Claim
from watchline.model.site import Site
from watchline.model.terrain import Terrain

MOST_KEPT = 256
"""States of plans whose claims are kept; those found longest ago are let go first."""
IDLE_S = 120.0
"""After this time without a plan to judge the process ends; the next one begins another."""
MEND = "save the plan, and `watchline prove` judges it"


@dataclass(frozen=True)
class Standing:
    """How the claims on interruption of a plan stand.

    Attributes
    ----------
    claims : tuple of Claim
        Unknown where they are not judged, with the reason as their detail.
    along : DataFrame or None
        Their shares along the line, where they are judged.
    waits : str
        What they wait for, in words; empty where they wait for nothing.
    paths : tuple of DrawnPath
        The weakest paths, where they are judged.
    """

    claims: tuple[Claim, ...]
    along: pd.DataFrame | None = None
    waits: str = ""
    paths: tuple[DrawnPath, ...] = ()


@dataclass
class _Job:
    name: str
    plan: Plan
    digest: str
    due: float
    share: float = field(default=0.0)


class Interruptions:
    """Claims on interruption of a site's plans.

    Attributes
    ----------
    changes : int
        Grows whenever something that :meth:`standing` tells may be new.

    Parameters
    ----------
    site : Site
        What is asked.
    terrain : callable
        Gives the ground, when a plan is judged first.
    """

    def __init__(self, site: Site, terrain: Callable[[], Terrain]) -> None:
        self.changes = 0
        self._site = site
        self._terrain = terrain
        self._known: OrderedDict[str, Standing] = OrderedDict()
        self._waiting: dict[str, _Job] = {}
        self._job: _Job | None = None
        self._number = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: list[str] = []
        self._letters: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._over = False
        self._lock = threading.Condition()

    def standing(self, digest: str) -> Standing:
        """How the claims of a plan stand that places what the digest says."""
        if self._site.defence is None:
            return Standing(())
        with self._lock:
            if digest in self._known:
                return self._known[digest]
            waits = self._waits_for(digest)
        why = f"being judged: {waits}" if waits else f"not judged yet: {MEND}"
        return Standing(claims_not_judged(self._site, why), waits=waits)

    def _waits_for(self, digest: str) -> str:
        job = self._job
        if job is not None and job.digest == digest:
            done = f", {job.share:.0%} of the sight lines are traced" if job.share else ""
            return f"the weakest paths are sought{done}"
        if not any(one.digest == digest for one in self._waiting.values()):
            return ""
        return "it begins when the editing rests" if job is None else "another plan is judged first"

    def put(self, digest: str, found: Interruption) -> None:
        """Keep what was found elsewhere for a plan of this digest."""
        with self._lock:
            self._keep(digest, _stands(found))

    def ask(self, name: str, plan: Plan, digest: str, rest_s: float = 0.0) -> None:
        """Have a plan judged, if it is not judged yet; replaces what was asked under its name.

        Parameters
        ----------
        name : str
            Name of the plan.
        plan : Plan
            The plan.
        digest : str
            What it places.
        rest_s : float
            How long nothing else must be asked under this name before it is judged.
        """
        if self._site.defence is None:
            return
        with self._lock:
            if self._over:
                return
            asked = self._waiting.get(name)
            if asked is not None and asked.digest == digest:
                return
            replaced = self._waiting.pop(name, None) is not None
            job = self._job
            if job is not None and job.name == name and job.digest != digest:
                self._letters.put(pickle.dumps((self._number, None)))
            new = digest not in self._known and (job is None or job.digest != digest)
            if new:
                self._waiting[name] = _Job(name, plan, digest, time.monotonic() + rest_s)
            if new or replaced:
                self.changes += 1
            if self._thread is None and self._waiting:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._lock.notify_all()

    def rest(self, name: str, rest_s: float) -> None:
        """Begin nothing of a plan for a while: an edit of it came, and is being answered."""
        with self._lock:
            if name in self._waiting:
                self._waiting[name].due = time.monotonic() + rest_s

    def close(self) -> None:
        """Judge nothing any more."""
        with self._lock:
            self._over = True
            self._waiting.clear()
            self._lock.notify_all()
            self._end()

    def _keep(self, digest: str, found: Standing) -> None:
        self._known[digest] = found
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        self.changes += 1

    def _work(self) -> None:
        """Judge what is asked for, until it is over."""
        while (job := self._next()) is not None:
            try:
                found = self._judged(job)
            except WatchlineError as error:
                found = self._not_judged(error.sentence)
            except (OSError, EOFError, pickle.PickleError):
                found = self._broken()
            with self._lock:
                self._job = None
                if found is not None:
                    self._keep(job.digest, found)
                self.changes += 1

    def _next(self) -> _Job | None:
        """The plan that was asked for last among those whose editing rests; None at the end."""
        with self._lock:
            while not self._over:
                now = time.monotonic()
                due = [job for job in self._waiting.values() if job.due <= now]
                if due:
                    self._job = max(due, key=lambda job: job.due)
                    del self._waiting[self._job.name]
                    self._number += 1
                    return self._job
                first = min((job.due for job in self._waiting.values()), default=now + IDLE_S)
                if not self._lock.wait(max(0.0, first - now)) and not self._waiting:
                    self._end()
        return None

    def _end(self) -> None:
        """Let the process go: while nobody edits it would only hold memory."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _judged(self, job: _Job) -> Standing | None:
        """What the process finds; None where it was stopped."""
        process = self._begun()
        assert process.stdout is not None
        self._letters.put(pickle.dumps((self._number, job.plan)))
        while True:
            message: dict[str, Any] = pickle.load(process.stdout)
            if message["number"] != self._number:
                continue
            if "share" in message:
                job.share = message["share"]
                self.changes += 1
            elif "found" in message:
                return _stands(message["found"])
            elif "fault" in message:
                return self._not_judged(message["fault"])
            else:
                return None

    def _begun(self) -> subprocess.Popen[bytes]:
        """The process, begun if it does not run."""
        process = self._process
        if process is not None and process.poll() is None:
            return process
        terrain = self._terrain()
        process = subprocess.Popen(
            [sys.executable, "-m", "watchline.studio.judge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the studio's terminal is the studio's
        )
        with self._lock:
            if self._over:
                process.kill()
            self._process = process
        self._said = []
        threading.Thread(target=self._listen, args=(process, self._said), daemon=True).start()
        self._letters = queue.SimpleQueue()
        self._letters.put(pickle.dumps((self._site, terrain)))
        threading.Thread(target=self._post, args=(process, self._letters), daemon=True).start()
        return process

    @staticmethod
    def _listen(process: subprocess.Popen[bytes], said: list[str]) -> None:
        """Keep the last line of what the process complains of."""
        assert process.stderr is not None
        for line in process.stderr:
            said[:] = [line.decode(errors="replace").strip()] if line.strip() else said

    @staticmethod
    def _post(process: subprocess.Popen[bytes], letters: queue.SimpleQueue[bytes]) -> None:
        """Write what the process is to read: nobody else waits while it still begins."""
        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            while process.poll() is None:
                process.stdin.write(letters.get())
                process.stdin.flush()

    def _broken(self) -> Standing:
        """What is told where the process ended before its time; the next job begins another."""
        process, self._process = self._process, None
        code = None if process is None else process.wait()
        said = self._said[-1][:200] if self._said else f"exit code {code}"
        return self._not_judged(f"the process that judges it ended before its time ({said})")

    def _not_judged(self, why: str) -> Standing:
        what = why.rstrip(".")
        return Standing(claims_not_judged(self._site, f"not judged: {what}; {MEND}"))


def _stands(found: Interruption) -> Standing:
    return Standing(found.claims, found.along, paths=found.paths)
