"""One look for all figures: readable on a phone, on white and on dark ground, and without colour.

Text, axes and ticks are pure black (``#000000``) on a transparent ground. The site replaces that black by the
colour of the page's text, so a figure follows light and dark mode. Data colours are mid-tones whose contrast is at
least 3:1 against white *and* against the dark page; lines differ in dash pattern as well as in colour.
"""
import functools

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["COLORS", "RC", "new_figure", "styled"]

COLORS = {
    "blue": "#3b82d6",
    "orange": "#d9731a",
    "green": "#2f9e44",
    "purple": "#a35ccf",
    "red": "#e0484d",
    "grey": "#808a94",
}
"""Colours of the figures by name."""

RC = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": "#000000",
    "axes.edgecolor": "#000000",
    "axes.labelcolor": "#000000",
    "xtick.color": "#000000",
    "ytick.color": "#000000",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "mathtext.fontset": "dejavusans",
    "axes.prop_cycle": mpl.cycler(color=list(COLORS.values()))
    + mpl.cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 3))]),
}
"""Settings of matplotlib that all figures share."""


def styled(draw):
    """Decorate a drawing function: everything it creates (legends, texts, ...) gets the style of the book.

    Examples
    --------
    >>> @styled
    ... def ring(radius):
    ...     figure, axes = new_figure()
    ...     axes.plot([0, radius], [0, 0], label="radius")
    ...     axes.legend()
    ...     return figure
    >>> ring(2.0).axes[0].get_legend().get_frame_on()
    False
    """
    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        with mpl.rc_context(RC):
            return draw(*args, **kwargs)
    return wrapper


def new_figure(width=4.2, height=3.0, **subplots):
    """Make an empty figure in the style of the book.

    Parameters
    ----------
    width, height : float
        Size in inches. Keep the width at 4.2: on a phone 320 pixels wide its 9 pt text is then about 8 pixels high.
        Put panels below one another, not side by side.
    **subplots
        Passed on to ``matplotlib.figure.Figure.subplots``.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Not registered with pyplot: nothing has to be closed.
    axes : matplotlib.axes.Axes or numpy.ndarray of them

    Examples
    --------
    >>> figure, axes = new_figure(nrows=2)
    >>> axes.shape
    (2,)
    """
    with mpl.rc_context(RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(**subplots)
    return figure, axes
