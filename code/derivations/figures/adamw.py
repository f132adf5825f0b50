"""Drawings for the AdamW chapters."""
from .style import COLORS, new_figure, styled

__all__ = ["equilibrium_parts", "equilibrium_ratio", "weight_rms"]

_LINES = ["-", "--", "-.", ":"]
_MARKERS = ["o", "s", "^", "D"]


@styled
def weight_rms(steps, curves, *, points=None, level=None, log=False, limits=None):
    """Weight RMS against the step.

    Parameters
    ----------
    steps : array_like, shape (K,)
        Steps at which the curves are given.
    curves : dict of str to array_like, shape (K,)
        Legend text and weight RMS of each line; at most four.
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
    figure, axes = new_figure()
    if level is not None:
        axes.axhline(level, color=COLORS["grey"], linewidth=1, linestyle=(0, (1, 2)), label="equilibrium")
    for (label, rms), color, line in zip(curves.items(), ("blue", "orange", "green", "purple"), _LINES):
        axes.plot(steps, rms, color=COLORS[color], linestyle=line, label=label)
    for (label, run), marker in zip((points or {}).items(), _MARKERS):
        axes.errorbar(
            run.steps, run.trajectory, yerr=2 * run.standard_errors, color="#000000", linestyle="none",
            marker=marker, markersize=3.5, markerfacecolor="none", elinewidth=0.8, label=label,
        )
    if log:
        axes.set(xscale="log", yscale="log")
        axes.minorticks_off()
    axes.set(xlabel="step", ylabel="weight RMS", xlim=(1 if log else 0, steps[-1]), ylim=limits)
    axes.legend(loc="lower right")
    return figure


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
