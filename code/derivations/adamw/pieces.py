"""The pieces of which a schedule is a chain: each is one formula on its own interval, with its integrals.

Inside a piece, ``s`` runs from 0 to the length of the piece; every method takes an array of any such steps.
"""
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .moments import first_order_recursion
from .quadrature import gauss, panels, running_sum

__all__ = ["Constant", "Cosine", "Held", "InverseTime", "Linear", "Piece"]


class Piece:
    r"""What every piece knows; base class.

    Attributes
    ----------
    length : int
        Length of its interval.
    peak : float
        Largest learning rate.
    breaks : numpy.ndarray
        Places in (0, length], in order and with the length as the last one, between which the learning rate is smooth.
    flat : bool
        Whether the learning rate is constant between those places.
    """

    flat = False

    @property
    def breaks(self):
        """One smooth stretch, unless a piece says otherwise."""
        return np.array([self.length], dtype=float)

    def rate(self, s):
        r"""Learning rate :math:`\eta_s`."""
        raise NotImplementedError

    def integral(self, s, over=None):
        r""":math:`\int_{s-d}^s \eta_u\,du` with :math:`d` = ``over``; from 0 to s by default.

        The length ``over`` is an argument of its own so that short stretches far from 0 keep all their digits.
        """
        raise NotImplementedError

    def square_integral(self, s):
        r""":math:`\int_0^s \eta_u^2\,du`."""
        raise NotImplementedError

    def scaled(self, factor):
        """This piece with all learning rates multiplied by ``factor`` >= 0."""
        raise NotImplementedError

    def decayed_nu(self, weight_decay, s):
        r""":math:`\int_0^s e^{-2\lambda\int_u^s \eta}\,\eta_u^2\,du`, by quadrature from each step to the next.

        Notes
        -----
        Between neighbouring steps the panels become the finer the nearer they are to the later step, see
        :func:`panels`: they resolve the weight :math:`e^{-2\lambda\int_u^s\eta}` however steep it is.
        """
        step = np.union1d(s, self.breaks)
        length = np.diff(step, prepend=0.0)
        row, near, far = panels(lambda row, d: 2 * weight_decay * self.integral(step[row], d), length)
        gained = np.bincount(row, gauss(self._decayed_square(weight_decay), step[row], near, far), minlength=step.size)
        kept = np.exp(-2 * weight_decay * self.integral(step, length))
        return first_order_recursion(kept, gained)[np.searchsorted(step, s)]

    def _decayed_square(self, weight_decay):
        """The integrand of decayed_nu, as a function of the later step and the distance before it."""
        def integrand(end, d):
            return np.exp(-2 * weight_decay * self.integral(end, d)) * self.rate(end - d) ** 2
        return integrand


@dataclass(frozen=True)
class Constant(Piece):
    r"""Learning rate that never changes, :math:`\eta_s = \eta`."""

    lr: float
    length: int
    flat = True

    @property
    def peak(self):
        """The learning rate."""
        return self.lr

    def rate(self, s):
        return np.full(s.shape, self.lr)

    def integral(self, s, over=None):
        return self.lr * (s if over is None else over)

    def square_integral(self, s):
        return self.lr**2 * s

    def scaled(self, factor):
        return replace(self, lr=factor * self.lr)

    def decayed_nu(self, weight_decay, s):
        r""":math:`(1 - e^{-2\lambda\eta s})\,\eta/(2\lambda)`."""
        return self.lr**2 * s * _mean_of_exp(2 * weight_decay * self.lr * s)


