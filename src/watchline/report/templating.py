"""How every page's template is filled: texts escaped, and a missing name a fault."""

from __future__ import annotations

import jinja2


def page_template(templates: dict[str, str], name: str) -> jinja2.Template:
    """One of the pages' templates, ready to be rendered.

    Parameters
    ----------
    templates : dict of str to str
        From :func:`watchline.io.report.report_templates`; one may take parts of another.
    name : str
        Its file name.
    """
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
