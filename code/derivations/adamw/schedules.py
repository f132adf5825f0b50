r"""Learning-rate schedules: functions of the step that know their integrals.

A run has the steps 1, ..., T, and step ``t`` uses ``schedule(t)``, the value with which it ends: ``schedule.values[i]``
is ``schedule(i + 1)``. torch and optax count from 0: their step ``t`` asks for the value at ``t - 1``. To use a
schedule there, shift it by one:

- torch, with an optimizer made with the learning rate ``lr``: ``LambdaLR(optimizer, lambda n: schedule(min(n + 1,
  schedule.steps)) / lr)``. The minimum is for the ``scheduler.step()`` after the last step, whose value is not used.
- optax: ``lambda count: schedule(count + 1)``; under ``jax.jit``, which cannot trace NumPy, ``lambda count:
  jnp.asarray(schedule.values)[count]``.

The other way round, a function ``f`` that counts from 0 is ``from_array([f(n) for n in range(T)])`` here.
"""
from . import _checks as check
from .chain import (
    LARGEST, Schedule, decay_schedule, number_array, one_number, one_positive, require_schedule, step_count,
)
from .pieces import Constant, Cosine, Held, InverseTime, Linear

__all__ = [
    "Schedule",
    "constant",
    "cosine",
    "decay_schedule",
    "from_array",
    "inverse_time",
    "join",
    "linear",
    "require_schedule",
    "wsd",
]

_LARGEST_POWER = 100  # of inverse_time: the steeper the curve, the more nodes its quadrature takes


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
    return Schedule("constant", (Constant(one_positive("lr", lr), step_count(steps)),))


def linear(lr, steps, final_lr=0.0):
    r"""Learning rate on a straight line, :math:`\eta_s = \eta_0 + (\eta_T - \eta_0)\,s/T`: a decay, or a warm-up.

    .. math:: \kappa_T = \lambda\,\frac{\eta_0 + \eta_T}{2}\,T , \qquad
       \nu_T = \frac{\eta_0^2 + \eta_0\eta_T + \eta_T^2}{3}\,T .

    Parameters
    ----------
    lr, final_lr : float
        :math:`\eta_0` and :math:`\eta_T`, at the start and at the end; not negative, and not both 0.
    steps : int
        Number of steps :math:`T \ge 1`.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equations :eq:`eq-adamw-linear-rate` and :eq:`eq-adamw-linear-kappa-nu` of the book.

    Examples
    --------
    >>> linear(0.04, steps=4, final_lr=0.02).values
    array([0.035, 0.03 , 0.025, 0.02 ])
    >>> warmup = linear(0.0, steps=2, final_lr=0.02)
    >>> warmup.values
    array([0.01, 0.02])
    """
    start, end = one_number("lr", lr), one_number("final_lr", final_lr)
    if start == end == 0:
        raise ValueError(f"lr or final_lr must be positive, got lr={lr!r}, final_lr={final_lr!r}")
    return Schedule("linear", (Linear(start, end, step_count(steps)),))


def cosine(lr, steps, final_lr=0.0):
    r"""Half a period of a cosine, :math:`\eta_s = \eta_T + (\eta_0 - \eta_T)\,(1 + \cos(\pi s/T))/2`.

    .. math:: \kappa_T = \lambda\,\frac{\eta_0 + \eta_T}{2}\,T , \qquad
       \nu_T = \frac{3\eta_0^2 + 2\eta_0\eta_T + 3\eta_T^2}{8}\,T .

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta_0 > 0` at the start.
    steps : int
        Number of steps :math:`T \ge 1`.
    final_lr : float
        Learning rate :math:`\eta_T \ge 0` at the end.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equations :eq:`eq-adamw-cosine-rate` and :eq:`eq-adamw-cosine-kappa-nu` of the book.

    Examples
    --------
    >>> cosine(0.04, steps=2).values
    array([0.02, 0.  ])
    >>> join(linear(0.0, 1, final_lr=0.04), cosine(0.04, steps=2)).values    # with a warm-up
    array([0.04, 0.02, 0.  ])
    """
    return Schedule("cosine", (Cosine(one_positive("lr", lr), one_number("final_lr", final_lr), step_count(steps)),))


