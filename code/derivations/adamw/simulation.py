"""Simulation of AdamW on random normal gradients."""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import _checks as check
from .estimators import equilibrium_rms, predict_weight_rms
from .moments import update_gain
from .schedules import constant, require_schedule

__all__ = ["Estimate", "SimulationResult", "measure_noise_factor", "simulate"]

# Weights are simulated in blocks whose arrays stay in the processor's cache; memory does not grow with their number.
BLOCK = 16_384


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
    parameters=65_536,
    *,
    rng,
    gradient_mean=0.0,
    gradient_std=1.0,
    gradient_correlation=0.0,
    init_rms=0.0,
    init_mean=0.0,
    bias_correction=True,
    control_variate=True,
    record=None,
):
    r"""Run AdamW on many weights with random normal gradients and measure the weight RMS.

    Parameters
    ----------
    schedule : Schedule
        Learning rate of each step; :math:`T` steps.
    weight_decay : float or array_like, shape (T,)
        :math:`\lambda \ge 0`, constant or one value per step.
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    eps : float
        :math:`\epsilon \ge 0`, in the unit of the gradient.
    parameters : int
        Number of weights, at least 2. The standard error falls with its root.
    rng : numpy.random.Generator
        Source of all randomness: the same generator state gives the same result.
    gradient_mean, gradient_std : float
        Gradients are drawn from the normal law with mean :math:`\mu` and standard deviation :math:`\sigma`.
    gradient_correlation : float
        Correlation :math:`\varphi` of a weight's gradients in consecutive steps, between -1 and 1: their noise is
        :math:`\xi_t = \varphi\,\xi_{t-1} + \sqrt{1 - \varphi^2}\,\zeta_t` with independent standard normal
        :math:`\zeta_t`. Other than 0 only without the control variate, which is for independent gradients.
    init_rms, init_mean : float
        The start is normal with mean :math:`E[\theta_0]` and mean square ``init_rms**2``.
    bias_correction : bool
        Whether to divide :math:`m_t` by :math:`1 - \beta_1^t` and :math:`v_t` by :math:`1 - \beta_2^t`, as AdamW does.
    control_variate : bool
        Whether to run the optimizer with a denominator that does not fluctuate on the same gradients and to report
        :math:`\hat\rho - \hat\rho_\mathrm{lin} + \rho_\mathrm{lin}`, where :math:`\rho_\mathrm{lin}` is known exactly.
        The expectation is the same, the variance much smaller.
    record : array_like of int, optional
        Increasing steps in 1, ..., T after which to measure; by default only the last step.

    Returns
    -------
    SimulationResult

    Raises
    ------
    ValueError
        If an argument is outside its range, or so few ``parameters`` are used with the control variate that an
        estimated mean square is negative.

    Notes
    -----
    The standard error of the RMS is that of the mean square, divided by twice the RMS. Weights are independent, so
    the mean square has standard error (standard deviation of one square) / sqrt(parameters).

    Examples
    --------
    >>> from derivations.adamw import constant, simulate
    >>> run = simulate(constant(0.02, 400), 0.5, parameters=2000, rng=np.random.default_rng(1))
    >>> abs(run.rms / 0.02**0.5 - 0.95) < 0.01   # sqrt(lr / 2 wd) is 0.02**0.5; why it is not reached is in the book
    True
    """
    weight_decay = check.decay_per_step(weight_decay, require_schedule(schedule).steps)
    beta1, beta2 = check.beta_pair(betas)
    parameters = check.count("parameters", parameters, smallest=2)
    record = _recorded_steps(record, schedule.steps)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got rng={rng!r}")
    correlation = _correlation(gradient_correlation, control_variate)
    model = dict(
        eps=float(eps), gradient_mean=float(gradient_mean), gradient_std=float(gradient_std),
        init_rms=float(init_rms), init_mean=float(init_mean),
    )
    # Also checks the values of the model before any work is done.
    linear = predict_weight_rms(
        schedule, weight_decay, betas, bias_correction=bias_correction, trajectory=True, **model
    )[record - 1] ** 2

    # Sums of d and d^2, where d = theta^2, or theta^2 - theta_lin^2 with the control variate.
    sums, square_sums = np.zeros(record.size), np.zeros(record.size)
    for first in range(0, parameters, BLOCK):
        size = min(BLOCK, parameters - first)
        block = _run_block(
            schedule.values, weight_decay, beta1, beta2, size, rng, correlation, bias_correction, control_variate,
            record, **model
        )
        sums += block[0]
        square_sums += block[1]
    mean = sums / parameters
    variance = (square_sums / parameters - mean**2) * parameters / (parameters - 1)
    mean_square = mean + linear if control_variate else mean
    if np.any(mean_square < 0):
        raise ValueError(f"parameters is too small for the control variate, got parameters={parameters}")
    rms = np.sqrt(mean_square)
    error = np.sqrt(np.maximum(variance, 0.0) / parameters)
    # Where all weights are still exactly 0 there is no error either.
    rms_error = np.divide(error, 2 * rms, out=np.zeros_like(rms), where=rms > 0)
    return SimulationResult(record, rms, rms_error, parameters)


