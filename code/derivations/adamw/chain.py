"""The class of schedules: a chain of pieces, each with its own formula, which knows its integrals."""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import _checks as check
from .pieces import Constant, Held
from .quadrature import NODES, gauss, running_sum

__all__ = [
    "LARGEST", "Schedule", "decay_schedule", "number_array", "one_number", "one_positive", "require_schedule",
    "step_count",
]

LARGEST = 1e100  # of any number here: what is computed from them, such as squares, then stays finite
_MOST_STEPS = 2**53  # above it, floats skip whole numbers


@dataclass(frozen=True)
class Schedule:
    r"""A learning rate :math:`\eta_s` on the interval :math:`0 \le s \le T`: a chain of pieces.

    Make one with :func:`constant`, :func:`linear`, :func:`cosine`, :func:`wsd`, :func:`inverse_time`,
    :func:`from_array`, or from others with :func:`join`. A weight decay that varies is a schedule, too. Schedules are
    callable, comparable, hashable, and can be pickled.

    Parameters
    ----------
    name : str
        Which kind of schedule this is; for messages and legends.
    pieces : tuple of Piece
        The formulas, one after the other; where two of them meet, the earlier one holds.

    Examples
    --------
    >>> from derivations.adamw.schedules import linear
    >>> schedule = linear(0.04, steps=4)
    >>> schedule.values
    array([0.03, 0.02, 0.01, 0.  ])
    >>> schedule(2.5)
    array(0.015)
    """

    name: str
    pieces: tuple

    def __reduce__(self):
        return Schedule, (self.name, self.pieces)  # without the cached values

    @cached_property
    def _starts(self):
        """Where each piece starts, and where the last one ends."""
        return np.concatenate([[0.0], np.cumsum([piece.length for piece in self.pieces], dtype=float)])

    @property
    def steps(self):
        """Number of steps T."""
        return sum(piece.length for piece in self.pieces)

    @property
    def peak(self):
        """Largest learning rate on [0, T]; a warm-up reaches it at its end."""
        return max(piece.peak for piece in self.pieces)

    @property
    def is_constant(self):
        """Whether the schedule consists of constant pieces with one learning rate."""
        peak = self.peak
        return all(isinstance(piece, Constant) and piece.lr == peak for piece in self.pieces)

    def __call__(self, step):
        """Learning rate at ``step``; array_like of numbers in [0, T], which need not be whole."""
        return self._rate(self._checked(step))

    @cached_property
    def values(self):
        """Learning rates of the steps 1, ..., T; shape (T,), ``values[i] = schedule(i + 1)``; read-only."""
        rates = self(np.arange(1, self.steps + 1))
        rates.setflags(write=False)  # shared by every caller
        return rates

    def kappa(self, weight_decay, step=None):
        r"""Total decay :math:`\kappa_t = \int_0^t \eta_s\lambda_s\,ds`; it has no unit.

        Parameters
        ----------
        weight_decay : float, array_like of shape (T,), or Schedule
            :math:`\lambda \ge 0`, constant, or one value per step, or a schedule of :math:`T` steps.
        step : float or array_like, optional
            :math:`t` in [0, T]; by default T.

        Returns
        -------
        float or numpy.ndarray, of the shape of step

        Raises
        ------
        ValueError
            If an argument is outside its range.

        Notes
        -----
        For constant :math:`\lambda` in closed form. Otherwise by quadrature on each stretch on which both factors are
        smooth (for an array, on each step), which is exact to rounding: half a period of a cosine, the longest of such
        stretches, has 16 Gauss-Legendre nodes.

        Equation :eq:`eq-adamw-kappa-integral` of the book.

        Examples
        --------
        >>> from derivations.adamw.schedules import constant, cosine
        >>> constant(0.01, steps=1000).kappa(0.25)
        2.5
        >>> schedule = cosine(0.01, steps=1000)
        >>> round(schedule.kappa(schedule.scaled(50)), 9)    # weight decay proportional to lr: 50 nu
        1.875
        """
        decay, where = decay_schedule(weight_decay, self.steps), self._checked(step)
        if decay.is_constant:
            return _plain(decay.peak * self._integrated("integral", where))
        return _plain(_product_integral(self, decay, where))

    def nu(self, step=None):
        r"""Sum of the squared learning rates, :math:`\nu_t = \int_0^t \eta_s^2\,ds`, in closed form.

        Parameters
        ----------
        step : float or array_like, optional
            :math:`t` in [0, T]; by default T.

        Returns
        -------
        float or numpy.ndarray, of the shape of step

        Notes
        -----
        Equation :eq:`eq-adamw-closed-nu` of the book.

        Examples
        --------
        >>> from derivations.adamw.schedules import constant, linear
        >>> constant(0.5, steps=8).nu()
        2.0
        >>> linear(1.0, steps=12).nu([6, 12])
        array([3.5, 4. ])
        """
        return _plain(self._integrated("square_integral", self._checked(step)))

    def decayed_nu(self, weight_decay, step=None):
        r"""Squared learning rates, each forgotten at the rate of the decay since,

        .. math:: V_t = \int_0^t e^{-2\lambda\int_s^t \eta_u\,du}\,\eta_s^2\,ds .

        Parameters
        ----------
        weight_decay : float
            :math:`\lambda \ge 0`, constant in time.
        step : float or array_like, optional
            :math:`t` in [0, T]; by default T. Many steps at once cost little more than one.

        Returns
        -------
        float or numpy.ndarray, of the shape of step

        Raises
        ------
        ValueError
            If an argument is outside its range.

        Notes
        -----
        In closed form for constant, linear, WSD and held learning rates and for ``inverse_time`` with power 1; for the
        others by Gauss-Legendre quadrature on panels that become finer towards :math:`t`, where the weight is.
        Joined pieces are chained: :math:`V_t = e^{-2\lambda\int_s^t\eta}\,V_s + V_{s,t}`.

        The integral :math:`I_t` of equation :eq:`eq-adamw-integral` of the book.

        Examples
        --------
        >>> from derivations.adamw.schedules import constant, cosine
        >>> constant(0.01, steps=100_000).decayed_nu(0.5)    # eta / (2 lambda)
        0.01
        >>> schedule = cosine(0.01, steps=1000)
        >>> schedule.decayed_nu(0.0) == schedule.nu()
        True
        >>> round(schedule.decayed_nu(0.5), 7)
        0.0044295
        """
        number = one_number("weight_decay", weight_decay)
        where = self._checked(step)
        if number == 0:
            return self.nu(where)
        carried = [0.0]

        def evaluate(k, s):
            piece = self.pieces[k]
            return np.exp(-2 * number * piece.integral(s)) * carried[k] + piece.decayed_nu(number, s)

        for k, piece in enumerate(self.pieces[:-1]):
            carried.extend(evaluate(k, np.array([piece.length], dtype=float)))
        return _plain(self._by_piece(where, evaluate))

    def scaled(self, factor):
        """This schedule with all learning rates multiplied by ``factor``.

        Parameters
        ----------
        factor : float
            Positive.

        Returns
        -------
        Schedule

        Raises
        ------
        ValueError
            If ``factor`` is not one positive number, or the learning rates become too large.

        Examples
        --------
        >>> from derivations.adamw.schedules import linear
        >>> linear(1.0, steps=2).scaled(0.5).values
        array([0.25, 0.  ])
        """
        number = one_positive("factor", factor)
        if number * self.peak > LARGEST:
            raise ValueError(f"factor must leave learning rates of at most {LARGEST:g}, got factor={factor!r}")
        return Schedule(self.name, tuple(piece.scaled(number) for piece in self.pieces))

    def _checked(self, step):
        """``step`` as an array of numbers in [0, T]; None is T."""
        if step is None:
            return np.array(self.steps, dtype=float)
        where = check.finite("step", step)
        if np.any((where < 0) | (where > self.steps)):
            raise ValueError(f"step must lie in [0, {self.steps}], got step={step!r}")
        return where

    def _by_piece(self, where, evaluate):
        """Array of ``evaluate(k, s)``: k is the piece in which a step lies; s, of shape (n,), the step inside it."""
        index = np.searchsorted(self._starts[1:-1], where)  # the end of a piece belongs to it
        result = np.empty(where.shape)
        for k in np.flatnonzero(np.bincount(np.ravel(index))):
            here = index == k
            result[here] = evaluate(k, where[here] - self._starts[k])
        return result

    def _rate(self, where):
        return self._by_piece(where, lambda k, s: self.pieces[k].rate(s))

    def _integrated(self, method, where):
        """Integral from 0, from the integrals of the pieces called ``method``."""
        integrals = [getattr(piece, method) for piece in self.pieces]
        before = running_sum([integral(piece.breaks[-1:])[0] for integral, piece in zip(integrals, self.pieces)])
        return self._by_piece(where, lambda k, s: before[k] + integrals[k](s))

    def _breaks(self):
        """Places between which the learning rate is smooth."""
        return np.concatenate([start + piece.breaks for start, piece in zip(self._starts, self.pieces)])


