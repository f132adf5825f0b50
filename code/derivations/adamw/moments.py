"""Exact second moments of AdamW when the denominator of the update does not fluctuate.

With a frozen denominator the update :math:`u_t = \\hat m_t / s` is linear in the gradients, so mean and variance of a
weight obey linear recursions. They are solved for all steps at once by a scan.
"""
import math
from dataclasses import dataclass

import numpy as np

__all__ = ["LinearResponse", "first_order_recursion", "recursion_response", "update_gain"]


@dataclass(frozen=True)
class LinearResponse:
    r"""How a weight answers to its start, to a mean gradient and to gradient noise; one value per step.

    Every method of prediction ends in one of these.

    With :math:`s = \sqrt{\mu^2 + \sigma^2} + \epsilon` the mean square of the weight is

    .. math::

        \rho_t = P_t^2 \rho_0 - 2 P_t Z_t \frac{\mu}{s} E[\theta_0]
        + \frac{\mu^2}{s^2} Z_t^2 + \frac{\sigma^2}{s^2} V_t .

    Parameters
    ----------
    decay : numpy.ndarray, shape (T,) or S + (T,)
        :math:`P_t`, the factor by which the start has shrunk.
    drift : numpy.ndarray, shape (T,) or S + (T,), or None
        :math:`Z_t`, how far a constant update of size 1 has carried the weight; None where the method has no answer.
    variance : numpy.ndarray, shape (T,) or S + (T,)
        :math:`V_t`, the variance that noise of unit variance (divided by :math:`s`) has built up.
    has_cross_term : bool
        Whether the second term of the formula is kept.
    """

    decay: np.ndarray
    drift: np.ndarray | None
    variance: np.ndarray
    has_cross_term: bool = True


def first_order_recursion(factors, terms):
    r"""Solve :math:`y_t = f_t y_{t-1} + q_t`, :math:`y_0 = 0`, for all steps at once.

    Parameters
    ----------
    factors, terms : array_like, shape (..., T), broadcasting
        :math:`f_t` and :math:`q_t` for t = 1, ..., T; the leading axes hold independent recursions.

    Returns
    -------
    numpy.ndarray, shape (..., T)
        :math:`y_1, \ldots, y_T`.

    Notes
    -----
    The steps are cut into about :math:`\sqrt T` stretches of about :math:`\sqrt T` steps. All stretches are walked
    through side by side, each from 0; then the ends are chained, and every step adds what its stretch has inherited, as
    in the block scan of [1]_. This costs :math:`O(T)` operations and :math:`O(\sqrt T)` calls of NumPy. It multiplies
    and adds in the order of the recursion, so nothing overflows that would not overflow there (the textbook form,
    cumulative sums divided by cumulative products, does).

    References
    ----------
    .. [1] G. E. Blelloch, Prefix sums and their applications, technical report CMU-CS-90-190, 1990.

    Examples
    --------
    >>> first_order_recursion([0.5, 0.5, 0.5], [1.0, 1.0, 1.0])
    array([1.  , 1.5 , 1.75])
    """
    factors, terms = np.asarray(factors, dtype=float), np.asarray(terms, dtype=float)
    shape = np.broadcast_shapes(factors.shape, terms.shape)
    steps = shape[-1]
    length = max(1, math.isqrt(steps))
    # Factors keep their own shape: they are often common to all recursions.
    product = _stretches(factors.reshape((1,) * (len(shape) - factors.ndim) + factors.shape), steps, length)
    total = _stretches(np.broadcast_to(terms, shape), steps, length)
    for step in range(1, length):
        total[step] += product[step] * total[step - 1]
        product[step] *= product[step - 1]
    inherited = np.zeros(total.shape[1:])
    for stretch in range(1, total.shape[-1]):
        before = stretch - 1
        inherited[..., stretch] = product[-1, ..., before] * inherited[..., before] + total[-1, ..., before]
    total += product * inherited
    return np.moveaxis(total, 0, -1).reshape(*shape[:-1], -1)[..., :steps]


