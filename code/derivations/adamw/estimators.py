"""Predictions of the weight RMS of a run, and of the equilibrium."""
from dataclasses import dataclass, replace

import numpy as np

from . import _checks as check
from . import approximations
from ._checks import DoesNotApply
from .laws import Law, gaussian
from .moments import recursion_response, update_gain
from .noise import mean_factor, noise_factor
from .schedules import Schedule, decay_schedule, require_schedule

__all__ = ["METHODS", "equilibrium_rms", "predict_weight_rms"]

_MOST_TOGETHER = 4_000_000  # steps of all runs that are solved together: some 300 MB
METHODS = (
    "exact", "recursion", "double_sum", "single_sum", "integral", "ode", "closed_form", "mean_field", "constant",
)


def predict_weight_rms(
    schedule,
    weight_decay,
    betas=(0.9, 0.95),
    eps=0.0,
    init_rms=0.0,
    init_mean=0.0,
    gradient_mean=0.0,
    gradient_std=1.0,
    method="exact",
    trajectory=False,
    bias_correction=True,
    law=None,
):
    r"""Predict the weight RMS :math:`\sqrt{E[\theta_t^2]}` under AdamW with independent gradients.

    Parameters
    ----------
    schedule : Schedule
        Learning rate of each step; :math:`T` steps.
    weight_decay : float, array_like of shape (T,), or Schedule
        :math:`\lambda \ge 0`: constant, one value per step, or a function of the step (AdamC:
        ``schedule.scaled(weight_decay / lr)``).
    betas : pair of float
        :math:`(\beta_1, \beta_2)`. With bias correction only ``"exact"`` depends on :math:`\beta_2`.
    eps : float or array_like
        :math:`\epsilon \ge 0`, in the unit of the gradient.
    init_rms, init_mean : float or array_like
        :math:`\sqrt{E[\theta_0^2]}` and :math:`E[\theta_0]`; ``init_rms >= |init_mean|``.
    gradient_mean, gradient_std : float or array_like
        :math:`\mu` and :math:`\sigma` of one component of the gradient.
    method : str
        From the most accurate to the crudest.

        - ``"exact"``: the recursion, with the fluctuation of the denominator put back: the noise part times
          :func:`noise_factor`, the mean part times the square of :func:`mean_factor`. See the notes.
        - ``"recursion"``: exact second moments once the denominator of the update is frozen at
          :math:`\sqrt{\mu^2+\sigma^2}+\epsilon`.
        - ``"double_sum"``: no bias correction, :math:`e^{-\eta\lambda}` for :math:`1 - \eta\lambda`, no cross term
          :math:`E[\theta_0]\,\mu`.
        - ``"single_sum"``: hyper-parameters that vary slowly against the momentum.
        - ``"integral"``: the sum as an integral, by quadrature; ``"ode"``: the same from its differential equation;
          ``"closed_form"``: the same piece by piece for constant weight decay, in closed form for constant, linear,
          WSD and inverse-time rates, by a quadrature of its own for cosine.
        - ``"mean_field"``: learning rate and decay spread evenly over the run.
        - ``"constant"``: for constant hyper-parameters, the formula with :math:`(1 - \eta\lambda)^t` and
          :math:`\eta\lambda \ll 1 - \beta_1`.
    trajectory : bool
        Whether to return the RMS after every step instead of after the last one.
    bias_correction : bool
        Whether the optimizer corrects the bias of :math:`m_t` and :math:`v_t`. If not, the denominator is
        :math:`\sqrt{E[v_t]} + \epsilon`, which grows from step to step; only for ``"exact"`` and ``"recursion"``.
    law : Law, optional
        Law of the gradient's noise, :func:`gaussian` by default; only ``"exact"`` depends on it.

    Returns
    -------
    float or numpy.ndarray
        The RMS (not its square). ``eps``, ``init_rms``, ``init_mean``, ``gradient_mean`` and ``gradient_std``
        broadcast to a shape S; the result has shape S, or S + (T,) for a trajectory. For a tensor whose components
        differ, average the squares: ``sqrt(mean(rms**2))``.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the weights grow beyond all bounds (``lr * weight_decay > 2``).
    DoesNotApply
        If the method says nothing about such a run; it is a ValueError.

    Notes
    -----
    Equations of the book: ``"exact"`` and ``"recursion"`` :eq:`eq-adamw-recursion-momentum`,
    :eq:`eq-adamw-recursion-variance`; ``"double_sum"`` :eq:`eq-adamw-double-sum`, with a mean
    :eq:`eq-adamw-general`; ``"single_sum"`` :eq:`eq-adamw-single-sum`; ``"integral"`` :eq:`eq-adamw-integral`;
    ``"ode"`` :eq:`eq-adamw-ode`; ``"closed_form"`` for linear rates :eq:`eq-adamw-linear-exact`, for WSD
    :eq:`eq-adamw-wsd-exact`; ``"mean_field"``
    :eq:`eq-adamw-mean-field-formula`; ``"constant"`` :eq:`eq-adamw-constant`, the result of [1]_. From ``"double_sum"``
    to ``"mean_field"`` they are the chain of [2]_.

    ``"exact"`` uses the factors of the stationary state for slow changes. Over a few times
    :math:`1/(1-\beta_1) + 1/(1-\beta_2)` first steps :math:`\rho` is a few per cent off, as much as
    :math:`S` differs from 1; with constant hyper-parameters it ends off by at most
    :math:`2\beta_1\eta\lambda/(1-\beta_1^2)` times the largest :math:`|C_k/c_k - S|`, where :math:`c_k` is the
    autocovariance :math:`C_k` for a frozen denominator.

    A mean gradient also weakens the answer to noise. Write :math:`R = \sqrt{\mu^2+\sigma^2}`, :math:`s = R + \epsilon`,
    and expand the update for gradients :math:`\mu + \sigma\xi` that change slowly: the noise :math:`\sigma\xi` moves
    the numerator, :math:`\delta u = \sigma\xi/s`, and the denominator, through :math:`\delta v = 2\mu\sigma\xi +
    \sigma^2(\xi^2 - 1)`,

    .. math::

        \delta u = \frac{\sigma\xi}{s}\Bigl(1 - \frac{\mu^2}{R s}\Bigr)
        - \frac{\mu\sigma^2(\xi^2 - 1)}{2 R s^2} .

    For normal :math:`\xi` the two parts are uncorrelated, and the variance is :math:`\sigma^2/s^2` times
    :math:`(1 - \mu^2/(Rs))^2 + \mu^2\sigma^2/(2R^2s^2)`. ``"exact"`` multiplies the noise part by this
    (equation :eq:`eq-adamw-answer` of the book) and by :math:`S`.

    References
    ----------
    .. [1] J. Su, Asymptotic estimate of the weight RMS of AdamW, part 1 (in Chinese), 2025,
       https://kexue.fm/archives/11307
    .. [2] J. Su, the same, part 2, 2025, https://kexue.fm/archives/11404

    Examples
    --------
    >>> from derivations.adamw import cosine, predict_weight_rms
    >>> schedule = cosine(1e-3, steps=100_000)
    >>> round(predict_weight_rms(schedule, weight_decay=0.1), 4)
    0.0388
    >>> round(predict_weight_rms(schedule, weight_decay=0.1, method="mean_field"), 4)
    0.0612
    """
    check.flag("trajectory", trajectory)
    run = _Run.of(
        schedule, weight_decay, betas, eps, init_rms, init_mean, gradient_mean, gradient_std, method, bias_correction, law
    )
    return run.rms(run.response(trajectory), trajectory)


