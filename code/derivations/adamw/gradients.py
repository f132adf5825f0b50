"""Gradients of a simulation: independent, remembering, pulling or given, and what a frozen denominator makes of them.

:func:`fill_normal` draws normal numbers, :func:`noise_stream` the gradients of one block of weights, step by step.
:func:`linear_moments` gives the exact mean square for gradients that depend on earlier ones or on the weight.
"""
from dataclasses import dataclass

import numpy as np

from . import _checks as check
from .laws import Law

__all__ = ["Correlated", "Curved", "correlated", "curved", "fill_normal", "linear_moments", "noise_stream"]

# An integer between -LARGEST and LARGEST stands for LARGEST times U, or for LARGEST / pi times A. It is just more than
# 2^31, so that no ln U is 0.
LARGEST = float(np.nextafter(np.float32(2.0**31), np.float32(np.inf)))


@dataclass(frozen=True)
class Correlated:
    """Gradients whose noise remembers; make one with :func:`correlated`."""

    correlation: float


@dataclass(frozen=True)
class Curved:
    """Gradients that pull the weight to a minimum; make one with :func:`curved`."""

    curvature: float


def correlated(phi):
    r"""Normal gradients with memory: their noise is an AR(1) process.

    .. math::

        g_t = \mu + \sigma\,\xi_t, \qquad \xi_t = \varphi\,\xi_{t-1} + \sqrt{1 - \varphi^2}\,\zeta_t ,

    with independent standard normal :math:`\zeta_t`; the process is stationary, and each :math:`\xi_t` is standard
    normal.

    Parameters
    ----------
    phi : float
        Correlation :math:`\varphi` of a weight's gradients in consecutive steps, between -1 and 1.

    Returns
    -------
    Correlated
        For the argument ``gradients`` of :func:`simulate`.

    Raises
    ------
    ValueError
        If ``phi`` is not one number between -1 and 1.

    Notes
    -----
    What the memory does to the mean square: equation :eq:`eq-adamw-memory-factor` of the book.

    Examples
    --------
    >>> correlated(0.5)
    Correlated(correlation=0.5)
    """
    if check.finite("phi", phi).ndim or not -1 < phi < 1:
        raise ValueError(f"phi must be one number between -1 and 1, got phi={phi!r}")
    return Correlated(float(phi))


def curved(curvature):
    r"""Normal gradients of a quadratic loss: they pull the weight back.

    .. math:: g_t = h\,\theta_{t-1} + \mu + \sigma\,\xi_t

    with independent standard normal :math:`\xi_t`: the minimum of the loss lies at :math:`\theta = -\mu/h`.

    Parameters
    ----------
    curvature : float
        :math:`h \ge 0`, in units of gradient per weight.

    Returns
    -------
    Curved
        For the argument ``gradients`` of :func:`simulate`.

    Raises
    ------
    ValueError
        If ``curvature`` is not one number >= 0.

    Examples
    --------
    >>> curved(0.1)
    Curved(curvature=0.1)
    """
    if check.non_negative("curvature", curvature).ndim:
        raise ValueError(f"curvature must be one number, got curvature={curvature!r}")
    return Curved(float(curvature))


def fill_normal(rng, out):
    r"""Fill ``out`` with independent standard normal numbers by the method of Box and Muller [1]_.

    .. math:: g = \sqrt{-2\ln U}\,\sin A, \qquad g' = \sqrt{-2\ln U}\,\cos A

    are two such numbers, for :math:`U` uniform in [0, 1] and :math:`A` uniform in :math:`[-\pi, \pi]`.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of 32 random bits a number.
    out : numpy.ndarray of float32, shape (n,)
        Is overwritten. No number is 0 or larger than 6.7 in size.

    Notes
    -----
    NumPy computes logarithm, root, sine and cosine of float32 arrays with vector instructions. This makes the method
    several times faster than ``rng.standard_normal``, which takes one number at a time. Another kind of processor may
    round the last digit otherwise.

    References
    ----------
    .. [1] G. E. P. Box, M. E. Muller, A note on the generation of random normal deviates, Annals of Mathematical
       Statistics 29 (1958), 610-611.

    Examples
    --------
    >>> numbers = np.empty(10_000, np.float32)
    >>> fill_normal(np.random.default_rng(1), numbers)
    >>> bool(abs(numbers.mean()) < 0.04 and abs(numbers.std() - 1) < 0.03)
    True
    """
    half = (out.size + 1) // 2
    bits = rng.integers(0, 2**64 - 1, half, dtype=np.uint64, endpoint=True).view(np.int32)
    bits |= 1  # odd integers are the centres of equal intervals, and none is 0
    angle = bits[:half].astype(np.float32)
    angle *= np.pi / LARGEST
    radius = bits[half:].astype(np.float32)
    np.divide(LARGEST, radius, out=radius)
    np.multiply(radius, radius, out=radius)
    np.log(radius, out=radius)  # ln(1 / U^2) = -2 ln U
    np.sqrt(radius, out=radius)
    sines, cosines = out[:half], out[half:]
    np.sin(angle, out=sines)
    sines *= radius
    np.cos(angle[:cosines.size], out=cosines)
    cosines *= radius[:cosines.size]


