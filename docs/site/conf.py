"""Settings of Sphinx for the site; `build.py` lays out the pages and calls it."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from forecast.version import __version__

project = "forecast"
author = "The forecast developers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_files"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
myst_number_code_blocks: list[str] = []
smartquotes = False
suppress_warnings = [
    "myst.header",  # a page may begin its sections with ###
    "ref.python",  # a name in single backquotes may be that of several methods
]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the table of parameters, as NumPy has them
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_preprocess_types = False
python_maximum_signature_line_length = 72
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
default_role = "py:obj"  # a name in single backquotes links to its place, if it has one

html_theme = "furo"
html_title = f"forecast {__version__}"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_extra_path = ["_files"]
html_show_sourcelink = html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5394",
        "color-brand-content": "#0b5394",
        "font-stack": 'system-ui, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif',
        "font-stack--monospace": 'ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace',
    },
    "dark_css_variables": {
        "color-brand-primary": "#8ab8e6",
        "color-brand-content": "#8ab8e6",
    },
}


def inline_formula(translator: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers draw without a script or a font from elsewhere."""
    translator.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def block_formula(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands by itself."""
    translator.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the formulas."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
