"""Drawings for the AdamW chapters."""
import numpy as np

from .style import COLORS, new_figure, styled

__all__ = ["curves", "equilibrium_parts", "equilibrium_ratio", "intervals", "stacked", "weight_rms"]

_COLORS = [COLORS[name] for name in ("blue", "orange", "green", "purple", "red")]
_LINES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1))]
_MARKERS = ["o", "s", "^", "D", "v"]
_LEVELS = [(0, (1, 2)), (0, (4, 3)), (0, (6, 2, 1, 2))]


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
    _draw(
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
        _draw(axes, x, **{**panel, "log": ("x" if log else "") + vertical, "xlimits": xlimits})
    every[-1, 0].set_xlabel(xlabel)
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


def _draw(
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
    for (label, place), dash in zip(marks.items(), _LEVELS):
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


@styled
def weight_rms(steps, lines, *, points=None, level=None, log=False, limits=None):
    """Weight RMS against the step.

    Parameters
    ----------
    steps : array_like, shape (K,)
        Steps at which the curves are given.
    lines : dict of str to array_like, shape (K,)
        Legend text and weight RMS of each line; at most five.
    points : dict of str to SimulationResult, optional
        Legend text and measurement (anything with ``steps``, ``trajectory`` and ``standard_errors``); bars of two
        standard errors are drawn.
    level : float, optional
        Weight RMS at which a horizontal line marks the equilibrium.
    log : bool
        Whether both axes are logarithmic.
    limits : pair of float, optional
        Lower and upper end of the RMS axis.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = weight_rms([1, 2, 3], {"formula": [0.1, 0.2, 0.25]}, level=0.3)
    >>> figure.axes[0].get_ylabel()
    'weight RMS'
    """
    measured = {
        label: (run.steps, run.trajectory, run.standard_errors) for label, run in (points or {}).items()
    }
    return curves(
        steps, lines, points=measured, levels=None if level is None else {"equilibrium": level},
        log="xy" if log else "", limits=limits, xlimits=(1 if log else 0, steps[-1]), xlabel="step",
        ylabel="weight RMS", legend="lower right",
    )


@styled
def equilibrium_parts(ratios, noise, mean, total, crossing, limits):
    r"""Equilibrium of the weight RMS against the mean gradient, and the two parts it is made of.

    Parameters
    ----------
    ratios : array_like, shape (K,)
        Mean over standard deviation of the gradient, :math:`\mu/\sigma`.
    noise, mean, total : array_like, shape (K,)
        Root of the noise part and of the mean part of the mean square, and the RMS itself.
    crossing : float
        Ratio at which both parts are equal.
    limits : pair of float
        Lower and upper end of the RMS axis.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = equilibrium_parts([0.1, 1.0], [1, 1], [0.1, 1], [1, 1.4], crossing=1.0, limits=(0.1, 2))
    >>> figure.axes[0].get_xscale()
    'log'
    """
    figure, axes = new_figure()
    # Only up to the middle: the legend stands above.
    axes.axvline(crossing, ymax=0.55, color=COLORS["grey"], linewidth=1, linestyle=(0, (1, 2)), label="parts are equal")
    axes.plot(ratios, noise, color=COLORS["blue"], linestyle="--", label="noise part")
    axes.plot(ratios, mean, color=COLORS["orange"], linestyle="-.", label="mean part")
    axes.plot(ratios, total, color="#000000", linestyle="-", label="weight RMS")
    axes.set(xscale="log", yscale="log", xlim=(ratios[0], ratios[-1]), ylim=limits)
    axes.minorticks_off()
    axes.set(xlabel="mean of the gradient / its standard deviation", ylabel="RMS at equilibrium")
    axes.legend(loc="upper left")
    return figure


@styled
def equilibrium_ratio(decay, frozen, corrected, point, limits):
    r"""Mean square at equilibrium, divided by :math:`\eta/(2\lambda)`, against the decay per step.

    Parameters
    ----------
    decay : array_like, shape (K,)
        Decay per step, :math:`\eta\lambda`.
    frozen, corrected : array_like, shape (K,)
        The ratio for a frozen denominator, and the same times the noise factor.
    point : (decay, ratio, standard_error)
        One measured value; a bar of two standard errors is drawn.
    limits : pair of float
        Lower and upper end of the ratio's axis.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = equilibrium_ratio([0.01, 0.1], [0.9, 0.6], [0.88, 0.58], (0.05, 0.7, 0.01), (0, 1.2))
    >>> len(figure.axes[0].lines) >= 4
    True
    """
    figure, axes = new_figure()
    axes.axhline(1, color=COLORS["grey"], linewidth=1, linestyle=(0, (1, 2)), label="leading order")
    axes.plot(decay, frozen, color=COLORS["blue"], linestyle="-", label="frozen denominator")
    axes.plot(decay, corrected, color=COLORS["orange"], linestyle="--", label="times noise factor")
    axes.errorbar(
        point[0], point[1], yerr=2 * point[2], color="#000000", marker="o", markersize=4, linestyle="none",
        elinewidth=1, capsize=2, markerfacecolor="none", label="simulation",
    )
    axes.set(xscale="log", xlim=(decay[0], decay[-1]), ylim=limits)
    axes.minorticks_off()
    axes.set(xlabel="learning rate × weight decay", ylabel="mean square / leading order")
    axes.legend(loc="lower left")
    return figure
