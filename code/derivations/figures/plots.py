"""Plots that chapters of all strands use: curves, stacked panels, rows of values."""
import numpy as np

from .style import COLORS, new_figure, styled

__all__ = ["curves", "flow", "intervals", "stacked"]

_COLORS = [COLORS[name] for name in ("blue", "orange", "green", "purple", "red")]
_LINES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1))]
_MARKERS = ["o", "s", "^", "D", "v"]
_LEVELS = [(0, (1, 2)), (0, (4, 3)), (0, (6, 2, 1, 2))]
_MARKS = [(0, (3, 1, 1, 1)), (0, (8, 3)), (0, (1, 1))]  # not those of the levels: a legend may hold both


@styled
def curves(
    x, lines, *, xlabel, ylabel, points=None, levels=None, band=None, marks=None, log="", limits=None, xlimits=None,
    legend="best",
):
    """Curves over one variable, with measured points, levels and a band.

    Parameters
    ----------
    x : array_like, shape (K,)
        Where the lines are given.
    lines : dict of str to array_like, shape (K,)
        Legend text and values of each line; at most five, which differ in colour and in dash pattern. NaN leaves a gap.
    xlabel, ylabel : str
        Texts of the axes.
    points : dict of str to (x, y) or (x, y, error), optional
        Legend text and measurements; bars of two ``error`` are drawn.
    levels : dict of str to float, optional
        Legend text and height of horizontal lines; at most three.
    band : (lower, upper, label), optional
        Two arrays of shape (K,) between which the ground is shaded, and the legend text.
    marks : dict of str to float, optional
        Legend text and place of vertical lines; at most three.
    log : {"", "x", "y", "xy"}
        Axes that are logarithmic.
    limits, xlimits : pair of float, optional
        Ends of the axes; without ``xlimits`` those of ``x``.
    legend : str or None
        Place of the legend as matplotlib calls it, None for no legend. In a live figure name a place: "best" jumps.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more lines, points, levels or marks than can be told apart, or ``log`` is another text.

    Examples
    --------
    >>> figure = curves([1, 2, 3], {"rate": [3, 2, 1]}, xlabel="step", ylabel="learning rate", levels={"half": 1.5})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['half', 'rate']
    """
    figure, axes = new_figure()
    draw_panel(
        axes, x, lines, ylabel=ylabel, points=points, levels=levels, band=band, marks=marks, log=log, limits=limits,
        xlimits=xlimits, legend=legend,
    )
    axes.set_xlabel(xlabel)
    return figure


@styled
def stacked(x, panels, *, xlabel, xlimits=None, log=False, height=4.2):
    """Panels below one another that share their horizontal axis.

    Parameters
    ----------
    x : array_like, shape (K,)
        Where the lines of all panels are given.
    panels : list of dict
        For each panel the arguments of :func:`curves` that belong to it: ``lines``, ``ylabel``, and if wanted
        ``points``, ``levels``, ``band``, ``marks``, ``log`` ("" or "y"), ``limits``, ``legend``.
    xlabel : str
        Text below the lowest panel.
    xlimits : pair of float, optional
        Ends of the horizontal axis.
    log : bool
        Whether the horizontal axis is logarithmic.
    height : float
        Of the whole figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        As :func:`curves` does.

    Examples
    --------
    >>> upper, lower = dict(lines={"rate": [2, 1]}, ylabel="rate"), dict(lines={"RMS": [1, 3]}, ylabel="RMS")
    >>> len(stacked([1, 2], [upper, lower], xlabel="step").axes)
    2
    """
    figure, every = new_figure(height=height, nrows=len(panels), sharex=True, squeeze=False)
    for axes, panel in zip(every[:, 0], panels):
        vertical = panel.get("log", "")
        draw_panel(axes, x, **{**panel, "log": ("x" if log else "") + vertical, "xlimits": xlimits})
    every[-1, 0].set_xlabel(xlabel)
    return figure


