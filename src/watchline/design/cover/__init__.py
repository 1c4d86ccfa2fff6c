"""Least-cost (multi-)covering with fixed charges, on plain arrays, with a proven bound."""

from watchline.design.cover.certificate import make_certificate
from watchline.design.cover.problem import CoverProblem, make_problem
from watchline.design.cover.solution import CoverSolution, LogEntry
from watchline.design.cover.solve import cover

__all__ = ["CoverProblem", "CoverSolution", "LogEntry", "cover", "make_certificate", "make_problem"]
