"""What solving takes beside the caller's matrix, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from watchline.design.cover.freed import give_back

MOST_BYTES = 9.0
"""Peak memory beyond the caller's arrays for each matrix entry: 5.4 when this was written. One copy
of the matrix would be 4 more, windows stated in full 7 more."""


def long_line(groups=600, poses=40, rows=12_000, reach_rows=900):
    """Arguments of ``cover``: each pose sees an unbroken span of the rows near its group."""
    rng = np.random.default_rng(1)
    size = rng.integers(150, reach_rows, groups * poses)
    middle = np.repeat(np.linspace(0, rows, groups), poses).astype(int)
    first = np.clip(middle - rng.integers(0, size), 0, rows - size)
    indptr = np.concatenate([[0], np.cumsum(size)])
    indices = np.arange(indptr[-1]) + np.repeat(first - indptr[:-1], size)
    # One entry in ten is hidden, so that rows differ from their neighbours.
    hidden = rng.random(rows * 31) < 0.1
    seen = ~hidden[indices + rows * (np.repeat(np.arange(len(size)) // poses, size) % 31)]
    indptr = np.concatenate([[0], np.cumsum(np.add.reduceat(seen, indptr[:-1]))])
    indices = indices[seen].astype(np.int32)
    demand = np.minimum(np.bincount(indices, minlength=rows), 1 + (np.arange(rows) % 5 == 0))
    arguments = (
        rng.integers(20, 60, len(size)).astype(float),
        (indptr, indices),
        demand.astype(np.int32),
        np.repeat(np.arange(groups, dtype=np.int32), poses),
    )
    return arguments, {"group_costs": rng.integers(150, 400, groups).astype(float)}


def status_kb(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists() or not give_back(), reason="not glibc's memory"
)
def test_freed_memory_between_blocks_in_use_goes_back_to_the_system():
    blocks = [np.ones(8_000) for _ in range(4_000)]
    kept = blocks[::2]
    del blocks
    before = status_kb("VmRSS")
    give_back()
    # What was freed earlier in this process may go back too.
    assert before - status_kb("VmRSS") > 0.8 * len(kept) * 8_000 * 8 / 1024


def measure():
    """Print the line's entries, the peak beyond what was there before for each, and the windows."""
    from watchline.design.cover import cover
    from watchline.design.cover.solve import _compile

    _compile()
    arguments, options = long_line()
    Path("/proc/self/clear_refs").write_text("5")
    before = status_kb("VmRSS")
    solution = cover(*arguments, time_limit=600, work_limit=3000, **options)
    peak = status_kb("VmHWM")
    entries = len(arguments[1][1])
    print(json.dumps([entries, 1024 * (peak - before) / entries, len(solution.price_windows)]))


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="no /proc to read the peak memory from"
)
def test_solving_a_long_line_takes_little_more_than_its_matrix():
    made = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    entries, each, windows = json.loads(made.stdout.splitlines()[-1])
    assert entries > 8_000_000
    assert windows > 3
    assert each < MOST_BYTES


if __name__ == "__main__":
    measure()