def predict_stacked(settings, trajectory=False):
    """Predict the weight RMS of many runs; those that can share a recursion are solved together.

    The part of :func:`predict_many` that needs no executor.

    Parameters
    ----------
    settings : sequence of dict
        Arguments of :func:`predict_weight_rms`, without ``trajectory``; one dictionary a run.
    trajectory : bool
        Whether to return the RMS after every step instead of after the last one.

    Returns
    -------
    list of float or numpy.ndarray
        What :func:`predict_weight_rms` returns for each.

    Raises
    ------
    ValueError
        If a setting is bad; the message names its position.

    Examples
    --------
    >>> from derivations.adamw import constant
    >>> runs = [dict(schedule=constant(lr, 50_000), weight_decay=0.1) for lr in (1e-3, 4e-3)]
    >>> [round(rms, 3) for rms in predict_stacked(runs)]
    [0.07, 0.14]
    """
    runs = []
    for position, setting in enumerate(settings):
        try:
            runs.append(_Run.of(**setting))
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings[{position}]: {error}") from error
    answers = [None] * len(runs)
    groups = {}
    for position, run in enumerate(runs):
        groups.setdefault(run.stack_key(position), []).append(position)
    for positions in _parts(groups, runs):
        for position, response in zip(
            positions, _responses([runs[position] for position in positions], trajectory)
        ):
            try:
                answers[position] = runs[position].rms(response, trajectory)
            except ValueError as error:
                raise ValueError(f"settings[{position}]: {error}") from error
    return answers


