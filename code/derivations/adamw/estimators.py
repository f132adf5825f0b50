"""Predictions of the weight RMS."""
import numpy as np

from . import _checks as check
from .moments import constant_response, recursion_response, update_gain
from .schedules import require_schedule

__all__ = ["equilibrium_rms", "predict_weight_rms"]


def predict_weight_rms(
    schedule,
    weight_decay,
    betas=(0.9, 0.95),
    eps=0.0,
    init_rms=0.0,
    init_mean=0.0,
    gradient_mean=0.0,
    gradient_std=1.0,
    method="recursion",
    bias_correction=True,
    trajectory=False,
):
    r"""Predict the weight RMS :math:`\sqrt{E[\theta_t^2]}` under AdamW with independent gradients.

    Parameters
    ----------
    schedule : Schedule
        Learning rate of each step; :math:`T` steps.
    weight_decay : float or array_like, shape (T,)
        :math:`\lambda \ge 0`, constant or one value per step.
    betas : pair of float
        :math:`(\beta_1, \beta_2)`. With bias correction no method depends on :math:`\beta_2`; see
        :func:`noise_factor` for its part.
    eps : float or array_like
        :math:`\epsilon \ge 0`, in the unit of the gradient.
    init_rms, init_mean : float or array_like
        :math:`\sqrt{E[\theta_0^2]}` and :math:`E[\theta_0]`; ``init_rms >= |init_mean|``.
    gradient_mean, gradient_std : float or array_like
        :math:`\mu` and :math:`\sigma` of one component of the gradient.
    method : {"recursion", "constant"}
        ``"recursion"`` solves the second-moment recursion, exact once the denominator of the update is frozen at
        :math:`\sqrt{\mu^2+\sigma^2}+\epsilon`. ``"constant"`` is the closed form for constant hyper-parameters: no
        bias correction, :math:`\eta\lambda \ll 1 - \beta_1`, and no cross term :math:`E[\theta_0]\,\mu`.
    bias_correction : bool
        Whether the optimizer corrects the bias of :math:`m_t` and :math:`v_t`. If not, the denominator is
        :math:`\sqrt{E[v_t]} + \epsilon`, which grows from step to step; only for ``method="recursion"``.
    trajectory : bool
        Whether to return the RMS after every step instead of after the last one.

    Returns
    -------
    float or numpy.ndarray
        The RMS (not its square). ``eps``, ``init_rms``, ``init_mean``, ``gradient_mean`` and ``gradient_std``
        broadcast to a shape S; the result has shape S, or S + (T,) for a trajectory. For a tensor whose components
        differ, average the squares: ``sqrt(mean(rms**2))``.

    Raises
    ------
    ValueError
        If an argument is outside its range, or ``method="constant"`` meets hyper-parameters that vary,
        ``lr * weight_decay >= 1`` or ``bias_correction=False``.

    Notes
    -----
    Equations :eq:`eq-adamw-constant` (``"constant"``, the result of [1]_), :eq:`eq-adamw-recursion-momentum` and
    :eq:`eq-adamw-recursion-variance` (``"recursion"``) of the book.

    References
    ----------
    .. [1] J. Su, Asymptotic estimate of the weight RMS of AdamW, part 1 (in Chinese), 2025,
       https://kexue.fm/archives/11307

    Examples
    --------
    >>> from derivations.adamw import constant, predict_weight_rms
    >>> schedule = constant(1e-3, steps=100_000)
    >>> round(predict_weight_rms(schedule, weight_decay=0.1), 4)
    0.0707
    """
    weight_decay = check.decay_per_step(weight_decay, require_schedule(schedule).steps)
    betas = check.beta_pair(betas)
    init_rms, init_mean = check.start(init_rms, init_mean)
    gradient_rms = check.gradient_rms(gradient_mean, gradient_std)
    eps = check.non_negative("eps", eps)
    scale = gradient_rms + eps
    check.one_of("method", method, ("recursion", "constant"))
    if method == "recursion":
        gain = update_gain(schedule.steps, betas, gradient_rms, eps, bias_correction)
        response = recursion_response(schedule.values, weight_decay, betas[0], gain)
    elif not bias_correction:
        raise ValueError("bias_correction=False needs method='recursion', got method='constant'")
    else:
        response = constant_response(*_constants(schedule, weight_decay), schedule.steps)
    square = _mean_square(response, init_rms, init_mean, gradient_mean / scale, gradient_std / scale)
    rms = np.sqrt(square if trajectory else square[..., -1])
    return rms if rms.ndim else float(rms)