def measure_noise_factor(betas, decay, steps, *, parameters=65_536, rng):
    r"""Noise factor :math:`S` of normal gradients, measured by a simulation with constant hyper-parameters.

    The run starts at the equilibrium of the frozen denominator and compares the mean square at its end with the start.

    Parameters
    ----------
    betas : pair of float
        :math:`(\beta_1, \beta_2)`.
    decay : float
        Decay per step :math:`\eta\lambda`, between 0 and 2. The ratio depends on nothing else of learning rate and
        weight decay, because :math:`\lambda\theta` obeys the same equation with rate :math:`\eta\lambda` and decay 1.
    steps : int
        Length of the run; :math:`S` has built up after a few times :math:`1/(2\eta\lambda)` steps.
    parameters : int
        Number of weights.
    rng : numpy.random.Generator
        Source of all randomness.

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
    run = simulate(constant(decay, steps), 1.0, betas, parameters=parameters, rng=rng, init_rms=start)
    return run.square_ratio(start)


def _correlation(value, control_variate):
    """``gradient_correlation`` as a float."""
    correlation = float(check.finite("gradient_correlation", value))
    if not -1 < correlation < 1:
        raise ValueError(f"gradient_correlation must lie between -1 and 1, got gradient_correlation={value!r}")
    if correlation and control_variate:
        raise ValueError(f"gradient_correlation={value!r} needs control_variate=False")
    return correlation


def _recorded_steps(record, steps):
    """``record`` as an integer array; by default the last step."""
    chosen = np.asarray([steps] if record is None else record)
    whole = chosen.ndim == 1 and chosen.size > 0 and np.issubdtype(chosen.dtype, np.integer)
    if not whole or chosen[0] < 1 or chosen[-1] > steps or np.any(np.diff(chosen) <= 0):
        raise ValueError(f"record must hold increasing integers between 1 and {steps}, got record={record!r}")
    return chosen


def _run_block(
    lr, weight_decay, beta1, beta2, size, rng, correlation, bias_correction, control_variate, record,
    eps, gradient_mean, gradient_std, init_rms, init_mean,
):
    """Simulate ``size`` weights; return the sums of d and of d^2 at the recorded steps (see simulate)."""
    theta = init_mean + np.sqrt(init_rms**2 - init_mean**2) * rng.standard_normal(size)
    frozen = theta.copy()
    gradient_rms = np.hypot(gradient_mean, gradient_std)
    gain = update_gain(lr.size, (beta1, beta2), gradient_rms, eps, bias_correction) / (gradient_rms + eps)
    m, v = np.zeros(size), np.zeros(size)
    gradient, update = np.empty(size), np.empty(size)
    noise = rng.standard_normal(size) if correlation else None
    sums, square_sums = np.zeros(record.size), np.zeros(record.size)
    recorded = 0
    # Everything below works in place: new arrays in this loop would cost more time than the arithmetic.
    for step in range(1, lr.size + 1):
        rate, shrink = lr[step - 1], 1 - lr[step - 1] * weight_decay[step - 1]
        rng.standard_normal(out=gradient)
        if correlation:
            noise *= correlation
            noise += np.multiply(gradient, np.sqrt(1 - correlation**2), out=gradient)
            gradient[:] = noise
        gradient *= gradient_std
        gradient += gradient_mean
        corrections = (1 - beta1**step, 1 - beta2**step) if bias_correction else (1.0, 1.0)
        _advance_update(m, v, gradient, update, corrections, beta1, beta2, eps)
        theta *= shrink
        theta -= np.multiply(update, rate, out=update)
        if control_variate:
            frozen *= shrink
            frozen -= np.multiply(m, rate * gain[step - 1], out=update)
        if step == record[recorded]:
            difference = theta * theta - frozen * frozen if control_variate else theta * theta
            sums[recorded] = difference.sum()
            square_sums[recorded] = difference @ difference
            recorded += 1
            if recorded == record.size:
                break
    return sums, square_sums


def _advance_update(m, v, gradient, update, corrections, beta1, beta2, eps):
    """Advance the moments ``m`` and ``v`` and write Adam's update into ``update``; ``gradient`` is overwritten."""
    correction1, correction2 = corrections
    m *= beta1
    m += np.multiply(gradient, 1 - beta1, out=update)
    np.multiply(gradient, gradient, out=gradient)
    gradient *= 1 - beta2
    v *= beta2
    v += gradient
    # m / c1 / (sqrt(v / c2) + eps) = m / (sqrt(v) + eps sqrt(c2)) * sqrt(c2) / c1: one pass less.
    np.sqrt(v, out=update)
    update += eps * np.sqrt(correction2)
    np.divide(m, update, out=update)
    update *= np.sqrt(correction2) / correction1
