"""The tested package behind the course *Derivations You Can Run*.

Rooms
-----
``derivations.adamw``
    Schedules, the AdamW step, predictions and simulations of the weight RMS.
``derivations.riemann``
    Metrics, Christoffel symbols, curvature, geodesics and parallel transport.
``derivations.figures``
    Drawings: arrays in, a matplotlib ``Figure`` out.
``derivations.explore``
    Figures with sliders that answer in a notebook and on a static page.
``derivations.classroom``
    Assignments: what students' notebooks call, and what collects, grades and gives back.
``derivations.book``
    The Sphinx extension that builds the book.
``derivations.commands``
    The command line, ``derivations rms ...``.
"""
__version__ = "1.0.0"
