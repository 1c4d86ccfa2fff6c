"""The PDF's source: Typst, with the same content and order as the page."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from watchline.report import palette, words
from watchline.report.content import Content
from watchline.report.reasons import Reasons
from watchline.report.sheets import Sheet


def typst_string(text: str) -> str:
    """A text as a Typst string literal, so that nothing in it is read as markup."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "")
    return f'"{escaped}"'


def typst_plain(text: str) -> str:
    """A text within Typst markup."""
    return f"#{typst_string(text)}"


def render_typst(
    content: Content,
    sheets: Sequence[Sheet],
    strip_text: str,
    relief_note: str,
    sheet_note: str,
    templates: dict[str, str],
    *,
    search: bool,
    reasons: Reasons | None = None,
) -> str:
    """Render the Typst source of the PDF."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        # Typst's own braces and hashes collide with the usual marks.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # No HTML here: every text passes through `ts` instead.
        autoescape=False,
    )
    environment.filters["ts"] = typst_string
    environment.filters["plain"] = typst_plain
    return environment.get_template("report.typ.j2").render(
        content=content,
        sheets=sheets,
        strip_text=strip_text,
        relief_note=relief_note,
        sheet_note=[sheet_note] if sheet_note else [],
        search=search,
        reasons=reasons,
        colours=palette.LIGHT,
        verdicts=tuple(words.VERDICT_SHAPES),
    )
