"""The certificate of a plan's bound: problem, choice and prices, for a checker that trusts none."""

from __future__ import annotations

from watchline.design.choose import Problem, bounded_demand, cover_arguments
from watchline.design.cover import CoverSolution
from watchline.design.cover.certificate import make_certificate
from watchline.design.cover.problem import make_problem
from watchline.model.candidates import Candidates
from watchline.model.certificate import Certificate, CoverArrays
from watchline.model.plan import Plan, plan_digest
from watchline.model.site import Site


def certify(
    site: Site, candidates: Candidates, problem: Problem, solution: CoverSolution, plan: Plan
) -> Certificate:
    """What proves the bound: the problem that it is a bound of, the choice and the prices."""
    arguments = cover_arguments(site, candidates, problem, bounded_demand(site, problem.rows))
    if arguments["budget"] is not None:
        # Within a budget what stays uncovered is one class, as the solver has it.
        arguments |= {"row_class": None, "allowed_uncovered": None}
    made = make_problem(**arguments)
    arrays = CoverArrays(
        costs=made.costs,
        indptr=made.indptr,
        indices=made.indices,
        demand=made.demand,
        groups=made.group,
        group_costs=made.group_costs,
        sites=made.site,
        row_cap=made.row_cap,
        row_weight=made.row_weight,
        row_class=made.row_class,
        allowed_uncovered=made.allowed,
        capacity=made.capacity,
        budget=made.budget,
    )
    return Certificate(
        arrays=arrays,
        content=make_certificate(made, solution),
        requirements=tuple(r.name for r in problem.rows.requirements),
        currency=plan.currency,
        cell_m=site.zone.cell_m,
        round_=0,
        plan_sha256=plan_digest(plan),
        plan_cost=plan.cost,
        plan_bound=plan.lower_bound,
    )
