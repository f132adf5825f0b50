"""Drawings for the AdamW chapters, which find the plots for any curves here, too."""
from .plots import curves, intervals, stacked
from .style import COLORS, new_figure, styled

__all__ = ["curves", "equilibrium_parts", "equilibrium_ratio", "intervals", "ladder", "stacked", "weight_rms"]


@styled
def ladder(names, steps, changes, totals):
    """Chain of predictions from the best to the coarsest: what each step drops, and what that costs.

    Parameters
    ----------
    names : sequence of str, length K
        The predictions, from top to bottom.
    steps : sequence of str, length K - 1
        What is given up between two neighbours; may have two lines.
    changes : array_like, shape (K - 1,)
        Relative change of the mean square by each step.
    totals : array_like, shape (K,)
        Relative error of the mean square of each prediction.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths do not fit.

    Examples
    --------
    >>> figure = ladder(["exact", "mean field"], ["averages"], [0.1], [0.0, 0.1])
    >>> [text.get_text() for text in figure.axes[0].texts][:5]
    ['error', 'exact', '+0.0 %', 'mean field', '+10.0 %']
    """
    if not len(names) == len(totals) == len(steps) + 1 == len(changes) + 1:
        raise ValueError(f"steps and changes must be one shorter than names and totals, got {len(names)} names")
    figure, axes = new_figure(height=0.4 + 0.72 * len(names))
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.65))
    axes.axis("off")
    axes.text(0.99, -0.52, "error", ha="right", va="center")
    for row, (name, total) in enumerate(zip(names, totals)):
        box = dict(boxstyle="round,pad=0.35", facecolor="none", edgecolor=COLORS["blue"], linewidth=1.4)
        axes.text(0.03, row, name, ha="left", va="center", bbox=box)
        axes.text(0.99, row, _percent(total), ha="right", va="center", fontweight="bold")
    for row, (step, change) in enumerate(zip(steps, changes)):
        # From box to box: the arrow stands below the beginning of the names.
        axes.annotate(
            "", (0.09, row + 0.76), (0.09, row + 0.24), arrowprops=dict(arrowstyle="->", color=COLORS["grey"], linewidth=1.2),
        )
        axes.text(0.14, row + 0.5, step, ha="left", va="center", fontsize=8, linespacing=0.95)
        axes.text(0.82, row + 0.5, _percent(change), ha="right", va="center", fontsize=8)
    return figure


def _percent(number):
    """A relative number as text, in per cent."""
    percent = 100 * number
    return (f"{percent:+.1f} %" if abs(percent) < 99.95 else f"{percent:+.0f} %").replace("-", "−")


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
