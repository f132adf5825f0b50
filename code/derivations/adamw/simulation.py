"""Simulation of AdamW on random gradients."""
import os
import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import _checks as check
from ._progress import Meter
from .blocks import Plan, run_blocks
from .estimators import equilibrium_rms, predict_weight_rms
from .gradients import Correlated, Curved, curved, linear_moments
from .laws import Law
from .schedules import constant, decay_schedule, require_schedule

__all__ = ["Estimate", "SimulationResult", "measure_noise_factor", "simulate"]

PARAMETERS = 65_536
SMALLEST_ROOT = np.finfo(float).tiny ** 0.5


class Estimate(NamedTuple):
    """A simulated number and its standard error. A format applies to both.

    Parameters
    ----------
    value : float
    standard_error : float

    Examples
    --------
    >>> f"{Estimate(0.98, 0.003):.4f}"
    '0.9800 ± 0.0030'
    """

    value: float
    standard_error: float

    def __format__(self, spec):
        return f"{self.value:{spec}} ± {self.standard_error:{spec}}"


@dataclass(frozen=True)
class SimulationResult:
    """Weight RMS of a simulation at the recorded steps.

    Parameters
    ----------
    steps : numpy.ndarray, shape (K,)
        Recorded steps, increasing.
    trajectory : numpy.ndarray, shape (K,)
        Weight RMS after these steps.
    standard_errors : numpy.ndarray, shape (K,)
        Standard error of each entry of ``trajectory``.
    parameters : int
        Number of weights that were simulated.
    """

    steps: np.ndarray
    trajectory: np.ndarray
    standard_errors: np.ndarray
    parameters: int

    @property
    def rms(self):
        """Weight RMS at the last recorded step."""
        return float(self.trajectory[-1])

    @property
    def standard_error(self):
        """Standard error of :attr:`rms`."""
        return float(self.standard_errors[-1])

    @property
    def estimate(self):
        """:class:`Estimate` of the weight RMS at the last recorded step."""
        return Estimate(self.rms, self.standard_error)

    def square_ratio(self, reference):
        """Mean square after the last recorded step, divided by that of ``reference``.

        Parameters
        ----------
        reference : float or SimulationResult
            A weight RMS that is known exactly, or an independent simulation, whose error is then added.

        Returns
        -------
        Estimate
            The ratio and its standard error.

        Raises
        ------
        ValueError
            If the reference is not positive.

        Examples
        --------
        >>> run = SimulationResult(np.array([5]), np.array([0.2]), np.array([0.01]), parameters=100)
        >>> print(f"{run.square_ratio(0.4):.3f}")
        0.250 ± 0.025
        >>> print(f"{run.square_ratio(run):.3f}")
        1.000 ± 0.141
        """
        rms, error = reference, 0.0
        if isinstance(reference, SimulationResult):
            rms, error = reference.rms, reference.standard_error
        rms = float(check.positive("reference", rms))
        ratio = (self.rms / rms) ** 2
        # d(q^2) = 2 q dq, and the relative errors of independent numerator and denominator add in quadrature.
        ratio_error = 2 * float(np.hypot(self.rms / rms * self.standard_error / rms, ratio * error / rms))
        return Estimate(ratio, ratio_error)


