"""Learning-rate schedules: a schedule is a function of the step, and knows its two integrals."""
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import _checks as check

__all__ = ["Schedule", "constant", "from_array"]


@dataclass(frozen=True)
class Schedule:
    r"""A learning rate :math:`\eta_s` on the interval :math:`0 \le s \le T`.

    Make one with :func:`constant` or :func:`from_array`.

    Parameters
    ----------
    name : str
        Which kind of schedule this is; for messages and legends.
    steps : int
        Number of steps :math:`T`.
    rate : callable
        Takes an array of (not necessarily whole) steps in [0, T], returns the learning rate there.
    integral, square_integral : float
        :math:`\int_0^T \eta_s\,ds` and :math:`\int_0^T \eta_s^2\,ds`.

    Examples
    --------
    >>> schedule = constant(0.01, steps=4)
    >>> schedule.values
    array([0.01, 0.01, 0.01, 0.01])
    >>> schedule(2.5)
    array(0.01)
    """

    name: str
    steps: int
    rate: Callable
    integral: float
    square_integral: float

    def __call__(self, step):
        """Learning rate at ``step``; array_like of numbers in [0, T], which need not be whole."""
        where = check.finite("step", step)
        if np.any((where < 0) | (where > self.steps)):
            raise ValueError(f"step must lie in [0, {self.steps}], got step={step!r}")
        return self.rate(where)

    @cached_property
    def values(self):
        """Learning rates of the steps 1, ..., T; shape (T,), ``values[i] = schedule(i + 1)``."""
        rates = np.array(self(np.arange(1, self.steps + 1)), dtype=float)
        rates.setflags(write=False)  # shared by every caller
        return rates

    def kappa(self, weight_decay):
        r"""Total decay :math:`\kappa_T = \lambda\int_0^T \eta_s\,ds`; it has no unit.

        Parameters
        ----------
        weight_decay : float or array_like
            :math:`\lambda \ge 0`, constant in time.

        Examples
        --------
        >>> float(constant(0.01, steps=1000).kappa(0.25))
        2.5
        """
        return check.non_negative("weight_decay", weight_decay) * self.integral

    def nu(self):
        r"""Sum of the squared learning rates, :math:`\nu_T = \int_0^T \eta_s^2\,ds`.

        Examples
        --------
        >>> constant(0.5, steps=8).nu()
        2.0
        """
        return self.square_integral


def require_schedule(schedule):
    """Return ``schedule``; it must be a :class:`Schedule`, and not, say, a bare learning rate."""
    if not isinstance(schedule, Schedule):
        raise ValueError(f"schedule must be a Schedule, such as constant(lr, steps), got schedule={schedule!r}")
    return schedule


def constant(lr, steps):
    r"""Learning rate that never changes, :math:`\eta_s = \eta`.

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta > 0`.
    steps : int
        Number of steps :math:`T \ge 1`.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If ``lr`` is not one positive number or ``steps`` is not a positive integer.

    Examples
    --------
    >>> constant(1e-3, steps=3).values
    array([0.001, 0.001, 0.001])
    """
    steps = check.count("steps", steps)
    if np.ndim(lr) != 0:
        raise ValueError(f"lr must be one number, got lr={lr!r}")
    rate = float(check.positive("lr", lr))
    return Schedule("constant", steps, lambda s: np.full(s.shape, rate), rate * steps, rate**2 * steps)


def from_array(values):
    r"""Learning rate given step by step; between whole steps it is held, :math:`\eta_s = \eta_{\lceil s \rceil}`.

    Parameters
    ----------
    values : array_like, shape (T,)
        Learning rates of the steps 1, ..., T; none negative.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If ``values`` is not a non-empty one-dimensional array of numbers >= 0.

    Examples
    --------
    >>> warmup = from_array([0.25, 0.5, 1.0])
    >>> warmup([0, 0.5, 1, 1.5, 3])
    array([0.25, 0.25, 0.25, 0.5 , 1.  ])
    >>> float(warmup.kappa(2.0))
    3.5
    """
    rates = np.array(check.non_negative("values", values))  # a copy: the caller's array may change later
    if rates.ndim != 1 or rates.size == 0:
        raise ValueError(f"values must have shape (T,) with T >= 1, got shape {rates.shape}")

    def rate(step):
        return rates[np.maximum(np.ceil(step).astype(int), 1) - 1]

    return Schedule("from_array", rates.size, rate, float(rates.sum()), float(rates @ rates))
