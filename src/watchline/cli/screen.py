"""What a person sees of a running verb: progress and sentences on stderr, tables at the end."""

from __future__ import annotations

import json
import sys
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

    def __enter__(self) -> Screen:
        if not self.quiet:
            self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._finish()
        self._progress.stop()

    def step(self, name: str, detail: str = "") -> None:
        """A step begins: the one before it gets its tick and its seconds."""
        self._finish()
        self._name, self._began = name, time.perf_counter()
        self._task = self._progress.add_task(name.ljust(11), total=1.0, detail=detail)

    def share(self, done: float) -> None:
        """The running step is done to this share."""
        if self._task is not None:
            self._progress.update(self._task, completed=done)

    def search(
        self, seconds: float, limit_s: float, cost: float | None, bound: float | None
    ) -> None:
        """The search stands here; its time limit gives the time left."""
        if self._task is None:
            return
        detail = ""
        if cost is not None:
            detail = f"cost {cost:,.0f}"
            if bound is not None and bound > 0:
                detail += f"  bound {bound:,.0f}  gap {(cost - bound) / cost:.1%}"
        done = min(1.0, seconds / limit_s)
        self._progress.update(self._task, completed=done, detail=detail)

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