def noise_stream(gradients, rng, first, size, mean, has_noise):
    r"""Function of the step (from 0) that returns the gradients of a block of weights, without the pull of a curvature.

    Parameters
    ----------
    gradients : "gaussian", Law, Correlated, Curved or numpy.ndarray of shape (T, parameters)
        As in :func:`simulate`.
    rng : numpy.random.Generator
        Source of randomness of this block.
    first, size : int
        Which weights these are.
    mean : float
        :math:`\mu`, in units of :math:`\sigma` where the gradients have noise.
    has_noise : bool
        Whether :math:`\sigma > 0`.

    Returns
    -------
    callable
        Takes the steps 0, 1, ... in order; returns an array of shape (size,) that the caller may overwrite.

    Examples
    --------
    >>> given = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> noise_stream(given, np.random.default_rng(0), first=1, size=2, mean=0.0, has_noise=True)(1)
    array([5., 6.])
    """
    if isinstance(gradients, np.ndarray):
        return lambda step: np.array(gradients[step, first:first + size], dtype=float)
    out = np.empty(size, np.float32)
    if not has_noise:
        def draw(step):
            out.fill(0)
    elif isinstance(gradients, Law):
        def draw(step):
            gradients.draw(rng, out)
    elif isinstance(gradients, Correlated):
        memory, news = np.empty(size, np.float32), (1 - gradients.correlation**2) ** 0.5
        fill_normal(rng, memory)

        def draw(step):
            fill_normal(rng, out)
            np.multiply(out, news, out=out)
            np.multiply(memory, gradients.correlation, out=memory)
            np.add(memory, out, out=memory)
            out[...] = memory
    else:
        def draw(step):
            fill_normal(rng, out)

    def gradient(step):
        draw(step)
        if mean:
            np.add(out, mean, out=out)
        return out

    return gradient


@np.errstate(over="ignore", invalid="ignore")  # an overflow shows in the result
def linear_moments(
    lr, weight_decay, betas=(0.9, 0.95), eps=0.0, *, correlation=0.0, curvature=0.0, gradient_mean=0.0,
    gradient_std=1.0, init_rms=0.0, init_mean=0.0, bias_correction=True,
):
    r"""Exact :math:`E[\theta_t^2]` for gradients with memory or curvature when the denominator does not fluctuate.

    The gradient is :math:`g_t = h\,\theta_{t-1} + \mu + \sigma\,\xi_t` with the noise of :func:`correlated`. Adam's
    update is replaced by

    .. math:: u_t = \frac{\hat m_t}{\sqrt{\hat w_t} + \epsilon}, \qquad w_t = \beta_2 w_{t-1} + (1 - \beta_2) E[g_t^2] ,

    where the hats divide by :math:`1 - \beta_1^t` and :math:`1 - \beta_2^t`, as the optimizer does. Then the state
    :math:`z_t = (\theta_t, m_t, \xi_t)` obeys :math:`z_t = A_t z_{t-1} + b_t \zeta_t + d_t`, and its mean and its
    covariance :math:`C_t = A_t C_{t-1} A_t^\top + b_t b_t^\top` follow step by step.

    Parameters
    ----------
    lr, weight_decay : array_like, shape (T,)
        Learning rate and weight decay of each step.
    betas, eps, gradient_mean, gradient_std, init_rms, init_mean, bias_correction
        As in :func:`simulate`.
    correlation : float
        :math:`\varphi` of :func:`correlated`.
    curvature : float
        :math:`h` of :func:`curved`.

    Returns
    -------
    mean_square : numpy.ndarray, shape (T,)
        :math:`E[\theta_t^2]`.
    gain : numpy.ndarray, shape (T,)
        :math:`u_t / m_t`, which is not random.

    Notes
    -----
    Without memory and curvature :math:`\hat w_t = \mu^2 + \sigma^2` at every step, and the result is that of
    :func:`predict_weight_rms` with ``method="recursion"``.

    Examples
    --------
    >>> mean_square, gain = linear_moments([0.1, 0.1], [0.0, 0.0], (0.0, 0.9))
    >>> mean_square.round(3), gain.round(3)   # a random walk with steps of length 0.1
    (array([0.01, 0.02]), array([1., 1.]))
    """
    beta1, beta2 = betas
    mean = np.array([init_mean, 0.0, 0.0])
    covariance = np.diag([init_rms**2 - init_mean**2, 0.0, 1.0])
    # g_t = pull . z_{t-1} + mu + news zeta_t
    pull = np.array([curvature, 0.0, gradient_std * correlation])
    news = gradient_std * np.sqrt(1 - correlation**2)
    mean_square, gain = np.empty(len(lr)), np.empty(len(lr))
    second_moment = 0.0
    for t in range(len(lr)):
        gradient_square = (pull @ mean + gradient_mean) ** 2 + pull @ covariance @ pull + news**2
        second_moment = beta2 * second_moment + (1 - beta2) * gradient_square
        corrections = (1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)) if bias_correction else (1.0, 1.0)
        gain[t] = 1 / (corrections[0] * (np.sqrt(second_moment / corrections[1]) + eps))
        momentum = (1 - beta1) * pull + [0.0, beta1, 0.0]  # row of A_t for m_t
        step_size = lr[t] * gain[t]
        rows = np.array([
            [1 - lr[t] * weight_decay[t], 0.0, 0.0] - step_size * momentum, momentum, [0.0, 0.0, correlation]
        ])
        shock = np.array([-step_size * (1 - beta1) * news, (1 - beta1) * news, np.sqrt(1 - correlation**2)])
        drift = np.array([-step_size, 1.0, 0.0]) * (1 - beta1) * gradient_mean
        mean = rows @ mean + drift
        covariance = rows @ covariance @ rows.T + np.outer(shock, shock)
        mean_square[t] = covariance[0, 0] + mean[0] ** 2
    return mean_square, gain
