"""What the fluctuation of Adam's denominator does: the noise factor, the size of an update, the gain of a mean gradient.

All of it follows from one identity. With :math:`v^{-1/2} = \\pi^{-1/2}\\int_0^\\infty s^{-1/2} e^{-sv}\\,ds` an expectation
over :math:`m/\\sqrt v` becomes an integral of products over independent gradients.
"""
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import _checks as check
from .laws import Law, gaussian
from .moments import first_order_recursion

__all__ = ["mean_factor", "noise_factor", "update_autocovariance", "update_rms"]

_LARGEST_BETA2 = 0.99999  # above it the grid would need gigabytes
_FIRST_ORDER = 1e-4  # of 1 - beta2: below it the first order is exact to 1e-7
_LOWEST = -60.0  # of log q; the integrals from 0 to exp(-60) are left out
_SPACING = 0.04  # of log q at most: the trapezoidal rule is then exact to rounding for these integrands


def noise_factor(betas=(0.9, 0.95), method="exact", law=None, fourth_moment=None):
    r"""Factor :math:`S` by which the noise part of :math:`E[\theta^2]` differs from that of a frozen denominator.

    It is the sum of the autocovariances of the update :math:`u_t = m_t/\sqrt{v_t}` in the stationary state,

    .. math:: S = C_0 + 2\sum_{k \ge 1} C_k , \qquad C_k = E[u_t u_{t+k}] ,

    for gradients with variance 1; with a frozen denominator the sum is 1.

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    method : {"exact", "leading"}
        ``"exact"`` sums :func:`update_autocovariance`, about 1e-6 accurate, and remembers the result.
        ``"leading"`` is the first order in :math:`1 - \beta_2`, with :math:`q = E[g^4]/\sigma^4 - 1`:

        .. math::

            S \approx 1 - q (1 - \beta_2) \left[ \frac{1 - \beta_1}{1 - \beta_1\beta_2} - \frac{1}{1 + \beta_2}
            \left( \frac34 + \frac14 \frac{(1 - \beta_1)(1 + \beta_1\beta_2)}{(1 + \beta_1)(1 - \beta_1\beta_2)}
            \right) \right] .
    law : Law, optional
        Law of the gradients; :func:`gaussian` by default.
    fourth_moment : float or array_like, optional
        :math:`E[g^4]/\sigma^4 \ge 1`, in place of ``law``; only for ``method="leading"``, which needs nothing else.

    Returns
    -------
    float or numpy.ndarray
        The factor of the mean *square*; the RMS changes by its root.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the mean square of the update is infinite (``beta2 = 0 < beta1``).

    Notes
    -----
    Equation :eq:`eq-adamw-noise-factor` of the book (leading order). Both hold for independent gradients with mean 0 and
    a symmetric law, :math:`\epsilon = 0` and :math:`\eta\lambda \ll 1 - \beta_1`. For gradients :math:`\pm\sigma` the
    denominator does not fluctuate and :math:`S = 1` exactly.

    Examples
    --------
    >>> round(noise_factor((0.9, 0.95)), 4)
    0.9793
    >>> round(noise_factor((0.9, 0.95), method="leading"), 4)
    0.9781
    >>> from derivations.adamw import laplace
    >>> round(noise_factor((0.9, 0.95), law=laplace()), 4)
    0.9575
    """
    beta1, beta2 = check.beta_pair(betas)
    check.one_of("method", method, ("exact", "leading"))
    law = _law(law)
    if method == "exact":
        if fourth_moment is not None:
            raise ValueError(f"fourth_moment={fourth_moment!r} needs method='leading'; an exact factor needs a law")
        if not _first_order_is_enough(beta2, law):
            covariance = _autocovariance(beta1, beta2, law)
            return float(covariance[0] + 2 * covariance[1:].sum())
    excess = _excess(law, fourth_moment)
    pull = (1 - beta1) / (1 - beta1 * beta2)
    spread = 3 / 4 + pull * (1 + beta1 * beta2) / (1 + beta1) / 4
    factor = 1 - excess * (1 - beta2) * (pull - spread / (1 + beta2))
    return factor if factor.ndim else float(factor)


