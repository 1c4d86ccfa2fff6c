"""What a person who waits is told: in lines where nothing can be drawn over."""

import io
import math
import time

import pytest
from rich.console import Console

from watchline.cli import screen as screens
from watchline.cli.screen import Screen, standing


@pytest.mark.parametrize(
    ("cost", "bound", "said"),
    [
        (math.inf, 0.0, "no plan yet"),
        (math.inf, 500.0, "no plan yet  bound 500"),
        (1000.0, None, "cost 1,000"),
        (1000.0, 0.0, "cost 1,000"),
        (1000.0, 800.0, "cost 1,000  bound 800  gap 20.0%"),
        (1000.0, 1000.0, "cost 1,000  bound 1,000  gap 0.0%"),
        (600.0, 800.0, "covers 600 rows  at most 800  gap 25.0%"),
    ],
)
def test_where_a_search_stands(cost, bound, said):
    assert standing(cost, bound) == said


def test_cost_bound_and_gap_are_told_as_they_move(monkeypatch):
    monkeypatch.setattr(screens, "LINE_EVERY_S", 0.02)
    screen = Screen(as_json=True, quiet=False)
    screen.errors.file = out = io.StringIO()
    assert isinstance(screen.errors, Console)
    with screen:
        screen.step("plan")
        for cost, bound in ((1000.0, 500.0), (900.0, 600.0), (900.0, 600.0)):
            screen.search(1.0, 10.0, cost, bound)
            time.sleep(0.15)
        screen.step("proof")
        time.sleep(0.1)
    lines = [line for line in out.getvalue().splitlines() if " s: " in line]
    assert len(lines) == 2
    assert "cost 1,000  bound 500  gap 50.0%" in lines[0]
    assert "cost 900  bound 600  gap 33.3%" in lines[1]


def test_the_share_that_is_done_is_told_where_there_is_no_search(monkeypatch):
    monkeypatch.setattr(screens, "LINE_EVERY_S", 0.02)
    screen = Screen(as_json=True, quiet=False)
    screen.errors.file = out = io.StringIO()
    with screen:
        screen.step("paths")
        for done in (0.25, 0.5):
            screen.share(done)
            time.sleep(0.15)
    lines = [line for line in out.getvalue().splitlines() if " s: " in line]
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["25%", "50%"]


def test_quiet_tells_nothing(monkeypatch):
    monkeypatch.setattr(screens, "LINE_EVERY_S", 0.01)
    screen = Screen(as_json=True, quiet=True)
    screen.errors.file = out = io.StringIO()
    with screen:
        screen.step("plan")
        screen.search(1.0, 10.0, 1000.0, 500.0)
        time.sleep(0.05)
    assert out.getvalue() == ""