def equilibrium_rms(
    lr, weight_decay, betas=(0.9, 0.95), eps=0.0, gradient_mean=0.0, gradient_std=1.0, method="exact", law=None
):
    r"""Weight RMS at which AdamW with constant hyper-parameters settles.

    .. math::

        \mathrm{RMS}_\infty^2 = \frac{1}{s^2}\left(\frac{\mu^2}{\lambda^2} + \sigma^2 V_\infty\right), \qquad
        s = \sqrt{\mu^2 + \sigma^2} + \epsilon ,

    with :math:`V_\infty = \eta/(2\lambda)` to leading order in :math:`\eta\lambda`: for :math:`\mu = \epsilon = 0`
    the RMS is :math:`\sqrt{\eta/(2\lambda)}`.

    Parameters
    ----------
    lr, weight_decay : float or array_like
        :math:`\eta > 0` and :math:`\lambda > 0` with :math:`\eta\lambda < 2` (else the weights do not settle).
    betas : pair of float
        :math:`(\beta_1, \beta_2)`; ``"leading"`` uses neither, ``"recursion"`` only :math:`\beta_1`.
    eps, gradient_mean, gradient_std : float or array_like
        As in :func:`predict_weight_rms`.
    method : {"exact", "recursion", "leading"}
        ``"leading"`` is the formula above with :math:`\eta/(2\lambda)`; ``"recursion"`` the exact stationary value of the
        second-moment recursion,

        .. math:: V_\infty = \frac{\eta^2}{1 - a^2}\,\frac{(1 - \beta_1)(1 + a\beta_1)}{(1 + \beta_1)(1 - a\beta_1)},
           \qquad a = 1 - \eta\lambda ;

        ``"exact"`` multiplies its two parts by the factors of :func:`predict_weight_rms`.
    law : Law, optional
        Law of the gradient's noise, :func:`gaussian` by default; only ``"exact"`` depends on it.

    Returns
    -------
    float or numpy.ndarray
        The RMS (not its square), of the shape to which the arguments broadcast.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Equations :eq:`eq-adamw-equilibrium` and :eq:`eq-adamw-stationary` of the book.

    Examples
    --------
    >>> round(equilibrium_rms(lr=5e-4, weight_decay=0.5, method="leading"), 4)
    0.0224
    >>> round(equilibrium_rms(lr=0.02, weight_decay=0.5, method="recursion"), 4)   # sqrt(lr / 2 wd) is 0.1414
    0.1355
    """
    lr, weight_decay = check.positive("lr", lr), check.positive("weight_decay", weight_decay)
    decay = lr * weight_decay
    if np.any(decay >= 2):
        raise ValueError(f"lr * weight_decay must be less than 2, got lr={lr}, weight_decay={weight_decay}")
    betas = beta1, _ = check.beta_pair(betas)
    check.one_of("method", method, ("exact", "recursion", "leading"))
    check.same_shape(lr=lr, weight_decay=weight_decay, eps=eps, gradient_mean=gradient_mean, gradient_std=gradient_std)
    gradient = _Gradient.of(eps, gradient_mean, gradient_std)
    mean_part, noise_part = gradient.factors(betas, _checked_law(law)) if method == "exact" else (1.0, 1.0)
    if method == "leading":
        variance = lr / (2 * weight_decay)
    else:
        shrink = 1 - decay
        momentum = (1 - beta1) * (1 + shrink * beta1) / ((1 + beta1) * (1 - shrink * beta1))
        variance = lr / (weight_decay * (2 - decay)) * momentum  # 1 - a^2 = decay (2 - decay), without cancellation
    drift = gradient.mean / gradient.scale / weight_decay * mean_part
    rms = np.sqrt(drift**2 + (gradient.std / gradient.scale) ** 2 * variance * noise_part)
    return rms if np.ndim(rms) else float(rms)


