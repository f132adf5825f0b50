"""The approximations of the derivation, from the double sum over past gradients down to the mean field.

Each function takes the run and returns a :class:`~derivations.adamw.moments.LinearResponse`. They share what the
derivation drops at its start: :math:`1 - \\eta\\lambda` has become :math:`e^{-\\eta\\lambda}`, the bias correction and the
cross term :math:`E[\\theta_0]\\mu` are gone.
"""
import math

import numpy as np

from ._checks import DoesNotApply
from .moments import LinearResponse, first_order_recursion, momentum_variance

__all__ = [
    "closed_form_response",
    "constant_response",
    "double_sum_response",
    "integral_response",
    "mean_field_response",
    "ode_response",
    "single_sum_response",
]

_MOST_SUBSTEPS = 50_000_000
_BLOCK = 100_000  # steps
_NODES = 8  # Gauss-Legendre nodes within one step, which resolve exp(2 lr weight_decay s) up to:
_MOST_PER_STEP = 3.0


def double_sum_response(schedule, decay, beta1):
    r"""Response of the general formula: the double sum over steps and past gradients.

    .. math::

        Z_t = \sum_{i \le t} e^{\kappa_i - \kappa_t} \eta_i , \qquad
        V_t = \sum_{j \le t} \Bigl[ (1 - \beta_1) \sum_{i=j}^{t} e^{\kappa_i - \kappa_t} \beta_1^{i-j} \eta_i \Bigr]^2 .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.
    beta1 : float
        Averaging constant of the momentum.

    Returns
    -------
    LinearResponse

    Notes
    -----
    :math:`V_t` is the variance of :math:`\theta_t = e^{-\eta_t\lambda_t}\theta_{t-1} - \eta_t m_t` for gradients of
    variance 1, which takes :math:`O(T)` operations for all :math:`t` together; term by term it would take
    :math:`O(T^2)` for the last :math:`t` alone.

    Examples
    --------
    >>> from derivations.adamw.schedules import constant, decay_schedule
    >>> double_sum_response(constant(1.0, 2), decay_schedule(0.0, 2), beta1=0.5).variance
    array([0.25  , 0.8125])
    """
    lr = schedule.values
    log_shrink = -lr * decay.values
    shrink = np.exp(log_shrink)
    return LinearResponse(
        decay=np.exp(np.cumsum(log_shrink)),
        drift=first_order_recursion(shrink, lr),
        variance=momentum_variance(shrink, lr, beta1),
        has_cross_term=False,
    )


def single_sum_response(schedule, decay):
    r"""Response for hyper-parameters that vary slowly against the momentum: one sum over steps.

    .. math::

        Z_t = \sum_{j \le t} e^{\kappa_j - \kappa_t} \eta_j , \qquad
        V_t = \sum_{j \le t} e^{2(\kappa_j - \kappa_t)} \eta_j^2 .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.

    Returns
    -------
    LinearResponse

    Examples
    --------
    >>> from derivations.adamw.schedules import constant, decay_schedule
    >>> single_sum_response(constant(0.5, 3), decay_schedule(0.0, 3)).variance
    array([0.25, 0.5 , 0.75])
    """
    lr = schedule.values
    log_shrink = -lr * decay.values
    return LinearResponse(
        decay=np.exp(np.cumsum(log_shrink)),
        drift=first_order_recursion(np.exp(log_shrink), lr),
        variance=first_order_recursion(np.exp(2 * log_shrink), lr**2),
        has_cross_term=False,
    )


def integral_response(schedule, decay):
    r"""Response with the sum replaced by an integral.

    .. math::

        Z_t = \int_0^t e^{\kappa_s - \kappa_t} \eta_s\,ds , \qquad
        V_t = \int_0^t e^{2(\kappa_s - \kappa_t)} \eta_s^2\,ds .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.

    Returns
    -------
    LinearResponse

    Raises
    ------
    DoesNotApply
        If :math:`\eta\lambda > 3` in some step.

    Notes
    -----
    Eight Gauss-Legendre nodes in every step, where both functions are smooth; then from step to step.

    Examples
    --------
    >>> from derivations.adamw.schedules import decay_schedule, linear
    >>> response = integral_response(linear(1.0, 4), decay_schedule(0.0, 4))
    >>> response.variance[-1].round(12)   # nu = eta^2 T / 3
    np.float64(1.333333333333)
    """
    largest = float((schedule.values * decay.values).max())
    if largest > _MOST_PER_STEP:
        raise DoesNotApply(f"method='integral' needs lr * weight_decay <= {_MOST_PER_STEP}, got up to {largest}")
    nodes, weights, to_end = _gauss_rule()
    kappa, drift, variance = np.empty((3, schedule.steps))
    for first in range(0, schedule.steps, _BLOCK):  # the nodes of all steps would need much memory
        block = slice(first, min(first + _BLOCK, schedule.steps))
        where = np.arange(block.start, block.stop)[:, np.newaxis] + nodes
        rate = schedule(where)
        exponent = rate * decay(where)
        left = exponent @ to_end.T  # kappa between a node and the end of its step
        kappa[block] = exponent @ weights
        drift[block] = (rate * np.exp(-left)) @ weights
        variance[block] = (rate**2 * np.exp(-2 * left)) @ weights
    return LinearResponse(
        decay=np.exp(-np.cumsum(kappa)),
        drift=first_order_recursion(np.exp(-kappa), drift),
        variance=first_order_recursion(np.exp(-2 * kappa), variance),
        has_cross_term=False,
    )