def simulate(
    schedule,
    weight_decay,
    betas=(0.9, 0.95),
    eps=0.0,
    parameters=PARAMETERS,
    *,
    rng,
    gradients="gaussian",
    gradient_mean=0.0,
    gradient_std=1.0,
    init_rms=0.0,
    init_mean=0.0,
    bias_correction=True,
    control_variate=True,
    record=None,
    threads=None,
    dtype=np.float32,
    progress=None,
):
    r"""Run AdamW on many weights with random gradients and measure the weight RMS.

    Parameters
    ----------
    schedule : Schedule
        Learning rate of each step; :math:`T` steps.
    weight_decay : float, array_like of shape (T,), or Schedule
        :math:`\lambda \ge 0`, constant or one value per step.
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    eps : float
        :math:`\epsilon \ge 0`, in the unit of the gradient.
    parameters : int
        Number of weights, at least 2. The standard error falls with its root.
    rng : numpy.random.Generator
        Source of all randomness: the same generator state gives the same result, whatever the number of threads.
    gradients : "gaussian", Law, correlated(phi), curved(h), or array_like of shape (T, parameters)
        ``"gaussian"`` and a :class:`Law`: independent gradients :math:`g = \mu + \sigma\,\xi` with :math:`\xi` of that
        law. :func:`correlated` and :func:`curved`: normal gradients with memory, or with a pull towards a minimum.
        An array is replayed, one row a step, in double precision; then ``gradient_mean`` and ``gradient_std`` keep
        their defaults, ``control_variate`` is False, and ``parameters`` may be left out.
    gradient_mean, gradient_std : float
        :math:`\mu` and :math:`\sigma`.
    init_rms, init_mean : float
        The start is normal with mean :math:`E[\theta_0]` and mean square ``init_rms**2``.
    bias_correction : bool
        Whether to divide :math:`m_t` by :math:`1 - \beta_1^t` and :math:`v_t` by :math:`1 - \beta_2^t`, as AdamW does.
    control_variate : bool
        Whether to run the optimizer with a denominator that does not fluctuate on the same noise and to report
        :math:`\hat\rho - \hat\rho_\mathrm{lin} + \rho_\mathrm{lin}`, where :math:`\rho_\mathrm{lin}` is known exactly.
        The expectation is the same, the variance much smaller.
    record : array_like of int, optional
        Increasing steps in 1, ..., T after which to measure; by default only the last step.
    threads : int, optional
        Number of threads; by default one for each processor. With 1 no thread is started.
    dtype : {numpy.float32, numpy.float64}
        Precision of the arithmetic. Random numbers are drawn in single precision in either case, so that two runs with
        the same ``rng`` show what rounding does.
    progress : bool, optional
        Whether to show a progress bar on standard error; by default only in a terminal, for runs of more than 2 s.

    Returns
    -------
    SimulationResult

    Raises
    ------
    ValueError
        If an argument is outside its range; if numbers overflow, or with ``eps=0`` a denominator is 0; or if so few
        ``parameters`` are used with the control variate that an estimated mean square is negative.

    Notes
    -----
    The standard error of the RMS is that of the mean square, divided by twice the RMS. Weights are independent, so
    the mean square has as standard error the standard deviation of one square over :math:`\sqrt N`. It does not contain
    rounding, which with ``float32`` is below 1e-6 of the RMS; except that updates smaller than 1e-7 of a weight are
    lost: where ``lr < 1e-6 * init_rms`` use ``float64``.

    Memory does not grow with ``parameters``.

    The control variate is that of equation :eq:`eq-adamw-control-variate` of the book; what it saves,
    :eq:`eq-adamw-control-variance`.

    Examples
    --------
    >>> from derivations.adamw import constant, simulate
    >>> run = simulate(constant(0.02, 400), 0.5, parameters=2000, rng=np.random.default_rng(1))
    >>> abs(run.rms / 0.02**0.5 - 0.95) < 0.01   # sqrt(lr / 2 wd) is 0.02**0.5; why it is not reached is in the book
    True
    """
    decay = decay_schedule(weight_decay, require_schedule(schedule).steps).values
    betas = check.beta_pair(betas)
    record = _recorded_steps(record, schedule.steps)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got rng={rng!r}")
    model = dict(
        eps=eps, gradient_mean=gradient_mean, gradient_std=gradient_std, init_rms=init_rms, init_mean=init_mean
    )
    model = {name: _number(name, value) for name, value in model.items()}
    check.non_negative("eps", eps)
    check.start(init_rms, init_mean)
    check.gradient_rms(gradient_mean, gradient_std)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64, got dtype={dtype!r}")
    parameters = check.count("parameters", parameters, smallest=2)
    threads = _processors() if threads is None else check.count("threads", threads)
    if not _is_random(gradients):
        gradients = _replayed(gradients, schedule.steps, parameters, control_variate, **model)
        parameters, dtype = gradients.shape[1], np.float64
    moments = None
    if control_variate:
        moments = _linear_moments(schedule, decay, betas, gradients, bias_correction, **model)
    plan = _plan(schedule.values, decay, betas, gradients, moments, record, dtype, bias_correction, **model)
    # Sums of d and of d^2, where d = theta^2, or theta^2 - theta_lin^2 with the control variate.
    sums = np.zeros((2, record.size))
    entropy = rng.integers(0, 2**32, 4, dtype=np.uint32).tolist()
    with Meter(progress, parameters * int(record[-1]), "weight-steps") as meter:
        for block in run_blocks(plan, parameters, entropy, threads, meter):
            sums += block
    return _result(record, *sums, parameters, moments[0][record - 1] if control_variate else 0.0)


