"""What a weight remembers: the share of each past update in it, and of each past gradient."""
import numpy as np

from . import _checks as check
from .moments import bias, first_order_recursion
from .schedules import decay_schedule, require_schedule

__all__ = ["gradient_weights", "update_weights"]


def update_weights(schedule, weight_decay):
    r"""Share of each update in the weight after the last step.

    .. math:: w_{T,i} = \frac{e^{\kappa_i}\eta_i}{z_T} , \qquad
       z_T = \sum_{i=1}^T e^{\kappa_i}\eta_i , \qquad
       \kappa_i = \sum_{k=1}^i \eta_k\lambda_k .

    Parameters
    ----------
    schedule : Schedule
        Learning rate :math:`\eta_i` of each step; :math:`T` steps.
    weight_decay : float, array_like of shape (T,), or Schedule
        :math:`\lambda_i \ge 0`: constant, one value per step, or a function of the step.

    Returns
    -------
    numpy.ndarray, shape (T,)
        Numbers >= 0 without unit, which sum to 1; that of step ``i + 1`` at position ``i``.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the learning rate is 0 in every step.

    Notes
    -----
    Equation :eq:`eq-adamw-schedule-weights` of the book, for the weight :eq:`eq-adamw-schedule-unrolled`, computed as
    :math:`e^{\kappa_i - \kappa_T}\eta_i / \sum_k e^{\kappa_k - \kappa_T}\eta_k`: no exponent is positive, and nothing
    overflows. :math:`\kappa` is the sum over the steps, not the integral that :meth:`Schedule.kappa
    <derivations.adamw.Schedule.kappa>` returns.

    Examples
    --------
    Without decay a share is proportional to its learning rate; with decay the late ones count more:

    >>> from derivations.adamw.schedules import constant, linear
    >>> update_weights(linear(0.5, steps=5), 0.0)
    array([0.4, 0.3, 0.2, 0.1, 0. ])
    >>> update_weights(constant(0.5, steps=3), 2 * np.log(2)).round(3)    # each shrinks the earlier ones by 2
    array([0.143, 0.286, 0.571])
    """
    lr = require_schedule(schedule).values
    decay = lr * decay_schedule(weight_decay, schedule.steps).values
    later = np.zeros_like(decay)
    later[:-1] = np.cumsum(decay[:0:-1])[::-1]  # kappa_T - kappa_i, summed from the end: no digits cancel
    weights = np.exp(-later) * lr
    total = weights.sum()
    if total == 0:
        raise ValueError("schedule must have a positive learning rate in some step, got 0 in all of them")
    return weights / total


def gradient_weights(schedule, weight_decay, beta, bias_correction=False):
    r"""Share of each gradient in the weighted mean of the running means.

    .. math:: \bar\beta(j, T) = (1 - \beta)\sum_{i=j}^T w_{T,i}\,\beta^{i-j} , \qquad
       \sum_{j=1}^T \bar\beta(j, T) = 1 - \sum_{i=1}^T w_{T,i}\,\beta^i .

    Parameters
    ----------
    schedule : Schedule
        Learning rate of each step; :math:`T` steps.
    weight_decay : float, array_like of shape (T,), or Schedule
        As in :func:`update_weights`, which gives :math:`w_{T,i}`.
    beta : float
        Averaging constant in [0, 1): :math:`\beta_1` for the gradients in :math:`\bar m_T`, :math:`\beta_2` for
        their squares in :math:`\bar v_T`.
    bias_correction : bool
        Whether the mean is one of :math:`\hat m_i = m_i/(1 - \beta^i)` instead of :math:`m_i`. Then

        .. math:: \bar\beta(j, T) = \sum_{i=j}^T w_{T,i}\,\frac{1 - \beta}{1 - \beta^i}\,\beta^{i-j} , \qquad
           \sum_{j=1}^T \bar\beta(j, T) = 1 .

    Returns
    -------
    numpy.ndarray, shape (T,)
        Numbers >= 0 without unit; that of step ``j + 1`` at position ``j``.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the learning rate is 0 in every step.

    Notes
    -----
    Equation :eq:`eq-adamw-beta-bar` of the book, by the backward recursion :math:`\bar\beta(j, T) = (1 - \beta)\,w_{T,j}
    + \beta\,\bar\beta(j + 1, T)` in :math:`O(T)` operations; sum by sum it would take :math:`O(T^2)`.

    Examples
    --------
    >>> from derivations.adamw.schedules import constant
    >>> gradient_weights(constant(0.1, steps=2), 0.0, beta=0.5)
    array([0.375, 0.25 ])
    >>> gradient_weights(constant(0.1, steps=2), 0.0, beta=0.5, bias_correction=True).round(4)
    array([0.6667, 0.3333])
    """
    number = check.finite("beta", beta)
    if number.ndim or not 0 <= number < 1:
        raise ValueError(f"beta must be one number in [0, 1), got beta={beta!r}")
    number = float(number)
    weights = update_weights(schedule, weight_decay)
    if check.flag("bias_correction", bias_correction):
        weights = weights / bias(number, weights.size)
    backwards = first_order_recursion(np.full(weights.size, number), (1 - number) * weights[::-1])
    return backwards[::-1]
