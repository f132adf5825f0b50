"""The Sphinx extension of the book: add ``derivations.book`` to ``extra_extensions`` and build as usual.

One module a concern:

``execution``
    Runs the chapters in parallel into an execution cache whose name depends on ``code/`` and the requirements.
``pages``
    Scripts and styles of the site, self-hosted MathJax, small repairs of the theme's HTML.
``notebooks``
    Writes each chapter as a runnable ``.ipynb`` file.
"""
from . import execution, notebooks, pages


def setup(app):
    """Register the extension's parts with Sphinx (called by Sphinx)."""
    for part in (execution, pages, notebooks):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
