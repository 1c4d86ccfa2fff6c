"""Ctrl-C during a run: noted at once, wherever it comes, and the best choice is the answer."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from cover_cases import core_line

from watchline.design.cover import cover, make_problem
from watchline.design.cover import solve as solve_module
from watchline.design.cover.interruption import noted
from watchline.design.cover.raising import divide_beside, finish_exactly
from watchline.design.cover.run import Run
from watchline.design.cover.seeking import first

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def press():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def python_listens():
    """Python's own handler of Ctrl-C: a shell's background hands on that SIGINT is ignored."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.fixture
def run():
    return Run.begun(make_problem([1.0], [[0]], [1]), 1.0)


def test_a_first_one_is_noted_and_a_second_one_raised(run):
    with noted(run):
        press()
        time.sleep(0.01)
        assert run.interrupted
        with pytest.raises(KeyboardInterrupt):
            run.done()
        with pytest.raises(KeyboardInterrupt):
            press()
            time.sleep(1.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_listens_already_is_told_as_before(run):
    heard = []
    usual = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with noted(run):
            press()
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert heard == [True]
    assert not run.interrupted


def test_another_thread_gets_no_signals_and_needs_no_handler(run):
    done = []

    def work():
        with noted(run):
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]


class Last:
    """Something whose end takes a moment, in which Ctrl-C comes: Python ignores what is raised."""

    def __del__(self):
        press()
        for _ in range(1000):
            pass


def hard_case(seed):
    """Plain covering that HiGHS does not settle in a minute."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((150, 500)) < 0.06
    matrix[np.arange(150), rng.integers(0, 500, 150)] = True
    costs = rng.integers(90, 110, 500).astype(float)
    return costs, [np.flatnonzero(column) for column in matrix.T], np.ones(150, int)


def test_one_in_a_finalizer_is_not_lost():
    calls = []

    def progress(seconds, cost, bound):
        calls.append(seconds)
        if len(calls) == 3:
            Last()

    began = time.monotonic()
    solution = cover(*hard_case(1), time_limit=60, progress=progress)
    assert len(calls) >= 3
    assert solution.interrupted
    assert solution.status == "feasible"
    assert time.monotonic() - began < 10


def test_highs_ends_soon_after_it():
    run = Run.begun(make_problem(*hard_case(2)), None)
    run.time_limit = 60.0
    first(run, None)
    timer = threading.Timer(3.0, press)
    timer.start()
    with noted(run), pytest.raises(KeyboardInterrupt):
        finish_exactly(run, 10**9)
    assert run.interrupted
    assert 3.0 <= run.seconds < 10.0


def test_search_and_windows_end_soon_after_it(monkeypatch):
    for limit in ("TINY", "SMALL", "MIDDLE"):
        monkeypatch.setattr(solve_module, limit, 0)
    began = []

    def divided(run, *rest):
        began.append(run.seconds)
        timer = threading.Timer(1.0, press)
        timer.start()
        divide_beside(run, *rest)

    monkeypatch.setattr(solve_module, "divide_beside", divided)
    case = core_line()
    solution = cover(*case.arguments(), time_limit=25, **case.options)
    assert solution.interrupted
    assert solution.status == "feasible"
    assert began[0] + 1 <= solution.seconds < min(began[0] + 5, 20)