def equilibrium_rms(
    lr, weight_decay, betas=(0.9, 0.95), eps=0.0, gradient_mean=0.0, gradient_std=1.0, method="leading"
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
        :math:`(\beta_1, \beta_2)`; only :math:`\beta_1` matters, and only for ``method="recursion"``.
    eps, gradient_mean, gradient_std : float or array_like
        As in :func:`predict_weight_rms`.
    method : {"leading", "recursion"}
        ``"leading"`` is the formula above; ``"recursion"`` the exact stationary value of the second-moment recursion,

        .. math:: V_\infty = \frac{\eta^2}{1 - a^2}\,\frac{(1 - \beta_1)(1 + a\beta_1)}{(1 + \beta_1)(1 - a\beta_1)},
           \qquad a = 1 - \eta\lambda .

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
    >>> round(equilibrium_rms(lr=5e-4, weight_decay=0.5), 4)
    0.0224
    >>> round(equilibrium_rms(lr=0.02, weight_decay=0.5, method="recursion"), 4)   # sqrt(lr / 2 wd) is 0.1414
    0.1355
    """
    lr, weight_decay = check.positive("lr", lr), check.positive("weight_decay", weight_decay)
    decay = lr * weight_decay
    if np.any(decay >= 2):
        raise ValueError(f"lr * weight_decay must be less than 2, got lr={lr}, weight_decay={weight_decay}")
    beta1, _ = check.beta_pair(betas)
    scale = check.gradient_rms(gradient_mean, gradient_std) + check.non_negative("eps", eps)
    check.one_of("method", method, ("leading", "recursion"))
    if method == "leading":
        variance = lr / (2 * weight_decay)
    else:
        shrink = 1 - decay
        momentum = (1 - beta1) * (1 + shrink * beta1) / ((1 + beta1) * (1 - shrink * beta1))
        variance = lr / (weight_decay * (2 - decay)) * momentum  # 1 - a^2 = decay (2 - decay), without cancellation
    rms = np.sqrt((gradient_mean / scale / weight_decay) ** 2 + (gradient_std / scale) ** 2 * variance)
    return rms if np.ndim(rms) else float(rms)


def _constants(schedule, weight_decay):
    """The one learning rate and the one weight decay of constant hyper-parameters."""
    lr = schedule.values
    if np.ptp(lr) > 0:
        raise ValueError(f"method='constant' needs a constant learning rate, got values from {lr.min()} to {lr.max()}")
    if np.ptp(weight_decay) > 0:
        raise ValueError(
            "method='constant' needs a constant weight_decay, "
            f"got values from {weight_decay.min()} to {weight_decay.max()}"
        )
    if lr[0] * weight_decay[0] >= 1:
        raise ValueError(
            f"method='constant' needs lr * weight_decay < 1, got lr={lr[0]}, weight_decay={weight_decay[0]}"
        )
    return float(lr[0]), float(weight_decay[0])


def _mean_square(response, init_rms, init_mean, update_mean, update_std):
    """E[theta_t^2] of shape S + (T,); the last four arguments are arrays that broadcast to the shape S."""
    init_rms, init_mean, update_mean, update_std = (
        np.asarray(argument)[..., np.newaxis] for argument in (init_rms, init_mean, update_mean, update_std)
    )
    square = (
        response.decay**2 * init_rms**2
        + update_mean**2 * response.drift**2
        + update_std**2 * response.variance
    )
    if not response.has_cross_term:
        return square
    # |cross term| is at most the sum of the two squares above, but rounding may leave a tiny negative number.
    return np.maximum(square - 2 * response.decay * response.drift * init_mean * update_mean, 0.0)