@dataclass(frozen=True)
class Linear(Piece):
    r"""Learning rate on a straight line, :math:`\eta_s = \eta_0 + (\eta_L - \eta_0)\,s/L`."""

    lr: float
    final_lr: float
    length: int

    @property
    def peak(self):
        """The larger end."""
        return max(self.lr, self.final_lr)

    def rate(self, s):
        share = s / self.length
        return self.lr * (1 - share) + self.final_lr * share

    def integral(self, s, over=None):
        if over is None:
            over = s
        return over * (self.rate(s) + self.rate(s - over)) / 2

    def square_integral(self, s):
        rate = self.rate(s)
        return s * (self.lr**2 + self.lr * rate + rate**2) / 3

    def scaled(self, factor):
        return replace(self, lr=factor * self.lr, final_lr=factor * self.final_lr)

    def decayed_nu(self, weight_decay, s):
        r"""In closed form, or by quadrature where that would cancel.

        With :math:`g` the slope, :math:`y = \eta\sqrt{\lambda/|g|}` and :math:`E = 2\lambda\int_0^s\eta_u\,du`,

        .. math::

            V_s = \frac{1}{\lambda\sqrt{\lambda/|g|}} \times \begin{cases}
            F(y_s) - e^{-E} F(y_0), \quad F(y) = \frac y2 + \frac{\sqrt\pi}{4} e^{y^2}\mathrm{erfc}(y) & (g < 0) \\
            G(y_s) - e^{-E} G(y_0), \quad G(y) = \frac{y - D(y)}{2} & (g > 0)
            \end{cases}

        with Dawson's integral :math:`D(y) = e^{-y^2}\int_0^y e^{x^2}dx`. None of these terms overflows.

        Notes
        -----
        For :math:`E \le 2` the differences cancel, the more the smaller :math:`E` is; but then the integrand is nearly
        a parabola, and Gauss-Legendre quadrature with 16 nodes is exact to rounding.
        """
        from scipy.special import dawsn, erfcx
        exponent = 2 * weight_decay * self.integral(s)
        slope = (self.final_lr - self.lr) / self.length
        mild = (exponent <= 2) | (slope == 0)
        result = np.empty(s.shape)
        result[mild] = self._mild_decayed_nu(weight_decay, s[mild])
        if not mild.all():
            unit = np.sqrt(weight_decay / abs(slope))
            y0, y = unit * self.lr, unit * self.rate(s[~mild])
            def antiderivative(y):
                return y / 2 + np.sqrt(np.pi) / 4 * erfcx(y) if slope < 0 else (y - dawsn(y)) / 2
            difference = antiderivative(y) - np.exp(-exponent[~mild]) * antiderivative(y0)
            result[~mild] = difference / weight_decay / unit
        return result

    def _mild_decayed_nu(self, weight_decay, s):
        """The integral where its exponent is small, or the slope is 0."""
        if self.lr == self.final_lr:
            return Constant(self.lr, self.length).decayed_nu(weight_decay, s)
        return gauss(self._decayed_square(weight_decay), s, np.zeros(s.shape), s)


@dataclass(frozen=True)
class Cosine(Piece):
    r"""Half a period of a cosine, :math:`\eta_s = \eta_L + (\eta_0 - \eta_L)\,(1 + \cos(\pi s/L))/2`."""

    lr: float
    final_lr: float
    length: int

    @property
    def peak(self):
        """The larger end."""
        return max(self.lr, self.final_lr)

    def rate(self, s):
        # (1 + cos(pi s / L)) / 2, but without loss of digits near the end, and exactly 1 and 0 at the ends.
        share = np.sin(np.pi / 2 * (1 - s / self.length)) ** 2
        return self.lr * share + self.final_lr * (1 - share)

    def integral(self, s, over=None):
        # With x the distance from the lower end, the rate is low + (high - low) sin^2(pi x / 2L). Its integral is
        # written as a sum of terms that are not negative, so that no digits cancel near the lower end.
        if over is None:
            over = s
        low, swing = min(self.lr, self.final_lr), abs(self.lr - self.final_lr)
        middle = s - over / 2 if self.lr < self.final_lr else self.length - s + over / 2
        half_turn = np.pi / (2 * self.length)
        h = half_turn * over
        return low * over + swing / (2 * half_turn) * (_less_sine(h) + 2 * np.sin(h) * np.sin(half_turn * middle) ** 2)

    def square_integral(self, s):
        if self.lr < self.final_lr:  # the closed form would lose digits where the rate is low
            return gauss(lambda end, d: self.rate(end - d) ** 2, s, np.zeros(s.shape), s)
        mean, swing = (self.lr + self.final_lr) / 2, (self.lr - self.final_lr) / 2
        turn = np.pi / self.length
        single, double = np.sin(turn * s) / turn, np.sin(2 * turn * s) / (4 * turn)
        return mean**2 * s + 2 * mean * swing * single + swing**2 * (s / 2 + double)

    def scaled(self, factor):
        return replace(self, lr=factor * self.lr, final_lr=factor * self.final_lr)