def measure_noise_factor(betas, decay, steps, *, parameters=PARAMETERS, rng, gradients="gaussian"):
    r"""Noise factor :math:`S`, measured by a simulation with constant hyper-parameters.

    The run starts at the equilibrium of the frozen denominator and compares the mean square at its end with the start.

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    decay : float
        Decay per step :math:`\eta\lambda`, between 0 and 2. The ratio depends on nothing else of learning rate and
        weight decay, because :math:`\lambda\theta` obeys the same equation with rate :math:`\eta\lambda` and decay 1.
    steps : int
        Length of the run; :math:`S` has built up after a few times :math:`1/(2\eta\lambda)` steps, and
        not before about :math:`15/(1 - \beta_1)`.
    parameters : int
        Number of weights.
    rng : numpy.random.Generator
        Source of all randomness.
    gradients : "gaussian" or Law
        Law of the gradients, which have mean 0.

    Returns
    -------
    Estimate
        :math:`S` and its standard error.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    To be compared with :func:`noise_factor`, equation :eq:`eq-adamw-noise-factor` of the book, which is the limit of
    small ``decay`` and, in the form given there, of :math:`\beta_2` near 1.

    Examples
    --------
    >>> factor, error = measure_noise_factor((0.0, 0.5), 0.02, 200, parameters=4000, rng=np.random.default_rng(1))
    >>> abs(factor - 0.79) < 4 * error   # the frozen denominator is 27 % too high for these betas
    True
    """
    if check.positive("decay", decay).ndim:
        raise ValueError(f"decay must be one number, got decay={decay!r}")
    if decay >= 2:
        raise ValueError(f"decay must be less than 2, got decay={decay!r}")
    start = equilibrium_rms(decay, 1.0, betas, method="recursion")
    run = simulate(
        constant(decay, steps), 1.0, betas, parameters=parameters, rng=rng, gradients=gradients, init_rms=start
    )
    return run.square_ratio(start)


def _number(name, value):
    """``value`` as one float."""
    number = check.finite(name, value)
    if number.ndim:
        raise ValueError(f"{name} must be one number, got {name}={value!r}")
    return float(number)


def _processors():
    """How many threads can run at once."""
    if sys.platform == "emscripten":  # a browser has none to offer
        return 1
    if hasattr(os, "sched_getaffinity"):  # what this process may use, not what the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _recorded_steps(record, steps):
    """``record`` as an integer array; by default the last step."""
    chosen = np.asarray([steps] if record is None else record)
    whole = chosen.ndim == 1 and chosen.size > 0 and np.issubdtype(chosen.dtype, np.integer)
    if not whole or chosen[0] < 1 or chosen[-1] > steps or np.any(np.diff(chosen) <= 0):
        raise ValueError(f"record must hold increasing integers between 1 and {steps}, got record={record!r}")
    return chosen


def _is_random(gradients):
    """Whether gradients are drawn. Text that names no law is an error here, anything else may be an array."""
    if isinstance(gradients, (Law, Correlated, Curved)):
        return True
    if isinstance(gradients, str):
        return bool(check.one_of("gradients", gradients, ("gaussian",)))
    return False


