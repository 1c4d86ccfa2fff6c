"""What a person sees of a running verb: progress and sentences on stderr, tables at the end."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table

JSON_OPTION = typer.Option(False, "--json", help="Print data as JSON on stdout.")
LINE_EVERY_S = 3.0
"""Where nothing can be drawn over, the search writes a line this often, if something changed."""
QUIET_OPTION = typer.Option(False, "--quiet", "-q", help="No progress on stderr.")
DEVICE_OPTION = typer.Option(
    "cpu", "--device", help="Where lines of sight are computed: cpu, gpu, or auto (gpu if any)."
)


class Screen:
    """Listener of the chain that draws progress with time left on stderr.

    Parameters
    ----------
    as_json : bool
        Data goes to stdout as JSON; tables are not drawn.
    quiet : bool
        Nothing is drawn on stderr while running.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.errors = Console(stderr=True, quiet=quiet, highlight=False)
        self.output = Console(highlight=False, soft_wrap=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=14),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True)),
            console=self.errors,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._began = 0.0
        self._standing = ""
        self._over = threading.Event()

    def __enter__(self) -> Screen:
        if not self.quiet:
            self._progress.start()
            if not self.errors.is_terminal:
                threading.Thread(target=self._tell, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._finish()
        self._progress.stop()

    def step(self, name: str, detail: str = "") -> None:
        """A step begins: the one before it gets its tick and its seconds."""
        self._finish()
        self._name, self._began, self._standing = name, time.perf_counter(), ""
        self._task = self._progress.add_task(name.ljust(11), total=1.0, detail=detail)

    def share(self, done: float) -> None:
        """The running step is done to this share."""
        if self._task is not None:
            self._progress.update(self._task, completed=done)
            self._standing = f"{done:.0%}"

    def search(
        self, seconds: float, limit_s: float, cost: float | None, bound: float | None
    ) -> None:
        """The search stands here; its time limit gives the time left."""
        if self._task is None:
            return
        detail = "" if cost is None else standing(cost, bound)
        done = min(1.0, seconds / limit_s)
        self._progress.update(self._task, completed=done, detail=detail)
        self._standing = detail

    def _tell(self) -> None:
        """Where nothing can be drawn over: a line now and then of where the step stands."""
        told = ""
        while not self._over.wait(LINE_EVERY_S):
            if self._standing and self._standing != told:
                told = self._standing
                seconds = time.perf_counter() - self._began
                self.errors.print(f"  {self._name} {seconds:.0f} s: {self._standing}")

    def say(self, sentence: str) -> None:
        """A sentence for the person who waits."""
        self.errors.print(f"  {sentence}", style="dim")

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=1.0)
            self._progress.stop_task(self._task)
            self._task = None

    def data(self, value: Any) -> None:
        """Data as JSON on stdout."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def table(self, table: Table) -> None:
        """A table on stdout."""
        self.output.print(table)

    def line(self, text: str = "") -> None:
        """A line on stdout, never wrapped."""
        self.output.print(text, soft_wrap=True, markup=False)


def standing(cost: float, bound: float | None) -> str:
    """Where a search stands: cost, bound and gap, or what a budget covers and could cover at most.

    Parameters
    ----------
    cost : float
        Best cost; infinite before the first plan.
    bound : float or None
        Best bound. Above the cost it is that of a search within a budget: both count rows then.
    """
    if not math.isfinite(cost):
        return "no plan yet" + (f"  bound {bound:,.0f}" if bound else "")
    if bound is None or bound <= 0:
        return f"cost {cost:,.0f}"
    if bound > cost * (1.0 + 1e-9):
        return f"covers {cost:,.0f} rows  at most {bound:,.0f}  gap {(bound - cost) / bound:.1%}"
    return f"cost {cost:,.0f}  bound {bound:,.0f}  gap {(cost - bound) / cost:.1%}"