def _checked_law(law):
    if not (law is None or isinstance(law, Law)):
        raise ValueError(f"law must be a Law, such as laplace(), got law={law!r}")
    return law


@dataclass(frozen=True, eq=False)
class _Gradient:
    """Checked model of the gradient: arrays that broadcast to a shape S."""

    eps: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    rms: np.ndarray

    @classmethod
    def of(cls, eps, mean, std):
        """Check every argument."""
        rms = check.gradient_rms(mean, std)
        return cls(check.non_negative("eps", eps), np.asarray(mean, float), np.asarray(std, float), rms)

    @property
    def scale(self):
        """The frozen denominator s."""
        return self.rms + self.eps

    def factors(self, betas, law):
        """Factors of the mean update and of the noise variance that put the fluctuating denominator back."""
        noiseless = self.std == 0
        eps = np.divide(self.eps, self.std, out=np.zeros(self.rms.shape), where=~noiseless)
        noise = _noise_factors(betas, law, eps)
        if not np.any(self.mean):
            return 1.0, noise
        if law not in (None, gaussian()):
            raise DoesNotApply(f"method='exact' with a gradient_mean other than 0 needs normal gradients, got law={law!r}")
        ratio = np.divide(self.mean, self.std, out=np.full(self.rms.shape, np.inf), where=~noiseless)
        pull = self.mean**2 / (self.rms * self.scale)
        answer = (1 - pull) ** 2 + (self.mean / self.rms * self.std / self.scale) ** 2 / 2
        return np.where(noiseless, 1.0, mean_factor(betas, np.minimum(np.abs(ratio), 1e300), eps)), noise * answer


def _noise_factors(betas, law, eps):
    """Noise factor for an array of eps / sigma; interpolated in log eps where there are many."""
    values, where = np.unique(eps, return_inverse=True)
    if values.size <= 16:
        factors = np.array([noise_factor(betas, law=law, eps=float(value)) for value in values])
    else:
        from scipy.interpolate import CubicSpline
        # In x = log(eps + 1e-4) the factor is smooth, also at eps = 0, and constant beyond 1e3 to 1e-3 of S - 1.
        nodes = np.linspace(np.log(1e-4), np.log(1e3), 25)
        known = [noise_factor(betas, law=law, eps=max(0.0, float(np.exp(node) - 1e-4))) for node in nodes]
        factors = CubicSpline(nodes, known)(np.minimum(np.log(values + 1e-4), nodes[-1]))
    return factors[where.ravel()].reshape(np.shape(eps))