def update_rms(betas=(0.9, 0.95), method="exact", law=None):
    r"""RMS of Adam's update :math:`m_t/\sqrt{v_t}` for gradients that are pure noise, in the stationary state.

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    method : {"exact", "leading", "mean_field"}
        ``"exact"`` is :math:`\sqrt{C_0}` of :func:`update_autocovariance`. ``"mean_field"`` is
        :math:`\sqrt{(1-\beta_1)/(1+\beta_1)}`, the root of :math:`E[m^2]/E[v]`. ``"leading"`` is its correction to first
        order in :math:`1 - \beta_2`,

        .. math::

            C_0 \approx \frac{1-\beta_1}{1+\beta_1}\Bigl(1 + \frac{q(1-\beta_2)}{1+\beta_2}\Bigr)
            - \frac{q(1-\beta_2)(1-\beta_1)^2}{1-\beta_1^2\beta_2} .
    law : Law, optional
        Law of the gradients; :func:`gaussian` by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is outside its range, or the mean square is infinite (``beta2 = 0 < beta1``).

    Notes
    -----
    It is less than the mean-field value by a per cent and a half at the usual constants: a large gradient is in the
    numerator and in the denominator. J. Su, RMS of Adam's update (in Chinese), https://kexue.fm/archives/11267, has the
    mean-field value.

    Examples
    --------
    >>> [round(update_rms((0.9, 0.95), method=method), 4) for method in ("mean_field", "leading", "exact")]
    [0.2294, 0.2258, 0.2261]
    """
    beta1, beta2 = check.beta_pair(betas)
    check.one_of("method", method, ("exact", "leading", "mean_field"))
    law = _law(law)
    if method == "exact" and not _first_order_is_enough(beta2, law):
        return float(np.sqrt(_autocovariance(beta1, beta2, law)[0]))
    frozen = (1 - beta1) / (1 + beta1)
    if method == "mean_field":
        return float(np.sqrt(frozen))
    fluctuation = float(_excess(law, None)) * (1 - beta2)
    square = frozen * (1 + fluctuation / (1 + beta2)) - fluctuation * (1 - beta1) ** 2 / (1 - beta1**2 * beta2)
    return float(np.sqrt(square))


def update_autocovariance(betas=(0.9, 0.95), law=None):
    r"""Autocovariance :math:`C_k = E[u_t u_{t+k}]` of Adam's update for gradients that are pure noise.

    With :math:`b_j = (1-\beta_2)\beta_2^j`, :math:`G(q) = \prod_j E[e^{-q b_j g^2}]` and :math:`H(q) = (1-\beta_1)^2
    \sum_j \beta_1^{2j}\, E[g^2 e^{-q b_j g^2}] / E[e^{-q b_j g^2}]`,

    .. math::

        C_0 &= \int_0^\infty G(q)\,H(q)\,dq , \\
        C_k &= \frac4\pi\,\beta_1^k \int_0^\infty \frac{G(z^2)}{G(\beta_2^k z^2)}\;W(\beta_2^{k/2} z)\,dz , \qquad
        W(y) = \int_0^\infty G(y^2 + x^2)\,H(y^2 + x^2)\,dx .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    law : Law, optional
        Law of the gradients; :func:`gaussian` by default.

    Returns
    -------
    numpy.ndarray, shape (K + 1,)
        :math:`C_0, \ldots, C_K`, up to where :math:`\beta_1^K` has fallen to 1e-10.

    Raises
    ------
    ValueError
        If an argument is outside its range, ``beta2`` is above 0.99999, or :math:`C_0` is infinite (``beta2 = 0 <
        beta1``, but for gradients of one size).

    Notes
    -----
    Independent symmetric gradients with mean 0, :math:`\epsilon = 0`, long after the start. With
    :math:`v^{-1/2} = \pi^{-1/2}\int_0^\infty s^{-1/2}e^{-sv}\,ds` for both denominators, the numerator
    :math:`m_{t+k} = \beta_1^k m_t + \ldots` leaves :math:`\beta_1^k m_t^2`: the other products are odd in one of the
    gradients. The two integration variables become :math:`z` and :math:`x`, of which only :math:`z` meets :math:`k`.

    Examples
    --------
    >>> covariance = update_autocovariance((0.9, 0.95))
    >>> float(round(covariance[0], 4)), float(round(covariance[0] + 2 * covariance[1:].sum(), 4))
    (0.0511, 0.9793)
    """
    return _autocovariance(*check.beta_pair(betas), _law(law)).copy()


