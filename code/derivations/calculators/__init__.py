"""Calculators of the book: settings in, numbers, warnings and a picture out, all of it fit for JSON.

A page of the book calls them in the reader's browser; in Python they are ordinary functions. What is slow to import
(matplotlib, SymPy) is imported inside the functions that need it, so that one calculator does not wait for another.
"""
from .curvature import curvature
from .weight_rms import weight_rms, weight_rms_figure

__all__ = ["curvature", "weight_rms", "weight_rms_figure"]
