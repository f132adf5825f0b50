"""What the fluctuation of Adam's denominator does: the noise factor, the size of an update, the gain of a mean gradient.

All of it follows from one identity,

.. math:: \\frac{1}{\\sqrt v + \\epsilon} = \\frac{1}{\\sqrt\\pi}\\int_0^\\infty \\frac{ds}{\\sqrt s}\\,\\varphi(s)\\,e^{-sv} ,
          \\qquad \\varphi(s) = 1 - \\sqrt{\\pi s}\\,\\epsilon\\,e^{\\epsilon^2 s}\\operatorname{erfc}(\\epsilon\\sqrt s) ,

which turns an expectation over :math:`m/(\\sqrt v + \\epsilon)` into an integral of products over independent gradients.
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
_FIRST_ORDER = 1e-4  # of 1 - beta2: below it the first order is exact to 1e-6 for laws without heavy tails
_LIGHT_TAILS = 12.0  # largest fourth moment of a law without heavy tails
_LARGEST_RATIO = 1e4  # of mu / sigma: beyond it the mean update is that of a frozen denominator to 1e-10
_LOWEST = -60.0  # of log q; the integrals from 0 to exp(-60) are left out
_SPACING = 0.04  # of log q at most: the trapezoidal rule is then exact to rounding for these integrands


def noise_factor(betas=(0.9, 0.95), method="exact", law=None, eps=0.0, fourth_moment=None):
    r"""Factor :math:`S` by which the noise part of :math:`E[\theta^2]` differs from that of a frozen denominator.

    It is the sum of the autocovariances of the update :math:`u_t = m_t/(\sqrt{v_t} + \epsilon)` in the stationary state,

    .. math:: S = (1 + \epsilon)^2 \Bigl( C_0 + 2\sum_{k \ge 1} C_k \Bigr) , \qquad C_k = E[u_t u_{t+k}] ,

    for gradients with variance 1; with a frozen denominator, :math:`u_t = m_t/(1 + \epsilon)`, it is 1.

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    method : {"exact", "leading"}
        ``"exact"`` sums :func:`update_autocovariance`, about 1e-6 accurate, and remembers the result.
        ``"leading"`` is the first order in :math:`1 - \beta_2` for :math:`\epsilon = 0`, with
        :math:`q = E[g^4]/\sigma^4 - 1`:

        .. math::

            S \approx 1 - q (1 - \beta_2) \left[ \frac{1 - \beta_1}{1 - \beta_1\beta_2} - \frac{1}{1 + \beta_2}
            \left( \frac34 + \frac14 \frac{(1 - \beta_1)(1 + \beta_1\beta_2)}{(1 + \beta_1)(1 - \beta_1\beta_2)}
            \right) \right] .
    law : Law, optional
        Law of the gradients; :func:`gaussian` by default.
    eps : float
        :math:`\epsilon/\sigma \ge 0`; only for ``method="exact"``.
    fourth_moment : float or array_like, optional
        :math:`E[g^4]/\sigma^4 \ge 1`, in place of ``law``; only for ``method="leading"``, which needs nothing else.

    Returns
    -------
    float or numpy.ndarray
        The factor of the mean *square*; the RMS changes by its root.

    Raises
    ------
    ValueError
        If an argument is outside its range, the mean square of the update is infinite (``beta2 = 0 < beta1``, or a law
        that is 0 too often), or the first order is not positive and so says nothing.

    Notes
    -----
    Equations :eq:`eq-adamw-noise-factor-exact` and :eq:`eq-adamw-noise-factor` (leading order) of the book. Both
    hold for independent gradients with mean 0 and a symmetric law, and for :math:`\eta\lambda \ll 1 - \beta_1`. For
    gradients :math:`\pm\sigma` the denominator does not fluctuate and :math:`S = 1` exactly.

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
    law, eps = _law(law), _one_eps(eps)
    if method == "exact":
        if fourth_moment is not None:
            raise ValueError(f"fourth_moment={fourth_moment!r} needs method='leading'; an exact factor needs a law")
        if not (eps == 0 and _first_order_is_enough(beta2, law)):
            covariance = _autocovariance(beta1, beta2, law, eps)
            return float((1 + eps) ** 2 * (covariance[0] + 2 * covariance[1:].sum()))
    elif eps:
        raise ValueError(f"eps={eps} needs method='exact'")
    excess = _excess(law, fourth_moment)
    pull = (1 - beta1) / (1 - beta1 * beta2)
    spread = 3 / 4 + pull * (1 + beta1 * beta2) / (1 + beta1) / 4
    factor = 1 - excess * (1 - beta2) * (pull - spread / (1 + beta2))
    _require_positive(factor, betas, excess)
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
        If an argument is outside its range, the mean square is infinite (``beta2 = 0 < beta1``, or a law that is 0 too
        often), or the first order is not positive.

    Notes
    -----
    Equations :eq:`eq-adamw-update-rms-mean-field` (``"mean_field"``) and :eq:`eq-adamw-update-gap` (``"leading"``) of the
    book. For :math:`\beta_2 > \beta_1^2` it is less than the mean-field value, by a per cent and a half at the usual
    constants: a large gradient is in the numerator and in the denominator. J. Su, RMS of Adam's update (in Chinese),
    https://kexue.fm/archives/11267, has the mean-field value.

    Examples
    --------
    >>> [round(update_rms((0.9, 0.95), method=method), 4) for method in ("mean_field", "leading", "exact")]
    [0.2294, 0.2258, 0.2261]
    """
    beta1, beta2 = check.beta_pair(betas)
    check.one_of("method", method, ("exact", "leading", "mean_field"))
    law = _law(law)
    if method == "exact" and not _first_order_is_enough(beta2, law):
        return float(np.sqrt(_variance(beta1, beta2, law)))
    frozen = (1 - beta1) / (1 + beta1)
    if method == "mean_field":
        return float(np.sqrt(frozen))
    fluctuation = float(_excess(law, None)) * (1 - beta2)
    square = frozen * (1 + fluctuation / (1 + beta2)) - fluctuation * (1 - beta1) ** 2 / (1 - beta1**2 * beta2)
    _require_positive(square, betas, float(_excess(law, None)))
    return float(np.sqrt(square))


def update_autocovariance(betas=(0.9, 0.95), law=None, eps=0.0):
    r"""Autocovariance :math:`C_k = E[u_t u_{t+k}]` of Adam's update for gradients that are pure noise.

    With :math:`b_j = (1-\beta_2)\beta_2^j`, :math:`G(q) = \prod_j E[e^{-q b_j g^2}]`, :math:`H(q) = (1-\beta_1)^2
    \sum_j \beta_1^{2j}\, E[g^2 e^{-q b_j g^2}] / E[e^{-q b_j g^2}]` and :math:`\varphi(s) = 1 -
    \sqrt{\pi s}\,\epsilon\,e^{\epsilon^2 s}\operatorname{erfc}(\epsilon\sqrt s)`, which is 1 for
    :math:`\epsilon = 0`,

    .. math::

        C_k &= \frac4\pi\,\beta_1^k \int_0^\infty \varphi(z^2)\,\frac{G(z^2)}{G(\beta_2^k z^2)}\;
               W(\beta_2^{k/2} z)\,dz , \\
        W(y) &= \int_0^\infty \varphi(x^2)\,G(y^2 + x^2)\,H(y^2 + x^2)\,dx .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    law : Law, optional
        Law of the gradients; :func:`gaussian` by default.
    eps : float
        :math:`\epsilon/\sigma \ge 0`.

    Returns
    -------
    numpy.ndarray, shape (K + 1,)
        :math:`C_0, \ldots, C_K` for gradients of variance 1, up to where :math:`\beta_1^K` has fallen to 1e-10.

    Raises
    ------
    ValueError
        If an argument is outside its range, ``beta2`` is above 0.99999, or :math:`C_0` is infinite (``beta2 = 0 <
        beta1``, or a law that is 0 so often that all past gradients can be 0 while the momentum is not).

    Notes
    -----
    Equation :eq:`eq-adamw-covariance` of the book, in polar coordinates there, and :eq:`eq-adamw-any-law` for other laws.
    Independent symmetric gradients with mean 0, long after the start. Write both denominators as
    :math:`(\sqrt v + \epsilon)^{-1} = \pi^{-1/2}\int_0^\infty s^{-1/2}\varphi(s)\,e^{-sv}\,ds`. The numerator
    :math:`m_{t+k} = \beta_1^k m_t + \ldots` leaves :math:`\beta_1^k m_t^2`: the other products are odd in one of the
    gradients. With :math:`s = x^2` and :math:`s' = z^2` only :math:`z` meets :math:`k`. For :math:`\epsilon = 0`,
    :math:`C_0` is also :math:`\int_0^\infty G H\,dq`.

    Examples
    --------
    >>> covariance = update_autocovariance((0.9, 0.95))
    >>> float(round(covariance[0], 4)), float(round(covariance[0] + 2 * covariance[1:].sum(), 4))
    (0.0511, 0.9793)
    """
    return _autocovariance(*check.beta_pair(betas), _law(law), _one_eps(eps)).copy()


def mean_factor(betas=(0.9, 0.95), ratio=0.0, eps=0.0):
    r"""Factor :math:`D` by which the mean update differs from that of a frozen denominator, for normal gradients.

    .. math:: E[u_t] = D\,\frac{\mu}{\sqrt{\mu^2 + \sigma^2} + \epsilon} .

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`, both in [0, 1).
    ratio, eps : float or array_like
        :math:`\mu/\sigma`, whose sign does not matter, and :math:`\epsilon/\sigma \ge 0`.

    Returns
    -------
    float or numpy.ndarray, of the shape to which ratio and eps broadcast

    Raises
    ------
    ValueError
        If an argument is outside its range, or the mean is infinite (``beta2 = 0 < beta1``).

    Notes
    -----
    Equation :eq:`eq-adamw-mean-factor` of the book.
    Normal gradients, long after the start. With :math:`b_j = (1-\beta_2)\beta_2^j`, :math:`\varphi` as in
    :func:`update_autocovariance` and :math:`\sigma = 1`

    .. math::

        E[u_t] = \frac{1}{\sqrt\pi} \int_0^\infty \frac{ds}{\sqrt s}\;\varphi(s)
        \prod_j \frac{e^{-s b_j \mu^2/(1 + 2 s b_j)}}{\sqrt{1 + 2 s b_j}}\;
        \sum_j \frac{(1-\beta_1)\beta_1^j\,\mu}{1 + 2 s b_j} .

    More than 200 ratios at one ``eps`` are interpolated, with an error below 1e-5.

    Examples
    --------
    >>> round(mean_factor((0.9, 0.95)), 4)
    0.9853
    >>> mean_factor((0.9, 0.95), [0.5, 100.0]).round(4)
    array([0.9909, 1.    ])
    """
    beta1, beta2 = check.beta_pair(betas)
    ratio, eps = np.abs(check.finite("ratio", ratio)), check.non_negative("eps", eps)
    ratio, eps = np.broadcast_arrays(np.minimum(ratio, _LARGEST_RATIO), eps)
    pairs, where = np.unique(np.stack([ratio.ravel(), eps.ravel()]), axis=1, return_inverse=True)
    if pairs.shape[1] > 200 and np.ptp(pairs[1]) == 0:
        from scipy.interpolate import CubicSpline
        nodes = np.linspace(0.0, np.arcsinh(_LARGEST_RATIO), 161)
        values = _mean_factors(beta1, beta2, np.sinh(nodes), np.full(nodes.size, pairs[1, 0]))
        factors = CubicSpline(nodes, values, bc_type=((1, 0.0), (2, 0.0)))(np.arcsinh(pairs[0]))  # even in the ratio
    else:
        factors = _mean_factors(beta1, beta2, *pairs)
    factors = factors[where.ravel()].reshape(ratio.shape)
    return factors if factors.ndim else float(factors)


def _one_eps(eps):
    """``eps`` as a float >= 0."""
    if check.non_negative("eps", eps).ndim:
        raise ValueError(f"eps must be one number, got eps={eps!r}")
    return float(eps)


def _require_positive(value, betas, excess):
    """The first order says nothing where it is not even positive."""
    if np.any(value <= 0):
        raise ValueError(f"method='leading' does not hold for betas={betas} and E[g^4] - 1 = {excess}")


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

    @property
    def spacing(self):
        """Distance of two neighbouring points."""
        return self.log_q[1] - self.log_q[0]

    def refine(self, values):
        """Values at all points from those at every stride-th point; for functions as smooth as these, to 1e-8."""
        if self.stride == 1:
            return values
        from scipy.interpolate import CubicSpline
        return CubicSpline(self.log_q[:: self.stride], values)(self.log_q)

    def integral(self, values):
        """Trapezoidal rule in log q over every stride-th point."""
        return float(self.spacing * self.stride * values[:: self.stride].sum())


@lru_cache(maxsize=64)
def _autocovariance(beta1, beta2, law, eps):
    """C_0, ..., C_K; see update_autocovariance. The array is read-only, as all callers share it."""
    _require_finite(beta1, beta2, law)
    lags = np.arange(math.ceil(math.log(1e-10) / math.log(beta1)) + 1 if beta1 > 0 else 1)
    if law.fourth_moment == 1:  # gradients of one size: the denominator is constant
        covariance = (1 - beta1) / (1 + beta1) * beta1**lags / (1 + eps) ** 2
    elif beta2 == 0:
        covariance = np.array([_square_of_sign(law, eps)])
    else:
        covariance = _integrate_autocovariance(beta1, beta2, law, eps, lags)
    covariance.setflags(write=False)
    return covariance


@lru_cache(maxsize=64)
def _variance(beta1, beta2, law):
    """C_0 alone, for eps = 0."""
    _require_finite(beta1, beta2, law)
    if law.fourth_moment == 1:
        return (1 - beta1) / (1 + beta1)
    if beta2 == 0:
        return 1.0  # the update is the sign of the gradient
    grid = _Grid.of(beta2)
    log_g, h = _products(grid, beta1, beta2, law)
    return grid.integral(grid.q * np.exp(log_g) * h)


def _require_finite(beta1, beta2, law):
    """The mean square of the update must be finite, and the grid must fit into memory."""
    if beta2 > _LARGEST_BETA2:
        raise ValueError(f"betas must have beta2 <= {_LARGEST_BETA2} for law={law.name!r}, got betas=({beta1}, {beta2})")
    # With probability p^n the last n gradients are 0; then m^2 / v is as large as (beta1^2 / beta2)^n.
    if 0 < beta1 and law.fourth_moment > 1 and beta2 <= law.zero_probability * beta1**2:
        raise ValueError(f"betas=({beta1}, {beta2}) make the mean square of the update infinite for law={law.name!r}")


def _square_of_sign(law, eps):
    """E[g^2 / (|g| + eps)^2], the mean square of the update without any average."""
    if eps == 0:
        return 1.0
    # The identity at the top of this file, twice, by the trapezoidal rule in log s.
    step = 0.15
    s = np.exp(np.arange(-60.0, 60.0, step))
    weight = step / np.sqrt(np.pi) * np.sqrt(s) * _damping(eps, s)
    values = [np.exp(law.log_laplace(row)) * law.tilted_square(row) for row in s[:, np.newaxis] + s]
    return float(weight @ np.array(values) @ weight)


def _damping(eps, s):
    """The function phi of the identity at the top of this file."""
    if eps == 0:
        return np.ones(np.shape(s))
    from scipy.special import erfcx
    root = eps * np.sqrt(s)
    # Beyond 1e4 the difference loses its digits; two terms of the asymptotic series are exact there.
    large = np.maximum(root, 1.0) ** -2 / 2
    return np.where(root < 1e4, 1 - np.sqrt(np.pi) * root * erfcx(np.minimum(root, 1e4)), large)


def _products(grid, beta1, beta2, law):
    """log G and H at all points of the grid."""
    q = grid.q
    s = (1 - beta2) * q
    log_laplace = grid.refine(law.log_laplace(s[:: grid.stride]) / s[:: grid.stride]) * s
    log_g = grid.over_past(log_laplace, -q, 1.0)
    tilted = grid.refine(law.tilted_square(s[:: grid.stride]))
    start = np.full(q.size, (1 - beta1) / (1 + beta1))
    return log_g, grid.over_past((1 - beta1) ** 2 * tilted, start, beta1**2)


def _integrate_autocovariance(beta1, beta2, law, eps, lags):
    """The integrals of update_autocovariance."""
    grid = _Grid.of(beta2)
    log_g, h = _products(grid, beta1, beta2, law)
    coarse = slice(None, None, grid.stride)
    log_q, fine_w = grid.log_q[coarse], grid.refine(_inner_integral(grid, log_g + np.log(h), eps))
    z = np.exp(log_q / 2)
    weight = 0.5 * z * _damping(eps, z**2) * np.exp(log_g[coarse])  # dz = z / 2 dlog q
    kept = weight > 1e-14 * weight.max()
    index, weight = np.arange(grid.log_q.size)[coarse][kept], weight[kept] * grid.spacing * grid.stride
    # Once all points are shifted to the lowest one, G is 1 there and W constant: the rest is a geometric series.
    computed = min(lags.size, -(-grid.log_q.size // grid.period) + 1)
    covariance = np.empty(lags.size)
    for lag in range(computed):
        shifted = np.maximum(index - lag * grid.period, 0)
        covariance[lag] = weight @ (np.exp(-log_g[shifted]) * fine_w[shifted])
    covariance[computed:] = covariance[computed - 1]
    return covariance * (4 / np.pi * beta1**lags)


def _inner_integral(grid, log_gh, eps):
    """W at every stride-th point: trapezoidal rule in log x^2, down to where the rest is negligible."""
    from scipy.interpolate import CubicSpline
    log_q = grid.log_q[:: grid.stride]
    spline = CubicSpline(log_q, log_gh[:: grid.stride])
    log_x2 = np.arange(_LOWEST, grid.log_q[-1], 2 * _SPACING)
    x = np.exp(log_x2 / 2)
    weight = _SPACING * x * _damping(eps, x**2)  # dx = x / 2 dlog x^2
    log_sum = np.logaddexp(log_q[:, np.newaxis], log_x2)
    inside = log_sum < grid.log_q[-1]
    return np.where(inside, np.exp(spline(np.minimum(log_sum, grid.log_q[-1]))), 0.0) @ weight


def _first_order_is_enough(beta2, law):
    return 1 - beta2 < _FIRST_ORDER and law.fourth_moment <= _LIGHT_TAILS


def _mean_factors(beta1, beta2, ratios, eps):
    """Factor D for arrays of mu / sigma and eps / sigma; shape (n,)."""
    if beta2 == 0:
        return np.array([_mean_factor_of_sign(beta1, *pair) for pair in zip(ratios, eps)])
    if 1 - beta2 < _FIRST_ORDER:  # to first order, what is missing to 1 is proportional to 1 - beta2
        nearby = 2 * _FIRST_ORDER
        return 1 - (1 - _mean_factors(beta1, 1 - nearby, ratios, eps)) * (1 - beta2) / nearby
    log_q, log_g, pull, drag = _mean_products(beta1, beta2)
    q = np.exp(log_q)
    factors = []
    for ratio, floor in zip(ratios, eps):
        integrand = np.sqrt(q) * _damping(floor, q) * pull * np.exp(log_g - ratio**2 * drag)
        factors.append((np.hypot(1.0, ratio) + floor) / np.sqrt(np.pi) * (log_q[1] - log_q[0]) * integrand.sum())
    return np.array(factors)


@lru_cache(maxsize=64)
def _mean_products(beta1, beta2):
    """log q, log G, the sum over j, and the exponent per mu^2, at enough points for an integral over log q."""
    grid = _Grid.of(beta2)
    q = grid.q
    spread = 1 + 2 * (1 - beta2) * q
    log_g = grid.over_past(-0.5 * np.log1p(2 * (1 - beta2) * q), -q, 1.0)
    pull = grid.over_past((1 - beta1) / spread, np.ones(q.size), beta1)
    drag = grid.over_past((1 - beta2) * q / spread, q, 1.0)
    return tuple(values[:: grid.stride] for values in (grid.log_q, log_g, pull, drag))


def _mean_factor_of_sign(beta1, ratio, eps):
    """Factor D for beta2 = 0, where the update divides by the last gradient alone."""
    if beta1 > 0:
        raise ValueError(f"betas=({beta1}, 0.0) make the mean of the update infinite: E[1/|g|] is")
    if eps > 0:
        raise ValueError(f"eps={eps} needs beta2 > 0 for a gradient_mean other than 0, got betas=({beta1}, 0.0)")
    if ratio == 0:
        return math.sqrt(2 / math.pi)
    return math.erf(ratio / math.sqrt(2)) * math.hypot(1.0, ratio) / ratio
