"""Formulas as MathML, which browsers draw themselves: no script, no network, no LaTeX."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx


def mathml(latex: str, *, block: bool) -> str:
    """Formula in LaTeX as a MathML element.

    Parameters
    ----------
    latex : str
        The formula.
    block : bool
        Whether it stands in a paragraph of its own.

    Raises
    ------
    docutils.utils.math.MathError
        LaTeX that docutils does not know.
    """
    tree = latex2mathml.tex2mathml(latex, as_block=block)
    return str(tree)


def visit_math(self: Any, node: nodes.math) -> None:
    """Draw a formula within a line."""
    self.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    """Draw a formula in a paragraph of its own."""
    self.body.append(f'<div class="math-block">{mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
