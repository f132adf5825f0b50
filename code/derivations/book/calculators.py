"""The calculators: their scripts and data, on their own pages and on no other.

A page holds a container with the calculator's id. The script fills it; without scripts the container's text stays.
Answers that are prepared are files of the site, each fetched when a reader asks for it.
"""
import json
from pathlib import Path

from ..calculators.curvature import page_data as curvature_data
from ..calculators.curvature import prepared_answers
from ..calculators.weight_rms import page_data as weight_rms_data

PAGES = {
    "chapters/adamw/calculator": ("calculator-weight-rms", weight_rms_data),
    "chapters/riemann/calculator": ("calculator-curvature", curvature_data),
}
"""For each page, the id of its container, which is also the name of its script, and the function with its data."""

FOLDER = "_static/curvature"
"""Folder of the prepared answers below the site's root."""


def data_block(name, data):
    """Write data as a block that a script can read, also on a page from disk, where it can fetch nothing.

    Parameters
    ----------
    name : str
        Id of the calculator's container.
    data : dict
        Fit for JSON.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> data_block("demo", {"text": "</script>"})
    '<script type="application/json" id="demo-data">{"text":"<\\\\/script>"}</script>'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return f'<script type="application/json" id="{name}-data">{text}</script>'


def add_calculator(app, pagename, templatename, context, doctree):
    """``html-page-context``: give a calculator's page its script, style and data."""
    if pagename not in PAGES or doctree is None:
        return
    name, data = PAGES[pagename]
    app.add_css_file("calculator.css")
    app.add_js_file("calculator.js", loading_method="defer")
    app.add_js_file(f"{name}.js", loading_method="defer")
    context["body"] += data_block(name, data())


def write_prepared(folder):
    """Write the curvature of each space of the catalogue.

    As scripts that hand an object to the page, not as JSON: those a page from disk can load, too.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, answer in prepared_answers().items():
        text = json.dumps(answer, separators=(",", ":"), allow_nan=False)
        written.append(folder / f"{name}.js")
        written[-1].write_text(f"derivationsCurvature({json.dumps(name)},{text});\n", "utf8")
    for old in set(folder.glob("*.js")) - set(written):    # of a space that is gone
        old.unlink()
    return written


def write(app, exception):
    """``build-finished``: write the prepared answers."""
    if exception is None and app.builder.format == "html" and set(PAGES) & app.env.found_docs:
        write_prepared(Path(app.outdir) / FOLDER)


def setup(app):
    """Connect this module's steps to the Sphinx build."""
    app.connect("html-page-context", add_calculator)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
