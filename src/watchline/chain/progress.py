"""Progress of the chain: what a step tells, whoever listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Listener of the chain; the command line draws it, tests record it."""

    def step(self, name: str, detail: str = "") -> None:
        """A step begins."""

    def share(self, done: float) -> None:
        """The running step is done to this share, 0–1."""

    def search(
        self, seconds: float, limit_s: float, cost: float | None, bound: float | None
    ) -> None:
        """The search for the least cost stands here."""

    def say(self, sentence: str) -> None:
        """Something that a person should know."""


class Silent:
    """A listener that hears nothing."""

    def step(self, name: str, detail: str = "") -> None:
        """Ignore."""

    def share(self, done: float) -> None:
        """Ignore."""

    def search(
        self, seconds: float, limit_s: float, cost: float | None, bound: float | None
    ) -> None:
        """Ignore."""

    def say(self, sentence: str) -> None:
        """Ignore."""
