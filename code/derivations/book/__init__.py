"""The Sphinx extension of the book: add ``derivations.book`` to ``extra_extensions`` and build as usual.

One module a concern:

``execution``
    Runs the chapters in parallel into an execution cache whose name depends on ``code/`` and the requirements.
``pages``
    Scripts and styles of the site, small repairs of the theme's HTML.
``maths``
    Formulas: MathML written while the book is built, or MathJax.
``notebooks``
    Writes each chapter as a runnable ``.ipynb`` file.
``live``
    Python in the reader's browser: the packages as wheels, the button *Run live*.
``assignments``
    The assignments' cards and downloads: students' versions only.
``calculators``
    The calculators' scripts and data, on their own pages.
``exercises``
    Exercises that the page checks: the directive ``try-it``.
"""
from . import assignments, calculators, execution, exercises, live, maths, notebooks, pages


def setup(app):
    """Register the extension's parts with Sphinx (called by Sphinx)."""
    for part in (execution, pages, maths, notebooks, live, assignments, calculators, exercises):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