def wsd(lr, steps, warmup_steps, decay_steps, final_lr=0.0):
    r"""Warm-up, stable, decay: a line from 0 up to :math:`\eta`, a plateau, and a line down to :math:`\eta_T`.

    With :math:`\eta_T = 0`, the plateau from :math:`t_1` to :math:`t_2`,

    .. math:: \kappa_T = \lambda\eta\,\frac{T + t_2 - t_1}{2} , \qquad \nu_T = \eta^2\,\frac{T + 2t_2 - 2t_1}{3} .

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta > 0` of the plateau.
    steps : int
        Number of steps :math:`T \ge 1` in all.
    warmup_steps, decay_steps : int
        :math:`t_1 \ge 0` and :math:`T - t_2 \ge 0`; together at most T.
    final_lr : float
        Learning rate :math:`\eta_T \ge 0` at the end of the decay.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equations :eq:`eq-adamw-wsd-rate` and :eq:`eq-adamw-wsd-kappa-nu` of the book.

    Examples
    --------
    >>> wsd(0.04, steps=7, warmup_steps=2, decay_steps=4).values
    array([0.02, 0.04, 0.04, 0.03, 0.02, 0.01, 0.  ])
    """
    lr, steps, final_lr = one_positive("lr", lr), step_count(steps), one_number("final_lr", final_lr)
    warmup, decay = check.count("warmup_steps", warmup_steps, 0), check.count("decay_steps", decay_steps, 0)
    if warmup + decay > steps:
        raise ValueError(
            "warmup_steps + decay_steps must be at most steps, "
            f"got warmup_steps={warmup}, decay_steps={decay}, steps={steps}"
        )
    pieces = Linear(0.0, lr, warmup), Constant(lr, steps - warmup - decay), Linear(lr, final_lr, decay)
    return Schedule("wsd", tuple(piece for piece in pieces if piece.length))


def inverse_time(lr, steps, timescale, power=1.0):
    r"""Learning rate that falls with a power of time, :math:`\eta_s = \eta_0 (1 + s/\tau)^{-p}`.

    Power 1 and :math:`\tau = 1/(\lambda\eta_0)` is the schedule :math:`\eta_0/(1 + \lambda\eta_0 s)`, on which
    :math:`\mathrm{RMS}^2` tends to twice :math:`\eta_s/(2\lambda)`; power 1/2 goes with a weight decay in proportion to
    the learning rate [1]_.

    Parameters
    ----------
    lr : float
        Learning rate :math:`\eta_0 > 0` at :math:`s = 0`.
    steps : int
        Number of steps :math:`T \ge 1`.
    timescale : float
        :math:`\tau > 0`, in steps: at :math:`s = \tau` the learning rate has fallen by the factor :math:`2^{-p}`.
    power : float
        :math:`p`, above 0 and at most 100.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equation :eq:`eq-adamw-inverse-time` of the book.

    References
    ----------
    .. [1] J. Su, weight decay and learning rate seen as a moving average (in Chinese), 2025,
       https://kexue.fm/archives/11459

    Examples
    --------
    >>> inverse_time(0.06, steps=2, timescale=1.0).values
    array([0.03, 0.02])
    >>> inverse_time(0.06, steps=1, timescale=1/3, power=0.5).values
    array([0.03])
    """
    lr, timescale, exponent = one_positive("lr", lr), one_positive("timescale", timescale), one_positive("power", power)
    if timescale < 1 / LARGEST:
        raise ValueError(f"timescale must be at least {1 / LARGEST:g}, got timescale={timescale!r}")
    if exponent > _LARGEST_POWER:
        raise ValueError(f"power must be at most {_LARGEST_POWER}, got power={power!r}")
    return Schedule("inverse_time", (InverseTime(lr, timescale, exponent, step_count(steps)),))


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
    >>> warmup.kappa(2.0)
    3.5
    """
    rates = number_array("values", values)
    if rates.ndim != 1 or rates.size == 0:
        raise ValueError(f"values must have shape (T,) with T >= 1, got shape {rates.shape}")
    return Schedule("from_array", (Held(rates),))


def join(*schedules):
    r"""One schedule after the other; at a joint the earlier one holds.

    Parameters
    ----------
    *schedules : Schedule
        At least one. They need not meet: a jump is allowed.

    Returns
    -------
    Schedule
        Of all their steps together.

    Raises
    ------
    ValueError
        If there is none, or one of them is no :class:`Schedule`.

    Examples
    --------
    >>> schedule = join(constant(0.2, steps=2), linear(0.1, steps=2))
    >>> schedule.values
    array([0.2 , 0.2 , 0.05, 0.  ])
    >>> schedule.name
    'constant + linear'
    """
    if not schedules:
        raise ValueError("schedules must hold at least one Schedule, got none")
    for position, schedule in enumerate(schedules):
        if not isinstance(schedule, Schedule):
            raise ValueError(f"schedules[{position}] must be a Schedule, got {schedule!r}")
    joined = Schedule(
        " + ".join(schedule.name for schedule in schedules),
        tuple(piece for schedule in schedules for piece in schedule.pieces),
    )
    step_count(joined.steps)
    return joined
