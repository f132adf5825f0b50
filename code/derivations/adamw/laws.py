"""Laws of a gradient's noise: symmetric, with mean 0 and variance 1.

A law can be drawn from, and it knows the two expectations from which :func:`~derivations.adamw.noise_factor` is computed.
"""
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from . import _checks as check

__all__ = ["Law", "empirical", "gaussian", "laplace", "rademacher", "student_t", "uniform"]


class Law(ABC):
    r"""A symmetric law with mean 0 and variance 1; write a subclass for one that is not in the list.

    A subclass must be hashable and must not change (a frozen dataclass, say): results are remembered for each law.

    Attributes
    ----------
    name : str
        For messages and legends.
    fourth_moment : float
        :math:`E[g^4] \ge 1`; infinite for very heavy tails.
    zero_probability : float
        Probability that a gradient is exactly 0.
    """

    name: str
    fourth_moment: float
    zero_probability: float = 0.0

    @abstractmethod
    def draw(self, rng, out):
        """Fill the float32 or float64 array ``out`` with independent variates from the generator ``rng``."""

    @abstractmethod
    def log_laplace(self, s):
        r""":math:`\log E[e^{-s g^2}]` for an array of :math:`s \ge 0`."""

    @abstractmethod
    def tilted_square(self, s):
        r""":math:`E[g^2 e^{-s g^2}] / E[e^{-s g^2}]` for an array of :math:`s \ge 0`; 1 at :math:`s = 0`."""


class _Mixture(Law):
    r"""A normal law whose variance is random: :math:`g = \sqrt{w}\,\xi`, with :math:`w` on a quadrature rule.

    Given :math:`w`, :math:`E[e^{-s g^2}] = (1 + 2 s w)^{-1/2}`.
    """

    @abstractmethod
    def _rule(self):
        """Variances and their weights, each of shape (n,); weights sum to 1."""

    def log_laplace(self, s):
        variances, weights = self._rule()
        return np.log((1 + 2 * np.asarray(s)[..., np.newaxis] * variances) ** -0.5 @ weights)

    def tilted_square(self, s):
        variances, weights = self._rule()
        spread = 1 + 2 * np.asarray(s)[..., np.newaxis] * variances
        return (spread**-1.5 @ (variances * weights)) / (spread**-0.5 @ weights)


@dataclass(frozen=True)
class _Gaussian(Law):
    name: str = "gaussian"
    fourth_moment: float = 3.0

    def draw(self, rng, out):
        rng.standard_normal(dtype=out.dtype, out=out)

    def log_laplace(self, s):
        return -0.5 * np.log1p(2 * np.asarray(s))

    def tilted_square(self, s):
        return 1 / (1 + 2 * np.asarray(s))


@dataclass(frozen=True)
class _Rademacher(Law):
    name: str = "rademacher"
    fourth_moment: float = 1.0

    def draw(self, rng, out):
        out[...] = rng.integers(0, 2, out.shape, dtype=np.int8)
        out *= 2
        out -= 1

    def log_laplace(self, s):
        return -np.asarray(s, dtype=float)

    def tilted_square(self, s):
        return np.ones(np.shape(s))


@dataclass(frozen=True)
class _Uniform(Law):
    name: str = "uniform"
    fourth_moment: float = 9 / 5

    def draw(self, rng, out):
        rng.random(dtype=out.dtype, out=out)
        out *= 12**0.5
        out -= 3**0.5

    def log_laplace(self, s):
        from scipy.special import erf
        z = np.sqrt(3 * np.asarray(s, dtype=float))
        safe = np.where(z > 1e-8, z, 1.0)
        return np.where(z > 1e-8, np.log(np.sqrt(np.pi) * erf(safe) / (2 * safe)), -(z**2) / 3)

    def tilted_square(self, s):
        from scipy.special import erf
        s = np.asarray(s, dtype=float)
        z = np.sqrt(3 * np.where(s > 3e-4, s, 1.0))
        # The closed form loses its digits as s -> 0, where three terms of the cumulant series of g^2 are enough.
        series = 1 - 4 / 5 * s + 8 / 35 * s**2
        return np.where(s > 3e-4, 1.5 / z**2 * (1 - 2 * z * np.exp(-(z**2)) / (np.sqrt(np.pi) * erf(z))), series)


@dataclass(frozen=True)
class _Laplace(_Mixture):
    """The variance of the mixture has an exponential law."""

    name: str = "laplace"
    fourth_moment: float = 6.0

    def draw(self, rng, out):
        # The difference of two exponential variates, each with variance 1/2.
        rng.standard_exponential(dtype=out.dtype, out=out)
        out -= rng.standard_exponential(out.shape, dtype=out.dtype)
        out *= 0.5**0.5

    def _rule(self):
        return _gamma_rule(1.0)


