"""The inverse problem: which weight decay, or which learning rate, gives a weight RMS that one wants."""
import numpy as np

from . import _checks as check
from .estimators import equilibrium_rms, predict_weight_rms
from .schedules import Schedule, decay_schedule, require_schedule

__all__ = ["lr_for", "weight_decay_for"]

_LARGEST = 0.999  # of lr * weight_decay in one step; the search goes no further
_POINTS = 5  # a decade, of the search for a bracket
_TOLERANCE = 1e-10


def weight_decay_for(target_rms, schedule, **model):
    r"""Constant weight decay with which a run ends at a given weight RMS.

    Parameters
    ----------
    target_rms : float
        RMS that is wanted, positive.
    schedule : Schedule or float
        Learning rates of the run; or one constant learning rate, whose equilibrium is then meant.
    **model
        Further arguments of :func:`predict_weight_rms`, or of :func:`equilibrium_rms` for one learning rate. The
        method is ``"exact"`` by default.

    Returns
    -------
    float
        :math:`\lambda` to a relative accuracy of 1e-10, with :math:`\eta\lambda < 1` in every step. If several are at
        least a factor 1.6 apart, the largest.

    Raises
    ------
    ValueError
        If no such weight decay gives this RMS; the message says what was found instead.

    Notes
    -----
    Equation :eq:`eq-adamw-target` of the book is its leading order for linear and cosine schedules.

    Examples
    --------
    >>> from derivations.adamw import cosine, predict_weight_rms
    >>> schedule = cosine(1e-3, steps=20_000)
    >>> weight_decay = weight_decay_for(0.05, schedule, init_rms=0.02)
    >>> round(predict_weight_rms(schedule, weight_decay, init_rms=0.02), 6)
    0.05
    >>> round(weight_decay_for(0.0224, 5e-4, method="leading"), 3)
    0.498
    """
    target = _one("target_rms", target_rms)
    if isinstance(schedule, Schedule):
        highest = _LARGEST / _peak(schedule)
        # At the lower end kappa is 1e-9: less decay cannot be told from none.
        lowest = 1e-9 / float(schedule.kappa(1.0))
        return _solve(lambda decay: _rms(predict_weight_rms, schedule, decay, model), target, lowest, highest, "weight decay")
    lr = _one("schedule", schedule)
    highest = _LARGEST / lr
    lowest = 1e-6 * min(highest, lr / target**2)
    return _solve(lambda decay: _rms(equilibrium_rms, lr, decay, model), target, lowest, highest, "weight decay")


def lr_for(target_rms, schedule, weight_decay, **model):
    r"""Peak learning rate with which a run ends at a given weight RMS.

    Parameters
    ----------
    target_rms : float
        RMS that is wanted, positive.
    schedule : Schedule or None
        Shape of the learning rates; its own peak does not matter. None for a constant learning rate, whose equilibrium
        is then meant.
    weight_decay : float, array_like of shape (T,), or Schedule
        :math:`\lambda \ge 0`; for an equilibrium one positive number.
    **model
        Further arguments of :func:`predict_weight_rms`, or of :func:`equilibrium_rms` for None. The method is
        ``"exact"`` by default.

    Returns
    -------
    float
        The learning rate at the peak, to a relative accuracy of 1e-10. With a start above the equilibrium there can be
        several: a small rate which has not yet forgotten the start, and a larger one. This is the largest with
        :math:`\eta\lambda < 1` in every step, if they are at least a factor 1.6 apart.

    Raises
    ------
    ValueError
        If no such learning rate gives this RMS; the message says what was found instead.

    Examples
    --------
    >>> from derivations.adamw import cosine, predict_weight_rms
    >>> lr = lr_for(0.05, cosine(1.0, steps=20_000), weight_decay=0.1)
    >>> round(predict_weight_rms(cosine(lr, steps=20_000), 0.1), 6)
    0.05
    >>> round(lr_for(0.1, None, weight_decay=0.5, method="leading"), 6)
    0.01
    """
    target = _one("target_rms", target_rms)
    if schedule is None:
        decay = _one("weight_decay", weight_decay)
        guess = 2 * decay * target**2
        lowest, highest = _around(guess, _LARGEST / decay)
        return _solve(lambda lr: _rms(equilibrium_rms, lr, decay, model), target, lowest, highest, "learning rate")
    decay = decay_schedule(weight_decay, require_schedule(schedule).steps)
    shape = schedule.scaled(1 / _peak(schedule))
    fastest = float((shape.values * decay.values).max())
    # A random walk without decay needs the first rate, an equilibrium the second.
    guess = max(target / np.sqrt(float(shape.nu())), 2 * fastest * target**2)
    lowest, highest = _around(guess, _LARGEST / fastest if fastest > 0 else np.inf)
    return _solve(
        lambda lr: _rms(predict_weight_rms, shape.scaled(lr), decay, model), target, lowest, highest, "learning rate"
    )


def _around(guess, limit):
    """Interval of the search for a learning rate."""
    highest = min(limit, 1e4 * guess)
    return 1e-6 * min(highest, guess), highest


def _one(name, value):
    """``value`` as a positive float."""
    number = check.positive(name, value)
    if number.ndim:
        raise ValueError(f"{name} must be one number, got {name}={value!r}")
    return float(number)


def _rms(predict, lr, weight_decay, model):
    """One predicted RMS."""
    rms = predict(lr, weight_decay, **{"method": "exact"} | model)
    if np.ndim(rms):
        raise ValueError(f"the model must give one RMS, got an RMS of shape {np.shape(rms)} from {model!r}")
    return rms


def _peak(schedule):
    """Largest learning rate of the continuous schedule; it must be positive."""
    if schedule.peak == 0:
        raise ValueError("schedule must have a learning rate above 0")
    return schedule.peak


def _solve(rms, target, lowest, highest, what):
    """Largest x between the limits with rms(x) = target, or an error that tells what ``what`` can reach."""
    from scipy.optimize import brentq
    grid = np.geomspace(highest, lowest, max(2, round(_POINTS * np.log10(highest / lowest))))
    seen = [rms(grid[0])]
    for low, high in zip(grid[1:], grid):
        seen.append(rms(low))
        if (seen[-1] - target) * (seen[-2] - target) <= 0:
            log_x = brentq(lambda x: rms(np.exp(x)) - target, np.log(low), np.log(high), xtol=_TOLERANCE)
            return float(np.exp(log_x))
    raise ValueError(
        f"no {what} between {grid[-1]:.3g} and {grid[0]:.3g} gives target_rms={target}: "
        f"the RMS found there lies between {min(seen):.4g} and {max(seen):.4g}"
    )
