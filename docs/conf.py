"""How Sphinx builds the documentation; nothing is fetched from the network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from watchline.version import __version__  # noqa: E402

project = "watchline"
author = "The watchline developers"
copyright = "The watchline developers"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "catalogue_table",
    "mathml",
    "reference",
]
exclude_patterns = ["_build", "_ext"]
html_theme = "furo"
html_title = f"watchline {version}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["watchline.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