@dataclass(frozen=True)
class _StudentT(_Mixture):
    """The variance of the mixture is the reciprocal of a variate with a gamma law."""

    degrees: float
    name: str = "student_t"
    fourth_moment: float = field(init=False)

    def __post_init__(self):
        moment = 3 * (self.degrees - 2) / (self.degrees - 4) if self.degrees > 4 else np.inf
        object.__setattr__(self, "fourth_moment", moment)

    def draw(self, rng, out):
        rng.standard_normal(dtype=out.dtype, out=out)
        chi_square = rng.standard_gamma(self.degrees / 2, out.shape, dtype=out.dtype)
        out *= np.sqrt((self.degrees / 2 - 1) / chi_square)

    def _rule(self):
        half, weights = _gamma_rule(self.degrees / 2)
        return (self.degrees / 2 - 1) / half, weights


@dataclass(frozen=True, eq=False)
class _Empirical(Law):
    """Compared by identity, as an array has no hash."""

    samples: np.ndarray
    squares: np.ndarray
    weights: np.ndarray
    fourth_moment: float
    zero_probability: float
    name: str = "empirical"

    def draw(self, rng, out):
        out[...] = rng.choice(self.samples, out.shape)
        out *= 1 - 2 * rng.integers(0, 2, out.shape, dtype=np.int8)

    def log_laplace(self, s):
        smallest = self.squares[0]
        return np.log(self._tilt(s) @ self.weights) - np.asarray(s) * smallest

    def tilted_square(self, s):
        tilt = self._tilt(s)
        return tilt @ (self.squares * self.weights) / (tilt @ self.weights)

    def _tilt(self, s):
        # Relative to the smallest square, so that the factors of a large s do not all vanish.
        return np.exp(-np.asarray(s)[..., np.newaxis] * (self.squares - self.squares[0]))


def gaussian():
    """Normal law.

    Examples
    --------
    >>> gaussian().fourth_moment
    3.0
    """
    return _Gaussian()


def rademacher():
    """Law of a fair sign, +1 or -1. The denominator of Adam then does not fluctuate.

    Examples
    --------
    >>> rademacher().tilted_square([0.0, 1.0])
    array([1., 1.])
    """
    return _Rademacher()


def uniform():
    r"""Uniform law between :math:`-\sqrt3` and :math:`\sqrt3`.

    Examples
    --------
    >>> uniform().fourth_moment
    1.8
    """
    return _Uniform()


def laplace():
    """Laplace law, with two exponential tails.

    Examples
    --------
    >>> laplace().fourth_moment
    6.0
    """
    return _Laplace()


def student_t(degrees):
    r"""Student's t law, scaled to variance 1; its tails fall like :math:`|g|^{-\mathrm{degrees} - 1}`.

    Parameters
    ----------
    degrees : float
        Degrees of freedom, more than 2 (else the variance is infinite).

    Returns
    -------
    Law

    Raises
    ------
    ValueError
        If ``degrees`` is not one number above 2.

    Examples
    --------
    >>> student_t(5).fourth_moment
    9.0
    """
    if check.finite("degrees", degrees).ndim or degrees <= 2:
        raise ValueError(f"degrees must be one number above 2, got degrees={degrees!r}")
    return _StudentT(float(degrees))


def empirical(samples):
    r"""Law of given gradients: drawn with replacement and a random sign, scaled to variance 1.

    Parameters
    ----------
    samples : array_like
        At least 2 numbers, not all 0, for example one layer's gradient divided by the RMS of each of its components.

    Returns
    -------
    Law

    Raises
    ------
    ValueError
        If there are fewer than 2 numbers, one is not finite, or all are 0.

    Notes
    -----
    The expectations use the means of at most 2000 groups of neighbouring squares. Their mean is kept exactly.

    Examples
    --------
    >>> empirical([1.0, -1.0, 1.0]).fourth_moment
    1.0
    """
    values = check.finite("samples", samples).ravel()
    if values.size < 2 or not values.any():
        raise ValueError(f"samples must hold at least 2 numbers that are not all 0, got {values.size} numbers")
    values = values / np.abs(values).max()  # so that no square underflows or overflows
    values = values / np.sqrt(np.mean(values**2))
    squares = np.sort(values**2)
    groups = np.array_split(squares, min(squares.size, 2000))
    means = np.array([group.mean() for group in groups])
    weights = np.array([group.size for group in groups]) / squares.size
    return _Empirical(values, means, weights, float(np.mean(values**4)), float(np.mean(values == 0)))


def _gamma_rule(shape):
    """Nodes and weights for expectations over a gamma law; the trapezoidal rule in the logarithm, shape (n,) each."""
    # The density of log x is exp(shape y - e^y) / Gamma(shape): doubly exponential to the right, exponential to the left.
    log_nodes = np.linspace(-40 / shape - 3, np.log(shape + 40 + 10 * np.sqrt(shape)), 400)
    nodes = np.exp(log_nodes)
    weights = np.exp(shape * (log_nodes - np.log(shape)) - nodes + shape)
    return nodes, weights / weights.sum()