def _product_integral(first, second, where):
    """Integral of the product of two schedules from 0 to each step of ``where``."""
    edges = np.unique(np.concatenate([[0.0], first._breaks(), second._breaks(), where.ravel()]))
    flat = all(piece.flat for piece in first.pieces + second.pieces)
    parts = gauss(
        lambda end, d: first._rate(end - d) * second._rate(end - d),
        edges[1:], np.zeros(edges.size - 1), np.diff(edges), nodes=1 if flat else NODES,
    )
    return running_sum(parts)[np.searchsorted(edges, where)]


def require_schedule(schedule):
    """Return ``schedule``; it must be a :class:`Schedule`, and not, say, a bare learning rate."""
    if not isinstance(schedule, Schedule):
        raise ValueError(f"schedule must be a Schedule, such as constant(lr, steps), got schedule={schedule!r}")
    return schedule


def decay_schedule(weight_decay, steps):
    r"""Weight decay as a schedule, whose ``values`` are those of the steps.

    Parameters
    ----------
    weight_decay : float, array_like of shape (T,), or Schedule
        :math:`\lambda \ge 0`: constant; or one value per step, held in between; or a schedule, which is returned as it
        is.
    steps : int
        Number of steps :math:`T \ge 1`.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If a value is negative, not finite or above 1e100, or the number of steps is another.

    Examples
    --------
    >>> decay_schedule(0.1, steps=2).values
    array([0.1, 0.1])
    >>> decay_schedule([0.0, 0.1], steps=2).name
    'from_array'
    """
    steps = step_count(steps)
    if isinstance(weight_decay, Schedule):
        if weight_decay.steps != steps:
            raise ValueError(f"weight_decay must have {steps} steps, got a Schedule of {weight_decay.steps} steps")
        return weight_decay
    if np.ndim(weight_decay) == 0:
        return Schedule("constant", (Constant(one_number("weight_decay", weight_decay), steps),))
    values = number_array("weight_decay", weight_decay)
    if values.shape != (steps,):
        raise ValueError(
            f"weight_decay must be a number, a Schedule, or have shape ({steps},), got shape {values.shape}"
        )
    return Schedule("from_array", (Held(values),))


def number_array(name, value):
    """Return ``value`` as a float array of finite numbers >= 0 that are not too large."""
    return check.squarable(name, check.non_negative(name, value))


def one_number(name, value):
    """Return ``value`` as one float >= 0."""
    array = number_array(name, value)
    if array.ndim:
        raise ValueError(f"{name} must be one number, got {name}={value!r}")
    return float(array)


def one_positive(name, value):
    """Return ``value`` as one positive float."""
    check.positive(name, value)
    return one_number(name, value)


def step_count(steps):
    """Return a number of steps as an int."""
    count = check.count("steps", steps)
    if count > _MOST_STEPS:
        raise ValueError(f"steps must be at most 2**53, got steps={steps!r}")
    return count


def _plain(result):
    """A float for a single step, an array for several."""
    return result if np.ndim(result) else float(result)