def mean_factor(betas=(0.9, 0.95), ratio=0.0):
    r"""Factor :math:`D` by which the mean update differs from that of a frozen denominator, for normal gradients.

    .. math:: E[u_t] = D\,\frac{\mu}{\sqrt{\mu^2 + \sigma^2}} .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    ratio : float or array_like
        :math:`\mu/\sigma`; its sign does not matter.

    Returns
    -------
    float or numpy.ndarray, of the shape of ratio

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Normal gradients, :math:`\epsilon = 0`, long after the start. With :math:`b_j = (1-\beta_2)\beta_2^j` and
    :math:`\sigma = 1`

    .. math::

        E[u_t] = \frac{1}{\sqrt\pi} \int_0^\infty \frac{ds}{\sqrt s}\;
        \prod_j \frac{e^{-s b_j \mu^2/(1 + 2 s b_j)}}{\sqrt{1 + 2 s b_j}}\;
        \sum_j \frac{(1-\beta_1)\beta_1^j\,\mu}{1 + 2 s b_j} .

    For arrays the factor is interpolated between 129 ratios, with an error below 1e-6.

    Examples
    --------
    >>> round(mean_factor((0.9, 0.95)), 4)
    0.9853
    >>> mean_factor((0.9, 0.95), [0.5, 100.0]).round(4)
    array([0.9909, 1.    ])
    """
    beta1, beta2 = check.beta_pair(betas)
    if 1 - beta2 < _FIRST_ORDER:  # to first order, what is missing to 1 is proportional to 1 - beta2
        nearby = 2 * _FIRST_ORDER
        missing = np.subtract(1.0, mean_factor((beta1, 1 - nearby), ratio))
        factor = 1 - missing * (1 - beta2) / nearby
        return factor if factor.ndim else float(factor)
    ratio = np.abs(check.finite("ratio", ratio))
    if ratio.ndim == 0:
        return float(_mean_factors(beta1, beta2, (float(ratio),))[0])
    from scipy.interpolate import CubicSpline
    nodes = np.linspace(0.0, np.arcsinh(1e4), 129)
    values = _mean_factors(beta1, beta2, tuple(np.sinh(nodes)))
    return CubicSpline(nodes, values)(np.minimum(np.arcsinh(ratio), nodes[-1]))


def _law(law):
    """``law``, or the normal law when it is None."""
    if law is None:
        return gaussian()
    if not isinstance(law, Law):
        raise ValueError(f"law must be a Law, such as laplace(), got law={law!r}")
    return law


def _excess(law, fourth_moment):
    """q = E g^4 - 1 as a float array; it must be finite and not negative."""
    moment = law.fourth_moment if fourth_moment is None else fourth_moment
    excess = check.finite("fourth_moment", moment) - 1
    if (excess < 0).any():
        raise ValueError(f"fourth_moment must be at least 1, got fourth_moment={fourth_moment!r}")
    return excess


