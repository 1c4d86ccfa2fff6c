"""The report: what people read and take away, as one page and as a PDF."""

from watchline.report.page import build_report

__all__ = ["build_report"]