def ode_response(schedule, decay, substeps=None):
    r"""Response from the differential equations.

    .. math:: \dot Z = -\lambda_s\eta_s Z + \eta_s , \qquad \dot V = -2\lambda_s\eta_s V + \eta_s^2 .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.
    substeps : int, optional
        Integration steps within one step of the run; by default so many that :math:`\eta\lambda` per integration step
        is at most 1/50.

    Returns
    -------
    LinearResponse

    Raises
    ------
    DoesNotApply
        If the run would need more than 50 million integration steps.

    Notes
    -----
    Gauss's two-stage method of order 4, from E. Hairer, S. P. Norsett, G. Wanner, Solving ordinary differential
    equations I, section II.7. It never asks for a value at the end of a step, where the learning rate may jump; and
    because the equations are linear, each step is an affine map, so that all of them are computed at once.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> response = ode_response(constant(0.1, 1000), constant(0.5, 1000))
    >>> response.variance[-1].round(10)   # fixed point eta / (2 lambda)
    np.float64(0.1)
    """
    if substeps is None:
        largest = float((schedule.values * decay.values).max())
        if schedule.steps * max(1.0, 50 * largest) > _MOST_SUBSTEPS:
            raise DoesNotApply(
                f"method='ode' needs at most {_MOST_SUBSTEPS:,} integration steps, "
                f"got {schedule.steps} steps with lr * weight_decay up to {largest}"
            )
        substeps = max(1, math.ceil(50 * largest))
    width = 1 / substeps
    stages = 0.5 + np.sqrt(3) / 6 * np.array([-1.0, 1.0])
    where = width * (np.arange(schedule.steps * substeps)[:, np.newaxis] + stages)
    rate = schedule(np.minimum(where, schedule.steps))
    exponent = rate * decay(np.minimum(where, schedule.steps))
    shrink, drift = _gauss_step(width, exponent, rate)
    shrink2, variance = _gauss_step(width, 2 * exponent, rate**2)
    ends = slice(substeps - 1, None, substeps)
    return LinearResponse(
        decay=np.cumprod(shrink)[ends],
        drift=first_order_recursion(shrink, drift)[ends],
        variance=first_order_recursion(shrink2, variance)[ends],
        has_cross_term=False,
    )


def closed_form_response(schedule, decay, step):
    r"""Response of the integral in closed form, for constant weight decay.

    .. math:: Z_t = \frac{1 - e^{-\kappa_t}}{\lambda} , \qquad V_t = \int_0^t e^{2(\kappa_s - \kappa_t)} \eta_s^2\,ds .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.
    step : numpy.ndarray, shape (K,)
        Steps after which the answer is wanted.

    Returns
    -------
    LinearResponse

    Raises
    ------
    DoesNotApply
        If the weight decay varies.

    Notes
    -----
    :math:`V_t` is :meth:`Schedule.decayed_nu <derivations.adamw.Schedule.decayed_nu>`.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> response = closed_form_response(constant(0.1, 1000), constant(0.5, 1000), np.array([1000]))
    >>> response.variance.round(10), response.drift.round(10)
    (array([0.1]), array([2.]))
    """
    weight_decay = _constant_decay(decay, "closed_form")
    kappa = schedule.kappa(weight_decay, step)
    return LinearResponse(
        decay=np.exp(-kappa),
        drift=_drift(schedule, weight_decay, step, kappa),
        variance=schedule.decayed_nu(weight_decay, step),
        has_cross_term=False,
    )