@dataclass(frozen=True)
class _Grid:
    """Grid of x = log q on which a step of beta2 is a whole number of points, so that products need no interpolation.

    Parameters
    ----------
    log_q : numpy.ndarray, shape (n,)
        Equidistant points.
    period : int
        Number of points that make up one factor beta2.
    stride : int
        Every stride-th point is enough for an integral.
    """

    log_q: np.ndarray
    period: int
    stride: int

    @classmethod
    def of(cls, beta2):
        """Grid for one beta2 > 0."""
        octave = -np.log(beta2)
        period = int(np.ceil(octave / _SPACING))
        spacing = octave / period
        # Beyond the highest point G is below 1e-16: it falls like exp(-q) for beta2 near 1, and like a log-normal law,
        # exp(-(log q)^2 / (4 log(1 / beta2))), for a small one.
        highest = 5.0 + 13.0 * np.sqrt(octave) - min(0.0, np.log1p(-beta2))
        points = int(np.ceil((highest - _LOWEST) / spacing))
        return cls(_LOWEST + spacing * np.arange(points), period, max(1, int(_SPACING / spacing)))

    @property
    def q(self):
        """The points themselves, shape (n,)."""
        return np.exp(self.log_q)

    def over_past(self, terms, start, factor):
        """Sum over j >= 0 of factor^j terms(q beta2^j), given that sum below the lowest octave as ``start``."""
        rows = -(-self.log_q.size // self.period)
        padded = np.zeros(rows * self.period)
        padded[: self.log_q.size] = terms
        padded[: self.period] = start[: self.period]
        table = np.ascontiguousarray(padded.reshape(rows, self.period).T)
        summed = first_order_recursion(np.full(rows, factor), table)
        return summed.T.ravel()[: self.log_q.size]

    def integral(self, values):
        """Trapezoidal rule in log q over every stride-th point."""
        spacing = (self.log_q[1] - self.log_q[0]) * self.stride
        return spacing * values[:: self.stride].sum()


@lru_cache(maxsize=256)
def _autocovariance(beta1, beta2, law):
    """C_0, ..., C_K; see update_autocovariance. The array is read-only, as all callers share it."""
    lags = np.arange(int(np.ceil(np.log(1e-10) / np.log(beta1))) + 1 if beta1 > 0 else 1)
    if law.fourth_moment == 1:  # gradients of one size: the denominator is constant
        covariance = (1 - beta1) / (1 + beta1) * beta1**lags
    elif beta2 == 0:
        if beta1 > 0:
            raise ValueError(f"betas=({beta1}, 0.0) make the mean square of the update infinite: E[1/g^2] is")
        covariance = np.ones(1)  # the update is the sign of the gradient
    elif beta2 > _LARGEST_BETA2:
        raise ValueError(f"betas must have beta2 <= {_LARGEST_BETA2}, got betas=({beta1}, {beta2})")
    else:
        covariance = _integrate_autocovariance(beta1, beta2, law, lags)
    covariance.setflags(write=False)
    return covariance


def _integrate_autocovariance(beta1, beta2, law, lags):
    """The integrals of update_autocovariance."""
    from scipy.interpolate import CubicSpline
    grid = _Grid.of(beta2)
    q, frozen = grid.q, (1 - beta1) / (1 + beta1)
    s = (1 - beta2) * q
    log_g = grid.over_past(law.log_laplace(s), -q, 1.0)
    h = grid.over_past((1 - beta1) ** 2 * law.tilted_square(s), np.full(q.size, frozen), beta1**2)
    first = grid.integral(q * np.exp(log_g) * h)
    if lags.size == 1:
        return np.array([first])

    coarse = slice(None, None, grid.stride)
    log_gh = CubicSpline(grid.log_q[coarse], (log_g + np.log(h))[coarse])
    # W on the coarse points: x = e^w, trapezoidal rule in w, lowest part included by starting at e^-20.
    log_x2 = np.arange(_LOWEST, grid.log_q[-1], 2 * _SPACING)
    log_sum = np.logaddexp(grid.log_q[coarse, np.newaxis], log_x2)
    inside = log_sum < grid.log_q[-1]
    values = np.where(inside, np.exp(log_gh(np.minimum(log_sum, grid.log_q[-1]))), 0.0)
    w = _SPACING * values @ np.exp(log_x2 / 2)  # dx = x dw with dw = 2 * spacing / 2
    fine_w = CubicSpline(grid.log_q[coarse], w)(grid.log_q)

    index, z = np.arange(q.size)[coarse], np.exp(grid.log_q[coarse] / 2)
    covariance = np.empty(lags.size)
    covariance[0] = first
    weight = 0.5 * z * np.exp(log_g[coarse])  # dz = z / 2 dlog q
    kept = weight > 1e-14 * weight.max()
    index, weight = index[kept], weight[kept]
    spacing = (grid.log_q[1] - grid.log_q[0]) * grid.stride
    for lag in lags[1:]:
        shifted = np.maximum(index - lag * grid.period, 0)  # below the grid G is 1 and W is constant
        covariance[lag] = spacing * np.sum(weight * np.exp(-log_g[shifted]) * fine_w[shifted])
    covariance[1:] *= 4 / np.pi * beta1 ** lags[1:]
    return covariance


def _first_order_is_enough(beta2, law):
    return 1 - beta2 < _FIRST_ORDER and math.isfinite(law.fourth_moment)


@lru_cache(maxsize=256)
def _mean_factors(beta1, beta2, ratios):
    """Factor D for a tuple of ratios mu / sigma >= 0; shape (len(ratios),)."""
    if beta2 == 0:
        return np.array([_mean_factor_of_sign(beta1, ratio) for ratio in ratios])
    grid = _Grid.of(beta2)
    q = grid.q
    spread = 1 + 2 * (1 - beta2) * q
    log_g = grid.over_past(-0.5 * np.log(spread), -q, 1.0)
    pull = grid.over_past((1 - beta1) / spread, np.ones(q.size), beta1)
    # The exponent of the mean, per mu^2.
    drag = grid.over_past((1 - beta2) * q / spread, q, 1.0)
    factors = []
    for ratio in ratios:
        # In units of sqrt(mu^2 + sigma^2) the integrand keeps its place for every ratio.
        integrand = np.sqrt(q) * pull * np.exp(log_g - ratio**2 * drag)
        factors.append(np.hypot(1.0, ratio) / np.sqrt(np.pi) * grid.integral(integrand))
    return np.array(factors)


def _mean_factor_of_sign(beta1, ratio):
    """Factor D for beta2 = 0, where the update divides by the last gradient alone."""
    if beta1 > 0:
        raise ValueError(f"betas=({beta1}, 0.0) make the mean of the update infinite: E[1/|g|] is")
    if ratio == 0:
        return math.sqrt(2 / math.pi)
    return math.erf(ratio / math.sqrt(2)) * math.hypot(1.0, ratio) / ratio