@dataclass(frozen=True, eq=False)
class _Run:
    """Checked arguments of predict_weight_rms."""

    schedule: Schedule
    decay: Schedule
    betas: tuple
    init_rms: np.ndarray
    init_mean: np.ndarray
    gradient: _Gradient
    method: str
    bias_correction: bool
    law: Law | None

    @classmethod
    def of(
        cls, schedule, weight_decay, betas=(0.9, 0.95), eps=0.0, init_rms=0.0, init_mean=0.0, gradient_mean=0.0,
        gradient_std=1.0, method="exact", bias_correction=True, law=None,
    ):
        """Check every argument; the defaults are those of predict_weight_rms."""
        decay = decay_schedule(weight_decay, require_schedule(schedule).steps)
        if 0 < schedule.peak < 1 / check.LARGEST:  # its square would be 0
            raise ValueError(f"schedule must have a peak of at least {1 / check.LARGEST:g}, got {schedule.peak}")
        gradient = _Gradient.of(eps, gradient_mean, gradient_std)
        check.flag("bias_correction", bias_correction)
        if check.one_of("method", method, METHODS) not in ("exact", "recursion") and not bias_correction:
            raise DoesNotApply(f"bias_correction=False needs method='exact' or 'recursion', got method={method!r}")
        start = check.start(init_rms, init_mean)
        check.same_shape(
            eps=eps, init_rms=init_rms, init_mean=init_mean, gradient_mean=gradient_mean, gradient_std=gradient_std
        )
        return cls(schedule, decay, check.beta_pair(betas), *start, gradient, method, bias_correction, _checked_law(law))

    def response(self, trajectory):
        """Response of the method after all steps or, where that is cheaper, only the last; without the factors of "exact"."""
        with np.errstate(over="ignore", invalid="ignore"):  # weights without bounds are reported by rms()
            return self._response(trajectory)

    def _response(self, trajectory):
        schedule, decay = self.schedule, self.decay
        match self.method:
            case "exact" | "recursion":
                gradient = self.gradient
                gain = update_gain(schedule.steps, self.betas, gradient.rms, gradient.eps, self.bias_correction)
                return recursion_response(schedule.values, decay.values, self.betas[0], gain)
            case "double_sum":
                return approximations.double_sum_response(schedule, decay, self.betas[0])
            case "closed_form" | "mean_field":
                step = np.arange(1, schedule.steps + 1) if trajectory else np.array([schedule.steps])
                return getattr(approximations, f"{self.method}_response")(schedule, decay, step)
            case _:
                return getattr(approximations, f"{self.method}_response")(schedule, decay)

    def stack_key(self, position):
        """Runs with equal keys can share one recursion; others have a key of their own."""
        if self.method in ("exact", "recursion") and self.bias_correction:
            return self.schedule.steps, self.betas[0]
        return position

    def rms(self, response, trajectory):
        """RMS from the response, with the factors of "exact"."""
        if response.drift is None:
            if np.any(self.gradient.mean):
                raise DoesNotApply(
                    f"method={self.method!r} with a weight_decay that varies needs gradient_mean=0, "
                    f"got gradient_mean={self.gradient.mean}"
                )
            response = replace(response, drift=np.zeros(()))
        if self.method == "exact":
            mean_part, noise_part = (np.asarray(f)[..., np.newaxis] for f in self.gradient.factors(self.betas, self.law))
            response = replace(response, drift=mean_part * response.drift, variance=noise_part * response.variance)
        if not trajectory:
            response = replace(response, **{
                name: np.asarray(getattr(response, name))[..., -1:] if np.ndim(getattr(response, name)) else 0.0
                for name in ("decay", "drift", "variance")
            })
        with np.errstate(over="ignore", invalid="ignore"):
            rms = np.sqrt(self._mean_square(response))
        if not np.all(np.isfinite(rms)):
            largest = (self.schedule.values * self.decay.values).max()
            raise ValueError(f"the weights grow beyond all bounds, with lr * weight_decay up to {largest}")
        if not trajectory:
            rms = rms[..., 0]
        return rms if rms.ndim else float(rms)

    def _mean_square(self, response):
        """E[theta_t^2] of shape S + (K,)."""
        gradient = self.gradient
        init_rms, init_mean, update_mean, update_std = (
            np.asarray(argument)[..., np.newaxis]
            for argument in (self.init_rms, self.init_mean, gradient.mean / gradient.scale, gradient.std / gradient.scale)
        )
        square = (
            response.decay**2 * init_rms**2
            + update_mean**2 * response.drift**2
            + update_std**2 * response.variance
        )
        if response.has_cross_term:
            square = square - 2 * response.decay * response.drift * init_mean * update_mean
        # The cross term is at most the sum of two of the squares, but rounding may leave a tiny negative number.
        return np.maximum(square, 0.0)


def _parts(groups, runs):
    """The groups, cut so that no part has more than ``_MOST_TOGETHER`` steps in all."""
    for positions in groups.values():
        size = max(1, _MOST_TOGETHER // runs[positions[0]].schedule.steps)
        for first in range(0, len(positions), size):
            yield positions[first:first + size]


def _responses(runs, trajectory):
    """Response of each run; runs that share a key are solved as one recursion with a leading axis."""
    if len(runs) == 1:
        return [runs[0].response(trajectory)]
    lr = np.stack([run.schedule.values for run in runs])
    beta1 = runs[0].betas[0]
    gain = update_gain(lr.shape[-1], runs[0].betas, 1.0, 0.0, bias_correction=True)
    means = any(np.any(run.gradient.mean) for run in runs)
    with np.errstate(over="ignore", invalid="ignore"):
        response = recursion_response(lr, _stacked_decay(runs), beta1, gain, with_drift=means)
    drifts = response.drift if means else [None] * len(runs)
    return [
        replace(response, decay=decay, drift=drift, variance=variance)
        for decay, drift, variance in zip(response.decay, drifts, response.variance)
    ]


def _stacked_decay(runs):
    """Weight decay of each run, shape (K, 1) where all are constant, else (K, T)."""
    if all(run.decay.is_constant for run in runs):
        return np.array([[run.decay.peak] for run in runs])
    return np.stack([run.decay.values for run in runs])