def mean_field_response(schedule, decay, step):
    r"""Response of the mean field.

    .. math:: V_t = (1 - e^{-2\kappa_t})\,\frac{\nu_t}{2\kappa_t} .

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate and weight decay, both of :math:`T` steps.
    step : numpy.ndarray, shape (K,)
        Steps after which the answer is wanted.

    Returns
    -------
    LinearResponse
        Without ``drift`` where the weight decay varies: the mean field says nothing about a mean gradient then.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> mean_field_response(constant(0.1, 1000), constant(0.5, 1000), np.array([1000])).variance.round(10)
    array([0.1])
    """
    kappa = schedule.kappa(decay, step)
    # (1 - e^(-2k)) / (2k) is 1 at k = 0.
    shape = np.divide(-np.expm1(-2 * kappa), 2 * kappa, out=np.ones(kappa.shape), where=kappa > 0)
    varies = np.ptp(decay.values) > 0
    return LinearResponse(
        decay=np.exp(-kappa),
        drift=None if varies else _drift(schedule, float(decay.values[0]), step, kappa),
        variance=shape * schedule.nu(step),
        has_cross_term=False,
    )


def constant_response(schedule, decay):
    r"""Response for constant hyper-parameters, to leading order in :math:`\eta\lambda`, momentum ignored.

    Parameters
    ----------
    schedule, decay : Schedule
        Learning rate :math:`\eta` and weight decay :math:`\lambda`, both constant, with :math:`\eta\lambda < 1`.

    Returns
    -------
    LinearResponse
        :math:`P_t = a^t`, :math:`Z_t = (1 - a^t)/\lambda`, :math:`V_t = (1 - a^{2t})\,\eta/(2\lambda)` with
        :math:`a = 1 - \eta\lambda`.

    Raises
    ------
    DoesNotApply
        If one of the two varies, or :math:`\eta\lambda \ge 1`.

    Notes
    -----
    Equation :eq:`eq-adamw-constant` of the book.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> response = constant_response(constant(0.1, 2), constant(1e-12, 2))
    >>> response.drift.round(6), response.variance.round(6)   # without decay: eta t and eta^2 t
    (array([0.1, 0.2]), array([0.01, 0.02]))
    """
    weight_decay = _constant_decay(decay, "constant")
    values = schedule.values
    lr, step = float(values[0]), np.arange(1, schedule.steps + 1)
    if np.ptp(values) > 0:
        raise DoesNotApply(f"method='constant' needs a constant learning rate, got {values.min()} to {values.max()}")
    if lr * weight_decay >= 1:
        raise DoesNotApply(
            f"method='constant' needs lr * weight_decay < 1, got lr={lr}, weight_decay={weight_decay}"
        )
    if weight_decay == 0:
        return LinearResponse(np.ones(schedule.steps), lr * step, lr**2 * step, has_cross_term=False)
    log_decay = step * np.log1p(-lr * weight_decay)
    # expm1 keeps all digits of 1 - a^t while a^t is close to 1.
    drift = -np.expm1(log_decay) / weight_decay
    variance = -np.expm1(2 * log_decay) * lr / (2 * weight_decay)
    return LinearResponse(np.exp(log_decay), drift, variance, has_cross_term=False)


def _constant_decay(decay, method):
    """The one weight decay."""
    values = decay.values
    if np.ptp(values) > 0:
        raise DoesNotApply(
            f"method={method!r} needs a constant weight_decay, got values from {values.min()} to {values.max()}"
        )
    return float(values[0])


def _drift(schedule, weight_decay, step, kappa):
    """Int_0^t e^(kappa_s - kappa_t) eta_s ds for constant weight decay."""
    if weight_decay > 0:
        return -np.expm1(-kappa) / weight_decay
    return schedule.kappa(1.0, step)


def _gauss_rule():
    """Nodes in [0, 1], weights, and the matrix that integrates from each node to 1; exact for polynomials."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    powers = np.arange(_NODES)
    antiderivatives = (1 - nodes[:, np.newaxis] ** (powers + 1)) / (powers + 1)
    to_end = antiderivatives @ np.linalg.inv(np.vander(nodes, increasing=True))
    return (nodes + 1) / 2, weights / 2, to_end / 2


def _gauss_step(width, factor, term):
    """Affine map y -> shrink y + add of one step of Gauss's method for y' = -factor y + term; inputs have shape (n, 2)."""
    (a11, a12), (a21, a22) = width * np.array([[1 / 4, 1 / 4 - np.sqrt(3) / 6], [1 / 4 + np.sqrt(3) / 6, 1 / 4]])
    (f1, f2), (t1, t2) = factor.T, term.T
    # Stage slopes k solve (1 + f_i a_ii) k_i + f_i a_ij k_j = t_i - f_i y.
    determinant = (1 + f1 * a11) * (1 + f2 * a22) - f1 * a12 * f2 * a21
    def slopes(r1, r2):
        return ((1 + f2 * a22) * r1 - f1 * a12 * r2 + (1 + f1 * a11) * r2 - f2 * a21 * r1) / determinant
    return 1 - width / 2 * slopes(f1, f2), width / 2 * slopes(t1, t2)