@dataclass(frozen=True)
class InverseTime(Piece):
    r"""Learning rate that falls with a power of time, :math:`\eta_s = \eta_0 (1 + s/\tau)^{-p}`."""

    lr: float
    timescale: float
    power: float
    length: int

    @property
    def peak(self):
        """The learning rate at the start."""
        return self.lr

    @property
    def breaks(self):
        # The rate has a singularity at s = -timescale: stretches must be short against the distance to it, and the rate
        # must fall little on them.
        ratio = np.log(2) / max(1.0, self.power)
        octaves = np.arange(ratio, np.log1p(self.length / self.timescale), ratio)
        return np.append(np.minimum(self.timescale * np.expm1(octaves), self.length), float(self.length))

    def rate(self, s):
        return self.lr * np.exp(-self.power * np.log1p(s / self.timescale))

    def integral(self, s, over=None):
        # In w = log(1 + s / timescale) the rate is an exponential; start and width of the stretch in w:
        start = 0.0 if over is None else np.log1p((s - over) / self.timescale)
        width = np.log1p(s / self.timescale) if over is None else np.log1p(over / (self.timescale + (s - over)))
        growth = 1 - self.power
        # The mean of e^(growth w) over the stretch, with its larger end split off, so that no factor overflows.
        mean = np.exp(growth * start + max(growth, 0.0) * width) * _mean_of_exp(abs(growth) * width)
        return self.lr * self.timescale * width * mean

    def square_integral(self, s):
        width, growth = np.log1p(s / self.timescale), 1 - 2 * self.power
        mean = np.exp(max(growth, 0.0) * width) * _mean_of_exp(abs(growth) * width)
        return self.lr**2 * self.timescale * width * mean

    def scaled(self, factor):
        return replace(self, lr=factor * self.lr)

    def decayed_nu(self, weight_decay, s):
        r"""For power 1 in closed form, with :math:`a = 2\lambda\eta_0\tau`, :math:`q = 1 + s/\tau`,

        .. math:: V_s = \eta_0^2\,\tau\,\frac{q^{-1} - q^{-a}}{a - 1} ,

        and :math:`\eta_0^2\,\tau\,q^{-1}\log q` for :math:`a = 1`; for other powers by quadrature.
        """
        if self.power != 1:
            return super().decayed_nu(weight_decay, s)
        log_q, a = np.log1p(s / self.timescale), 2 * weight_decay * self.lr * self.timescale
        return self.lr**2 * self.timescale * log_q * np.exp(-min(1.0, a) * log_q) * _mean_of_exp(abs(a - 1) * log_q)


@dataclass(frozen=True, eq=False)
class Held(Piece):
    r"""Learning rate given step by step and held in between, :math:`\eta_s = \eta_{\lceil s \rceil}`."""

    values: np.ndarray
    flat = True

    def __post_init__(self):
        values = np.array(self.values, dtype=float)  # a copy: the caller's array may change later
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __eq__(self, other):
        return isinstance(other, Held) and np.array_equal(self.values, other.values)

    def __hash__(self):
        return hash(self.values.tobytes())

    def __reduce__(self):
        return Held, (self.values,)  # a pickle needs no sums, and its copy is read-only again

    @property
    def length(self):
        """Number of values."""
        return self.values.size

    @property
    def peak(self):
        """The largest value."""
        return float(self.values.max())

    @property
    def breaks(self):
        """All whole steps."""
        return np.arange(1.0, self.length + 1)

    @cached_property
    def _sums(self):
        return running_sum(self.values)

    @cached_property
    def _square_sums(self):
        return running_sum(self.values**2)

    def _split(self, s):
        """Number of whole steps before s, and the part of the next one."""
        whole = np.maximum(np.ceil(s).astype(int), 1) - 1
        return whole, s - whole

    def rate(self, s):
        return self.values[self._split(s)[0]]

    def integral(self, s, over=None):
        if over is not None:
            return self.integral(s) - self.integral(s - over)
        whole, part = self._split(s)
        return self._sums[whole] + part * self.values[whole]

    def square_integral(self, s):
        whole, part = self._split(s)
        return self._square_sums[whole] + part * self.values[whole] ** 2

    def scaled(self, factor):
        return Held(factor * self.values)

    def decayed_nu(self, weight_decay, s):
        """Step by step; each step is that of a constant learning rate."""
        exponent = 2 * weight_decay * self.values
        whole_steps = first_order_recursion(np.exp(-exponent), self.values**2 * _mean_of_exp(exponent))
        before = np.concatenate([[0.0], whole_steps])
        whole, part = self._split(s)
        exponent = exponent[whole] * part
        return np.exp(-exponent) * before[whole] + self.values[whole] ** 2 * part * _mean_of_exp(exponent)


def _mean_of_exp(x):
    """Mean of exp(-u) for u from 0 to x >= 0, (1 - exp(-x)) / x."""
    x = np.asarray(x, dtype=float)
    return np.divide(-np.expm1(-x), x, out=np.ones(x.shape), where=x > 0)


def _less_sine(x):
    """The difference x - sin(x) for x in [0, pi / 2], from its series where it would cancel."""
    series = np.ones(x.shape)
    for n in range(19, 3, -2):
        series = 1 - x**2 / (n * (n - 1)) * series
    return np.where(x < 1, x**3 / 6 * series, x - np.sin(x))
