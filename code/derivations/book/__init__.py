"""The Sphinx extension of the book: add ``derivations.book`` to ``extra_extensions`` and build as usual.

One module a concern:

``execution``
    Runs the chapters in parallel into an execution cache whose name depends on ``code/`` and the requirements.
``pages``
    Scripts and styles of the site, small repairs of the theme's HTML.
``maths``
    Formulas: MathML written while the book is built, or MathJax.
``styles``
    One style sheet for the whole site, with only the rules and icons in use.
``notebooks``
    Writes each chapter as a runnable ``.ipynb`` file.
``live``
    Python in the reader's browser: the packages as wheels, the button *Run live*.
``assignments``
    The assignments' cards and downloads: students' versions only.
``calculators``
    The calculators' scripts and data, on their own pages.
``rooms``
    The rooms of the package and the arrows between them, for the page *How it is built*.
``sharing``
    Descriptions, cards for shared links, sitemap; what needs the address of the site.
``exercises``
    Exercises that the page checks: the directive ``try-it``.
``offline``
    The service worker, the manifest, the site as a zip file, the page for unknown addresses.
``links``
    From each equation to the function that computes it; tables of the reference.
``names``
    Names of equations and theorems, for the index and the search.
``status``
    The page of the build's status.
``terms``
    Definitions of the glossary beside the links to them.
``pdf``
    No part of the build: prints the built site.
"""
from . import (
    assignments, calculators, execution, exercises, links, live, maths, names, notebooks, offline, pages, rooms, sharing,
    status, terms,
)


def setup(app):
    """Register the extension's parts with Sphinx (called by Sphinx)."""
    for part in (execution, pages, maths, notebooks, live, assignments, calculators, exercises, links, names, status, terms,
                 rooms, sharing, offline):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
