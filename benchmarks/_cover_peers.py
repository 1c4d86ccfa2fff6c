"""The other programs of the least-cost benchmark: HiGHS, CP-SAT, pycft, and the textbook bound."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from scipy import sparse

from _corridor import Instance


def _strong_model(instance: Instance):
    """Return HiGHS with the textbook model: x ≤ y for each pose."""
    import highspy

    n, m = len(instance.costs), len(instance.mount_costs)
    rows = len(instance.demand)
    cover = sparse.csc_array(
        (np.ones(len(instance.indices)), instance.indices, instance.indptr), shape=(rows, n)
    )
    link = sparse.csc_array(
        (np.ones(n), (np.arange(n), instance.mount.astype(np.int64))), shape=(n, m)
    )
    matrix = sparse.block_array(
        [[cover, sparse.csc_array((rows, m))], [-sparse.eye_array(n), link]], format="csc"
    )
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = n + m, rows + n
    model.col_cost_ = np.concatenate([instance.costs, instance.mount_costs])
    model.col_lower_, model.col_upper_ = np.zeros(n + m), np.ones(n + m)
    model.row_lower_ = np.concatenate([instance.demand, np.zeros(n)]).astype(float)
    model.row_upper_ = np.full(rows + n, highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    return model


def by_highs(instance: Instance, seconds: float) -> dict[str, float]:
    """Solve the textbook model with HiGHS."""
    import highspy

    began = time.process_time()
    model = _strong_model(instance)
    model.integrality_ = [highspy.HighsVarType.kInteger] * model.num_col_
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", float(seconds))
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    return {
        "cost": float(info.objective_function_value),
        "bound": float(info.mip_dual_bound),
        "cpu": time.process_time() - began,
    }


def strong_bound(instance: Instance, seconds: float) -> dict[str, float]:
    """Return the value of the textbook relaxation, by row generation with HiGHS.

    Working rows grow by those that the relaxed choice violates. The value of the last relaxation
    is a lower limit of the whole one's, within the stated violation.
    """
    import highspy

    began = time.process_time()
    n, m = len(instance.costs), len(instance.mount_costs)
    rng = np.random.default_rng(0)
    cover = sparse.csc_array(
        (np.ones(len(instance.indices), np.float32), instance.indices, instance.indptr),
        shape=(len(instance.demand), n),
    ).tocsr()
    rows = np.sort(rng.permutation(np.flatnonzero(instance.demand))[:600])
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    value, worst = 0.0, 1.0
    link = sparse.csr_array(
        (np.ones(n), (np.arange(n), instance.mount.astype(np.int64))), shape=(n, m)
    )
    solver.addVars(n + m, np.zeros(n + m), np.ones(n + m))
    every = np.arange(n + m, dtype=np.int32)
    solver.changeColsCost(
        n + m, every, np.concatenate([instance.costs, instance.mount_costs]).astype(float)
    )
    linked = sparse.hstack([-sparse.eye_array(n), link]).tocsr()
    inf = highspy.kHighsInf

    def add(matrix, low):
        solver.addRows(
            matrix.shape[0],
            np.asarray(low, float),
            np.full(matrix.shape[0], inf),
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data.astype(float),
        )

    add(linked, np.zeros(n))
    add(cover[rows], instance.demand[rows])
    while time.process_time() - began < seconds:
        solver.run()
        value = float(solver.getInfo().objective_function_value)
        x = np.asarray(solver.getSolution().col_value)[:n]
        lack = instance.demand - cover @ x
        worst = float(lack.max())
        wrong = np.flatnonzero(lack > 0.01)
        if len(wrong) == 0:
            break
        more = rng.permutation(wrong)[:600]
        add(cover[more], instance.demand[more])
    return {"bound": value, "violation": worst, "cpu": time.process_time() - began}


def by_cpsat(instance: Instance, seconds: float) -> dict[str, float]:
    """Solve with CP-SAT: linearization_level 2 and 8 workers, without which it proves nothing."""
    from ortools.sat.python import cp_model

    began = time.process_time()
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in instance.costs]
    y = [model.new_bool_var("") for _ in instance.mount_costs]
    for j, mount in enumerate(instance.mount):
        model.add_implication(x[j], y[mount])
    order = np.argsort(instance.indices, kind="stable")
    column = np.repeat(np.arange(len(x)), np.diff(instance.indptr))[order]
    edge = np.searchsorted(instance.indices[order], np.arange(len(instance.demand) + 1))
    for row, need in enumerate(instance.demand):
        if need == 1:
            model.add_bool_or([x[j] for j in column[edge[row] : edge[row + 1]]])
        elif need > 1:
            model.add(sum(x[j] for j in column[edge[row] : edge[row + 1]]) >= int(need))
    model.minimize(
        cp_model.LinearExpr.weighted_sum(x + y, [*instance.costs, *instance.mount_costs])
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 8
    solver.parameters.linearization_level = 2
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return {
        "cost": solver.objective_value if found else float("inf"),
        "bound": solver.best_objective_bound,
        "cpu": time.process_time() - began,
    }


def read_orlib(path: Path) -> tuple[np.ndarray, list[np.ndarray], int]:
    """Read an OR-Library set-covering file: costs, rows of each column, number of rows."""
    numbers = np.array(path.read_text().split(), np.int64)
    rows, columns = int(numbers[0]), int(numbers[1])
    if path.stem.startswith("rail"):
        costs, lists, place = np.empty(columns), [], 2
        for j in range(columns):
            costs[j], count = numbers[place], int(numbers[place + 1])
            lists.append(numbers[place + 2 : place + 2 + count] - 1)
            place += 2 + count
        return costs, lists, rows
    costs, place = numbers[2 : 2 + columns].astype(float), 2 + columns
    members: list[list[int]] = [[] for _ in range(columns)]
    for row in range(rows):
        count = int(numbers[place])
        for j in numbers[place + 1 : place + 1 + count]:
            members[j - 1].append(row)
        place += 1 + count
    return costs, [np.array(m) for m in members], rows


def orlib_by_pycft(path: Path, unit: bool, seconds: float) -> dict[str, float]:
    """Solve an OR-Library file with pycft."""
    from pycft import SetCoverSolver

    costs, columns, _ = read_orlib(path)
    costs = np.ones(len(costs)) if unit else costs
    began = time.process_time()
    solver = SetCoverSolver()
    for cost, column in zip(costs, columns, strict=True):
        solver.add_set([int(i) for i in column], cost=float(cost))
    solver.solve(seed=0, time_limit=seconds, verbose=0)
    chosen = list(solver.get_solution())
    return {"cost": float(costs[chosen].sum()), "cpu": time.process_time() - began}