@styled
def flow(boxes, arrows, *, height=4.2):
    """Boxes with text, and arrows between them: what depends on what.

    Parameters
    ----------
    boxes : dict of str to (column, row)
        Text of each box, and where its middle is; rows count downwards.
    arrows : sequence of (str, str)
        The texts of the boxes at both ends.
    height : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If an arrow names a box that is not there.

    Examples
    --------
    >>> figure = flow({"metric": (0, 0), "geodesics": (0, 1)}, [("metric", "geodesics")])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['metric', 'geodesics', '']
    """
    unknown = [name for pair in arrows for name in pair if name not in boxes]
    if unknown:
        raise ValueError(f"arrows must join boxes, got {unknown[0]!r}, which is none")
    figure, axes = new_figure(height=height)
    columns, rows = zip(*boxes.values())
    axes.set(xlim=(min(columns) - 0.55, max(columns) + 0.55), ylim=(max(rows) + 0.4, min(rows) - 0.4))
    axes.axis("off")
    for text, (column, row) in boxes.items():
        box = dict(boxstyle="round,pad=0.4", facecolor="none", edgecolor=COLORS["blue"], linewidth=1.4)
        axes.text(column, row, text, ha="center", va="center", bbox=box)
    for start, end in arrows:
        (x0, y0), (x1, y1) = boxes[start], boxes[end]
        sideways = y0 == y1
        reach = np.sign(x1 - x0) * 0.34 if sideways else np.sign(y1 - y0) * 0.27
        ends = ((x0 + reach, y0), (x1 - reach, y1)) if sideways else ((x0, y0 + reach), (x1, y1 - reach))
        axes.annotate("", ends[1], ends[0], arrowprops=dict(arrowstyle="->", color=COLORS["grey"], linewidth=1.2))
    return figure


@styled
def intervals(names, groups, *, xlabel, log=False, limits=None, level=None, legend="best", height=None):
    """Values with error bars, one row for each name: a table to look at.

    Parameters
    ----------
    names : sequence of str
        Text of each row, from top to bottom.
    groups : dict of str to (values,) or (values, errors)
        Legend text and one value for each row, shape (K,); bars of two ``errors`` are drawn. At most five. NaN leaves
        the place empty.
    xlabel : str
        Text of the axis.
    log : bool
        Whether the axis is logarithmic.
    limits : pair of float, optional
        Ends of the axis.
    level : float, optional
        Place of a vertical line, such as 0 for errors.
    legend : str or None
        Place of the legend, as for :func:`curves`.
    height : float, optional
        In inches; without it, it grows with the number of rows.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than five groups.

    Examples
    --------
    >>> figure = intervals(["exact", "mean field"], {"cosine": ([0.1, 20], [0.05, 0.05])}, xlabel="error in %", log=True)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['exact', 'mean field']
    """
    _few("groups", groups, 5)
    figure, axes = new_figure(height=height or 1.1 + 0.3 * len(names))
    if level is not None:
        axes.axvline(level, color=COLORS["grey"], linewidth=1, linestyle=_LEVELS[0])
    for place, ((label, group), color, marker) in enumerate(zip(groups.items(), _COLORS, _MARKERS)):
        # Side by side within a row, so that no marker hides another.
        rows = [row + 0.14 * (place - (len(groups) - 1) / 2) for row in range(len(names))]
        axes.errorbar(
            group[0], rows, xerr=None if len(group) == 1 else [2 * error for error in group[1]], color=color,
            linestyle="none", marker=marker, markersize=4.5, elinewidth=1, label=label,
        )
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel=xlabel)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(limits)
    if legend is not None and len(groups) > 1:
        axes.legend(loc=legend)
    return figure


def draw_panel(
    axes, x, lines, *, ylabel, points=None, levels=None, band=None, marks=None, log="", limits=None, xlimits=None,
    legend="best",
):
    """What one panel of :func:`curves` or :func:`stacked` shows."""
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f'log must be "", "x", "y" or "xy", got log={log!r}')
    points, levels, marks = points or {}, levels or {}, marks or {}
    for name, given, most in (("lines", lines, 5), ("points", points, 5), ("levels", levels, 3), ("marks", marks, 3)):
        _few(name, given, most)
    if band is not None:
        axes.fill_between(x, band[0], band[1], color=COLORS["grey"], alpha=0.25, linewidth=0, label=band[2])
    for (label, height), dash in zip(levels.items(), _LEVELS):
        axes.axhline(height, color=COLORS["grey"], linewidth=1, linestyle=dash, label=label)
    for (label, place), dash in zip(marks.items(), _MARKS):
        axes.axvline(place, color=COLORS["grey"], linewidth=1, linestyle=dash, label=label)
    for (label, y), color, dash in zip(lines.items(), _COLORS, _LINES):
        axes.plot(x, y, color=color, linestyle=dash, label=label)
    for (label, point), marker in zip(points.items(), _MARKERS):
        error = None if len(point) == 2 else 2 * np.asarray(point[2])
        axes.errorbar(
            point[0], point[1], yerr=error, color="#000000", linestyle="none", marker=marker, markersize=3.5,
            markerfacecolor="none", elinewidth=0.8, label=label,
        )
    axes.set(xscale="log" if "x" in log else "linear", yscale="log" if "y" in log else "linear")
    if log:
        axes.minorticks_off()
    axes.set(ylabel=ylabel, xlim=(x[0], x[-1]) if xlimits is None else xlimits, ylim=limits)
    if legend is not None:
        axes.legend(loc=legend)


def _few(name, given, most):
    if len(given) > most:
        raise ValueError(f"{name} must be at most {most}, or they cannot be told apart, got {len(given)}")
