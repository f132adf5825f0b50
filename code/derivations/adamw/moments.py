"""Exact second moments of AdamW when the denominator of the update does not fluctuate.

With a frozen denominator the update :math:`u_t = \\hat m_t / s` is linear in the gradients, so mean and variance of a
weight obey linear recursions. They are solved for all steps at once by a scan.
"""
from dataclasses import dataclass

import numpy as np

__all__ = ["LinearResponse", "constant_response", "first_order_recursion", "recursion_response", "update_gain"]


@dataclass(frozen=True)
class LinearResponse:
    r"""How a weight answers to its start, to a mean gradient and to gradient noise; one value per step.

    With :math:`s = \sqrt{\mu^2 + \sigma^2} + \epsilon` the mean square of the weight is

    .. math::

        \rho_t = P_t^2 \rho_0 - 2 P_t Z_t \frac{\mu}{s} E[\theta_0]
        + \frac{\mu^2}{s^2} Z_t^2 + \frac{\sigma^2}{s^2} V_t .

    Parameters
    ----------
    decay : numpy.ndarray, shape (T,)
        :math:`P_t`, the factor by which the start has shrunk.
    drift : numpy.ndarray, shape (T,) or S + (T,)
        :math:`Z_t`, how far a constant update of size 1 has carried the weight.
    variance : numpy.ndarray, shape (T,) or S + (T,)
        :math:`V_t`, the variance that noise of unit variance (divided by :math:`s`) has built up.
    has_cross_term : bool
        Whether the second term of the formula is kept.
    """

    decay: np.ndarray
    drift: np.ndarray
    variance: np.ndarray
    has_cross_term: bool = True


def first_order_recursion(factors, terms):
    r"""Solve :math:`y_t = f_t y_{t-1} + q_t`, :math:`y_0 = 0`, for all steps at once.

    Parameters
    ----------
    factors : array_like, shape (T,)
        :math:`f_t` for t = 1, ..., T.
    terms : array_like, shape (T,) or S + (T,)
        :math:`q_t` for t = 1, ..., T; the leading axes hold independent recursions with the same factors.

    Returns
    -------
    numpy.ndarray, of the shape of terms
        :math:`y_1, \ldots, y_T`.

    Notes
    -----
    Two steps compose to one, :math:`(f, q)` then :math:`(f', q')` is :math:`(f'f,\; f'q + q')`, so after :math:`k`
    doublings every entry covers :math:`2^k` steps: the prefix scan of [1]_. It costs :math:`O(T \log T)` array
    operations without a Python loop over steps, and adds only products of factors, so nothing overflows for
    :math:`|f_t| \le 1` (the textbook form, cumulative sums divided by cumulative products, does).

    References
    ----------
    .. [1] W. D. Hillis, G. L. Steele, Data parallel algorithms, Communications of the ACM 29 (1986), 1170-1183.

    Examples
    --------
    >>> first_order_recursion([0.5, 0.5, 0.5], [1.0, 1.0, 1.0])
    array([1.  , 1.5 , 1.75])
    """
    product = np.array(factors, dtype=float)
    total = np.array(terms, dtype=float)
    span = 1
    while span < product.size:
        # Each right-hand side is complete before the in-place change, so both lines see the previous doubling.
        total[..., span:] += product[span:] * total[..., :-span]
        product[span:] *= product[:-span].copy()
        span *= 2
    return total


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
    numpy.ndarray, shape (T,) or, without bias correction, S + (T,)

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
    step = np.arange(1, steps + 1)
    if bias_correction:
        return 1 / (1 - beta1**step)
    gradient_rms, eps = np.asarray(gradient_rms)[..., np.newaxis], np.asarray(eps)[..., np.newaxis]
    return (gradient_rms + eps) / (np.sqrt(1 - beta2**step) * gradient_rms + eps)


def recursion_response(lr, weight_decay, beta1, gain):
    r"""Exact response of AdamW with the update :math:`u_t = c_t m_t / s`, where :math:`c_t` is not random.

    Parameters
    ----------
    lr, weight_decay : numpy.ndarray, shape (T,)
        Learning rate and weight decay of each step.
    beta1 : float
        Averaging constant of the momentum.
    gain : numpy.ndarray, shape (T,) or S + (T,)
        :math:`c_t`, see :func:`update_gain`.

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
    correction = 1 - beta1 ** np.arange(1, lr.size + 1)
    shrink = 1 - lr * weight_decay
    step_size = lr * gain
    # Var m_t for unit noise: a geometric sum of (1 - beta1)^2 beta1^(2k).
    momentum_variance = (1 - beta1) / (1 + beta1) * correction * (2 - correction)
    covariance = first_order_recursion(shrink * beta1, -step_size * momentum_variance)
    before = np.zeros_like(covariance)
    before[..., 1:] = beta1 * covariance[..., :-1]  # Cov(theta_{t-1}, m_t)
    terms = step_size**2 * momentum_variance - 2 * shrink * step_size * before
    return LinearResponse(
        decay=np.cumprod(shrink),
        # E[m_t] = (1 - beta1^t) mu. With bias correction the factor cancels: the mean does not feel the momentum.
        drift=first_order_recursion(shrink, step_size * correction),
        variance=first_order_recursion(shrink**2, terms),
    )


def constant_response(lr, weight_decay, steps):
    r"""Response for constant ``lr`` and ``weight_decay``, to leading order in :math:`\eta\lambda`, momentum ignored.

    Parameters
    ----------
    lr, weight_decay : float
        :math:`\eta \ge 0` and :math:`\lambda \ge 0` with :math:`\eta\lambda < 1`.
    steps : int
        Number of steps :math:`T`.

    Returns
    -------
    LinearResponse
        :math:`P_t = a^t`, :math:`Z_t = (1 - a^t)/\lambda`, :math:`V_t = (1 - a^{2t})\,\eta/(2\lambda)` with
        :math:`a = 1 - \eta\lambda`, without the cross term.

    Notes
    -----
    Equation :eq:`eq-adamw-constant` of the book.

    Examples
    --------
    >>> response = constant_response(0.1, 1e-12, steps=2)
    >>> response.drift.round(6), response.variance.round(6)   # without decay: eta t and eta^2 t
    (array([0.1, 0.2]), array([0.01, 0.02]))
    """
    step = np.arange(1, steps + 1)
    if weight_decay == 0:
        return LinearResponse(np.ones(steps), lr * step, lr**2 * step, has_cross_term=False)
    log_decay = step * np.log1p(-lr * weight_decay)
    # expm1 keeps all digits of 1 - a^t while a^t is close to 1.
    drift = -np.expm1(log_decay) / weight_decay
    variance = -np.expm1(2 * log_decay) * lr / (2 * weight_decay)
    return LinearResponse(np.exp(log_decay), drift, variance, has_cross_term=False)