def _replayed(gradients, steps, parameters, control_variate, eps, gradient_mean, gradient_std, **_):
    """Given gradients as an array of shape (steps, number of weights)."""
    expected = "gradients must be 'gaussian', a Law, correlated(phi), curved(h) or an array of numbers"
    try:
        array = np.asarray(gradients)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{expected}, got gradients={gradients!r}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{expected}, got gradients={gradients!r}")
    if array.ndim != 2 or array.shape[0] != steps or array.shape[1] < 2:
        raise ValueError(f"gradients must have shape ({steps}, parameters), parameters >= 2, got shape {array.shape}")
    if parameters not in (PARAMETERS, array.shape[1]):
        raise ValueError(f"parameters must be left out or {array.shape[1]}, as gradients has, got {parameters=}")
    if not np.isfinite([array.min(), array.max()]).all():
        raise ValueError("gradients must be finite, got an array with NaN or infinity")
    if control_variate:
        raise ValueError("control_variate=True needs random gradients, got an array: pass control_variate=False")
    if (gradient_mean, gradient_std) != (0.0, 1.0):
        raise ValueError(
            "gradient_mean and gradient_std must be left out with an array of gradients, "
            f"got gradient_mean={gradient_mean!r}, gradient_std={gradient_std!r}"
        )
    # v_1 is 0 where the square of the first gradient is, be it by underflow.
    if eps == 0 and np.abs(array[0]).min() < SMALLEST_ROOT:
        raise ValueError("eps must be positive where the first gradient of a weight is 0 (0/0), got eps=0.0")
    return array


def _linear_moments(
    schedule, decay, betas, gradients, bias_correction, eps, gradient_mean, gradient_std, **start
):
    """Mean square with a frozen denominator and the factor from momentum to update; two arrays of shape (T,)."""
    model = dict(
        eps=eps, gradient_mean=gradient_mean, gradient_std=gradient_std, bias_correction=bias_correction, **start
    )
    if isinstance(gradients, (Correlated, Curved)):
        return linear_moments(schedule.values, decay, betas, **vars(gradients), **model)
    rms = predict_weight_rms(schedule, decay, betas, method="recursion", trajectory=True, **model)
    correction1, correction2 = _corrections(schedule.steps, betas, bias_correction)
    second_moment = _corrections(schedule.steps, betas)[1] * (gradient_mean**2 + gradient_std**2)
    return rms**2, 1 / (correction1 * (np.sqrt(second_moment / correction2) + eps))


def _corrections(steps, betas, bias_correction=True):
    """What the optimizer divides both moments by at each step; two arrays of shape (T,)."""
    step = np.arange(1, steps + 1)
    return tuple(1 - beta**step if bias_correction else np.ones(steps) for beta in betas)


def _plan(
    lr, decay, betas, gradients, moments, record, dtype, bias_correction,
    eps, gradient_mean, gradient_std, init_rms, init_mean,
):
    """All factors of :class:`Plan`, with gradients in units of their noise, or of their mean if there is no noise."""
    unit = gradient_std or abs(gradient_mean)
    correction1, correction2 = _corrections(lr.size, betas, bias_correction)
    # m_hat / (sqrt(v_hat) + eps) for M = m / (1 - beta1) and W = v / (1 - beta2).
    root = np.sqrt(correction2 / (1 - betas[1]))
    return Plan(
        betas=betas,
        shrink=1 - lr * decay,
        rate=lr * (1 - betas[0]) / correction1 * root,
        floor=eps / unit * root,
        linear_rate=lr * moments[1] * (1 - betas[0]) * unit if moments else None,
        gradients=curved(gradients.curvature / unit) if isinstance(gradients, Curved) else gradients,
        gradient_mean=gradient_mean / unit,
        has_noise=gradient_std > 0,
        init_mean=init_mean,
        init_std=float(np.sqrt(init_rms**2 - init_mean**2)),
        record=record.tolist(),
        dtype=np.dtype(dtype),
    )


def _result(record, sums, square_sums, parameters, linear):
    """RMS and standard errors from the sums of d and of d^2."""
    bad = ~np.isfinite(sums + square_sums + linear)
    if bad.any():
        raise ValueError(
            f"numbers are not finite by step {record[bad][0]}: schedule, weight_decay or gradients are too large "
            "(dtype=numpy.float64 reaches further), or eps=0 meets a denominator that is 0"
        )
    mean = sums / parameters
    variance = (square_sums / parameters - mean**2) * parameters / (parameters - 1)
    mean_square = mean + linear
    if np.any(mean_square < 0):
        raise ValueError(f"parameters is too small for the control variate, got parameters={parameters}")
    rms = np.sqrt(mean_square)
    error = np.sqrt(np.maximum(variance, 0.0) / parameters)
    # Where all weights are still exactly 0 there is no error either.
    rms_error = np.divide(error, 2 * rms, out=np.zeros_like(rms), where=rms > 0)
    return SimulationResult(record, rms, rms_error, parameters)