def _stretches(values, steps, length):
    """Copy of shape (length, ..., number of stretches): entry [i, ..., j] is that of step j * length + i, or 0."""
    count = -(-steps // length)
    padded = np.zeros((*values.shape[:-1], count * length))
    padded[..., :steps] = values
    return np.ascontiguousarray(np.moveaxis(padded.reshape(*values.shape[:-1], count, length), -1, 0))


def update_gain(steps, betas, gradient_rms, eps, bias_correction):
    r"""Factor :math:`c_t` of the update :math:`u_t = c_t m_t / s` when its denominator does not fluctuate.

    With bias correction :math:`c_t = 1/(1 - \beta_1^t)`, and the denominator is :math:`s = \sqrt{\mu^2+\sigma^2} +
    \epsilon` at every step. Without, it is :math:`\sqrt{E[v_t]} + \epsilon` with :math:`E[v_t] = (1 - \beta_2^t)
    (\mu^2 + \sigma^2)`, hence

    .. math:: c_t = \frac{s}{\sqrt{1 - \beta_2^t}\,\sqrt{\mu^2+\sigma^2} + \epsilon} .

    Parameters
    ----------
    steps : int
        Number of steps :math:`T`.
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    gradient_rms, eps : float or numpy.ndarray, broadcasting to a shape S
        :math:`\sqrt{\mu^2+\sigma^2}` and :math:`\epsilon`.
    bias_correction : bool
        Whether the optimizer divides :math:`m_t` by :math:`1 - \beta_1^t` and :math:`v_t` by :math:`1 - \beta_2^t`.

    Returns
    -------
    numpy.ndarray, shape (T,) or, with eps and without bias correction, S + (T,)

    Notes
    -----
    The first case is equation :eq:`eq-adamw-frozen` of the book. The second is exact for gradients :math:`\pm 1`, for
    which :math:`v_t` does not fluctuate.

    Examples
    --------
    >>> update_gain(2, (0.5, 0.0), 1.0, 0.0, bias_correction=True).round(3)
    array([2.   , 1.333])
    >>> update_gain(2, (0.9, 0.75), 1.0, 0.0, bias_correction=False).round(3)   # 1 / sqrt(1 - 0.75^t)
    array([2.   , 1.512])
    """
    beta1, beta2 = betas
    if bias_correction:
        return 1 / bias(beta1, steps)
    if not np.any(eps):
        return 1 / np.sqrt(bias(beta2, steps))
    gradient_rms, eps = np.asarray(gradient_rms)[..., np.newaxis], np.asarray(eps)[..., np.newaxis]
    return (gradient_rms + eps) / (np.sqrt(bias(beta2, steps)) * gradient_rms + eps)


def bias(beta, steps):
    r"""Bias correction :math:`1 - \beta^t` of the steps 1, ..., ``steps``; shape (T,), with all digits for beta near 1.

    Examples
    --------
    >>> bias(0.5, 3)
    array([0.5  , 0.75 , 0.875])
    """
    with np.errstate(divide="ignore"):  # log(0) = -inf is right for beta = 0
        return -np.expm1(np.arange(1, steps + 1) * np.log(beta))


def recursion_response(lr, weight_decay, beta1, gain, with_drift=True):
    r"""Exact response of AdamW with the update :math:`u_t = c_t m_t / s`, where :math:`c_t` is not random.

    Parameters
    ----------
    lr, weight_decay : numpy.ndarray, shape (..., T) and one that broadcasts to it
        Learning rate and weight decay of each step. Leading axes hold independent runs.
    beta1 : float
        Averaging constant of the momentum.
    gain : numpy.ndarray, shape (..., T)
        :math:`c_t`, see :func:`update_gain`.
    with_drift : bool
        Whether the answer to a mean gradient is wanted.

    Returns
    -------
    LinearResponse

    Notes
    -----
    Equations :eq:`eq-adamw-recursion-momentum` and :eq:`eq-adamw-recursion-variance` of the book.

    Examples
    --------
    >>> response = recursion_response(np.array([0.1, 0.1]), np.array([0.0, 0.0]), beta1=0.0, gain=np.ones(2))
    >>> response.variance.round(3)   # a random walk with steps of length 0.1
    array([0.01, 0.02])
    """
    shrink = 1 - lr * weight_decay
    step_size = lr * gain
    return LinearResponse(
        decay=np.cumprod(shrink, axis=-1),
        # E[m_t] = (1 - beta1^t) mu. With bias correction the factor cancels: the mean does not feel the momentum.
        drift=first_order_recursion(shrink, step_size * bias(beta1, lr.shape[-1])) if with_drift else None,
        variance=momentum_variance(shrink, step_size, beta1),
    )


def momentum_variance(shrink, step_size, beta1):
    r"""Variance of :math:`\theta_t = p_t\theta_{t-1} - e_t m_t` for gradients of variance 1; :math:`m_0 = 0`.

    Parameters
    ----------
    shrink, step_size : numpy.ndarray, shape (..., T)
        :math:`p_t` and :math:`e_t`.
    beta1 : float
        Averaging constant of :math:`m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t`.

    Returns
    -------
    numpy.ndarray, shape (..., T)

    Examples
    --------
    >>> momentum_variance(np.ones(2), np.ones(2), beta1=0.5)   # m_1 + m_2 = (1 - 1/4) g_1 + (1/2) g_2
    array([0.25  , 0.8125])
    """
    correction = bias(beta1, shrink.shape[-1])
    # Var m_t for unit noise: a geometric sum of (1 - beta1)^2 beta1^(2k).
    variance = (1 - beta1) / (1 + beta1) * correction * (2 - correction)
    covariance = first_order_recursion(shrink * beta1, -step_size * variance)
    before = np.zeros_like(covariance)
    before[..., 1:] = beta1 * covariance[..., :-1]  # Cov(theta_{t-1}, m_t)
    terms = step_size**2 * variance - 2 * shrink * step_size * before
    return first_order_recursion(shrink**2, terms)
