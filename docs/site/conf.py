"""Settings of Sphinx for the site; `build.py` lays out the pages and calls it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.ext.napoleon import Config, NumpyDocstring

from forecast.version import __version__

project = "forecast"
author = "The forecast developers"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_files"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
myst_number_code_blocks: list[str] = []
smartquotes_action = "D"  # dashes; quotation marks stay as they are written
suppress_warnings = [
    "myst.header",  # a page may begin its sections with ###
    "ref.python",  # a name in single backquotes may be that of several methods
]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # types stand in the table of parameters, as NumPy has them
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 72
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
default_role = "py:obj"  # a name in single backquotes links to its place, if it has one

pygments_dark_style = "github-dark"
html_theme = "furo"
html_title = f"forecast {__version__}"
# The font of formulas comes with ziamath; many systems have none with mathematical tables.
html_static_path = ["style.css", str(files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf")]
html_css_files = ["style.css"]
html_extra_path = ["_files"]
html_show_sourcelink = html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5394",
        "color-brand-content": "#0b5394",
        "font-stack": 'system-ui, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif',
        "font-stack--monospace": 'ui-monospace, Menlo, "DejaVu Sans Mono", monospace',
    },
    "dark_css_variables": {
        "color-brand-primary": "#8ab8e6",
        "color-brand-content": "#8ab8e6",
    },
}


def formula(text: str, display: Literal["inline", "block"]) -> str:
    """Return a formula as MathML, which browsers draw without a script."""
    # A tilde is no relation to MathML, and gets no room.
    return convert(text, display=display).replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")


def inline_formula(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(formula(node.astext(), "inline"))
    raise nodes.SkipNode


def block_formula(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands by itself."""
    translator.body.append(f'<div class="formula">{formula(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def from_numpy(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Turn a NumPy docstring into fields.

    That of a property is read as that of a method: as an attribute's, all before its first colon
    would be taken for a type.
    """
    kind = "method" if what in ("attribute", "data", "property") else what
    read = NumpyDocstring(
        lines,
        Config(napoleon_use_ivar=True, napoleon_use_rtype=False),
        app,
        kind,
        name,
        thing,
        options,
    )
    lines[:] = read.lines()


def without_private(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, back: Any
) -> tuple[str, None] | None:
    """Leave out the signature of a class that is made by others, never by hand."""
    return ("", None) if what == "class" and signature and "(_" in signature else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the formulas, and call attributes what NumPy calls so."""
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.connect("autodoc-process-docstring", from_numpy)
    app.connect("autodoc-process-signature", without_private)
    app.add_html_math_renderer("mathml", (inline_formula, None), (block_formula, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
